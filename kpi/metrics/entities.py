"""Whose row it is: the key that an event is followed by, seen from any table that leads to it."""

from __future__ import annotations

from typing import Final

from kpi.errors import BadExpression, did_you_mean
from kpi.metrics import graph
from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.model import Call, Hop, Literal_, Node
from kpi.metrics.nodes import column

#: Columns that tell customers apart which no account matched.
_UNMATCHED: Final = ("source", "source_account_id")


def entity(each: str, table: str, catalog: Catalog = STANDARD) -> Node:
    """Whose a row of ``table`` is, as text: an entity such as ``account`` or ``deal``, or a column such as ``subscription_id``.

    A customer that could not be matched is one of its own, by the source's own id; a row without any is nobody's.

    Raises:
        BadExpression: nothing has this name, or the table doesn't lead to it.
        graph.AmbiguousPath: two paths of the same length do.
    """
    tables = catalog.tables
    if each not in known(catalog):
        if each in tables[table].columns and tables[table].columns[each].info["unit"] in ("id", "text"):
            return column(table, each, catalog=catalog)
        raise BadExpression(_refusal(each, table, catalog))
    (key,) = tables[each].primary_key
    path = graph.path(table, each, catalog)
    if path is None:
        raise BadExpression(f"{table} leads to no {each}; it has {', '.join(reached(table, catalog))}")
    if not path:
        return column(table, key.name, catalog=catalog)
    own = column(path[-1].table, path[-1].column, path[:-1], catalog)
    if each != "account" or not set(_UNMATCHED) <= set(tables[path[-1].table].columns.keys()):
        return own
    return Call("coalesce", (own, _unmatched(path[-1].table, path[:-1], catalog)), "text")


def known(catalog: Catalog = STANDARD) -> tuple[str, ...]:
    """Entities: tables whose rows have one key."""
    return tuple(table.name for table in catalog.facts() if len(table.primary_key) == 1 and table.name != "fx_rate")


def reached(table: str, catalog: Catalog = STANDARD) -> list[str]:
    """The entities that rows of ``table`` lead to."""
    return [name for name in graph.reachable(table, catalog) if name in known(catalog)]


def _unmatched(table: str, path: tuple[Hop, ...], catalog: Catalog) -> Node:
    source, written = (column(table, name, path, catalog) for name in _UNMATCHED)
    named = Call("concat", (_text("?"), source, _text(":"), written), "text")
    return Call("case", (Call("not", (Call("is_null", (written,), "flag"),), "flag"), named), "text")


def _text(value: str) -> Literal_:
    return Literal_(value, "text")


def _refusal(each: str, table: str, catalog: Catalog) -> str:
    names = reached(table, catalog)
    columns = [name for name, found in catalog.tables[table].columns.items() if found.info["unit"] == "id"]
    near = did_you_mean(each, [*names, *columns])
    return f'no entity of {table} is called "{each}"{near or "; it has " + ", ".join(names) + ", or an id such as " + ", ".join(columns)}'
