"""Closing weeks: keeping what each metric of the review shows, so that a number which changes later can't do so without a word.

A week may be closed when it is over in the company's time zone. By itself it is closed when the North Star first covers it whole, which
is when pages show it to everybody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from kpi import units
from kpi.analysis.review import names
from kpi.errors import QueryError, QueryTooHeavy, UsageError
from kpi.metrics.model import Definitions, Query
from kpi.metrics.query import run
from kpi.metrics.result import Cell
from kpi.periods import Calendar, Period, span_label
from kpi.records.closings import Closed, Figure
from kpi.warehouse.reader import Reader

#: Weeks that are closed by themselves when nobody has looked for long, and weeks in which what wasn't whole yet is looked for again.
MOST_WEEKS: Final = 13
_WEEK: Final = dt.timedelta(days=7)

#: First day of a week -> metric -> what it shows, and in which currency.
Shown = Mapping[dt.date, Mapping[str, tuple[Cell, str]]]


def today(calendar: Calendar) -> dt.date:
    """The company's day."""
    return dt.datetime.now(ZoneInfo(calendar.timezone)).date()


def figures(metrics: Sequence[str], weeks: Sequence[Period], definitions: Definitions, reader: Reader) -> Shown:
    """What metrics show in weeks; those that can't be asked are left out."""
    found: dict[dt.date, dict[str, tuple[Cell, str]]] = {week.start: {} for week in weeks}
    if not weeks:
        return found
    starts = tuple(sorted(found))
    end = max(week.end for week in weeks)

    def ask(wanted: Sequence[str]) -> None:
        result = run(Query(tuple(wanted), (), (), "week", starts[0], end, starts), definitions, reader)
        for name in wanted:
            for cell in result.cells(name):
                if cell.period in found:
                    found[cell.period][name] = (cell, result.currency)

    known = [name for name in metrics if name in definitions.metrics]
    try:
        ask(known)
    except QueryTooHeavy:
        raise
    except QueryError:
        for name in known:
            try:
                ask([name])
            except QueryTooHeavy:
                raise
            except QueryError:
                continue
    return found


def taken(weeks: Sequence[Period], definitions: Definitions, reader: Reader, who: str, now: dt.date | None = None) -> list[Figure]:
    """The figures of weeks as they are now, to be written down. What isn't known at all is nothing that was shown.

    Raises:
        UsageError: a week isn't over yet.
    """
    for week in weeks:
        if week.end > (now or today(definitions.calendar)):
            raise UsageError(f"the week {span_label(week)} isn't over yet; it can be closed from {week.end} on")
    shown = figures(names(definitions), weeks, definitions, reader)
    return [
        Figure(
            week.start,
            week.end,
            name,
            cell.state == "known" and cell.value is not None,
            cell.state,
            None if cell.value is None else units.exact(cell.value),
            definitions.metrics[name].unit,
            currency,
            reader.generation,
            definitions.hash,
            who,
        )
        for week in weeks
        for name, (cell, currency) in shown[week.start].items()
        if cell.state != "unknown" or cell.value is not None
    ]


def due(closed: Closed, definitions: Definitions, reader: Reader, now: dt.date | None = None) -> list[Period]:
    """The weeks to close by themselves, the oldest first: the last one that the North Star covers whole and those since the last
    closed one; and of the last thirteen those in which a metric wasn't whole when they were closed, since it may be by now."""
    calendar = definitions.calendar
    span = run(Query((definitions.north_star,)), definitions, reader).coverage.get(definitions.north_star)
    if span is None:
        return []
    after = calendar.week(min(span.end, now or today(calendar))).start  # a week that ends there is whole
    weeks = [Period(after - back * _WEEK, after - (back - 1) * _WEEK) for back in reversed(range(1, MOST_WEEKS + 1))]
    done = {calendar.week(week).start for week in closed.weeks}
    partly = {week for (_, week), figure in closed.figures.items() if not figure.is_whole}
    newest = max((week for week in done if week < after), default=after - 2 * _WEEK)
    return [week for week in weeks if week.start >= span.start and (week.start > newest or week.start in partly)]
