"""From a story to facts: what the lexicon finds in the words, about whoever the question is about.

Comes in: the text, the lexicon, the vocabulary. Goes out: facts, each with the exact words of the text it was
read from, and the day on which a decision was received. A fact nobody found is absent. Raises nothing.

How values are joined: a fact with one value takes the value of the highest confidence, among equals the one
said last. Two equally sure and contradicting values of a flag cancel each other: the fact stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from assistant.law.lexicon import Lexicon, Pattern, compiled
from assistant.law.people import Clause
from assistant.law.reading import LONGEST_CLAUSE, Story, read_story
from assistant.law.text import CHINESE_NUMERAL, chinese_to_number, clauses, normalise
from assistant.law.vocabulary import Vocabulary
from assistant.model import Fact

LEAST_RELIABLE = 0.4


@dataclass(frozen=True)
class _Piece:
    """A stretch of the normalised text that a pattern sees: a clause, a sentence or the whole text."""

    text: str
    start: int


def read_facts(text: str, lexicon: Lexicon, vocabulary: Vocabulary) -> tuple[Fact, ...]:
    """Every fact that the text states, sorted by name and place."""
    if not text.strip():
        return ()
    story = read_story(text, lexicon)
    found = [*_of_roles(story), *_of_organisation(story), *_of_patterns(story, lexicon)]
    return tuple(_reliable(merge(found, vocabulary), vocabulary))


def _reliable(facts: Iterable[Fact], vocabulary: Vocabulary) -> Iterator[Fact]:
    """No surer than reading such a value has proved to be; what is mostly misread stays unknown."""
    for fact in facts:
        limit = vocabulary.facts[fact.name].reliability.get(fact.value, 1.0)
        if limit >= LEAST_RELIABLE:
            yield replace(fact, confidence=min(fact.confidence, limit))


def merge(facts: Iterable[Fact], vocabulary: Vocabulary) -> tuple[Fact, ...]:
    """One fact for each name (for each value where several may hold at once)."""
    best: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        key = (fact.name, fact.value)
        if key not in best or (fact.confidence, fact.start) > (best[key].confidence, best[key].start):
            best[key] = fact
    names: dict[str, list[Fact]] = {}
    for fact in best.values():
        names.setdefault(fact.name, []).append(fact)
    kept: list[Fact] = []
    for name, values in names.items():
        if len(values) == 1 or vocabulary.facts[name].kind == "many":
            kept += values
            continue
        values.sort(key=lambda f: (f.confidence, f.start))
        tied = values[-1].confidence == values[-2].confidence
        if not (tied and vocabulary.facts[name].kind == "flag"):
            kept.append(values[-1])
    return tuple(sorted(kept, key=lambda f: (f.name, f.start, f.value)))


def _of_roles(story: Story) -> Iterator[Fact]:
    for mention in story.asked_roles():
        if mention.role is None:
            continue
        for name, value in mention.role.facts.items():
            # a post named in full says more than 书记 alone
            sure = mention.role.confidence + min(len(mention.text), 8) * 0.001
            yield _fact(story, name, value, mention.start, mention.end, min(sure, 1.0))


def _of_organisation(story: Story) -> Iterator[Fact]:
    if story.asked_is != "organisation":
        return
    mention = next(m for m in story.mentions if m.person == story.asked)
    yield _fact(story, "subject", "党组织", mention.start, mention.end, 0.9)


def _of_patterns(story: Story, lexicon: Lexicon) -> Iterator[Fact]:
    text = story.text.text
    pieces = {
        "clause": [_Piece(c.text, c.start) for c in story.clauses],
        "sentence": [_Piece(text[s:e], s) for s, e in story.sentences],
        "text": [_Piece(text, 0)],
    }
    cut = _RUN.sub(r"\g<0>。", text)
    for pattern in lexicon.patterns:
        tried = [source for source in pattern.any if lexicon.may_match(source, cut)]
        likely = [regex for source in tried if _anywhere(regex := compiled(source), source, cut)]
        if not likely or not all(
            lexicon.may_match(source, cut) and compiled(source).search(cut) for source in pattern.context
        ):
            continue
        for piece in pieces[pattern.scope]:
            yield from _in_piece(story, lexicon, pattern, likely, piece)


# text without punctuation is cut as the clauses are, so that no pattern looks through thousands of characters
_RUN = re.compile(rf"[^，。；！？：\n]{{{LONGEST_CLAUSE}}}")
_ANCHORED = re.compile(r"\^|\$|\(\?[=!<]")


def _anywhere(regex: re.Pattern[str], source: str, text: str) -> bool:
    """Whether a pattern may match in a piece; a look at the whole text costs less than one at each piece."""
    return bool(_ANCHORED.search(source)) or regex.search(text) is not None


def _in_piece(
    story: Story, lexicon: Lexicon, pattern: Pattern, likely: list[re.Pattern[str]], piece: _Piece
) -> Iterator[Fact]:
    for regex in likely:
        for match in regex.finditer(piece.text):
            if match.end() == match.start():
                continue
            if any(compiled(veto).search(piece.text) for veto in pattern.unless):
                return
            start, end = piece.start + match.start(), piece.start + match.end()
            value = _value(story, lexicon, pattern, start, end)
            if value:
                yield _fact(story, pattern.fact, value, start, end, pattern.confidence)
                break  # once in a piece is enough


def _value(story: Story, lexicon: Lexicon, pattern: Pattern, start: int, end: int) -> str:
    """The value that the words give, "" for none: supposed, asked, denied, or somebody else's doing."""
    number = story.clause_at(start)
    clause = story.clauses[number]
    before = clause.text[: start - clause.start]
    after = clause.text[max(end - clause.start, 0) :]
    if not story.acts(pattern.actor, number, start):
        return ""
    if pattern.hypothetical == "skip" and _supposed(clause, before, lexicon):
        return ""
    if pattern.questioned == "skip" and lexicon.marks["疑问前"].search(before):
        return ""
    if pattern.negated != "keep" and _denied(before, after, lexicon):
        return "" if pattern.negated == "skip" else pattern.negated
    return pattern.value


def _supposed(clause: Clause, before: str, lexicon: Lexicon) -> bool:
    rule = lexicon.marks["规定"].search(before) is not None
    return clause.supposed or rule or lexicon.marks["未然"].search(before) is not None


def _denied(before: str, after: str, lexicon: Lexicon) -> bool:
    """Whether a negation reaches the matched words: 没有造成(损失), 谈不上(失职), (损失)一分没有."""
    marks = lexicon.marks
    denial = compiled(f"(?:{marks['否定'].pattern})(?:{marks['否定后'].pattern}){{0,4}}$")
    return denial.search(before) is not None or marks["后置否定"].match(after) is not None


def _fact(story: Story, name: str, value: str, start: int, end: int, confidence: float) -> Fact:
    first, last = story.text.span(start, end)
    return Fact(name, value, story.text.original[first:last], "lexicon", round(confidence, 3), first)


# ---------------------------------------------------------------- the day a decision was received

_COUNT = rf"(?:\d+|{CHINESE_NUMERAL}+)"
_DAY = re.compile(
    rf"(?P<full>(?P<y>\d{{4}}|[二〇零一三四五六七八九]{{4}}|去年|前年|今年)年?的?)?(?P<m>{_COUNT})月(?:份的?)?(?P<d>{_COUNT})[日号]?"
    r"|(?P<iso>\d{4}[-/.]\d{1,2}[-/.]\d{1,2})"
    rf"|(?P<month>上个?月|上上个?月|本月|这个?月|当月)的?(?P<md>{_COUNT})[日号]"
    r"|(?P<near>大前天|前天|前日|昨[天日晚]|今[天日早晨]|昨儿|前儿|今儿)"
    rf"|(?P<ago>{_COUNT})(?P<unit>天|周|个?星期|个?礼拜)(?:之前|以前|前)"
    r"|(?P<week>上上|上|这|本)?个?(?:周|星期|礼拜)(?P<wd>[一二三四五六日天])"
    rf"|(?<![\d月])(?P<only>{_COUNT})号(?!楼|文|令|线|院|桌|机|厂|矿|山)"
)  # fmt: skip
_RECEIVED = re.compile(
    r"收到|接到|拿到|领到|签收|送达|送到|送来|宣布|宣读|告知|下发|下达|印发|下来|作出|做出|通知"
)
_DECISION = re.compile(
    r"决定|处分|问责|诫勉|通报|免职|停职|警告|记过|撤职|降职|通知书|处理|文书|红头|结论|复核|复审|申诉"
)
_NOT_YET = re.compile(
    r"(?:没|未|没有|尚未|等)(?:有)?(?:收到|接到|拿到|送达|下来|宣布)|如果|要是|假如|[要快将](?:下来|宣布|下达|送达|作出)"
)
_NEAR = {"今": 0, "昨": 1, "前": 2, "大": 3}
_WEEKDAYS = "一二三四五六日"


def read_received_date(text: str, today: date) -> date | None:
    """The day on which a decision was received or announced; of several the last one named.

    Days without a year are the most recent ones before ``today``. Vague days (上周, 月初, 刚刚) and days that
    have not come yet are not read.

    >>> day = date(2026, 3, 20)
    >>> read_received_date('3月5日收到处分决定，我不服。', day), read_received_date('昨天接到诫勉通知', day)
    (datetime.date(2026, 3, 5), datetime.date(2026, 3, 19))
    >>> read_received_date('3月5日出的事，处分决定还没收到。', day) is None
    True
    """
    whole = normalise(text, keep_lines=True)
    parts = [span.text for span in clauses(whole)]
    found: date | None = None
    for number, part in enumerate(parts):
        if not (_RECEIVED.search(part) and _DECISION.search(part)) or _NOT_YET.search(part):
            continue
        day = _day_in(part, today)
        if day is None and number and _is_only_day(parts[number - 1]):
            day = _day_in(parts[number - 1], today)
        found = day or found
    return found


def _is_only_day(part: str) -> bool:
    match = _DAY.search(part)
    return match is not None and match.end() == len(part) and match.start() <= 4


def _day_in(part: str, today: date) -> date | None:
    """The last day named in a clause, if it is exact and not after ``today``."""
    found = None
    for match in _DAY.finditer(part):
        try:
            day = _day_of(match, today)
        except (ValueError, OverflowError):  # 2月30日, 十三月: written so, but no day
            continue
        found = day if day <= today else found
    return found


def _day_of(match: re.Match[str], today: date) -> date:
    said = match.groupdict()
    if said["iso"]:
        return date(*map(int, re.split(r"[-/.]", said["iso"])))
    if said["m"]:
        month, day = chinese_to_number(said["m"]), chinese_to_number(said["d"])
        if said["y"]:
            years_back = {"今年": 0, "去年": 1, "前年": 2}.get(said["y"])
            year = chinese_to_number(said["y"]) if years_back is None else today.year - years_back
            return date(year, month, day)
        this_year = date(today.year, month, day)
        return this_year if this_year <= today else date(today.year - 1, month, day)
    if said["month"]:
        back = said["month"].count("上")
        return (today + relativedelta(months=-back, day=1)).replace(day=chinese_to_number(said["md"]))
    if said["near"]:
        return today - timedelta(days=_NEAR[said["near"][0]])
    if said["ago"]:
        days = chinese_to_number(said["ago"]) * (1 if said["unit"] == "天" else 7)
        return today - timedelta(days=days)
    if said["wd"]:
        weekday = 6 if said["wd"] == "天" else _WEEKDAYS.index(said["wd"])
        monday = today - timedelta(days=today.weekday())
        if said["week"] in ("上", "上上"):
            return monday + timedelta(days=weekday - 7 * len(said["week"]))
        this_week = monday + timedelta(days=weekday)
        return this_week if this_week <= today or said["week"] else this_week - timedelta(days=7)
    day_number = chinese_to_number(said["only"])
    this_month = today.replace(day=day_number)
    return (
        this_month
        if this_month <= today
        else (today + relativedelta(months=-1, day=1)).replace(day=day_number)
    )
