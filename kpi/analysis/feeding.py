"""Whether a source is fed as it usually is: the weeks that its rows reach, and the rhythm in which its exports come.

The rhythm is learned, not set: the median of the days between its exports. From three exports on it says when the next one is due;
half as much again later it is overdue.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_high
from typing import Final, Literal

from kpi.periods import Calendar, Period
from kpi.warehouse.filled import Export, Filled, tables_with_a_day
from kpi.warehouse.reader import CoverageRow

#: Exports from which a rhythm is told.
LEAST: Final = 3
#: Days between exports that are looked at, the last ones: habits change.
_LOOKED_AT: Final = 12

Reach = Literal["whole", "part", "gap", "none"]


@dataclass(frozen=True)
class Rhythm:
    """How often exports of a system come.

    Attributes:
        last: the day of the newest; ``exports``: on how many days they came.
        every: days between two of them, as a rule; None while there are too few.
    """

    connector: str
    last: dt.date
    exports: int
    every: int | None

    @property
    def due(self) -> dt.date | None:
        """When the next one is."""
        return None if self.every is None else self.last + dt.timedelta(days=self.every)

    def overdue(self, today: dt.date) -> int:
        """Days since it was due, where that is more than half of its rhythm; else 0."""
        if self.every is None or self.due is None:
            return 0
        days = (today - self.due).days
        return days if 2 * days > self.every else 0


@dataclass(frozen=True)
class Week:
    """A week of a source's table: how many rows lie in it, and whether the data reach it."""

    period: Period
    rows: int
    reach: Reach


@dataclass(frozen=True)
class Strip:
    """Weeks of a source's table, oldest first."""

    source: str
    table: str
    weeks: tuple[Week, ...]

    @property
    def most(self) -> int:
        """Rows of the fullest week."""
        return max((week.rows for week in self.weeks), default=0)


def rhythms(found: Iterable[Export]) -> dict[str, Rhythm]:
    """System -> its rhythm."""
    days: dict[str, list[dt.date]] = {}
    for one in found:
        days.setdefault(one.connector, []).append(one.day)
    made = {}
    for connector, each in days.items():
        each.sort()
        between = [(after - before).days for before, after in pairwise(each)][-_LOOKED_AT:]
        made[connector] = Rhythm(connector, each[-1], len(each), median_high(between) if len(each) >= LEAST else None)
    return made


def strips(coverage: Sequence[CoverageRow], filled: Iterable[Filled], weeks: Sequence[Period]) -> list[Strip]:
    """A strip for each source and table whose rows lie on days, in the order of their names."""
    dated = {table.name for table in tables_with_a_day()}
    counts: dict[tuple[str, str, int], int] = {}
    first = weeks[0].start
    for row in filled:
        key = (row.source, row.table, (row.day - first).days // 7)
        counts[key] = counts.get(key, 0) + row.rows
    return [
        Strip(
            row.source,
            row.table_name,
            tuple(Week(week, counts.get((row.source, row.table_name, at), 0), _reach(row, week)) for at, week in enumerate(weeks)),
        )
        for row in sorted(coverage, key=lambda row: (row.source, row.table_name))
        if row.table_name in dated
    ]


def last_weeks(until: dt.date, count: int, calendar: Calendar) -> list[Period]:
    """The last weeks with a day before ``until``, oldest first."""
    last = calendar.week(until - dt.timedelta(days=1))
    return [Period(last.start - back * dt.timedelta(days=7), last.end - back * dt.timedelta(days=7)) for back in reversed(range(count))]


def _reach(row: CoverageRow, week: Period) -> Reach:
    start, end = max(row.covers_from, week.start), min(row.covers_to, week.end)
    if start >= end:
        return "none"
    missing = sum(max(0, (min(after, end) - max(before, start)).days) for before, after in row.gaps)
    if missing == (end - start).days:
        return "gap"
    return "whole" if (start, end) == (week.start, week.end) and not missing else "part"
