"""How a polluted export was read, against what the clean one says."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import duckdb

from kpi.errors import ImportError_
from kpi.importing.staging import Context, Staged, stage
from tests.connectors.pollution.clean import Clean

Score = Literal["right", "rows refused", "file refused", "SILENTLY WRONG"]
CONTEXT: Final = Context("EUR", "UTC", today=date(2027, 6, 1))


@dataclass(frozen=True)
class Scored:
    """A score, and what it was given for: the message, the rows that are missing or wrong."""

    score: Score
    why: str


def score(clean: Clean, content: bytes, name: str, folder: Path) -> Scored:
    """Stage ``content`` and compare every row with the truth.

    A row that is missing must be among the problems, with the line on which it stands where the file is plain text.
    """
    path = folder / name
    path.write_bytes(content)
    staging = folder / "staging"
    staging.mkdir()
    with duckdb.connect() as connection:
        try:
            staged = stage(connection, path, name, CONTEXT, staging)
        except ImportError_ as error:
            return Scored("file refused" if len(str(error)) > len(name) + 20 else "SILENTLY WRONG", str(error))
        rows = _rows(connection, clean, staged)
        problems = connection.execute(f"SELECT line, column_name, value, reason FROM {staged.problems} ORDER BY ALL").fetchall()
    wrong = _wrong(clean, rows, staged)
    if wrong:
        return Scored("SILENTLY WRONG", wrong)
    missing = sorted(set(clean.truth) - {row[0] for row in rows})
    said = "; ".join([*(f"line {line} {column}: {reason}" for line, column, _, reason in problems[:3]), *staged.notes])
    if not missing:
        return Scored("right", said)
    lines = {line for line, *_ in problems}
    if len(missing) > len(lines):
        return Scored("SILENTLY WRONG", f"{', '.join(missing[:5])} went with no more than {len(lines)} problems: {said}")
    lost = [key for key in missing if (standing := _lines_of(content, key)) and not standing & lines]
    if lost:
        return Scored("SILENTLY WRONG", f"{', '.join(lost[:5])} is not among the problems by its line: {said}")
    return Scored("rows refused", said)


def _rows(connection: duckdb.DuckDBPyConnection, clean: Clean, staged: Staged) -> list[tuple[Any, ...]]:
    relation = next((part.relation for part in staged.tables if part.table == clean.table), "")
    if not relation:
        return []
    known = {row[0] for row in connection.execute(f"DESCRIBE {relation}").fetchall()}
    columns = ", ".join(name if name in known else f"NULL AS {name}" for name in (clean.key, *clean.columns))
    found = connection.execute(f"SELECT {columns} FROM {relation}").fetchall()
    return [(str(row[0]).removeprefix("Bill "), *row[1:]) for row in found]


def _wrong(clean: Clean, rows: list[tuple[Any, ...]], staged: Staged) -> str:
    """What a row says that is not so, or a row that comes twice."""
    if staged.connector != clean.name:
        return f"read as {staged.connector} {staged.layout}"
    seen: dict[str, tuple[Any, ...]] = {}
    for key, *values in rows:
        if key not in clean.truth:
            return f"{key} is no row of the clean file: {values}"
        if key in seen and clean.name == "quickbooks":
            return f"{key} comes twice"
        seen[key] = tuple(values)
        for name, value, true in zip(clean.columns, values, clean.truth[key], strict=True):
            if value != true:
                return f"{key} {name}: {value!r} for {true!r}"
    return ""


def _lines_of(content: bytes, key: str) -> set[int]:
    """The physical lines on which a key stands, where the file can simply be searched."""
    text = content.decode("utf-8", errors="replace")
    lines = io.StringIO(text, newline=None).read().split("\n")
    return {at for at, line in enumerate(lines, start=1) if key in line}
