"""Expressions that a statement works out once for each row, however often it uses them.

DuckDB finds what a select repeats, but not inside a CASE, an AND or an OR, since it may skip a part of those. The cast
of a cell stands in its value, in what tells that it can't be read, and in every comparison that finds a zone's offset:
written as a layer of its own below the select, it costs one cast instead of twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.visitors import InternalTraversal


class Once(sa.ColumnElement[Any]):
    """An expression that :func:`layered` works out once; in any other statement it is simply itself.

    It must not fail for any row, since a layer is worked out for rows that a CASE around it leaves out.
    """

    __visit_name__ = "once"
    inherit_cache = False
    _traverse_internals = [("inner", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - as SQLAlchemy has it

    def __init__(self, inner: sa.ColumnElement[Any]) -> None:
        self.inner = inner
        self.type = inner.type

    def self_group(self, against: Any = None) -> sa.ColumnElement[Any]:
        """In the parentheses that its expression needs."""
        return self if self.inner.self_group(against) is self.inner else sa.sql.elements.Grouping(self)


@compiles(Once)
def _write(element: Once, compiler: Any, **how: Any) -> str:
    return str(compiler.process(element.inner, **how))


def layered(source: sa.FromClause, columns: Sequence[sa.ColumnElement[Any]], where: sa.ColumnElement[Any] | None = None) -> sa.Select[Any]:
    """``columns`` of the rows of ``source`` that are as ``where`` says, each :class:`Once` in them worked out once.

    Columns of ``source`` must be named without it.
    """
    layers = _Layers()
    taken = [layers.above(column)[0] for column in columns]
    kept = None if where is None else layers.above(where)[0]
    everything: Any = sa.literal_column("*")
    for made in layers.made:
        source = sa.select(everything, *made).select_from(source).subquery()
    select = sa.select(*taken).select_from(source)
    return select if kept is None else select.where(kept)


def filtered(source: sa.FromClause, where: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The rows of ``source`` that are as ``where`` says, each :class:`Once` in it worked out once; DuckDB alone reads it."""
    layers = _Layers()
    kept = layers.above(where)[0]
    for made in layers.made:
        source = sa.select(sa.literal_column("*"), *made).select_from(source).subquery()
    names = ", ".join(column.name for made in layers.made for column in made)
    everything: Any = sa.literal_column(f"* EXCLUDE ({names})" if names else "*")
    return sa.select(everything).select_from(source).where(kept)


class _Layers:
    """The layers below a select.

    Attributes:
        made: the columns of each, the lowest first; a layer may use those of the ones below it.
    """

    def __init__(self) -> None:
        self.made: list[list[sa.ColumnElement[Any]]] = []
        self._named: dict[str, tuple[sa.ColumnElement[Any], int]] = {}
        self._seen: dict[int, tuple[Once, sa.ColumnElement[Any], int]] = {}

    def above(self, expression: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], int]:
        """``expression`` with columns of the layers in place of what is worked out there, and how many it stands on."""
        height = 0

        def take_out(element: Any, **_: Any) -> sa.ColumnElement[Any] | None:
            nonlocal height
            if not isinstance(element, Once):
                return None
            column, layer = self._column(element)
            height = max(height, layer)
            return column

        replaced: sa.ColumnElement[Any] = visitors.replacement_traverse(expression, {}, take_out)
        return replaced, height

    def _column(self, once: Once) -> tuple[sa.ColumnElement[Any], int]:
        if id(once) not in self._seen:
            compiled = once.inner.compile()
            text = f"{compiled} {compiled.params}"
            if text not in self._named:
                inner, height = self.above(once.inner)
                name = f"once{len(self._named)}"
                self._named[text] = sa.column(name, once.type), height + 1
                if height == len(self.made):
                    self.made.append([])
                self.made[height].append(inner.label(name))
            self._seen[id(once)] = (once, *self._named[text])
        return self._seen[id(once)][1:]
