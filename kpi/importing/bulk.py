"""The bulk of a file as a relation of text columns c0, c1, …, read by DuckDB's strict reader.

DuckDB sets aside the records whose cells don't fit the header; they come back as :class:`Rejects` with their lines.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from connectors.base import Part, Record, Trouble
from connectors.parsing import LONGEST, MISPLACED, TOO_LONG
from connectors.reading import Text, copy_below, line_of, records
from kpi.importing.recognising import Recognised
from kpi.importing.rows import Rows
from kpi.importing.setaside import Problems, SetAside
from kpi.warehouse.casting import folded
from kpi.warehouse.literals import literal

#: Bytes from which a column's writing is read off a sample first, and checked afterwards.
LARGE: Final = 8 << 20
#: The widest table that DuckDB is given whole.
WIDEST: Final = 1000
#: Files below this are looked at for rows that DuckDB would take hours and gigabytes to reject, a reject for every cell.
_LOOKED_AT: Final = 64 << 20
_STRETCH: Final = 1 << 18
#: Bytes that are read at once for a sample.
_SAMPLE_BLOCK: Final = 2 << 20
_REASONS: Final = {
    "UNQUOTED VALUE": MISPLACED,
    "INVALID ENCODING": "it holds bytes that are not UTF-8",
    "LINE SIZE OVER MAXIMUM": TOO_LONG,
    "INVALID STATE": MISPLACED,
}


@dataclass(frozen=True)
class Rejects:
    """Records that are no rows of the table: how many, and why each."""

    records: int
    problems: Problems


@dataclass
class Bulk:
    """A relation of text.

    Attributes:
        connection: where it is.
        relation: its name; columns c0, c1, … and, with ``has_line``, ``line``.
        header: the columns' names.
        has_line: each row carries its physical line.
        is_tidy: its cells have no blanks around them and none of its rows is blank: :class:`kpi.importing.rows.Rows` made them.
        is_large: big enough that a second look at every column costs time.
        text: what DuckDB reads.
        delimiter: between cells.
        above: physical lines of the original above the first line of ``text``.
        skip_header: the first record of ``text`` is the header.
        rejects_table: where DuckDB puts what it can't read.
        rows_below: of a sheet, whose rows begin with their numbers: that of the header; above it are no records.
        lines: of JSON, whose ``line`` is the record's number, the physical line of each.
    """

    connection: duckdb.DuckDBPyConnection
    relation: str
    header: tuple[str, ...]
    has_line: bool
    is_large: bool
    text: Text
    delimiter: str = ","
    above: int = 0
    skip_header: bool = False
    rejects_table: str = ""
    rows_below: int = 0
    lines: array[int] | None = None
    is_tidy: bool = False
    notes: tuple[str, ...] = ()
    _positions: tuple[int, ...] | None = None
    _rejects: Rejects | None = None

    @property
    def positions(self) -> tuple[int, ...]:
        """Of the columns that are in the relation."""
        return tuple(range(len(self.header))) if self._positions is None else self._positions

    def records(self) -> Iterator[Record]:
        """All records again, in Python, with their physical lines in the original file."""
        for record in records(self.text, self.delimiter):
            if isinstance(record, Record) and not (self.skip_header and record.line == 1):
                yield Record(record.line + self.above, record.cells)

    def rejects(self, totals: str) -> Rejects:
        """What DuckDB could not read; footers that match ``totals`` are no records and left out."""
        if self._rejects is None and not self.rejects_table:
            return Rejects(0, Problems())
        if self._rejects is None:
            self._rejects = self._read_rejects(totals)
        return self._rejects

    def has_breaks(self, records: int, totals: str) -> bool:
        """Whether a cell may hold a line break: there are other lines than the ``records``, the rejects and the header have."""
        return self.text.may_break and records + self.skip_header + self.rejects(totals).records != self.text.lines

    def _read_rejects(self, totals: str) -> Rejects:
        try:
            rows = self.connection.execute(
                f"SELECT line_byte_position, any_value(error_type ORDER BY byte_position), any_value(csv_line), max(column_idx) "  # noqa: S608
                f"FROM {self.rejects_table} GROUP BY 1 ORDER BY 1"
            ).fetchall()
        except duckdb.CatalogException:  # DuckDB makes the table with the first reject
            return Rejects(0, Problems())
        problems = Problems()
        count = 0
        for offset, kind, line, _ in rows:
            cut = str(line or "").rstrip("\r\n")
            if not cut.strip(f'"{self.delimiter} \r\n'):
                continue  # blank cells, though not as many as the header has
            if totals and re.search(totals, cut.lstrip(f'"{self.delimiter} ')):
                continue
            at = line_of(self.text.path, int(offset) - 1) + self.above
            swallowed = cut.count("\n")
            count += 1 + (swallowed if kind == "UNQUOTED VALUE" else 0)
            problems.append((at, "", cut[:200], self._reason(kind, cut, swallowed)))
        return Rejects(count, problems)

    def _reason(self, kind: str, line: str, swallowed: int) -> str:
        if kind in ("MISSING COLUMNS", "TOO MANY COLUMNS"):
            cells = len(next(csv.reader([line], delimiter=self.delimiter), []))
            return f"it has {cells} cells where the header has {len(self.header)}"
        reason = _REASONS.get(kind, "it can't be read")
        return f"{reason}, and {swallowed} more lines went with it" if swallowed and kind == "UNQUOTED VALUE" else reason


def open_bulk(connection: duckdb.DuckDBPyConnection, relation: str, text: Text, found: Recognised, folder: Path) -> Bulk | None:
    """A large and tidy table, for DuckDB to read: where it lies when it is UTF-8 with its header on the first line.

    None for a file that must be read with care.
    """
    header = tuple(found.header.cells)
    size = text.path.stat().st_size
    if text.is_odd or size <= LARGE or len(header) > WIDEST or found.delimiter in found.header.cells:
        return None
    if size < _LOOKED_AT and not is_regular(text, found.delimiter.encode(), len(header)):
        return None
    if text.encoding.startswith("utf-8") and found.header.line == 1 and found.below in (0, 2):
        bulk = Bulk(connection, relation, header, False, True, text, found.delimiter, 0, True)
    else:
        last = found.below - 1 if found.below else found.header.line
        target = copy_below(text, last, folder / "below.csv")
        copy = Text(target, "utf-8", text.head, marks=text.marks, lines=text.lines - last)
        bulk = Bulk(connection, relation, header, False, True, copy, found.delimiter, last, False)
    bulk.rejects_table = f"{relation}_rejects"
    read_view(bulk)
    return bulk


def is_regular(text: Text, delimiter: bytes, width: int) -> bool:
    """Whether each stretch of a file has about as many delimiters as its rows should have."""
    with text.path.open("rb") as file:
        while chunk := file.read(_STRETCH):
            lines, marks = chunk.count(b"\n"), chunk.count(delimiter)
            # a cell in quotation marks may be many lines
            few = marks * 8 < lines if text.may_break else marks * 2 < (width - 1) * lines
            if few or marks > 4 * width * (lines + 1) + 1000:
                return False
    return True


def open_rows(
    connection: duckdb.DuckDBPyConnection, relation: str, rows: Rows, header: tuple[str, ...], read: Iterable[int], folder: Path
) -> Bulk:
    """Rows that were read with care, each with its physical line; of their columns only ``read``."""
    target = folder / "rows.csv"
    positions = tuple(sorted(read))
    with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for record in rows:
            writer.writerow([*(record.cells[at] for at in positions), record.line])
    bulk = Bulk(connection, relation, header, True, False, Text(target, "utf-8", ""), is_tidy=True)
    bulk.notes = tuple(rows.notes)
    bulk._positions = positions
    bulk._rejects = Rejects(rows.records, rows.problems)
    read_view(bulk)
    return bulk


def open_parts(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    flat: Iterator[Part | Trouble],
    parts: dict[str, tuple[str, ...]],
    folder: Path,
    aside: SetAside,
) -> dict[str, Bulk]:
    """Flat records that a layout's ``reshape`` makes, by part; what it can't use goes ``aside``."""
    files = {part: (folder / f"part{at}.csv").open("w", encoding="utf-8", newline="") for at, part in enumerate(parts)}
    main = next(iter(parts))
    wanted = {part: [folded(name) for name in names] for part, names in parts.items()}
    # folded name -> the name that the records use
    seen: dict[str, dict[str, str]] = {part: {} for part in parts}
    known: dict[str, set[str]] = {part: set() for part in parts}
    try:
        writers = {part: csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL) for part, file in files.items()}
        for made in flat:
            if isinstance(made, Trouble):
                aside.add([(made.line, made.column, made.value[:200], made.reason)], main=made.whole)
            else:
                spelled = seen[made.part]
                if not known[made.part].issuperset(made.cells):
                    known[made.part].update(made.cells)
                    for name in made.cells:
                        spelled.setdefault(folded(name), name)
                row = [made.cells.get(spelled.get(name, name), "").replace("\x00", "") for name in wanted[made.part]]
                writers[made.part].writerow([*row, str(made.line)])
    finally:
        for file in files.values():
            file.close()
    bulks: dict[str, Bulk] = {}
    for at, (part, names) in enumerate(parts.items()):
        path = folder / f"part{at}.csv"
        # a column that no record has is not in the file, and must not count as an empty one
        header = tuple(name if folded(name) in seen[part] else "" for name in names)
        bulk = Bulk(connection, f"{relation}{at}", header, True, part == main and path.stat().st_size > LARGE, Text(path, "utf-8", ""))
        read_view(bulk)
        bulks[part] = bulk
    return bulks


def read_view(bulk: Bulk) -> None:
    """A temporary view over the reader, so that a big file is read where it is needed and kept nowhere."""
    rejects = _setting_aside(bulk) if bulk.rejects_table else {}
    # by default sixteen of the longest lines are read at once, by each thread
    bulk.connection.execute(f"CREATE TEMP VIEW {bulk.relation} AS {_reading(bulk, LONGEST, 4 * LONGEST, rejects)}")


def take_sample(bulk: Bulk, records: int, positions: Iterable[int]) -> str:
    """A table of some columns of the first ``records``, but for those that can't be read; little more of the file is read for it."""
    name = f"{bulk.relation}_sample"
    chosen = ", ".join(f"c{at}" for at in positions) or "1"
    reading = _reading(bulk, _SAMPLE_BLOCK, _SAMPLE_BLOCK, {"ignore_errors": True}, chosen)
    bulk.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {reading} LIMIT {int(records)}")
    return name


def read_together(bulk: Bulk, paths: Sequence[Path], positions: Sequence[int]) -> set[int]:
    """A table of some columns of several files of one layout, with ``file``, the number of each; those of which DuckDB rejects records.

    The relation of ``bulk`` becomes that table, with the columns at ``positions``.
    """
    listed = [str(path) for path in paths]
    chosen = ", ".join([f"list_position({literal(listed)}, filename) - 1 AS file", *(f"c{at}" for at in positions)])
    reading = _reading(bulk, LONGEST, 4 * LONGEST, {"filename": True, **_setting_aside(bulk)}, chosen, listed)
    bulk.connection.execute(f"CREATE TEMP TABLE {bulk.relation} AS {reading}")
    bulk._positions = tuple(positions)
    try:
        rejected = bulk.connection.execute(
            f"SELECT DISTINCT s.file_path FROM {bulk.rejects_table} r JOIN {bulk.rejects_table}_scan s USING (scan_id, file_id)"  # noqa: S608
        ).fetchall()
    except duckdb.CatalogException:  # DuckDB makes the tables with the first reject
        return set()
    return {listed.index(path) for (path,) in rejected}


def _setting_aside(bulk: Bulk) -> dict[str, Any]:
    return {
        "store_rejects": True,
        "rejects_table": bulk.rejects_table,
        "rejects_scan": f"{bulk.rejects_table}_scan",
        "rejects_limit": 0,
    }


def _reading(bulk: Bulk, longest: int, block: int, more: dict[str, Any], chosen: str = "*", paths: Sequence[str] = ()) -> str:
    columns = {f"c{at}": "VARCHAR" for at in bulk.positions}
    where = ""
    if bulk.rows_below:
        beside = {f"beside{at}": "VARCHAR" for at in range(len(bulk.header), bulk.text.width)}
        columns = {"line": "BIGINT", **columns, **beside}
        where = f" WHERE line > {int(bulk.rows_below)}"
        chosen = ", ".join(name for name in columns if name not in beside) if chosen == "*" else chosen
    elif bulk.has_line:
        columns["line"] = "BIGINT"
    options: dict[str, Any] = {
        "header": False,
        "auto_detect": False,
        "delim": bulk.delimiter,
        "quote": '"',
        "escape": '"',
        "skip": 1 if bulk.skip_header else 0,
        "strict_mode": True,
        "nullstr": "",
        "max_line_size": longest,
        "buffer_size": block,
    }
    typed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    said = ", ".join(f"{name} = {literal(value)}" for name, value in (options | more).items())
    # as SQL, since the options of DuckDB's read_csv for Python import pandas, half a second
    place = literal(list(paths) or str(bulk.text.path))
    return f"SELECT {chosen} FROM read_csv({place}, columns = {{{typed}}}, {said}){where}"  # noqa: S608
