"""What must be asked of tables that this program did not make before figures are planned on them: once for a reader."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from kpi.metrics.catalog import Catalog, Given
from kpi.metrics.model import At, Definitions, Leaf, Moment, Snapshot, Time
from kpi.metrics.operations import Element
from kpi.metrics.rows import Rows
from kpi.warehouse.reader import CoverageRow, CurrencyRow, Reader

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Answers:
    """What the tables of ``tables:`` say of themselves.

    Attributes:
        coverage: of each table that any metric counts, over all its dates, the place in the database as its source.
        spans: the same by the dates of each way to stand in time; None where no row has a date.
        doubled: keys that joins lead to and several rows share.
    """

    coverage: tuple[CoverageRow, ...] = ()
    spans: tuple[tuple[str, Time, CoverageRow | None], ...] = ()
    currencies: tuple[CurrencyRow, ...] = ()
    doubled: tuple[tuple[str, str], ...] = ()


def answers(definitions: Definitions, reader: Reader) -> Answers:
    """Ask; a query for each table that is counted, and one for each key that a join leads to."""
    catalog = definitions.catalog
    leaves = [metric for metric in definitions.metrics.values() if isinstance(metric, Leaf) and metric.table in catalog.given]
    coverage: list[CoverageRow] = []
    spans: list[tuple[str, Time, CoverageRow | None]] = []
    currencies: list[CurrencyRow] = []
    for table in dict.fromkeys(leaf.table for leaf in leaves):
        times = list(dict.fromkeys(leaf.time for leaf in leaves if leaf.table == table))
        found = _dates(table, times, definitions, reader)
        spans += [(table, time, row) for time, row in zip(times, found, strict=True)]
        known = [row for row in found if row is not None]
        if known:
            first, after = min(row.covers_from for row in known), max(row.covers_to for row in known)
            basis = " and ".join(dict.fromkeys(row.basis for row in known))
            coverage.append(replace(known[0], covers_from=first, covers_to=after, basis=basis))
        currencies += _currencies(table, catalog.given[table].written, definitions, reader)
    return Answers(tuple(coverage), tuple(spans), tuple(currencies), tuple(_doubled(definitions, reader)))


def _moment(time: Time) -> Moment:
    """The date by which rows show how far a table reaches; an end may lie ahead."""
    return time.column if isinstance(time, At | Snapshot) else time.start


def _name(moment: Moment) -> str:
    return moment.name if hasattr(moment, "name") else "an expression"


def _dates(table: str, times: list[Time], definitions: Definitions, reader: Reader) -> list[CoverageRow | None]:
    rows = Rows(table, definitions.calendar, catalog=definitions.catalog)
    columns: list[Any] = [sa.func.count().label("n")]
    for place, time in enumerate(times):
        day: Element = rows.day(_moment(time))
        columns += [sa.func.min(day).label(f"first_{place}"), sa.func.max(day).label(f"last_{place}")]
    (row,) = reader.run(sa.select(*columns).select_from(rows.source)).to_pylist()
    found: list[CoverageRow | None] = []
    for place, time in enumerate(times):
        first, last = row[f"first_{place}"], row[f"last_{place}"]
        basis = f"dates of its rows in {_name(_moment(time))}"
        written = definitions.catalog.given[table].written
        found.append(None if first is None else CoverageRow(table, written, first, last + _DAY, basis, int(row["n"])))
    return found


def _currencies(table: str, written: str, definitions: Definitions, reader: Reader) -> list[CurrencyRow]:
    if "currency" not in definitions.catalog.tables[table].columns:
        return []
    source = definitions.catalog.source(table)
    code = sa.func.coalesce(source.c.currency, sa.literal("")).label("code")
    each = sa.select(code).select_from(source).subquery("each_row")
    found = reader.run(sa.select(each.c.code, sa.func.count().label("n")).group_by(each.c.code)).to_pylist()
    return [CurrencyRow(table, written, row["code"], "", row["n"]) for row in found]


def _doubled(definitions: Definitions, reader: Reader) -> list[tuple[str, str]]:
    catalog = definitions.catalog
    targets = dict.fromkeys(
        (key.column.table.name, key.column.name)
        for one in catalog.given.values()
        for column in one.table.columns
        for key in column.foreign_keys
        if key.column.table.name in catalog.given
    )
    return [(table, column) for table, column in targets if reader.run(_shared(catalog.given[table], column)).num_rows]


def _shared(given: Given, column: str) -> sa.Select[Any]:
    """A row where several rows have one key; of a history, on one day."""
    source = given.source
    key = source.c[column]
    one: Any = sa.literal_column("1")
    if not given.history:
        return sa.select(one).select_from(source).where(key.is_not(None)).group_by(key).having(sa.func.count() > 1).limit(1)
    over: dict[str, Any] = {
        "partition_by": key,
        "order_by": [source.c.valid_from, source.c.valid_to.asc().nulls_last()],
        "rows": (None, -1),
    }
    never = sa.literal_column("DATE '9999-12-31'", sa.Date())
    ends = sa.func.max(sa.func.coalesce(source.c.valid_to, never)).over(**over)
    lasts = sa.or_(source.c.valid_to.is_(None), source.c.valid_to > source.c.valid_from)  # one that holds on no day doubles nothing
    before = (
        sa.select(source.c.valid_from, ends.label("until")).select_from(source).where(key.is_not(None), lasts).subquery("version_before")
    )
    return sa.select(one).select_from(before).where(before.c.until > before.c.valid_from).limit(1)


def given_counts(catalog: Catalog, reader: Reader) -> dict[str, int]:
    """Table of ``tables:`` -> number of rows."""
    found = {}
    for name, one in catalog.given.items():
        found[name] = int(reader.run(sa.select(sa.func.count().label("n")).select_from(one.source)).column(0)[0].as_py())
    return found


def given_descriptions(catalog: Catalog) -> list[dict[str, Any]]:
    """As :func:`kpi.warehouse.holdings.descriptions`, of the tables of ``tables:``; a column's meaning is its own name."""
    return [
        {
            "name": name,
            "meaning": f"{one.written}, which this program did not make",
            "columns": [{"name": column.name, "unit": column.info["unit"], "meaning": column.comment} for column in one.table.columns],
        }
        for name, one in catalog.given.items()
    ]
