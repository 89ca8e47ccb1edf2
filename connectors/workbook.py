"""An .xlsx workbook -> its sheets as CSV, cell by cell, in little memory however large the sheets are.

Readers that hold a sheet as a grid, or each cell with a text of its own, are at the mercy of a file: two cells far apart
make a grid of 17 billion, and one long shared text a copy for every cell that names it. Here the XML streams through
expat, shared texts lie in a file, and what is written is counted against what was unpacked. The format is ECMA-376,
part 1, 18.3 (sheets), 18.4.8 (shared texts), 18.8.30 (number formats), 18.17.4.1 (days since 1900 and since 1904).
"""

from __future__ import annotations

import csv
import datetime as dt
import posixpath
import re
import zipfile
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final
from xml.parsers import expat

from connectors.packing import NotATable

#: A workbook's parts unpacked; Excel itself is slow to open half of it.
MOST_WORKBOOK: Final = 512 << 20
#: Texts that sheets share; each costs eight bytes of memory.
_MOST_TEXTS: Final = 4_000_000
_MOST_SHEETS: Final = 100
#: How much larger the cells may be than the XML they come from: a long text that every cell repeats makes them grow.
_GROWTH: Final = 4
_LEAST_WRITTEN: Final = 64 << 20
_CHUNK: Final = 1 << 16
_DAMAGED: Final = "it is a workbook that can't be read, damaged or with a password"
#: Formats that Excel has built in for days and times.
_DAY_FORMATS: Final = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_WHOLE: Final = re.compile(r"-?\d{1,15}")


@dataclass(frozen=True)
class Sheet:
    """A sheet as CSV: each record begins with its row number.

    Attributes:
        name: as on its tab.
        is_hidden: nobody sees it who opens the workbook.
        path: the CSV; empty cells behind a row's last one are left out, as are rows without cells.
        rows: how many rows have cells.
    """

    name: str
    is_hidden: bool
    path: Path
    rows: int


@dataclass
class _Book:
    """What the sheets share."""

    archive: zipfile.ZipFile
    since_1904: bool = False
    sheets: list[tuple[str, str, str]] = field(default_factory=list)
    days: frozenset[int] = frozenset()
    texts: Callable[[int], str] = lambda at: ""


def sheets_of(archive: zipfile.ZipFile, folder: Path) -> tuple[list[Sheet], bool]:
    """Every sheet, and whether the workbook counts its days from 1904.

    Raises:
        NotATable: no workbook of XML, damaged, or larger than one that a person made.
    """
    size = sum(member.file_size for member in archive.infolist())
    if size > MOST_WORKBOOK:
        raise NotATable(f"unpacked the workbook is {size >> 20} MB; export it as .csv")
    try:
        book = _Book(archive)
        main = _main_part(archive)
        _read_main(book, main)
        relations = _relations(archive, main)
        book.days = _days(archive, relations)
        with (folder / "texts").open("w+b") as texts:
            book.texts = _shared(archive, relations, texts)
            allowed = _LEAST_WRITTEN + _GROWTH * size
            made = []
            for at, (name, key, state) in enumerate(book.sheets[:_MOST_SHEETS]):
                kind, part = relations.get(key, ("", ""))
                if kind.endswith("/worksheet") and part in archive.namelist():
                    target = folder / f"sheet{at}.csv"
                    rows = _write_sheet(book, part, target, allowed)
                    allowed -= target.stat().st_size
                    made.append(Sheet(name, state != "visible", target, rows))
    except (expat.ExpatError, KeyError, ValueError, IndexError, OverflowError) as error:
        raise NotATable(_DAMAGED) from error
    return made, book.since_1904


def _main_part(archive: zipfile.ZipFile) -> str:
    found = next((part for kind, part in _relations(archive, "").values() if kind.endswith("/officeDocument")), "xl/workbook.xml")
    if found.endswith(".bin"):
        raise NotATable("it is a binary workbook; save it as .xlsx or .csv")
    if not found.endswith(".xml") or found not in archive.namelist():
        raise NotATable("it is an office file without sheets; export the table as CSV")
    return found


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Let a part of the archive stream by; names come without their prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = _CHUNK
    local: dict[str, str] = {}

    def started(name: str, attributes: dict[str, str]) -> None:
        start(local.setdefault(name, name.rpartition(":")[2]), attributes)

    def refuse(*_: Any) -> None:
        raise NotATable("its XML declares a document type, which no spreadsheet writes")

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = refuse
    if end is not None:
        ended = end
        parser.EndElementHandler = lambda name: ended(local[name])
    parser.CharacterDataHandler = text
    with archive.open(part) as source:
        while chunk := source.read(_CHUNK):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Id -> kind and full name of the parts that ``part`` refers to."""
    folder, name = posixpath.split(part)
    listed = posixpath.join(folder, "_rels", f"{name}.rels")
    found: dict[str, tuple[str, str]] = {}

    def start(element: str, about: dict[str, str]) -> None:
        if element == "Relationship" and "Id" in about:
            target = about.get("Target", "")
            found[about["Id"]] = (about.get("Type", ""), posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/"))

    if listed in archive.namelist():
        _parse(archive, listed, start)
    return found


def _read_main(book: _Book, part: str) -> None:
    def start(element: str, about: dict[str, str]) -> None:
        if element == "sheet":
            key = next((value for name, value in about.items() if name.endswith(":id")), "")
            book.sheets.append((about.get("name", ""), key, about.get("state", "visible")))
        elif element == "workbookPr":
            book.since_1904 = about.get("date1904", "0") in ("1", "true", "on")

    _parse(book.archive, part, start)


def _days(archive: zipfile.ZipFile, relations: dict[str, tuple[str, str]]) -> frozenset[int]:
    """The styles of cells whose numbers are days or times."""
    formats: dict[int, bool] = {}
    styles: list[int] = []
    inside = ""

    def start(element: str, about: dict[str, str]) -> None:
        nonlocal inside
        if element == "numFmt" and inside != "dxf":
            formats[int(about["numFmtId"])] = is_day_format(about.get("formatCode", ""))
        elif element in ("cellXfs", "cellStyleXfs", "dxf"):
            inside = element
        elif element == "xf" and inside == "cellXfs":
            styles.append(int(about.get("numFmtId", "0")))

    for kind, part in relations.values():
        if kind.endswith("/styles") and part in archive.namelist():
            _parse(archive, part, start)
    return frozenset(at for at, number in enumerate(styles) if formats.get(number, number in _DAY_FORMATS))


def is_day_format(code: str) -> bool:
    """Whether a number format shows a day or a time of day."""
    bare = re.sub(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', "", code.split(";")[0], flags=re.IGNORECASE)
    return re.search("[dmyhs]", bare, re.IGNORECASE) is not None and "general" not in bare.casefold()


def _shared(archive: zipfile.ZipFile, relations: dict[str, tuple[str, str]], spool: IO[bytes]) -> Callable[[int], str]:
    """Put the shared texts into a file; the result reads one of them."""
    ends = array("Q", [0])
    parts: list[str] = []
    within = {"t": False, "rPh": False}

    def start(element: str, about: dict[str, str]) -> None:
        if element in within:
            within[element] = True

    def end(element: str) -> None:
        if element in within:
            within[element] = False
        elif element == "si":
            if len(ends) > _MOST_TEXTS:
                raise NotATable(f"the workbook holds more than {_MOST_TEXTS:,} texts; export it as .csv")
            ends.append(ends[-1] + spool.write("".join(parts).encode("utf-8", "replace")))
            parts.clear()

    def text(piece: str) -> None:
        if within["t"] and not within["rPh"]:
            parts.append(piece)

    for kind, part in relations.values():
        if kind.endswith("/sharedStrings") and part in archive.namelist():
            _parse(archive, part, start, end, text)
    spool.flush()

    def read(at: int) -> str:
        if not 0 <= at < len(ends) - 1:
            raise IndexError(at)
        spool.seek(ends[at])
        return spool.read(ends[at + 1] - ends[at]).decode()

    return read


def _write_sheet(book: _Book, part: str, target: Path, allowed: int) -> int:
    """Write a sheet's rows as CSV; how many have cells."""
    with target.open("w", encoding="utf-8", newline="") as file:
        rows = _Rows(book, csv.writer(file, lineterminator="\n"), allowed)
        _parse(book.archive, part, rows.start, rows.end, rows.text)
        return rows.count


class _Rows:
    """The rows of a sheet, while its XML streams by."""

    def __init__(self, book: _Book, writer: Any, allowed: int) -> None:
        self.count = 0
        self._book = book
        self._writer = writer
        self._allowed = allowed
        self._row = 0
        self._column = -1
        self._cells: list[str] = []
        self._kind = ""
        self._style = 0
        self._parts: list[str] = []
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
        elif element in ("v", "t"):
            self._listening = not self._aside
        elif element == "row":
            self._row = int(about["r"]) if "r" in about else self._row + 1
            self._cells = []
            self._column = -1
        elif element == "rPh":
            self._aside = True

    def text(self, piece: str) -> None:
        """A piece of a value."""
        if self._listening:
            self._parts.append(piece)

    def end(self, element: str) -> None:
        """A value, a cell or a row ends."""
        if element in ("v", "t"):
            self._listening = False
        elif element == "c":
            if self._parts:
                cell = self._value("".join(self._parts))
                if self._column >= len(self._cells):
                    self._cells += [""] * (self._column + 1 - len(self._cells))
                self._cells[self._column] = cell
        elif element == "row":
            if any(self._cells):
                self._writer.writerow([self._row, *self._cells])
                self.count += 1
                self._size += len(self._cells) + sum(map(len, self._cells))
                if self._size > self._allowed:
                    raise NotATable("its cells hold many times what the workbook does, as only a bomb's do; export it as .csv")
        elif element == "rPh":
            self._aside = False

    def _value(self, raw: str) -> str:
        if self._kind == "s":
            return self._book.texts(int(raw))
        if self._kind == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE"
        if self._kind != "n":
            return raw
        if self._style in self._book.days and (shown := moment_of(float(raw), self._book.since_1904)):
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


def number_of(raw: str) -> str:
    """A number as people write it: Excel shows 15 digits, and what lies beyond is the error of a binary fraction.

    Whole numbers of more digits keep the form 1.21143E+15, since their last digits are lost.
    """
    text = raw.strip()
    if _WHOLE.fullmatch(text):
        return text
    number = float(text)
    if abs(number) >= 1e15:
        return format(number, ".15G")
    shown = format(number, ".15g")
    if "e" in shown:
        shown = format(number, ".20f").rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "-") else shown


def moment_of(serial: float, since_1904: bool) -> str:
    """A day, an instant or a time of day from its number; empty for a number that is none."""
    # Excel takes 1900 for a leap year, so its days before 1 March 1900 are one too many
    offset = 1462 if since_1904 else 0 if serial >= 61 else 1
    if serial < 0 or serial + offset > 2_958_465.99999:
        return ""
    moment = dt.datetime(1899, 12, 30) + dt.timedelta(days=offset) + dt.timedelta(milliseconds=round(serial * 86_400_000))  # noqa: DTZ001
    if serial < 1:
        return f"{moment:%H:%M:%S}"
    if moment.microsecond:
        return moment.isoformat(" ", "milliseconds")
    return str(moment.date()) if moment.time() == dt.time() else str(moment)
