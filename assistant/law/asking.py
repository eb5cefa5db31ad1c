"""What a question about the rules asks for: where it stands, how long, which ones, the difference, yes or no.

Comes in: ``knowledge/asking.yaml`` and a question. Goes out: :class:`Asked`. Raises ``KnowledgeError`` with file and
line. The patterns are data; what each style of question gets as an answer is said in ``steps/knowing.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from assistant.errors import KnowledgeError
from assistant.law.schema import Strict, problem_at, read_yaml, try_yaml
from assistant.law.text import clauses, normalise

Style = Literal[
    "compare",
    "history",
    "article",
    "whether",
    "list",
    "count",
    "often",
    "limit",
    "who",
    "define",
    "how",
    "effect",
]
Aspect = Literal["begun", "adopted", "extent", "replaced", "added", "changed"]
"""What is asked of an instrument as a whole: its first day, when it was passed, how many articles, what stood before
it, and since when it has something, what of it became more or fewer."""
_FILE = "asking.yaml"
_GROUPS = {"compare": ("a", "b"), "ask": ("what",)}  # what the code reads out of a match
_SHARED = re.compile(r"^(?P<one>.+?)的(?P<what>[^的]{2,8})$")
_WHOLE = 0.6  # share of what was asked about that the deciding words have to hold
_NEAR = 0.5  # the same for the whole question and the sentence around them
_MET = 0.3  # share of a condition (……的，) that the question has to tell for what follows to be said of it


@dataclass(frozen=True)
class Asked:
    """What is asked for. ``sides`` of a comparison, ``term`` to be defined; "" and () where there are none."""

    text: str
    styles: frozenset[Style]
    sides: tuple[str, ...] = ()
    term: str = ""
    aspects: frozenset[Aspect] = frozenset()


@dataclass(frozen=True)
class _Whether:
    ask: re.Pattern[str]
    agree: str
    refuse: str
    allow: re.Pattern[str]
    deny: re.Pattern[str]


@dataclass(frozen=True)
class Asking:
    """The styles of questions, ready to be looked for."""

    styles: Mapping[Style, Sequence[re.Pattern[str]]] = field(repr=False)
    filler: re.Pattern[str]
    edges: re.Pattern[str]
    whether: Sequence[_Whether] = field(repr=False)
    turned: re.Pattern[str]
    amounts: Mapping[Style, re.Pattern[str]]
    aspects: Mapping[Aspect, re.Pattern[str]] = field(repr=False)
    aside: re.Pattern[str]
    told: Mapping[Style, re.Pattern[str]] = field(default_factory=dict, repr=False)

    def read(self, question: str) -> Asked:
        """What a question asks for."""
        text = normalise(question)
        found: dict[Style, re.Match[str]] = {}
        for style, patterns in self.styles.items():
            match = next((m for p in patterns if (m := p.search(text))), None)
            if match:
                found[style] = match
        sides = self._sides(found["compare"]) if "compare" in found else ()
        if not sides:
            found.pop("compare", None)
        term = ""
        if "define" in found:
            groups = found["define"].groupdict()
            term = self.edges.sub("", groups.get("term") or groups.get("of") or "")
        aspects = frozenset(name for name, pattern in self.aspects.items() if pattern.search(text))
        return Asked(text, frozenset(found), sides, term, aspects)

    def matter(self, asked: Asked, text: str) -> frozenset[str]:
        """What is asked about besides the aspects of an instrument, in pairs; empty where only they are asked."""
        for name in asked.aspects:
            text = self.aspects[name].sub(" ", text)
        return pairs(self.core(self.aside.sub(" ", text)))

    def _sides(self, match: re.Match[str]) -> tuple[str, ...]:
        """Both sides; what only the second says of both (甲和乙的影响期) is said of the first too."""
        a, b = (self.edges.sub("", match[name]).strip() for name in ("a", "b"))
        shared = _SHARED.match(b)
        if shared and not _SHARED.match(a):
            a = f"{a}的{shared['what']}"
        return (a, b) if len(a) > 1 and len(b) > 1 and a != b else ()

    def core(self, text: str) -> str:
        """What is left of a question without the phrases every question has."""
        return self.filler.sub(" ", text)

    def verdict(self, asked: Asked, digest: str, topic: str = "") -> str:
        """Yes or no in the words of the question, where the digest decides it by a rule; "" where it does not.

        One clause of the digest has to hold what is asked and a word that allows or forbids it, not both; of whom it
        is asked has to stand in its sentence or in the topic, and a condition it makes in the question.
        """
        question = clauses(asked.text.rstrip("？。！"))
        for row in self.whether:
            for clause in reversed(question):
                match = row.ask.search(
                    clause.text + ("吗" if asked.text.rstrip("？。").endswith("吗") else "")
                )
                if not match:
                    continue
                what = re.sub("[吗么呢]+$", "", match["what"])
                before = clause.text[: match.start()][-1:]
                if self.turned.search(before + what) or len(pairs(self.core(what))) == 0:
                    return ""
                return self._decided(row, what, asked.text, digest, topic)
        return ""

    def _decided(self, row: _Whether, what: str, text: str, digest: str, topic: str) -> str:
        wanted, whole = pairs(self.core(what)), pairs(self.core(text))
        about = whole - wanted  # of whom or what it is asked
        said: set[str] = set()
        for sentence in re.split("[。；]", digest):
            there = pairs(sentence) | pairs(topic)
            if share(whole, there) < _NEAR or (about and share(about, there) < _NEAR):
                continue
            before = ""
            for clause in re.split("[，：（）]", sentence):
                met = not before.endswith("的") or share(pairs(before), whole) >= _MET
                if share(wanted, pairs(clause)) >= _WHOLE:
                    if row.deny.search(clause):
                        said.add(row.refuse)
                    elif row.allow.search(clause) and met:
                        said.add(row.agree)
                before = clause
        return said.pop() if len(said) == 1 else ""


def pairs(text: str) -> frozenset[str]:
    """Pairs of neighbouring characters.

    >>> sorted(pairs("停止执行"))
    ['停止', '执行', '止执']
    """
    return frozenset(
        text[i : i + 2]
        for i in range(len(text) - 1)
        if not set(text[i : i + 2]) & set(" ，。、；：“”（）《》")
    )


def share(wanted: frozenset[str], there: frozenset[str]) -> float:
    """How much of what is wanted is there, from 0 to 1.

    >>> share(pairs("停止执行"), pairs("不停止执行"))
    1.0
    """
    return len(wanted & there) / len(wanted) if wanted else 0.0


class _WhetherRow(Strict):
    ask: str
    agree: str
    refuse: str
    allow: str
    deny: str


class _File(Strict):
    styles: dict[str, list[str]]
    filler: str
    side_edges: str
    whether: list[_WhetherRow]
    turned: str
    amounts: dict[str, str]
    aspects: dict[str, str]
    aside: str
    told: dict[str, str]


def load_asking(folder: Path) -> Asking:
    """The styles of questions of a knowledge folder.

    Raises:
        KnowledgeError: a style nobody knows, or a pattern that is not one, with the line.
    """
    if problems := check_asking(folder):
        raise problems[0]
    file = read_yaml(folder / _FILE, _File, folder)
    styles: tuple[Style, ...] = get_args(Style)
    aspects: tuple[Aspect, ...] = get_args(Aspect)
    return Asking(
        styles={style: [re.compile(p) for p in file.styles.get(style, [])] for style in styles},
        filler=re.compile(file.filler),
        edges=re.compile(file.side_edges),
        whether=[
            _Whether(re.compile(r.ask), r.agree, r.refuse, re.compile(r.allow), re.compile(r.deny))
            for r in file.whether
        ],
        turned=re.compile(file.turned),
        amounts={name: re.compile(file.amounts[name]) for name in styles if name in file.amounts},
        aspects={name: re.compile(file.aspects[name]) for name in aspects if name in file.aspects},
        aside=re.compile(file.aside),
        told={name: re.compile(file.told[name]) for name in styles if name in file.told},
    )


def check_asking(folder: Path) -> list[KnowledgeError]:
    """Everything wrong with the file; empty when all is well."""
    path = folder / _FILE
    problems: list[KnowledgeError] = []
    file = try_yaml(path, _File, folder, problems)
    if file is None:
        return problems
    for part, given, known in (
        ("styles", file.styles, get_args(Style)),
        ("amounts", file.amounts, get_args(Style)),
        ("told", file.told, get_args(Style)),
        ("aspects", file.aspects, get_args(Aspect)),
    ):
        for name in sorted(set(given) - set(known)):
            message = f"没有“{name}”这种问法，可以写的有：{'、'.join(known)}。"
            problems.append(problem_at(path, folder, (part, name), message))
    for loc, pattern in _patterns(file):
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            at = error.pos or 0
            near = pattern[max(0, at - 4) : at + 8]
            message = f"正则写错了，问题在第{at + 1}个字“{near}”附近，请检查括号、方括号和问号。"
            problems.append(problem_at(path, folder, loc, message))
            continue
        needed = _GROUPS.get("ask" if loc[-1] == "ask" else str(loc[min(1, len(loc) - 1)]), ())
        for name in needed:
            if name not in groups:
                message = f"正则里少了 (?P<{name}>…) 这一组，请补上。"
                problems.append(problem_at(path, folder, loc, message))
    return problems


def _patterns(file: _File) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every pattern of the file with its place."""
    for style, patterns in file.styles.items():
        for index, pattern in enumerate(patterns):
            yield ("styles", style, index), pattern
    for part in ("filler", "side_edges", "turned", "aside"):
        yield (part,), getattr(file, part)
    for index, row in enumerate(file.whether):
        for key in ("ask", "allow", "deny"):
            yield ("whether", index, key), getattr(row, key)
    for part in ("amounts", "told", "aspects"):
        for name, pattern in getattr(file, part).items():
            yield (part, name), pattern
