"""Opening the records: SQLite beside the archive, or a server by ``KPI_RECORDS_URL``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from kpi.errors import BadSetting, RecordsError
from kpi.records.schema import metadata
from kpi.settings import Settings

FILE: Final = "records.db"
#: On PostgreSQL the tables have a schema of their own, beside the warehouse's.
SCHEMA: Final = "kpi_records"
_ACCEPTED: Final = "postgresql+psycopg://user:password@host/database or sqlite:////folder/records.db"
#: Seconds to wait for somebody else who is writing.
_PATIENCE_S: Final = 10


@contextmanager
def records(settings: Settings, write: bool = False) -> Iterator[sa.Connection | None]:
    """A connection in a transaction, committed at the end; None where nothing was ever written and nothing is to be.

    Raises:
        RecordsError: they can't be opened, read or written.
        BadSetting: ``KPI_RECORDS_URL`` names no database that can be used.
    """
    url = _url(settings)
    if not write and url.get_backend_name() == "sqlite" and not (url.database and Path(url.database).exists()):
        yield None
        return
    shown = url.render_as_string(hide_password=True)
    engine = _engine(url)
    try:
        if write:
            if url.get_backend_name() == "sqlite" and url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            _create(engine)
        elif not sa.inspect(engine).has_table("link_decision", schema=_schema(url)):
            yield None
            return
        with engine.begin() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise RecordsError(shown, str(error.__cause__ or error).splitlines()[0]) from error
    finally:
        engine.dispose()


def _url(settings: Settings) -> sa.URL:
    if not settings.records_url:
        return sa.URL.create("sqlite", database=str(settings.home / FILE))
    try:
        url = sa.make_url(settings.records_url)
        if url.get_backend_name() == "postgresql":
            return url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "sqlite" and url.database:
            return url
    except (ArgumentError, NoSuchModuleError, ValueError):
        pass
    raise BadSetting("KPI_RECORDS_URL", settings.records_url.split("@")[-1], _ACCEPTED)


def _schema(url: sa.URL) -> str | None:
    return SCHEMA if url.get_backend_name() == "postgresql" else None


def _engine(url: sa.URL) -> sa.Engine:
    if _schema(url) is None:
        engine = sa.create_engine(url, connect_args={"timeout": _PATIENCE_S})
        sa.event.listen(engine, "connect", _configure)
        return engine
    engine = sa.create_engine(url, connect_args={"connect_timeout": _PATIENCE_S})
    return engine.execution_options(schema_translate_map={None: SCHEMA})


def _configure(connection: Any, _: Any) -> None:
    """Readers don't wait for a writer, what is committed outlives a power cut, and keys hold."""
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _create(engine: sa.Engine) -> None:
    """The tables that are not there."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7405121969)"))  # two at once would both make them
            connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        metadata.create_all(connection)
