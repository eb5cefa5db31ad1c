"""Who is named in a story, which post each holds, and who the question is about.

Comes in: the clauses of a text and the lexicon. Goes out: mentions, each with the person it stands for, and
the person or organisation that is asked about.

People are told apart only as far as a story needs it: the teller, each post, each relative, each name, each
organisation. Known weakness: two holders of the same post in one story (two 局长) are one person here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from assistant.law.lexicon import Lexicon, Role

SELF = "self"
ORGANISATION = "组织:"
_GROUP = "众:"
_PERSONS = ("self", "kin", "pronoun", "name")
# 的 and a person behind a post: somebody else's secretary, driver, kin; not 当局长的时候
_POSSESSES = re.compile(
    r"的(?:专职|贴身|前|亲)?(?:秘书|司机|驾驶员|联络员|助理|通讯员|下属|部下|手下|同事|同学|战友|朋友|邻居|老乡"
    r"|爱人|妻子|丈夫|老公|老婆|媳妇|儿子|女儿|父亲|母亲|爸爸?|妈妈?|哥哥?|弟弟?|姐姐?|妹妹?|亲戚|家属|侄子?|外甥)"
)
_GENERIC = re.compile(r"(?:书记|主任|部长|处长|主席|会长|经理|委员|常委|组长)$")


@dataclass(frozen=True)
class Clause:
    """A clause of the normalised text. ``supposed``: said under a condition."""

    text: str
    start: int
    end: int
    sentence: int
    supposed: bool


@dataclass(frozen=True)
class Mention:
    """Somebody named in the text.

    ``person`` is the same for all mentions of one person; ``acted_on``: the words before make him the object.
    """

    kind: str
    start: int
    end: int
    text: str
    clause: int
    person: str
    role: Role | None = None
    acted_on: bool = False


# ---------------------------------------------------------------- who is named


def name_people(parts: tuple[Clause, ...], text: str, lexicon: Lexicon) -> tuple[Mention, ...]:
    """Everybody named in the clauses, in the order of the text."""
    raw: list[Mention] = []
    roles = [r for r in lexicon.roles if all(c.search(text) for c in r.context)]
    for number, clause in enumerate(parts):
        found = [
            (m.start(), m.end(), rank, role)
            for rank, role in enumerate(roles)
            for m in role.nouns.finditer(clause.text)
            if not any(u.search(clause.text) for u in role.unless)
        ]
        raw += (
            Mention("role", clause.start + s, clause.start + e, clause.text[s:e], number, "", role)
            for s, e, _, role in _longest(found)
        )
        taken = [(m.start, m.end) for m in raw if m.clause == number]
        for kind, regex in lexicon.people.items():
            for m in regex.finditer(clause.text):
                start, end = clause.start + m.start(), clause.start + m.end()
                if not any(start < e and s < end for s, e in taken):
                    raw.append(Mention(kind, start, end, m[0], number, ""))
                    taken.append((start, end))
    raw.sort(key=lambda m: m.start)
    return _told_apart(raw, text, parts, lexicon)


def _longest(found: Iterable[tuple[int, int, int, Role]]) -> list[tuple[int, int, int, Role]]:
    """Of names that overlap, the one that ends last and is longest; then the earlier role."""
    kept: list[tuple[int, int, int, Role]] = []
    for one in sorted(found, key=lambda f: (f[0] - f[1], f[2])):
        if not any(one[0] < k[1] and k[0] < one[1] for k in kept):
            kept.append(one)
    return kept


def _told_apart(
    raw: list[Mention], text: str, parts: tuple[Clause, ...], lexicon: Lexicon
) -> tuple[Mention, ...]:
    """Give each mention its person.

    A post that the teller or a relative holds is his; a name beside a post is its holder; 他 is the last
    third person who was more than the object of a clause.
    """
    told: list[Mention] = []
    speaks = any(m.kind == "self" for m in raw)
    names: dict[str, str] = {}
    third = ""
    for m in raw:
        clause = parts[m.clause]
        before = clause.text[: m.start - clause.start]
        acted_on = bool(before) and bool(lexicon.marks["宾语前"].search(before))
        beside = told[-1] if told and told[-1].end == m.start and told[-1].kind in ("role", "name") else None
        if m.kind in ("self", "we"):
            person = SELF if m.kind == "self" else "我们"
        elif m.kind == "pronoun":
            person = third or "他"
        elif m.kind == "organisation":
            person = ORGANISATION + m.text[-2:]
        elif lexicon.marks["多人前"].search(before) or clause.text.startswith("们", m.end - clause.start):
            person = _GROUP + m.text
        elif m.kind == "role":
            held = beside.person if beside and beside.kind == "name" else ""
            sentence = parts[m.clause - 1].sentence if m.clause else -1
            holder = _holder(m, before, told, clause, sentence, speaks, third, lexicon)
            person = held or holder or _head(m, told)
        elif m.kind == "name":
            person = names.get(m.text, beside.person if beside else f"name:{m.text}")
            names[m.text] = person
        else:
            person = f"{m.kind}:{m.text}"
        apposed = beside is not None and beside.start - clause.start <= 4
        if (
            m.kind == "self"
            and told
            and told[-1].role
            and (apposed or lexicon.marks["就是我"].search(text[told[-1].end : m.start]))
        ):
            person_before = told[-1].person
            told = [replace(t, person=SELF) if t.person == person_before else t for t in told]
        if m.kind in ("role", "kin", "name") and person != SELF and not person.startswith(_GROUP):
            lesser = m.role is not None and m.role.standing == "subordinate"
            if not third or not (acted_on or lesser):
                third = person
        told.append(replace(m, person=person, acted_on=acted_on))
    return tuple(told)


def _holder(
    m: Mention,
    before: str,
    told: list[Mention],
    clause: Clause,
    sentence_before: int,
    speaks: bool,
    third: str,
    lexicon: Lexicon,
) -> str:
    """Who is said to hold the post: the one named before with 是/当/任 …, or the teller who leaves 我 out."""
    if _POSSESSES.match(clause.text[m.end - clause.start :]):
        return ""  # 我是局长的司机: the post is that of the one he belongs to
    here = [t for t in told if t.clause == m.clause and t.kind in (*_PERSONS, "role")]
    if here:
        last = here[-1]
        between = before[last.end - clause.start :]
        if last.kind == "role":
            return last.person if re.fullmatch(r"[、兼（/]?|以及|同时是|也是", between) else ""
        if last.kind in _PERSONS:
            return last.person if lexicon.marks["自称职务"].search(between) else ""
        return ""
    after = clause.text[m.end - clause.start :]
    alone = (
        (len(after) <= 1 or bool(lexicon.marks["自述后"].search(after)))
        and len(before) <= 10
        and not lexicon.marks["有个"].search(before)
    )
    if alone or lexicon.marks["省称职务"].search(before):
        spoken = [t for t in told if t.clause == m.clause - 1 and t.kind in _PERSONS and not t.acted_on]
        if spoken and m.clause and clause.sentence == sentence_before:
            return spoken[0].person
    if lexicon.marks["省称职务"].search(before):
        return SELF if speaks and not third else third
    return SELF if speaks and not told and alone else ""


def _head(m: Mention, told: list[Mention]) -> str:
    """A key for a third person known by a post; a short name of a post means the fuller one said before."""
    deputy = "副" in m.text
    for earlier in reversed(told):
        same = (
            earlier.kind == "role" and earlier.text[-2:] == m.text[-2:] and ("副" in earlier.text) == deputy
        )
        third = earlier.person != SELF and not earlier.person.startswith(_GROUP)
        if same and third and (min(len(m.text), len(earlier.text)) <= 3 or earlier.role == m.role):
            return earlier.person
    name = m.role.name if m.role and _GENERIC.search(m.text) else ""
    return f"{'副' if deputy else ''}{m.text[-2:]}/{name}"


def posts_of(mentions: tuple[Mention, ...]) -> dict[str, tuple[Mention, ...]]:
    """For each person where his posts are named."""
    posts: dict[str, list[Mention]] = {}
    for m in mentions:
        if m.role is not None:
            posts.setdefault(m.person, []).append(m)
    return {person: tuple(found) for person, found in posts.items()}


# ---------------------------------------------------------------- who is asked about


def asked_about(
    parts: tuple[Clause, ...],
    mentions: tuple[Mention, ...],
    posts: Mapping[str, tuple[Mention, ...]],
    lexicon: Lexicon,
) -> str:
    """The person that the question is about; "" when nobody is named.

    Weighed: named in the last sentence, named where somebody is being dealt with, named with a post, named
    often and early. The teller wins a tie. The weights were tried out on labelled stories.
    """
    if not mentions:
        return ""
    last = parts[-1].sentence
    asking = {n for n, c in enumerate(parts) if c.sentence == last}
    if len(asking) <= 1:
        asking |= {n for n, c in enumerate(parts) if c.sentence == last - 1}
    closing = "".join(parts[n].text for n in sorted(asking))
    dealt = {n for n, c in enumerate(parts) if lexicon.marks["处理"].search(c.text)}
    weight: dict[str, float] = defaultdict(float)
    for m in mentions:
        if m.kind in ("we", "superior", "subordinate", "other") or m.person.startswith(_GROUP):
            continue
        weight[m.person] += 0.25 if weight[m.person] < 6 else 0
        if m.clause in asking and m.kind == "organisation":
            weight[m.person] += 2.2
        elif m.clause in asking:
            weight[m.person] += 1.0 if not m.acted_on or m.clause in dealt else 0.3
        if m.clause in dealt:
            weight[m.person] += 1.5 if m.acted_on else 0.8
    for n, (person, held) in enumerate(posts.items()):
        if person in weight:
            weight[person] += 1.2 if n == 0 else 0.6
            lesser = all(m.role is not None and m.role.standing == "subordinate" for m in held)
            weight[person] -= 1.8 if lesser and person != SELF else 0
    if SELF in weight:
        worried = bool(lexicon.marks["追问自己"].search(closing))
        if SELF in posts:
            weight[SELF] += 2.6 if worried else 0.6
        else:
            weight[SELF] += (1.0 if worried else 0.0) - (1.5 if len(weight) > 1 else 0.0)
    if not weight:
        return ""
    return max(weight, key=lambda person: (weight[person], person == SELF))
