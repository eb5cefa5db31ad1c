"""From a story to facts: what the lexicon finds in the words, about whoever the question is about.

Comes in: the text, the lexicon, the vocabulary. Goes out: facts, each with the exact words of the text it was
read from. A fact nobody found is absent. Raises nothing.

How values are joined: a fact with one value takes the value of the highest confidence, among equals the one
said last. Two equally sure and contradicting values of a flag cancel each other: the fact stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assistant.law.lexicon import Lexicon, Pattern, compiled
from assistant.law.people import Clause
from assistant.law.reading import LONGEST_CLAUSE, Story, read_story
from assistant.law.text import has_words
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
    if not has_words(text):
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
    hinted = lexicon.hinted(cut)
    for pattern in lexicon.patterns:
        tried = [source for source in pattern.any if lexicon.may_match(source, hinted)]
        likely = [regex for source in tried if _anywhere(regex := compiled(source), source, cut)]
        if not likely or not all(
            lexicon.may_match(source, hinted) and compiled(source).search(cut) for source in pattern.context
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
