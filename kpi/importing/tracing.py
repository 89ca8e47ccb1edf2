"""The lines on which rows of the warehouse stand in their files: the archived bytes are read once more, as they were at first.

The warehouse keeps of a row the import that wrote it; a line would be a number a row that nobody reads until somebody asks for it.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb

from kpi.errors import KpiError
from kpi.importing.described import in_use, stamp_of
from kpi.importing.staging import Context, StagedTable, stage
from kpi.settings import Settings
from kpi.warehouse.archive import Archive, Entry
from kpi.warehouse.home import read_current
from kpi.warehouse.mapped import STOOD, key_columns
from kpi.warehouse.mappings import Mappings

#: Bytes of a file that is read while somebody waits.
MOST: Final = 32 << 20
#: A row as it is looked for: its import, its key, and its id in the source.
Sought = tuple[int, tuple[str | None, ...], str | None]
Lines = dict[tuple[int, tuple[str | None, ...]], int]


def lines_of(settings: Settings, mappings: Mappings, table: str, rows: Sequence[Sought], most: int = MOST) -> Lines:
    """Run and key -> physical line, of those that are found.

    Not found are rows of files that are larger than ``most``, whose bytes are not in this home, or that no longer can be read; and
    rows that no line says, such as the time before a first export.
    """
    current = read_current(settings)
    archive = Archive(settings.home)
    runs: dict[int, list[Sought]] = {}
    for row in rows:
        runs.setdefault(row[0], []).append(row)
    try:
        entries = archive.entries(current.archive_line)
    except KpiError:
        return {}
    found: Lines = {}
    used = stamp_of(current.mappings)[1]
    for run, sought in runs.items():
        if not 1 <= run <= len(entries) or entries[run - 1].size > most:
            continue
        try:
            found |= _in_file(settings, archive, entries[run - 1], mappings, used, table, sought)
        except KpiError:
            continue
    return found


def _in_file(
    settings: Settings, archive: Archive, entry: Entry, mappings: Mappings, used: Mapping[str, str], table: str, sought: Sequence[Sought]
) -> Lines:
    described = in_use(settings, used, [(entry.connector, entry.options["mapping"])]) if "mapping" in entry.options else {}
    source = described.get(entry.connector)
    today = dt.datetime.fromisoformat(entry.time).astimezone(ZoneInfo(mappings.timezone)).date()
    context = Context(
        mappings.currency,
        mappings.timezone,
        entry.options.get("dates"),
        entry.connector,
        entry.options.get("bad_share", 1.0),
        today,
        entry.options.get("amounts"),
        (source.connector,) if source else (),
        numbered=True,
    )
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(":memory:") as connection:
        place = Path(folder) / "staging"
        place.mkdir()
        staged = stage(connection, archive.unpack(entry, Path(folder)), entry.name, context, place)
        found: Lines = {}
        for part in staged.tables:
            if part.table == table and part.numbered:
                found |= _in_table(connection, part, sought)
        return found


def _in_table(connection: duckdb.DuckDBPyConnection, part: StagedTable, sought: Sequence[Sought]) -> Lines:
    """By the row's key, else by its id in the source: some keys are made after reading."""
    columns = [row[0] for row in connection.execute(f"DESCRIBE {part.relation}").fetchall()]
    keys = [name for name in key_columns(part.table) if name in columns]
    names = [*(f'CAST("{name}" AS VARCHAR)' for name in keys), "source_id" if "source_id" in columns else "NULL"]
    wanted = [[row[1][0] for row in sought], [row[2] for row in sought if row[2]]]
    conditions = [f"{names[0]} IN (SELECT unnest(?))"] if keys else []
    values: list[Any] = [wanted[0]] if keys else []
    if "source_id" in columns and wanted[1]:
        conditions.append("source_id IN (SELECT unnest(?))")
        values.append(wanted[1])
    query = f'SELECT "{STOOD}", {", ".join(names)} FROM {part.relation} WHERE {" OR ".join(conditions) or "FALSE"} ORDER BY 1 DESC'  # noqa: S608
    by_key: dict[tuple[Any, ...], int] = {}
    by_id: dict[Any, int] = {}
    for line, *rest in connection.execute(query, values).fetchall():
        physical = int(line) if part.lines is None else int(part.lines[int(line) - 1])
        by_key[tuple(rest[:-1])] = physical
        by_id[rest[-1]] = physical
    found: Lines = {}
    for run, key, of_source in sought:
        line = by_key.get(key) if len(keys) == len(key) else None
        line = by_id.get(of_source) if line is None and of_source else line
        if line is not None:
            found[run, key] = line
    return found
