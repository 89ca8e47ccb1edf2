"""Publishing: readers see the old generation whole or the new one whole, never a mixture.

A published DuckDB file is never written again. An import copies it to a new name ending in ``.part``, changes the
copy, closes it, forces it to the disk, gives it its final name, writes the archive's log, and lets CURRENT name both.
Killed before that last step, the old generation stands; the next import removes what is left over. On PostgreSQL one
transaction does the same, and its generation is a row in it.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import filelock
import pyarrow as pa

from kpi.errors import KpiError, Outdated, WarehouseError
from kpi.settings import Settings
from kpi.warehouse.archive import Archive, Entry, Incoming
from kpi.warehouse.engines import create_tables, set_
from kpi.warehouse.failures import engine_errors, is_disk_full
from kpi.warehouse.home import Current, swap_current, sync_file, sync_folder, warehouse_file
from kpi.warehouse.leftovers import clean, remove_old
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.store import DuckStore, Store

if TYPE_CHECKING:
    import psycopg

#: An importer holds rows of one file in parts; more memory would make it hardly faster, and a laptop has other uses for it.
_MEMORY_MB: Final = 448

#: Threads of one process don't share a folder.
_LANDINGS: Final = itertools.count()
#: Held by one import at a time on a PostgreSQL warehouse; any fixed number that others don't use.
_ADVISORY_LOCK: Final = 7_405_121_968


class Draft(ABC):
    """A generation in the making.

    Attributes:
        store: its tables, open for writing.
        base: what it was begun from.
        folder: scratch space that goes away with it.
        staging: where copies of files may be put for reading.
    """

    store: Store

    def __init__(self, settings: Settings, base: Current, folder: Path) -> None:
        self.settings = settings
        self.base = base
        self.folder = folder
        self.staging = folder / "staged"
        self.staging.mkdir()
        self.archive = Archive(settings.home)

    def publish(self, kept: Sequence[tuple[Entry, Incoming | None]], mappings: Mappings) -> Current:
        """Let readers see it, with ``kept`` as the next lines of the archive's log and their bytes in the archive."""
        for _, incoming in kept:
            if incoming is not None:
                self.archive.keep(incoming)
        entries = [entry for entry, _ in kept]
        current = Current(self.base.generation + 1, self.base.archive_line + len(entries), mappings.hash)
        self.store.run("DELETE FROM generation")
        row = {"number": current.generation, "published_at": _now(), "archive_line": current.archive_line, "mappings": mappings.hash}
        self.store.add("generation", pa.Table.from_pylist([row | {"currency": mappings.currency, "timezone": mappings.timezone}]))
        self._check(current)
        self._commit(current, entries)
        return current

    def _check(self, current: Current) -> None:
        """What must hold of every generation: each line of the log is a run and each run a line."""
        runs = self.store.count("SELECT count(*) FROM import_run WHERE run_id BETWEEN 1 AND ?", [current.archive_line])
        every = self.store.count("SELECT count(*) FROM import_run")
        if not runs == every == current.archive_line:
            raise WarehouseError(f"the new generation holds {every} imports instead of {current.archive_line}; nothing was published")

    @abstractmethod
    def _commit(self, current: Current, entries: Sequence[Entry]) -> None: ...


class DuckDraft(Draft):
    """A copy of the published file."""

    def __init__(self, settings: Settings, base: Current, folder: Path, inputs: Sequence[Path], empty: bool) -> None:
        super().__init__(settings, base, folder)
        self.path = warehouse_file(settings.home, base.generation + 1)
        self.part = self.path.with_name(self.path.name + ".part")
        try:
            if base.generation and not empty:
                shutil.copyfile(warehouse_file(settings.home, base.generation), self.part)
            self.connection = open_for_import(str(self.part), settings, folder, inputs)
            create_tables(self.connection)
        except BaseException:
            self._remove()
            raise
        self.store = DuckStore(self.connection)

    def _commit(self, current: Current, entries: Sequence[Entry]) -> None:
        if not self.store.rewrites:  # a few twins taken out of fresh rows would make DuckDB write them all again
            self.connection.execute("SET GLOBAL max_vacuum_tasks = 0")
        self.connection.execute("CHECKPOINT")
        self.connection.close()
        with closing(duckdb.connect(str(self.part), read_only=True)) as whole:
            if whole.execute("SELECT number FROM generation").fetchall() != [(current.generation,)]:
                raise WarehouseError("the new generation can't be read back; nothing was published")
        sync_file(self.part)
        self.part.replace(self.path)
        sync_folder(self.path.parent)
        if entries:
            self.archive.append(entries)
        swap_current(self.settings.home, current)

    def close(self) -> None:
        """Leave nothing open or half made."""
        self.connection.close()
        self._remove()

    def _remove(self) -> None:
        for path in (self.part, self.part.with_name(self.part.name + ".wal")):
            path.unlink(missing_ok=True)


class PostgresDraft(Draft):
    """An open transaction."""

    def __init__(
        self, settings: Settings, base: Current, folder: Path, inputs: Sequence[Path], connection: psycopg.Connection[Any]
    ) -> None:
        from kpi.warehouse.pgstore import PostgresStore

        super().__init__(settings, base, folder)
        self.connection = connection
        self.scratch = open_for_import(str(folder / "scratch.duckdb"), settings, folder, inputs)
        self.store = PostgresStore(connection, self.scratch)

    def _commit(self, current: Current, entries: Sequence[Entry]) -> None:
        if entries:
            self.archive.append(entries)
        self.connection.commit()

    def close(self) -> None:
        """Roll back what was not committed."""
        self.scratch.close()
        self.connection.close()


def open_for_import(path: str, settings: Settings, folder: Path, inputs: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """DuckDB for writing, which reaches the files to import, its scratch folder, and nothing else."""
    connection = duckdb.connect(path)
    try:
        set_(connection, "temp_directory", str(folder / "spill"))
        set_(connection, "TimeZone", "UTC")
        set_(connection, "memory_limit", f"{min(settings.memory_limit_mb, _MEMORY_MB)}MB")
        set_(connection, "checkpoint_threshold", "1TB")  # one at the end instead of several in between
        for name in ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions"):
            set_(connection, name, False)
        connection.execute(f"SET GLOBAL allowed_directories = [{_quoted(str(folder.absolute()))}]")
        connection.execute(f"SET GLOBAL allowed_paths = [{', '.join(_quoted(str(path.absolute())) for path in inputs)}]")
        set_(connection, "enable_external_access", False)
    except BaseException:
        connection.close()
        raise
    return connection


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def drafting(
    settings: Settings, inputs: Sequence[Path] = (), empty: bool = False, waiting: Callable[[str], None] = lambda sentence: None
) -> Iterator[Draft]:
    """A draft that begins with what is published now (with ``empty``: with nothing), while nobody else makes one.

    Args:
        inputs: files that are read where they lie.
        waiting: told, in a sentence, that another import is running and this one waits for it.

    Raises:
        WarehouseError: the home can't be written, or the disk is full. What was published before stands.
    """
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home, waiting):
            base = clean(settings)
            folder = Path(tempfile.mkdtemp(prefix="import-", dir=_made(home / "staging")))
            try:
                with _open(settings, base, folder, inputs, empty) as draft:
                    yield draft
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            remove_old(settings)
    except KpiError:
        raise
    except engine_errors(OSError) as error:
        raise _plain(error, settings) from error


@contextmanager
def landing(settings: Settings) -> Iterator[Path]:
    """Where what is fetched before an import begins may lie, a folder that who needs it makes; removed after the import,
    or, when it was killed, by the next."""
    folder = settings.home / "staging" / f"landing-{os.getpid()}-{next(_LANDINGS)}"
    try:
        yield folder
    except OSError as error:
        raise _plain(error, settings) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _open(settings: Settings, base: Current, folder: Path, inputs: Sequence[Path], empty: bool) -> Iterator[Draft]:
    draft: DuckDraft | PostgresDraft
    if settings.warehouse_url:
        from kpi.warehouse.pgstore import create_postgres_tables, drop_outdated, empty_tables
        from kpi.warehouse.postgres import connect, has_tables, lacks, place_of, postgres_current

        connection = connect(settings)
        try:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
            if has_tables(connection):
                base = postgres_current(connection)  # an import from another machine may have ended while this one waited
            if missing := lacks(connection):
                if not empty:
                    raise Outdated(place_of(settings), missing)
                drop_outdated(connection)
            create_postgres_tables(connection)
            Archive(settings.home).entries(base.archive_line)
            if empty:
                empty_tables(connection)
            draft = PostgresDraft(settings, base, folder, inputs, connection)
        except BaseException:
            connection.close()
            raise
    else:
        draft = DuckDraft(settings, base, folder, inputs, empty)
    try:
        yield draft
    finally:
        draft.close()


@contextmanager
def _locked(home: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    lock = filelock.FileLock(home / "import.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        waiting(f"another import into {home} is running; this one waits for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _plain(error: Exception, settings: Settings) -> WarehouseError:
    """The sentence for a failure of the disk or the engine; what was published before stands in every case."""
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if is_disk_full(error):
        return WarehouseError(
            f"the disk of {settings.home} is full: nothing was imported, and what was there before stands. Free some space and import again"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return WarehouseError(
            f"the import needs more memory or space for it than it may use ({said}): nothing was imported; raise KPI_MEMORY_LIMIT_MB"
        )
    return WarehouseError(f"nothing was imported, and what was there before stands: {said}")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
