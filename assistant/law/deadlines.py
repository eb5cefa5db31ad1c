"""The last days of a remedy, as somebody can rely on them.

Comes in: the routes of a determination, the day a decision was received, today. Goes out: a :class:`Deadline` for
every period of every step, and a calendar file. Periods are taken from the structured limits of a step, never from
words. Wording is ``deadlines`` of ``prompts/labels.yaml``.

``last`` is always the strict day: it is not moved for a holiday, so that nobody is late by relying on it. Where a
rule in stock moves it (``counting``), ``moved_to`` says to which day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from assistant.law.remedies import FROM_RECEIPT, last_day, limit_words, way_and_start
from assistant.law.tables import said_periods
from assistant.law.workdays import (
    exchanged,
    holidays_around,
    last_worked,
    next_worked,
    published,
    works,
)
from assistant.model import Confidence, Excuse, Limit, Provision, Route, RouteStep

REMIND_BEFORE = (7, 3, 1)  # days
REMIND_AT = timedelta(hours=9)
_OURS = UUID("6c7c5a52-5c0e-5a0b-9d55-7a656d696e67")  # names the events of this program apart from all others
_DAY = timedelta(days=1)

Words = Mapping[str, Any]  # the labels
Find = Callable[[str], Provision]  # a provision by its id


@dataclass(frozen=True)
class Deadline:
    """One period of one step of a route. ``id`` is the same for the same step on every day: RR04/申诉, RR04/申诉/2."""

    id: str
    route: str  # its id
    route_name: str
    step: str
    to: str
    form: str
    way: str  # for which way of taking the step it is meant: 不经复核直接申诉的; "" where there is one only
    within: str  # 自收到问责决定之日起1个月内, or what the rule says where it fixes no period
    counts_from: str  # 收到问责决定之日; "" where the rule fixes no period
    received: date | None  # the day it is counted from
    begins: date | None  # the first day that counts
    last: date | None  # the last day, counted strictly
    open: str  # what it waits for where ``last`` is not known, "" otherwise
    askable: bool  # not known, and known as soon as the day of ``counts_from`` is given for this ``id``
    weekday: str  # of ``last``: 周六
    rest: str  # what kind of day ``last`` is where it is no common working day: 周末, 国庆节放假, 调休上班
    moved_to: date | None  # the day to which a provision of ``counting`` moves ``last`` off a holiday
    hand_in_by: date | None  # the last working day up to ``last``
    days_left: int | None  # from today to ``last``; 0 on the last day, negative when it is over
    advice: str  # what to do because of all that, one sentence
    how: str  # how it was counted, and on what ground
    notes: tuple[str, ...]  # what else there is to know: the rule on missed periods, 放假安排未公布, 待核
    basis: tuple[str, ...]  # provision ids that say the period
    counting: tuple[
        str, ...
    ]  # provision ids that say how such periods are counted; empty where none is in stock
    excuse: Excuse | None  # what the rules say of missing it
    confidence: Confidence

    @property
    def over(self) -> bool:
        """Past, even where a provision moves it off a holiday."""
        if self.last is None or self.days_left is None:
            return False
        moved = (self.moved_to - self.last).days if self.moved_to else 0
        return self.days_left + moved < 0


def deadlines(
    routes: Iterable[Route],
    received: date | None,
    today: date,
    words: Words,
    find: Find,
    received_of: Mapping[str, date] | None = None,
) -> tuple[Deadline, ...]:
    """Every period of the routes, in their order.

    Args:
        received: the day the decision was received; None where it is not known.
        words: ``deadlines`` of the labels.
        find: gives the provision of an id, for its label and for what it says.
        received_of: the day a period is counted from, by the id of its deadline: when the decision on the review
            came, or another day than ``received`` for a decision that came apart.
    """
    days = received_of or {}
    return tuple(
        _deadline(route, step, number, limit, days, received, today, words, find)
        for route in routes
        for step in route.steps
        for number, limit in enumerate(step.limits, 1)
    )


def _deadline(
    route: Route,
    step: RouteStep,
    number: int,
    limit: Limit,
    days: Mapping[str, date],
    received: date | None,
    today: date,
    words: Words,
    find: Find,
) -> Deadline:
    id = f"{route.id}/{step.name}" + (f"/{number}" if number > 1 else "")
    way, event = way_and_start(limit) if limit.value else ("", "")
    start = days.get(id, received if limit.start in FROM_RECEIPT else None)
    last = last_day(start, limit) if start else None
    begins = start + _DAY if start and last else None
    moves = last and step.counting and not works(last) and published(last.year)
    moved_to = next_worked(last) if last and moves else None
    hand_in_by = last_worked(last, begins) if last and begins else None
    basis = _saying(limit, step.basis, find)
    told = _Told(words, find, today)
    return Deadline(
        id=id,
        route=route.id,
        route_name=route.name,
        step=step.name,
        to=step.to,
        form=step.form,
        way=way,
        within=limit_words(limit),
        counts_from=event,
        received=start if last else None,
        begins=begins,
        last=last,
        open="" if last else told.open(limit, event),
        askable=last is None and limit.value is not None,
        weekday=told.weekday(last) if last else "",
        rest=told.rest(last) if last else "",
        moved_to=moved_to,
        hand_in_by=hand_in_by,
        days_left=(last - today).days if last else None,
        advice=told.advice(last, moved_to, hand_in_by, step.counting) if last else "",
        how=told.how(limit, begins, step.counting) if begins else "",
        notes=told.notes(limit, last, step),
        basis=basis,
        counting=step.counting if limit.value else (),
        excuse=step.excuse,
        confidence=step.confidence,
    )


def _saying(limit: Limit, basis: Sequence[str], find: Find) -> tuple[str, ...]:
    """Of the provisions of a step the first that names the period; all of them where there is no period to name.

    Only the first: a later one may say the same number of days of the decision that follows.
    """
    said = said_periods(limit.amount)
    for id in basis if said else ():
        provision = find(id)
        if said <= said_periods(f"{provision.digest or ''}\n{provision.text or ''}"):
            return (id,)
    return tuple(basis)


@dataclass(frozen=True)
class _Told:
    """Puts a deadline into words."""

    words: Words
    find: Find
    today: date

    def weekday(self, day: date) -> str:
        return str(self.words["weekdays"][day.weekday()])

    def day(self, day: date) -> str:
        """The year is said where it is not this one."""
        form = self.words["day" if day.year == self.today.year else "day_of_year"]
        return str(form.format(year=day.year, month=day.month, day=day.day, weekday=self.weekday(day)))

    def labels(self, ids: Iterable[str]) -> str:
        return "、".join(self.find(id).label for id in ids)

    def open(self, limit: Limit, event: str) -> str:
        if limit.value is None:
            kind = "no_period"
        elif limit.start in FROM_RECEIPT:
            kind = "not_received"
        else:
            kind = "event" if limit.start == "none" else "later_decision"
        said = self.words["open"][kind]
        decision = event.removesuffix("之日")
        return str(said.format(event=event, decision=decision, words=limit.counted_from))

    def rest(self, last: date) -> str:
        if works(last):
            return str(self.words["rest"]["exchanged"]) if exchanged(last) else ""
        names = dict.fromkeys(filter(None, map(self.words["holidays"].get, holidays_around(last))))
        kind = "holiday" if names else "weekend"
        return str(self.words["rest"][kind].format(names="、".join(names)))

    def advice(self, last: date, moved_to: date | None, by: date | None, counting: Sequence[str]) -> str:
        said, today = self.words["advice"], self.today
        end = moved_to or last
        if today > end:
            kind = "over"
        elif works(last):
            kind = "today" if today == last else "exchanged" if exchanged(last) else "working"
        elif by is None or today > by:
            kind = "moved_late" if moved_to else "late"
        else:
            kind = "moved" if moved_to else "resting"
        return str(
            said[kind].format(
                last=self.day(last),
                rest=self.rest(last) or self.weekday(last),
                by=self.day(by) if by else "",
                moved=self.day(moved_to) if moved_to else "",
                counting=self.labels(counting),
                days=(today - end).days,
            )
        )

    def how(self, limit: Limit, begins: date, counting: Sequence[str]) -> str:
        ground = self.words["ground"]["rule" if counting else "none"].format(labels=self.labels(counting))
        unit = self.words["units"][limit.unit or "日"]
        return str(self.words["how"].format(begins=self.day(begins), unit=unit, ground=ground))

    def notes(self, limit: Limit, last: date | None, step: RouteStep) -> tuple[str, ...]:
        if limit.value is None:
            return ()
        said, notes = self.words["notes"], []
        if limit.start == "decision_known":
            notes.append(said["known"])
        if last and not published(last.year):
            notes.append(said["unpublished"].format(year=last.year))
        if step.excuse:
            notes.append(
                said["excuse"].format(words=step.excuse.words, labels=self.labels(step.excuse.basis))
            )
        if step.confidence == "memory":
            notes.append(said["unverified"])
        return tuple(notes)


# ------------------------------------------------------------------ calendar


def calendar_file(found: Iterable[Deadline], stamp: datetime, words: Words, find: Find) -> bytes:
    """Known deadlines as a calendar (RFC 5545): whole days with reminders, an event also for the day to hand in by.

    The titles tell nothing of the case, since calendars are shared, and every event is marked private. The same
    deadline counted from the same day keeps its UID, so that a calendar that reads the file twice holds it once.

    Args:
        stamp: when the file is made, with its time zone.
    """
    from icalendar import Calendar  # late: only somebody who takes the file along needs it

    said = words["calendar"]
    calendar = Calendar.new(prodid=said["maker"], name=said["name"], method="PUBLISH", calscale="GREGORIAN")
    del calendar["UID"]  # made up anew for every file; the events have their own
    for deadline in found:
        for event in _events(deadline, stamp.astimezone(UTC), words, find):
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def _events(deadline: Deadline, stamp: datetime, words: Words, find: Find) -> Iterator[Any]:
    last, by = deadline.last, deadline.hand_in_by
    if last is None or deadline.days_left is None:
        return
    yield _event(deadline, "last", last, deadline.days_left, stamp, words, find)
    if by and by != last:
        yield _event(deadline, "hand_in", by, deadline.days_left - (last - by).days, stamp, words, find)


def _event(
    deadline: Deadline, kind: str, day: date, days_left: int, stamp: datetime, words: Words, find: Find
) -> Any:
    from icalendar import CLASS, TRANSP, Alarm, Event

    said, told, by = words["calendar"], _Told(words, find, date.min), deadline.hand_in_by
    title = said[kind].format(step=deadline.step)
    description = said["description"].format(
        to=deadline.to,
        within=deadline.within,
        labels=told.labels(deadline.basis),
        rest=said["rest"].format(rest=deadline.rest, by=told.day(by)) if by and by != deadline.last else "",
        doubt=said["unverified"] if deadline.confidence == "memory" else "",
    )
    return Event.new(
        uid=str(uuid5(_OURS, f"{deadline.id} {kind} {deadline.received}")),
        stamp=stamp,
        start=day,
        end=day + _DAY,
        summary=title,
        description=description,
        classification=CLASS.PRIVATE,
        transparency=TRANSP.TRANSPARENT,
        subcomponents=[
            Alarm.new_display(title, REMIND_AT - timedelta(days=before))
            for before in REMIND_BEFORE
            if before <= days_left
        ],
    )
