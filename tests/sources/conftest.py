"""A mapping as text -> a file staged with it, and its rows as Python values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kpi.importing.staging import Context, Staged, stage
from kpi.sources.reading import read

Mapped = Callable[..., "Result"]


class Result:
    """A staged file and the connection that holds its relations."""

    def __init__(self, staged: Staged, connection: duckdb.DuckDBPyConnection) -> None:
        self.staged = staged
        self.connection = connection

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """These columns of a table's rows, in order; None for those that the file says nothing of."""
        (relation,) = [part.relation for part in self.staged.tables if part.table == table]
        said = {row[0] for row in self.connection.execute(f"DESCRIBE {relation}").fetchall()}
        names = ", ".join(f'"{column}"' if column in said else "NULL" for column in columns)
        return self.connection.execute(f"SELECT {names} FROM {relation} ORDER BY ALL").fetchall()

    def problems(self) -> list[tuple[Any, ...]]:
        """Line, column, value and reason of what was set aside."""
        return self.connection.execute(f"SELECT line, column_name, value, reason FROM {self.staged.problems} ORDER BY ALL").fetchall()


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[Mapped]:
    """``mapped(mapping's text, file's text, name=…, currency=…)``."""
    yield from _mapped(tmp_path)


@pytest.fixture(scope="module")
def mapped_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapped]:
    """The same for all examples of a law."""
    yield from _mapped(tmp_path_factory.mktemp("mapped"))


def _mapped(tmp_path: Path) -> Iterator[Mapped]:
    connection = duckdb.connect()
    count = 0

    def run(mapping: str, file: str, name: str = "file.csv", **context: Any) -> Result:
        nonlocal count
        count += 1
        source, problems = read(mapping.encode(), "sources/made.yaml")
        assert source is not None, "\n".join(str(problem) for problem in problems)
        path = tmp_path / f"file{count}.csv"
        path.write_text(file, encoding="utf-8", newline="")
        folder = tmp_path / f"staging{count}"
        folder.mkdir()
        about = Context(**{"currency": "EUR", "timezone": "UTC", "bad_share": 1.0, "sources": (source.connector,), **context})
        return Result(stage(connection, path, name, about, folder), connection)

    yield run
    connection.close()


@pytest.fixture
def found() -> Callable[[str], list[str]]:
    """Every problem of a mapping's text, as ``line key: message``."""

    def run(mapping: str) -> list[str]:
        _, problems = read(mapping.encode(), "m.yaml", {"stripe"})
        return [str(problem).removeprefix("m.yaml:") for problem in problems]

    return run
