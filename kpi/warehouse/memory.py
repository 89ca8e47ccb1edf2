"""A warehouse in memory, filled by hand: what tests of metrics stand on, without files or imports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import sqlalchemy as sa

from kpi.settings import Settings
from kpi.warehouse.bookkeeping import refresh_currencies
from kpi.warehouse.engines import DuckReader, Reader, create_tables, duck_dialect
from kpi.warehouse.schema import metadata
from kpi.warehouse.store import DuckStore


class MemoryWriter:
    """Tables of the schema, empty at first.

    ``connection`` is open for SQL written by hand; readers share it, so close none of them before the last use.
    """

    def __init__(self, number: int = 1, mappings: str = "") -> None:
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'")
        create_tables(self.connection)
        self.insert("generation", [{"number": number, "published_at": dt.datetime(2026, 1, 1), "archive_line": 0, "mappings": mappings}])  # noqa: DTZ001

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]]) -> MemoryWriter:
        """Add rows; columns they leave out are null. Every row may name other columns."""
        target = metadata.tables[table]
        for row in rows:
            statement = sa.insert(target).values(**row).compile(dialect=duck_dialect())
            self.connection.execute(str(statement), [statement.params[name] for name in statement.positiontup or ()])
        return self

    def cover(self, table: str, source: str, covers_from: dt.date, covers_to: dt.date, basis: str = "dates of its rows") -> MemoryWriter:
        """Say that ``source`` reaches over the days from <= day < to in ``table``."""
        target = sa.table(table)
        found = self.connection.execute(str(sa.select(sa.func.count()).select_from(target).compile(dialect=duck_dialect()))).fetchall()
        row = {
            "table_name": table,
            "source": source,
            "covers_from": covers_from,
            "covers_to": covers_to,
            "basis": basis,
            "row_count": found[0][0],
        }
        return self.insert("coverage", [row])

    def reader(self, settings: Settings | None = None) -> Reader:
        """A reader of the rows as they stand now; ``money_currency`` is counted from them."""
        refresh_currencies(DuckStore(self.connection))
        return DuckReader(self.connection, settings or Settings())
