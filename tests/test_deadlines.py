"""Last days that somebody relies on: counted strictly, holidays told, nothing promised that no rule gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from icalendar import Calendar
from pydantic import TypeAdapter

from assistant.law.corpus import Corpus
from assistant.law.deadlines import Deadline, calendar_file, deadlines
from assistant.law.remedies import last_day, routes_with_deadlines
from assistant.law.tables import RemedyRow, load_remedies
from assistant.law.workdays import exchanged, holidays_around, published, works
from assistant.model import Limit, Provision, Route, RouteStep
from assistant.prompts import Prompts
from assistant.settings import Settings

DAY = date(2026, 11, 22)
STAMP = datetime(2026, 9, 10, 20, 30, tzinfo=timezone(timedelta(hours=8)))
MONTH = Limit(1, "月", "收到决定之日", "decision_received")


@pytest.fixture(scope="module")
def words(settings: Settings) -> Mapping[str, Any]:
    return Prompts(settings.prompts).wording("labels.yaml")["deadlines"]


@pytest.fixture(scope="module")
def remedies(settings: Settings, corpus: Corpus) -> dict[str, RemedyRow]:
    return load_remedies(settings.knowledge, corpus)


class Counter:
    """Computes deadlines of real routes, or of one step with a limit of its own."""

    def __init__(self, remedies: dict[str, RemedyRow], corpus: Corpus, words: Mapping[str, Any]) -> None:
        self.remedies, self.corpus, self.words = remedies, corpus, words

    def find(self, id: str) -> Provision:
        return self.corpus.provision(id)

    def routes(self, ids: Iterable[str], received: date | None) -> tuple[Route, ...]:
        def in_force(id: str) -> bool:
            return self.corpus.provision(id).instrument.in_force(DAY)

        return routes_with_deadlines([self.remedies[id] for id in ids], received, in_force)

    def of(
        self,
        ids: Iterable[str],
        received: date | None,
        today: date | None = None,
        received_of: Mapping[str, date] | None = None,
    ) -> dict[str, Deadline]:
        found = deadlines(
            self.routes(ids, received), received, today or DAY, self.words, self.find, received_of
        )
        assert len({one.id for one in found}) == len(found)
        return {one.id: one for one in found}

    def one(
        self, limit: Limit, received: date, today: date, counting: tuple[str, ...] = (), **more: Any
    ) -> Deadline:
        basis = ("wenze-2019#20",)
        step = RouteStep(
            "申诉", "原机关", "", None, "", "书面", "verified", basis, (limit,), counting, **more
        )
        route = Route("RR99", "试一试", "", "", (step,), "", basis, "verified")
        (found,) = deadlines([route], received, today, self.words, self.find)
        return found

    def file(self, found: Iterable[Deadline], stamp: datetime = STAMP) -> bytes:
        return calendar_file(found, stamp, self.words, self.find)


@pytest.fixture(scope="module")
def counter(remedies: dict[str, RemedyRow], corpus: Corpus, words: Mapping[str, Any]) -> Counter:
    return Counter(remedies, corpus, words)


# ------------------------------------------------------------------ counting


@pytest.mark.parametrize(
    ("received", "value", "unit", "begins", "last"),
    [
        ("2026-01-31", 1, "月", "2026-02-01", "2026-02-28"),  # a shorter month ends it
        ("2024-01-31", 1, "月", "2024-02-01", "2024-02-29"),  # a leap year
        ("2026-02-28", 1, "月", "2026-03-01", "2026-03-28"),  # the same number, not the end of the month
        ("2026-03-31", 1, "月", "2026-04-01", "2026-04-30"),
        ("2026-04-30", 1, "月", "2026-05-01", "2026-05-30"),
        ("2026-12-31", 1, "月", "2027-01-01", "2027-01-31"),  # over the end of the year
        ("2026-08-31", 6, "月", "2026-09-01", "2027-02-28"),
        ("2026-09-03", 1, "月", "2026-09-04", "2026-10-03"),
        ("2026-03-01", 30, "日", "2026-03-02", "2026-03-31"),
        ("2026-02-14", 15, "日", "2026-02-15", "2026-03-01"),
        ("2024-02-14", 15, "日", "2024-02-15", "2024-02-29"),
        ("2026-12-20", 15, "日", "2026-12-21", "2027-01-04"),
        ("2024-02-29", 1, "年", "2024-03-01", "2025-02-28"),
        ("2025-02-28", 1, "年", "2025-03-01", "2026-02-28"),
        ("2026-11-22", 2, "年", "2026-11-23", "2028-11-22"),
    ],
)
def test_periods_are_counted_by_the_calendar(
    counter: Counter, received: str, value: int, unit: Any, begins: str, last: str
) -> None:
    limit = Limit(value, unit, "收到决定之日", "decision_received")
    found = counter.one(limit, date.fromisoformat(received), date(2026, 1, 1))
    assert (found.begins, found.last) == (date.fromisoformat(begins), date.fromisoformat(last))
    assert found.received == date.fromisoformat(received)


@pytest.mark.parametrize(
    ("today", "left", "over"),
    [
        ("2026-02-01", 27, False),
        ("2026-02-27", 1, False),
        ("2026-02-28", 0, False),
        ("2026-03-01", -1, True),
        ("2027-02-28", -365, True),
    ],
)
def test_days_left_are_whole_days_and_the_last_day_itself_counts(
    counter: Counter, today: str, left: int, over: bool
) -> None:
    found = counter.one(MONTH, date(2026, 1, 31), date.fromisoformat(today))
    assert (found.days_left, found.over) == (left, over)


MONTH_ENDS = [
    "2023-12-31",
    "2024-01-31",
    "2024-02-29",
    "2025-12-30",
    "2026-01-29",
    "2026-01-31",
    "2026-02-28",
]


@pytest.mark.parametrize("received", [*MONTH_ENDS, "2026-04-30", "2026-08-31", "2026-12-31"])
def test_every_route_is_computed_around_the_ends_of_months(
    counter: Counter, remedies: dict[str, RemedyRow], received: str
) -> None:
    start = date.fromisoformat(received)
    found = counter.of(remedies, start)
    assert {one.route for one in found.values()} == set(remedies)
    steps = {(r.id, s.name): s for r in counter.routes(remedies, start) for s in r.steps}
    for one in found.values():
        step = steps[one.route, one.step]
        limit = step.limits[1 if one.id.endswith("/2") else 0]
        assert (one.last is None) == bool(one.open), one.id
        assert one.basis, one.id
        assert set(one.basis) <= set(step.basis), one.id
        if one.last is None:
            assert (one.days_left, one.advice, one.hand_in_by, one.begins) == (None, "", None, None), one.id
            assert one.askable == (limit.value is not None), one.id
            continue
        assert one.last == last_day(start, limit), one.id
        assert one.begins == start + timedelta(days=1), one.id
        assert one.hand_in_by, one.id
        assert works(one.hand_in_by), one.id
        assert one.begins <= one.hand_in_by <= one.last, one.id
        assert not any(map(works, _days(one.hand_in_by + timedelta(days=1), one.last))), one.id
        assert one.advice.endswith("。"), one.id
        assert one.how.endswith("。"), one.id
    for (route, name), step in steps.items():  # the contract gives the first date that is known
        known = [one.last for one in found.values() if (one.route, one.step) == (route, name) and one.last]
        assert step.deadline == (known[0] if known else None), (route, name)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


# ------------------------------------------------------------------ what a period waits for


def test_a_step_after_another_decision_waits_for_its_day(counter: Counter) -> None:
    found = counter.of(["RR08"], date(2026, 9, 3))
    assert found["RR08/复审"].last == date(2026, 10, 3)
    review = found["RR08/复核"]
    assert (review.last, review.askable) == (None, True)
    assert review.open == "要等收到复审决定，再从那一天起算"
    assert review.counts_from == "收到复审决定之日"
    told = counter.of(["RR08"], date(2026, 9, 3), received_of={"RR08/复核": date(2026, 10, 31)})
    assert told["RR08/复核"].last == date(2026, 11, 30)
    assert told["RR08/复核"].open == ""
    assert told["RR08/复审"] == found["RR08/复审"]


def test_two_ways_of_one_step_are_two_deadlines(counter: Counter) -> None:
    found = counter.of(["RR04"], date(2026, 3, 2), received_of={"RR04/申诉": date(2026, 4, 1)})
    after, direct = found["RR04/申诉"], found["RR04/申诉/2"]
    assert (after.way, after.last) == ("", date(2026, 4, 16))
    assert (direct.way, direct.last) == ("不经复核直接申诉的", date(2026, 4, 1))
    assert direct.counts_from == "知道该人事处理之日"


def test_a_decision_that_came_on_a_day_of_its_own(counter: Counter) -> None:
    found = counter.of(["RR08", "RR01"], date(2026, 9, 3), received_of={"RR01/申诉": date(2026, 9, 10)})
    assert found["RR08/复审"].last == date(2026, 10, 3)
    assert found["RR01/申诉"].last == date(2026, 10, 10)


@pytest.mark.parametrize(
    ("id", "open_", "askable"),
    [
        ("RR02/申诉", "不能推出固定的日子：未规定期限，可随时提出", False),
        ("RR15/起诉", "从收到仲裁裁决书之日起算，填上那一天就能算出", True),
        ("RR30/复核或申诉", "不能推出固定的日子：期限待核", False),
        ("RR04/再申诉", "要等接到申诉处理决定，再从那一天起算", True),
    ],
)
def test_what_is_open_says_why(counter: Counter, id: str, open_: str, askable: bool) -> None:
    found = counter.of([id.split("/")[0]], date(2026, 9, 3))[id]
    assert (found.last, found.open, found.askable) == (None, open_, askable)


def test_without_the_day_of_receipt_every_period_waits(
    counter: Counter, remedies: dict[str, RemedyRow]
) -> None:
    found = counter.of(remedies, None)
    assert all(one.last is None and one.open for one in found.values())
    assert found["RR01/申诉"].open == "从收到问责决定之日起算，填上收到决定的日子就能算出"


def test_the_provision_cited_is_the_one_that_says_the_period(counter: Counter) -> None:
    found = counter.of(["RR04", "RR11"], date(2026, 9, 3))
    assert found["RR04/复核"].basis == ("gongwuyuan-2018#95.1",)  # not 96, which gives the authority 30 days
    assert found["RR11/复核"].basis == ("shiyechufen-2023#n16",)
    assert any("待核" in note for note in found["RR11/复核"].notes)
    assert not any("待核" in note for note in found["RR04/复核"].notes)


def test_a_period_from_knowing_may_end_earlier(counter: Counter) -> None:
    found = counter.of(["RR04", "RR08"], date(2026, 9, 3))
    assert any("知道的日子早于收到的" in note for note in found["RR04/复核"].notes)
    assert found["RR08/复审"].notes == ()


# ------------------------------------------------------------------ holidays


@pytest.mark.parametrize(
    ("last", "rest", "by"),
    [
        ("2024-12-31", "", "2024-12-31"),
        ("2025-01-01", "元旦放假", "2024-12-31"),
        ("2025-01-26", "调休上班", "2025-01-26"),
        ("2025-01-27", "", "2025-01-27"),
        ("2025-01-28", "春节放假", "2025-01-27"),
        ("2025-02-04", "春节放假", "2025-01-27"),
        ("2025-02-05", "", "2025-02-05"),
        ("2025-04-06", "清明节放假", "2025-04-03"),
        ("2025-04-27", "调休上班", "2025-04-27"),
        ("2025-05-05", "劳动节放假", "2025-04-30"),
        ("2025-06-02", "端午节放假", "2025-05-30"),
        ("2025-09-28", "调休上班", "2025-09-28"),
        ("2025-10-05", "国庆节、中秋节放假", "2025-09-30"),
        ("2025-10-08", "国庆节、中秋节放假", "2025-09-30"),
        ("2025-10-09", "", "2025-10-09"),
        ("2025-10-11", "调休上班", "2025-10-11"),
        ("2025-10-12", "周末", "2025-10-11"),  # the Saturday before is worked
        ("2025-12-31", "", "2025-12-31"),
        ("2026-01-03", "元旦放假", "2025-12-31"),
        ("2026-01-04", "调休上班", "2026-01-04"),
        ("2026-02-14", "调休上班", "2026-02-14"),
        ("2026-02-15", "春节放假", "2026-02-14"),
        ("2026-02-23", "春节放假", "2026-02-14"),
        ("2026-03-01", "周末", "2026-02-28"),
        ("2026-04-06", "清明节放假", "2026-04-03"),
        ("2026-05-03", "劳动节放假", "2026-04-30"),
        ("2026-06-21", "端午节放假", "2026-06-18"),
        ("2026-09-25", "中秋节放假", "2026-09-24"),
        ("2026-10-07", "国庆节放假", "2026-09-30"),
        ("2026-10-08", "", "2026-10-08"),
        ("2026-11-22", "周末", "2026-11-20"),
    ],
)
def test_what_the_last_day_is_and_by_when_to_hand_in(counter: Counter, last: str, rest: str, by: str) -> None:
    end = date.fromisoformat(last)
    limit = Limit(30, "日", "收到决定之日", "decision_received")
    found = counter.one(limit, end - timedelta(days=30), end - timedelta(days=20))
    assert (found.last, found.rest, found.hand_in_by) == (end, rest, date.fromisoformat(by))
    assert found.weekday == "周" + "一二三四五六日"[end.weekday()]
    assert found.moved_to is None
    assert not any("未公布" in note for note in found.notes)


@pytest.mark.parametrize(
    ("received", "today", "said"),
    [
        (
            "2026-09-11",
            "2026-09-20",
            ["最后一天10月11日（周日）逢周末", "没有查到", "10月10日（周六）下班前"],
        ),
        ("2026-09-08", "2026-09-20", ["最迟10月8日（周四）下班前交到"]),
        ("2026-09-10", "2026-09-20", ["最后一天10月10日（周六）调休上班"]),
        ("2026-09-08", "2026-10-08", ["今天就是最后一天"]),
        ("2026-09-03", "2026-10-02", ["之前已经没有工作日", "马上联系"]),
        ("2026-09-03", "2026-10-04", ["已经过了1天", "由它决定"]),
        ("2026-12-10", "2026-12-20", ["最后一天2027年1月10日（周日）逢周末", "2027年1月8日（周五）"]),
    ],
)
def test_the_advice_says_what_to_do_and_promises_nothing(
    counter: Counter, received: str, today: str, said: list[str]
) -> None:
    found = counter.one(MONTH, date.fromisoformat(received), date.fromisoformat(today))
    assert all(piece in found.advice for piece in said), found.advice
    assert found.advice.count("。") == 1
    assert "期限到" not in found.advice
    assert found.moved_to is None


def test_an_unpublished_year_is_told(counter: Counter) -> None:
    assert not published(2090)
    assert published(2026)
    found = counter.one(MONTH, date(2089, 12, 1), date(2089, 12, 2), ("guoqichufen-2024#38",))
    assert found.last == date(2090, 1, 1)
    assert (found.rest, found.hand_in_by) == ("元旦放假", date(2089, 12, 30))
    assert found.moved_to is None  # when people work again is nobody's to guess
    assert found.notes == ("2090年的放假安排未公布，这里只按周末和法定节日算，以公布的为准。",)


def test_days_in_lieu_are_not_guessed() -> None:
    year = [date(2090, 1, 1) + timedelta(days=n) for n in range(365)]
    assert not any(map(exchanged, year))
    off = {day: holidays_around(day) for day in year if not works(day) and day.weekday() < 5}
    assert all(off.values())
    assert len(off) <= 13  # the holidays of every year, those on a weekend left out


# ------------------------------------------------------------------ rules on counting and on missing a period


def test_no_route_claims_a_rule_that_moves_its_end(counter: Counter, remedies: dict[str, RemedyRow]) -> None:
    """The stock has none for these procedures; whoever adds one changes this line."""
    found = counter.of(remedies, date(2026, 9, 3)).values()
    assert {one.id for one in found if one.counting or one.moved_to} == set()


@pytest.mark.parametrize(
    ("today", "said", "over"),
    [
        ("2026-09-20", ["第三十八条，期限到10月8日（周四）为止", "9月30日"], False),
        ("2026-10-05", ["期限到10月8日（周四）为止", "请在那天下班前交到"], False),
        ("2026-10-08", ["期限到10月8日（周四）为止"], False),
        ("2026-10-09", ["已经过了1天"], True),
    ],
)
def test_where_a_rule_moves_the_end_off_a_holiday_both_days_are_told(
    counter: Counter, today: str, said: list[str], over: bool
) -> None:
    rule = "guoqichufen-2024#38"  # any provision will do here: what matters is that the step names one
    found = counter.one(MONTH, date(2026, 9, 3), date.fromisoformat(today), (rule,))
    assert (found.last, found.moved_to, found.counting) == (date(2026, 10, 3), date(2026, 10, 8), (rule,))
    assert found.over == over
    assert all(piece in found.advice for piece in said), found.advice
    assert counter.find(rule).label in found.how


def test_where_no_rule_on_counting_is_in_stock_it_is_said(counter: Counter) -> None:
    found = counter.of(["RR01"], date(2026, 1, 31))["RR01/申诉"]
    assert found.counting == ()
    assert found.how.startswith("从2月1日（周日）起算，数到最后一个月同一号数的那天")
    assert "没有查到" in found.how


def test_what_the_rules_say_of_a_missed_period_is_told_with_its_source(counter: Counter) -> None:
    found = counter.of(["RR14", "RR08"], date(2026, 9, 3))
    (note,) = found["RR14/复核"].notes
    assert "障碍消除后10个工作日内可以申请顺延" in note
    assert counter.find("guoqichufen-2024#38").label in note
    assert found["RR08/复审"].excuse is None


def test_a_rule_that_is_not_in_force_excuses_nobody(remedies: dict[str, RemedyRow]) -> None:
    row = remedies["RR14"]
    rule = "guoqichufen-2024#38"
    steps = tuple(replace(step, basis=("wenze-2019#20",), counting=(rule,)) for step in row.steps)
    (route,) = routes_with_deadlines([replace(row, steps=steps)], None, lambda id: id != rule)
    assert [step.counting for step in route.steps] == [()] * len(row.steps)
    assert [step.excuse for step in route.steps if step.name == "复核"] == [None]


def test_routes_can_be_kept_and_read_back(counter: Counter, remedies: dict[str, RemedyRow]) -> None:
    routes = counter.routes(remedies, date(2026, 9, 3))
    kept = TypeAdapter(tuple[Route, ...])
    assert kept.validate_json(kept.dump_json(routes)) == routes


# ------------------------------------------------------------------ the calendar file


def _events(file: bytes) -> list[Any]:
    return list(Calendar.from_ical(file).walk("VEVENT"))


def test_the_calendar_is_read_back_field_by_field(counter: Counter) -> None:
    found = counter.of(["RR01"], date(2026, 9, 3), date(2026, 9, 10))
    file = counter.file(found.values())
    calendar = Calendar.from_ical(file)
    assert str(calendar["VERSION"]) == "2.0"
    assert str(calendar["PRODID"]) == "-//Zeming//Deadlines//ZH"
    assert str(calendar["METHOD"]) == "PUBLISH"
    assert str(calendar["X-WR-CALNAME"]) == "期限提醒"
    last, hand_in = _events(file)
    assert str(last["SUMMARY"]) == "申诉期限最后一天"
    assert str(hand_in["SUMMARY"]) == "申诉期限前最后一个工作日"
    for event, day in ((last, date(2026, 10, 3)), (hand_in, date(2026, 9, 30))):
        assert (event["DTSTART"].dt, event["DTEND"].dt) == (day, day + timedelta(days=1))
        assert event["DTSTART"].params["VALUE"] == "DATE"
        assert event["DTSTAMP"].dt == datetime(2026, 9, 10, 12, 30, tzinfo=UTC)
        assert (str(event["CLASS"]), str(event["TRANSP"])) == ("PRIVATE", "TRANSPARENT")
        description = str(event["DESCRIPTION"]).splitlines()
        assert description == [
            "向谁提出：作出问责决定的党组织",
            "期限：自收到问责决定之日起1个月内（待核）",
            "最后一天逢国庆节放假，请在2026年9月30日（周三）下班前交到。",
            "依据：《中国共产党问责条例》第二十条",
            "日子是推算的，以决定书写明的为准。",
        ]
        alarms = event.walk("VALARM")
        nine = [datetime.combine(day, datetime.min.time()) + alarm["TRIGGER"].dt for alarm in alarms]
        expected = [day - timedelta(days=before) for before in (7, 3, 1)]
        assert nine == [datetime(d.year, d.month, d.day, 9) for d in expected]
        assert {str(alarm["ACTION"]) for alarm in alarms} == {"DISPLAY"}
        assert {str(alarm["DESCRIPTION"]) for alarm in alarms} == {str(event["SUMMARY"])}


def test_lines_end_and_fold_as_the_standard_has_it(counter: Counter, remedies: dict[str, RemedyRow]) -> None:
    file = counter.file(counter.of(remedies, date(2026, 9, 3)).values())
    assert file.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in file.replace(b"\r\n", b"")
    for line in file.split(b"\r\n"):
        assert len(line) <= 75
        line.decode("utf-8")  # no character is cut in two


@pytest.mark.parametrize(
    "nasty", ["甲,乙;丙\\丁\n换行", "BEGIN:VEVENT\r\nSUMMARY:x", "”：“" * 40, "END:VCALENDAR"]
)
def test_whatever_the_words_are_they_stay_text(counter: Counter, nasty: str) -> None:
    found = counter.one(MONTH, date(2026, 9, 3), date(2026, 9, 10))
    (event, _) = _events(counter.file([replace(found, step=nasty, to=nasty)]))
    plain = nasty.replace("\r\n", "\n")
    assert str(event["SUMMARY"]).replace("\r\n", "\n") == f"{plain}期限最后一天"
    assert str(event["DESCRIPTION"]).startswith(f"向谁提出：{plain}")


def test_the_same_deadline_keeps_its_uid(counter: Counter, remedies: dict[str, RemedyRow]) -> None:
    def uids(received: date, today: date, stamp: datetime) -> list[str]:
        return [
            str(e["UID"])
            for e in _events(counter.file(counter.of(remedies, received, today).values(), stamp))
        ]

    first = uids(date(2026, 9, 3), date(2026, 9, 4), STAMP)
    assert uids(date(2026, 9, 3), date(2026, 9, 20), STAMP + timedelta(days=16)) == first
    assert len(set(first)) == len(first)
    assert not set(uids(date(2026, 9, 4), date(2026, 9, 4), STAMP)) & set(first)


def test_the_same_file_for_the_same_input(counter: Counter) -> None:
    found = counter.of(["RR01"], date(2026, 9, 3), date(2026, 9, 10)).values()
    assert counter.file(found) == counter.file(found)


@pytest.mark.parametrize(
    ("today", "alarms"),
    [("2026-09-24", 3), ("2026-10-02", 2), ("2026-10-07", 1), ("2026-10-08", 0), ("2026-10-09", 0)],
)
def test_there_is_no_reminder_for_what_is_past(counter: Counter, today: str, alarms: int) -> None:
    found = counter.one(MONTH, date(2026, 9, 8), date.fromisoformat(today))
    (event,) = _events(counter.file([found]))  # the last day is worked: one event
    assert len(event.walk("VALARM")) == alarms


def test_what_is_open_is_not_in_the_calendar(counter: Counter) -> None:
    assert _events(counter.file(counter.of(["RR08"], None).values())) == []


def test_titles_tell_nothing_of_the_case(counter: Counter, remedies: dict[str, RemedyRow]) -> None:
    events = _events(counter.file(counter.of(remedies, date(2026, 9, 3)).values()))
    names = {row.name for row in remedies.values()} | {row.decision for row in remedies.values()}
    for event in events:
        title = str(event["SUMMARY"])
        assert not any(name in title for name in names)
        assert not any(word in title for word in ("处分", "问责", "监察", "纪委", "2026"))
