"""How a story is told: its clauses, which of them are only supposed, and who does what in them.

Comes in: a text and the lexicon. Goes out: :class:`Story`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from assistant.law.lexicon import Actor, Lexicon
from assistant.law.people import ORGANISATION, SELF, Clause, Mention, asked_about, name_people, posts_of
from assistant.law.text import Normalised, Span, aligned, clauses, sentences

LONGEST_CLAUSE, LONGEST_SENTENCE = 80, 400


@dataclass(frozen=True)
class Story:
    text: Normalised
    clauses: tuple[Clause, ...]
    sentences: tuple[tuple[int, int], ...]
    mentions: tuple[Mention, ...]
    asked: str  # the person asked about; "" when nobody is named
    asked_is: str  # self, other or organisation
    roles: Mapping[str, tuple[Mention, ...]] = field(default_factory=dict)  # person -> his posts

    @cached_property
    def named(self) -> tuple[tuple[Mention, ...], ...]:
        """For each clause, who is named in it."""
        named: list[list[Mention]] = [[] for _ in self.clauses]
        for mention in self.mentions:
            named[mention.clause].append(mention)
        return tuple(tuple(found) for found in named)

    def clause_at(self, start: int) -> int:
        """The number of the clause in which ``start`` lies, or of the one before it."""
        return max(bisect_right(self.clauses, start, key=lambda c: c.start) - 1, 0)

    def asked_roles(self) -> tuple[Mention, ...]:
        return self.roles.get(self.asked, ())

    def doer(self, clause: int, start: int) -> Mention | None:
        """Who acts at ``start`` of a clause.

        The last one named before who is not its object, else the first one named in the clauses before it,
        back to the sentence before.
        """
        here = [m for m in self.named[clause] if m.start <= start and not m.acted_on]
        if here:
            return here[-1]
        for earlier in range(clause - 1, -1, -1):
            if self.clauses[clause].sentence - self.clauses[earlier].sentence > 1:
                return None
            there = next((m for m in self.named[earlier] if not m.acted_on), None)
            if there:
                return there
        return None

    def acts(self, actor: Actor, clause: int, start: int) -> bool:
        """Whether the one who acts there is of the kind that a pattern wants.

        Nobody named counts as the one asked about: people leave 我 out when they speak of themselves.
        """
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
    cut = tuple(piece for s in sentences(whole.text) for piece in _pieces(s.start, s.end, LONGEST_SENTENCE))
    parts = tuple(_clauses(whole.text, cut, lexicon))
    mentions = name_people(parts, whole.text, lexicon)
    posts = posts_of(mentions)
    asked = asked_about(parts, mentions, posts, lexicon)
    kind = "self" if asked == SELF else "organisation" if asked.startswith(ORGANISATION) else "other"
    return Story(whole, parts, cut, mentions, asked, kind, posts)


def _pieces(start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    """Cut what is too long to be one clause: text without punctuation must not cost more than other text."""
    for at in range(start, end, longest):
        yield at, min(at + longest, end)


def _clauses(text: str, cut: tuple[tuple[int, int], ...], lexicon: Lexicon) -> Iterator[Clause]:
    marks = lexicon.marks
    number, before, supposed_before = 0, -1, False
    for start, end in (p for s in clauses(text) for p in _pieces(s.start, s.end, LONGEST_CLAUSE)):
        span = Span(text[start:end], start, end)
        while number + 1 < len(cut) and span.start >= cut[number][1]:
            number += 1
        same = number == before
        supposed = bool(marks["假设"].search(span.text)) or (
            same and supposed_before and bool(marks["假设后续"].search(span.text))
        )
        yield Clause(span.text, span.start, span.end, number, supposed)
        before, supposed_before = number, supposed
