"""The records of a file that can't be used: line, column, value, reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa

from kpi.warehouse.mapped import SEPARATOR

if TYPE_CHECKING:
    from kpi.importing.bulk import Bulk

#: Line, column, value and reason.
Problem = tuple[int, str, str, str]
#: Problems that are packed together.
_PACKED: Final = 10_000


class Problems:
    """Problems in the order in which they are found: a million of them in some 20 MB.

    Attributes:
        first: the first one; None as long as there is none.
    """

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self.first: Problem | None = None
        self._packed: list[pa.Table] = []
        self._loose: list[Problem] = []
        for problem in problems:
            self.append(problem)

    def append(self, problem: Problem) -> None:
        """One more."""
        self.first = self.first or problem
        self._loose.append(problem)
        if len(self._loose) == _PACKED:
            self._packed.append(_packed(self._loose))
            self._loose = []

    def lines(self) -> Iterator[int]:
        """The line of each."""
        for table in self.tables():
            yield from table["line"].to_pylist()

    def tables(self) -> Iterator[pa.Table]:
        """All of them, as ``line, column_name, value, reason``."""
        yield from self._packed
        if self._loose:
            yield _packed(self._loose)


def _packed(problems: Sequence[Problem]) -> pa.Table:
    lines, columns, values, reasons = zip(*problems, strict=True)
    texts = {"column_name": columns, "value": values, "reason": reasons}
    made = {
        name: pa.array([(each or "").encode("utf-8", "replace") for each in said], pa.binary()).cast(pa.string())
        for name, said in texts.items()
    }
    few = {name: made[name].dictionary_encode() for name in ("column_name", "reason")}
    return pa.table({"line": pa.array(lines, pa.int64()), **(made | few)})


class SetAside:
    """A temporary table of problems, filled in steps.

    Attributes:
        main_records: records that ``reshape`` gave up whole.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, relation: str) -> None:
        self.connection = connection
        self.main_records = 0
        self._relation = relation
        self._waiting: list[Problems] = [Problems()]
        self._lines: set[int] = set()
        connection.execute(f"CREATE TEMP TABLE {relation} (line BIGINT, column_name VARCHAR, value VARCHAR, reason VARCHAR)")

    @property
    def relation(self) -> str:
        """The table's name, once all that was added is in it; ``line, column_name, value, reason``."""
        waiting, self._waiting = self._waiting, [Problems()]
        for table in (table for problems in waiting for table in problems.tables()):
            name = f"{self._relation}_added"
            self.connection.register(name, table)
            self.connection.execute(f"INSERT INTO {self._relation} SELECT line, column_name, value, reason FROM {name}")  # noqa: S608
            self.connection.unregister(name)
        return self._relation

    def add(self, problems: Sequence[Problem] | Problems, main: bool = False) -> None:
        """Problems whose lines are known; ``main``: each line of them is a record."""
        if main:
            before = len(self._lines)
            self._lines.update(problems.lines() if isinstance(problems, Problems) else (problem[0] for problem in problems))
            self.main_records += len(self._lines) - before
        if isinstance(problems, Problems):
            self._waiting.insert(0, problems)
        else:
            for problem in problems:
                self._waiting[-1].append(problem)

    def add_found(self, query: str) -> None:
        """Problems that a query finds, its ``record`` being the line."""
        self.connection.execute(f"INSERT INTO {self.relation} SELECT record, column_name, value, reason FROM ({query})")  # noqa: S608

    def add_numbered(self, query: str, lines: Sequence[int]) -> None:
        """Problems that a query finds, its ``record`` being a record's number, from 1; ``lines`` are those of all records.

        Where several records begin on a line, as in JSON without line ends, the reason names the record by its number.
        """
        found = f"{self._relation}_found"
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
        found = f"{self._relation}_found"
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
