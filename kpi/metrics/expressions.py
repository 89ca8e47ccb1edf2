"""The expression language: text -> typed nodes of :mod:`kpi.metrics.model`, with every name resolved.

Three uses, one language:

- :func:`row`: an expression on the rows of a table, in a definition (``where``, ``sum``, ``is``);
- :func:`condition` and :func:`group`: a filter and a split of a query, where a name is a dimension or ``table.column``;
- :func:`formula`: arithmetic over metrics.

Nothing of the text survives: columns come from a :class:`kpi.metrics.catalog.Catalog`, values are literals to be bound, the
rest is calls of the closed set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from sqlglot import exp

from kpi.errors import BadExpression
from kpi.language import parsing
from kpi.metrics import functions
from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.model import Dimension, Metric, Node, Type
from kpi.metrics.nodes import column, columns_of, mapped, metrics_of, pers_of
from kpi.metrics.resolving import FormulaTree, Lookup, Rows, Scope
from kpi.metrics.uses import leaves_of

__all__ = ["Lookup", "Scope", "column", "columns_of", "condition", "filtered", "formula", "group", "mapped", "metrics_of", "pers_of", "row"]


@lru_cache(maxsize=512)
def _parsed(text: str, known: tuple[str, ...]) -> exp.Expr:
    """The tree of an expression, which nobody changes: a filter is read for each table, and for each query anew."""
    return parsing.parse(text, known, functions.PLACES)


#: Characters of what is no name that are repeated back.
_MOST_ECHO = 60


def row(text: str, scope: Scope) -> Node:
    """An expression of a definition on the rows of ``scope.table``.

    Raises:
        BadExpression, UnknownName, Unreachable, graph.AmbiguousPath: with the sentence for the problem.
    """
    return Rows(scope).node(_parsed(text, functions.named("row")))


def condition(
    text: str,
    table: str,
    dimensions: Mapping[str, Dimension],
    metric: str,
    catalog: Catalog = STANDARD,
    metrics: Mapping[str, Metric] | None = None,
) -> Node:
    """A filter of a query for a metric on ``table``: names are dimensions or ``table.column``; see :func:`row`.

    ``metrics``: those that per() may speak of.
    """
    scope = Scope(table, tuple(dimensions), dimensions.get, metric, columns=False, catalog=catalog)
    if metrics is not None:
        scope = replace(scope, metrics=tuple(metrics), leaves=lambda name: leaves_of(name, metrics))
    return filtered(text, scope, "a filter")


def filtered(text: str, scope: Scope, where: str) -> Node:
    """A condition on the rows of ``scope.table``; ``where`` it stands, for messages; see :func:`row`."""
    rows = Rows(scope)
    return rows.operators.condition(rows.node(_parsed(text, functions.named("row"))), where)


def group(name: str, table: str, dimensions: Mapping[str, Dimension], metric: str, catalog: Catalog = STANDARD) -> Node:
    """What a metric on ``table`` is split by: a dimension or ``table.column``; see :func:`row`."""
    rows = Rows(Scope(table, tuple(dimensions), dimensions.get, metric, columns=False, catalog=catalog))
    tree = _parsed(name, ())
    if not isinstance(tree, exp.Column):
        said = name if len(name) <= _MOST_ECHO else f"{name[:_MOST_ECHO]}…"
        raise BadExpression(f'"{said}" is not a name; a split is by a dimension or table.column')
    return rows.node(tree)


def names_of(text: str) -> tuple[str, ...]:
    """The names without a table that a filter speaks of, each once."""
    tree = _parsed(text, functions.named("row"))
    return tuple(dict.fromkeys(found.name for found in tree.find_all(exp.Column) if not found.table))


def formula(text: str, metrics: Iterable[str], metric_type: Callable[[str], Type], until: bool = False) -> Node:
    """Arithmetic over metrics; ``metric_type`` gives the type of each (and raises what its definition raised).

    ``until``: it is what an entity of time_to waits for.
    """
    known = functions.named("until" if until else "formula")
    if re.search(r"\bonly\s*\(", text, re.IGNORECASE):  # its condition is about rows; elsewhere the tree refuses what is
        known = tuple(dict.fromkeys((*known, *functions.named("row"))))
    return FormulaTree(tuple(metrics), metric_type).node(_parsed(text, known))
