"""An .xlsx workbook -> its sheets as CSV, in little memory and time however large the sheets are.

What nearly every program writes is read whole columns of tags at a time (:mod:`connectors.grids`), whatever else a workbook
may hold tag by tag (:mod:`connectors.streamed`); both count what they write against what they came from. The format is
ECMA-376, part 1, 18.2 (workbooks), 18.3 (sheets), 18.4.8 (shared texts), 18.8.30 (number formats).
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable, Sized
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Final
from xml.parsers import expat

import pyarrow as pa

from connectors.grids import Grid, held_texts
from connectors.markup import Unlike
from connectors.packing import NotATable
from connectors.serials import DAY_FORMATS, is_day_format
from connectors.streamed import About, guard, parse, spooled_texts, write_sheet

#: A workbook's parts unpacked; Excel itself is slow to open half of it.
MOST_WORKBOOK: Final = 512 << 20
#: How many times its size a part may unpack to, beyond some MB; cells that all are alike pack forty times.
_MOST_RATIO: Final = 100
_LEAST_UNPACKED: Final = 8 << 20
#: Of a part that says how the others hang together; the largest styles seen are 9 MB.
_MOST_ABOUT: Final = 32 << 20
#: Sheets that are looked through for an export.
_MOST_SHEETS: Final = 100
#: Styles, formats and relations; Excel has 65,490 styles at most.
_MOST_LISTED: Final = 100_000
#: How much larger the cells may be than the XML they come from: a long text that every cell repeats makes them grow.
_GROWTH: Final = 4
_LEAST_WRITTEN: Final = 64 << 20
#: Shared texts, as bytes of XML, that are held in memory: of a workbook below 10 MB so much fits below 300 MB.
_LEAST_HELD: Final = 48 << 20
_HELD_GROWTH: Final = 6
_DAMAGED: Final = "it is a workbook that can't be read, damaged or with a password"
_UNNATURAL: Final = "it is a workbook that no spreadsheet writes; export it as .csv"


@dataclass(frozen=True)
class Sheet:
    """A sheet as CSV: each record begins with its row number.

    Attributes:
        name: as on its tab.
        is_hidden: nobody sees it who opens the workbook.
        path: the CSV; rows without cells are left out.
        rows: how many rows have cells.
        width: how many cells each row is given; 0 where rows are as wide as they come.
    """

    name: str
    is_hidden: bool
    path: Path
    rows: int
    width: int


@dataclass
class _Book:
    """What the sheets share."""

    archive: zipfile.ZipFile
    since_1904: bool = False
    sheets: list[tuple[str, str, str]] = field(default_factory=list)
    days: frozenset[int] = frozenset()


def sheets_of(archive: zipfile.ZipFile, folder: Path) -> tuple[list[Sheet], bool]:
    """Every sheet, and whether the workbook counts its days from 1904.

    Raises:
        NotATable: no workbook of XML, damaged, or larger than one that a person made.
    """
    size = sum(member.file_size for member in archive.infolist())
    if size > MOST_WORKBOOK:
        raise NotATable(f"unpacked the workbook is {size >> 20} MB; export it as .csv")
    if any(part.file_size > max(_LEAST_UNPACKED, _MOST_RATIO * part.compress_size) for part in archive.infolist()):
        raise NotATable(f"a part of it unpacks to more than {_MOST_RATIO} times its size, as only a bomb's does; export it as .csv")
    names = frozenset(archive.namelist())
    try:
        book = _Book(archive)
        main = _main_part(archive)
        _read_main(book, main)
        relations = _relations(archive, main)
        book.days = _days(archive, relations)
        with (folder / "texts").open("w+b") as spool:
            about = _about(book, relations, spool, _LEAST_WRITTEN + _GROWTH * size)
            made = []
            done: set[str] = set()
            for at, (name, key, state) in enumerate(book.sheets):
                kind, part = relations.get(key, ("", ""))
                if kind.endswith("/worksheet") and part in names:
                    if part in done:  # or a small file could have one large sheet read a hundred times
                        raise NotATable(_UNNATURAL)
                    done.add(part)
                    target = folder / f"sheet{at}.csv"
                    rows, width = _write_sheet(archive, part, about, target)
                    about = replace(about, allowed=about.allowed - target.stat().st_size)
                    made.append(Sheet(name, state != "visible", target, rows, width))
    except (expat.ExpatError, KeyError, ValueError, IndexError, OverflowError) as error:
        raise NotATable(_DAMAGED) from error
    pa.default_memory_pool().release_unused()
    return made, book.since_1904


def _main_part(archive: zipfile.ZipFile) -> str:
    found = next((part for kind, part in _relations(archive, "").values() if kind.endswith("/officeDocument")), "xl/workbook.xml")
    if found.endswith(".bin"):
        raise NotATable("it is a binary workbook; save it as .xlsx or .csv")
    if not found.endswith(".xml") or found not in archive.namelist():
        raise NotATable("it is an office file without sheets; export the table as CSV")
    return found


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Id -> kind and full name of the parts that ``part`` refers to."""
    folder, name = posixpath.split(part)
    listed = posixpath.join(folder, "_rels", f"{name}.rels")
    found: dict[str, tuple[str, str]] = {}

    def start(element: str, about: dict[str, str]) -> None:
        if element == "Relationship" and "Id" in about:
            target = about.get("Target", "")
            _refuse_many(found)
            found[about["Id"]] = (about.get("Type", ""), posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/"))

    if listed in archive.namelist():
        _read(archive, listed, start)
    return found


def _read_main(book: _Book, part: str) -> None:
    def start(element: str, about: dict[str, str]) -> None:
        if element == "sheet":
            key = next((value for name, value in about.items() if name.endswith(":id")), "")
            if len(book.sheets) == _MOST_SHEETS:
                raise NotATable(f"it has more than {_MOST_SHEETS} sheets; save the one with the export as a file of its own")
            book.sheets.append((about.get("name", ""), key, about.get("state", "visible")))
        elif element == "workbookPr":
            book.since_1904 = about.get("date1904", "0") in ("1", "true", "on")

    _read(book.archive, part, start)


def _days(archive: zipfile.ZipFile, relations: dict[str, tuple[str, str]]) -> frozenset[int]:
    """The styles of cells whose numbers are days or times."""
    formats: dict[int, bool] = {}
    styles: list[int] = []
    inside = ""

    def start(element: str, about: dict[str, str]) -> None:
        nonlocal inside
        if element == "numFmt" and inside != "dxf":
            _refuse_many(formats)
            formats[int(about["numFmtId"])] = is_day_format(about.get("formatCode", ""))
        elif element in ("cellXfs", "cellStyleXfs", "dxf"):
            inside = element
        elif element == "xf" and inside == "cellXfs":
            _refuse_many(styles)
            styles.append(int(about.get("numFmtId", "0")))

    if part := _part(archive, relations, "styles"):
        _read(archive, part, start)
    return frozenset(at for at, number in enumerate(styles) if formats.get(number, number in DAY_FORMATS))


def _part(archive: zipfile.ZipFile, relations: dict[str, tuple[str, str]], kind: str) -> str:
    """The one part of a kind; empty where there is none."""
    names = archive.namelist()
    return next((part for said, part in relations.values() if said.endswith(f"/{kind}") and part in names), "")


def _read(archive: zipfile.ZipFile, part: str, start: Callable[[str, dict[str, str]], None]) -> None:
    """A part that says how others hang together."""
    if archive.getinfo(part).file_size > _MOST_ABOUT:
        raise NotATable(_UNNATURAL)
    parse(archive, part, start)


def _refuse_many(listed: Sized) -> None:
    if len(listed) >= _MOST_LISTED:
        raise NotATable(_UNNATURAL)


def _about(book: _Book, relations: dict[str, tuple[str, str]], spool: IO[bytes], allowed: int) -> About:
    """What the cells refer to; the shared texts in memory, or in a file where they are many or peculiar."""
    about = About(book.days, book.since_1904, allowed)
    part = _part(book.archive, relations, "sharedStrings")
    if not part:
        return about
    most = max(_LEAST_HELD, _HELD_GROWTH * sum(member.compress_size for member in book.archive.infolist()))
    if book.archive.getinfo(part).file_size <= most:
        try:
            with book.archive.open(part) as source:
                return replace(about, held=held_texts(source, guard("si", Unlike)))
        except Unlike:
            pass
    return replace(about, spooled=spooled_texts(book.archive, part, spool))


def _write_sheet(archive: zipfile.ZipFile, part: str, about: About, target: Path) -> tuple[int, int]:
    """Write a sheet's rows as CSV; how many have cells, and how many cells each is given."""
    if about.spooled is None:
        try:
            with archive.open(part) as source, target.open("wb") as file:
                return Grid(about, file).write_all(source, guard("c", Unlike))
        except Unlike:
            pass
    return write_sheet(archive, part, about, target)
