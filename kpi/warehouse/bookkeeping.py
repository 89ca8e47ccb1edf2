"""Coverage and currencies: what a query must know before it trusts a table, kept as rows change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from kpi.warehouse.schema import facts, metadata
from kpi.warehouse.store import Store


def currency_tables() -> list[sa.Table]:
    """The tables whose rows carry a currency, a twin and a source."""
    return [table for table in facts() if {"currency", "home_currency", "source"} <= set(table.columns.keys())]


def refresh_currencies(store: Store, tables: Iterable[str] | None = None) -> None:
    """Count the currencies of ``tables`` (default: all) anew."""
    wanted = None if tables is None else set(tables)
    for table in currency_tables():
        if wanted is None or table.name in wanted:
            store.run("DELETE FROM money_currency WHERE table_name = ?", [table.name])
            store.run(
                "INSERT INTO money_currency (table_name, source, currency, home_currency, row_count) "
                f"SELECT '{table.name}', source, coalesce(currency, ''), coalesce(home_currency, ''), count(*) FROM {table.name} "
                "GROUP BY source, coalesce(currency, ''), coalesce(home_currency, '')"
            )


def extend_coverage(store: Store, source: str, covers: Mapping[str, tuple[dt.date, dt.date, str]]) -> None:
    """Let the coverage of ``source`` reach over what a file covers as well; the wider of each bound counts."""
    for table, (first, end, basis) in covers.items():
        known = store.run("SELECT covers_from, covers_to, basis FROM coverage WHERE table_name = ? AND source = ?", [table, source])
        if known:
            first, end = min(first, known[0][0]), max(end, known[0][1])
            basis = basis if basis == known[0][2] else "stated by the file and dates of its rows"
        store.run("DELETE FROM coverage WHERE table_name = ? AND source = ?", [table, source])
        row: dict[str, Any] = {
            "table_name": table,
            "source": source,
            "covers_from": first,
            "covers_to": end,
            "basis": basis,
            "row_count": 0,
        }
        store.add("coverage", pa.Table.from_pylist([row]))


def refresh_row_counts(store: Store, tables: Iterable[str]) -> None:
    """Count the rows of each covered source anew."""
    for name in tables:
        if "source" in metadata.tables[name].columns:
            store.run(
                f"UPDATE coverage SET row_count = (SELECT count(*) FROM {name} WHERE {name}.source = coverage.source) WHERE table_name = ?",
                [name],
            )
