"""The records of a file that can't be used: line, column, value, reason."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from kpi.warehouse.mapped import SEPARATOR

if TYPE_CHECKING:
    from kpi.importing.bulk import Bulk

Problem = tuple[int, str, str, str]


class SetAside:
    """A temporary table of problems, filled in steps.

    Attributes:
        relation: its name; ``line, column_name, value, reason``.
        main_records: records that ``reshape`` gave up whole.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, relation: str) -> None:
        self.connection = connection
        self.relation = relation
        self.main_records = 0
        self._lines: set[int] = set()
        connection.execute(f"CREATE TEMP TABLE {relation} (line BIGINT, column_name VARCHAR, value VARCHAR, reason VARCHAR)")

    def add(self, problems: Sequence[Problem], main: bool = False) -> None:
        """Problems whose lines are known."""
        if problems:
            columns = list(zip(*problems, strict=True))
            typed = [pa.array(columns[0], pa.int64()), *(pa.array(texts, pa.string()) for texts in columns[1:])]
            self.connection.register(f"{self.relation}_more", pa.table(typed, ["line", "column_name", "value", "reason"]))
            self.connection.execute(f"INSERT INTO {self.relation} SELECT * FROM {self.relation}_more")  # noqa: S608
            self.connection.unregister(f"{self.relation}_more")
        if main:
            fresh = {problem[0] for problem in problems} - self._lines
            self._lines |= fresh
            self.main_records += len(fresh)

    def add_found(self, query: str) -> None:
        """Problems that a query finds, its ``record`` being the line."""
        self.connection.execute(f"INSERT INTO {self.relation} SELECT record, column_name, value, reason FROM ({query})")  # noqa: S608

    def add_numbered(self, query: str, lines: Sequence[int]) -> None:
        """Problems that a query finds, its ``record`` being a record's number, from 1; ``lines`` are those of all records.

        Where several records begin on a line, as in JSON without line ends, the reason names the record by its number.
        """
        found = f"{self.relation}_found"
        self.connection.execute(f"CREATE TEMP TABLE {found} AS {query}")
        numbers = [row[0] for row in self.connection.execute(f"SELECT DISTINCT record FROM {found} ORDER BY 1").fetchall()]  # noqa: S608
        crowded = [_is_crowded(lines, number - 1) for number in numbers]
        named = [f" (record {number:,})" if shared else "" for number, shared in zip(numbers, crowded, strict=True)]
        table = {"record": pa.array(numbers, pa.int64()), "line": pa.array([lines[number - 1] for number in numbers], pa.int64())}
        self.connection.register(f"{found}_lines", pa.table({**table, "named": pa.array(named, pa.string())}))
        self.connection.execute(
            f"INSERT INTO {self.relation} SELECT l.line, f.column_name, f.value, f.reason || l.named "  # noqa: S608
            f"FROM {found} f JOIN {found}_lines l USING (record)"
        )
        self.connection.unregister(f"{found}_lines")
        self.connection.execute(f"DROP TABLE {found}")

    def add_digests(self, query: str, bulk: Bulk) -> None:
        """Problems that a query finds, its ``record`` being a digest of the cells: the file is read again for the lines."""
        found = f"{self.relation}_found"
        self.connection.execute(f"CREATE TEMP TABLE {found} AS {query}")
        wanted = {row[0] for row in self.connection.execute(f"SELECT DISTINCT record FROM {found}").fetchall()}  # noqa: S608
        lines: list[int] = []
        digests: list[str] = []
        width = len(bulk.header)
        for record in bulk.records():
            # DuckDB passes over empty cells behind a row's end
            if len(record.cells) == width or (len(record.cells) > width and not any(record.cells[width:])):
                digest = hashlib.md5(SEPARATOR.join(record.cells[:width]).encode(), usedforsecurity=False).hexdigest()
                if digest in wanted:
                    lines.append(record.line)
                    digests.append(digest)
        self.connection.register(
            f"{found}_lines", pa.table({"line": pa.array(lines, pa.int64()), "record": pa.array(digests, pa.string())})
        )
        self.connection.execute(
            f"INSERT INTO {self.relation} SELECT l.line, f.column_name, f.value, f.reason "  # noqa: S608
            f"FROM {found} f JOIN {found}_lines l USING (record)"
        )
        self.connection.unregister(f"{found}_lines")
        self.connection.execute(f"DROP TABLE {found}")

    def first_reason(self) -> str:
        """For a message: where the first problem is and what it is."""
        row = self.connection.execute(f"SELECT line, reason FROM {self.relation} ORDER BY line LIMIT 1").fetchone()  # noqa: S608
        return f"first on line {row[0]}: {row[1]}" if row else "see the problems"


def _is_crowded(lines: Sequence[int], at: int) -> bool:
    """Whether another record begins on the line of the one at this position."""
    return lines[at] in (lines[at - 1] if at else 0, lines[at + 1] if at + 1 < len(lines) else 0)
