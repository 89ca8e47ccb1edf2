"""The days that a value is taken over: a period, moved and widened as previous(), rolling() and to_date() say.

A period is first cut by ``since``, ``until`` and coverage. Steps then apply from the outermost to the innermost,
and what they give is cut to coverage again. All of it is arithmetic on dates in Python; SQL sees day numbers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from kpi.metrics.model import AtStart, Lag, MetricRef, Rolling, Shift, ToDate
from kpi.periods import Calendar, Grain, Period

Step = Shift | Rolling | ToDate | AtStart | Lag

_DAY = dt.timedelta(days=1)

_YEAR: Final = Shift(MetricRef(""), 1, "year")
#: Sets of windows kept; one of daily periods over years takes some hundred kilobytes.
KEPT = 64


class Window(NamedTuple):
    """Days from <= day < to, of which the first and the last are covered.

    Attributes:
        whole: none of the days meant is missing.
        holes: the days in between that are not covered, in order; what lies in them doesn't count.
        opened: of a retention the first day after the earlier period, at whose close its accounts are taken.
    """

    start: dt.date
    end: dt.date
    whole: bool
    holes: tuple[Period, ...] = ()
    opened: dt.date | None = None

    def pieces(self) -> tuple[Period, ...]:
        """The days without the holes."""
        return _without(Period(self.start, self.end), self.holes)


class Frame(NamedTuple):
    """What a query asks of time: whole periods, and the days that since and until leave of them.

    Attributes:
        to_date: the periods are the first days of whole ones, and no more than those days was meant.
    """

    grain: Grain
    periods: tuple[Period, ...]
    since: dt.date
    until: dt.date
    to_date: bool = False


def windows(frame: Frame, steps: Sequence[Step], covered: Sequence[Period], calendar: Calendar) -> tuple[Window | None, ...]:
    """A window for each period, or None where nothing of it is covered.

    Args:
        steps: outermost first.
        covered: spans without overlap, in order.
    """
    return _windows(frame, tuple(steps), tuple(covered), calendar)


@lru_cache(maxsize=KEPT)
def _windows(frame: Frame, steps: tuple[Step, ...], covered: tuple[Period, ...], calendar: Calendar) -> tuple[Window | None, ...]:
    # Twenty metrics ask for the same windows forty times, and the next query for them again.
    return tuple(_window(period, frame, steps, covered, calendar) for period in frame.periods)


def opened(frame: Frame, steps: Sequence[Step], back: Shift, covered: Sequence[Period], calendar: Calendar) -> tuple[Window | None, ...]:
    """The windows of a retention: what :func:`windows` gives, with the close ``back`` before each; None where that isn't covered.

    Only that day matters of the earlier period: one whose first days aren't covered is whole all the same.
    """
    found: list[Window | None] = []
    for period, now in zip(frame.periods, windows(frame, steps, covered, calendar), strict=True):
        meant = _meant(period, frame, (*steps, back), covered, calendar)
        then = None if meant is None else clip(meant[0], covered, meant[1])
        if now is None or meant is None or then is None:
            found.append(None)
        else:
            found.append(now._replace(opened=then.end, whole=now.whole and then.end == meant[0].end))
    return tuple(found)


def _window(period: Period, frame: Frame, steps: Sequence[Step], covered: Sequence[Period], calendar: Calendar) -> Window | None:
    meant = _meant(period, frame, steps, covered, calendar)
    if meant is None:
        return None
    cut, holes, whole = meant
    if not steps:
        return Window(cut.start, cut.end, whole, holes)
    window = clip(cut, covered, holes)
    return None if window is None else window._replace(whole=whole and window.whole)


def _meant(
    period: Period, frame: Frame, steps: Sequence[Step], covered: Sequence[Period], calendar: Calendar
) -> tuple[Period, tuple[Period, ...], bool] | None:
    """The days that the steps lead to, which of them are left out, and whether the period itself is whole."""
    base = clip(period.cut(frame.since, frame.until), covered)
    if base is None:
        return None
    whole = base.whole and period.cut(frame.since, frame.until) == period
    full = calendar.period(period.start, frame.grain) if frame.to_date else period
    cut, holes = Period(base.start, base.end), base.holes
    for step in (_as_shift(step, frame.grain) if isinstance(step, Lag) else step for step in steps):
        if isinstance(step, Shift):
            moved, part = _shifted(full, cut, step, frame.grain, calendar)
            holes = _moved(holes, cut, part)
            full, cut = moved, part
        elif isinstance(step, AtStart):
            full = cut = _first_of(cut, step, frame.grain, calendar)
            holes = ()
        else:
            full = cut = _widened(cut, step, covered, calendar)
            holes = ()
    return cut, holes, whole


def _as_shift(lag: Lag, grain: Grain) -> Shift:
    """What a lag moves at this grain: as ``previous`` of so many months, which may be none."""
    return Shift(MetricRef(""), lag.at(grain), "month")


def clip(period: Period, covered: Sequence[Period], holes: Sequence[Period] = ()) -> Window | None:
    """What of a period is covered and in none of ``holes``: from the first such day to the last, without those in between."""
    asked = _without(period, holes)
    pieces = [piece for part in asked for span in covered if (piece := part.cut(span.start, span.end)).start < piece.end]
    if not pieces:
        return None
    between = tuple(Period(before.end, after.start) for before, after in pairwise(pieces) if before.end < after.start)
    return Window(pieces[0].start, pieces[-1].end, pieces == [period], between)


def _without(period: Period, holes: Sequence[Period]) -> tuple[Period, ...]:
    bounds = [period.start, *(day for hole in holes for day in (hole.start, hole.end)), period.end]
    pieces = (Period(start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=True))
    return tuple(piece for piece in pieces if piece.start < piece.end)


def _moved(holes: Sequence[Period], cut: Period, part: Period) -> tuple[Period, ...]:
    """The days that the holes of ``cut`` leave out of an earlier period: what is missing now is not compared with."""
    moved = []
    for hole in holes:
        # Counted from the nearer end, for the earlier period may be shorter, and its last day is where a stock is taken.
        near_end = cut.end - hole.end < hole.start - cut.start
        by = part.end - cut.end if near_end else part.start - cut.start
        moved.append(Period(hole.start + by, hole.end + by).cut(part.start, part.end))
    # Those counted from different ends may meet in a shorter period.
    joined: list[Period] = []
    for hole in sorted((hole for hole in moved if hole.start < hole.end), key=lambda hole: hole.start):
        if joined and hole.start <= joined[-1].end:
            joined[-1] = Period(joined[-1].start, max(joined[-1].end, hole.end))
        else:
            joined.append(hole)
    return tuple(joined)


def year_before(full: Period, cut: Period, grain: Grain, calendar: Calendar) -> Period:
    """Of the period a year before ``full`` as many days as ``cut`` has of that: what a period to date is compared with."""
    return _shifted(full, cut, _YEAR, grain, calendar)[1]


def _shifted(full: Period, cut: Period, step: Shift, grain: Grain, calendar: Calendar) -> tuple[Period, Period]:
    """The earlier period, and as many days of it as there are of this one, counted from the same end.

    Days of a longer period's end meet the last ones of a shorter: 30 March is set against 28 February.
    """
    if full == cut or grain == "all":
        moved = calendar.shift_period(cut, -step.count, step.unit, grain)
        return moved, moved
    moved = calendar.shift_period(full, -step.count, step.unit, grain)
    if cut.start == full.start:
        part = Period(moved.start, moved.start + dt.timedelta(days=cut.days))
    elif cut.end == full.end:
        part = Period(moved.end - dt.timedelta(days=cut.days), moved.end)
    else:
        start = min(moved.start + (cut.start - full.start), moved.end - dt.timedelta(days=cut.days))
        part = Period(start, start + dt.timedelta(days=cut.days))
    return moved, part.cut(moved.start, moved.end)


def _first_of(cut: Period, step: AtStart, grain: Grain, calendar: Calendar) -> Period:
    """The first period of the unit that holds the last day of ``cut``; for a stock the day before that unit.

    A week belongs to the month of its last day, as in :func:`_widened`: a month's first week is the one that holds the 1st.
    """
    unit = calendar.period(cut.end - _DAY, step.unit)
    if step.is_stock:
        return Period(unit.start - _DAY, unit.start)
    return cut if grain == "all" else calendar.period(unit.start, grain)


def _widened(cut: Period, step: Rolling | ToDate, covered: Sequence[Period], calendar: Calendar) -> Period:
    """The days up to and with the last of ``cut``."""
    if isinstance(step, Rolling):
        # Months and years of a rolling window are the calendar's at every grain.
        return Period(calendar.shift(cut.end, -step.count, step.unit, "month"), cut.end)
    if step.unit == "all":
        return Period(min(covered[0].start, cut.start), cut.end)
    return Period(calendar.period(cut.end - _DAY, step.unit).start, cut.end)
