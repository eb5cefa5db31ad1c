"""What one clause of a reply says: a value, yes or no, not knowing; and whether it says it or denies it.

Comes in: a clause (normalised, see :func:`in_clauses`) and the words of ``knowledge/replies.yaml``. Goes out:
values, yes and no. Nothing is read from files here, and nothing is raised.

Whether a value is said or denied is settled by itself, for every value in the same way:

- What denies by its meaning (不是、谈不上、哪有、怎么没) turns round what follows within its reach; two of them
  cancel each other (不能说不归我管). It reaches no further than the next 也、又、而、没、不.
- 没 or 不 just before a value that does not have it in its own words turns it round (不禁止).
- What stands right after may turn it round as well (试点没我们的份、说我收钱是冤枉).
- A denial elsewhere before the value leaves it open: nothing is read, and it can be asked again.
- The value of a yes-or-no fact becomes the other one; any other value is merely ruled out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.law.phrases import Answers, Phrases, Way
from assistant.law.text import fold

UNKNOWN = "unknown"
SHORT_CLAUSE = 16  # characters; a longer one with 不清楚 in it tells a story
NEAR = 4  # characters between 不是 and what it denies
DENIED = 100  # added to the rank of a value that is said by denying another
_TURNED = {"yes": "no", "no": "yes"}
_CIRCLED = re.compile("[①②③]")

Marks = Mapping[str, re.Pattern[str]]


def in_clauses(text: str, phrases: Phrases) -> list[str]:
    """The words in pieces, in one form; （1）… 2… begin a piece of their own."""
    plain = fold(text).strip().lower()
    plain = _CIRCLED.sub(lambda m: f"，第{'①②③'.index(m[0]) + 1}个，", plain)
    plain = phrases.marks["numbered"].sub(lambda m: f"，第{m[1] or m[2]}个，", plain)
    return [piece for piece in phrases.cut.split(plain) if piece]


# ------------------------------------------------------------------ values


@dataclass(frozen=True)
class Value:
    """A value found in a clause. The lower the rank, the more it counts; ``also``: values it brings with it."""

    start: int
    end: int
    rank: int
    value: str
    also: Mapping[str, str]


def value_in(clause: str, answers: Answers, asked: bool, marks: Marks) -> Value | None:
    """The value of the first way found; one that lies inside the words of another does not count."""
    found: list[Value] = []
    clear = _without_false_denials(clause, marks)
    for rank, way in enumerate(answers.ways):
        for regex in (*way.said_regexes, *(way.asked_regexes if asked else ())):
            for match in regex.finditer(clause):
                if match.end() == match.start() or somebody_else(clause, match.end(), answers, marks):
                    continue
                if one := _as_meant(clear, match.span(), rank, way, marks):
                    found.append(one)
    kept = [a for a in found if not any(_inside(a, b) for b in found)]
    return min(kept, key=lambda one: one.rank, default=None)


def _inside(one: Value, other: Value) -> bool:
    within = other.start <= one.start and one.end <= other.end
    return within and other.end - other.start > one.end - one.start and other.value != one.value


def somebody_else(clause: str, end: int, answers: Answers, marks: Marks) -> bool:
    """一把手是老李、酒驾的是小张: the words fit, but they are said of somebody else."""
    return answers.personal and marks["somebody_else"].match(clause[end:]) is not None


def _as_meant(clause: str, span: tuple[int, int], rank: int, way: Way, marks: Marks) -> Value | None:
    """What a way says where it is denied: the other of yes and no, or nothing."""
    start, end = span
    denials = [m.span() for m in marks["denies"].finditer(clause)]
    # the way has the denial in its own words
    own = marks["negates"].match(clause, start) is not None and any(f <= start < e for f, e in denials)
    turns = 0
    while (before := _denial_before(clause, start, denials, own and not turns, marks)) is not None:
        start, turns = before, turns + 1
    if after := marks["denied_after"].match(clause[end:]):
        end, turns = end + after.end(), turns + 1
    if not turns and not own and _left_open(clause[:start], marks):
        return None
    if own or turns:
        rank += DENIED
    if turns % 2 == 0:
        return Value(start, end, rank, way.value, way.also)
    if way.value not in _TURNED or way.one_way:
        return None
    also = {name: _TURNED[one] for name, one in way.also.items() if one in _TURNED}
    return Value(start, end, rank, _TURNED[way.value], also)


def _denial_before(
    clause: str, start: int, denials: Sequence[tuple[int, int]], own: bool, marks: Marks
) -> int | None:
    """Where the denial begins that reaches what begins at ``start``; ``own``: the denial there is part of it."""
    for first, last in denials:
        between = clause[last:start]
        if own and start < last:
            continue
        if start - last <= NEAR and first < start and not marks["reach_ends"].search(between):
            return first
    found = None if own else marks["not_next"].search(clause[:start])
    return found.start() if found else None


def _left_open(before: str, marks: Marks) -> bool:
    """Whether something is denied before a value, with no telling whether the value is."""
    denials = [m.end() for m in marks["negates"].finditer(before)]
    return bool(denials) and not marks["reach_ends"].search(before[denials[-1] :])


def _without_false_denials(clause: str, marks: Marks) -> str:
    """不过、不但、没错 deny nothing; they are blanked out so that places stay the same."""
    return marks["no_denial"].sub(lambda m: "〇" * len(m[0]), clause)


# ------------------------------------------------------------------ yes, no, don't know


def bare(clause: str, marks: Marks) -> str | None:
    """有、不是、不清楚 by themselves."""
    body = marks["links"].sub("", clause)
    for meaning, name in (("no", "deny"), ("yes", "agree")):
        if marks[name].fullmatch(body) or marks[name].fullmatch(filled(body, marks)):
            return meaning
    return UNKNOWN if is_unsure(body, marks) else None


def filled(clause: str, marks: Marks) -> str:
    """A clause without the small words it begins with."""
    return marks["filler"].sub("", clause) or clause


def is_unsure(clause: str, marks: Marks) -> bool:
    """不清楚 in a short clause, or as the last word of a longer one; 没有不清楚的 is something else."""
    found = marks["unsure"].search(clause)
    if found is None or marks["nothing_unsure"].search(clause[: found.start()]):
        return False
    return len(clause) <= SHORT_CLAUSE or len(clause) - found.end() <= 1


def said_back(clause: str, question: str, marks: Marks) -> str | None:
    """没担任、提出过: words of a yes-or-no question said back with or without 没."""
    if not marks["yes_or_no"].search(question) or marks["alternatives"].search(question):
        return None
    turns = len(marks["negates"].findall(_without_false_denials(clause, marks)))
    words = marks["colourless"].sub("", marks["negates"].sub("", clause))
    if not words or turns > 1 or words not in marks["colourless"].sub("", question):
        return None
    return "no" if turns else "yes"


def on_topic(clause: str, answers: Answers, marks: Marks) -> str | None:
    """反对意见有的、权限没有: the topic of a question with a word of having or lacking."""
    topic = answers.topic.search(clause) if answers.topic and len(clause) <= SHORT_CLAUSE else None
    if topic is None or somebody_else(clause, topic.end(), answers, marks):
        return None
    denials = marks["lacks"].findall(_without_false_denials(clause, marks))
    if len(denials) > 1:
        return None
    return answers.plain.get("no" if denials else "yes" if marks["has"].search(clause) else "")


# ------------------------------------------------------------------ what is meant by it


def asks(clause: str, marks: Marks) -> bool:
    """Whether there is a word that asks; 什么都没有 has none, and a rhetorical question tells something."""
    words = marks["asks_nothing"].sub("没", clause)
    return bool(marks["asks"].search(words)) and not marks["rhetorical"].search(clause)


def wants_to_know(clause: str, with_mark: bool, marks: Marks) -> bool:
    """Whether it asks in return."""
    if marks["rhetorical"].search(clause):
        return False
    return with_mark or marks["wants_to_know"].search(clause) is not None


def points_to(clause: str, count: int, phrases: Phrases) -> tuple[tuple[int, ...], str]:
    """The questions a clause points to, and its words without the pointing."""
    if not count:
        return (), clause
    several = (("first_two", (0, 1)), ("last_two", (count - 2, count - 1)), ("last", (count - 1,)))
    for name, numbers in several:
        if found := phrases.marks[name].search(clause):
            return tuple(n for n in numbers if 0 <= n < count), _without(clause, found)
    for n, regex in enumerate(phrases.ordinals[:count]):
        if found := regex.search(clause):
            return (n,), _without(clause, found)
    return (), clause


def _without(clause: str, found: re.Match[str]) -> str:
    return (clause[: found.start()] + clause[found.end() :]).strip("是：: ") or (
        "是" if clause.endswith("是") else ""
    )
