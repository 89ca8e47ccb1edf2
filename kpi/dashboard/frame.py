"""What a page of weeks can show: its metrics, the weeks there are data for, the values that filters offer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from kpi.dashboard.data import Desk
from kpi.dashboard.filters import DIMENSIONS, Value
from kpi.metrics.model import Query
from kpi.metrics.result import Span


@dataclass(frozen=True)
class Frame:
    """The company's reach, whatever the filters.

    Attributes:
        metrics: the North Star, then the drivers.
        spans: metric -> the days it covers, or None where nothing was imported for it.
        weeks: first days of all weeks with a day that any of them covers, oldest first.
        last_whole: the last week that the North Star (or, without it, any metric) covers whole.
        options: dimension -> its values, names in order, None last.
        through: the last day that all metrics with data cover, or None without any.
    """

    metrics: tuple[str, ...]
    spans: Mapping[str, Span | None]
    weeks: tuple[dt.date, ...]
    last_whole: dt.date | None
    options: Mapping[str, tuple[Value, ...]]
    through: dt.date | None


def frame(desk: Desk) -> Frame:
    """Asked without filters; answers are kept, so every page view may ask."""
    definitions, calendar = desk.definitions, desk.definitions.calendar
    metrics = tuple(dict.fromkeys((definitions.north_star, *definitions.drivers)))
    whole = desk.ask(Query(metrics)).result
    spans = {name: None if whole is None else whole.coverage.get(name) for name in metrics}
    known = [span for span in spans.values() if span is not None and span.start < span.end]
    if not known:
        return Frame(metrics, spans, (), None, {}, None)
    weeks = tuple(period.start for period in calendar.periods(min(span.start for span in known), max(span.end for span in known), "week"))
    star = spans[definitions.north_star]
    reach = star.end if star is not None else max(span.end for span in known)
    last_whole = next((week for week in reversed(weeks) if calendar.week(week).end <= reach), weeks[-1])
    options = {name: _values(name, metrics, desk) for name in DIMENSIONS if name in definitions.dimensions}
    through = min(span.end for span in known) - dt.timedelta(days=1)
    return Frame(metrics, spans, weeks, last_whole, {name: values for name, values in options.items() if values}, through)


def _values(dimension: str, metrics: tuple[str, ...], desk: Desk) -> tuple[Value, ...]:
    result = desk.ask(Query(metrics, by=(dimension,))).result
    found = {} if result is None else dict.fromkeys(cell.groups[0] for name in result.query.metrics for cell in result.cells(name))
    return tuple(sorted(found, key=lambda value: (value is None, value or "")))


def values_of(dimension: str, desk: Desk, frame: Frame, metrics: tuple[str, ...]) -> tuple[Value, ...]:
    """The values that a dimension has, names in order, None last; those that ``metrics`` have, or else any metric that reaches it."""
    if dimension in frame.options:
        return frame.options[dimension]
    found = _values(dimension, metrics, desk) if metrics else ()
    return found or next((values for name in desk.definitions.metrics if (values := _values(dimension, (name,), desk))), ())
