"""Opening the records: SQLite beside the archive, or a server by ``KPI_RECORDS_URL``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from kpi.errors import BadSetting, RecordsError
from kpi.records.migrating import bring_up, version_of
from kpi.records.migrations import HEAD
from kpi.records.schema import records_change
from kpi.settings import Settings

FILE: Final = "records.db"
#: On PostgreSQL the tables have a schema of their own, beside the warehouse's.
SCHEMA: Final = "kpi_records"
_ACCEPTED: Final = "postgresql+psycopg://user:password@host/database or sqlite:////folder/records.db"
#: Seconds to wait for somebody else who is writing, or for a server that doesn't answer.
PATIENCE_S: Final = 10
#: Any number that nobody else locks on that server.
_LOCK: Final = 7405121969


@contextmanager
def records(settings: Settings, write: bool = False, patience_s: int = PATIENCE_S) -> Iterator[sa.Connection | None]:
    """A connection in a transaction, committed at the end; None where nothing was ever written and nothing is to be.

    Their tables are brought to what this program knows first. Who writes does so alone, from the beginning of the transaction: what
    was read in it holds until it ends, so that two who write the same are told apart. Make such transactions short.

    Raises:
        RecordsError: they can't be opened, read or written.
        NewerRecords: a newer version of this program wrote them.
        BadSetting: ``KPI_RECORDS_URL`` names no database that can be used.
    """
    url = _url(settings)
    if not write and url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).exists()):
        yield None
        return
    schema = _schema(url)
    try:
        engine = _engine(url, patience_s)
        if write:
            if url.get_backend_name() == "sqlite" and url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            with _alone(engine, schema) as connection:
                connection.execute(sa.update(records_change).values(number=records_change.c.number + 1))
                yield connection
            return
        with engine.begin() as connection:
            found = version_of(connection, schema)
            if found in (HEAD, None):
                yield connection if found else None
                return
        with _alone(engine, schema):
            pass
        with engine.begin() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise RecordsError(url.render_as_string(hide_password=True), _why(error)) from error


def latest(settings: Settings, patience_s: int = PATIENCE_S) -> int:
    """How often the records were written to: a copy of what they said then is as good as they are; 0 where there are none.

    Raises:
        RecordsError: they can't be opened or read.
    """
    with records(settings, patience_s=patience_s) as connection:
        return 0 if connection is None else connection.scalars(sa.select(records_change.c.number)).one()


def place_of(settings: Settings) -> str:
    """Where the records are, without a password.

    Raises:
        BadSetting: ``KPI_RECORDS_URL`` names no database that can be used.
    """
    return _url(settings).render_as_string(hide_password=True)


@contextmanager
def _alone(engine: sa.Engine, schema: str | None) -> Iterator[sa.Connection]:
    """A transaction that nobody else writes beside, with the tables as this program knows them."""
    with engine.execution_options(writes=True).begin() as connection:
        if schema is not None:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        bring_up(connection, schema)
        yield connection


def _why(error: Exception) -> str:
    return (str(error.__cause__ or error).strip().splitlines() or [type(error).__name__])[0]


def _url(settings: Settings) -> sa.URL:
    if not settings.records_url:
        return sa.URL.create("sqlite", database=str((settings.home / FILE).absolute()))
    try:
        url = sa.make_url(settings.records_url)
        if url.get_backend_name() == "postgresql":
            return url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "sqlite" and url.database:
            return url.set(database=str(Path(url.database).absolute()))
    except (ArgumentError, NoSuchModuleError, ValueError):
        pass
    raise BadSetting("KPI_RECORDS_URL", settings.records_url.split("@")[-1], _ACCEPTED)


def _schema(url: sa.URL) -> str | None:
    return SCHEMA if url.get_backend_name() == "postgresql" else None


def close() -> None:
    """Let go of a server: what is asked next connects anew."""
    for engine in _engines().values():
        engine.dispose()
    _engines().clear()


@cache
def _engines() -> dict[tuple[sa.URL, int], sa.Engine]:
    """Kept, since pages ask at each click."""
    return {}


def _engine(url: sa.URL, patience_s: int) -> sa.Engine:
    found = _engines().get((url, patience_s))
    return found if found is not None else _engines().setdefault((url, patience_s), _made(url, patience_s))


def _made(url: sa.URL, patience_s: int) -> sa.Engine:
    """A file is opened anew each time: it may have been put back from a backup meanwhile."""
    if _schema(url) is None:
        engine = sa.create_engine(url, connect_args={"timeout": patience_s}, poolclass=sa.pool.NullPool)
        sa.event.listen(engine, "connect", _configure)
        sa.event.listen(engine, "begin", _begin)
        return engine
    engine = sa.create_engine(url, connect_args={"connect_timeout": patience_s}, pool_pre_ping=True, pool_size=2, max_overflow=8)
    return engine.execution_options(schema_translate_map={None: SCHEMA})


def _configure(connection: Any, _: Any) -> None:
    """Readers don't wait for a writer, what is committed outlives a power cut, and keys hold."""
    connection.isolation_level = None  # the driver would begin transactions by itself, and none for CREATE TABLE
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    """Who will write takes the file at once: one who had read before would be refused it, without waiting."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")
