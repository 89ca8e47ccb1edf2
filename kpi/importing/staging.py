"""One export file -> typed relations in a DuckDB connection, with the rows that can't be used beside them.

The file is recognised by its header, read as text by DuckDB's strict reader, and mapped inside DuckDB a whole
column at a time. Nothing of the warehouse is touched here: the result is temporary relations that the importer
merges, named and typed as in :mod:`kpi.warehouse.schema`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from connectors.packing import NotATable
from connectors.reading import open_texts
from kpi.errors import Unreadable
from kpi.importing.mapping import stage_texts
from kpi.importing.staged import Context, Replaces, Staged, StagedTable

__all__ = ["Context", "Replaces", "Staged", "StagedTable", "stage"]


def stage(connection: duckdb.DuckDBPyConnection, path: Path, name: str, context: Context, folder: Path) -> Staged:
    """Read one file into temporary relations of ``connection``.

    Args:
        connection: DuckDB, allowed to read ``path`` and ``folder``; a UTF-8 CSV is read where it lies.
        path: the file's bytes, unpacked or not (.gz, .zip with one member, .xlsx).
        name: the name the user gave it; used in messages, and for the export's date where the name states it.
        context: what the file doesn't say of itself.
        folder: an empty folder for copies in UTF-8; the caller removes it after merging.

    Raises:
        UnknownLayout: no connector knows its header.
        HeldBack: too many bad records, or a question that only a person can answer.
        Unreadable: not a table at all.
    """
    try:
        return stage_texts(connection, open_texts(path, folder), name, context, folder)
    except NotATable as error:
        raise Unreadable(f"{name} can't be read: {error}") from error
