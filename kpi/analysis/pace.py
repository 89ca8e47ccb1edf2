"""Pace to a target: how much of it is reached, beside how much of its period is gone.

Of sums and counts the period to date is set beside the whole target. A ratio's target holds throughout, so the period to date is set
beside it as it is; a stock's is for the period's end, so today's stock is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kpi import units
from kpi.metrics.goals import Nature, nature
from kpi.metrics.model import Definitions, Metric, MetricRef, Query, Target
from kpi.metrics.result import Cell, Result
from kpi.metrics.uses import expand
from kpi.periods import Period

#: The period of a target that is for any days, and so has no pace.
_ALWAYS: Final = "always"


@dataclass(frozen=True)
class Pace:
    """Where a metric stands on the way to its target.

    Attributes:
        target: the narrowest that holds on the week's last day.
        nature: ``additive``, ``throughout`` or ``stock``.
        cell: the period to date; of a stock its last day.
        gone: share of the period's days that are over; ``reached``: share of the target, None of a ratio.
    """

    metric: Metric
    target: Target
    nature: Nature
    cell: Cell
    gone: Decimal
    reached: Decimal | None

    @property
    def ahead(self) -> units.Change | None:
        """Share reached less share gone, in points, of sums; how far from the target, of a ratio; None of a stock."""
        if self.nature == "stock":
            return None
        if self.reached is not None:
            return units.change(self.reached, self.gone, "percent")
        return units.change(self.cell.value, self.target.value, self.metric.unit)


def holding(targets: Sequence[Target], day: dt.date) -> Target | None:
    """The narrowest target that holds on a day and says for which period it is."""
    fitting = [target for target in targets if target.start <= day < target.end and target.period != _ALWAYS]
    return min(fitting, key=lambda target: target.end - target.start, default=None)


def question(name: str, week: Period, definitions: Definitions) -> Query | None:
    """What is to be asked: the target's period up to the week's end; None without such a target."""
    target = holding(definitions.metrics[name].targets, week.end - dt.timedelta(days=1))
    if target is None:
        return None
    return Query((name,), since=target.start, until=min(week.end, target.end))


def pace(name: str, week: Period, definitions: Definitions, result: Result | None) -> Pace | None:
    """From the answer to :func:`question`; None where the period to date isn't known whole, or the target is no amount to reach."""
    metric = definitions.metrics[name]
    target = holding(metric.targets, week.end - dt.timedelta(days=1))
    if target is None or result is None or name not in result.query.metrics:
        return None
    cell = next(iter(result.cells(name)), None)
    if cell is None or cell.state != "known" or cell.value is None:
        return None
    kind = nature(expand(MetricRef(name), definitions.metrics))
    gone = Decimal((min(week.end, target.end) - target.start).days) / (target.end - target.start).days
    if kind == "throughout":
        return Pace(metric, target, kind, cell, gone, None)
    if target.value <= 0:
        return None
    return Pace(metric, target, kind, cell, gone, units.exact(cell.value) / target.value)
