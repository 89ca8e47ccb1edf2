"""The weekly review: for each metric its last six weeks, its last twelve months, last year beside them, and the box of figures.

The layout is that of Amazon's weekly business review (Bryar and Carr, Working Backwards, 2021, chapter 6). Weeks are set beside
those 364 days before, so that weekdays meet; months beside the same months of last year; a month, quarter or year to date beside
as many days of the one before (SEMANTICS, ``previous``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from kpi import units
from kpi.analysis.limits import Chart, chart
from kpi.metrics.model import Definitions, Metric, Query
from kpi.metrics.result import Cell, Result
from kpi.metrics.windows import year_before
from kpi.periods import Calendar, Period

WEEKS: Final = 6
#: Weeks by which the last one is judged: a quarter.
JUDGED: Final = 13
MONTHS: Final = 12
#: A year in weeks.
YEAR: Final = dt.timedelta(days=364)
_WEEK: Final = dt.timedelta(days=7)
_DAY: Final = dt.timedelta(days=1)

Part = Literal["weeks", "months", "month", "quarter", "year"]
ToDate = Literal["month", "quarter", "year"]
TO_DATE: Final[tuple[ToDate, ...]] = ("month", "quarter", "year")

#: States of a value that may be compared.
_SURE: Final = ("known",)


class Plan(NamedTuple):
    """The days that the review of one week looks at.

    Attributes:
        weeks: the last six, the week itself last; ``judged``: the last thirteen.
        months: twelve whole ones, the last of them the month of the week's last day.
        now, before: month, quarter and year up to the week's last day, and as many days of the ones a year before.
    """

    week: Period
    judged: tuple[Period, ...]
    weeks: tuple[Period, ...]
    months: tuple[Period, ...]
    now: Mapping[ToDate, Period]
    before: Mapping[ToDate, Period]


def plan(week: Period, calendar: Calendar) -> Plan:
    """Of the week that ends with ``week.end``; a month belongs to the review of the week in which its last day lies."""
    last = week.end - _DAY
    judged = tuple(Period(week.start - back * _WEEK, week.end - back * _WEEK) for back in reversed(range(JUDGED)))
    ordinal = calendar.month_ordinal(last)
    months = tuple(Period(calendar.month_start(at), calendar.month_start(at + 1)) for at in range(ordinal - MONTHS + 1, ordinal + 1))
    full = {grain: calendar.period(last, grain) for grain in TO_DATE}
    now: dict[ToDate, Period] = {grain: Period(period.start, week.end) for grain, period in full.items()}
    before: dict[ToDate, Period] = {grain: year_before(full[grain], now[grain], grain, calendar) for grain in TO_DATE}
    return Plan(week, judged, judged[-WEEKS:], months, now, before)


def names(definitions: Definitions) -> tuple[str, ...]:
    """What is reviewed: the North Star, the drivers, and those of ``review:``."""
    reviewed = (name for section in definitions.review for name in section.metrics)
    return tuple(dict.fromkeys((definitions.north_star, *definitions.drivers, *reviewed)))


def questions(metrics: Sequence[str], where: tuple[str, ...], made: Plan, calendar: Calendar) -> dict[Part, Query]:
    """What the review asks, one query a part, each of all metrics."""
    names = tuple(metrics)
    weeks = tuple(sorted({period.start for period in made.judged} | {period.start - YEAR for period in made.weeks}))
    first = calendar.shift(made.months[0].start, -1, "year", "month")
    asked: dict[Part, Query] = {
        "weeks": Query(names, (), where, "week", weeks[0], made.week.end, weeks),
        "months": Query(names, (), where, "month", first, made.week.end),
    }
    for grain in TO_DATE:
        asked[grain] = Query(names, (), where, grain, spans=(made.before[grain], made.now[grain]))
    return asked


@dataclass(frozen=True)
class Point:
    """A week or month of the chart.

    Attributes:
        cell: None where nothing was asked; ``before``: of the same period of last year.
    """

    period: Period
    cell: Cell | None
    before: Cell | None


@dataclass(frozen=True)
class Boxed:
    """A figure of the box, and its changes.

    Attributes:
        name: ``week``, or the period to date.
        period: its days; ``on_week``: only of the week.
    """

    name: Literal["week", "month", "quarter", "year"]
    period: Period
    cell: Cell | None
    on_week: units.Change | None
    on_year: units.Change | None


@dataclass(frozen=True)
class Review:
    """One metric in the review of one week.

    Attributes:
        judged: the last thirteen weeks; ``chart``: what those of them that are whole and sure tell of the last one.
    """

    metric: Metric
    currency: str
    judged: tuple[Point, ...]
    chart: Chart
    months: tuple[Point, ...]
    box: tuple[Boxed, ...]

    @property
    def weeks(self) -> tuple[Point, ...]:
        """The last six."""
        return self.judged[-WEEKS:]

    @property
    def week(self) -> Point:
        """The week that it is the review of."""
        return self.judged[-1]

    @property
    def off_target(self) -> units.Change | None:
        """How far the week is from its target, on the wrong side; None where it is not, or can't be judged."""
        return self._wrong(self.week)

    @property
    def weeks_off_target(self) -> int:
        """For how many weeks in a row, of those judged."""
        off = [self._wrong(point) is not None for point in reversed(self.judged)]
        return off.index(False) if False in off else len(off)

    def _wrong(self, point: Point) -> units.Change | None:
        cell = point.cell
        if cell is None or cell.state not in _SURE:
            return None
        gap = units.gap(cell.value, cell.target, self.metric.unit, self.metric.better)
        return gap if gap is not None and gap.verdict(self.metric.better) == "worse" else None


def review(metric: Metric, made: Plan, results: Mapping[Part, Result | None], calendar: Calendar) -> Review:
    """Put together what :func:`questions` were answered; a part without an answer leaves its places empty."""
    cells = {part: _cells(metric.name, result) for part, result in results.items()}
    currency = next((result.currency for result in results.values() if result is not None), "")
    by_week, by_month = cells.get("weeks", {}), cells.get("months", {})
    judged = tuple(Point(period, by_week.get(period.start), by_week.get(period.start - YEAR)) for period in made.judged)
    months = tuple(
        Point(period, by_month.get(period.start), by_month.get(calendar.shift(period.start, -1, "year", "month"))) for period in made.months
    )
    this, last_week, last_year = (by_week.get(made.week.start - back) for back in (dt.timedelta(0), _WEEK, YEAR))
    box = [Boxed("week", made.week, this, change(this, last_week, metric), change(this, last_year, metric))]
    for grain in TO_DATE:
        now, before = (cells.get(grain, {}).get(days[grain].start) for days in (made.now, made.before))
        box.append(Boxed(grain, made.now[grain], now, None, change(now, before, metric)))
    return Review(metric, currency, judged, chart([_sure(point.cell) for point in judged]), months, tuple(box))


def change(now: Cell | None, before: Cell | None, metric: Metric) -> units.Change | None:
    """From one value to another, both whole and sure; None else."""
    if now is None or before is None or now.state not in _SURE or before.state not in _SURE:
        return None
    return units.change(now.value, before.value, metric.unit)


def _sure(cell: Cell | None) -> units.Number | None:
    return None if cell is None or cell.state not in _SURE else cell.value


def _cells(name: str, result: Result | None) -> dict[dt.date, Cell]:
    if result is None or name not in result.query.metrics:
        return {}
    return {cell.period: cell for cell in result.cells(name)}
