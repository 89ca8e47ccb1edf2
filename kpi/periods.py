"""Days, weeks, months, quarters and years of a company's calendar. Ends are exclusive everywhere."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple

Grain = Literal["day", "week", "month", "quarter", "year", "all"]
Unit = Literal["day", "week", "month", "quarter", "year"]

GRAINS: Final[tuple[Grain, ...]] = ("day", "week", "month", "quarter", "year", "all")

#: Month names of labels; not taken from the machine's locale, so that two machines print the same.
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: Days that stand for a unit at day and week grain: whole weeks, so that weekdays meet (SEMANTICS, ``previous``).
DAYS_OF_UNIT: Final[dict[Unit, int]] = {"day": 1, "week": 7, "month": 28, "quarter": 91, "year": 364}

_MONTHS_OF_UNIT: Final[dict[str, int]] = {"month": 1, "quarter": 3, "year": 12}

_DAY: Final = dt.timedelta(days=1)

_WRITTEN: Final = re.compile(r"(\d{4})(?:-(?:Q([1-4])|W(\d{1,2})|(\d{2})(?:-(\d{2}))?))?", re.IGNORECASE)


class Period(NamedTuple):
    """Days from <= day < to."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    def cut(self, start: dt.date, end: dt.date) -> Period:
        """What of it lies from ``start`` to before ``end``; empty (start = end) where nothing does."""
        first = max(self.start, start)
        return Period(first, max(first, min(self.end, end)))


@dataclass(frozen=True)
class Calendar:
    """How a company counts its time.

    Months are counted through by an ordinal, fiscal year × 12 + month of the fiscal year. A fiscal year carries
    the number of the year it ends in. With a ``pattern`` the fiscal year begins on the week's first day nearest to
    the first of ``year_starts``, so it has 52 or 53 weeks, and the 53rd belongs to the last month.

    Attributes:
        week_starts: 0 for Monday to 6 for Sunday.
        year_starts: month in which the fiscal year begins, 1 to 12.
        timezone: IANA name of the zone whose days count.
        pattern: None for calendar months, or weeks in the months of a quarter, such as (4, 4, 5).
    """

    week_starts: int = 0
    year_starts: int = 1
    timezone: str = "UTC"
    pattern: tuple[int, int, int] | None = None

    # Weeks

    def week(self, day: dt.date) -> Period:
        """The week that holds ``day``."""
        start = day - dt.timedelta(days=(day.weekday() - self.week_starts) % 7)
        return Period(start, start + dt.timedelta(days=7))

    def week_number(self, day: dt.date) -> tuple[int, int]:
        """Year and number of the week that holds ``day``: ISO 8601, on weeks that begin on ``week_starts``.

        Week 1 is the one that holds 4 January, so a week belongs to the year that has most of its days.
        """
        start = self.week(day).start
        year = (start + dt.timedelta(days=3)).year
        return year, (start - self.week(dt.date(year, 1, 4)).start).days // 7 + 1

    # Months, quarters and fiscal years

    def year_start(self, year: int) -> dt.date:
        """First day of the fiscal year ``year``."""
        first = dt.date(year if self.year_starts == 1 else year - 1, self.year_starts, 1)
        return self.week(first + dt.timedelta(days=3)).start if self.pattern else first

    def month_start(self, ordinal: int) -> dt.date:
        """First day of the month with this ordinal (fiscal year × 12 + 0 to 11)."""
        year, month = divmod(ordinal, 12)
        if self.pattern is None:
            nominal_year, nominal = self._nominal(ordinal)
            return dt.date(nominal_year, nominal, 1)
        quarter, within = divmod(month, 3)
        weeks = quarter * sum(self.pattern) + sum(self.pattern[:within])
        return self.year_start(year) + dt.timedelta(days=7 * weeks)

    def month_ordinal(self, day: dt.date) -> int:
        """Ordinal of the month that holds ``day``."""
        if self.pattern is None:
            months = day.year * 12 + day.month - self.year_starts
            return months if self.year_starts == 1 else months + 12
        year = day.year + (0 if self.year_starts == 1 else 1)
        while self.year_start(year) > day:
            year -= 1
        while self.year_start(year + 1) <= day:
            year += 1
        return next(ordinal for ordinal in reversed(range(year * 12, year * 12 + 12)) if self.month_start(ordinal) <= day)

    def _nominal(self, ordinal: int) -> tuple[int, int]:
        """Calendar year and month that a fiscal month is named for."""
        year, month = divmod(ordinal, 12)
        carry, nominal = divmod(self.year_starts - 1 + month, 12)
        return (year if self.year_starts == 1 else year - 1) + carry, nominal + 1

    # Periods

    def period(self, day: dt.date, grain: Grain) -> Period:
        """The period of ``grain`` (not ``all``) that holds ``day``."""
        if grain == "day":
            return Period(day, day + _DAY)
        if grain == "week":
            return self.week(day)
        size = _MONTHS_OF_UNIT[grain]
        first = self.month_ordinal(day) // size * size
        return Period(self.month_start(first), self.month_start(first + size))

    def periods(self, start: dt.date, end: dt.date, grain: Grain) -> tuple[Period, ...]:
        """All periods with a day from ``start`` to before ``end``, whole; at grain ``all`` that span itself."""
        if start >= end:
            return ()
        if grain == "all":
            return (Period(start, end),)
        return tuple(Period(first, after) for first, after in pairwise(self._bounds(start, end, grain)))

    def _bounds(self, start: dt.date, end: dt.date, grain: Grain) -> Iterator[dt.date]:
        first = self.period(start, grain).start
        if grain in ("day", "week"):
            step = dt.timedelta(days=1 if grain == "day" else 7)
            while first < end:
                yield first
                first += step
            yield first
            return
        size, ordinal = _MONTHS_OF_UNIT[grain], self.month_ordinal(first)
        while first < end:
            yield first
            ordinal += size
            first = self.month_start(ordinal)
        yield first

    # Shifts

    def shift(self, day: dt.date, count: int, unit: Unit, grain: Grain) -> dt.date:
        """``day`` moved by ``count`` units (negative: earlier).

        At day and week grain a unit is a fixed number of days; else months keep the day's place in its month, at
        most the last day: 31 March less a month is the last of February.
        """
        if unit in ("day", "week") or grain in ("day", "week"):
            return day + dt.timedelta(days=count * DAYS_OF_UNIT[unit])
        ordinal = self.month_ordinal(day)
        place = (day - self.month_start(ordinal)).days
        ordinal += count * _MONTHS_OF_UNIT[unit]
        start = self.month_start(ordinal)
        return min(start + dt.timedelta(days=place), self.month_start(ordinal + 1) - _DAY)

    def shift_period(self, period: Period, count: int, unit: Unit, grain: Grain) -> Period:
        """Both bounds moved by :meth:`shift`. Never empty: a lone 31 March becomes the last of February."""
        start, end = self.shift(period.start, count, unit, grain), self.shift(period.end, count, unit, grain)
        return Period(start, max(end, start + _DAY))

    # Words

    def label(self, period: Period, grain: Grain) -> str:
        """The period in words: ``9 Nov 2026``, ``9–15 Nov 2026``, ``Nov 2026``, ``Q4 2026``, ``2026``.

        Fiscal quarters and years are marked ``FY`` where the fiscal year isn't the calendar's.
        """
        if grain in ("month", "quarter", "year"):
            ordinal = self.month_ordinal(period.start)
            fiscal = f"{'' if self.year_starts == 1 else 'FY'}{ordinal // 12}"
            if grain == "year":
                return fiscal
            if grain == "quarter":
                return f"Q{ordinal % 12 // 3 + 1} {fiscal}"
            year, month = self._nominal(ordinal)
            return f"{MONTHS[month - 1]} {year}"
        return span_label(period)

    def short_label(self, period: Period, grain: Grain) -> str:
        """The same for axes and headings where the year is known: ``Week 46``, ``Nov``, ``Q4``."""
        if grain == "week":
            return f"Week {self.week_number(period.start)[1]}"
        if grain == "day":
            return f"{period.start.day} {MONTHS[period.start.month - 1]}"
        label = self.label(period, grain)
        return label.split(" ")[0] if grain in ("month", "quarter") else label


def span_label(period: Period) -> str:
    """First and last day in words, what they share written once: ``9–15 Nov 2026``, ``28 Dec 2026–3 Jan 2027``."""
    first, last = period.start, period.end - _DAY
    end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
    if first >= last:
        return f"{first.day} {MONTHS[first.month - 1]} {first.year}"
    if first.year != last.year:
        return f"{first.day} {MONTHS[first.month - 1]} {first.year}–{end}"
    if first.month != last.month:
        return f"{first.day} {MONTHS[first.month - 1]}–{end}"
    return f"{first.day}–{end}"


def parse_period(text: str, calendar: Calendar) -> Period:
    """The days that ``2026``, ``2026-Q4``, ``2026-11``, ``2026-W46`` or ``2026-11-09`` name.

    Years and quarters are fiscal, weeks numbered as :meth:`Calendar.week_number` says.

    Raises:
        ValueError: no such period; the sentence says what is accepted.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found:
        year, quarter, week, month, day = (int(part) if part else None for part in found.groups())
        try:
            return _written(calendar, year or 0, quarter, week, month, day)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f'"{text}" names no period; accepted are 2026, 2026-Q4, 2026-11, 2026-W46 and 2026-11-09')


def _written(calendar: Calendar, year: int, quarter: int | None, week: int | None, month: int | None, day: int | None) -> Period:
    if day is not None:
        return calendar.period(dt.date(year, month or 0, day), "day")
    if week is not None:
        start = calendar.week(dt.date(year, 1, 4)).start + dt.timedelta(days=7 * (week - 1))
        if calendar.week_number(start) != (year, week):
            raise ValueError(week)
        return calendar.week(start)
    if month is not None:
        ordinal = Calendar(year_starts=calendar.year_starts).month_ordinal(dt.date(year, month, 1))
        return Period(calendar.month_start(ordinal), calendar.month_start(ordinal + 1))
    first, size = (year * 12, 12) if quarter is None else (year * 12 + 3 * (quarter - 1), 3)
    return Period(calendar.month_start(first), calendar.month_start(first + size))
