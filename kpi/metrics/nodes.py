"""Looking through a resolved expression: its columns, its metrics, and the same with each column replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.model import Around, Call, Column, Hop, Kept, MetricRef, Node, Per, Type

_TYPES: Final[dict[str, Type]] = {
    "id": "text",
    "text": "text",
    "currency": "text",
    "money": "money",
    "day": "day",
    "instant": "instant",
    "flag": "flag",
    "number": "number",
    "integer": "number",
    "hours": "number",
    "rate": "number",
}


def columns_of(node: Node) -> tuple[Column, ...]:
    """Every column that occurs, in the order of the text."""
    if isinstance(node, Column):
        return (node,)
    if isinstance(node, Call):
        return tuple(column for argument in node.arguments for column in columns_of(argument))
    if isinstance(node, Kept):
        return tuple(column for group in node.groups for column in columns_of(group))
    return columns_of(node.key) if isinstance(node, Per) else ()


def pers_of(node: Node | None) -> tuple[Per, ...]:
    """Every per() of a condition, each once."""
    found: dict[Per, None] = {}
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Per):
            found[one] = None
        elif isinstance(one, Call):
            waiting += reversed(one.arguments)
    return tuple(found)


def metrics_of(node: Node) -> tuple[str, ...]:
    """Names of the metrics that a formula speaks of, each once."""
    if isinstance(node, MetricRef):
        return (node.name,)
    if isinstance(node, Around):
        return metrics_of(node.inner)
    if isinstance(node, Call):
        return tuple(dict.fromkeys(name for argument in node.arguments for name in metrics_of(argument)))
    return ()


def mapped(node: Node, change: Callable[[Column], Column]) -> Node:
    """The expression with each column replaced."""
    if isinstance(node, Column):
        return change(node)
    if isinstance(node, Call):
        return replace(node, arguments=tuple(mapped(argument, change) for argument in node.arguments))
    return replace(node, key=mapped(node.key, change)) if isinstance(node, Per) else node


def column(table: str, name: str, path: tuple[Hop, ...] = (), catalog: Catalog = STANDARD) -> Column:
    """A column of a table with its type."""
    return Column(path, table, name, _TYPES[catalog.tables[table].columns[name].info["unit"]])
