"""The answer: markdown built from templates, every sentence of law with its mark.

Comes in: a determination or retrieved passages. Goes out: markdown and the citations its marks point to. Wording
is in ``prompts/``; this file only decides which sentence stands where and which provision it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from assistant.law.citations import find_references
from assistant.law.corpus import Corpus
from assistant.law.tables import PeriodRow, said_periods
from assistant.model import (
    Citation,
    Clause,
    Declined,
    Determination,
    Fact,
    Finding,
    Line,
    Reply,
    Route,
)
from assistant.prompts import Prompts, escape_markdown

CLAUSES_SHOWN = 3
CONSEQUENCES_SHOWN = 2
PERIOD_BASIS_SHOWN = 5  # the first ones say the period and what comes first of it
COMMENTS_SHOWN = 2
OTHERS_SHOWN = 3
QUOTED = 160  # characters of a text that is quoted in an answer; all of it stands with the sources
OPEN = "needs_more_facts"


@dataclass
class Sources:
    """Numbers the provisions in the order in which the answer first uses them."""

    corpus: Corpus
    day: date
    unverified: str
    _numbers: dict[str, int] = field(default_factory=dict)

    def mark(self, *provision_ids: str) -> str:
        """Marks such as ``[1][3]（待核）`` for provisions in force; the others are left out."""
        marks, doubtful = "", False
        for id in dict.fromkeys(provision_ids):
            provision = self.corpus.get(id)
            if provision is None or not provision.instrument.in_force(self.day):
                continue
            number = self._numbers.setdefault(id, len(self._numbers) + 1)
            marks += f"[{number}]"
            doubtful = doubtful or provision.confidence == "memory"
        return marks + (f"（{self.unverified}）" if doubtful else "")

    def citations(self) -> tuple[Citation, ...]:
        """What the marks given out so far point to, in order."""
        listed = []
        for id, number in self._numbers.items():
            provision = self.corpus.provision(id)
            listed.append(
                Citation(
                    n=number,
                    id=id,
                    label=provision.label,
                    kind="digest" if provision.digest else "verbatim",
                    text=provision.digest or provision.text or "",
                    in_force=provision.instrument.in_force(self.day),
                    source_url=provision.source_url,
                    confidence=provision.confidence,
                    caution=provision.instrument.caution,
                    original=provision.text if provision.digest else None,
                    authority=provision.instrument.authority,
                )
            )
        return tuple(listed)


@dataclass(frozen=True)
class Writer:
    """Joins templates, labels and tables once; every answer is a call."""

    prompts: Prompts
    labels: Mapping[str, Any]
    corpus: Corpus
    periods: Sequence[PeriodRow]

    # -------------------------------------------------------------- a situation

    def scenario(
        self,
        made: Determination,
        facts: Sequence[Fact],
        cases: Sequence[tuple[Mapping[str, Any], tuple[str, ...]]],
        commentary: Sequence[str],
        day: date,
        notices: Sequence[str],
        asked: Reply | None = None,
    ) -> tuple[str, tuple[Citation, ...]]:
        """The answer to a situation.

        Args:
            cases: situations like it, as ``cases.md.j2`` takes them, each with the provisions it rests on.
            commentary: ids of passages that may help to understand it.
            asked: what answers the text taken as a question about the rules, where it may be meant as one.
        """
        sources = Sources(self.corpus, day, self.labels["unverified"])
        scope = next((f for f in made.findings if f.step == "scope"), None)
        verdict = {
            "label": self.labels["scope_variants"].get(made.variant) or self.labels["scope"][made.scope],
            "sureness": "" if made.scope == OPEN else f"（{self._sureness(made.confidence)}）",
            "reason": (scope.reason + sources.mark(*scope.provisions)).rstrip("。") if scope else "",
            "open": made.scope == OPEN or made.confidence < self.labels["tentative_below"],
            "tentative": made.scope != OPEN and made.confidence < self.labels["tentative_below"],
        }
        steps = [
            f
            for f in made.findings
            if f.step in ("subject", "nature", "situation", "exemption", "mitigation")
        ]
        responsibility = next((f for f in made.findings if f.step == "responsibility"), None)
        shows_candidates = made.scope != OPEN and all(c.candidate for c in made.clauses[:1])
        shown = {
            "verdict": verdict,
            "questions": [
                {"text": m.question, "outcomes": self._outcomes(m.outcomes, made)} for m in made.missing_facts
            ],
            "findings": [
                {
                    "mark": self.labels["status"][f.status],
                    "title": f.title,
                    "reason": f.reason + sources.mark(*f.provisions),
                    "words": self._words(f, facts),
                }
                for f in steps
            ],
            "clauses": [
                self._clause(c, sources)
                for c in made.clauses[:CLAUSES_SHOWN]
                if shows_candidates or not c.candidate
            ],
            "versions": [f.reason + sources.mark(*f.provisions) for f in made.findings if f.step == "time"],
            "responsibility": (
                f"{made.responsibility}：{responsibility.reason}{sources.mark(*responsibility.provisions)}"
                if responsibility and made.responsibility
                else ""
            ),
            "measures": [reason + sources.mark(*basis) for reason, basis in made.measures],
            "periods": self._periods_of({f.value for f in facts if f.name == "measure"}, sources),
            "exemptions": [
                f"{self.labels['exemption'][e.status]}{e.effect}：{e.reason}{sources.mark(e.id)}"
                for e in made.exemptions
                if made.scope in self.labels["exemptions_matter"]
            ],
            "routes": [self._route(route, sources) for route in made.routes],
            "deadline_note": self._deadline_note(made.routes),
            "signals": [
                f"**{s.name}**：{s.reason}{sources.mark(*s.provisions)}{_quoted(s.evidence)}"
                for s in made.misuse_signals
            ],
            "others": [
                f"**{o.who}**：{o.reason}{sources.mark(*o.provisions)}" for o in made.others[:OTHERS_SHOWN]
            ],
            "rules": self._asked(asked, sources) if asked else [],
            "cases": self._cases(cases, sources),
            "commentary": [self._comment(id, sources) for id in self._ranked(commentary)],
            "notices": [escape_markdown(n) for n in notices],
            "disclaimer": self.labels["disclaimer"],
            "day": day.isoformat(),
        }
        citations = sources.citations()
        answer = self.prompts.render("scenario.md.j2", sources=self._source_list(citations), **shown)
        return answer, citations

    def with_notice(self, answer: str, notice: str) -> str:
        """An answer with one more notice before its sources, or at its end where it names none."""
        text, mark, sources = answer.partition("\n**来源**")
        return f"{text.rstrip()}\n\n> {escape_markdown(notice)}\n{mark}{sources}".rstrip()

    def _asked(self, reply: Reply, sources: Sources) -> list[str]:
        periods = [self.period_sentence(row, sources) + "。" for row in reply.periods]
        lines = (*reply.first, *reply.items) or reply.more[:1]
        return periods + [self._line(line, sources) for line in lines]

    def _cases(self, cases: Sequence[tuple[Mapping[str, Any], tuple[str, ...]]], sources: Sources) -> str:
        told = [{**case, "marks": sources.mark(*basis)} for case, basis in cases]
        return self.prompts.render("cases.md.j2", cases=told) if told else ""

    def _sureness(self, confidence: float) -> str:
        return str(next(row["words"] for row in self.labels["sureness"] if confidence >= row["from"]))

    def _outcomes(self, outcomes: Sequence[tuple[str, str]], made: Determination) -> str:
        """What each answer would mean, answers with one meaning put together."""
        grouped: dict[str, list[str]] = {}
        for value, label in outcomes:
            grouped.setdefault(label, []).append(value)
        unchanged = self.labels["scope"][made.scope]
        said = [
            f"{'、'.join(values)}→{label if label != unchanged else self.labels['unchanged'][made.scope == OPEN]}"
            for label, values in grouped.items()
        ]
        return f"（{'；'.join(said)}）"

    def _words(self, finding: Finding, facts: Sequence[Fact]) -> str:
        words = [f.evidence for f in facts if f.name in finding.facts and f.evidence]
        return _quoted("”“".join(dict.fromkeys(words[:2])))

    def _clause(self, clause: Clause, sources: Sources) -> str:
        lead = self.labels["maybe"] if clause.candidate else ""
        return f"{lead}{clause.label}：{self.corpus.provision(clause.id).topic}{sources.mark(clause.id)}"

    def _route(self, route: Route, sources: Sources) -> dict[str, Any]:
        steps = []
        for step in route.steps:
            words = f"{step.name}：{step.to}" if "向" in step.to else f"{step.name}：向{step.to}提出"
            within = self._said(step.within, step.basis)
            if within:
                words += f"，{within}"
            if within and step.deadline:
                words += f"（最迟 **{step.deadline.isoformat()}**）"
            if step.form:
                words += f"，{step.form}"
            if decided := self._said(step.decided_within, step.basis):
                words += f"；对方{decided}"
            basis = sources.mark(*step.basis)
            doubt = "" if self.labels["unverified"] in basis else self._doubt(step.confidence)
            steps.append(words + doubt + basis)
        name = route.name + self._doubt(route.confidence)
        told = route.effect_on_execution not in self.labels["effects_not_told"]
        effect = ""
        if told:
            words = route.effect_on_execution
            words = words if "期间" in words else f"申诉期间，原决定{words}"
            effect = words + sources.mark(*route.effect_basis)
        return {"name": name, "steps": steps, "effect": effect}

    def _said(self, words: str, basis: Iterable[str]) -> str:
        """A time limit, or nothing where what is in force on the day does not say it."""
        found = (self.corpus.provision(id) for id in basis)
        said = frozenset().union(*(said_periods(f"{p.digest or ''}\n{p.text or ''}") for p in found))
        return words if said_periods(words) <= said else ""

    def _deadline_note(self, routes: Sequence[Route]) -> str:
        if any(step.deadline for route in routes for step in route.steps):
            return str(self.labels["deadlines"]["note"])
        return str(self.labels["deadlines"]["ask"]) if routes else ""

    def _source_list(self, citations: Iterable[Citation]) -> list[str]:
        """What stands below the answer: labels only; the words themselves are shown beside or after it."""
        return [f"{c.n}. {c.label}{self._doubt(c.confidence)}{_cautioned(c.caution)}" for c in citations]

    def _doubt(self, confidence: str) -> str:
        return f"（{self.labels['unverified']}）" if confidence == "memory" else ""

    # -------------------------------------------------------------- influence periods

    def _periods_of(self, measures: Iterable[str], sources: Sources) -> list[str]:
        wanted = set(measures)
        rows = [r for r in self.periods if wanted & {r.measure, *r.names}]
        return [self.period_sentence(row, sources) for row in rows]

    def period_sentence(self, row: PeriodRow, sources: Sources) -> str:
        """One row of the table of influence periods as a sentence with its marks."""
        consequences = "；".join(row.consequences[:CONSEQUENCES_SHOWN])
        if row.period_words:
            words = f"{row.measure}的影响期：{row.period_words}；期间{consequences}"
        else:
            words = f"{row.measure}：{consequences}"
        mark = sources.mark(*row.legal_basis[:PERIOD_BASIS_SHOWN])
        doubt = "" if self.labels["unverified"] in mark else self._doubt(row.confidence)
        return words + mark + doubt

    # -------------------------------------------------------------- a question about the rules

    def knowledge(
        self,
        reply: Reply,
        routes: Sequence[Route],
        versions: Sequence[Finding],
        commentary: Sequence[str],
        day: date,
        notices: Sequence[str],
    ) -> tuple[str, tuple[Citation, ...]]:
        """The answer to a question about the rules: the answer first, then where it stands.

        Args:
            reply: what answers the question, and what stands beside it.
            routes: remedy routes that the question asks about; they come before what was found.
            commentary: passages that may help to understand it; they stand last and say what they are.
            versions: which version applies, where the question says when something happened.
        """
        sources = Sources(self.corpus, day, self.labels["unverified"])
        first = [] if routes else [self._line(line, sources) for line in reply.first]
        lead = [self.period_sentence(row, sources) + "。" for row in reply.periods] + first
        blocks = [self._route(route, sources) for route in routes]
        items = [] if routes else [self._line(line, sources) for line in reply.items]
        beside = (*reply.first, *reply.more)[: len(reply.more)] if routes else reply.more
        more = [self._line(line, sources) for line in beside]
        if not (lead or items or blocks):
            lead = [self.labels["notices"]["nothing_found"]]
        versions_said = [f.reason + sources.mark(*f.provisions) for f in versions]
        comments = [self._comment(id, sources) for id in self._ranked(commentary)]
        citations = sources.citations()
        answer = self.prompts.render(
            "knowledge.md.j2",
            lead=lead,
            items=items,
            routes=blocks,
            deadline_note=self._deadline_note(routes),
            versions=versions_said,
            more=more,
            commentary=comments,
            notices=[escape_markdown(n) for n in notices],
            sources=self._source_list(citations),
            day=day.isoformat(),
        )
        return answer, citations

    def _line(self, line: Line, sources: Sources) -> str:
        words = line.words
        if line.verbatim:
            words = f"{self.labels['verbatim']}：“{_beginning(words)}”"
        head = f"**{line.head}**" if line.head else ""
        if head and not line.head.endswith("）"):
            head += "："
        cautions = {self.corpus.provision(id).instrument.caution for id in line.provisions[:1]}
        source = f"——{line.source}{_cautioned(''.join(cautions))}" if line.source else ""
        return f"{head}{words}{sources.mark(*line.provisions)}。{source}"

    def _ranked(self, ids: Sequence[str]) -> list[str]:
        """Official interpretation before commentary; inside each as it was found."""
        shown = sorted(ids, key=lambda id: self.corpus.provision(id).instrument.rank)
        return shown[:COMMENTS_SHOWN]

    def _comment(self, id: str, sources: Sources) -> dict[str, str]:
        """A passage of an article, quoted; what it cites of superseded rules is said beside it."""
        provision = self.corpus.provision(id)
        words = escape_markdown(_beginning(provision.text or ""))
        found = find_references(provision.text or "", self.corpus, sources.day)
        old = dict.fromkeys(r.notice for r in found if r.status == "superseded")
        name = self.labels["authority"][provision.instrument.authority]
        return {
            "words": f"{name}：“{words}”{sources.mark(id)}",
            "label": escape_markdown(provision.label),
            "warning": self.labels["quotes_superseded"].format(notices="".join(old)) if old else "",
        }

    def decline(
        self, reason: Declined, day: date, notices: Sequence[str]
    ) -> tuple[str, tuple[Citation, ...]]:
        """The short, polite refusal: why, what the rules say of it, and what can be done instead."""
        words = self.prompts.wording("declined.yaml")[reason]
        sources = Sources(self.corpus, day, self.labels["unverified"])

        def marked(lines: Iterable[Mapping[str, Any]]) -> list[str]:
            said = [
                (line["words"], line.get("basis"), sources.mark(*line.get("basis", ()))) for line in lines
            ]
            return [text + mark for text, basis, mark in said if mark or not basis]

        law, instead = marked(words.get("law", ())), marked(words["instead"])
        citations = sources.citations()
        answer = self.prompts.render(
            "decline.md.j2",
            lead=words["lead"],
            law=law,
            instead=instead,
            notices=[escape_markdown(n) for n in notices],
            sources=self._source_list(citations),
            day=day.isoformat(),
        )
        return answer, citations


def _beginning(text: str, length: int = QUOTED) -> str:
    """The first sentences of a text, word for word; …… stands for what is left out.

    >>> _beginning("甲。乙乙。", 4), _beginning("甲。乙")
    ('甲。……', '甲。乙')
    """
    one = text.strip().replace("\n", "")
    if len(one) <= length:
        return one
    cut = max(one.rfind(mark, 0, length) for mark in "。；！？") + 1
    return one[: cut or length] + "……"


def _cautioned(caution: str) -> str:
    return f"（注意：{caution}）" if caution else ""


def _quoted(words: str) -> str:
    return f"（您说的：“{escape_markdown(words)}”）" if words else ""
