"""per(): the values of a metric by what a row belongs to, computed in the same statement as what they choose.

They are over all days that the query asks for and without its filters, so that a customer of more than 10,000 is the
same one in each period, under any filter. Each key has one value at most, so joining them multiplies no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kpi.metrics.compile import DOUBLE
from kpi.metrics.groups import OTHER
from kpi.metrics.model import Call, Leaf, Node, Per, Query
from kpi.metrics.nodes import pers_of
from kpi.metrics.operations import Element
from kpi.metrics.uses import Tree, Use, uses_of
from kpi.metrics.windows import Frame

if TYPE_CHECKING:
    from kpi.metrics.plan import Plan


@dataclass(frozen=True, eq=False)
class Figures:
    """The values of one per(): of ``metric`` split ``by``.

    ``plan`` and ``answer`` are of that query, with :data:`kpi.metrics.groups.OTHER` for a key without rows.
    """

    metric: str
    by: str
    name: str
    plan: Plan
    answer: sa.Select[Any]

    @property
    def written(self) -> str:
        """As in a definition."""
        return f"per({self.by}, {self.metric})"

    @property
    def is_known(self) -> bool:
        """Whether any of the days asked for is covered, by systems that count."""
        (asked,) = self.plan.asked
        return all(asked.known) and not asked.uncounted and bool(asked.covered)

    @property
    def is_whole(self) -> bool:
        """Whether all of the days asked for are covered."""
        (asked,) = self.plan.asked
        return all(asked.whole)

    @cached_property
    def table(self) -> sa.CTE:
        """Columns key, value, and lacks: how many of its amounts have no exchange rate."""
        found = self.answer.order_by(None).subquery(f"{self.name}_value")
        columns = list(found.c)
        lacks = [columns[3 + place] for place, (kind, _) in enumerate(self.plan.extra) if kind == "missing"]
        return sa.select(
            columns[1].label("key"), columns[2].label("value"), (lacks[0] if lacks else sa.literal_column("0")).label("lacks")
        ).cte(self.name)

    @property
    def scale(self) -> int | None:
        """Decimal places of the values."""
        kind = self.table.c.value.type
        if isinstance(kind, sa.Double):
            return DOUBLE
        return (kind.scale or 0) if isinstance(kind, sa.Numeric) else 0

    def rows(self, alias: str) -> Any:
        """The values, to be joined by key."""
        return sa.select(self.table.c.key, self.table.c.value).where(self.table.c.key != sa.literal(OTHER)).subquery(alias)

    @property
    def without_rows(self) -> Element:
        """The value of a key that has no rows."""
        return sa.select(self.table.c.value).where(self.table.c.key == sa.literal(OTHER)).correlate(None).scalar_subquery()

    @property
    def lacking(self) -> Element | None:
        """How many amounts behind all values have no exchange rate, or None where nothing is converted."""
        if not any(kind == "missing" for kind, _ in self.plan.extra):
            return None
        return sa.func.coalesce(sa.select(sa.func.sum(self.table.c.lacks)).correlate(None).scalar_subquery(), 0)


class Answers:
    """The figures of every per() in a query, each computed once.

    Args:
        ask: plans a query as a part of the statement, its parts' names begun as said.
    """

    def __init__(self, ask: Callable[[Query, str], tuple[Plan, sa.Select[Any]]], frame: Frame, within: str) -> None:
        self._ask = ask
        self._frame = frame
        self._within = within
        self._found: dict[tuple[str, str], Figures] = {}

    def of(self, node: Node) -> Node:
        """A condition with its figures."""
        if isinstance(node, Per):
            return replace(node, found=self._figures(node)) if self._frame.periods else node
        if isinstance(node, Call) and pers_of(node):
            return replace(node, arguments=tuple(self.of(argument) for argument in node.arguments))
        return node

    def of_tree(self, tree: Tree | None) -> Any:
        """A formula, the conditions of whose leaves have their figures."""
        if isinstance(tree, Use):
            return replace(tree, leaf=self._leaf(tree.leaf)) if any(map(pers_of, conditions_of(tree.leaf))) else tree
        if isinstance(tree, Call):
            return replace(tree, arguments=tuple(self.of_tree(argument) for argument in tree.arguments))
        return tree

    def behind(self, trees: Iterable[Tree | None], filters: Iterable[Node]) -> tuple[Figures, ...]:
        """The figures that a metric's values hang on."""
        conditions = [found for tree in trees if tree is not None for use in uses_of(tree) for found in conditions_of(use.leaf)]
        if not self._frame.periods:
            return ()
        return tuple(dict.fromkeys(self._figures(per) for condition in (*conditions, *filters) for per in pers_of(condition)))

    def _leaf(self, leaf: Leaf) -> Leaf:
        followed = leaf.followed
        if followed is not None:
            followed = replace(followed, to=self._leaf(followed.to))
        lived = leaf.lived
        if lived is not None:
            until = self._leaf(lived.until) if isinstance(lived.until, Leaf) else lived.until
            lived = replace(lived, until=until, lost=None if lived.lost is None else self._leaf(lived.lost))
        allocate = None if leaf.allocate is None else replace(leaf.allocate, basis=self._leaf(leaf.allocate.basis))
        condition = None if leaf.condition is None else self.of(leaf.condition)
        only = tuple(self.of(node) for node in leaf.only)
        return replace(leaf, condition=condition, followed=followed, lived=lived, only=only, allocate=allocate)

    def _figures(self, per: Per) -> Figures:
        key = (per.by, per.metric)
        if key not in self._found:
            name = f"{self._within}per{len(self._found)}"
            asked = Query((per.metric,), (per.by,), (), "all", self._frame.since, self._frame.until)
            self._found[key] = Figures(per.metric, per.by, name, *self._ask(asked, f"{name}_"))
        return self._found[key]


def conditions_of(leaf: Leaf) -> tuple[Node | None, ...]:
    """Every condition that decides which rows a leaf is of, or what they are split by."""
    followed, allocate, lived = leaf.followed, leaf.allocate, leaf.lived
    later = () if followed is None else conditions_of(followed.to)
    others = () if lived is None else tuple(node for other in lived.leaves for node in conditions_of(other))
    return (leaf.condition, *leaf.only, *later, *others, *(() if allocate is None else conditions_of(allocate.basis)))
