"""Staging a file of a test, and its rows as Python values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kpi.importing.staging import Context, Staged, stage
from kpi.warehouse.schema import metadata

SAMPLES = Path(__file__).parent / "samples"


@dataclass
class Result:
    """A staged file and the connection that holds its relations."""

    staged: Staged
    connection: duckdb.DuckDBPyConnection

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """These columns of a table's rows, in order; None for those that the file says nothing of."""
        relations = [part.relation for part in self.staged.tables if part.table == table]
        said = {row[0] for row in self.connection.execute(f"DESCRIBE {relations[0]}").fetchall()}
        assert set(columns) <= set(metadata.tables[table].columns.keys())
        names = ", ".join(f'"{column}"' if column in said else "NULL" for column in columns)
        return self.connection.execute(f"SELECT {names} FROM {relations[0]} ORDER BY ALL").fetchall()

    def problems(self) -> list[tuple[Any, ...]]:
        """Line, column, value and reason of what was set aside."""
        return self.connection.execute(f"SELECT line, column_name, value, reason FROM {self.staged.problems} ORDER BY ALL").fetchall()


Stager = Callable[..., Result]


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[Stager]:
    """``staged(path or text, currency=…, timezone=…, dates=…)``; a name of samples/ is enough."""
    connection = duckdb.connect()
    connection.execute("SET disabled_optimizers = 'in_clause'")  # as for small files, see kpi.importing.loading
    count = 0

    def run(file: Path | str, name: str = "", **context: Any) -> Result:
        nonlocal count
        count += 1
        if isinstance(file, str) and "\n" not in file:
            file = SAMPLES / file
        if isinstance(file, str):
            path = tmp_path / f"file{count}.csv"
            path.write_text(file, encoding="utf-8", newline="")
        else:
            path = file
        folder = tmp_path / f"staging{count}"
        folder.mkdir()
        about = Context(**{"currency": "EUR", "timezone": "UTC", **context})
        return Result(stage(connection, path, name or path.name, about, folder), connection)

    yield run
    connection.close()
