"""Targets of a metric for the periods asked for (SEMANTICS, rule 9).

Those of sums and counts are split evenly over their days; those of stocks count on a period's last day; those of
ratios, distinct counts and the like hold throughout. Of two that fit, the narrower one wins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from kpi.metrics.model import At, Call, During, Leaf, Literal_, Metric, MetricRef, Node, Over, Snapshot, Target
from kpi.metrics.uses import Tree, Use, expand
from kpi.periods import Period

Nature = Literal["additive", "stock", "throughout"]

#: Places of a target that was split over days.
_PLACES: Final = Decimal("0.00000001")
_DAY: Final = dt.timedelta(days=1)


def targets_of(metric: Metric, metrics: Mapping[str, Metric], periods: Iterable[Period]) -> dict[dt.date, Decimal]:
    """The target of each period that has one, by its first day."""
    if not metric.targets:
        return {}
    kind = nature(expand(MetricRef(metric.name), metrics))
    found = {period.start: target_of(metric.targets, period, kind) for period in periods}
    return {day: value for day, value in found.items() if value is not None}


def nature(tree: Tree | Node) -> Nature:
    """How a formula's value behaves when periods are put together: sums of sums add up, sums of stocks are stocks."""
    if isinstance(tree, Use):
        return "throughout" if tree.steps or tree.total else _of_leaf(tree.leaf)
    if isinstance(tree, Call):
        if tree.function in "+-":
            kinds = {nature(argument) for argument in tree.arguments}
            return kinds.pop() if len(kinds) == 1 else "throughout"
        if tree.function == "neg":
            return nature(tree.arguments[0])
        if tree.function in "*/":
            left, right = tree.arguments
            if isinstance(right, Literal_):
                return nature(left)
            if tree.function == "*" and isinstance(left, Literal_):
                return nature(right)
    return "throughout"


def target_of(targets: Sequence[Target], period: Period, kind: Nature) -> Decimal | None:
    """The target of one period, or None where there is none (for sums: where any of its days has none)."""
    if kind != "additive":
        whole = [target for target in targets if target.start <= period.start and period.end <= target.end]
        fitting = (whole if kind == "throughout" else []) or [target for target in targets if target.start < period.end <= target.end]
        return min(fitting, key=_length).value if fitting else None
    if len(targets) == 1 and targets[0].period == "always":  # says nothing of days, so it is for whatever period is asked
        return targets[0].value
    total, day = Fraction(0), period.start
    while day < period.end:
        here = [target for target in targets if target.start <= day < target.end]
        if not here:
            return None
        target = min(here, key=_length)
        # The day from which another target may be the narrowest.
        until = min([bound for other in targets for bound in (other.start, other.end) if bound > day] + [period.end])
        total += Fraction(target.value) * (until - day).days / _length(target)
        day = until
    value = Decimal(total.numerator) / Decimal(total.denominator)
    return value.quantize(_PLACES).normalize() + Decimal(0)


def _length(target: Target) -> int:
    return (target.end - target.start).days


def _of_leaf(leaf: Leaf) -> Nature:
    if leaf.lived is not None:
        return "throughout"
    if leaf.moved is not None:
        return "additive"
    if leaf.retained is not None:
        return "throughout"
    if isinstance(leaf.time, During | Snapshot):
        return "stock" if leaf.aggregate in ("sum", "count", "count_distinct") else "throughout"
    if isinstance(leaf.time, At | Over) and leaf.aggregate in ("sum", "count"):
        return "additive"
    return "throughout"
