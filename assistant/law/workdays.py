"""Which days people work in China: weekends, holidays, and the weekends worked in exchange (调休).

Comes in: a day. Goes out: whether it is worked, and what holiday it belongs to. The arrangements that the State
Council publishes for each year come from the library ``holidays``. For a year whose arrangement the library does not
know (see :func:`published`) only weekends and the days that are holidays every year are days off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from holidays import country_holidays
from holidays.countries.china import ChinaStaticHolidays

_KNOWN = ChinaStaticHolidays.special_public_holidays.keys()  # the years with days that were moved
_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Year:
    off: dict[date, str]  # days off, weekends left out, with the names that the library gives them
    worked: frozenset[date]  # Saturdays and Sundays on which people work


def published(year: int) -> bool:
    """Whether the arrangement of this year is known.

    >>> published(2026), published(2100)
    (True, False)
    """
    return min(_KNOWN) <= year <= max(_KNOWN)


def works(day: date) -> bool:
    """Whether offices are open.

    >>> works(date(2026, 10, 9)), works(date(2026, 10, 10)), works(date(2026, 10, 7)), works(date(2026, 11, 22))
    (True, True, False, False)
    """
    if exchanged(day):
        return True
    return day.weekday() < _SATURDAY and day not in _year(day.year).off


def exchanged(day: date) -> bool:
    """Whether this is a Saturday or Sunday on which people work in exchange for another day.

    >>> exchanged(date(2026, 10, 10)), exchanged(date(2026, 10, 9))
    (True, False)
    """
    return day.weekday() >= _SATURDAY and day in _year(day.year).worked


def holidays_around(day: date) -> tuple[str, ...]:
    """The names that the library gives to the run of days off to which ``day`` belongs; days in lieu are 休息日.

    >>> holidays_around(date(2026, 4, 4)), holidays_around(date(2026, 10, 4)), holidays_around(date(2026, 11, 22))
    (('清明节',), ('国庆节', '休息日'), ())
    """
    if works(day):
        return ()
    first = last = day
    while not works(first - _DAY):
        first -= _DAY
    while not works(last + _DAY):
        last += _DAY
    days = (first + _DAY * number for number in range((last - first).days + 1))
    names = (name for one in days for name in _year(one.year).off.get(one, "").split("; "))
    return tuple(dict.fromkeys(name.partition("（")[0] for name in names if name))


def last_worked(day: date, earliest: date) -> date | None:
    """The last working day from ``earliest`` to ``day``; None where there is none.

    >>> last_worked(date(2026, 10, 5), date(2026, 9, 1)), last_worked(date(2026, 10, 5), date(2026, 10, 1))
    (datetime.date(2026, 9, 30), None)
    """
    while day >= earliest:
        if works(day):
            return day
        day -= _DAY
    return None


def next_worked(day: date) -> date:
    """The first working day from ``day`` on.

    >>> next_worked(date(2026, 10, 5))
    datetime.date(2026, 10, 8)
    """
    while not works(day):
        day += _DAY
    return day


@lru_cache(maxsize=64)
def _year(year: int) -> _Year:
    if not published(year):
        # the days that would be given for a holiday on a weekend are nobody's to guess
        return _Year(dict(country_holidays("CN", years=year, observed=False, language="zh_CN")), frozenset())
    years = [one for one in (year, year + 1) if published(one)]  # New Year may move days of the old year
    found = country_holidays("CN", years=years, language="zh_CN", expand=False)
    return _Year(
        {day: name for day, name in found.items() if day.year == year},
        frozenset(day for day in found.weekend_workdays if day.year == year),
    )
