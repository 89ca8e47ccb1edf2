"""XML of any shape, tag by tag, while it streams by: a workbook's shared texts, and the rows of its sheets.

Little memory is used however large the parts are: shared texts lie in a file, and what is written is counted against what
was unpacked, since two cells far apart make a grid of 17 billion, and one long shared text a copy for every cell that names it.
"""

from __future__ import annotations

import csv
import zipfile
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from xml.parsers import expat

import pyarrow as pa

from connectors.evening import Even
from connectors.packing import NotATable
from connectors.serials import moment_of, number_of

#: Texts that sheets share; each costs eight bytes of memory.
MOST_TEXTS: Final = 4_000_000
#: The longest text of a cell; Excel's is 32,767 letters.
_LONGEST: Final = 8 << 20
#: The longest tag or comment, which expat holds whole.
_LONGEST_TAG: Final = 1 << 18
#: Elements in elements; a sheet's are eight deep.
_DEEPEST: Final = 100
#: Names of elements and of attributes in one part.
_MOST_NAMES: Final = 1000
#: Letters of one row.
_LONGEST_ROW: Final = 64 << 20
_CHUNK: Final = 1 << 16
_TOO_LONG: Final = "a cell in it is longer than 8 MB, and Excel's hold 32,767 letters; export it as .csv"
GROWN: Final = "its cells hold many times what the workbook does, as only a bomb's do; export it as .csv"
_UNNATURAL: Final = "its XML is such as no spreadsheet writes; export it as .csv"


@dataclass(frozen=True)
class About:
    """What a sheet's cells refer to.

    Attributes:
        days: the styles of days and times.
        since_1904: from when they count.
        allowed: letters that its cells may hold.
        held: the shared texts, where memory holds them.
        spooled: reads one of them, where a file does.
    """

    days: frozenset[int]
    since_1904: bool
    allowed: int
    held: pa.Array | None = None
    spooled: Callable[[int], str] | None = None

    def text(self, at: int) -> str:
        """One of the shared texts.

        Raises:
            IndexError: there is no such one.
        """
        if self.spooled is not None:
            return self.spooled(at)
        if self.held is None or not 0 <= at < len(self.held):
            raise IndexError(at)
        said: str = self.held[at].as_py()
        return said


def parse(
    archive: zipfile.ZipFile,
    part: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Let a part of the archive stream by; names come without their prefix."""
    feed = parser_of(start, end, text)
    with archive.open(part) as source:
        while chunk := source.read(_CHUNK):
            feed(chunk, False)
    feed(b"", True)


def parser_of(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Callable[[bytes, bool], None]:
    """Takes XML piece by piece, and whether it is the last; names come without their prefix.

    Expat keeps every name it meets and every tag until it ends, so that XML of nothing else would fill the memory.

    Raises:
        NotATable: it declares a document type, or grows as no spreadsheet's does.
        xml.parsers.expat.ExpatError: it is damaged.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = _CHUNK
    local: dict[str, str] = {}
    known: set[str] = set()
    deep = fed = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal deep
        deep += 1
        if deep > _DEEPEST:
            raise NotATable(_UNNATURAL)
        short = local.get(name)
        if short is None or not known.issuperset(attributes):
            short = local[name] = name.rpartition(":")[2]
            known.update(attributes)
            if len(local) + len(known) > _MOST_NAMES:
                raise NotATable(_UNNATURAL)
        start(short, attributes)

    def ended(name: str) -> None:
        nonlocal deep
        deep -= 1
        if end is not None:
            end(local[name])

    def refuse(*_: Any) -> None:
        raise NotATable("its XML declares a document type, which no spreadsheet writes")

    def feed(piece: bytes, is_last: bool) -> None:
        nonlocal fed
        for at in range(0, len(piece), _CHUNK):
            part = piece[at : at + _CHUNK]
            parser.Parse(part, False)
            fed += len(part)
            if fed - max(0, parser.CurrentByteIndex) > _LONGEST_TAG + _CHUNK:
                raise NotATable(_UNNATURAL)
        if is_last:
            parser.Parse(b"", True)

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = refuse
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text
    return feed


def guard(element: str, error: type[Exception]) -> Callable[[bytes, bool], None]:
    """As :func:`parser_of`, for XML that must not hold ``element``."""

    def start(name: str, about: dict[str, str]) -> None:
        if name == element:
            raise error

    return parser_of(start)


def spooled_texts(archive: zipfile.ZipFile, part: str, spool: IO[bytes]) -> Callable[[int], str]:
    """Put the shared texts into a file; the result reads one of them."""
    ends = array("Q", [0])
    parts: list[str] = []
    size = 0
    within = {"t": False, "rPh": False}

    def start(element: str, about: dict[str, str]) -> None:
        if element in within:
            within[element] = True

    def end(element: str) -> None:
        nonlocal size
        if element in within:
            within[element] = False
        elif element == "si":
            if len(ends) > MOST_TEXTS:
                raise NotATable(f"the workbook holds more than {MOST_TEXTS:,} texts; export it as .csv")
            ends.append(ends[-1] + spool.write("".join(parts).encode("utf-8", "replace")))
            parts.clear()
            size = 0

    def text(piece: str) -> None:
        nonlocal size
        if within["t"] and not within["rPh"]:
            parts.append(piece)
            size += len(piece)
            if size > _LONGEST:
                raise NotATable(_TOO_LONG)

    parse(archive, part, start, end, text)
    spool.flush()

    def read(at: int) -> str:
        if not 0 <= at < len(ends) - 1:
            raise IndexError(at)
        spool.seek(ends[at])
        return spool.read(ends[at + 1] - ends[at]).decode()

    return read


def write_sheet(archive: zipfile.ZipFile, part: str, about: About, target: Path) -> tuple[int, int]:
    """Write a sheet's rows as CSV; how many have cells, and how many cells each is given, see :attr:`Even.width`."""
    with target.open("w", encoding="utf-8", newline="") as file:
        even = Even(csv.writer(file, lineterminator="\n"))
        rows = Rows(about, even)
        parse(archive, part, rows.start, rows.end, rows.text)
        even.finish()
        return rows.count, even.width


class Rows:
    """The rows of a sheet, while its XML streams by."""

    def __init__(self, about: About, writer: Even) -> None:
        self.count = 0
        self._about = about
        self._writer = writer
        self._row = 0
        self._column = -1
        self._cells: list[str] = []
        self._kind = ""
        self._style = 0
        self._parts: list[str] = []
        self._length = 0
        self._held = 0
        self._listening = False
        self._aside = False
        self._size = 0

    def start(self, element: str, about: dict[str, str]) -> None:
        """A row, a cell, its value or its text begins."""
        if element == "c":
            place = about.get("r")
            self._column = _column(place) if place else self._column + 1
            self._kind = about.get("t", "n")
            self._style = int(about.get("s", 0))
            self._parts = []
            self._length = 0
        elif element in ("v", "t"):
            self._listening = not self._aside
        elif element == "row":
            self._row = int(about["r"]) if "r" in about else self._row + 1
            self._cells = []
            self._column = -1
            self._held = 0
        elif element == "rPh":
            self._aside = True

    def text(self, piece: str) -> None:
        """A piece of a value."""
        if self._listening:
            self._parts.append(piece)
            self._length += len(piece)
            if self._length > _LONGEST:
                raise NotATable(_TOO_LONG)

    def end(self, element: str) -> None:
        """A value, a cell or a row ends."""
        if element in ("v", "t"):
            self._listening = False
        elif element == "c":
            if self._parts:
                cell = self._value("".join(self._parts))
                self._held += len(cell)
                if self._held > _LONGEST_ROW:
                    raise NotATable(GROWN)
                if self._column >= len(self._cells):
                    self._cells += [""] * (self._column + 1 - len(self._cells))
                self._cells[self._column] = cell
        elif element == "row":
            if any(self._cells):
                self._writer.write(self._row, self._cells)
                self.count += 1
                self._size += len(self._cells) + sum(map(len, self._cells))
                if self._size > self._about.allowed:
                    raise NotATable(GROWN)
        elif element == "rPh":
            self._aside = False

    def _value(self, raw: str) -> str:
        if self._kind == "s":
            return self._about.text(int(raw))
        if self._kind == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE"
        if self._kind != "n":
            return raw
        if self._style in self._about.days and (shown := moment_of(float(raw), self._about.since_1904)):
            return shown
        return number_of(raw)


def _column(place: str) -> int:
    """AB12 -> 27."""
    at = 0
    for letter in place:
        if not letter.isalpha():
            break
        at = at * 26 + ord(letter.upper()) - 64
    if not 0 < at <= 16_384:
        raise ValueError(place)
    return at - 1
