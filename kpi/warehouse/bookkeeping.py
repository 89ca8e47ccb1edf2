"""Which currencies occur where: counted from the rows themselves whenever they change."""

from __future__ import annotations

from typing import Any

import duckdb
import sqlalchemy as sa

from kpi.warehouse.schema import facts, metadata, money_currency


def currency_tables() -> list[sa.Table]:
    """The tables whose rows carry a currency, a twin and a source."""
    return [table for table in facts() if {"currency", "home_currency", "source"} <= set(table.columns.keys())]


def currency_counts(table: sa.Table) -> sa.Select[Any]:
    """The rows of ``money_currency`` for one table."""
    key = (table.c.source, sa.func.coalesce(table.c.currency, ""), sa.func.coalesce(table.c.home_currency, ""))
    return sa.select(sa.literal_column(f"'{table.name}'"), *key, sa.func.count()).group_by(*key)


def refresh_currencies(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...] | None = None) -> None:
    """Count the currencies of ``tables`` (default: all) anew."""
    from kpi.warehouse.engines import duck_dialect

    for table in currency_tables():
        if tables is None or table.name in tables:
            connection.execute(f"DELETE FROM {money_currency.name} WHERE table_name = $1", [table.name])  # noqa: S608 - a name of the schema
            counts = currency_counts(metadata.tables[table.name]).compile(dialect=duck_dialect(), compile_kwargs={"literal_binds": True})
            connection.execute(f"INSERT INTO {money_currency.name} {counts}")
