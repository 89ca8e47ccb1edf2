"""A look -> what it asks: the figures over time, those of the whole time, and what they are compared with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from kpi.dashboard.exploring.look import MOST_PERIODS, Look
from kpi.dashboard.frame import Frame
from kpi.metrics.model import Definitions, Query
from kpi.periods import Calendar, Period, Unit

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """The queries of a look.

    Attributes:
        periods: of the chart, oldest first; ``earlier``: those that each of them is compared with, in the same order.
        over_time: the figures of all periods; ``beside``: those that they are compared with, None without any.
        whole, before, total: over the whole time: by group, the same of what it is compared with, and without groups.
    """

    periods: tuple[Period, ...]
    earlier: tuple[Period, ...]
    over_time: Query
    beside: Query | None
    whole: Query
    before: Query | None
    total: Query

    @property
    def queries(self) -> tuple[Query, ...]:
        """All of them, each once."""
        found = (self.over_time, self.beside, self.whole, self.before, self.total)
        return tuple(dict.fromkeys(query for query in found if query is not None))


def days(look: Look, frame: Frame, calendar: Calendar) -> Period:
    """From when to when is looked at: whole periods, up to the one that holds the week's last day."""
    week = look.week or frame.last_whole or frame.weeks[-1]
    if look.last is None:
        first = look.since or frame.weeks[0]
        after = look.until + _DAY if look.until else max(span.end for span in frame.spans.values() if span is not None)
        return Period(first, max(after, first + _DAY))
    if look.grain == "all":
        return Period(calendar.shift(calendar.week(week).start, 1 - look.last, "week", "week"), calendar.week(week).end)
    last = calendar.period(calendar.week(week).end - _DAY, look.grain)
    start = calendar.shift(last.start, 1 - look.last, look.grain, look.grain)
    return Period(calendar.period(start, look.grain).start, last.end)


def asked(look: Look, frame: Frame, definitions: Definitions) -> Asked:
    """What a look asks."""
    calendar = definitions.calendar
    span = days(look, frame, calendar)
    periods = calendar.periods(span.start, span.end, look.grain)[-MOST_PERIODS:]
    span = Period(max(span.start, periods[0].start), span.end)
    kind = look.versus.kind if look.versus else ""
    earlier = tuple(_earlier(period, kind, len(periods), look, calendar) for period in periods) if kind in ("previous", "year") else ()
    by = look.by
    top = look.top if by else None
    where = look.where()
    over_time = Query(look.metrics, by, where, look.grain, span.start, span.end, top=top)
    whole = replace(over_time, grain="all")
    beside = before = None
    if earlier:  # of all groups: the largest of then may be others
        before = replace(whole, since=earlier[0].start, until=max(earlier[-1].end, earlier[0].start + _DAY), top=None)
        beside = replace(before, grain=look.grain)
    if look.versus is not None and kind == "segment":
        rest = look.choose(look.versus.dimension, (look.versus.value,))
        beside, before = replace(over_time, where=rest.where(), top=None), replace(whole, where=rest.where(), top=None)
    return Asked(periods, earlier, over_time, beside, whole, before, replace(whole, by=(), top=None))


def _earlier(period: Period, kind: str, count: int, look: Look, calendar: Calendar) -> Period:
    """The period that one is compared with: as many before as are shown, or a year before (of weeks and days 364 days)."""
    if look.grain == "all":
        back = period.days if kind == "previous" else 364
        return Period(period.start - dt.timedelta(days=back), period.end - dt.timedelta(days=back))
    unit: Unit = "year" if kind == "year" else look.grain
    day = calendar.shift(period.start, -(1 if kind == "year" else count), unit, look.grain)
    return calendar.period(day, look.grain)


def of_group(look: Look, values: tuple[str | None, ...]) -> Look:
    """The look filtered by one of its groups."""
    for name, value in zip(look.by, values, strict=True):
        look = look.choose(name, (value,))
    return look
