"""Which tables a metric's table reaches, and over which keys.

The foreign keys of a :class:`kpi.metrics.catalog.Catalog` are the edges, followed from the many to the one only, so that no
join ever multiplies a row. The shortest path counts; two of the same length are an error that asks which.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from kpi.errors import QueryError
from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.model import Hop

#: Answers kept: all of some catalogs.
_KEPT: Final = 4096

#: Kinds of tables that a metric may join to; bookkeeping is no business of a figure.
_JOINED = ("fact", "entity")


class AmbiguousPath(QueryError):
    """Two shortest paths lead from one table to another."""

    exit_code = 2

    def __init__(self, start: str, goal: str, paths: tuple[tuple[Hop, ...], ...]) -> None:
        self.start = start
        self.goal = goal
        self.paths = paths
        ways = " or ".join(_written(path) for path in paths)
        super().__init__(f"{start} leads to {goal} in more than one way of the same length: {ways}; name a column of a table in between")


@lru_cache(_KEPT)
def hops(table: str, catalog: Catalog = STANDARD) -> tuple[Hop, ...]:
    """The many-to-one steps out of a table, in the order of its columns."""
    keys = [(column, key.column) for column in catalog.tables[table].columns for key in column.foreign_keys]
    return tuple(Hop(table, own.name, other.table.name, other.name) for own, other in keys if other.table.info["kind"] in _JOINED)


@lru_cache(_KEPT)
def shortest(start: str, goal: str, catalog: Catalog = STANDARD) -> tuple[tuple[Hop, ...], ...]:
    """All shortest paths; one empty path where both are the same table, none where no key leads there."""
    reached: list[tuple[Hop, ...]] = [()]
    seen = {start}
    while reached:
        found = tuple(path for path in reached if (path[-1].to_table if path else start) == goal)
        if found:
            return found
        longer = []
        for path in reached:
            longer += [(*path, hop) for hop in hops(path[-1].to_table if path else start, catalog) if hop.to_table not in seen]
        seen |= {path[-1].to_table for path in longer}
        reached = longer
    return ()


def path(start: str, goal: str, catalog: Catalog = STANDARD) -> tuple[Hop, ...] | None:
    """The path from ``start`` to ``goal``, or None where no key leads there.

    Raises:
        AmbiguousPath: two of the same length.
    """
    found = shortest(start, goal, catalog)
    if len(found) > 1:
        raise AmbiguousPath(start, goal, found)
    return found[0] if found else None


@lru_cache(_KEPT)
def reachable(start: str, catalog: Catalog = STANDARD) -> tuple[str, ...]:
    """Every table that ``start`` reaches, itself first, nearest first."""
    tables = [start]
    for table in tables:
        tables += [hop.to_table for hop in hops(table, catalog) if hop.to_table not in tables]
    return tuple(dict.fromkeys(tables))


def _written(path: tuple[Hop, ...]) -> str:
    return ", then ".join(f"{hop.table}.{hop.column}" for hop in path)
