"""A file -> records of text: unpacked, decoded, its delimiter and header row found.

Small parts are read in Python to recognise a file; the bulk of a large and tidy one is left to DuckDB, which reads a
UTF-8 file where it lies. Everything else is read line by line here, and written once into a staging folder.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from connectors.base import Record
from connectors.foreign import refusal
from connectors.packing import GZIP, ZIP, NotATable, gunzip, opened, refuse_growth, unzip
from connectors.parsing import LONGEST, Broken, parse
from connectors.scanning import MARKS, is_binary, scan
from connectors.workbook import Sheet, sheets_of

#: Of a file, read to find out what it is. Thirty records of the widest Jira export seen fit several times.
HEAD_BYTES: Final = 1 << 20
#: How far down a header may stand: reports put a title, a company and a period above it.
HEADER_WITHIN: Final = 30
#: As many columns as a spreadsheet can hold.
MOST_COLUMNS: Final = 20_000
DELIMITERS: Final = (",", ";", "\t", "|")
_CHUNK: Final = 1 << 20
_SEPARATOR: Final = re.compile(r'\ufeff?"?sep=(.)"?[;,\t|]*\r?\n?', re.IGNORECASE)


@dataclass(frozen=True)
class Text:
    """A file of text that DuckDB or Python can read.

    Attributes:
        path: where the text is: the file itself, or a copy.
        encoding: of ``path``.
        head: its first bytes, decoded.
        errors: how bytes are decoded that are not of the encoding.
        sheet: the name of the workbook's sheet that it was made from; its records begin with their row number.
        since_1904: plain numbers that are days count from 1904.
        is_hidden: the sheet is one that nobody sees.
        is_odd: it must be read with care, see :class:`connectors.scanning.Scan`.
        is_wrapped: every line is one quoted cell, which holds the line.
        marks: those of :data:`connectors.scanning.MARKS` that its cells may have at their ends.
        lines: how many line ends it has; -1 where they were not counted.
        width: cells that each row of a sheet has at least, and those that have something in them but few more; 0 where that varies.
        note: what was assumed of the encoding; empty for UTF-8.
    """

    path: Path
    encoding: str
    head: str
    errors: str = "replace"
    sheet: str = ""
    since_1904: bool = False
    is_hidden: bool = False
    is_odd: bool = False
    is_wrapped: bool = False
    marks: str = MARKS
    lines: int = -1
    note: str = ""
    width: int = 0

    @property
    def may_break(self) -> bool:
        """A cell may hold line breaks."""
        return '"' in self.marks

    @property
    def breaks_soon(self) -> bool:
        """A cell of its beginning does hold a line break."""
        return self.may_break and any(line.count('"') % 2 for line in self.head.split("\n")[:-1])

    @property
    def is_sheet(self) -> bool:
        """Its lines are rows of a workbook."""
        return bool(self.sheet)

    @property
    def delimiters(self) -> tuple[str, ...]:
        """Those that may stand between its cells; a first line ``sep=;`` names it."""
        if self.is_sheet:
            return (",",)
        if match := _SEPARATOR.match(self.head):
            return (match[1],)
        return DELIMITERS


def open_texts(path: Path, folder: Path) -> list[Text]:
    """Unpack ``path`` into ``folder`` where needed and find out its encoding; a workbook gives a text for each sheet with cells.

    Raises:
        NotATable: damaged, encrypted, too large when unpacked, or not text.
    """
    start = _start(path)
    if start.startswith(GZIP):
        path = gunzip(path, folder / "unpacked")
        start = _start(path)
        if start.startswith((GZIP, ZIP)):
            raise NotATable("it is packed twice; unpack it and import what is in it")
    if start.startswith(ZIP):
        with opened(path) as archive:
            names = archive.namelist()
            if "[Content_Types].xml" in names:
                refuse_growth(sum(member.file_size for member in archive.infolist()), path.stat().st_size)
                sheets, since_1904 = sheets_of(archive, folder)
                made = [_sheet(sheet, since_1904) for sheet in sheets if sheet.rows]
                if not made:
                    raise NotATable("none of its sheets has cells")
                return made
            if "mimetype" in names and "content.xml" in names:
                raise NotATable("it is an OpenDocument table; save it as .xlsx or .csv")
            members = [member for member in archive.infolist() if not member.is_dir() and not member.filename.startswith("__MACOSX/")]
            if len(members) != 1:
                raise NotATable(f"the archive holds {len(members)} files; unpack it and import the folder")
            path = unzip(archive, members[0], folder / "unpacked")
        if _start(path).startswith((GZIP, ZIP)):
            raise NotATable("it is packed twice; unpack it and import what is in it")
    elif start.startswith(b"PK"):
        raise NotATable("it is an empty or a damaged zip")
    return [_plain(path)]


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise NotATable("it is empty")
    return start


def _plain(path: Path) -> Text:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if sentence := refusal(head):
        raise NotATable(sentence)
    seen = scan(path)
    if not seen.encoding.startswith("utf-16") and is_binary(head):
        raise NotATable("it is not text: it holds NUL bytes and other characters that no text has")
    text = codecs.getincrementaldecoder(seen.encoding)(errors=seen.errors).decode(head)
    if len(head) < HEAD_BYTES and not text.strip("\x00\ufeff \t\r\n"):
        raise NotATable("it holds nothing but blank lines")
    return Text(path, seen.encoding, text, seen.errors, is_odd=seen.is_odd, marks=seen.marks, lines=seen.lines, note=seen.note)


def _sheet(sheet: Sheet, since_1904: bool) -> Text:
    with sheet.path.open("rb") as file:
        head = file.read(HEAD_BYTES).decode("utf-8", "ignore")
    seen = scan(sheet.path)
    # a text that holds the mark for lost letters looks like one that is not UTF-8
    is_odd = seen.is_odd or seen.encoding != "utf-8"
    about = Text(sheet.path, "utf-8", head, is_odd=is_odd, marks=seen.marks, lines=seen.lines, width=sheet.width)
    return replace(about, sheet=sheet.name, since_1904=since_1904, is_hidden=sheet.is_hidden)


def head_records(text: Text, delimiter: str) -> list[Record]:
    """The first records under a delimiter; the last one may be cut off, so there is one more than headers are looked for in."""
    csv.field_size_limit(sys.maxsize)
    if text.is_sheet:
        rows = csv.reader(io.StringIO(text.head, newline=""))
        found = (Record(int(row[0]), _bare(row[1:])) for row in rows if row and row[0].isdigit())
        return list(itertools.islice(found, HEADER_WITHIN + 10))
    lines = io.StringIO(text.head, newline=None)
    reader = csv.reader(_unwrapped(lines) if text.is_wrapped else lines, delimiter=delimiter)
    made: list[Record] = []
    line = 1
    for cells in reader:
        if any(cells):
            made.append(Record(line, [cell.replace("\x00", "") for cell in cells]))
        line = reader.line_num + 1
        if len(made) == HEADER_WITHIN + 10:
            break
    return made


def _bare(cells: list[str]) -> list[str]:
    """A sheet's row without the empty cells behind its last one."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def unwrap(text: Text) -> Text:
    """The same with every line taken out of the one quoted cell that it is; for files that a spreadsheet saved so."""
    return replace(text, is_wrapped=True, is_odd=True)


def is_wrapped(text: Text) -> bool:
    """Whether the first lines are one quoted cell each, with cells in it."""
    lines = [line for line in text.head.splitlines()[:5] if line]
    return (
        not text.is_sheet
        and len(lines) > 1
        and all(len(cells := next(csv.reader([line]), [])) == 1 and any(mark in cells[0] for mark in DELIMITERS) for line in lines[:-1])
    )


def _unwrapped(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield (next(csv.reader([line.strip("\ufeff")]), [""]) or [""])[0] + "\n"


def physical_lines(text: Text, skip: int = 0) -> Iterator[str]:
    """The lines below the first ``skip``, each with a plain line end if it has one, without marks of byte order."""
    with text.path.open(encoding=text.encoding, errors=text.errors, newline=None) as file:
        lines = _unwrapped(_bounded(file)) if text.is_wrapped else _bounded(file)
        for line in itertools.islice(lines, skip, None):
            yield line.lstrip("\ufeff") if line[:1] == "\ufeff" else line


def _bounded(file: IO[str]) -> Iterator[str]:
    """The lines of a file; of one longer than any record only its beginning, which is enough to refuse it."""
    while line := file.readline(LONGEST + 1):
        rest = line
        while len(rest) > LONGEST and not rest.endswith("\n"):
            rest = file.readline(LONGEST + 1)
        yield line


def records(text: Text, delimiter: str, below: int = 1, width: int = 0) -> Iterator[Record | Broken]:
    """The records from physical line ``below`` on, blank lines left out; see :func:`connectors.parsing.parse`."""
    if text.is_sheet:
        csv.field_size_limit(sys.maxsize)
        with text.path.open(encoding="utf-8", newline="") as file:
            for number, *cells in csv.reader(file):
                if int(number) >= below:
                    yield Record(int(number), _bare(cells))
    else:
        yield from parse(physical_lines(text, below - 1), delimiter, below, width)


def lines_of(text: Text) -> Iterator[Record]:
    """A record of one cell for each physical line, of text that is no table."""
    for at, line in enumerate(physical_lines(text), start=1):
        yield Record(at, (line.rstrip("\n"),))


def copy_below(text: Text, line: int, target: Path) -> Path:
    """Write all lines below physical ``line`` to ``target``, in UTF-8 with plain newlines."""
    with (
        text.path.open(encoding=text.encoding, errors=text.errors, newline=None) as source,
        target.open("w", encoding="utf-8", newline="\n") as copy,
    ):
        for _ in range(line):
            source.readline()
        while chunk := source.read(_CHUNK):
            copy.write(chunk)
    return target


def line_of(path: Path, offset: int) -> int:
    """Physical line, 1-based, on which byte ``offset`` stands."""
    lines = 1
    with path.open("rb") as file:
        while offset > 0 and (chunk := file.read(min(_CHUNK, offset))):
            lines += chunk.count(b"\n")
            offset -= len(chunk)
    return lines
