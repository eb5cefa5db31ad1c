"""Letters that a person can hand in, from what he told and what was determined: appeal, review, statement, report.

Comes in: the story, an :class:`~assistant.model.Advice`, the day, the day a decision was received. Goes out:
:class:`Draft`, text in the notation of :mod:`assistant.documents.official`. Raises ``DraftError`` where there is
nothing to write from. What the person did not say stays a blank 【 】; every point rests on a provision that the
advice names and that is in force on the day; what counts against him is neither told nor denied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assistant.documents.official import HINT
from assistant.errors import DraftError, KnowledgeError
from assistant.grounds import Citing, Point, Reasons, Sheet
from assistant.law.days import read_received_date
from assistant.law.drafts import DraftRules, load_drafts
from assistant.law.remedies import only_steps, routes_with_deadlines
from assistant.law.tables import said_periods
from assistant.law.text import number_to_chinese
from assistant.model import Advice, Determination, Fact, Route, RouteStep
from assistant.prompts import Prompts
from assistant.steps.determination import Law

_DECIDED = ("已作决定", "已申诉")
_APPEALED = "已申诉"


@dataclass(frozen=True)
class DraftKind:
    """A letter that can be written. ``fits``: it is for the stage that was reached; ``why``: one sentence."""

    id: str
    name: str
    fits: bool
    why: str


@dataclass(frozen=True)
class Draft:
    """``grounds`` are the provisions it cites, in order."""

    kind: str
    title: str
    text: str
    grounds: tuple[str, ...]


@dataclass(frozen=True)
class _Station:
    """A step of a route that a letter is for; ``earlier``: steps before it that lead to a decision of their own."""

    route: Route
    step: RouteStep
    earlier: int


class Drafter:
    """Writes letters; holds wording and rules, nothing about any case."""

    def __init__(self, prompts: Prompts, law: Law, rules: DraftRules) -> None:
        """
        Raises:
            KnowledgeError: wording is missing.
        """
        self._prompts, self._law, self._rules = prompts, law, rules
        self._words = prompts.wording("drafts/wording.yaml")
        self._points = prompts.wording("drafts/points.yaml")
        self._labels = prompts.wording("labels.yaml")
        self._check_wording()
        matter = self._labels["exemptions_matter"]
        self._reasons = Reasons(law, rules, self._words, self._points, matter)

    @classmethod
    def of(cls, prompts: Prompts, law: Law, knowledge: Path) -> Drafter:
        """A drafter with the rules of a knowledge folder. Raises ``KnowledgeError``."""
        return cls(prompts, law, load_drafts(knowledge))

    @property
    def notation(self) -> str:
        """One line that tells how the text is written."""
        return str(self._words["notation"])

    # ------------------------------------------------------------------ which letters

    def kinds(self, advice: Advice, received: date | None = None) -> tuple[DraftKind, ...]:
        """The letters that can be written, those for the stage reached first; none for what is no situation."""
        if advice.determination is None or advice.supposed:
            return ()
        found = []
        question = advice.question
        received = received or question.received or read_received_date(question.text, question.day)
        citing = self._citing(question.day)
        for kind in self._rules.kinds:
            station = self._station(kind, advice)
            if station is None and kind != "explanation":
                continue
            fits, why = self._fits(kind, station, advice, received)
            made = DraftKind(kind, self._name(kind), fits, self._why(why, station, citing))
            found.append((not fits, station.earlier if station else 0, made))
        return tuple(made for _, _, made in sorted(found, key=lambda row: row[:2]))

    def _fits(
        self, kind: str, station: _Station | None, advice: Advice, received: date | None
    ) -> tuple[bool, str]:
        """Whether a letter is for the stage reached, and which sentence says so."""
        stage = _values(advice.facts, "stage")
        appealed = _APPEALED in stage
        decided = bool(set(_DECIDED) & stage or received or (not stage and _values(advice.facts, "measure")))
        when = self._rules.kinds[kind].when
        if kind == "explanation":
            return not decided or station is not None, "explanation"
        if when == "before":
            return not decided, "before" if decided else "now"
        if not decided:
            return False, "after"
        if station and station.earlier and not appealed and not self._may_come_first(station):
            return False, "later"
        return True, "now"

    def _may_come_first(self, station: _Station) -> bool:
        """Whether the step may also be taken without the one before it."""
        row = self._law.remedies[station.route.id]
        return any(s.name == station.step.name and s.instead for s in row.steps)

    def _why(self, form: str, station: _Station | None, citing: Citing) -> str:
        words = self._words["why"]
        if station is None or form == "explanation":
            return str(words["explanation"])
        step = station.step
        texts = [f"{p.digest or ''}\n{p.text or ''}" for p in citing.usable(step.basis)]
        known = said_periods(step.within) <= frozenset().union(*map(said_periods, texts))
        within = self._words["within"].format(within=step.within) if step.within and known else ""
        return str(
            words[form].format(
                route=station.route.name,
                name=step.name,
                to=step.to,
                within=within,
                basis=citing.names(step.basis),
            )
        )

    def _station(self, kind: str, advice: Advice) -> _Station | None:
        """The step of the first route that a letter of this kind is for; a second appeal where one was made."""
        stations = self._stations(kind, advice)
        return stations[0] if stations else None

    def _stations(self, kind: str, advice: Advice) -> list[_Station]:
        """For each route its step, in order; only those whose basis can be cited."""
        made = advice.determination
        if made is None:
            return []
        wanted = self._rules.kinds[kind].steps
        later = {s for k in self._rules.kinds.values() if k.when == "after" for s in k.steps}
        appealed = _APPEALED in _values(advice.facts, "stage")
        citing = self._citing(advice.question.day)
        stations = []
        for route in self._in_order(made.routes, advice.question.text):
            steps = [s for s in route.steps if s.name in wanted and citing.usable(s.basis)]
            if not steps:
                continue
            step = steps[-1] if appealed else steps[0]
            before = route.steps[: route.steps.index(step)]
            stations.append(_Station(route, step, sum(s.name in later for s in before)))
        return stations

    def _in_order(self, routes: Sequence[Route], story: str) -> list[Route]:
        last = {id for id, said in self._rules.last_unless_said.items() if not said.search(story)}
        return sorted(routes, key=lambda route: route.id in last)

    def _citing(self, day: date) -> Citing:
        return Citing(self._law.corpus, day, self._words["law"])

    def _name(self, kind: str) -> str:
        return str(self._words["kinds"][kind]["name"])

    # ------------------------------------------------------------------ one letter

    def draft(self, kind: str, story: str, advice: Advice, day: date, received: date | None) -> Draft:
        """The letter as text.

        Args:
            kind: an id of :meth:`kinds`.
            story: what the person told, as he wants to see it; set into the letter word for word.
            day: the day on which the letter is dated and the law is read.
            received: the day the decision was received, where known.

        Raises:
            DraftError: there is no situation to write about, or no step that such a letter is for.
        """
        made = self._determined(kind, story, advice, day, received)
        station = self._station(kind, advice)
        if station is None and kind != "explanation":
            names = "、".join(k.name for k in self.kinds(advice, received))
            raise self._refused("no_step", name=self._name(kind), names=names)
        received = received or read_received_date(story, day)
        citing = self._citing(day)
        sheet = Sheet(story, advice.facts, made)
        text = self._text(kind, station, sheet, citing, advice, day, received)
        title = next(line for line in text.splitlines() if line and not line.startswith(HINT))
        return Draft(kind, title, text, tuple(citing.cited))

    def _determined(
        self, kind: str, story: str, advice: Advice, day: date, received: date | None
    ) -> Determination:
        if kind not in self._rules.kinds:
            names = "、".join(f"{self._name(k)}（{k}）" for k in self._rules.kinds)
            raise self._refused("unknown_kind", kind=kind[:20], names=names)
        if advice.determination is None:
            raise self._refused("knowledge" if advice.kind == "knowledge" else "declined")
        if advice.supposed:
            raise self._refused("supposed")
        if not story.strip():
            raise self._refused("story")
        if received and received > day:
            raise self._refused("future", received=self._date(received))
        return advice.determination

    def _refused(self, reason: str, **values: str) -> DraftError:
        return DraftError(self._words["errors"][reason].format(**values))

    def _text(
        self,
        kind: str,
        station: _Station | None,
        sheet: Sheet,
        citing: Citing,
        advice: Advice,
        day: date,
        received: date | None,
    ) -> str:
        words = self._words["kinds"][kind]
        whose = "organisation" if sheet.organisation else "person"
        me = str(self._words["me"][whose])
        after = self._rules.kinds[kind].when == "after"
        basis = citing.names(station.step.basis) if station else ""
        correction = self._correction(station) if after else []
        points = [
            *self._basis(words["verb"], station, correction, citing),
            *self._reasons.points(sheet, citing, me),
            Point(self._words["other"]["heading"], tuple(self._words["other"]["lines"]), ()),
        ]
        return self._prompts.render(
            words["template"],
            hints=self._hints(kind, station, sheet, citing, advice, received, day),
            title=words["title"],
            addressee=self._addressee(station, sheet.story),
            role=words["role"],
            who=self._words["who"][whose].format(post=self._post(sheet.story)),
            me=me,
            decision=self._decision(station, sheet, received),
            basis=self._words["basis"].format(laws=basis) if basis else "",
            verb=words["verb"],
            requests=self._requests(after, citing, correction, sheet.made, me),
            story=_quoted_story(sheet.story),
            points=[
                {"number": number_to_chinese(n), "heading": p.heading, "lines": p.lines}
                for n, p in enumerate(points, 1)
            ],
            closing=words["closing"],
            attachments=self._attachments(after, station, points),
            signature=self._words["signature"][whose],
            date=self._date(day),
        )

    def _basis(
        self, verb: str, station: _Station | None, correction: Sequence[str], citing: Citing
    ) -> list[Point]:
        """By which provisions the letter is written at all."""
        step = station.step if station else None
        law = citing.laws(step.basis, f"{step.name}{step.to}") if step else []
        law += citing.laws(correction, "")
        return [Point(self._words["basis_heading"].format(verb=verb), tuple(law), ())] if law else []

    def _date(self, day: date) -> str:
        return str(self._words["date"].format(year=day.year, month=day.month, day=day.day))

    # ------------------------------------------------------------------ who, to whom, about what

    def _post(self, story: str) -> str:
        """The post as the person named it himself; a blank where he did not."""
        words = _first_match(self._rules.introductions, story)
        form = "given" if words else "blank"
        return str(self._words["post"][form].format(words=words))

    def _decider(self, story: str) -> str:
        """The body that decided, as far as the person named it; "" where he did not."""
        words = _first_match(self._rules.deciders, story)
        return self._words["addressee"]["given"].format(words=words) if words else ""

    def _is_of_the_kind(self, named: str, wanted: str) -> bool:
        return all(
            words.search(named.split("【")[0])
            for kind, words in self._rules.decider_fits.items()
            if kind in wanted
        )

    def _addressee(self, station: _Station | None, story: str) -> str:
        words = self._words["addressee"]
        if station is None:
            return str(words["nobody"])
        decides = self._rules.decider_step.match(station.step.to) and not station.earlier
        named = self._decider(story) if decides else ""
        if named and self._is_of_the_kind(named, station.step.to):
            return named
        return str(words["blank"].format(to=station.step.to))

    def _decision(self, station: _Station | None, sheet: Sheet, received: date | None) -> str:
        words = self._words["decision"]
        later = bool(station and station.earlier and not self._may_come_first(station))
        if later:
            day = words["review_day"]
        else:
            day = words["received"].format(day=self._date(received)) if received else words["no_day"]
        told = sheet.measures(self._rules.measures_left_out)
        measures = words["measures"].format(measures="、".join(told)) if told else ""
        decider = words["decider"] if later else self._decider(sheet.story) or words["decider"]
        form = words["later" if later else "first"]
        return str(form.format(decider=decider, measures=measures, received=day))

    def _correction(self, station: _Station | None) -> list[str]:
        if station is None:
            return []
        held = set(station.route.legal_basis)
        return [id for id in self._rules.correction if id in held]

    def _requests(
        self, after: bool, citing: Citing, correction: Sequence[str], made: Determination, me: str
    ) -> list[str]:
        words = self._words["requests"]
        if not after:
            return [words["statement"].format(me=me, options=words["statement_options"][made.scope])]
        laws = citing.names(correction)
        form = words["correct"] if laws else words["plain"]
        return [form.format(laws=laws, options=words["options"][made.scope]), words["told"].format(me=me)]

    def _attachments(self, after: bool, station: _Station | None, points: Sequence[Point]) -> list[str]:
        words = self._words["attachments"]
        first = [words["decision"]] if after else []
        if after and station and station.earlier:
            first.append(words["earlier"])
        return list(dict.fromkeys([*first, *(p for point in points for p in point.proofs), words["other"]]))

    # ------------------------------------------------------------------ what only the person sees

    def _hints(
        self,
        kind: str,
        station: _Station | None,
        sheet: Sheet,
        citing: Citing,
        advice: Advice,
        received: date | None,
        day: date,
    ) -> list[str]:
        words = self._words["hints"]
        hints = [words["check"], words["story"]]
        if said := words.get(sheet.made.scope):
            hints.append(said)
        if self._rules.kinds[kind].when != "after" or station is None:
            return hints
        apart = self._citing(day)  # what only the person reads is no ground of the letter
        last = self._last_day(station, received)
        if last and received:
            form = words["late" if last < day else "deadline"]
            basis = apart.names(station.step.basis)
            hints.append(
                form.format(
                    name=station.step.name,
                    last=self._date(last),
                    received=self._date(received),
                    basis=basis,
                )
            )
        elif received is None and not station.earlier:
            hints.append(words["no_day"])
        hints += [
            words["other_route"].format(route=other.route.name, basis=apart.names(other.step.basis))
            for other in self._stations(kind, advice)[1:]
        ]
        return hints

    def _last_day(self, station: _Station, received: date | None) -> date | None:
        row = only_steps(self._law.remedies[station.route.id], [station.step.name])
        counted = routes_with_deadlines([row], received, lambda _: True)
        return counted[0].steps[0].deadline if counted else None

    # ------------------------------------------------------------------ wording

    def _check_wording(self) -> None:
        """Every letter, exemption and signal that may be told has its words."""
        rows = self._law.tables["exemptions"].rows
        wanted = {
            "exemptions": {
                str(r.then["provision"]) for r in rows if r.then.get("group") in ("exemption", "mitigation")
            },
            "signals": set(self._labels["signals"]) - self._rules.signals_left_out,
            "procedure": set(self._rules.procedure),
        }
        for part, names in wanted.items():
            if missing := names - set(self._points[part]):
                raise KnowledgeError(
                    f"{part} 缺少措辞：{'、'.join(sorted(missing))}，请补上。",
                    "prompts/drafts/points.yaml",
                    1,
                )
        if missing := set(self._rules.kinds) ^ set(self._words["kinds"]):
            raise KnowledgeError(
                f"文书的种类与 drafting.yaml 对不上：{'、'.join(sorted(missing))}。",
                "prompts/drafts/wording.yaml",
                1,
            )
        steps = {f"{s}/{r.id}" for s in ("subject", "nature", "situation") for r in self._law.tables[s].rows}
        if unknown := set(self._points["findings"]) - steps:
            raise KnowledgeError(
                f"findings 里的 {'、'.join(sorted(unknown))} 在决策表里没有。",
                "prompts/drafts/points.yaml",
                1,
            )


def _values(facts: Iterable[Fact], name: str) -> set[str]:
    return {f.value for f in facts if f.name == name}


def _first_match(patterns: Iterable[re.Pattern[str]], text: str) -> str:
    found = (match["words"] for p in patterns if (match := p.search(text)))
    return next(found, "")


def _quoted_story(story: str) -> list[str]:
    """The story in quotation marks, one before each paragraph, so that none is taken for a heading.

    >>> _quoted_story("一、出事了。\\n\\n我报告过。")
    ['“一、出事了。', '“我报告过。”']
    """
    paragraphs = [f"“{line.strip()}" for line in story.splitlines() if line.strip()]
    return [*paragraphs[:-1], f"{paragraphs[-1]}”"]
