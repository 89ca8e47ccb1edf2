"""The top groups of a query, its order and its limit: what they may be, and the groups that are shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import sqlalchemy as sa

from kpi.errors import UnknownName, UsageError
from kpi.metrics.model import Definitions, Kept, Node, Query
from kpi.metrics.operations import byte_order
from kpi.metrics.windows import Frame

#: More rows of their own than anybody reads.
MOST_TOP: Final = 10_000


def checked(query: Query, definitions: Definitions) -> None:
    """Raises UsageError (UnknownName for a name) where top, order or limit ask for what isn't there."""
    if query.top is not None:
        if not 1 <= query.top <= MOST_TOP:
            raise UsageError(f"the top {query.top} can't be shown; ask for 1 to {MOST_TOP:,} groups")
        if not query.by:
            known = ", ".join(definitions.dimensions) or "table.column"
            raise UsageError(f"the top {query.top} of what? Say which groups with --by and a dimension: {known}")
        if query.top_by is not None and query.top_by not in definitions.metrics:
            raise UnknownName("metric", query.top_by, definitions.metrics)
    elif query.top_by is not None:
        raise UsageError(f"the largest by {query.top_by} are how many? Say so, such as --top 5")
    if query.limit is not None and query.limit < 1:
        raise UsageError(f"a limit of {query.limit} rows shows nothing; ask for 1 or more")
    sortable = ("period", *query.by, *query.metrics)
    for order in query.order:
        if order.name not in sortable:
            raise UsageError(f'rows can\'t be sorted by "{order.name}", which is not asked for; they have {", ".join(sortable)}')


def question(query: Query, frame: Frame) -> Query:
    """Whose answer ranks the groups of a query: the value of each over all days asked for."""
    assert query.top is not None  # noqa: S101 - the caller looked
    return Query((query.top_by or query.metrics[0],), query.by, query.where, "all", frame.since, frame.until)


class Top:
    """The groups shown: their values k0, k1, … and their rank from 1, of the answer to :func:`question`.

    Groups with equal values are in the order of their names, those without a value last; groups that lack a dimension
    have no rank, for they are shown anyway.
    """

    def __init__(self, answer: sa.Select[Any], query: Query, name: str, values: Mapping[str, Any] | None = None) -> None:
        self._answer, self._query, self._name, self._values = answer, query, name, values

    @cached_property
    def table(self) -> sa.CTE:
        """As a part of one statement."""
        answer = self._answer.params(self._values) if self._values else self._answer
        found = answer.order_by(None).subquery(f"{self._name}_value")
        keys = list(found.c)[1 : 1 + len(self._query.by)]
        value = list(found.c)[1 + len(self._query.by)]
        rank = sa.func.row_number().over(order_by=[value.desc().nulls_last(), *(byte_order(key) for key in keys)])
        ranked = (
            sa.select(*(key.label(f"k{place}") for place, key in enumerate(keys)), rank.label("rank"))
            .where(*(key.is_not(None) for key in keys))
            .subquery(f"{self._name}_rank")
        )
        return sa.select(ranked).where(ranked.c.rank <= sa.literal_column(str(int(self._query.top or 0)))).cte(self._name)

    def with_values(self, values: Mapping[str, Any]) -> Top:
        """The same under other values of the query's filters."""
        return Top(self._answer, self._query, self._name, values)


def kept(groups: tuple[Node, ...], shown: Top | None) -> tuple[Node, ...]:
    """The splits of a query, all that is not shown in one group."""
    if shown is None:
        return groups
    return tuple(Kept(groups, place, shown) for place in range(len(groups)))


def rebound(groups: tuple[Node, ...], values: Mapping[str, Any]) -> tuple[Node, ...]:
    """The splits of a plan that was made for other values of the filters."""
    first = groups[0] if groups else None
    return kept(first.groups, first.top.with_values(values)) if isinstance(first, Kept) else groups
