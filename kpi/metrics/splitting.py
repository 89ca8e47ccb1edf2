"""What a query makes of an allocated leaf: nothing where it asks for no key, else what its rows are split by.

A leaf that no group and no filter of the query sees through its keys is the same with or without allocation, so it
is planned as if it had none, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from kpi.metrics import expressions
from kpi.metrics.catalog import Catalog
from kpi.metrics.model import LAGGED, Call, Column, Leaf, Node
from kpi.metrics.windows import Window, clip
from kpi.periods import Calendar, Period


@dataclass(frozen=True)
class Lacks:
    """Of one leaf's rows: which keys those have that lack one (in each way that occurs), and which key any row lacks.

    ``key``: table, condition and keys of the leaf.
    """

    key: tuple[str, Node | None, tuple[Column, ...]]
    given: tuple[tuple[bool, ...], ...]
    missing: tuple[bool, ...]


def key_of(leaf: Leaf) -> tuple[str, Node | None, tuple[Column, ...]]:
    """What decides which rows of a leaf lack a key."""
    return leaf.table, leaf.condition, leaf.allocate.keys if leaf.allocate else ()


def ways_to_lack(leaf: Leaf) -> tuple[tuple[bool, ...], ...]:
    """For each way to have some keys and not all, whether each is there."""
    assert leaf.allocate is not None  # noqa: S101 - asked of allocated leaves only
    return tuple(product((False, True), repeat=len(leaf.allocate.keys)))[:-1]


def plain(leaf: Leaf) -> Leaf:
    """The same figure without allocation, where no key is asked for."""
    condition = _all([node for node in (leaf.condition, *leaf.only) if node is not None])
    return replace(leaf, name=leaf.name.removeprefix(LAGGED), condition=condition, only=(), allocate=None)


def touched(leaf: Leaf, nodes: Iterable[Node]) -> tuple[int, ...]:
    """Places of the keys that any of the nodes is seen through."""
    assert leaf.allocate is not None  # noqa: S101 - asked of allocated leaves only
    used = {name for node in nodes for name in own_columns(node)}
    return tuple(place for place, key in enumerate(leaf.allocate.keys) if key.name in used)


def own_columns(node: Node) -> tuple[str, ...]:
    """Columns of the leaf's table that an expression is made of, or begins to join with."""
    columns = expressions.columns_of(node)
    return tuple(dict.fromkeys(column.path[0].column if column.path else column.name for column in columns))


def apart(leaf: Leaf, nodes: Sequence[Node]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Conditions on the rows as they are, and those on what allocation makes of them."""
    each = [part for node in nodes for part in conjuncts(node)]
    return tuple(node for node in each if not touched(leaf, [node])), tuple(node for node in each if touched(leaf, [node]))


def conjuncts(node: Node) -> list[Node]:
    """The conditions that all must hold for ``node`` to hold."""
    if isinstance(node, Call) and node.function == "and":
        return [part for argument in node.arguments for part in conjuncts(argument)]
    return [node]


def lacking(leaf: Leaf, places: Iterable[int], catalog: Catalog) -> Node:
    """Whether a row lacks one of these keys; one that names a customer who is not matched lacks none."""
    assert leaf.allocate is not None  # noqa: S101 - asked of allocated leaves only
    keys = leaf.allocate.keys
    empty: list[Node] = [is_missing(keys[place]) for place in places]
    lacks = empty[0] if len(empty) == 1 else Call("or", tuple(empty), "flag")
    named = [node for key in keys if (node := _named(leaf, key, catalog)) is not None]
    return _all([lacks, *(Call("not", (node,), "flag") for node in named)]) or lacks


def is_missing(column: Column) -> Node:
    """Whether a column is empty."""
    return Call("is_null", (column,), "flag")


def months_of(slots: Iterable[Sequence[Window | None]], calendar: Calendar) -> tuple[Period, ...]:
    """The calendar's months that any window touches."""
    found = {(window.start, window.end) for windows in slots for window in windows if window is not None}
    months = calendar.periods(min(start for start, _ in found), max(end for _, end in found), "month")
    return tuple(month for month in months if any(start < month.end and month.start < end for start, end in found))


def basis_windows(months: Sequence[Period], later: int, covered: Sequence[Period], calendar: Calendar) -> tuple[Window | None, ...]:
    """For each month the covered days of the one so many months later, by which it is split."""
    found = []
    for month in months:
        place = calendar.month_ordinal(month.start) + later
        found.append(clip(Period(calendar.month_start(place), calendar.month_start(place + 1)), covered))
    return tuple(found)


def _named(leaf: Leaf, key: Column, catalog: Catalog) -> Node | None:
    """That a row names a customer of its source who is not matched: its cost is that customer's, and nobody else's."""
    name = f"source_{key.name}"
    # A class or project that no rule names may well be what is shared by all; a customer isn't.
    if key.name != "account_id" or name not in catalog.tables[leaf.table].columns:
        return None
    known = Call("not", (is_missing(expressions.column(leaf.table, name, catalog=catalog)),), "flag")
    return Call("and", (is_missing(key), known), "flag")


def _all(nodes: Sequence[Node]) -> Node | None:
    if len(nodes) <= 1:
        return nodes[0] if nodes else None
    return Call("and", tuple(part for node in nodes for part in conjuncts(node)), "flag")
