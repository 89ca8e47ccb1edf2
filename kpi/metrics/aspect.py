"""What a question groups and filters by, as the table of a metric sees it."""

from __future__ import annotations

from collections.abc import Callable

from kpi.metrics import expressions
from kpi.metrics.binding import Values, bound
from kpi.metrics.catalog import Catalog
from kpi.metrics.entities import entity
from kpi.metrics.model import Definitions, Node, Query

#: Table and metric -> groups and filters, resolved from the table; the metric is for what can't be reached.
Aspect = Callable[[str, str], tuple[tuple[Node, ...], tuple[Node, ...]]]


def of_query(query: Query, definitions: Definitions, values: Values) -> Aspect:
    """The dimensions and filters of a query; ``values`` of its filters, where it is a :class:`kpi.metrics.binding.Shape`'s."""

    found: dict[str, tuple[tuple[Node, ...], tuple[Node, ...]]] = {}  # twenty metrics are of five tables

    def seen(table: str, metric: str) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        if table not in found:
            found[table] = read(table, metric)
        return found[table]

    def read(table: str, metric: str) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        by = tuple(expressions.group(name, table, definitions.dimensions, metric, definitions.catalog) for name in query.by)
        filters = (
            expressions.condition(text, table, definitions.dimensions, metric, definitions.catalog, definitions.metrics)
            for text in query.where
        )
        return by, tuple(bound(node, values) for node in filters)

    return seen


def of_entity(each: str, catalog: Catalog) -> Aspect:
    """Whose each row is, and no filter."""
    return lambda table, _: ((entity(each, table, catalog),), ())
