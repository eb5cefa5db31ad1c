"""How a story is told: its clauses, who is named in them, who does what, and who the question is about.

Comes in: a text and the lexicon. Goes out: :class:`Story`, the normalised text cut into clauses with marks (supposed,
rule), the mentions of people and posts, and the person or organisation that is asked about.

People are told apart by name only as far as a story needs it: the teller, each post that is named, each relative,
each organisation. Known weakness: two holders of the same post in one story (two 局长) are one person here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from assistant.law.lexicon import Actor, Lexicon, Role
from assistant.law.text import Normalised, aligned, clauses, sentences

SELF = "self"
_QUESTION_MARKS = re.compile(r"[?？]|[吗呢么嘛不没](?=[。！”]*$)")
_GENERIC = re.compile(r"(?:书记|主任|部长|处长|主席|会长|经理|委员|常委|组长)$")
_DEPUTY = re.compile("副")


@dataclass(frozen=True)
class Clause:
    """A clause of the normalised text. ``supposed``: said under a condition or as a fear; ``rule``: what a rule says."""

    text: str
    start: int
    end: int
    sentence: int
    supposed: bool
    rule: bool


@dataclass(frozen=True)
class Mention:
    """Somebody named in the text. ``person`` is the same for all mentions of one person; ``acted_on`` says that the
    words before make him the object of the clause."""

    kind: str
    start: int
    end: int
    text: str
    clause: int
    person: str
    role: Role | None = None
    acted_on: bool = False


@dataclass(frozen=True)
class Story:
    text: Normalised
    clauses: tuple[Clause, ...]
    sentences: tuple[tuple[int, int], ...]
    mentions: tuple[Mention, ...]
    asked: str  # the person asked about; "" when nobody is named
    asked_is: str  # self, other or organisation
    roles: Mapping[str, tuple[Mention, ...]] = field(default_factory=dict)  # person -> where his posts are named

    def asked_roles(self) -> tuple[Mention, ...]:
        return self.roles.get(self.asked, ())

    def doer(self, clause: int, start: int) -> Mention | None:
        """Who acts at ``start`` of a clause: the last one named before who is not its object, else the first one
        named in the clauses before it, back to the sentence before."""
        here = [m for m in self.mentions if m.clause == clause and m.start <= start and not m.acted_on]
        if here:
            return here[-1]
        for earlier in range(clause - 1, -1, -1):
            if self.clauses[clause].sentence - self.clauses[earlier].sentence > 1:
                return None
            there = [m for m in self.mentions if m.clause == earlier and not m.acted_on]
            if there:
                return there[0]
        return None

    def acts(self, actor: Actor, clause: int, start: int) -> bool:
        """Whether the one who acts there is of the kind that a pattern wants. Nobody named counts as the one asked
        about: people leave out the subject when they speak of themselves."""
        if actor == "any":
            return True
        doer = self.doer(clause, start)
        if actor == "asked":
            return doer is None or self._is_asked(doer)
        if actor == "self":
            return (doer is None and self.asked == SELF) or (doer is not None and doer.person == SELF)
        if doer is None or self._is_asked(doer):
            return False
        standing = doer.role.standing if doer.role else "any"
        if actor == "organisation":
            return doer.kind in ("organisation", "we")
        if actor == "subordinate":
            return doer.kind == "subordinate" or standing == "subordinate"
        if actor == "superior":
            return doer.kind == "superior" or (doer.kind == "role" and standing != "subordinate")
        return doer.person != SELF

    def _is_asked(self, mention: Mention) -> bool:
        if mention.person == self.asked:
            return True
        return mention.kind == "we" and self.asked_is in ("self", "organisation")


def read_story(text: str, lexicon: Lexicon) -> Story:
    """Cut a text into clauses and find out who is who in it."""
    whole = aligned(text, keep_lines=True)
    cut = tuple((s.start, s.end) for s in sentences(whole.text))
    parts = tuple(_clauses(whole.text, cut, lexicon))
    mentions = _named(parts, whole.text, lexicon)
    posts = _posts(mentions)
    asked = _asked(whole.text, parts, mentions, posts, lexicon)
    kind = "self" if asked == SELF else "organisation" if asked.startswith("组织:") else "other"
    return Story(whole, parts, cut, mentions, asked, kind, posts)


def _clauses(text: str, cut: tuple[tuple[int, int], ...], lexicon: Lexicon) -> Iterator[Clause]:
    marks = lexicon.marks
    number, before, supposed_before = 0, -1, False
    for span in clauses(text):
        while number + 1 < len(cut) and span.start >= cut[number][1]:
            number += 1
        same = number == before
        supposed = bool(marks["假设"].search(span.text)) or (
            same and supposed_before and bool(marks["假设后续"].search(span.text))
        )
        yield Clause(span.text, span.start, span.end, number, supposed, bool(marks["规定"].search(span.text)))
        before, supposed_before = number, supposed


# ---------------------------------------------------------------- who is named


def _named(parts: tuple[Clause, ...], text: str, lexicon: Lexicon) -> tuple[Mention, ...]:
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
    return _told_apart(raw, parts, lexicon)


def _longest(found: Iterable[tuple[int, int, int, Role]]) -> list[tuple[int, int, int, Role]]:
    """Of names that overlap, the one that ends last and is longest; then the earlier role."""
    kept: list[tuple[int, int, int, Role]] = []
    for one in sorted(found, key=lambda f: (f[0] - f[1], f[2])):
        if not any(one[0] < k[1] and k[0] < one[1] for k in kept):
            kept.append(one)
    return kept


def _told_apart(raw: list[Mention], parts: tuple[Clause, ...], lexicon: Lexicon) -> tuple[Mention, ...]:
    """Give each mention its person: posts that the teller or a relative holds are his, 他 is the last third person."""
    told: list[Mention] = []
    speaks = any(m.kind == "self" for m in raw)
    third = ""
    for m in raw:
        clause = parts[m.clause]
        before = clause.text[: m.start - clause.start]
        person = {"self": SELF, "we": "我们", "pronoun": third}.get(m.kind, "")
        acted_on = bool(before) and bool(lexicon.marks["宾语前"].search(before))
        if m.kind == "role":
            holder = _holder(m, before, told, clause, speaks, third, lexicon)
            person = holder or _head(m, told)
        elif m.kind == "organisation":
            person = "组织:" + m.text[-2:]
        elif m.kind not in ("self", "we", "pronoun"):
            person = f"{m.kind}:{m.text}"
        if m.kind == "pronoun" and not third:
            person = "他"
        if person != SELF and m.kind in ("role", "kin") and not (m.kind == "role" and acted_on and third):
            third = person
        told.append(Mention(m.kind, m.start, m.end, m.text, m.clause, person, m.role, acted_on))
    return tuple(told)


def _holder(
    m: Mention, before: str, told: list[Mention], clause: Clause, speaks: bool, third: str, lexicon: Lexicon
) -> str:
    """The person who is said to hold the post: the one named just before with 是/当/任 …, or the silent teller."""
    here = [t for t in told if t.clause == m.clause]
    if here and here[-1].kind in ("self", "kin", "pronoun", "other", "role"):
        last = here[-1]
        between = before[last.end - clause.start :]
        if last.kind == "role":
            joined = re.fullmatch(r"[、兼（(/]|以及|同时是|也是|还是", between) or not between
            return last.person if joined else ""
        if last.kind == "self" and len(between) <= 3 and not _linked(between, lexicon):
            return SELF if re.fullmatch(r"[一-鿿]{0,3}", between) and not between.endswith("们") else ""
        return last.person if _linked(between, lexicon) else ""
    if here:
        return ""
    whole_clause = m.end >= clause.end - 1 and len(before) <= 10
    if whole_clause and not told and speaks:
        return SELF
    if _linked(before, lexicon) and before and lexicon.marks["任职"].search(before):
        return SELF if speaks and not third else third
    return SELF if speaks and not told and len(before) <= 8 and not lexicon.marks["宾语前"].search(before) else ""


def _linked(between: str, lexicon: Lexicon) -> bool:
    return bool(lexicon.marks["自称职务"].search(between)) or (
        len(between) <= 16 and bool(re.search(lexicon.marks["任职"].pattern + r"(?:的|了|过|着)?[一-鿿、]{0,8}$", between))
    )


def _head(m: Mention, told: list[Mention]) -> str:
    """The name of a third person known by a post: 副 and the last two characters, joined with a fuller name of it."""
    head = ("副" if _DEPUTY.search(m.text) else "") + m.text[-2:]
    for earlier in reversed(told):
        if earlier.kind == "role" and earlier.person != SELF and earlier.text[-2:] == m.text[-2:] and (
            bool(_DEPUTY.search(earlier.text)) == bool(_DEPUTY.search(m.text))
        ):
            if len(m.text) <= 3 or earlier.role == m.role or len(earlier.text) <= 3:
                return earlier.person
    name = m.role.name if m.role and _GENERIC.search(m.text) else ""
    return f"{head}/{name}"


def _posts(mentions: tuple[Mention, ...]) -> dict[str, tuple[Mention, ...]]:
    posts: dict[str, list[Mention]] = {}
    for m in mentions:
        if m.role is not None:
            posts.setdefault(m.person, []).append(m)
    return {person: tuple(found) for person, found in posts.items()}


# ---------------------------------------------------------------- who is asked about


def _asked(
    text: str,
    parts: tuple[Clause, ...],
    mentions: tuple[Mention, ...],
    posts: Mapping[str, tuple[Mention, ...]],
    lexicon: Lexicon,
) -> str:
    """The person that the question is about. Weighed: named in the last sentence, named where somebody is being dealt
    with, named with a post, named often and early. The teller wins a tie."""
    if not mentions:
        return ""
    last = parts[-1].sentence
    asking = {n for n, c in enumerate(parts) if c.sentence == last}
    asking |= {n for n, c in enumerate(parts) if c.sentence == last - 1 and len(asking) <= 1}
    dealt = {n for n, c in enumerate(parts) if lexicon.marks["处理"].search(c.text)}
    weight: Counter[str] = Counter()
    for m in mentions:
        if m.kind in ("we", "superior", "subordinate", "other"):
            continue
        weight[m.person] += 0.25 if weight[m.person] < 6 else 0
        if m.clause in asking:
            weight[m.person] += 1.0 if not m.acted_on or m.clause in dealt else 0.3
        if m.clause in dealt:
            weight[m.person] += 1.5 if m.acted_on else 0.8
        if m.kind == "organisation":
            weight[m.person] -= 0.4
    for n, person in enumerate(posts):
        weight[person] += 1.2 if n == 0 else 0.6
        if person != SELF and all(m.role and m.role.standing == "subordinate" for m in posts[person]):
            weight[person] -= 0.5
    if SELF in weight:
        closing = "".join(parts[n].text for n in sorted(asking))
        weight[SELF] += 2.0 if lexicon.marks["追问自己"].search(closing) else 0.0
        weight[SELF] += 0.6 if SELF in posts else -1.5 if posts else 0.0
    if not weight:
        return ""
    return max(weight, key=lambda person: (weight[person], person == SELF))
