"""Whether the sources of an answer hold: they exist, are in force, and say what the sentence says.

Comes in: an answer of the contract, the corpus, the day. Goes out: counts. Text is compared with text: the numbers,
periods and article numbers of a sentence must be found in what it cites. Dates worked out from a period, words of the
asker and the list of sources are left out of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from assistant.law.citations import find_references
from assistant.law.corpus import Corpus
from assistant.law.text import normalise, quantities
from assistant.steps.verification import needs_source

_MARK = re.compile(r"\[(\d+)\]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?")
_ASKED = re.compile(r"（您说的：.*?”）")  # the asker's own words are no statement of law
_BOLD = re.compile(r"\*\*[^*]*\*\*")  # headings and titles of cases
_TITLE = re.compile(r"《[^《》]*》(?:（[^（）]*）)?")
_Test = Callable[[Sequence[Mapping[str, Any]]], bool]  # whether given citations say a thing
_UNITS = {"个月", "月", "日", "年", "周", "小时", "%", "‰", "元", "人", "次", "倍", "个工作日"}


@dataclass(frozen=True)
class SourceCounts:
    """What was counted in one answer. ``wrong`` says in short what did not hold."""

    cites: int
    cites_right: int
    marks: int
    marks_right: int
    said: int  # sentences with numbers or article numbers that carry marks
    said_right: int
    law: int  # sentences of law
    law_cited: int
    wrong: tuple[str, ...]

    @property
    def valid(self) -> bool | None:
        """Whether everything cited holds; None where nothing is cited."""
        return not self.wrong if self.cites or self.marks else None


def check_sources(answer: Mapping[str, Any], corpus: Corpus, day: date) -> SourceCounts:
    """Count what holds in an answer."""
    cited: Sequence[Mapping[str, Any]] = answer.get("citations") or ()
    wrong = [f"来源不存在或不一致：{c['id']}" for c in cited if not _exists(c, corpus)]
    late = [
        f"来源在该日无效：{c['id']}" for c in cited if _exists(c, corpus) and not _in_force(c, corpus, day)
    ]
    numbers = {int(c["n"]) for c in cited}
    text = str(answer.get("answer") or "")
    marks = [int(n) for n in _MARK.findall(text)]
    lost = [f"标号没有来源：[{n}]" for n in marks if n not in numbers]
    said = said_right = law = law_cited = 0
    unsaid: list[str] = []
    for line in _statements(text):
        here = [c for c in cited if int(c["n"]) in map(int, _MARK.findall(line))]
        if _is_law(line):
            law += 1
            law_cited += bool(here)
        specific = _specifics(line, corpus, day) if here else ()
        if specific:
            said += 1
            missing = [words for words, found in specific if not found(here)]
            said_right += not missing
            unsaid += [f"来源里没有：{words}" for words in missing]
    return SourceCounts(
        cites=len(cited),
        cites_right=len(cited) - len(wrong) - len(late),
        marks=len(marks),
        marks_right=len(marks) - len(lost),
        said=said,
        said_right=said_right,
        law=law,
        law_cited=law_cited,
        wrong=(*wrong, *late, *lost, *unsaid),
    )


def _exists(cited: Mapping[str, Any], corpus: Corpus) -> bool:
    """Whether it is a provision with these very words; a system may leave out label and text."""
    provision = corpus.get(str(cited["id"]))
    if provision is None:
        return False
    same_label = cited.get("label") in (None, provision.label)
    return same_label and cited.get("text") in (None, provision.digest, provision.text)


def _in_force(cited: Mapping[str, Any], corpus: Corpus, day: date) -> bool:
    return corpus.provision(str(cited["id"])).instrument.in_force(day)


def _statements(text: str) -> list[str]:
    """The lines of an answer before its list of sources, without quotes."""
    found = []
    for line in text.split("\n"):
        if line.startswith("**来源**"):
            break
        if line.strip() and not line.lstrip().startswith(">"):
            found.append(line)
    return found


def _is_law(line: str) -> bool:
    """Whether a line says law, its marks aside."""
    return needs_source(_MARK.sub("", line))


def _specifics(line: str, corpus: Corpus, day: date) -> Sequence[tuple[str, _Test]]:
    """The numbers and articles of a line, each with a test whether given citations say it."""
    bare = _ASKED.sub("", _MARK.sub("", line))
    found: list[tuple[str, _Test]] = []
    for reference in find_references(bare, corpus, day):
        if reference.provision_id:
            found.append((reference.text, _names(reference.provision_id, reference.text)))
    plain = _DATE.sub("", _TITLE.sub("", _BOLD.sub("", bare)))
    for quantity in quantities(plain):
        if quantity.unit in _UNITS:
            words = plain[quantity.start : quantity.end]
            found.append((words, _counts(quantity.value, quantity.unit)))
    return found


def _names(id: str, words: str) -> _Test:
    """Whether a provision is cited, a part of it, or what it is part of; or a cited one names it itself."""

    def test(cited: Sequence[Mapping[str, Any]]) -> bool:
        ids = [str(c["id"]) for c in cited]
        near = any(one == id or one.startswith(f"{id}.") or id.startswith(f"{one}.") for one in ids)
        return near or normalise(words) in normalise(_words(cited))

    return test


def _counts(value: Decimal, unit: str) -> _Test:
    """Whether a cited provision has the same quantity; 一年半 and 18个月 are the same."""

    def test(cited: Sequence[Mapping[str, Any]]) -> bool:
        return _plain(value, unit) in {_plain(q.value, q.unit) for q in quantities(_words(cited))}

    return test


def _plain(value: Decimal, unit: str) -> tuple[Decimal, str]:
    if unit in ("年", "月", "个月"):
        return value * (12 if unit == "年" else 1), "个月"
    return value, unit


def _words(cited: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(
        f"{c.get('label') or ''}\n{c.get('text') or ''}\n{c.get('original') or ''}" for c in cited
    )
