"""Tables that this program did not make, as their database describes them: a company's own schema, or its DuckDB file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import sqlalchemy as sa

from kpi.errors import BadSetting, WarehouseError
from kpi.settings import Settings

#: What the attached file is called within a reader's connection.
ATTACHED: Final = "given"
#: Where a name without a schema is looked for.
_HOME: Final = {"duckdb": "main", "postgresql": "public"}
_PART: Final = r'(?:"(?:[^"]|"")+"|[^".]+)'
_PLACE: Final = re.compile(rf"({_PART})(?:\.({_PART}))?\Z")
#: Schemas of the engines themselves, and the one that imports write.
_OTHERS: Final = ("information_schema", "pg_catalog", "pg_toast", "kpi")


@dataclass(frozen=True)
class FoundColumn:
    """A column: its type as the database writes it, in capitals, and its decimal places where it says so."""

    name: str
    type: str
    scale: int | None


@dataclass(frozen=True)
class Found:
    """A table or view.

    Attributes:
        place: schema and name.
        key: its primary key, empty where the database states none.
        refers: columns, the place they refer to, and the columns there.
    """

    place: tuple[str, str]
    columns: tuple[FoundColumn, ...]
    key: tuple[str, ...] = ()
    refers: tuple[tuple[tuple[str, ...], tuple[str, str], tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Holdings:
    """What a database holds.

    Attributes:
        engine: duckdb or postgresql.
        tables: of those asked for the ones that are there.
        others: how every table there is written, for the nearest spelling.
    """

    engine: str
    tables: dict[tuple[str, str], Found]
    others: tuple[str, ...]

    def home(self) -> str:
        """The schema of a name that states none."""
        return _HOME[self.engine]


def parts(written: str) -> tuple[str | None, str] | None:
    """Schema (None: not stated) and name of ``schema.table``; either may stand in double quotes. None: it is no such name."""
    found = _PLACE.match(written.strip())
    if found is None:
        return None
    first, second = (None if part is None else _plain(part) for part in found.groups())
    assert first is not None  # noqa: S101 - the pattern needs it
    return (None, first) if second is None else (first, second)


def _plain(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.strip()


def duck_file(settings: Settings) -> Path | None:
    """The DuckDB file of somebody else that ``KPI_WAREHOUSE_URL`` names, or None where it names none.

    Raises:
        BadSetting: it names no file.
    """
    url = settings.warehouse_url or ""
    if not url.startswith("duckdb:"):
        return None
    path = url.removeprefix("duckdb:///")
    if path == url or not path or path == ":memory:":
        raise BadSetting("KPI_WAREHOUSE_URL", url, "duckdb:/// and the path of a file, such as duckdb:////srv/company.duckdb")
    return Path(path)


def token(settings: Settings) -> str:
    """Changes whenever anything in the warehouse of ``KPI_WAREHOUSE_URL`` may have: what is kept of it is kept under this.

    Of a DuckDB file its time, size and inode; of PostgreSQL the server's snapshot, which any finished transaction changes.
    """
    path = duck_file(settings)
    if path is not None:
        try:
            status = path.stat()
        except OSError:
            return ""
        return f"{status.st_mtime_ns}:{status.st_size}:{status.st_ino}"
    if not settings.warehouse_url:
        return ""
    from kpi.warehouse.postgres import connect

    with connect(settings) as connection:
        row = connection.execute("SELECT pg_current_snapshot()::text").fetchone()
    return str(row[0]) if row else ""


def attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Let the connection read a file of somebody else.

    Raises:
        WarehouseError: it isn't there, is no DuckDB file, or another program writes to it.
    """
    if not path.is_file():
        raise WarehouseError(f"KPI_WAREHOUSE_URL names {path}, and there is no such file")
    quoted = str(path.absolute()).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{quoted}' AS {ATTACHED} (READ_ONLY)")
    except duckdb.Error as error:
        raise WarehouseError(
            f"{path} can't be opened ({str(error).splitlines()[0]}); it must be a DuckDB file, and no other program may have it "
            "open for writing"
        ) from error


def look(settings: Settings, wanted: Iterable[tuple[str | None, str]]) -> Holdings:
    """What the warehouse says of the tables wanted.

    Raises:
        WarehouseError: it can't be reached, or is this program's own DuckDB, which holds no tables of others.
    """
    path = duck_file(settings)
    if path is not None:
        return _look_duckdb(path, wanted)
    if not settings.warehouse_url:
        raise WarehouseError(
            "KPI_WAREHOUSE_URL names no warehouse that could hold them; it takes postgresql://user@host/database or duckdb:///path"
        )
    return _look_postgres(settings, wanted)


def _look_duckdb(path: Path, wanted: Iterable[tuple[str | None, str]]) -> Holdings:
    with duckdb.connect(":memory:") as connection:
        attach(connection, path)
        rows = connection.execute(
            "SELECT schema_name, table_name, column_name, data_type, numeric_scale FROM duckdb_columns() "
            "WHERE database_name = ? AND NOT internal ORDER BY schema_name, table_name, column_index",
            [ATTACHED],
        ).fetchall()
        constraints = connection.execute(
            "SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names "
            "FROM duckdb_constraints() WHERE database_name = ?",
            [ATTACHED],
        ).fetchall()
    columns: dict[tuple[str, str], list[FoundColumn]] = {}
    for schema, table, name, kind, scale in rows:
        columns.setdefault((schema, table), []).append(FoundColumn(name, str(kind).upper(), scale))
    places = {_resolved(place, "main", columns) for place in wanted}
    tables = {}
    for place in places & columns.keys():
        own = [row for row in constraints if (row[0], row[1]) == place]
        key = next((tuple(row[3]) for row in own if row[2] == "PRIMARY KEY"), ())
        refers = tuple((tuple(row[3]), (row[0], row[4]), tuple(row[5])) for row in own if row[2] == "FOREIGN KEY")
        tables[place] = Found(place, tuple(columns[place]), key, refers)
    return Holdings("duckdb", tables, tuple(sorted(f"{schema}.{name}" for schema, name in columns)))


def _resolved(place: tuple[str | None, str], home: str, known: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """The place as DuckDB writes it, to which capitals are no matter."""
    sought = (place[0] or home, place[1])
    alike = [one for one in known if (one[0].lower(), one[1].lower()) == (sought[0].lower(), sought[1].lower())]
    return alike[0] if len(alike) == 1 else sought


def _look_postgres(settings: Settings, wanted: Iterable[tuple[str | None, str]]) -> Holdings:
    import psycopg  # loaded for those who use it

    from kpi.warehouse.engines import check_url

    url = check_url(settings.warehouse_url or "").set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": 10})
    try:
        with engine.connect() as connection:
            inspector = sa.inspect(connection)
            there = [
                (schema, name)
                for schema in inspector.get_schema_names()
                if schema not in _OTHERS
                for name in (
                    *inspector.get_table_names(schema),
                    *inspector.get_view_names(schema),
                    *inspector.get_materialized_view_names(schema),
                )
            ]
            tables = {}
            for schema, name in wanted:
                place = (schema or _HOME["postgresql"], name)
                if place in there:
                    tables[place] = _described(inspector, place)
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        raise WarehouseError(f"{url.render_as_string(hide_password=True)} can't be reached: {_last_line(error)}") from error
    finally:
        engine.dispose()
    return Holdings("postgresql", tables, tuple(sorted(f"{schema}.{name}" for schema, name in there)))


def _described(inspector: sa.Inspector, place: tuple[str, str]) -> Found:
    schema, name = place
    columns = []
    for column in inspector.get_columns(name, schema):
        kind: Any = column["type"]
        known = not isinstance(kind, sa.types.NullType)
        written = str(kind.compile(dialect=inspector.dialect)).upper() if known else "UNKNOWN"
        if isinstance(kind, sa.Enum):
            written = "VARCHAR"
        columns.append(FoundColumn(column["name"], written, getattr(kind, "scale", None)))
    key = tuple(inspector.get_pk_constraint(name, schema).get("constrained_columns") or ())
    refers = tuple(
        (tuple(one["constrained_columns"]), (one["referred_schema"] or schema, one["referred_table"]), tuple(one["referred_columns"]))
        for one in inspector.get_foreign_keys(name, schema)
    )
    return Found(place, tuple(columns), key, refers)


def _last_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().splitlines()[-1]


def digest(found: Holdings) -> str:
    """Changes when what the database says of its tables does, hex."""
    said = repr((found.engine, sorted(found.tables.items())))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
