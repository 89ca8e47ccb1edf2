"""Cells of a scan by the dimensions that filters speak of, kept: filters with other values are then answered from them.

Reading and joining rows, spreading flows over days and splitting costs take nearly all of a statement, and none of it
hangs on which segment is chosen. What adds up over groups is computed once by period, group and filtered dimension,
without the filter; a statement with the filter takes the cells that it keeps and adds them up. The figures are those of
the statement that reads the rows, to the last decimal, as groups add up to their total. Averages are kept as their sums
and counts; medians and distinct counts are read from the rows each time. So is what only nearly adds up: amounts of
which some lack a rate, for those of two segments may cancel out before any rate is needed; amounts that are rounded when
converted; and costs that are split, by what is no key, for they too may cancel out and are then split among nobody.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakKeyDictionary

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from kpi.errors import QueryTooHeavy, TooLarge
from kpi.keeping import Keeper
from kpi.metrics import expressions, operations, splitting
from kpi.metrics.compile import Compiler, Typed
from kpi.metrics.model import Call, Column, Definitions, Kept, Node, Over, Per, Query
from kpi.metrics.rows import Rows
from kpi.metrics.stages import allocating, rates
from kpi.metrics.stages.events import is_additive
from kpi.metrics.stages.scan import LeafParts, Scan, Stage
from kpi.warehouse.failures import engine_errors
from kpi.warehouse.reader import Reader

#: Cubes kept of one generation, and the size of one; a filter by a customer's name has none.
MOST_CUBES: Final = 128
MOST_ROWS: Final = 40_000
MOST_BYTES: Final = 4 << 20

_kept: Final[WeakKeyDictionary[Reader, Keeper[Cube | None]]] = WeakKeyDictionary()
_lock: Final = threading.Lock()
_numbers: Final = itertools.count(1)


@dataclass(frozen=True)
class Cube:
    """The cells of one scan, as a table that statements name.

    Attributes:
        rows: slot, place, the scan's groups, those of the filters' dimensions, and the columns of ``parts``.
        marks: of an allocation, see :class:`kpi.metrics.stages.allocating.Cells`.
    """

    name: str
    columns: tuple[tuple[str, Any], ...]
    rows: pa.Table
    parts: Mapping[str, LeafParts]
    marks: Mapping[str, str]
    sparse: bool

    @property
    def table(self) -> Any:
        """For a statement."""
        return sa.table(self.name, *(sa.column(name, kind) for name, kind in self.columns))


class Cubes:
    """The cubes that one statement is made of.

    Attributes:
        used: name -> the rows of the cubes that the statement names.
    """

    def __init__(self, query: Query, definitions: Definitions, reader: Reader) -> None:
        self._query = query
        self._definitions = definitions
        self._reader = reader
        self.used: dict[str, pa.Table] = {}

    def stage(self, scan: Scan, make: Callable[[Scan], Stage]) -> Stage | None:
        """The stage of a scan from its cube; None where it has none.

        Args:
            make: the stage from rows.
        """
        if not self._query.where or self._query.top is not None or not _adds_up(scan):
            return None
        leaf = scan.leaves[0]
        extra = tuple(node for node in self._filtered(scan) if node not in scan.by)
        if scan.split is not None and not _on_keys(scan, extra):
            return None
        wide = replace(scan, by=(*scan.by, *extra), filters=leaf.only, bounds={})
        groups = {node: group for node, group in zip(wide.by, wide.groups, strict=True) if getattr(node, "type", "") == "text"}
        asked = [part for node in scan.filters[: len(scan.filters) - len(leaf.only)] for part in splitting.conjuncts(node)]
        seen = [_on_groups(node, groups) for node in asked]
        if any(node is None for node in seen):
            return None
        asked_for = (self._definitions.hash, replace(self._query, where=()), scan.name)
        key = (*asked_for, scan.leaves, wide.by, tuple(scan.slots.items()), scan.split is not None)
        cube = _keeper(self._reader).get(key, lambda: self._made(wide, make))
        if cube is None:
            return None
        self.used[cube.name] = cube.rows
        rows = cube.table
        compiled = Compiler(lambda node: _group_of(node, rows), scan.calendar, in_rows=True)
        wheres = {node: compiled.element(shown) for node, shown in zip(asked, seen, strict=True) if shown is not None}
        if scan.split is None:
            return _filtered_stage(scan, cube, rows, list(wheres.values()))
        own, on_keys = splitting.apart(leaf, asked)
        cells = allocating.Cells(rows, cube.parts[leaf.name], cube.marks)
        conditions = [sa.and_(*(wheres[node] for node in nodes)) if nodes else None for nodes in (own, on_keys)]
        return allocating.of_cells(scan, cells, *conditions)

    def _filtered(self, scan: Scan) -> tuple[Node, ...]:
        """The dimensions that filters speak of, as the scan's table reaches them."""
        dimensions, leaf = self._definitions.dimensions, scan.leaves[0]
        found = (expressions.group(name, scan.table, dimensions, leaf.name, scan.catalog) for name in self._names())
        return tuple(dict.fromkeys(found))

    def _names(self) -> list[str]:
        known = self._definitions.dimensions
        return list(dict.fromkeys(name for text in self._query.where for name in expressions.names_of(text) if name in known))

    def _too_many(self, scan: Scan) -> bool:
        """Whether a filter's dimension has so many values that nobody need add up its cells to see that they are too many."""
        windows = sum(window is not None for of_slot in scan.slots.values() for window in of_slot)
        for name in self._names():
            if name in self._query.by:
                continue
            dimensions, table = self._definitions.dimensions, self._definitions.dimensions[name].table
            of_table = Rows(table, scan.calendar, catalog=scan.catalog)
            text = of_table.text(expressions.group(name, table, dimensions, name, scan.catalog))
            values = sa.select(sa.func.count(sa.distinct(text)).label("n")).select_from(of_table.source)
            if self._reader.run(values).column(0)[0].as_py() * windows > MOST_ROWS:
                return True
        return False

    def _made(self, wide: Scan, make: Callable[[Scan], Stage]) -> Cube | None:
        if wide.split is not None:
            cells = allocating.cells(wide)
            parts, marks, sparse, select = {wide.leaves[0].name: cells.part}, cells.marks, True, cells.rows
        else:
            stage = make(wide)
            if stage.totals or not all(part.additive for part in stage.parts.values()):
                return None
            parts, marks, sparse, select = dict(stage.parts), {}, stage.sparse, _added_up(wide, stage)
        columns = tuple((column.name, column.type) for column in select.selected_columns)
        try:
            if self._too_many(wide):
                return None
            rows = self._reader.run(select.limit(MOST_ROWS + 1))
        except engine_errors(QueryTooHeavy, TooLarge):  # the filter alone may be answered in time, or leave out what overflows
            return None
        if rows.num_rows > MOST_ROWS or rows.nbytes > MOST_BYTES or (_may_cancel_out(wide) and _lacks_a_rate(rows, parts)):
            return None
        return Cube(f"cube_{next(_numbers)}", columns, rows, parts, marks, sparse)


def _keeper(reader: Reader) -> Keeper[Cube | None]:
    with _lock:
        return _kept.setdefault(reader, Keeper(MOST_CUBES))


def _adds_up(scan: Scan) -> bool:
    """Whether the groups of a scan add up to what a filter keeps, each row with its own values of the filter's dimensions."""
    leaf = scan.leaves[0]
    if leaf.moved or leaf.followed or leaf.retained or leaf.lived:
        return False
    return is_additive(leaf) and not (scan.split is not None and leaf.only) and not _is_rounded(scan)


def _is_rounded(scan: Scan) -> bool:
    """Whether an amount times a rate has more places than are kept, so that sums hang on what is converted at once."""
    leaf = scan.leaves[0]
    if not scan.foreign or leaf.value is None or isinstance(leaf.time, Over):  # a flow's rows are converted one by one
        return False
    scale = Rows(scan.table, scan.calendar, catalog=scan.catalog).typed(leaf.value).scale
    return scale is not None and not 0 <= scale <= rates.CONVERTED_SCALE - rates.RATE_SCALE


def _may_cancel_out(scan: Scan) -> bool:
    """Whether amounts without a rate are added up before one is asked for."""
    return scan.split is not None or not isinstance(scan.leaves[0].time, Over)


def _lacks_a_rate(rows: pa.Table, parts: Mapping[str, LeafParts]) -> bool:
    missing = [part.missing.name for part in parts.values() if part.missing is not None]
    return any(pc.any(pc.not_equal(rows.column(name), 0)).as_py() for name in missing)


def _on_keys(scan: Scan, nodes: tuple[Node, ...]) -> bool:
    """Whether all is seen through the keys of an allocation, so that it tells no more of its rows apart."""
    allocate = scan.leaves[0].allocate
    keys = {key.name for key in allocate.keys} if allocate is not None else set[str]()
    return all(keys.issuperset(splitting.own_columns(node)) for node in nodes)


def _added_up(wide: Scan, stage: Stage) -> sa.Select[Any]:
    """The rows of a stage, one for each slot, place and group."""
    names = ["slot", "place", *wide.groups, *(part.name for part in stage.columns())]
    selects = [sa.select(*(found.c[name] for name in names)) for found in (select.subquery() for select in stage.selects)]
    rows: Any = (sa.union_all(*selects) if len(selects) > 1 else selects[0]).subquery("cells")
    keys = [rows.c.slot, rows.c.place, *(rows.c[group] for group in wide.groups)]
    sums = [sa.cast(sa.func.sum(rows.c[part.name]), part.type).label(part.name) for part in stage.columns()]
    return sa.select(*keys, *sums).group_by(*keys)


def _filtered_stage(scan: Scan, cube: Cube, rows: Any, wheres: list[Any]) -> Stage:
    columns = [rows.c.slot, rows.c.place, *(rows.c[group] for group in scan.groups)]
    parts = Stage((), cube.parts).columns()
    return Stage((sa.select(*columns, *(rows.c[part.name] for part in parts)).where(*wheres),), cube.parts, sparse=cube.sparse)


def _on_groups(node: Node, groups: Mapping[Node, str]) -> Node | None:
    """A condition on groups instead of on rows; None where it is on anything else."""
    if node in groups:
        return Column((), "", groups[node], "text")
    if isinstance(node, Column | Per | Kept):
        return None
    if isinstance(node, Call):
        arguments = [_on_groups(argument, groups) for argument in node.arguments]
        return None if None in arguments else replace(node, arguments=tuple(one for one in arguments if one is not None))
    return node


def _group_of(node: Node, rows: Any) -> Typed:
    assert isinstance(node, Column)  # noqa: S101 - the other nodes of rows are literals and calls
    return Typed(sa.cast(rows.c[node.name], operations.TEXT))
