"""The rows of a table with what they reach: columns, joins along many-to-one keys, what was true of an account then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

from kpi.metrics import compile as compiling
from kpi.metrics import operations
from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.compile import Compiler, Typed
from kpi.metrics.groups import OTHER
from kpi.metrics.model import Bound, Call, Column, Hop, Kept, Literal_, Moment, Node, Per
from kpi.metrics.nodes import columns_of, mapped
from kpi.metrics.operations import Element
from kpi.periods import Calendar
from kpi.warehouse import schema

#: Columns of account whose former values are kept.
KEPT: Final = frozenset(schema.account_version.columns.keys()) - {"account_id", "valid_from", "valid_to"}

#: Says when a version held for a row: from the version's alias to the join's condition.
Then = Callable[[Any], Element]


class Rows:
    """Compiles row expressions of one table and gathers the joins they need.

    Args:
        source: what to read instead of the whole table; it has the table's columns that are asked for.
        catalog: the tables there are.
        then: the condition under which a version of an account is the row's, or None: accounts as they are now.
        shared: keeps what is compiled of joined tables alone, which is the same for the rows of any table.
    """

    def __init__(
        self,
        table: str,
        calendar: Calendar,
        then: Then | None = None,
        source: sa.FromClause | None = None,
        catalog: Catalog = STANDARD,
        shared: dict[Any, Any] | None = None,
    ) -> None:
        self._shared = shared
        self.table: Any = catalog.source(table) if source is None else source
        self.catalog = catalog
        self.calendar = calendar
        self.then = then
        self.versions: list[Any] = []
        self._joined: dict[tuple[tuple[Hop, ...], bool], Any] = {}
        self._version_of: dict[tuple[Hop, ...], Any] = {}
        self._top: Any = None
        self._figures: dict[Per, Any] = {}
        self._from: sa.FromClause = self.table
        self._compiler = Compiler(self._named, calendar, in_rows=True)

    @property
    def source(self) -> sa.FromClause:
        """The table with its joins, once every expression is compiled."""
        return self._from

    def typed(self, node: Node) -> Typed:
        """An expression of the rows."""
        return self._compiler.typed(node)

    def element(self, node: Node) -> Element:
        """An expression of the rows, its scale left aside."""
        seen = None if self._shared is None or self.then is not None else _of_one(node)
        if self._shared is None or seen is None:
            return self._compiler.element(node)
        path, there = seen
        key = (there, self._reached(path))
        if key not in self._shared:
            self._shared[key] = operations.Repeated(self._compiler.element(node))
        found: Element = self._shared[key]
        return found

    def day(self, column: Moment) -> Element:
        """A time column as a day of the calendar's time zone."""
        element = self.element(column)
        return compiling.local_day(element, self.calendar) if column.type == "instant" else element

    def text(self, node: Node) -> Element:
        """What rows are grouped by, as text; flags as true and false."""
        element = self.element(node)
        kind = node.type if hasattr(node, "type") else "text"
        if kind in ("text", "null"):
            return element
        if kind == "flag":
            return sa.case((element, "true"), (sa.not_(element), "false"))
        return sa.cast(element, sa.String())

    def _named(self, node: Node) -> Typed:
        if isinstance(node, Kept):
            return Typed(self._kept(node))
        if isinstance(node, Per):
            return self._per(node)
        assert isinstance(node, Column)  # noqa: S101 - the other nodes of rows are literals and calls
        place = self._reached(node.path, node.now)
        element = place.c[node.name]
        if self.then is not None and node.table == "account" and node.name in KEPT and not node.now:
            version = self._version(node.path, self.then)
            element = sa.case((version.c.account_id.is_not(None), version.c[node.name]), else_=element)
        return Typed(element, scale_of(node, self.catalog))

    def _kept(self, node: Kept) -> Element:
        texts = [self.text(group) for group in node.groups]
        if self._top is None:
            self._top = node.top.table
            same = [text == self._top.c[f"k{place}"] for place, text in enumerate(texts)]
            self._from = self._from.outerjoin(self._top, sa.and_(*same))
        shown = sa.or_(self._top.c.rank.is_not(None), *(text.is_(None) for text in texts))
        return sa.case((shown, texts[node.place]), else_=sa.literal(OTHER))

    def _per(self, node: Per) -> Typed:
        """The value for the row's key; for one without any rows what the metric is without rows, such as 0."""
        figures, key = node.found, self.text(node.key)
        if node not in self._figures:
            found = figures.rows(f"per_{len(self._figures) + 1}")
            self._from = self._from.outerjoin(found, found.c.key == key)
            self._figures[node] = found
        found = self._figures[node]
        value = sa.case((key.is_(None), sa.null()), (found.c.key.is_not(None), found.c.value), else_=figures.without_rows)
        return Typed(value, figures.scale)

    def _reached(self, path: tuple[Hop, ...], now: bool = False) -> Any:
        if not path:
            return self.table
        now = now and any(self.catalog.is_history(hop.to_table) for hop in path)
        if (path, now) not in self._joined:
            hop = path[-1]
            before = self._reached(path[:-1], now)
            target = self.catalog.joined(hop.to_table, len(self._joined) + 1)
            meets: Element = before.c[hop.column] == target.c[hop.to_column]
            if self.catalog.is_history(hop.to_table) and (now or self.then is None):
                meets = sa.and_(meets, target.c.valid_to.is_(None))
            elif self.catalog.is_history(hop.to_table) and self.then is not None:
                meets = sa.and_(meets, self.then(target))
                self.versions.append(target)
            self._from = self._from.outerjoin(target, meets)
            self._joined[path, now] = target
        return self._joined[path, now]

    def _version(self, path: tuple[Hop, ...], then: Then) -> Any:
        if path not in self._version_of:
            version = schema.account_version.alias(f"version_{len(self._version_of) + 1}")
            key = self._reached(path[:-1]).c[path[-1].column] if path else self.table.c.account_id
            self._from = self._from.outerjoin(version, sa.and_(version.c.account_id == key, then(version)))
            self._version_of[path] = version
            self.versions.append(version)
        return self._version_of[path]


@lru_cache(maxsize=256)
def _of_one(node: Node) -> tuple[tuple[Hop, ...], Node] | None:
    """Of a call on the columns of one table that is one step away: the step, and the call as that table itself sees it."""
    columns = columns_of(node) if isinstance(node, Call) else ()
    path = columns[0].path if columns else ()
    if len(path) != 1 or any(column.path != path or column.now for column in columns) or not _plain(node):
        return None
    return path, mapped(node, lambda column: replace(column, path=()))


def _plain(node: Node) -> bool:
    """Whether there is nothing but columns, constants and calls."""
    return all(map(_plain, node.arguments)) if isinstance(node, Call) else isinstance(node, Column | Literal_ | Bound)


def scale_of(column: Column, catalog: Catalog) -> int | None:
    """Decimal places of a column; None for what is no number."""
    kind = catalog.tables[column.table].columns[column.name].type
    if isinstance(kind, sa.BigInteger | sa.Integer):
        return 0
    return kind.scale if isinstance(kind, sa.Numeric) else None
