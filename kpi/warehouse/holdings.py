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


def latest_runs(reader: Reader, most: int) -> list[dict[str, Any]]:
    """The last imports, newest first: the columns of ``import_run``."""
    return reader.run(sa.select(import_run).order_by(import_run.c.run_id.desc()).limit(most)).to_pylist()  # type: ignore[no-any-return]


def problem_groups(reader: Reader, most: int) -> list[dict[str, Any]]:
    """Rejected rows by connector, column and reason: ``connector, column_name, reason, rows``, and one of them with ``file, line, value``.

    Those with the most rows come first.
    """
    joined = import_problem.join(import_run, import_run.c.run_id == import_problem.c.run_id)
    keys = (import_run.c.connector, import_problem.c.column_name, import_problem.c.reason)
    newest_first = (import_problem.c.run_id.desc(), import_problem.c.line)
    ranked = (
        sa.select(
            *keys,
            import_run.c.file,
            import_problem.c.line,
            import_problem.c.value,
            sa.func.count().over(partition_by=keys).label("rows"),
            sa.func.row_number().over(partition_by=keys, order_by=newest_first).label("place"),
        )
        .select_from(joined)
        .subquery()
    )
    columns = [column for column in ranked.c if column.name != "place"]
    order = (ranked.c.rows.desc(), ranked.c.connector, ranked.c.reason, ranked.c.column_name)
    return reader.run(sa.select(*columns).where(ranked.c.place == 1).order_by(*order).limit(most)).to_pylist()  # type: ignore[no-any-return]


def published_with(reader: Reader) -> tuple[str | None, str | None]:
    """Currency and time zone that were applied when the files were read."""
    rows = reader.run(sa.select(generation.c.currency, generation.c.timezone)).to_pylist()
    return (rows[0]["currency"], rows[0]["timezone"]) if rows else (None, None)
