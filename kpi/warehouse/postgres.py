"""The warehouse in a team's PostgreSQL, in a schema ``kpi`` of its own."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from typing import Any, Final

import psycopg
import pyarrow as pa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Dialect

from kpi.errors import Outdated, QueryTooHeavy, TooLarge, WarehouseError
from kpi.settings import Settings
from kpi.warehouse.engines import check_url, lacking, table_ddl
from kpi.warehouse.home import Current
from kpi.warehouse.literals import literal_dialect
from kpi.warehouse.reader import Prepared, Reader
from kpi.warehouse.schema import metadata

SCHEMA: Final = "kpi"

_ARROW: Final = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int64(),
    23: pa.int64(),
    25: pa.string(),
    700: pa.float64(),
    701: pa.float64(),
    1042: pa.string(),
    1043: pa.string(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
}
_NUMERIC: Final = 1700
#: Decimal digits of a numeric column that says nothing of its own scale and has no values.
_SCALE: Final = 12


def connect(settings: Settings) -> psycopg.Connection[Any]:
    """A connection whose unqualified names are those of the schema ``kpi``, counting in UTC, without autocommit.

    Raises:
        WarehouseError: the server can't be reached or refuses.
    """
    url = check_url(settings.warehouse_url or "").set(drivername="postgresql")
    shown = url.render_as_string(hide_password=True)
    try:
        return psycopg.connect(
            url.render_as_string(hide_password=False),
            options=f"-c search_path={SCHEMA} -c timezone=UTC -c datestyle=ISO",
            connect_timeout=10,
        )
    except psycopg.OperationalError as error:
        raise WarehouseError(f"{shown} can't be reached: {str(error).strip().splitlines()[-1]}") from error


def has_tables(connection: psycopg.Connection[Any]) -> bool:
    """Whether anything was ever published there."""
    return connection.execute("SELECT to_regclass('kpi.generation') IS NOT NULL").fetchone() == (True,)


def lacks(connection: psycopg.Connection[Any]) -> str:
    """The first column of the schema that the tables there don't have; empty where all are, or nothing was ever published."""
    found = connection.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'kpi'").fetchall()
    return lacking(found) if found else ""


def place_of(settings: Settings) -> str:
    """The URL without its password."""
    return check_url(settings.warehouse_url or "").render_as_string(hide_password=True)


def read_postgres_current(settings: Settings) -> Current:
    """The row of ``generation``; all zeros where there is none."""
    with connect(settings) as connection:
        return postgres_current(connection) if has_tables(connection) else Current()


def postgres_current(connection: psycopg.Connection[Any]) -> Current:
    """The row of ``generation`` as this transaction sees it; all zeros where there is none."""
    row = connection.execute("SELECT number, archive_line, mappings FROM generation").fetchone()
    return Current(int(row[0]), int(row[1]), str(row[2] or "")) if row else Current()


def open_postgres(settings: Settings, given: bool = False) -> Reader | None:
    """A reader of what is committed now, or None where nothing was ever published.

    ``given``: tables of others are read, so that where nothing was published this program's are there without rows.
    """
    connection = connect(settings)
    try:
        if given and not has_tables(connection):
            _without_rows(connection)
        connection.rollback()
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # one snapshot for the reader's whole life
        connection.execute(f"SET statement_timeout = {int(settings.query_timeout_s * 1000)}")
        if not has_tables(connection):
            if given:
                return PostgresReader(connection, settings)
            connection.close()
            return None
        if missing := lacks(connection):
            raise Outdated(place_of(settings), missing)
        return PostgresReader(connection, settings)
    except BaseException:
        connection.close()
        raise


def _without_rows(connection: psycopg.Connection[Any]) -> None:
    """Temporary tables of this connection, so that nothing is left in the database of others."""
    try:
        for table in metadata.sorted_tables:
            connection.execute(table_ddl(table, _dialect(), "CREATE TEMP TABLE").encode())
        connection.commit()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
        raise WarehouseError(
            f"the user of KPI_WAREHOUSE_URL may make no temporary tables ({str(error).splitlines()[0]}); "
            "GRANT TEMPORARY ON DATABASE … TO … lets it, and nothing is left behind"
        ) from error


def _dialect(**options: Any) -> Dialect:
    return PGDialect_psycopg(**options)  # type: ignore[no-untyped-call]


class PostgresReader(Reader):
    """A reader over one read-only transaction; threads take turns.

    The connection is closed with the last hold on the reader as well: the page's cache lets go of an old one without a word,
    while a session may be in the middle of asking it.
    """

    before = f"SET search_path = {SCHEMA};\n"

    def __init__(self, connection: psycopg.Connection[Any], settings: Settings) -> None:
        self.connection = connection
        self._turn = threading.Lock()
        self._settings = settings
        self._end = weakref.finalize(self, connection.close)
        super().__init__(_dialect(), literal_dialect(_dialect(paramstyle="named")))

    def _fetch(self, ready: Prepared, values: Mapping[str, Any]) -> pa.Table:
        with self._turn:
            try:
                with self.connection.transaction(), self.connection.cursor() as cursor:  # a savepoint: a failure leaves the snapshot
                    cursor.execute(ready.sql, dict(values))
                    return arrow_table(cursor)
            except psycopg.errors.QueryCanceled as error:
                raise QueryTooHeavy(f"{self._settings.query_timeout_s:g} seconds", "KPI_QUERY_TIMEOUT_S") from error
            except (psycopg.errors.OutOfMemory, psycopg.errors.DiskFull) as error:
                raise QueryTooHeavy("the server's memory", "work_mem of the server") from error
            except psycopg.errors.NumericValueOutOfRange as error:
                raise TooLarge from error
            except psycopg.OperationalError as error:
                raise WarehouseError(f"the connection to PostgreSQL broke: {str(error).strip().splitlines()[-1]}") from error

    def close(self) -> None:
        """End the transaction and the connection."""
        self._end()


def arrow_table(cursor: psycopg.Cursor[Any]) -> pa.Table:
    """The cursor's rows with decimals exact; column types come from the server, not from the values."""
    rows = cursor.fetchall()
    arrays, names = [], []
    for index, column in enumerate(cursor.description or ()):
        values = [row[index] for row in rows]
        names.append(column.name)
        if column.type_code != _NUMERIC:
            arrays.append(pa.array(values, _ARROW.get(column.type_code)))
        elif column.precision is not None:
            arrays.append(pa.array(values, pa.decimal128(min(column.precision, 38), column.scale or 0)))
        elif any(value is not None for value in values):
            scale = max(max(0, -int(value.as_tuple().exponent)) for value in values if value is not None)
            arrays.append(pa.array(values, pa.decimal128(38, scale)))
        else:
            arrays.append(pa.array(values, pa.decimal128(38, _SCALE)))
    return pa.Table.from_arrays(arrays, names=names)
