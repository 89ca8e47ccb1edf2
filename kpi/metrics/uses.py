"""A formula -> its leaves, each with what previous(), rolling(), to_date() and total() ask of it.

They apply to the leaves, and the formula is computed after: a rolling win rate is the won of 28 days over the
closed of 28 days, never a mean of rates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from kpi.errors import QueryError, UnknownName
from kpi.metrics.model import (
    LAGGED,
    AtStart,
    Call,
    During,
    Formula,
    Held,
    Lag,
    Leaf,
    Metric,
    MetricRef,
    Node,
    Only,
    Rolling,
    Shift,
    Snapshot,
    ToDate,
    Total,
)
from kpi.metrics.windows import Step


@dataclass(frozen=True)
class Use:
    """A leaf in a formula; ``steps`` outermost first. It stands where the formula had a metric's name."""

    leaf: Leaf
    steps: tuple[Step, ...] = ()
    total: bool = False

    @property
    def type(self) -> str:
        """Uses are numbers wherever a node's type is asked for."""
        return "number"


Tree = Node | Use


def expand(
    node: Node, metrics: Mapping[str, Metric], steps: tuple[Step, ...] = (), total: bool = False, only: tuple[Only, ...] = ()
) -> Tree:
    """The formula with every metric's name replaced by uses of leaves.

    Raises:
        UnknownName: no such metric.
        QueryError: rolling() or to_date() of a stock.
    """
    if isinstance(node, MetricRef):
        metric = metrics.get(node.name)
        if metric is None:
            raise UnknownName("metric", node.name, metrics)
        if isinstance(metric, Leaf):
            return _use(_filtered(metric, only), steps, total)
        if isinstance(metric, Formula):
            return expand(metric.formula, metrics, steps, total, only)
        raise QueryError(f"{node.name} is of a kind that can't be computed yet")
    if isinstance(node, Held):
        return _use(_filtered(node.leaf, only), steps, total)
    if isinstance(node, Total):
        return expand(node.inner, metrics, steps, True, only)
    if isinstance(node, Only):
        return expand(node.inner, metrics, steps, total, (*only, node))
    if isinstance(node, Shift | Rolling | ToDate | AtStart | Lag):
        # The step keeps no inner formula, so that equal steps of different formulas are equal.
        return expand(node.inner, metrics, (*steps, replace(node, inner=MetricRef(""))), total, only)
    if isinstance(node, Call):
        arguments = tuple(expand(argument, metrics, steps, total, only) for argument in node.arguments)
        return replace(node, arguments=arguments)  # type: ignore[arg-type]  # a tree's calls hold uses
    return node


#: The starts that a cohort is made of: those of so many months up to the period's end (SEMANTICS, ``time_to``).
COHORT = Rolling(MetricRef(""), 24, "month")


def has_a_day(leaf: Leaf) -> str | None:
    """What a leaf is, in words, where it has a value on a day and none over days."""
    if leaf.lived is not None:
        return "as known on a day"
    if isinstance(leaf.time, Snapshot):
        return "a balance"
    if not isinstance(leaf.time, During) or leaf.moved is not None:
        return None
    return "a stock" if leaf.retained is None else "the retention of a stock"


def _use(leaf: Leaf, steps: tuple[Step, ...], total: bool) -> Use:
    what = has_a_day(leaf)
    if what is not None:
        for step in steps:
            if isinstance(step, Rolling | ToDate):
                name = "rolling" if isinstance(step, Rolling) else "to_date"
                raise QueryError(f"{leaf.name} is {what}: it has a value on a day, and {name}() adds up days")
        steps = tuple(replace(step, is_stock=True) if isinstance(step, AtStart) else step for step in steps)
    lags = tuple(step for step in steps if isinstance(step, Lag))
    if leaf.allocate is not None and lags:  # allocated by the months that it is set against, so a leaf of its own
        leaf = replace(leaf, name=f"{LAGGED}{leaf.name}", allocate=replace(leaf.allocate, lags=lags))
    return Use(leaf, (*steps, COHORT) if leaf.lived is not None else steps, total)


def _filtered(leaf: Leaf, only: tuple[Only, ...]) -> Leaf:
    """The leaf with further conditions, as a leaf of its own that shares the scan of the first."""
    for one in only:
        found = dict(one.on).get(leaf.table)
        if found is None:
            raise QueryError(f"only({leaf.name}, {one.condition}) was not resolved for {leaf.table}")
        name = f"{leaf.name} where {one.condition}"
        # What is picked, followed or split first is filtered after.
        if leaf.moved or leaf.retained or leaf.followed or leaf.lived or leaf.allocate or isinstance(leaf.time, Snapshot):
            leaf = replace(leaf, name=name, only=(*leaf.only, found))
            continue
        both = found if leaf.condition is None else Call("and", (leaf.condition, found), "flag")
        leaf = replace(leaf, name=name, condition=both)
    return leaf


def with_leaves(tree: Tree, change: Callable[[Leaf], Leaf]) -> Tree:
    """The tree with each leaf replaced."""
    if isinstance(tree, Use):
        return replace(tree, leaf=change(tree.leaf))
    if isinstance(tree, Call):
        arguments = tuple(with_leaves(argument, change) for argument in tree.arguments)
        return replace(tree, arguments=arguments)  # type: ignore[arg-type]  # a tree's calls hold uses
    return tree


def divided(tree: Tree) -> Iterator[Use]:
    """Every use within a quotient."""
    if isinstance(tree, Call):
        for argument in tree.arguments:
            yield from uses_of(argument) if tree.function == "/" else divided(argument)


def uses_of(tree: Tree) -> Iterator[Use]:
    """Every use, in the order of the text."""
    if isinstance(tree, Use):
        yield tree
    elif isinstance(tree, Call):
        for argument in tree.arguments:
            yield from uses_of(argument)


def leaves_of(name: str, metrics: Mapping[str, Metric]) -> tuple[Leaf, ...]:
    """The leaves that a metric comes down to, each once, in the order of its text."""
    return tuple({use.leaf.name: use.leaf for use in uses_of(expand(MetricRef(name), metrics))}.values())
