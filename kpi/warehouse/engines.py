"""Opening the warehouse: DuckDB generations under ``KPI_HOME``, or PostgreSQL by ``KPI_WAREHOUSE_URL``.

A reader's connection is read-only, has a folder of its own to spill into (processes that share one crash), counts
in UTC, has a memory limit, reaches no other file and no network, loads no extension, and its configuration is
locked last. A query that passes its time is interrupted.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect as DuckDialect
from sqlalchemy.engine import Dialect

from kpi.errors import BadSetting, Outdated, QueryTooHeavy, TooLarge, WarehouseError
from kpi.settings import Settings
from kpi.warehouse.given import attach, duck_file
from kpi.warehouse.home import Current, read_current, warehouse_file
from kpi.warehouse.literals import literal_dialect
from kpi.warehouse.reader import CoverageRow, CurrencyRow, Prepared, Reader
from kpi.warehouse.schema import metadata

if TYPE_CHECKING:
    from kpi.warehouse.memory import MemoryWriter

__all__ = ["CoverageRow", "CurrencyRow", "DuckReader", "Reader", "create_tables", "current_generation", "memory_writer", "open_reader"]

#: DuckDB hands out one instance for a path and process; it is configured and locked once, by whoever comes first.
_OPENING: Final = threading.Lock()

#: Bytes of a warehouse below which a statement does better alone on its thread, side by side with the page's others:
#: with 10 MB, sharing the work out took a third more of all cores together; at 60 MB both ways are alike.
SMALL: Final = 64 << 20


def open_reader(settings: Settings, given: bool = False) -> Reader:
    """A reader of what is published now; of empty tables when nothing ever was.

    Args:
        given: tables that this program did not make are read as well, so that nothing published is no reason not to look.

    Raises:
        WarehouseError: the warehouse can't be opened.
        BadSetting: ``KPI_WAREHOUSE_URL`` names an engine that is none of ours.
    """
    if path := duck_file(settings):
        return _empty(settings, path)
    if settings.warehouse_url:
        from kpi.warehouse.postgres import open_postgres  # psycopg is loaded for those who use it

        return open_postgres(settings, given) or _empty(settings)
    for _ in range(5):  # a generation may go between reading its name and opening it: then CURRENT names a newer one
        current = read_current(settings)
        if current.generation == 0:
            return _empty(settings)
        path = warehouse_file(settings.home, current.generation)
        try:
            return _open_duck(path, settings)
        except duckdb.IOException as error:
            if path.exists() or read_current(settings) == current:
                raise WarehouseError(f"{path} can't be opened ({_first_line(error)}); python -m kpi rebuild makes it anew") from error
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise WarehouseError(
                f"{path} was made by another version of this program ({_first_line(error)}); python -m kpi rebuild makes it anew"
            ) from error
    raise WarehouseError(f"the warehouse under {settings.home} changed faster than it could be opened; try again")


def _open_duck(path: Path, settings: Settings) -> DuckReader:
    connection = _connect(path, settings)
    try:
        found = connection.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
        if lacks := lacking(found):
            raise Outdated(str(path), lacks)
        return DuckReader(connection, settings)
    except BaseException:
        connection.close()
        raise


def lacking(found: Iterable[tuple[str, str]]) -> str:
    """The first column of the schema that is not among the (table, column) pairs of a database; empty where all are."""
    there = set(found)
    missing = [(table.name, column.name) for table in metadata.sorted_tables for column in table.columns]
    return next((f"{table}.{column}" for table, column in missing if (table, column) not in there), "")


def current_generation(settings: Settings) -> int:
    """Number of the generation that counts now, 0 for none: cheap enough to ask at every page view."""
    return current_state(settings).generation


def current_state(settings: Settings) -> Current:
    """Generation, archive line and mappings of what is published now."""
    if duck_file(settings):
        return Current()
    if settings.warehouse_url:
        from kpi.warehouse.postgres import read_postgres_current

        return read_postgres_current(settings)
    return read_current(settings)


def memory_writer(number: int = 1, mappings: str = "") -> MemoryWriter:
    """For tests: a fresh warehouse in memory, to fill by hand and read; see :class:`kpi.warehouse.memory.MemoryWriter`."""
    from kpi.warehouse.memory import MemoryWriter

    return MemoryWriter(number, mappings)


def duck_dialect() -> Dialect:
    """DuckDB's dialect with positional parameters, which need no escaping of percent signs."""
    return DuckDialect(paramstyle="numeric_dollar")


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """All tables of the schema, without constraints: an index makes loading several times slower."""
    dialect = duck_dialect()
    for table in metadata.sorted_tables:
        connection.execute(table_ddl(table, dialect, packed=_ids(table)))


def table_ddl(table: sa.Table, dialect: Dialect, prefix: str = "CREATE TABLE IF NOT EXISTS", packed: Collection[str] = ()) -> str:
    """``CREATE TABLE`` with names and types of the schema and nothing else; ``packed``: columns that DuckDB packs as :func:`_ids` says."""
    quote = dialect.identifier_preparer.quote
    how = dict.fromkeys(packed, " USING COMPRESSION fsst")
    columns = ", ".join(f"{quote(column.name)} {column.type.compile(dialect)}{how.get(column.name, '')}" for column in table.columns)
    return f"{prefix} {quote(table.name)} ({columns})"


def _ids(table: sa.Table) -> frozenset[str]:
    """Columns of text that hold another id in nearly every row.

    DuckDB packs them by the pieces that texts share (FSST) whatever it is told, but tries first whether a dictionary of them would be
    smaller, which takes a fifth of the time of writing a payment.
    """
    keys = [column.name for column in table.primary_key.columns]
    names = {"source_id", "invoice_id", *(keys if len(keys) == 1 else ())}
    return frozenset(column.name for column in table.columns if column.name in names and isinstance(column.type, sa.String))


class DuckReader(Reader):
    """A reader over a DuckDB connection."""

    takes_tables = True

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self.connection = connection
        self._timeout_s = settings.query_timeout_s
        self._memory_mb = settings.memory_limit_mb
        self._spill = spill_folder(settings).parent
        super().__init__(duck_dialect(), literal_dialect(duck_dialect()))

    def _fetch(self, ready: Prepared, values: Mapping[str, Any]) -> pa.Table:
        cursor = self.connection.cursor()  # a connection of its own to the same instance, so that threads don't wait
        timer = threading.Timer(self._timeout_s, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            for name, rows in ready.tables.items():
                cursor.register(name, rows)
            return cursor.execute(ready.sql, [values[name] for name in ready.order or ()]).to_arrow_table()
        except duckdb.InterruptException as error:
            raise QueryTooHeavy(f"{self._timeout_s:g} seconds", "KPI_QUERY_TIMEOUT_S") from error
        except duckdb.OutOfMemoryException as error:
            full = f", with no room for more under {self._spill}" if "max_temp_directory_size" in str(error) else ""
            raise QueryTooHeavy(f"{self._memory_mb} MB{full}", "KPI_MEMORY_LIMIT_MB") from error
        except (duckdb.OutOfRangeException, duckdb.ConversionException) as error:
            raise TooLarge from error
        except duckdb.IOException as error:
            if str(self._spill) not in str(error):
                raise WarehouseError(f"the warehouse can't be read ({_first_line(error)}); python -m kpi rebuild makes it anew") from error
            raise WarehouseError(
                f"the query needs more than {self._memory_mb} MB, and what is more can't be kept under {self._spill} "
                f"({_first_line(error)}); make room there, ask for fewer groups, or raise KPI_MEMORY_LIMIT_MB"
            ) from error
        finally:
            timer.cancel()
            cursor.close()

    def close(self) -> None:
        """Close the connection; the instance goes with the last connection to it."""
        self.connection.close()


def _connect(path: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    _make_room(settings)
    with _OPENING:
        connection = duckdb.connect(str(path.absolute()), read_only=True)
        try:
            harden(connection, settings, 1 if path.stat().st_size < SMALL else None)
        except BaseException:
            connection.close()
            raise
    return connection


def harden(connection: duckdb.DuckDBPyConnection, settings: Settings, threads: int | None = None) -> None:
    """Configure and lock the instance behind ``connection``, unless that is done already.

    ``threads``: of a statement; None: as many as there are cores.
    """
    if connection.execute("SELECT current_setting('lock_configuration')").fetchall() == [(True,)]:
        return
    set_(connection, "temp_directory", str(spill_folder(settings)))
    set_(connection, "TimeZone", "UTC")
    set_(connection, "memory_limit", f"{settings.memory_limit_mb}MB")
    if threads is not None:
        set_(connection, "threads", str(threads))
    for name in ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions", "enable_external_access"):
        set_(connection, name, False)
    set_(connection, "lock_configuration", True)


def spill_folder(settings: Settings) -> Path:
    """Where this process keeps what doesn't fit into memory."""
    return settings.home.absolute() / "spill" / str(os.getpid())


def _make_room(settings: Settings) -> None:
    """DuckDB makes the last folder of a path only, and only when it needs it."""
    with contextlib.suppress(OSError):  # where none can be made, what needs it says so
        spill_folder(settings).parent.mkdir(parents=True, exist_ok=True)


def set_(connection: duckdb.DuckDBPyConnection, name: str, value: str | bool) -> None:
    """``SET GLOBAL``, which takes no parameters: ``name`` is a constant of the caller, ``value`` is quoted."""
    said = str(value).lower() if isinstance(value, bool) else "'" + value.replace("'", "''") + "'"
    connection.execute(f"SET GLOBAL {name} = {said}")


def _empty(settings: Settings, beside: Path | None = None) -> Reader:
    """Tables without rows; ``beside``: a file of somebody else, which is read beside them."""
    connection = duckdb.connect(":memory:")
    try:
        create_tables(connection)
        if beside is not None:
            attach(connection, beside)
            _make_room(settings)
        harden(connection, settings)
    except BaseException:
        connection.close()
        raise
    return DuckReader(connection, settings)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def check_url(url: str) -> sa.URL:
    """The parsed URL of a warehouse that takes imports.

    Raises:
        BadSetting: it is not PostgreSQL.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "postgres"):
        shown = parsed.render_as_string(hide_password=True) if parsed is not None else url
        accepted = "postgresql://user@host/database, duckdb:///path of a file to read for tables: alone, or nothing: DuckDB under KPI_HOME"
        if parsed is not None and parsed.get_backend_name() == "duckdb":
            accepted = "postgresql://user@host/database, or nothing, for what is imported: a DuckDB file is only read, for tables:"
        raise BadSetting("KPI_WAREHOUSE_URL", shown, accepted)
    return parsed
