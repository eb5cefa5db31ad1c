"""Remedy routes with their last days.

Comes in: rows of the tables, the day a decision was received. Goes out: :class:`~assistant.model.Route`.
How days are counted is written at :func:`last_day`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date

from dateutil.relativedelta import relativedelta

from assistant.law.tables import RemedyRow, RemedyStep
from assistant.model import Limit, Route, RouteStep

FROM_RECEIPT = ("decision_received", "decision_known")  # knowing a decision is counted as receiving it


def last_day(start: date, limit: Limit) -> date | None:
    """The last day of a period that begins the day after ``start``; None where no period is fixed.

    Months and years end on the day of the same number, or on the last day of a shorter month. Days are calendar
    days; holidays are not taken into account.

    >>> last_day(date(2026, 1, 31), Limit(1, "月", "收到决定之日"))
    datetime.date(2026, 2, 28)
    >>> last_day(date(2026, 3, 1), Limit(30, "日", "知道之日"))
    datetime.date(2026, 3, 31)
    """
    if limit.value is None or limit.unit is None:
        return None
    if limit.unit == "日":
        return start + relativedelta(days=limit.value)
    if limit.unit == "月":
        return start + relativedelta(months=limit.value)
    return start + relativedelta(years=limit.value)


def limit_words(limit: Limit) -> str:
    """A time limit in words: ``自收到问责决定之日起1个月内``, or what the rule says where no period is fixed.

    >>> limit_words(Limit(1, "月", "收到问责决定之日"))
    '自收到问责决定之日起1个月内'
    >>> limit_words(Limit(None, None, "未规定期限"))
    '未规定期限'
    >>> limit_words(Limit(30, "日", "直接申诉的，知道处分之日"))
    '直接申诉的，自知道处分之日起30日内'
    """
    if not limit.amount:
        return limit.counted_from
    words = f"{limit.amount}内"
    if limit.counted_from:
        way, start = way_and_start(limit)
        words = f"{way}{'，' if way else ''}自{start}起{words}"
    return words + (f"（{limit.extension}）" if limit.extension else "")


def way_and_start(limit: Limit) -> tuple[str, str]:
    """The way for which a limit is meant, "" where there is one way only, and the event it is counted from.

    >>> way_and_start(Limit(30, "日", "直接申诉的，知道处分之日")), way_and_start(Limit(1, "月", "收到决定之日"))
    (('直接申诉的', '知道处分之日'), ('', '收到决定之日'))
    """
    way, _, start = limit.counted_from.removesuffix("后").rpartition("，")
    return way, start


def only_steps(row: RemedyRow, names: Collection[str]) -> RemedyRow:
    """The route with the named steps alone, for a route whose steps answer different decisions."""
    return replace(row, steps=tuple(step for step in row.steps if step.name in names))


def routes_with_deadlines(
    rows: Iterable[RemedyRow], received: date | None, in_force: Callable[[str], bool]
) -> tuple[Route, ...]:
    """Routes as they are shown on a day. What rests on nothing in force on that day is left out: a step, a route."""
    routes = []
    for row in rows:
        basis = tuple(filter(in_force, row.legal_basis))
        steps = tuple(_step(s, received, in_force) for s in row.steps if any(map(in_force, s.basis)))
        if not basis or not steps:
            continue
        effect_basis = tuple(filter(in_force, row.effect_basis))
        routes.append(
            Route(
                id=row.id,
                name=row.name,
                who=row.who,
                decision=row.decision,
                steps=steps,
                effect_on_execution=row.effect_on_execution,
                effect_basis=effect_basis,
                legal_basis=basis,
                confidence=row.confidence,
                note=row.note,
            )
        )
    return tuple(routes)


def _step(step: RemedyStep, received: date | None, in_force: Callable[[str], bool]) -> RouteStep:
    limits = (step.within, step.instead) if step.instead else (step.within,)
    dates = [last_day(received, limit) for limit in limits if received and limit.start in FROM_RECEIPT]
    decided = limit_words(step.decided_within) if step.decided_within else ""
    return RouteStep(
        name=step.name,
        to=step.to,
        within="；".join(map(limit_words, limits)),
        deadline=next(filter(None, dates), None),
        decided_within=f"{decided}作出处理" if step.decided_within and step.decided_within.value else "",
        form=step.form,
        confidence=step.confidence,
        basis=tuple(filter(in_force, step.basis)),
        limits=limits,
        counting=tuple(filter(in_force, step.counting)),
        excuse=step.excuse if step.excuse and all(map(in_force, step.excuse.basis)) else None,
    )
