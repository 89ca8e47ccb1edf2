"""A warehouse filled by hand, questions asked of it, and answers as plain tuples."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from kpi.metrics.model import Definitions, Query
from kpi.metrics.query import run
from kpi.metrics.result import Result
from kpi.settings import Settings
from kpi.warehouse.engines import memory_writer, open_reader, table_ddl
from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import metadata


class Team:
    """A PostgreSQL database with the tables of the schema, filled anew for each reader: making them takes ten times as long."""

    def __init__(self, url: str) -> None:
        self.url = url
        plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, autocommit=True, options="-c search_path=kpi")
        self._filled: list[str] = []
        self._connection.execute("CREATE SCHEMA kpi")
        for table in metadata.sorted_tables:
            self._connection.execute(table_ddl(table, PGDialect_psycopg()))

    def fill(self, rows_of: Callable[[str], list[tuple[Any, ...]]]) -> None:
        """Have these rows and no others; readers that are open keep what they see."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for name in self._filled:
                cursor.execute(f"DELETE FROM {name}")
            self._filled = []
            for table in metadata.sorted_tables:
                found = rows_of(table.name)
                if found:
                    self._filled.append(table.name)
                    with cursor.copy(f"COPY {table.name} FROM STDIN") as copy:
                        for row in found:
                            copy.write_row(row)

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()


class Warehouse:
    """Rows of the schema's tables; ``reader()`` is over the rows as they stand then, on DuckDB or in ``team``."""

    def __init__(self, settings: Settings, team: Team | None = None) -> None:
        self._settings = settings if team is None else dataclasses.replace(settings, warehouse_url=team.url)
        self._team = team
        self._writer = memory_writer()
        self._readers: list[Reader] = []

    def add(self, table: str, *rows: Mapping[str, Any], covers: tuple[str, str] | None = None, source: str = "test") -> Warehouse:
        """Add rows, whose keys are numbered where they lack one; ``covers``: say so of ``source``, as ISO days."""
        key = next(iter(metadata.tables[table].primary_key)).name
        count = self.sql(f"select count(*) from {table}")[0][0]
        known = metadata.tables[table].columns.keys()
        filled = []
        for place, row in enumerate(rows):
            given = {name: _value(metadata.tables[table].columns[name], value) for name, value in row.items()}
            base = {key: f"{source}:{count + place}"} | ({"source": source} if "source" in known else {})
            filled.append(base | given)
        self._writer.insert(table, filled)
        if covers:
            self.cover(table, *covers, source=source)
        return self

    def cover(self, table: str, first: str, after: str, source: str = "test") -> Warehouse:
        """``source`` reaches over the days from <= day < to."""
        self._writer.cover(table, source, dt.date.fromisoformat(first), dt.date.fromisoformat(after))
        return self

    def gap(self, table: str, first: str, after: str, source: str = "test") -> Warehouse:
        """``source`` lacks the days from <= day < to."""
        self._writer.insert("coverage_gap", [{"table_name": table, "source": source, "gap_from": _day(first), "gap_to": _day(after)}])
        return self

    def sql(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of SQL written by hand, always computed by DuckDB."""
        return self._writer.connection.execute(text, list(values)).fetchall()

    def reader(self) -> Reader:
        """A reader of the engine that the test is run on."""
        duck = self._writer.reader(self._settings)
        if self._team is None:
            return duck
        self._team.fill(lambda table: self.sql(f"from {table}"))
        self._readers.append(open_reader(self._settings))
        return self._readers[-1]

    def close(self) -> None:
        """Let go of everything."""
        for reader in self._readers:
            reader.close()
        self._writer.connection.close()


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _value(column: sa.Column[Any], value: Any) -> Any:
    """ISO texts become days and instants, numbers decimals."""
    if isinstance(value, str) and isinstance(column.type, sa.Date):
        return dt.date.fromisoformat(value)
    if isinstance(value, str) and isinstance(column.type, sa.DateTime):
        return dt.datetime.fromisoformat(value)
    if isinstance(value, str | int) and isinstance(column.type, sa.Numeric) and not isinstance(value, bool):
        return Decimal(value)
    return value


def ask(
    warehouse: Warehouse | Reader,
    known: Definitions,
    *metrics: str,
    by: tuple[str, ...] = (),
    where: tuple[str, ...] = (),
    grain: str = "all",
    since: str | None = None,
    until: str | None = None,
    **rest: Any,
) -> Result:
    """Run a query whose days are written as texts; ``rest`` are other fields of it."""
    query = Query(
        metrics=metrics,
        by=by,
        where=where,
        grain=grain,  # type: ignore[arg-type]
        since=dt.date.fromisoformat(since) if since else None,
        until=dt.date.fromisoformat(until) if until else None,
        **rest,
    )
    reader = warehouse.reader() if isinstance(warehouse, Warehouse) else warehouse
    found = run(query, known, reader)
    if where:
        same(found, run(query, known, reader, keep=True))
    return found


def same(found: Result, kept: Result) -> None:
    """What is made of kept cells is what is made of the rows: figures, states and sentences."""
    # Without an order asked for, groups that are alike in bytes are all that may stand otherwise: there are none.
    assert rows(kept) == rows(found)
    assert (kept.states, kept.notes, kept.table.schema) == (found.states, found.notes, found.table.schema)


def rows(result: Result) -> list[tuple[Any, ...]]:
    """The table as tuples without ``partial``: days as ISO texts, decimals as texts with their places."""
    return [tuple(_shown(value) for value in row.values()) for row in result.table.drop_columns(["partial"]).to_pylist()]


def column(result: Result, name: str) -> list[Any]:
    """One column of the table, shown as :func:`rows` shows it."""
    return [_shown(value) for value in result.table.column(name).to_pylist()]


def states(result: Result, name: str) -> list[str]:
    """The states of a metric."""
    found: pa.Array = result.states[name]
    return [str(state) for state in found.to_pylist()]


def _shown(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, dt.date) else value
