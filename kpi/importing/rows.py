"""The rows below a header, one by one: what is no row is left out, what can't be read is set aside, the rest is tidy.

A careful person passes over a header that comes again and follows one whose columns stand in another order, drops empty
cells behind a row's end, and stops where a row doesn't fit. So does this.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from connectors.base import Record
from connectors.packing import NotATable
from connectors.parsing import LONGEST, TOO_LONG, Broken
from connectors.reading import DELIMITERS, HEADER_WITHIN, Text, head_records, records
from connectors.tidying import tidy
from kpi.importing.recognising import Recognised, missing
from kpi.importing.setaside import Problems
from kpi.warehouse.casting import folded

_NUL: Final = "it holds NUL bytes, which stand where something was lost"
_OTHER_HEADER: Final = "it stands below a second header with other columns; make a file of each table"
_CUT_OFF: Final = "the file ends in the middle of it"
#: Letters from which the bytes of a row are counted.
_LONG: Final = LONGEST // 8
#: Rows whose last cells must be alike before the file's last one is taken for cut off.
_ALIKE: Final = 5


class Rows:
    """The rows of a file, in order; what became of the others is known when all are read.

    Attributes:
        problems: the records that can't be read.
        records: how many they are.
        notes: what was left out or read otherwise, a sentence each.
    """

    def __init__(self, text: Text, found: Recognised, read: Collection[int]) -> None:
        """``read``: positions of the header's columns that the layout reads."""
        self.problems = Problems()
        self.records = 0
        self.notes: list[str] = []
        self._text = text
        self._found = found
        self._read = frozenset(read)
        self._names = [folded(cell) for cell in found.header.cells]
        self._named = frozenset(name for name in self._names if name)
        self._width = len(self._names)
        self._is_report = found.layout.reshape is not None
        self._title = found.layout.title and next(
            (cell for record in found.before for cell in record.cells if folded(cell).startswith(folded(found.layout.title))), ""
        )
        self._usual = self._usual_width()
        self._order: list[int] | None = None
        self._closed = False
        self._repeated = 0
        self._otherwise = 0
        self._padding = 0
        self._last_line = 0

    def __iter__(self) -> Iterator[Record]:
        held: Record | None = None
        endings = _Endings()
        below = self._found.below or self._found.header.line + 1
        for record in records(self._text, self._found.delimiter, below, self._width):
            if isinstance(record, Broken):
                self._refuse(record.line, record.text.strip("\n"), record.reason)
                continue
            made = self._row(record)
            if made is not None:
                if held is not None:
                    endings.add(held.cells[self._width - 1 : self._width])
                    yield held
                held = made
        if held is not None:
            if not self._is_report and self._width - 1 in self._read and self._is_open() and endings.lacks(held.cells[self._width - 1]):
                self._refuse(held.line, self._found.delimiter.join(held.cells), _CUT_OFF)
            else:
                yield held
        self._tell()

    def _row(self, record: Record) -> Record | None:
        cells = record.cells
        if "\x00" in "".join(cells):
            if "".join(cells).strip("\x00 \t\r\n"):
                self._refuse(record.line, self._found.delimiter.join(cells).replace("\x00", "�"), _NUL)
            else:
                self._padding += 1
            return None
        tidied = [tidy(cell) for cell in cells]
        first = next((cell for cell in tidied if cell), None)
        if first is None:
            return None
        if folded(first) in self._named and self._is_header(tidied):
            return None
        if self._title and first == tidy(self._title):
            raise NotATable(f'a second report "{first}" begins on line {record.line}; make a file of each')
        if self._closed:
            self._refuse(record.line, self._found.delimiter.join(cells), _OTHER_HEADER)
            return None
        fitted: list[str] | None = tidied
        if self._order is not None:
            lacking = len(self._order) - len(tidied) if self._text.is_sheet else 0  # a sheet leaves out empty cells at the end
            fitted = _ordered([*tidied, *[""] * lacking], self._order)
        if fitted is not None and self._is_report:
            # a workbook doesn't hold the empty cells at a row's end
            lost = self._width - len(fitted) if self._text.is_sheet else 0
            return Record(record.line, [*fitted, *[""] * lost])
        fitted = self._fitted(fitted, cells) if fitted is not None else None
        if fitted is None:
            totals = self._found.layout.totals
            if not (totals and re.search(totals, first)):
                said = f"it has {len(cells)} cells where the header has {self._width}"
                self._refuse(record.line, self._found.delimiter.join(cells), said)
            return None
        if sum(map(len, fitted)) > _LONG and _written(fitted[at] for at in self._read) > LONGEST:
            self._refuse(record.line, self._found.delimiter.join(cells), TOO_LONG)
            return None
        return Record(record.line, fitted)

    def _is_header(self, cells: list[str]) -> bool:
        """Whether a row is the header again, or another one, which is followed where it has the same columns."""
        while len(cells) > self._width and not cells[-1]:
            cells = cells[:-1]
        names = [folded(cell) for cell in cells]
        if names == self._names:
            self._order, self._closed = None, False
        elif Counter(names) == Counter(self._names):
            self._order, self._closed = _positions(names, self._names), False
        elif not missing(self._found.layout, set(names)):
            self._closed = True
        else:
            return False
        self._repeated += 1
        return True

    def _fitted(self, cells: list[str], written: Sequence[str]) -> list[str] | None:
        """The cells as many as the header's, or None where that would be a guess. ``written``: as they stand in the file."""
        if len(cells) == self._width:
            return cells
        if len(cells) < self._width and not self._text.is_sheet:
            whole = self._found.delimiter.join(written)
            for delimiter in DELIMITERS:
                if delimiter != self._found.delimiter and whole.count(delimiter) >= self._width - 1:
                    again = next(csv.reader([whole], delimiter=delimiter), [])
                    if len(again) == self._width:
                        self._otherwise += 1
                        return [tidy(cell) for cell in again]
        if len(cells) > self._width:
            return cells[: self._width] if self._text.is_sheet or not any(cells[self._width :]) else None
        lost = range(len(cells), self._width)
        if self._text.is_sheet or len(cells) == self._usual or not any(at in self._read for at in lost):
            return [*cells, *[""] * len(lost)]
        return None

    def _usual_width(self) -> int:
        """How many cells the rows have where all that can be seen of them agree."""
        head = [record for record in head_records(self._text, self._found.delimiter) if record.line > self._found.header.line]
        seen = [record.cells for record in head[:-1] or head if any(record.cells)]
        widths = {len(cells) for cells in seen}
        alone = widths == {1} and self._width > 2 and not any(mark in cells[0] for cells in seen for mark in DELIMITERS)
        if alone and len(seen) > HEADER_WITHIN and not self._is_report and not self._text.is_sheet:
            # no millions of rows are looked through of which nothing can be used
            raise NotATable(f"its rows hold one cell each, where its header has {self._width}")
        return next(iter(widths)) if len(widths) == 1 and len(head) > 2 else self._width

    def _is_open(self) -> bool:
        """Whether the file's last line has no end."""
        if self._text.is_sheet or self._text.encoding.startswith("utf-16"):
            return False
        with self._text.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) not in b"\r\n\x00"

    def _refuse(self, line: int, text: str, reason: str) -> None:
        self.problems.append((line, "", text[:200], reason))
        self.records += 1

    def _tell(self) -> None:
        if self._repeated:
            again = "again on 1 line" if self._repeated == 1 else f"again on {self._repeated} lines"
            self.notes.append(f"the header stands {again}")
        if self._otherwise:
            rows = "1 row has" if self._otherwise == 1 else f"{self._otherwise} rows have"
            self.notes.append(f"{rows} another delimiter than the header")
        if self._padding:
            self.notes.append("NUL bytes that stand for nothing are left out")
        if self._usual != self._width and not self._is_report and not self._text.is_sheet:
            self.notes.append(f"its rows have {self._usual} cells where the header has {self._width}")


def _positions(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """For each wanted name where it stands, the second of one name for its second."""
    waiting: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        waiting.setdefault(name, []).append(at)
    return [waiting[name].pop(0) for name in wanted]


def _ordered(cells: list[str], order: Sequence[int]) -> list[str] | None:
    return None if len(cells) < len(order) or any(cells[len(order) :]) else [cells[at] for at in order]


def _written(cells: Iterable[str]) -> int:
    """Bytes of a line that holds these cells in quotes."""
    return sum(len(cell.encode()) + cell.count('"') + 3 for cell in cells)


class _Endings:
    """What the last cells of rows have in common: their length, or how many decimals they write."""

    def __init__(self) -> None:
        self._lengths: Counter[int] = Counter()
        self._decimals: Counter[int] = Counter()

    def add(self, cells: Sequence[str]) -> None:
        """One more row's last cell; an empty one says nothing."""
        if cells and cells[0]:
            self._lengths[len(cells[0])] += 1
            self._decimals[_decimals(cells[0])] += 1
            if len(self._lengths) > 1000:  # no length is usual, and memory is bounded
                self._lengths = Counter({0: 1, 1: 1})

    def lacks(self, cell: str) -> bool:
        """Whether a cell is shorter than all the others are, alike."""
        if not cell or self._lengths.total() < _ALIKE:
            return False
        length, decimals = next(iter(self._lengths)), next(iter(self._decimals))
        if len(self._lengths) == 1:
            return len(cell) < length
        return len(self._decimals) == 1 and decimals > 0 and _decimals(cell) < decimals


def _decimals(cell: str) -> int:
    match = re.fullmatch(r"[^A-Za-z]*\d[.,](\d*)", cell)
    return len(match[1]) if match else 0
