"""What a generation holds: its rows by table, its imports, their rejected rows, and what it was published with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import generation, import_problem, import_run, metadata


def row_counts(reader: Reader) -> dict[str, int]:
    """Table -> number of rows."""
    counts = [
        sa.select(sa.literal(name).label("name"), sa.func.count().label("n")).select_from(table) for name, table in metadata.tables.items()
    ]
    return {row["name"]: row["n"] for row in reader.run(sa.union_all(*counts)).to_pylist()}


def descriptions() -> list[dict[str, Any]]:
    """Every table: ``name, meaning, columns``, and of each column ``name, unit, meaning``."""
    return [
        {
            "name": name,
            "meaning": str(table.comment),
            "columns": [{"name": column.name, "unit": column.info["unit"], "meaning": column.comment} for column in table.columns],
        }
        for name, table in metadata.tables.items()
    ]


def rejected_rows(reader: Reader) -> list[dict[str, Any]]:
    """Every row that an import could not use: ``file, line, column_name, value, reason, run_id, connector``."""
    columns = (import_run.c.file, import_problem.c.line, import_problem.c.column_name, import_problem.c.value, import_problem.c.reason)
    statement = (
        sa.select(*columns, import_run.c.run_id, import_run.c.connector)
        .select_from(import_problem.join(import_run, import_run.c.run_id == import_problem.c.run_id))
        .order_by(import_run.c.run_id, import_problem.c.line, import_problem.c.column_name)
    )
    return reader.run(statement).to_pylist()  # type: ignore[no-any-return]


def published_with(reader: Reader) -> tuple[str | None, str | None]:
    """Currency and time zone that were applied when the files were read."""
    rows = reader.run(sa.select(generation.c.currency, generation.c.timezone)).to_pylist()
    return (rows[0]["currency"], rows[0]["timezone"]) if rows else (None, None)
