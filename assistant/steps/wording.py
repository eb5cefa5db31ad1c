"""The answer worded by a language model, checked sentence by sentence: text is compared with text.

Comes in: the answer that templates made, and what a model wrote for its sentences. Goes out: the request, and
:class:`Worded`: the answer with the sentences that hold, what was kept, what was replaced and why.

Only what rules and digests say in sentences may be worded: why (verdict, findings), responsibility and measures,
exemptions, signals, others; of an answer about the rules its first lines. Labels of the verdict and of the
lines, clauses, periods, routes and deadlines, cases, quotes, questions, notices, sources and the disclaimer stay
as they are: the model neither sees nor writes them, and marks are put back by the program.

A sentence holds when it says the same: brought to one form (``knowledge/wording.yaml``: words that may stand for
each other, words that mean nothing here, numbers by value, conditions) it equals its template sentence, word by
word and in its order. What is new or missing is thereby always found, whatever it is; the other checks give it a
name, and stand beside it in case a row of that file is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant.errors import KnowledgeError
from assistant.law.corpus import Corpus
from assistant.law.schema import GlossaryFile, Strict, read_yaml
from assistant.law.tables import said_periods
from assistant.law.text import normalise, quantities
from assistant.model import Citation, Determination
from assistant.ports import Message
from assistant.prompts import Prompts
from assistant.steps.verification import verify
from assistant.written import LONGEST_REPLY, listed, one_list, spoken

PROMPT = "model/wording.md.j2"
MOST_SENTENCES = 20  # that one request asks for
SHORTEST, LONGEST = 0.4, 2.0  # length of a sentence, measured by its template sentence
SHOWN = 300  # characters of a provision that the model is given
MOST_FAILING = 1 / 3

_MARK = re.compile(r"\[(\d+)\]")
_STATED = re.compile(  # a line of an answer about the rules: head, words, marks, and how the source is cited
    r"(?P<lead>(?:- )?(?:\*\*[^*]+\*\*：?)?)(?P<words>[^\[\]*]+?)(?P<tail>(?:\[\d+\])+(?:（[^（）]*）)?。(?:——.*)?)"
)
_NUMBERED = re.compile(r"\s*(?:[-*]\s*)?(?:\*\*)?(\d{1,3})(?:\*\*)?\s*[.、:：)）．]\s*(.+)")
_STRANGE = re.compile(r"[^\u4e00-\u9fff\d，。；：、！？（）《》“”‘’\-—…·%.,:/\s]")
_HTML = re.compile(r"<[^>]*>?|&\w+;|&#|\]\(|!\[|`|^#|\||~~|__")
_TITLE = re.compile(r"《[^《》]*》")
_ARTICLE = re.compile("第[零〇一二三四五六七八九十百千\\d]+[编章节条款项](?:之[一二三四五六七八九])?")
_NO_NUMERAL = re.compile("十十|百百|千千|万万|亿亿")
_NEGATION = re.compile("[不没未无非免勿莫]")
_QUOTE = re.compile(r"“([^“”]*)”")
_PLAIN = str.maketrans("", "", "〔〕")
_BREAK = (  # what parts clauses; a question is not the statement that it asks about
    dict.fromkeys("，：,:", "，") | dict.fromkeys("；。！;", "；") | dict.fromkeys("？?", "？")
)
_LISTED, _COMMA, _STOP, _ASKED, _OF, _CONDITION = "、", "，", "；", "？", "的", "〔条件〕"
_WHO = frozenset({_OF, _OF + _COMMA, "的人"})  # 违纪的按…, 违纪的，按…, 违纪的人按…


class _Neutral(Strict):
    anywhere: list[str]
    start: list[str]
    later: list[str]
    story: list[str]


class _File(Strict):
    operators: list[str]
    same: list[str]
    neutral: _Neutral
    condition: list[str]
    condition_end: list[str]
    comma_after: list[str]
    comma_before: list[str]
    whole: list[str]
    terms: list[str]
    verdicts: list[str]
    contact: list[str]
    itself: list[str]
    advice: list[str]


@dataclass(frozen=True)
class Words:
    """What ``knowledge/wording.yaml`` says, ready to be used."""

    file: _File
    pattern: re.Pattern[str] = field(repr=False)  # every word that the table knows, the longest first
    inner: re.Pattern[str] = field(repr=False)  # the same without those that mean nothing at a beginning
    form: Mapping[str, str] = field(repr=False)  # a word -> the one form of its row
    operators: re.Pattern[str] = field(repr=False)
    kinds: Mapping[str, str] = field(repr=False)  # an operator -> its kind
    terms: re.Pattern[str] = field(repr=False)  # legal terms, which nothing may come into
    named: tuple[tuple[str, bool, re.Pattern[str]], ...] = field(
        repr=False
    )  # what must not be new, whether grave


@dataclass(frozen=True)
class Problem:
    """Why a sentence was not used. ``grave``: the whole reply is not to be trusted."""

    kind: str
    words: str
    grave: bool = False


@dataclass(frozen=True)
class Sentence:
    """A sentence of the answer that may be worded; ``lines`` says where it stands."""

    n: int
    words: str
    marks: tuple[int, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Trial:
    """What became of one sentence; ``written`` is None where the model wrote nothing for it."""

    n: int
    template: str
    written: str | None
    problems: tuple[Problem, ...]

    @property
    def kept(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class Worded:
    """The answer to be shown. ``fallen_back`` says why it is the template's own, empty where it is not."""

    answer: str
    trials: tuple[Trial, ...] = ()
    fallen_back: str = ""

    @property
    def checked(self) -> int:
        return len(self.trials)

    @property
    def kept(self) -> int:
        """Sentences of the model that are shown."""
        return 0 if self.fallen_back else sum(t.kept for t in self.trials)

    @property
    def replaced(self) -> tuple[Trial, ...]:
        """Sentences for which the template's own stand."""
        return self.trials if self.fallen_back else tuple(t for t in self.trials if not t.kept)


# ---------------------------------------------------------------- what the table says


def load_words(folder: Path) -> Words:
    """The words of ``knowledge/wording.yaml``.

    Raises:
        KnowledgeError: the file is missing or not as it should be.
    """
    file = read_yaml(folder / "wording.yaml", _File, folder)
    form = {word: row.split("|")[0] for row in (*file.operators, *file.same) for word in row.split("|")}
    inner = {*form, *file.neutral.anywhere, *file.condition, *file.condition_end, *file.whole}
    known = inner | {*file.neutral.start, *file.neutral.later, *file.neutral.story}
    kinds = {word: row.split("|")[0] for row in file.operators for word in row.split("|")}
    glossary = read_yaml(folder / "glossary.yaml", GlossaryFile, folder)
    terms = {*file.terms, *(row.term for row in glossary.terms)}
    named = (
        ("结论变了", True, _any(file.verdicts)),
        ("联系方式或网址", True, _any(file.contact)),
        ("说起自己或提示词", True, _any(file.itself)),
        ("多出的要求", False, _any(file.advice)),
    )
    return Words(
        file,
        _longest_first(known),
        _longest_first(inner),
        form,
        _longest_first({*kinds, *file.whole, *file.condition}),
        kinds,
        _longest_first(terms),
        named,
    )


def check_words(folder: Path) -> list[KnowledgeError]:
    """Rows of ``knowledge/wording.yaml`` that would let a negation come or go."""
    try:
        file = read_yaml(folder / "wording.yaml", _File, folder)
    except KnowledgeError as error:
        return [error]
    found = []
    for row in (*file.operators, *file.same):
        if len({len(_NEGATION.findall(word)) for word in row.split("|")}) > 1:
            found.append(f"“{row}”里有的说法有否定、有的没有，不能互换。")
    neutral = (*file.neutral.anywhere, *file.neutral.start, *file.neutral.later, *file.neutral.story)
    for word in (*neutral, *file.condition, *file.condition_end):
        if _NEGATION.search(word):
            found.append(f"“{word}”里有否定，不能随便加减。")
    return [KnowledgeError(message, "wording.yaml") for message in found]


def _longest_first(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(w) for w in sorted(words, key=lambda w: (-len(w), w))))


def _any(rows: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(rows), re.IGNORECASE)


# ---------------------------------------------------------------- what may be worded


def sentences_of(answer: str, made: Determination | None) -> tuple[Sentence, ...]:
    """The sentences of an answer that may be worded, each once, in their order."""
    found: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    told = _told(made) if made else ()
    for at, line in enumerate(answer.split("\n")):
        if line.startswith("**来源**") or (made is None and line.startswith(("另见", "**解读"))):
            break
        if parts := _parts(line, told, made is not None):
            _, words, tail = parts
            found.setdefault((words, _marks(tail)), []).append(at)
    listed = list(found.items())[:MOST_SENTENCES]
    return tuple(
        Sentence(i, words, marks, tuple(lines)) for i, ((words, marks), lines) in enumerate(listed, 1)
    )


def _told(made: Determination) -> tuple[str, ...]:
    """What the rules say of a case in sentences of their own, the longest first."""
    reasons = [f.reason for f in made.findings if f.step != "time"]
    reasons += [reason for reason, _ in made.measures]
    reasons += [e.reason for e in made.exemptions]
    reasons += [s.reason for s in made.misuse_signals]
    reasons += [o.reason for o in made.others]
    return tuple(sorted({r for r in reasons if r}, key=lambda r: (-len(r), r)))


def _parts(line: str, told: Sequence[str], story: bool) -> tuple[str, str, str] | None:
    """What stands before the words, the words, their marks and the rest; None for lines that stay as they are."""
    if not story:
        stated = _STATED.fullmatch(line)
        if not stated or line.startswith(">") or "“" in stated["words"][:5]:
            return None
        return stated["lead"], stated["words"], stated["tail"]
    if "[" not in line or line.startswith((">", "  ")):
        return None
    for words in told:
        at = line.find(words + "[")
        if at >= 0 and (at == 0 or line[at - 1] in "：。 "):
            return line[:at], words, line[at + len(words) :]
    return None


def _marks(tail: str) -> tuple[int, ...]:
    found = re.match(r"(?:\[\d+\])+", tail)
    return tuple(int(n) for n in _MARK.findall(found[0])) if found else ()


# ---------------------------------------------------------------- the request


def wording_request(
    template_answer: str, made: Determination | None, citations: Sequence[Citation], prompts: Prompts
) -> tuple[Sequence[Message], Mapping[str, Any]]:
    """What the model is told: the verdict in words, the sentences, what they cite; and the JSON schema of the reply.

    No messages: nothing to be worded. Neither the story nor words of the asker are among them.
    """
    sentences = sentences_of(template_answer, made)
    item = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "text": {"type": "string"}},
        "required": ["n", "text"],
        "additionalProperties": False,
    }
    schema = one_list("sentences", item, len(sentences))
    if not sentences:
        return [], schema
    cited = {n for s in sentences for n in s.marks}
    verdict = template_answer.split("\n", 1)[0].split("**")[1] if made else "回答一个问规定的问题"
    text = prompts.render(
        PROMPT,
        verdict=_as_data(verdict),
        sentences=[f"{s.n}. {s.words}{''.join(f'[{n}]' for n in s.marks)}" for s in sentences],
        provisions=[
            f"[{c.n}] {_as_data(c.label)}：{_as_data(c.text[:SHOWN])}" for c in citations if c.n in cited
        ],
    )
    return [Message("user", text)], schema


def _as_data(text: str) -> str:
    """Words on one line that cannot end the block they stand in."""
    return " ".join(text.replace("<<<", "《").replace(">>>", "》").split())


# ---------------------------------------------------------------- the check


def checked(
    reply_text: str,
    template_answer: str,
    citations: Sequence[Citation],
    made: Determination | None,
    corpus: Corpus,
    day: date,
    words: Words,
) -> Worded:
    """The answer with those sentences of the model that say what their template sentences say.

    Anything grave in one of them, more than a third that fail, or an answer that does not verify: the template's.
    """
    sentences = sentences_of(template_answer, made)
    if not sentences:
        return Worded(template_answer, fallen_back="没有可以改写的句子")
    if len(reply_text) > LONGEST_REPLY:
        return Worded(template_answer, fallen_back="写得太长")
    written = _written(reply_text)
    given = {c.n: c for c in citations}
    trials = []
    for sentence in sentences:
        text = written.get(sentence.n)
        problems = (
            (Problem("没有写", ""),)
            if text is None
            else problems_of(text, sentence, given, corpus, day, words, story=made is not None)
        )
        trials.append(Trial(sentence.n, sentence.words, text, tuple(problems)))
    failing = [t for t in trials if not t.kept]
    if any(p.grave for t in failing for p in t.problems):
        return Worded(template_answer, tuple(trials), "有一句写得不可信")
    if len(failing) > MOST_FAILING * len(trials):
        return Worded(template_answer, tuple(trials), "不合的句子太多")
    answer = _put(template_answer, sentences, trials, made)
    before = {c.name for c in verify(template_answer, citations, corpus)[1] if c.passed}
    shown, checks = verify(answer, citations, corpus)
    if shown != answer or any(not c.passed and c.name in before for c in checks):
        return Worded(template_answer, tuple(trials), "改写以后通不过核验")
    return Worded(answer, tuple(trials))


def _written(reply: str) -> dict[int, str]:
    """The numbered sentences of a reply; a number that comes twice with different words counts as not written."""
    found: dict[int, set[str]] = {}
    for n, text in _from_json(reply) or _from_lines(spoken(reply)):
        found.setdefault(n, set()).add(text.strip())
    return {n: texts.pop() for n, texts in found.items() if len(texts) == 1}


def _from_lines(reply: str) -> list[tuple[int, str]]:
    """``1. …`` a line, of models that write no JSON."""
    return [(int(m[1]), m[2]) for line in reply.split("\n") if (m := _NUMBERED.fullmatch(line))]


def _from_json(reply: str) -> list[tuple[int, str]]:
    rows = [row for row in listed(reply, "sentences") if isinstance(row, Mapping)]
    return [
        (row["n"], row["text"])
        for row in rows
        if type(row.get("n")) is int and isinstance(row.get("text"), str)
    ]


def _put(
    answer: str, sentences: Sequence[Sentence], trials: Sequence[Trial], made: Determination | None
) -> str:
    lines = answer.split("\n")
    told = _told(made) if made else ()
    for sentence, trial in zip(sentences, trials, strict=True):
        if not trial.kept or trial.written is None:
            continue
        for at in sentence.lines:
            parts = _parts(lines[at], told, made is not None)
            if parts:
                lines[at] = f"{parts[0]}{shown_words(trial.written)}{parts[2]}"
    return "\n".join(lines)


def shown_words(written: str) -> str:
    """A sentence of the model as it is shown: one line, one script, without marks, bold and its last full stop.

    >>> shown_words("**按照**規定處理[1]。")
    '按照规定处理'
    """
    return normalise(_MARK.sub("", written).replace("**", "")).strip(" ，。；：、")


def problems_of(
    written: str,
    sentence: Sentence,
    given: Mapping[int, Citation],
    corpus: Corpus,
    day: date,
    words: Words,
    story: bool,
) -> Iterator[Problem]:
    """All that is wrong with one sentence of the model."""
    yield from _wrong_marks(written, sentence, given, corpus, day)
    if _HTML.search(_MARK.sub("", written)):
        yield Problem("网页代码或链接", written[:40], grave=True)
    text = shown_words(written)
    template = sentence.words
    sources = [f"{c.text}\n{c.original or ''}" for n in sentence.marks if (c := given.get(n))]
    for kind, grave, pattern in words.named:
        old = {m[0] for m in pattern.finditer(template)}
        if new := [m[0] for m in pattern.finditer(text) if m[0] not in old]:
            yield Problem(kind, "、".join(new), grave)
    for kind, pattern in (("多出的文件名", _TITLE), ("多出的条款", _ARTICLE)):
        old = {_plain_number(m[0]) for m in pattern.finditer(template)}
        if new := [m[0] for m in pattern.finditer(text) if _plain_number(m[0]) not in old]:
            yield Problem(kind, "、".join(new), grave=True)
    said, meant = _read(normalise(text), story, _Key(words)), _read(normalise(template), story, _Key(words))
    if sorted(said.terms) != sorted(meant.terms):
        yield Problem("用语不符", "、".join(said.terms))
    if strange := sorted({c for c in _STRANGE.findall(text) if c not in normalise(template)}):
        yield Problem("不认识的字符", "".join(strange))
    if not SHORTEST * len(template) <= len(text) <= LONGEST * len(template):
        yield Problem("长短不合", f"{len(text)}字，原句{len(template)}字")
    for quoted in _QUOTE.findall(text):
        if normalise(quoted) not in normalise(template) and not any(
            normalise(quoted) in normalise(s) for s in sources
        ):
            yield Problem("引文不符", quoted)
    if (
        _NO_NUMERAL.search(text)
        or said.amounts != meant.amounts
        or said_periods(text) != said_periods(template)
    ):
        yield Problem("数字、日期或期限不符", "、".join(said.amounts).translate(_PLAIN))
    if said.operators != meant.operators:
        yield Problem("限定语不符", "、".join(said.operators))
    if difference := _difference(said.form, meant.form):
        yield Problem("说法不一样", difference)


def _wrong_marks(
    written: str, sentence: Sentence, given: Mapping[int, Citation], corpus: Corpus, day: date
) -> Iterator[Problem]:
    marks = tuple(int(n) for n in _MARK.findall(written))
    if unknown := [n for n in marks if n not in given]:
        yield Problem("没有给过的标号", "、".join(map(str, unknown)), grave=True)
    elif marks != sentence.marks:
        yield Problem("标号不符", "、".join(map(str, marks)))
    for n in sentence.marks:
        provision = corpus.get(given[n].id) if n in given else None
        if provision is None or not provision.instrument.in_force(day):
            yield Problem("条款在该日无效", str(n), grave=True)


def _plain_number(article: str) -> str:
    return "".join(str(q.value) + q.unit for q in quantities(article)) or article


@dataclass(frozen=True)
class _Reading:
    """What is compared of a sentence, each in its order: numbers, limiting words, legal terms, and all it says."""

    amounts: tuple[str, ...]
    operators: tuple[str, ...]
    terms: tuple[str, ...]
    form: tuple[str, ...]


class _Key:
    """Lets a table of words be a key of the cache: by identity."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def __hash__(self) -> int:
        return id(self.words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.words is self.words


@lru_cache(maxsize=1024)
def _read(text: str, story: bool, key: _Key) -> _Reading:
    """``text`` is normalised. Kept, as most sentences of the rules come again."""
    words = key.words
    return _Reading(
        tuple(_amount(q.value, q.unit) for q in quantities(text)),
        tuple(words.kinds[m[0]] for m in words.operators.finditer(text) if m[0] in words.kinds),
        tuple(words.terms.findall(text)),
        one_form(text, words, story),
    )


# ---------------------------------------------------------------- one form for what says the same


def one_form(text: str, words: Words, story: bool = False) -> tuple[str, ...]:
    """A normalised sentence as the sequence of what it says; two sentences with one sequence say the same.

    Words that may stand for each other become one, words without meaning here are left out, numbers become
    values, and 如果违纪， becomes 违纪的，.
    """
    neutral = words.file.neutral
    starts = {*neutral.start, *(neutral.story if story else ())}
    said: list[str] = []
    clause: list[str] = []
    begun = supposed = False  # a word without meaning at its start; 如果 in it
    before = ""  # the mark that ended the clause before

    def end(mark: str) -> None:
        """Close a clause: its words, whether it is a condition, and the mark."""
        nonlocal clause, begun, supposed, before
        full, condition = bool(clause), supposed and mark != _LISTED
        supposed = supposed and mark == _LISTED  # 如果甲、乙，：what is listed is one condition
        while clause and clause[-1] in words.file.condition_end:
            clause.pop()
            condition = True
        said.extend(clause)
        if full and condition:
            said.append(_OF + mark if mark else _CONDITION)
        elif mark in (_LISTED, _STOP, _ASKED) or (mark and full and clause[-1] not in words.file.comma_after):
            said.append(mark)
        clause, begun, before = [], mark == _LISTED, mark  # no clause begins inside a list

    for word in _tokens(text, words):
        if word in _BREAK or word == _LISTED:
            if clause or word == _LISTED:
                end(_BREAK.get(word, word))
            else:
                begun = False
        elif word in words.file.condition:
            supposed = True
        elif word in neutral.anywhere:
            continue
        elif not clause and not begun and (word in starts or (before == _COMMA and word in neutral.later)):
            begun = True
        else:
            forms = [words.form.get(w, w) for w in _apart(word, words)]
            if not clause and said and said[-1] == _COMMA and forms[0] in words.file.comma_before:
                said.pop()
            clause += forms
    end("")
    return tuple(said)


def _difference(written: Sequence[str], template: Sequence[str]) -> str:
    """What is first new or missing, empty where both say the same.

    的 inside a clause may come or go, but not move; where it stands in both, a comma after it may too
    (违纪的按…, 违纪的，按…). A comma and a full stop are one where something parts both.
    """
    i = j = 0
    moves: set[bool] = set()
    while i < len(written) or j < len(template):
        new = written[i] if i < len(written) else ""
        old = template[j] if j < len(template) else ""
        if new.replace(_STOP, _COMMA) == old.replace(_STOP, _COMMA) or {new, old} <= _WHO:
            i, j = i + 1, j + 1
        elif _OF in (new, old) and len(moves | {new == _OF}) == 1:
            moves.add(new == _OF)
            i, j = i + (new == _OF), j + (new != _OF)
        else:
            return f"“{''.join(written[i : i + 6])}”，原句是“{''.join(template[j : j + 6])}”"
    return ""


def _apart(word: str, words: Words) -> Iterable[str]:
    """What a word consists of that could only be left out at the beginning of a clause."""
    neutral = words.file.neutral
    only_there = word in (*neutral.start, *neutral.later, *neutral.story)
    return _known(word, words.inner) if only_there and word not in words.form else (word,)


def _tokens(text: str, words: Words) -> Iterator[str]:
    """Words that the table knows, numbers by value, what is quoted or a title as it stands, else characters."""
    at = 0
    literal = [(m.start(), m.end(), m[0]) for m in re.finditer(r"《[^《》]*》", text)]
    counted = []
    for q in quantities(text):
        start = q.start - text.startswith("第", q.start - 1) if q.start else 0
        ordinal = "第" if text.startswith("第", start) else ""
        counted.append((start, q.end, ordinal + _amount(q.value, q.unit)))
    for start, end, token in sorted(literal + counted):
        if start < at:
            # 三四个: two values in one place
            if "〔" in token and end == at:
                yield token
            continue
        yield from _known(text[at:start], words.pattern)
        yield token
        at = end
    yield from _known(text[at:], words.pattern)


def _known(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    at = 0
    for match in pattern.finditer(text):
        yield from text[at : match.start()]
        yield match[0]
        at = match.end()
    yield from text[at:]


def _amount(value: Any, unit: str) -> str:
    months = {"年": 12, "个月": 1}  # 3月 is not 3个月
    if unit in months:
        return f"〔{(value * months[unit]).normalize():f}个月〕"
    return f"〔{value.normalize():f}{unit}〕"
