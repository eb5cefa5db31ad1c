"""Questions about the rules (问规定): which provision answers, what is said first, and how much is said.

Comes in: the question, what retrieval found, the provisions it names. Goes out: :class:`Reply`, lines with the
provisions they rest on, not yet written out. Every style of question has its own beginning: the article where it is
asked for, yes or no where the provision decides it by a rule, the whole list, both sides of a comparison, the
versions of a rule. What no rule decides begins with the provision itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from assistant.law.asking import Asked, Asking, Style, pairs, share
from assistant.law.corpus import Corpus
from assistant.law.history import Chronicle
from assistant.law.quoting import quote, weights
from assistant.law.tables import PeriodRow, Term
from assistant.law.text import number_to_chinese
from assistant.law.titles import Mention, choose_version, find_mentions
from assistant.model import Instrument, Line, Passage, Provision, Reply

MORE_SHOWN = 2
# characters of the answer itself, of the two provisions below it, of one side of a comparison
FIRST, SECOND, BRIEF, SIDE = 300, 200, 160, 150
ITEMS_IN_FULL = 4  # a list of more items gives their topics only
SIDE_SHARE = 0.6  # of the words of one side that a provision for it has to hold
LOOKED_AT = 4  # passages among which an answer may be found that retrieval did not put first
# how much agreement counts beside the score of the fused searches, whose ranks 1 and 2 are about 0.1 apart;
# chosen out of a grid on questions written for it, in the middle of what did well
NAMED, TOPIC, WORDS, AMOUNT = 0.4, 0.1, 0.15, 0.12
VERBATIM = 0.4  # of what only the text of a provision says, for it can be quoted
TERM, MEANING, CATCH_ALL, OUTDATED = 0.12, 0.15, -0.15, -0.08

# how much a sentence of the text has to tell beyond the digest to be quoted: about two rare pairs of characters
QUOTED = 7.0

Search = Callable[[str], Sequence[Passage]]


@dataclass(frozen=True)
class Knowing:
    """The tables an answer may rest on, joined once."""

    asking: Asking
    corpus: Corpus
    periods: Sequence[PeriodRow]
    terms: Sequence[Term]
    chronicle: Chronicle
    words: Mapping[str, Any] = field(repr=False)  # short phrases of the answers

    def read(self, question: str) -> Asked:
        """What the question asks for."""
        return self.asking.read(question)

    def asks_way(self, asked: Asked) -> bool:
        """Whether the ways of remedy answer the question: it asks how, or only says what happened."""
        return (
            "how" in asked.styles and not {"compare", "article", "whether"} & asked.styles
        ) or not asked.styles

    def reply(
        self, asked: Asked, found: Sequence[Passage], named: Sequence[str], search: Search, day: date
    ) -> Reply:
        """The answer, best first, and what stands beside it.

        Args:
            found: what retrieval found for the question.
            named: provisions the question itself names; they answer it, whatever was found.
            search: finds provisions for one side of a comparison.
        """
        mentions = find_mentions(asked.text, self.corpus.instruments.values())
        passages = self.order(asked, found, mentions)
        provisions = [self.corpus.provision(p.provision_id) for p in passages]
        if named:
            provisions = [self.corpus.provision(id) for id in named] + [
                p for p in provisions if p.id not in named
            ]
        beginnings: tuple[tuple[Style, Callable[[], Reply | None]], ...] = (
            ("compare", lambda: self._compared(asked, provisions, search)),
            ("history", lambda: None if named else self._history(asked, mentions, provisions, day)),
            ("article", lambda: self._where(asked, provisions, bool(named))),
            ("effect", lambda: self._periods(asked, provisions)),
            ("whether", lambda: self._whether(asked, provisions)),
            ("define", lambda: self._defined(asked, provisions)),
            ("list", lambda: self._listed(asked, provisions)),
            ("count", lambda: self._listed(asked, provisions)),
        )
        if not named and (record := self._record(asked, mentions, provisions, day)):
            return record
        for style, answer in beginnings:
            if style in asked.styles and (reply := answer()):
                return reply
        if not provisions:
            return Reply()
        if named:
            return Reply(
                first=tuple(self._said(self.corpus.provision(id), asked, FIRST) for id in named),
                more=self._more(asked, provisions[len(named) : len(named) + 1]),
            )
        return self._plain(asked, provisions)

    # ------------------------------------------------------------------ which provision answers

    def order(
        self, asked: Asked, found: Sequence[Passage], mentions: Sequence[Mention] = ()
    ) -> tuple[Passage, ...]:
        """The passages, best first, by what retrieval thinks and by how their words agree with the question."""
        titles = {i.title for m in mentions for i in m.instruments}
        text = asked.text
        for mention in mentions:
            text = text.replace(mention.written, " ")
        wanted = pairs(self.asking.core(text))
        scored = [
            replace(p, score=p.score + self._agreement(asked, wanted, titles, p.provision_id)) for p in found
        ]
        return tuple(sorted(scored, key=lambda p: -p.score))

    def _agreement(self, asked: Asked, wanted: frozenset[str], titles: set[str], id: str) -> float:
        provision = self.corpus.provision(id)
        said = f"{provision.topic} {' '.join(provision.keywords)} {provision.digest or provision.text or ''}"
        score = TOPIC * share(wanted, pairs(provision.topic)) + WORDS * share(wanted, pairs(said))
        if provision.text and provision.digest:  # what only the text says counts too, for it can be quoted
            score += VERBATIM * (
                share(wanted, pairs(said) | pairs(provision.text)) - share(wanted, pairs(said))
            )
        if provision.instrument.title in titles:
            score += NAMED
        for style, amount in self.asking.amounts.items():
            if style in asked.styles and amount.search(f"{provision.topic}{said}"):
                score += AMOUNT
        if asked.term and asked.term in provision.topic:
            score += TERM * (1 + share(pairs(provision.topic), pairs(asked.term)))
            if re.search(self.words["meanings"], provision.topic):
                score += MEANING
        if "其他" in provision.topic and provision.item is not None:
            score += CATCH_ALL
        return score + (OUTDATED if provision.instrument.caution else 0.0)

    # ------------------------------------------------------------------ one beginning for each style

    def _plain(self, asked: Asked, provisions: Sequence[Provision]) -> Reply:
        first = self._said(provisions[0], asked, FIRST)
        if {"count", "limit"} & asked.styles:
            first = replace(first, head=self._counted(asked, provisions[0]))
        return Reply(first=(first,), more=self._more(asked, provisions[1:]))

    def _counted(self, asked: Asked, provision: Provision) -> str:
        """The topic, where it tells the number that the digest only shows by its items."""
        amount = self.asking.amounts["count"]
        digest = re.sub("[①-⑨]", "", provision.digest)
        return provision.topic if amount.search(provision.topic) and not amount.search(digest) else ""

    def _where(self, asked: Asked, provisions: Sequence[Provision], named: bool) -> Reply | None:
        """第几条: the article before what it says. A note whose number is not known gives way to a near article."""
        near = provisions if named else [p for p in provisions[:LOOKED_AT] if p.article] or provisions
        if not near:
            return None
        best = near[0]
        siblings = [p for p in near[:LOOKED_AT] if p.article and _article_id(p) == _article_id(best)]
        whole = self.corpus.get(_article_id(best)) if len(siblings) > 1 and not named else None
        first = self._said(best, asked, FIRST)
        label = whole.label if whole else best.label
        line = replace(first, head=label, source="" if label == best.label else first.source)
        rest = [p for p in provisions if p.id != best.id]
        return Reply(first=(line,), more=self._more(asked, rest))

    def _whether(self, asked: Asked, provisions: Sequence[Provision]) -> Reply | None:
        """能不能: yes or no, where one of the best provisions decides it."""
        for provision in provisions[:2]:
            verdict = self.asking.verdict(asked, provision.digest, provision.topic)
            if verdict:
                first = replace(self._said(provision, asked, FIRST), head=verdict)
                rest = [p for p in provisions if p.id != provision.id]
                return Reply(first=(first,), more=self._more(asked, rest))
        return None

    def _defined(self, asked: Asked, provisions: Sequence[Provision]) -> Reply | None:
        term = self._term(asked.term, asked.text)
        if term is None:
            return None
        return Reply(
            first=(Line(term.meaning.rstrip("。"), term.provisions, head=term.term),),
            more=self._more(asked, provisions),
        )

    def _listed(self, asked: Asked, provisions: Sequence[Provision]) -> Reply | None:
        """哪几种: the whole list, also where its items are provisions of their own."""
        if not provisions:
            return None
        best = provisions[0]
        parent = self._holder(best, provisions[:LOOKED_AT])
        if parent is None:
            return None
        items = self.corpus.children(parent.id)
        while len(items) == 1:
            items = self.corpus.children(items[0].id)
        own = self.corpus.get(_article_id(best))
        rest = [p for p in provisions if _article_id(p) != _article_id(best)]
        for whole in (parent, own):
            if whole and not whole.composed and _tells(whole, items):
                return Reply(first=(self._said(whole, asked, FIRST),), more=self._more(asked, rest))
        full = len(items) <= ITEMS_IN_FULL
        lines = tuple(
            Line(_first_sentence(p.digest) if full else _bare_topic(p.topic), (p.id,), head=_numeral(p))
            for p in items
        )
        head = Line(self.words["items"].format(label=parent.label, count=len(items)), (parent.id,))
        return Reply(first=(head,), items=lines, more=self._more(asked, rest))

    def _holder(self, best: Provision, near: Sequence[Provision]) -> Provision | None:
        """What holds the list: the best provision, or the paragraph of which several items were found."""
        if best.item is None:
            return best if len(self.corpus.children(best.id)) > 1 else None
        above = best.id.rpartition(".")[0]
        found = [p for p in near if p.id.rpartition(".")[0] == above]
        return self.corpus.get(above) if len(found) > 1 else None

    def _periods(self, asked: Asked, provisions: Sequence[Provision]) -> Reply | None:
        rows = self.rows_of(asked.text)
        if not rows or {"whether", "article", "who"} & asked.styles:
            return None
        return Reply(periods=rows, more=self._more(asked, provisions))

    def rows_of(self, text: str, most: int = 3) -> tuple[PeriodRow, ...]:
        """The influence periods of the measures a text names; the longest name wins where one holds another."""
        names = sorted(((n, row) for row in self.periods for n in row.names), key=lambda pair: -len(pair[0]))
        found: dict[str, PeriodRow] = {}
        for name, row in names:
            if name in text:
                text = text.replace(name, " ")
                found[row.id] = row
        for bare in self.words["bare_measures"]:  # 警告 alone may be of the Party or of the state
            if bare in text:
                found |= {
                    row.id: row for row in self.periods if row.measure in self.words["bare_measures"][bare]
                }
        return tuple(row for row in self.periods if row.id in found)[:most]

    # ------------------------------------------------------------------ comparisons

    def _compared(self, asked: Asked, provisions: Sequence[Provision], search: Search) -> Reply | None:
        """Both sides, side by side; one provision that tells them apart comes first."""
        wordings = (asked.sides, _shorter(asked.sides))
        terms = [self._term(side, asked.text) for side in asked.sides]
        if not all(terms) or terms[0] == terms[1]:
            for provision in provisions[:LOOKED_AT]:
                if re.search(self.words["side_by_side"], provision.topic):
                    continue  # how two things go together, not how they differ
                if any(_tells_apart(provision, sides) for sides in wordings):
                    rest = [p for p in provisions if p.id != provision.id]
                    return Reply(first=(self._said(provision, asked, FIRST),), more=self._more(asked, rest))
        same = terms[0] if terms[0] == terms[1] else None
        lines = [
            self._side(side, short, None if term == same else term, search)
            for side, short, term in zip(*wordings, terms, strict=True)
        ]
        if not all(lines):
            return None
        used = {id for line in lines if line for id in line.provisions}
        rest = [p for p in provisions if p.id not in used and all(s in p.digest for s in asked.sides)]
        return Reply(items=tuple(line for line in lines if line), more=self._more(asked, rest))

    def _side(self, side: str, short: str, term: Term | None, search: Search) -> Line | None:
        """One side: the words of the glossary, or the provision that fits best."""
        rows = [r for r in self.rows_of(side) if r.period_words]
        periods = "；".join(
            self.words["period"].format(measure=r.measure, period=r.period_words) for r in rows
        )
        basis = tuple(dict.fromkeys(id for r in rows for id in r.legal_basis[:1]))
        if term:
            words = "；".join(filter(None, (term.meaning.rstrip("。"), periods)))
            return Line(words, (*term.provisions, *basis), head=side)
        asked = replace(self.asking.read(side), term=short)
        query = side if "的" in side else self.words["meaning"].format(term=side)
        found = [self._provision(p) for p in self.order(asked, search(query))]
        wanted = pairs(side)
        tests: tuple[Callable[[Provision], bool], ...] = (
            lambda p: short in p.topic and bool(re.search(self.words["meanings"], p.topic)),
            lambda p: short in f"{p.topic}{p.digest}",
            lambda p: share(wanted, pairs(f"{p.instrument.title}，{p.topic}，{p.digest}")) >= SIDE_SHARE,
        )
        best = next((p for test in tests for p in found if test(p)), None)
        if best is None:
            return None
        line = self._said(best, asked, SIDE)
        if periods:
            line = replace(line, words=f"{line.words}；{periods}", provisions=(*line.provisions, *basis))
        return replace(line, head=side)

    def _provision(self, passage: Passage) -> Provision:
        return self.corpus.provision(passage.provision_id)

    def _term(self, name: str, text: str = "") -> Term | None:
        """The entry of the glossary for a name; 复核（公务员） only where the question speaks of 公务员."""
        name = self.words["same_as"].get(name, name)
        for term in self.terms:
            bare, _, about = term.term.partition("（")
            if name and name in (bare, *bare.split("、")) and (not about or about.rstrip("）") in text):
                return term
        return None

    # ------------------------------------------------------------------ the instruments themselves

    def _record(
        self, asked: Asked, mentions: Sequence[Mention], provisions: Sequence[Provision], day: date
    ) -> Reply | None:
        """何时施行、哪年通过、共多少条、代替了谁、从几种变为几种: told by the instrument, not by a provision."""
        if not asked.aspects:
            return None
        more = self._more(asked, provisions[:1])
        grown = asked.aspects & {"added", "changed"}
        for mention in mentions:
            chosen = _meant(mention, day)
            if chosen is None:
                continue
            matter = self.asking.matter(asked, asked.text.replace(mention.written, " "))
            if grown and (lines := self.chronicle.changed(chosen, matter)):
                return Reply(first=lines, more=more)
            if asked.aspects - grown and not matter:
                lines = self.chronicle.versions(chosen, day, "adopted" in asked.aspects)
                if {"replaced", "changed"} & asked.aspects:
                    lines += self.chronicle.changed(chosen)
                return Reply(first=lines, more=more)
        if grown and not mentions:
            best = provisions[0].id if provisions else ""
            if lines := self.chronicle.changed_anywhere(self.asking.matter(asked, asked.text), best):
                return Reply(first=lines, more=more)
        return None

    def _history(
        self, asked: Asked, mentions: Sequence[Mention], provisions: Sequence[Provision], day: date
    ) -> Reply | None:
        """Which version is in force, what it replaced, what changed."""
        for mention in mentions:
            chosen = _meant(mention, day)
            if chosen is None or chosen.only_if_named or chosen.caution:
                continue  # a rule that stands beside newer ones: what is known of it says so itself
            rest = asked.text.replace(mention.written, " ")
            about = pairs(re.sub(self.words["version_talk"], " ", self.asking.core(rest)))
            if chosen.in_force(day) and len(about) > 3:
                return None  # asks about one matter of the version in force
            lines = (*self.chronicle.versions(chosen, day), *self.chronicle.changed(chosen))
            return Reply(first=lines, more=self._more(asked, provisions[:1]))
        return None

    # ------------------------------------------------------------------ lines

    def _said(self, provision: Provision, asked: Asked, most: int) -> Line:
        if not provision.digest:
            return Line(provision.text or "", (provision.id,), source=provision.label, verbatim=True)
        wanted = pairs(self.asking.core(asked.text))
        words = _brief(provision.digest, wanted, most)
        if most == FIRST and (quoted := self._quoted(provision, asked, words)):
            words = self.words["with_quote"].format(words=words, quote=quoted)
        return Line(words, (provision.id,), source=provision.label)

    def _quoted(self, provision: Provision, asked: Asked, words: str) -> str:
        """The sentence of the text that says what is asked, where the digest leaves it out; "" mostly."""
        if not provision.text:
            return ""
        text = asked.text
        for mention in find_mentions(text, self.corpus.instruments.values()):
            text = text.replace(mention.written, " ")
        shown = f"{provision.topic}，{words}"
        kinds = [self.asking.told[style] for style in self.asking.told if style in asked.styles]

        def extra(sentence: str) -> bool:
            return any(found not in shown for kind in kinds for found in kind.findall(sentence))

        return quote(provision.text, shown, pairs(self.asking.core(text)), self._weights, QUOTED, extra)

    @cached_property
    def _weights(self) -> Mapping[str, float]:
        return weights(f"{p.topic}，{p.digest}，{p.text or ''}" for p in self.corpus.provisions())

    def _more(self, asked: Asked, provisions: Iterable[Provision]) -> tuple[Line, ...]:
        shown = list(provisions)[:MORE_SHOWN]
        return tuple(self._said(p, asked, BRIEF if i else SECOND) for i, p in enumerate(shown))


def _article_id(provision: Provision) -> str:
    return f"{provision.instrument.id}#{provision.article}" if provision.article else provision.id


def _brief(digest: str, wanted: frozenset[str], most: int) -> str:
    """The sentences of a digest that have most to do with what is asked, in their order, up to a length.

    >>> _brief("甲是甲。乙应当申诉。丙是丙。", pairs("申诉"), 8)
    '乙应当申诉'
    """
    if len(digest) <= most:
        return digest.rstrip("。")
    sentences = [s for s in re.split("(?<=[。；])", digest) if s]
    best = sorted(range(len(sentences)), key=lambda i: (-share(wanted, pairs(sentences[i])), i))
    kept: set[int] = set()
    for i in best:
        if kept and sum(len(sentences[k]) for k in (*kept, i)) > most:
            break
        kept.add(i)
    return "".join(sentences[i] for i in sorted(kept)).rstrip("。；")


def _first_sentence(digest: str) -> str:
    return digest.split("。")[0]


def _bare_topic(topic: str) -> str:
    """A topic without what the whole list is called.

    >>> _bare_topic("不予或免予问责之一：改革探索中的无意过失"), _bare_topic("党的领导弱化")
    ('改革探索中的无意过失', '党的领导弱化')
    """
    return topic.rpartition("：")[2]


def _numeral(provision: Provision) -> str:
    if provision.item is not None:
        return f"（{number_to_chinese(provision.item)}）"
    return f"第{number_to_chinese(provision.paragraph)}款" if provision.paragraph else provision.label


def _tells(whole: Provision, items: Sequence[Provision]) -> bool:
    """Whether a provision gives the list of its items itself."""
    said = pairs(whole.digest)
    told = [share(pairs(_bare_topic(p.topic)), said) >= 0.5 for p in items]
    return sum(told) * 3 >= len(told) * 2


def _shorter(sides: tuple[str, ...]) -> tuple[str, ...]:
    """Both sides without what they end in alike, where enough is left.

    >>> _shorter(("从轻处分", "减轻处分")), _shorter(("诫勉", "警告"))
    (('从轻', '减轻'), ('诫勉', '警告'))
    """
    a, b = sides
    alike = next((n for n in range(min(len(a), len(b)) - 2, 0, -1) if a[-n:] == b[-n:]), 0)
    return (a[:-alike], b[:-alike]) if alike else sides


def _tells_apart(provision: Provision, sides: tuple[str, ...]) -> bool:
    """Whether a provision is about both sides, and says of each something that it does not say of the other."""
    if not all(side in f"{provision.topic}{'，'.join(provision.keywords)}" for side in sides):
        return False
    second, first = sorted(sides, key=len)
    parts = re.split("[，。；、]", provision.digest.replace(first, "\1" * len(first)))
    only_first = any("\1" in p and second not in p and len(p) > len(first) + 1 for p in parts)
    only_second = any(second in p and "\1" not in p and len(p) > len(second) + 1 for p in parts)
    return only_first and only_second


def _meant(mention: Mention, day: date) -> Instrument | None:
    """The version a mention means; where it could mean several, the first."""
    return choose_version(mention, day).instrument or next(iter(mention.instruments), None)
