"""Lines of text -> records, with what is broken told from what can be read.

Python's reader of CSV is strict where it can be; where it gives up, or joins lines that are records of their own, the
lines are looked at one by one. Broken quotation marks then cost the line on which they stand, not the rest of the file.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from connectors.base import Record

#: The longest record; the longest text a CRM or tracker holds is 128 kB.
LONGEST: Final = 8 << 20
MISPLACED: Final = "a quotation mark stands in the wrong place or is never closed"
TOO_LONG: Final = "it is longer than 8 MB"
TOO_WIDE: Final = "it has more cells than any table has columns"
#: Cells of a line that is longer than this are counted before they are made; a spreadsheet has 16,384.
_LONG: Final = 1 << 19
_MOST_CELLS: Final = 100_000


@dataclass(frozen=True)
class Broken:
    """A line that is no record: where it stands, what it says, and why."""

    line: int
    text: str
    reason: str


class _Lines:
    """Physical lines, some of them given back to be read again.

    Attributes:
        taken: the lines of the record at hand.
        line: physical line on which it begins.
    """

    def __init__(self, lines: Iterable[str], first: int, delimiter: str) -> None:
        self._delimiter = delimiter
        self._lines = iter(lines)
        self._back: list[str] = []
        self.taken: list[str] = []
        self.line = first
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text = self._back.pop() if self._back else next(self._lines)
        self.taken.append(text)
        self._size += len(text)
        if self._size > LONGEST:
            raise _TooLong
        if len(text) > _LONG and len(self.taken) == 1 and '"' not in text and text.count(self._delimiter) > _MOST_CELLS:
            raise _TooWide
        return text

    def done(self) -> None:
        """The record at hand is read."""
        self.line += len(self.taken)
        self.taken = []
        self._size = 0

    def give_back(self) -> str:
        """All but the first of the lines at hand; returns that."""
        first, *rest = self.taken
        self._back += reversed(rest)
        self.line += 1
        self.taken = []
        self._size = 0
        return first


class _TooLong(Exception):
    """A record that grows and grows, because a quotation mark is never closed."""


class _TooWide(Exception):
    """A line of so many cells that they would only fill memory."""


def parse(lines: Iterable[str], delimiter: str, first: int = 1, width: int = 0) -> Iterator[Record | Broken]:
    """Records, blank lines left out, each with the physical line on which it begins.

    Args:
        lines: physical lines with plain line ends.
        first: number of the first of them.
        width: how many cells a record should have; 0 where that isn't known, and nothing is repaired.
    """
    csv.field_size_limit(sys.maxsize)
    source = _Lines(lines, first, delimiter)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong, _TooWide) as error:
            line = source.line
            text = source.give_back()
            reader = csv.reader(source, delimiter=delimiter, strict=True)
            if isinstance(error, _TooWide):
                yield Broken(line, text, TOO_WIDE)
                continue
            repaired = None if len(text) > LONGEST else _repaired(text, delimiter, width)
            if repaired is not None:
                yield Record(line, repaired)
            else:
                yield Broken(line, text, TOO_LONG if isinstance(error, _TooLong) and len(text) > LONGEST else MISPLACED)
            continue
        taken = source.taken
        if not cells:
            source.done()
            continue
        if len(taken) > 1 and width and _swallowed(taken, delimiter, width):
            line = source.line
            text = source.give_back()
            reader = csv.reader(source, delimiter=delimiter, strict=True)
            yield Broken(line, text, MISPLACED)
            continue
        line = source.line
        has_quotes = '"' in taken[0] if len(taken) == 1 else any('"' in text for text in taken)
        if has_quotes and any('"' in cell and _is_marked(cell) for cell in cells):
            mended = _checked("".join(taken), cells, delimiter)
            yield Broken(line, "".join(taken), MISPLACED) if mended is None else Record(line, mended)
        else:
            yield Record(line, cells)
        source.done()


def _is_marked(cell: str) -> bool:
    """A quotation mark at one of its ends, which may be part of the text or a broken one."""
    bare = cell.strip()
    return bare.startswith('"') or (bare.endswith('"') and not bare.startswith('="'))


def _checked(text: str, cells: list[str], delimiter: str) -> list[str] | None:
    """``cells`` where the marks at their ends are quoted text, those without blanks before the marks, else None."""
    if not any(mark for _, mark in _cells_of(text, delimiter)):
        return cells
    try:
        again = next(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error:
        return None
    loose = [cell.rstrip() for cell in again]
    return None if len(again) != len(cells) or any(_is_marked(cell) for cell in loose) else loose


def _repaired(text: str, delimiter: str, width: int) -> list[str] | None:
    """The cells of a line whose inner marks are not doubled; None where they can't be told for sure."""
    found = _cells_of(text, delimiter)
    if not width or len(found) != width or any(mark for _, mark in found):
        return None
    return [cell for cell, _ in found]


def _cells_of(text: str, delimiter: str) -> list[tuple[str, bool]]:
    """The cells of a text, read as a person does: a quoted cell ends with a mark before a delimiter or the end.

    Beside each whether a mark stands in it that makes no sense.
    """
    text = text.rstrip("\r\n")
    made: list[tuple[str, bool]] = []
    at = 0
    while at <= len(text):
        if text[at : at + 1] == '"' and (end := _end_of_quoted(text, at + 1, delimiter)) >= 0:
            cell = text[at + 1 : end].replace('\\"', '"').replace('""', '"')
            made.append((cell, False))
            at = end + 1 + len(delimiter)
            continue
        end = text.find(delimiter, at)
        end = len(text) if end < 0 else end
        cell = text[at:end]
        made.append((cell, _is_marked(cell)))
        at = end + len(delimiter)
    return made


def _end_of_quoted(text: str, at: int, delimiter: str) -> int:
    """Where the mark stands that closes a quoted cell; -1 where none does."""
    while (at := text.find('"', at)) >= 0:
        if text[at - 1] == "\\" and text[at + 1 : at + 2] not in ("", delimiter):
            at += 1
        elif text[at + 1 : at + 2] == '"' and text[at - 1] != "\\":
            at += 2
        elif text[at + 1 : at + 2] in ("", delimiter):
            return at
        else:
            at += 1
    return -1


def _swallowed(taken: list[str], delimiter: str, width: int) -> bool:
    """Whether a record of several lines is several records: its first and its last line are as wide as one by themselves."""
    return all(len(_cells_of(line, delimiter)) == width for line in (taken[0], taken[-1]))
