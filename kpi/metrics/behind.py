"""The source rows behind a figure: which they are, what each brings, and whether they come to it.

A figure is asked once more by the key of its rows, so that what a row brings is what the figure itself took of it: a month's share
of a yearly invoice, an amount at its day's rate, a part of a cost that was split. A formula is told by its parts, each with its own
rows.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from kpi.errors import KpiError, QueryError
from kpi.metrics.catalog import Catalog
from kpi.metrics.groups import OTHER, condition
from kpi.metrics.model import LAGGED, Definitions, Dimension, Formula, Held, Leaf, MetricRef, Node, Query, Shown, Total
from kpi.metrics.query import run
from kpi.metrics.result import Cell, Result, State, Value
from kpi.metrics.tree import written
from kpi.metrics.uses import COHORT, Use, expand, uses_of
from kpi.periods import Grain, Period
from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import account, import_run

#: Of quotients, which are floats: rows that come to a figure but for rounding come to it.
_NEAR: Final = 1e-9
#: Columns that name a row.
_NAMES: Final = ("customer", "name", "key", "title", "description", "document")
#: Name of the dimension of what a distinct count counts; it takes the place of none in a file for one query.
_COUNTED: Final = "counted_of_a_row"
#: Columns that tell where a row comes from, and not what it says.
_ABOUT: Final = frozenset({"source", "source_id", "run_id", "modified_at", "source_account_id", "source_product_id"})


@dataclass(frozen=True)
class Figure:
    """One value on a page or in a table.

    Attributes:
        period: as the answer has it, whole.
        by, groups: what it is split by, and the group it belongs to.
        since, until: the days that the query asked for, where it asked for some.
    """

    metric: str
    grain: Grain
    period: Period
    where: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    groups: tuple[str | None, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None


@dataclass(frozen=True)
class Row:
    """A row of a table of the warehouse.

    Attributes:
        key: its key, as text.
        value: what it brings to the figure; for the row of a median, its own value.
        facts: what the row says, by column, what is empty left out.
        run_id, file: the import that wrote it as it stands, and the file's name; None where there is none.
    """

    key: tuple[str | None, ...]
    value: Value
    facts: Mapping[str, Any]
    source: str | None = None
    source_id: str | None = None
    run_id: int | None = None
    file: str | None = None


@dataclass(frozen=True)
class Part:
    """A part of a figure with its rows, those that bring most first.

    Attributes:
        name: as the formula writes it, such as ``previous(revenue, 1 year)``.
        table: whose rows they are.
        value: of the part; ``come_to``: what all its rows come to, or None where rows of this kind come to nothing (``said`` tells why).
        count: how many rows there are, of which ``rows`` are shown.
        said: how rows make the figure, in a sentence.
    """

    name: str
    table: str
    unit: str
    value: Value
    state: State
    come_to: Value
    count: int
    rows: tuple[Row, ...]
    said: str

    @property
    def agrees(self) -> bool | None:
        """Whether the rows come to the part's value; None where they can't."""
        if self.come_to is None or self.value is None:
            return None
        if isinstance(self.come_to, float) or isinstance(self.value, float):
            return math.isclose(self.come_to, self.value, rel_tol=_NEAR, abs_tol=_NEAR)
        return self.come_to == self.value


@dataclass(frozen=True)
class Behind:
    """All parts of a figure; ``cell`` is the figure itself, None where it was never known."""

    figure: Figure
    cell: Cell | None
    currency: str
    parts: tuple[Part, ...]
    is_formula: bool


def behind(figure: Figure, definitions: Definitions, reader: Reader, most: int = 100) -> Behind:
    """The rows behind a figure.

    Args:
        most: so many rows of each part are told in full; all are added up.

    Raises:
        QueryError: the group is the rest of many, or as :func:`kpi.metrics.query.run` does.
    """
    if OTHER in figure.groups:
        raise QueryError('"(other)" stands for many groups: ask for more groups, or choose one, to see its rows')
    uses = {_name(use): use for use in uses_of(expand(MetricRef(figure.metric), definitions.metrics))}
    made = {f"{figure.metric}~{place}": _as_metric(use, f"{figure.metric}~{place}", definitions) for place, use in enumerate(uses.values())}
    known = replace(definitions, metrics={**definitions.metrics, **made}, hash=f"{definitions.hash} behind {figure.metric}")
    grouped = tuple(condition(name, (value,)) for name, value in zip(figure.by, figure.groups, strict=True))
    where = (*figure.where, *grouped)
    since, until = figure.since or figure.period.start, figure.until or figure.period.end
    periods = () if figure.grain == "all" else (figure.period.start,)
    # by its groups, and not filtered by them: total() is over all of them
    whole = Query((figure.metric, *made), figure.by, figure.where, figure.grain, since, until, periods, together=True)
    answer = run(whole, known, reader)
    span = answer.coverage[figure.metric]
    if span is not None:
        since, until = max(since, span.start), min(until, span.end)
    parts = []
    for (name, use), metric in zip(uses.items(), made, strict=True):
        cell = _cell(answer, metric, figure)
        rows_of = figure.where if use.total else where
        asked = replace(whole, metrics=(metric,), by=(), where=rows_of, since=since, until=until, together=False)
        if cell is not None and since < until:
            parts.append(_part(name, use, cell, asked, known, reader, most))
    first = _cell(answer, figure.metric, figure)
    return Behind(figure, first, answer.currency, tuple(parts), len(uses) > 1 or isinstance(definitions.metrics[figure.metric], Formula))


def facts_of(rows: Sequence[Row]) -> list[str]:
    """Columns worth reading beside rows: whose they are and what they are called, days, amounts, then the rest; keys are left out."""
    named = dict.fromkeys(name for row in rows for name in row.facts if not name.endswith("_id") and not name.startswith("home_"))

    def place(name: str) -> int:
        value = next(row.facts[name] for row in rows if name in row.facts)
        if name in _NAMES:
            return 0
        return 1 if isinstance(value, dt.date) else 2 if isinstance(value, Decimal) or name == "currency" else 3

    return sorted(named, key=place)


def _cell(answer: Result, metric: str, figure: Figure) -> Cell | None:
    return next((cell for cell in answer.cells(metric) if cell.groups == figure.groups), None)


def _name(use: Use) -> str:
    """A use as a formula would write it."""
    node: Node = MetricRef(use.leaf.name.removeprefix(LAGGED))
    for step in reversed(use.steps):
        node = node if step == COHORT else replace(step, inner=node)
    return written(Total(node) if use.total else node)


def _as_metric(use: Use, name: str, definitions: Definitions) -> Formula:
    leaf = replace(use.leaf, name=f"{name} {use.leaf.name.removeprefix(LAGGED)}")
    if leaf.allocate is not None:
        leaf = replace(leaf, allocate=replace(leaf.allocate, lags=()))
    if leaf.lived is not None:
        leaf = replace(leaf, shown=Shown("started"))
    node: Node = Held(leaf)
    for step in reversed(use.steps):
        node = node if step == COHORT else replace(step, inner=node)
    named = definitions.metrics.get(use.leaf.name)
    unit = "number" if leaf.lived or leaf.aggregate.startswith("count") else named.unit if named else "money" if leaf.money else "number"
    plain: dict[str, Any] = {"means": "", "owner": "", "better": None, "targets": (), "needs": None, "where": leaf.where, "text": {}}
    return Formula(name=name, label=use.leaf.label, unit=unit, **plain, formula=Total(node) if use.total else node)


def _part(name: str, use: Use, cell: Cell, asked: Query, definitions: Definitions, reader: Reader, most: int) -> Part:
    leaf, catalog = use.leaf, definitions.catalog
    metric = asked.metrics[0]
    unit = definitions.metrics[metric].unit
    table, keys, said = _rows_of(leaf, catalog)
    if not keys:
        said = f"{table} has no key, so that its rows can't be told apart"
        return Part(name, table, unit, cell.value, cell.state, None, 0, (), said)
    if use.total:  # by its rows a total would be all of them for each
        made = definitions.metrics[metric]
        assert isinstance(made, Formula)  # noqa: S101 - _as_metric makes no other
        assert isinstance(made.formula, Total)  # noqa: S101
        plain = {**definitions.metrics, metric: replace(made, formula=made.formula.inner)}
        definitions = replace(definitions, metrics=plain, hash=f"{definitions.hash} in all")
    counted = leaf.aggregate == "count_distinct" and leaf.lived is None and leaf.retained is None and leaf.value is not None
    if counted and leaf.value is not None:
        thing = Dimension(_COUNTED, "", leaf.table, leaf.value, leaf.where)
        dimensions = {**definitions.dimensions, _COUNTED: thing}
        definitions = replace(definitions, dimensions=dimensions, hash=f"{definitions.hash} {metric}")
    try:
        if leaf.retained is not None:
            return _retained(name, leaf, cell, asked, definitions, reader, most)
        answer = run(replace(asked, by=(*keys, *([_COUNTED] if counted else []))), definitions, reader)
    except KpiError as error:
        return Part(name, table, unit, cell.value, cell.state, None, 0, (), f"its rows can't be told: {error}")
    found = [one for one in answer.cells(metric) if one.value is not None and (one.value or _is_of_rows(leaf))]
    found.sort(key=lambda one: (-abs(Decimal(one.value or 0)), one.groups[0] or ""))
    shown = [(one.groups[: len(keys)], one.value) for one in found[:most]]
    come_to = _come_to(leaf, [one.value for one in found if one.value is not None], {one.groups[-1] for one in found}, counted)
    rows = _told(table, [name.rpartition(".")[2] for name in keys], shown, catalog, reader)
    return Part(name, table, unit, cell.value, cell.state, come_to, len(found), rows, said)


def _rows_of(leaf: Leaf, catalog: Catalog) -> tuple[str, tuple[str, ...], str]:
    """Whose rows a part is told by, the columns of their key, and how they make it."""
    if leaf.lived is not None:
        each = leaf.lived.each
        if each not in catalog.tables:
            return leaf.table, (f"{leaf.table}.{each}",), "those that started; the figure is read off how long they took, and is no sum"
        (key,) = catalog.tables[each].primary_key
        return each, (f"{each}.{key.name}",), "those that started; the figure is read off how long they took, and is no sum"
    if leaf.moved is not None:
        return "account", ("account.account_id",), "customers, each with what it brings; a movement is that of a customer, not of one row"
    if leaf.retained is not None:
        return "account", ("account.account_id",), "customers; what all have left of what they had then, divided by what all had then"
    given = catalog.given.get(leaf.table)
    names = given.keys if given is not None else tuple(column.name for column in catalog.tables[leaf.table].primary_key)
    return leaf.table, tuple(f"{leaf.table}.{name}" for name in names), _how(leaf)


def _how(leaf: Leaf) -> str:
    return {
        "sum": "the sum of what each row brings",
        "count": "the number of rows, or of what they led to",
        "count_distinct": "the number of different things that the rows name",
        "average": "the mean of the rows' values",
        "median": "the median of the rows' values",
        "percentile": "a percentile of the rows' values, between which it lies",
        "min": "the smallest of the rows' values",
        "max": "the largest of the rows' values",
    }[leaf.aggregate]


def _is_of_rows(leaf: Leaf) -> bool:
    """Whether a row of 0 counts like any other."""
    return leaf.aggregate in ("average", "median", "percentile", "min", "max")


def _come_to(leaf: Leaf, values: Sequence[Any], named: set[str | None], counted: bool) -> Value:
    """What all rows come to, by the leaf's own rule; None where they come to nothing."""
    if leaf.aggregate in ("sum", "count") or leaf.lived is not None or leaf.moved is not None:
        return sum(values, Decimal(0)) if any(isinstance(value, Decimal) for value in values) else sum(values)
    if leaf.aggregate == "count_distinct":
        return len(named - {None}) if counted else None
    if not values:
        return None
    if leaf.aggregate == "average":
        return float(sum(map(Decimal, values)) / len(values))
    if leaf.aggregate == "median":
        return float(statistics.median([float(value) for value in values]))
    if leaf.aggregate in ("min", "max"):
        smallest_or_largest: Value = min(values) if leaf.aggregate == "min" else max(values)
        return smallest_or_largest
    return _percentile(sorted(float(value) for value in values), float(leaf.percent or 0) / 100)


def _percentile(values: Sequence[float], share: float) -> float:
    """Between the two nearest, as far as the share lies between them (SQL's percentile_cont)."""
    place = share * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def _retained(name: str, leaf: Leaf, cell: Cell, asked: Query, definitions: Definitions, reader: Reader, most: int) -> Part:
    """Of a share that is left: what each customer had, and what of it is left."""
    assert leaf.retained is not None  # noqa: S101 - the caller looked
    table, keys, said = _rows_of(leaf, definitions.catalog)
    metric = asked.metrics[0]
    had = f"{metric} then"
    stock = definitions.metrics[leaf.retained.stock]
    made = definitions.metrics[metric]
    assert isinstance(made, Formula)  # noqa: S101 - _as_metric makes no other
    then = replace(made, name=had, unit=stock.unit, formula=replace(leaf.retained.back, inner=MetricRef(stock.name)))
    known = replace(definitions, metrics={**definitions.metrics, had: then}, hash=f"{definitions.hash} then")
    answer = run(replace(asked, metrics=(metric, had), by=keys), known, reader)
    found = []
    for share, before in zip(answer.cells(metric), answer.cells(had), strict=True):
        if before.value:
            left = Decimal(before.value) * Decimal(share.value or 0)
            found.append((share.groups, before.value, left))
    found.sort(key=lambda one: (-Decimal(one[1]), one[0][0] or ""))
    whole, kept = sum(Decimal(before) for _, before, _ in found), sum((left for _, _, left in found), Decimal(0))
    rows = _told(table, ["account_id"], [(key, float(left)) for key, _, left in found[:most]], definitions.catalog, reader)
    rows = tuple(replace(row, facts={"had then": before, **row.facts}) for row, (_, before, _) in zip(rows, found, strict=False))
    unit = definitions.metrics[metric].unit
    return Part(name, table, unit, cell.value, cell.state, float(kept / whole) if whole else None, len(found), rows, said)


def _told(
    table: str, keys: Sequence[str], shown: Sequence[tuple[tuple[str | None, ...], Value]], catalog: Catalog, reader: Reader
) -> tuple[Row, ...]:
    """The rows with what they say and the file they come from."""
    source = catalog.source(table)
    texts = [_text(source.c[key]) for key in keys]
    wanted = [key for key, _ in shown if None not in key]
    facts: dict[tuple[str, ...], dict[str, Any]] = {}
    if wanted:
        columns = [source.c[column.name].label(column.name) for column in catalog.tables[table].columns]
        joined, more = _besides(table, source)
        matches = (
            texts[0].in_([key[0] for key in wanted])
            if len(keys) == 1
            else sa.or_(*(sa.and_(*(text == value for text, value in zip(texts, key, strict=True))) for key in wanted))
        )
        named = [text.label(f"key {place}") for place, text in enumerate(texts)]
        for line in reader.run(sa.select(*named, *columns, *more).select_from(joined).where(matches)).to_pylist():
            facts[tuple(str(line.pop(f"key {place}")) for place in range(len(keys)))] = line
    return tuple(_row(key, value, facts.get(tuple(str(part) for part in key), {})) for key, value in shown)


def _besides(table: str, source: Any) -> tuple[Any, list[Any]]:
    """The file that a row came from, and its customer's name."""
    joined, more = source, []
    if "run_id" in source.c:
        joined = joined.outerjoin(import_run, import_run.c.run_id == source.c.run_id)
        more.append(import_run.c.file.label("file of it"))
    if "account_id" in source.c and table != "account":
        joined = joined.outerjoin(account, account.c.account_id == source.c.account_id)
        more.append(account.c.name.label("customer of it"))
    return joined, more


def _row(key: tuple[str | None, ...], value: Value, line: dict[str, Any]) -> Row:
    file, customer = line.pop("file of it", None), line.pop("customer of it", None)
    told = {name: said for name, said in line.items() if name not in _ABOUT and said is not None}
    facts = ({"customer": customer} if customer is not None else {}) | told
    return Row(key, value, facts, line.get("source"), line.get("source_id"), line.get("run_id"), file)


def _text(column: Any) -> Any:
    return column if isinstance(column.type, sa.String) else sa.cast(column, sa.String())
