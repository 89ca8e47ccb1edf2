"""A generation in the making: the tables that an import may write, and the DuckDB in which files are staged.

On DuckDB the two are one connection. On PostgreSQL files are staged in a scratch DuckDB and carried over. The SQL
of merging is common to both engines: names come from the schema, values are bound to ``?``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import duckdb
import pyarrow as pa

from kpi.warehouse.literals import literal

#: How the names of relations begin that several files share; they stay when one of the files is done.
SHARED: Final = "together_"


class Store(ABC):
    """Tables of the schema, writable.

    Attributes:
        scratch: where files are staged.
        row: the column that tells rows of a table apart while nothing else is written to it.
        rewrites: whether rows that were there before were replaced, so that closing the gaps pays.
    """

    rewrites = False

    scratch: duckdb.DuckDBPyConnection
    row: str
    engine: str

    @abstractmethod
    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; its rows, if it has any."""

    @abstractmethod
    def bring(self, relation: str) -> str:
        """A relation of ``scratch`` under a name that :meth:`run` can read."""

    @abstractmethod
    @contextmanager
    def whole(self) -> Iterator[None]:
        """What is done inside is kept whole, or on an error not at all."""

    @abstractmethod
    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows; columns that are not there are null."""

    def columns(self, relation: str) -> list[str]:
        """Column names of a relation of ``scratch``."""
        return [name for name, *_ in self.scratch.execute(f'DESCRIBE SELECT * FROM "{relation}"').fetchall()]

    def count(self, sql: str, values: Sequence[Any] = ()) -> int:
        """The one number that ``sql`` yields."""
        return int(self.run(sql, values)[0][0])

    def forget(self, shared: bool = False) -> None:
        """Drop everything temporary, so that the next file finds room and free names; what files share only if ``shared``."""
        found = self.scratch.execute(
            "SELECT 'VIEW', view_name FROM duckdb_views() WHERE temporary AND NOT internal "
            "UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary"
        ).fetchall()
        for kind, name in found:
            if name.startswith(SHARED) and not shared:
                continue
            quoted = name.replace('"', '""')
            self.scratch.execute(f'DROP {kind} IF EXISTS temp."{quoted}"')


class DuckStore(Store):
    """A DuckDB database open for writing."""

    row = "rowid"
    engine = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.scratch = connection

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement on the connection."""
        return self.scratch.execute(_written_out(sql, values)).fetchall()

    def bring(self, relation: str) -> str:
        """The relation is there already."""
        return relation

    @contextmanager
    def whole(self) -> Iterator[None]:
        """A transaction."""
        self.scratch.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.scratch.execute("ROLLBACK")
            raise
        self.scratch.execute("COMMIT")

    def add(self, table: str, rows: pa.Table) -> None:
        """From Arrow."""
        self.scratch.register("rows_to_add", rows)
        self.scratch.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM rows_to_add')
        self.scratch.unregister("rows_to_add")


def _written_out(sql: str, values: Sequence[Any]) -> str:
    """The statement with its values in it: DuckDB imports pandas, half a second, to find out of what kind a bound value is."""
    texts = sql.split("?")
    if len(texts) != len(values) + 1:
        raise ValueError(f"{len(values)} values for the {len(texts) - 1} marks of: {sql}")
    return "".join([*(text + literal(value) for text, value in zip(texts, values, strict=False)), texts[-1]])
