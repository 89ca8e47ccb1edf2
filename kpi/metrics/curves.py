"""The curve behind a time_to metric: who was at risk, who reached it, who was lost, day by day since the start."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from kpi.errors import QueryError
from kpi.metrics.figures import Answers
from kpi.metrics.model import Definitions, Formula, Leaf, Query, Shown
from kpi.metrics.plan import plan
from kpi.metrics.query import facts_of
from kpi.metrics.scans import reached
from kpi.metrics.stages.lives import life, starts
from kpi.metrics.stages.scan import Scan
from kpi.metrics.stages.survivals import curve as curve_of
from kpi.metrics.uses import leaves_of
from kpi.warehouse.reader import Reader

_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Step:
    """A day of the curve on which anybody reached it, was lost, or was followed to no further.

    Attributes:
        days: since the start.
        at_risk: followed for so many days, and neither there nor lost before.
        reached, lost, waiting: whose last day it is, and why.
        share: that has reached it by this day, 0 to 1; lower and upper: bounds of 95 %, None where none can be told.
    """

    days: int
    at_risk: int
    reached: int
    lost: int
    waiting: int
    share: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Curve:
    """A cohort's curve, as known on a day.

    Attributes:
        started_from, day: first and last day on which its entities may have started; ``day`` is when it is known.
        steps: in the order of their days; empty where nobody started.
        whole: the data reach over all of these days.
    """

    metric: str
    each: str
    started_from: dt.date
    day: dt.date
    steps: tuple[Step, ...]
    whole: bool

    @property
    def started(self) -> int:
        """How many there are."""
        return self.steps[0].at_risk if self.steps else 0

    @property
    def reached(self) -> int:
        """How many have reached it."""
        return sum(step.reached for step in self.steps)

    @property
    def lost(self) -> int:
        """How many were lost before."""
        return sum(step.lost for step in self.steps)

    @property
    def waiting(self) -> int:
        """How many are still waiting."""
        return sum(step.waiting for step in self.steps)

    def at_risk(self, days: int) -> int:
        """How many have been followed for so many days, and were neither there nor lost before."""
        return next((step.at_risk for step in self.steps if step.days >= days), 0)


def curve(name: str, day: dt.date, definitions: Definitions, reader: Reader, where: tuple[str, ...] = ()) -> Curve | None:
    """The curve of a time_to metric as known at the close of ``day``; None where no data reach so far.

    Args:
        where: filters, as a query has them: of those who started.

    Raises:
        UnknownName: no such metric.
        QueryError: it is no time_to, two systems hold the same rows, or an exchange rate is missing.
    """
    query = Query((name,), where=where, since=day, until=day + _DAY)
    facts = facts_of(reader, definitions)
    made, _ = plan(query, definitions, facts)
    metric = definitions.metrics[name]
    if isinstance(metric, Formula) or not all(leaf.lived for leaf in leaves_of(name, definitions.metrics)):
        raise QueryError(f"{name} has no curve: it is no time_to")
    if made.asked[0].uncounted:
        raise QueryError(made.notes[0].text)
    scan = next((scan for scan in made.scans if scan.leaves[0].lived), None)
    window = None if scan is None else next((window for windows in scan.slots.values() for window in windows if window), None)
    if scan is None or window is None or window.end != day + _DAY:
        return None
    leaf = scan.leaves[0]
    assert leaf.lived is not None  # noqa: S101 - asked for above
    answers = Answers(lambda asked, within: plan(asked, definitions, facts, None, (), within, True), made.frame, "curve_")
    begun = starts(scan)
    lived = life(_bounded(scan), begun, reached(scan, begun, definitions, facts, answers))
    times = curve_of(_bounded(scan), lived, [])
    answer = reader.run(times.select().order_by(times.c.t)).to_pylist()
    if any(row["lacks"] for row in answer):
        raise QueryError(f"{name} has no curve: an exchange rate into {definitions.currency} is missing")
    steps = tuple(
        Step(
            days=int(row["t"]),
            at_risk=int(row["n"]),
            reached=int(row["reached"]),
            lost=int(row["lost"]),
            waiting=int(row["n_here"] - row["reached"] - row["lost"]),
            share=row["share"],
            lower=row["lower"],
            upper=row["upper"],
        )
        for row in answer
    )
    piece = window.pieces()[-1]
    return Curve(name, leaf.lived.each, piece.start, piece.end - _DAY, steps, window.whole)


def _bounded(scan: Scan) -> Scan:
    """With bounds, whatever the metric shows."""
    leaf: Leaf = replace(scan.leaves[0], shown=Shown("median", bound="lower"))
    return replace(scan, leaves=(leaf,))
