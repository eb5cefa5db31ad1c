"""What a letter may rest on: the points that the findings, exemptions and signals of an advice give, each with its law.

Comes in: the story, the facts, the determination. Goes out: :class:`Point`, with a provision in force for each and the
person's own words for what happened. What was only guessed is asked for, never told; what counts against him is left
out. Nothing is read from files here but the wording that is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from assistant.law.asking import pairs
from assistant.law.corpus import Corpus
from assistant.law.drafts import DraftRules
from assistant.law.rules import names_in
from assistant.model import Determination, Fact, Provision
from assistant.steps.determination import Law

LONGEST_LAW = 160  # characters of a provision that are cited in a letter
LAW_SHOWN, EVIDENCE_SHOWN = 2, 3
_PARAGRAPH = re.compile(r"^第[一二三四五六七八九十]+款\s*")
_SENTENCE = re.compile(r"[^。]+。?")


@dataclass
class Citing:
    """Cites provisions in force, the words of each once; keeps what was cited."""

    corpus: Corpus
    day: date
    words: Mapping[str, Any]
    cited: dict[str, None] = field(default_factory=dict)  # ids in order
    _said: set[str] = field(default_factory=set)

    def usable(self, ids: Iterable[str]) -> list[Provision]:
        """The rules among them that are in force, each once; those with an article number before notes."""
        found = [p for id in dict.fromkeys(ids) if (p := self.corpus.get(id)) is not None]
        rules = [
            p
            for p in found
            if p.instrument.in_force(self.day)
            and p.instrument.authority == "rule"
            and p.label.startswith("《")
            and (p.digest or p.text)
        ]
        return sorted(rules, key=lambda p: p.article is None)

    def names(self, ids: Iterable[str], most: int = LAW_SHOWN) -> str:
        """《甲》第一条、《乙》第二条."""
        found = self.usable(ids)[:most]
        for provision in found:
            self.cited.setdefault(provision.id)
        return "、".join(self._label(p) for p in found)

    def laws(self, ids: Iterable[str], about: str, most: int = LAW_SHOWN) -> list[str]:
        """What each says, in a line of its own: quoted where the words are in stock, else as the digest has it.

        Args:
            about: what it is cited for; of a longer text the sentence is quoted that says most of it.
        """
        lines = []
        for provision in self.usable(ids)[:most]:
            self.cited.setdefault(provision.id)
            form, said = self._words_of(provision, about)
            form = "again" if said in self._said else form
            self._said.add(said)
            lines.append(self.words[form].format(label=self._label(provision), words=said))
        return lines

    def _words_of(self, provision: Provision, about: str) -> tuple[str, str]:
        """How it is cited, and what it says. The words of an item alone lack what stands above all items."""
        if provision.text and (provision.item is None or not provision.digest):
            return "verbatim", cited_sentence(provision.text, about)
        return "digest", cited_sentence(provision.digest).rstrip("。；") + "。"

    def _label(self, provision: Provision) -> str:
        label = provision.label.split("：", 1)[0]
        return label + (self.words["doubt"] if provision.confidence == "memory" else "")


_Reason = tuple[Mapping[str, Any], str, Sequence[str], Sequence[str]]  # wording, its form, provisions, facts


@dataclass(frozen=True)
class Point:
    """One reason: what is said of it, and the proofs that it calls for."""

    heading: str
    lines: tuple[str, ...]
    proofs: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """What may be told: the story, the facts, the determination."""

    story: str
    facts: tuple[Fact, ...]
    made: Determination

    @property
    def organisation(self) -> bool:
        """Whether it is a Party organisation that was dealt with."""
        return any(f.name == "subject" and f.value == "党组织" and self.said(f) for f in self.facts)

    def said(self, fact: Fact) -> bool:
        """Whether the person said it or confirmed it; what was only guessed is not told."""
        return fact.source == "confirmed" or self.tells(fact)

    def tells(self, fact: Fact) -> bool:
        return bool(fact.evidence.strip()) and fact.evidence in self.story

    def measures(self, left_out: Collection[str]) -> list[str]:
        """The measures that the person confirmed, or that the story names in these very words."""
        return [
            f.value
            for f in self.facts
            if f.name == "measure"
            and f.value not in left_out
            and (f.source == "confirmed" or (f.source == "lexicon" and f.value in self.story))
        ]


@dataclass(frozen=True)
class Reasons:
    """Finds the points.

    ``words`` are labels and short sentences, ``told`` the wording of the points, ``exemptions_matter`` the verdicts
    with which exemptions are spoken of.
    """

    law: Law
    rules: DraftRules
    words: Mapping[str, Any]
    told: Mapping[str, Any]
    exemptions_matter: Collection[str]

    def points(self, sheet: Sheet, citing: Citing, me: str) -> list[Point]:
        """All points that can be made, those about the facts first; one without a provision to cite is left out."""
        found = (
            *self._from_findings(sheet),
            *self._from_exemptions(sheet),
            *self._from_signals(sheet),
            *self._from_procedure(sheet),
        )
        points: list[Point] = []
        for row, form, ids, names in found:
            law = citing.laws(ids, f"{row['heading']}{row[form]}")
            if not law:
                continue
            told = self._story_of(sheet, names, form)
            said = row[form].format(me=me)
            points.append(Point(row["heading"], (*law, told, said), tuple(row["proofs"])))
        return points

    def _from_findings(self, sheet: Sheet) -> Iterator[_Reason]:
        if sheet.made.scope not in self.rules.findings_in:
            return
        called = any(f.name == "called_accountability" and f.value == "yes" for f in sheet.facts)
        headings = set()
        for finding in sheet.made.findings:
            row = self.told["findings"].get(f"{finding.step}/{finding.row}")
            if finding.status != "no" or row is None or row["heading"] in headings:
                continue
            if finding.step in self.rules.only_if_called and not called:
                continue
            headings.add(row["heading"])
            yield row, "judged", finding.provisions, finding.facts

    def _from_exemptions(self, sheet: Sheet) -> Iterator[_Reason]:
        if sheet.made.scope not in self.exemptions_matter:
            return
        for exemption in sheet.made.exemptions:
            row = self.told["exemptions"].get(exemption.id)
            if row and exemption.status != "not_met":
                names = self._facts_of("exemptions", exemption.reason)
                yield row, exemption.status, (exemption.id,), names

    def _from_signals(self, sheet: Sheet) -> Iterator[_Reason]:
        for signal in sheet.made.misuse_signals:
            row = self.told["signals"].get(signal.name)
            if row and signal.name not in self.rules.signals_left_out:
                yield row, "text", signal.provisions, self._facts_of("misuse", signal.reason)

    def _from_procedure(self, sheet: Sheet) -> Iterator[_Reason]:
        relied_on = {
            id for r in sheet.made.routes for id in (*r.legal_basis, *(i for s in r.steps for i in s.basis))
        }
        for name, ids in self.rules.procedure.items():
            if any(f.name == name and f.value == "yes" for f in sheet.facts):
                yield self.told["procedure"][name], "text", [i for i in ids if i in relied_on], (name,)

    def _facts_of(self, table: str, reason: str) -> tuple[str, ...]:
        """The facts that a row of a table speaks of."""
        row = next((r for r in self.law.tables[table].rows if r.reason == reason), None)
        return names_in(row.when) if row else ()

    def _story_of(self, sheet: Sheet, names: Sequence[str], form: str) -> str:
        """What the person told about a point: his words, what he confirmed, or a blank.

        Whether something was a failure at all, or serious, is guessed from a whole story: no words of it are quoted for
        that unless they say so.
        """
        facts = [f for f in sheet.facts if f.name in names]
        plain = [f for f in facts if f.source in ("lexicon", "confirmed")]
        told = plain if form == "judged" else facts
        quoted = list(dict.fromkeys(f.evidence for f in told if sheet.tells(f)))[:EVIDENCE_SHOWN]
        if quoted:
            sure = plain or any(f.confidence >= self.rules.sure_from for f in facts)
            words = "".join(f"“{_one_line(words)}”" for words in quoted)
            return str(self.words["quoted" if sure else "inferred"].format(words=words))
        if said := [self._confirmed(f) for f in facts if f.source == "confirmed"]:
            return str(self.words["confirmed"].format(facts="、".join(said)))
        return str(self.words["left_to_story" if form == "judged" else "nothing_said"])

    def _confirmed(self, fact: Fact) -> str:
        entry = self.law.vocabulary.facts[fact.name]
        forms = self.words["confirmed_fact"]
        value = entry.value_labels.get(fact.value, fact.value)
        return str(forms.get(fact.value, forms["other"]).format(label=entry.label, value=value))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def cited_sentence(text: str, about: str = "") -> str:
    """The sentence of a provision that says most of what it is cited for, else the first; cut with …… where too long.

    >>> cited_sentence("第一款　甲应当乙。丙是丁。"), cited_sentence("甲应当乙。应当听取陈述。", "陈述和申辩")
    ('甲应当乙。', '应当听取陈述。')
    """
    one = _PARAGRAPH.sub("", text.strip().replace("\n", ""))
    wanted = pairs(about)
    sentence = max(_SENTENCE.findall(one), key=lambda s: len(wanted & pairs(s)), default=one)
    if len(sentence) <= LONGEST_LAW:
        return sentence
    cut = max(sentence.rfind(mark, 0, LONGEST_LAW) for mark in "；，") + 1
    return sentence[: cut or LONGEST_LAW] + "……"
