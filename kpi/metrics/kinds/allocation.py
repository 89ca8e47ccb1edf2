"""``allocate``: a leaf whose rows without a key are split in proportion to another metric, month by month."""

from __future__ import annotations

from typing import Final

from kpi import yamlfile
from kpi.errors import did_you_mean
from kpi.language.problems import Key
from kpi.metrics import expressions, graph
from kpi.metrics.catalog import Catalog
from kpi.metrics.kinds.base import Context
from kpi.metrics.kinds.following import metric_name
from kpi.metrics.model import Aggregate, Allocate, At, Column, During, Leaf, Over, Snapshot, Time

ALLOCATE: Final = (
    Key("to", "a table, or a list such as [account, product]", "which keys rows are given that lack them", required=True),
    Key("by", "a metric", "the sum or count in whose proportion they are split", required=True),
    Key("each", "month", "how long a proportion holds; default month, of the calendar"),
)
_EXAMPLE: Final = "{to: [account, product], by: revenue, each: month}"


def read(value: yamlfile.Value, name: str, table: str, aggregate: Aggregate, time: Time | None, context: Context) -> Allocate | None:
    """The allocation of metric ``name`` on ``table``, or None with its problem added."""
    problems = context.problems
    mapping = problems.mapping(value, _EXAMPLE)
    if mapping is None:
        return None
    whole = problems.keys(mapping, ALLOCATE, "allocate")
    to = _tables(mapping.get("to"), table, context)
    each = problems.choice(mapping.get("each"), ("month",), "how long a proportion holds") if mapping.get("each") else "month"
    basis = _basis(mapping.get("by"), name, context)
    if aggregate != "sum" or isinstance(time, During | Snapshot):
        what = "a stock" if isinstance(time, During) else "a balance" if isinstance(time, Snapshot) else f"a {aggregate}"
        problems.at(value, f"allocate splits a sum at: or over: days, and {name} is {what}")
        return None
    if basis is None or each is None or not whole or not to:
        return None
    seen = _seen(to, basis, mapping.get("by") or value, context)
    keys = tuple(_key(table, one, context.catalog) for one in to)
    return None if seen is None else Allocate(to, tuple(key for key in keys if key is not None), basis, seen)


def spread_over_days(time: Time) -> Time:
    """An event as a flow of one day, so that what is split and what is not are units of the same size."""
    return Over(time.column, time.column, None) if isinstance(time, At) else time


def _tables(value: yamlfile.Value | None, table: str, context: Context) -> tuple[str, ...]:
    found: list[str] = []
    known = list(dict.fromkeys(hop.to_table for hop in graph.hops(table, context.catalog)))
    sound = True
    for item in context.problems.names(value, "a table") if value is not None else ():
        one = item.text.strip()
        if one in found:
            context.problems.at(item, f"{one} is there twice")
            sound = False
        elif one not in known:
            there = f"it has {', '.join(known)}" if known else "it has none"
            context.problems.at(item, f'{table} has no key to "{one}"; {there}{did_you_mean(one, known)}')
            sound = False
        else:
            found.append(one)
    return tuple(found) if sound else ()


def _basis(value: yamlfile.Value | None, name: str, context: Context) -> Leaf | None:
    text = metric_name(value, context)
    if text is None or value is None:
        return None
    if text == name:
        context.problems.at(value, f"{name} can't be split by itself")
        return None
    basis = context.metric(text)
    if not isinstance(basis, Leaf) or basis.aggregate not in ("sum", "count") or basis.followed or basis.retained:
        context.problems.at(value, f"{text} is no sum or count of rows; a cost is split in proportion to one, such as revenue")
        return None
    if basis.allocate is not None:
        context.problems.at(value, f"{text} is allocated itself; a cost is split in proportion to what is known, such as revenue")
        return None
    return basis


def _seen(to: tuple[str, ...], basis: Leaf, value: yamlfile.Value, context: Context) -> tuple[Column, ...] | None:
    """The keys as the rows of the basis reach them."""
    found = []
    for one in to:
        way = _key(basis.table, one, context.catalog)
        if way is None:
            reach = ", ".join(graph.reachable(basis.table, context.catalog)[1:]) or "nothing"
            context.problems.at(value, f"{basis.name} is of {basis.table}, which doesn't reach {one}; it reaches {reach}")
            return None
        found.append(way)
    return tuple(found)


def _key(table: str, to: str, catalog: Catalog) -> Column | None:
    """The column that leads from a table to another, over the shortest path; None where no single one does."""
    paths = graph.shortest(table, to, catalog)
    if len(paths) != 1 or not paths[0]:
        return None
    last = paths[0][-1]
    return expressions.column(last.table, last.column, paths[0][:-1], catalog)
