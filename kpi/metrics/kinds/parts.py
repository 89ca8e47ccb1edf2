"""What a formula comes down to: its leaves, and the conditions of only() as each of their tables sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from kpi.metrics import expressions
from kpi.metrics.expressions import Scope
from kpi.metrics.model import Around, Call, Formula, Held, Leaf, Literal_, Metric, MetricRef, Node, Only

if TYPE_CHECKING:
    from kpi.metrics.kinds.base import Context


def leaves(node: Node | Metric, context: Context) -> Iterator[Leaf]:
    """Every leaf that a formula or a metric comes down to."""
    if isinstance(node, MetricRef):
        yield from leaves(context.metric(node.name), context)
    elif isinstance(node, Leaf):
        yield node
    elif isinstance(node, Formula):
        yield from leaves(node.formula, context)
    elif isinstance(node, Held):
        yield node.leaf
    elif isinstance(node, Around):
        yield from leaves(node.inner, context)
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from leaves(argument, context)


def gains(node: Node, context: Context, plus: bool = True) -> Node | None:
    """What of a formula has a plus sign, those that its metrics are made of included; None where nothing has."""
    if isinstance(node, MetricRef):
        metric = context.metric(node.name)
        if isinstance(metric, Formula) and not metric.made_of:
            return gains(metric.formula, context, plus)
        return node if plus else None
    if isinstance(node, Around):
        inner = gains(node.inner, context, plus)
        return None if inner is None else replace(node, inner=inner)
    if isinstance(node, Call) and node.function in ("+", "-"):
        sides = [gains(node.arguments[0], context, plus), gains(node.arguments[1], context, plus == (node.function == "+"))]
        known = [side for side in sides if side is not None]
        return Call("+", (known[0], known[1]), node.type) if len(known) == 2 else known[0] if known else None
    if isinstance(node, Call) and node.function == "neg":
        return gains(node.arguments[0], context, not plus)
    if isinstance(node, Call) and node.function in ("*", "/") and isinstance(node.arguments[1], Literal_):
        factor = node.arguments[1]
        # Only the sign of all is looked at, so a factor says no more than whether it turns it.
        return gains(node.arguments[0], context, plus == (isinstance(factor.value, Decimal) and factor.value > 0))
    if isinstance(node, Literal_):
        return None
    return node if plus else None


def with_conditions(node: Node, context: Context) -> Node:
    """The formula with every only() resolved for the tables it applies to.

    Raises:
        BadExpression, UnknownName, Unreachable: a condition that can't be read, or that a table can't reach.
    """
    if isinstance(node, Only):
        first = {leaf.table: leaf.name for leaf in leaves(node.inner, context)}
        on = tuple((table, _seen(node.condition, table, name, context)) for table, name in first.items())
        return replace(node, inner=with_conditions(node.inner, context), on=on)
    if isinstance(node, Around):
        return replace(node, inner=with_conditions(node.inner, context))
    if isinstance(node, Call):
        return replace(node, arguments=tuple(with_conditions(argument, context) for argument in node.arguments))
    return node


def _seen(condition: str, table: str, metric: str, context: Context) -> Node:
    scope = Scope(table, context.dimensions, context.lookup, metric, columns=False, catalog=context.catalog)
    return expressions.filtered(condition, with_metrics(scope, context), "only()")


def with_metrics(scope: Scope, context: Context) -> Scope:
    """A scope in which per() may speak of the file's metrics."""
    return replace(scope, metrics=context.metrics, leaves=lambda name: leaves(context.metric(name), context))
