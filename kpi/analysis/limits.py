"""Signal or noise: an XmR chart of weekly figures (Wheeler, Understanding Variation, 2nd ed., 2000).

The limits are mean ± 2.66 × mean moving range of the weeks shown, the judged one among them: 2.66 is 3 / d2 with d2 = 1.128 for
ranges of two. Three rules tell a signal: a week outside the limits; three of four weeks nearer to the same limit than to the mean;
eight weeks in a row on the same side of the mean. Only whole weeks count; a week that isn't known breaks a run and a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise
from typing import Final, Literal

from kpi.units import Number, exact

#: 3 / 1.128, rounded as every table of control chart constants has it.
WIDTH: Final = Decimal("2.66")
#: Fewer figures have limits that mean little (Wheeler: useful from five or six on).
LEAST: Final = 6
#: Weeks in a row on one side of the mean.
LONG_RUN: Final = 8
_CLOSE: Final = (3, 4)
_EXACT: Final = Context(prec=60)

Side = Literal["above", "below"]
Rule = Literal["outside", "near a limit", "long run"]


@dataclass(frozen=True)
class Limits:
    """What is normal for a metric: ``low`` and ``high`` around ``mean``."""

    low: Decimal
    mean: Decimal
    high: Decimal

    def side(self, value: Decimal) -> Side | None:
        """Of the mean; None on it."""
        return "above" if value > self.mean else "below" if value < self.mean else None

    def outside(self, value: Decimal) -> Side | None:
        """Beyond which limit; None between them."""
        return "above" if value > self.high else "below" if value < self.low else None

    def near(self, value: Decimal) -> Side | None:
        """Nearer to which limit than to the mean, or beyond it; None near the mean."""
        if value * 2 > self.high + self.mean:
            return "above"
        return "below" if value * 2 < self.low + self.mean else None


@dataclass(frozen=True)
class Signal:
    """What the last figure is a sign of.

    Attributes:
        weeks: for how many weeks in a row the rule has held on that side, this one included.
    """

    rule: Rule
    side: Side
    weeks: int

    def verdict(self, better: Literal["up", "down"] | None) -> Literal["better", "worse", "neutral"]:
        """Whether its side is a good one, as the metric's ``better:`` says."""
        if better is None:
            return "neutral"
        return "better" if (self.side == "above") == (better == "up") else "worse"


@dataclass(frozen=True)
class Chart:
    """The figures of some weeks and what they tell.

    Attributes:
        values: oldest first; None where no whole week is known.
        limits: None where fewer than ``LEAST`` are known.
        signals: for each value the first rule that holds there; None where none does.
    """

    values: tuple[Decimal | None, ...]
    limits: Limits | None
    signals: tuple[Signal | None, ...]

    @property
    def known(self) -> int:
        """How many figures it stands on."""
        return sum(value is not None for value in self.values)

    @property
    def signal(self) -> Signal | None:
        """Of the last figure."""
        return self.signals[-1] if self.signals else None

    @property
    def judges(self) -> bool:
        """Whether anything can be said of the last figure: it is known, and there are limits."""
        return self.limits is not None and bool(self.values) and self.values[-1] is not None


def said(signal: Signal) -> str:
    """A signal in words, to follow a metric's name: ``below its limits, 3 weeks in a row``."""
    if signal.rule == "outside":
        return f"{signal.side} its limits{_for(signal.weeks)}"
    if signal.rule == "near a limit":
        return f"near its {'upper' if signal.side == 'above' else 'lower'} limit in three of the last four weeks"
    return f"{signal.side} its mean for {signal.weeks} weeks in a row"


def _for(weeks: int) -> str:
    return f", {weeks} weeks in a row" if weeks > 1 else ""


def chart(values: Sequence[Number | None]) -> Chart:
    """The XmR chart of weekly values, oldest first."""
    exactly = tuple(None if value is None else exact(value) for value in values)
    limits = limits_of(exactly)
    if limits is None:
        return Chart(exactly, None, (None,) * len(exactly))
    return Chart(exactly, limits, tuple(_signal(exactly[: place + 1], limits) for place in range(len(exactly))))


def limits_of(values: Sequence[Decimal | None]) -> Limits | None:
    """Mean ± 2.66 × mean moving range; None for fewer than ``LEAST`` values, or none two of which follow each other."""
    known = [value for value in values if value is not None]
    ranges = [_EXACT.abs(_EXACT.subtract(now, before)) for before, now in pairwise(values) if before is not None and now is not None]
    if len(known) < LEAST or not ranges:
        return None
    mean, spread = _mean(known), _EXACT.multiply(WIDTH, _mean(ranges))
    return Limits(_EXACT.subtract(mean, spread), mean, _EXACT.add(mean, spread))


def _mean(values: Sequence[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = _EXACT.add(total, value)
    return _EXACT.divide(total, Decimal(len(values)))


def _signal(values: Sequence[Decimal | None], limits: Limits) -> Signal | None:
    """What the last of the values tells, by the first rule that holds."""
    last = values[-1]
    if last is None:
        return None
    outside = limits.outside(last)
    if outside is not None:
        return Signal("outside", outside, _run([None if value is None else limits.outside(value) for value in values], outside))
    near = limits.near(last)
    if near is not None and _is_near(values, limits, near):
        weeks = 1
        while _is_near(values[:-weeks], limits, near):
            weeks += 1
        return Signal("near a limit", near, weeks)
    side = limits.side(last)
    if side is not None:
        run = _run([None if value is None else limits.side(value) for value in values], side)
        if run >= LONG_RUN:
            return Signal("long run", side, run)
    return None


def _run(sides: Sequence[Side | None], side: Side) -> int:
    count = 0
    for one in reversed(sides):
        if one != side:
            break
        count += 1
    return count


def _is_near(values: Sequence[Decimal | None], limits: Limits, side: Side) -> bool:
    """Whether the last value, and at least three of the last four, are nearer to that limit than to the mean."""
    least, of = _CLOSE
    window = [value for value in values[-of:] if value is not None and limits.near(value) == side]
    last = values[-1] if values else None
    return last is not None and limits.near(last) == side and len(window) >= least
