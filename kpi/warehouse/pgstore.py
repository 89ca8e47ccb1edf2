"""A generation in the making on PostgreSQL: one transaction, with files staged in a scratch DuckDB and carried over."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql as names
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from kpi.errors import WarehouseError
from kpi.warehouse.engines import table_ddl
from kpi.warehouse.schema import metadata
from kpi.warehouse.store import Store

#: Rows carried over at once: a few MB.
_BATCH = 20_000

#: How long to wait for readers to let go of tables of an older version.
_PATIENCE_MS = 5_000


class PostgresStore(Store):
    """Tables in the schema ``kpi`` of a connection with an open transaction."""

    row = "ctid"
    engine = "postgresql"

    def __init__(self, connection: psycopg.Connection[Any], scratch: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.scratch = scratch
        self._numbers = itertools.count()
        self._brought: list[str] = []

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; ``?`` becomes psycopg's mark."""
        cursor = self.connection.execute(sql.replace("%", "%%").replace("?", "%s").encode(), list(values))
        return cursor.fetchall() if cursor.description else []

    def bring(self, relation: str) -> str:
        """Copy the relation into a temporary table."""
        brought = f"brought_{next(self._numbers)}"
        described = self.scratch.execute(f'DESCRIBE SELECT * FROM "{relation}"').fetchall()
        columns = ", ".join(f'"{name}" {_postgres_type(kind)}' for name, kind, *_ in described)
        self.run(f"CREATE TEMP TABLE {brought} ({columns})")
        self._brought.append(brought)
        cursor = self.scratch.execute(f'SELECT * FROM "{relation}"')
        with self.connection.cursor() as target, target.copy(f"COPY {brought} FROM STDIN".encode()) as copy:
            while rows := cursor.fetchmany(_BATCH):
                for row in rows:
                    copy.write_row(row)
        self.run(f"ANALYZE {brought}")
        return brought

    @contextmanager
    def whole(self) -> Iterator[None]:
        """A savepoint."""
        with self.connection.transaction():
            yield

    def add(self, table: str, rows: pa.Table) -> None:
        """By COPY."""
        columns = names.SQL(", ").join(names.Identifier(name) for name in rows.column_names)
        statement = names.SQL("COPY {} ({}) FROM STDIN").format(names.Identifier(table), columns)
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows.to_pylist():
                copy.write_row(tuple(row.values()))

    def forget(self, shared: bool = False) -> None:
        """Drop what was brought over as well."""
        super().forget(shared)
        for name in self._brought:
            self.run(f"DROP TABLE IF EXISTS {name}")
        self._brought.clear()


def create_postgres_tables(connection: psycopg.Connection[Any]) -> None:
    """The schema ``kpi`` with all its tables, if they are not there."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    connection.execute("CREATE SCHEMA IF NOT EXISTS kpi")
    for table in metadata.sorted_tables:
        connection.execute(table_ddl(table, dialect).encode())
        for number, columns in enumerate(_indexed(table)):
            listed = ", ".join(f'"{name}"' for name in columns)
            connection.execute(f"CREATE INDEX IF NOT EXISTS {table.name}_{number} ON {table.name} ({listed})".encode())


def drop_outdated(connection: psycopg.Connection[Any]) -> None:
    """Drop all tables, to be made anew in the same transaction.

    Raises:
        WarehouseError: somebody reads them, and would have to wait until the archive is imported.
    """
    listed = ", ".join(table.name for table in metadata.sorted_tables)
    connection.execute(f"SET LOCAL lock_timeout = {_PATIENCE_MS}")
    try:
        connection.execute(f"DROP TABLE IF EXISTS {listed}".encode())
    except psycopg.errors.LockNotAvailable as error:
        raise WarehouseError(
            "the tables in PostgreSQL must be made anew for this version of the program, and a dashboard or another program is "
            "reading them: stop it and try again"
        ) from error
    connection.execute("SET LOCAL lock_timeout = 0")


def _indexed(table: sa.Table) -> Iterator[list[str]]:
    """The key and the business date: PostgreSQL, unlike DuckDB, has no other way to skip rows."""
    if key := [column.name for column in table.primary_key.columns]:
        yield key
    if table.info["day"]:
        yield [table.info["day"]]


def _postgres_type(kind: str) -> str:
    """DuckDB's name of a type as PostgreSQL calls it."""
    return {"DOUBLE": "DOUBLE PRECISION", "HUGEINT": "NUMERIC", "TIMESTAMP_S": "TIMESTAMP", "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}.get(
        kind, kind
    )


def empty_tables(connection: psycopg.Connection[Any]) -> None:
    """Delete all rows; readers keep theirs, as they would not if the tables were truncated."""
    for table in metadata.sorted_tables:
        connection.execute(f"DELETE FROM {table.name}".encode())
