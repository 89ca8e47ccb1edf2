"""A file -> records of text: unpacked, decoded, its delimiter and header row found.

Small parts are read in Python to recognise a file; the bulk is left to DuckDB, which reads a UTF-8 file where it
lies. Everything else (other encodings, spreadsheets, archives, title lines above the header) is written once, in
UTF-8, into a staging folder.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
import itertools
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from connectors.base import NotATable as NotATable
from connectors.base import Record

#: Of a file, read to find out what it is. Thirty records of the widest Jira export seen fit several times.
HEAD_BYTES: Final = 1 << 20
#: How far down a header may stand: reports put a title, a company and a period above it.
HEADER_WITHIN: Final = 30
#: Unpacked size at which an archive is refused, and the ratio beyond which it is a bomb: real exports pack 5 to 40 times.
MOST_UNPACKED: Final = 8 << 30
MOST_RATIO: Final = 250
#: A workbook is held in memory while it is read.
MOST_WORKBOOK: Final = 512 << 20
#: UTF-8 with some bytes that are not: read with a replacement for those, so it is copied.
DAMAGED: Final = "U8"
DELIMITERS: Final = (",", ";", "\t", "|")
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Text:
    """A file of text that DuckDB or Python can read.

    Attributes:
        path: where the text is: the file itself, or a copy in UTF-8.
        encoding: of ``path``.
        head: its first bytes, decoded.
        is_sheet: it was made from a workbook: a record is a row, so lines count records.
        note: what was assumed of the encoding; empty for UTF-8.
    """

    path: Path
    encoding: str
    head: str
    is_sheet: bool = False
    note: str = ""


def open_text(path: Path, folder: Path) -> Text:
    """Unpack ``path`` into ``folder`` where needed and find out its encoding.

    Raises:
        NotATable: damaged, encrypted, too large when unpacked, or not text.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise NotATable("it is empty")
    if start.startswith(b"\x1f\x8b"):
        path = _gunzip(path, folder / "unpacked")
    elif start.startswith(b"PK\x03\x04"):
        with _opened(path) as archive:
            names = archive.namelist()
            if "[Content_Types].xml" in names:
                return _sheet(path, archive, folder / "sheet.csv")
            path = _unzip(archive, folder / "unpacked")
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        raise NotATable("it is an old or an encrypted Excel workbook; save it as .csv or as an .xlsx without a password")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    encoding, note = _encoding(head, path)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    if "\x00" in text[:4096]:
        raise NotATable("it is not text: it holds NUL bytes")
    if len(head) < HEAD_BYTES and not text.strip():
        raise NotATable("it holds nothing but blank lines")
    return Text(path, encoding, text, note=note)


def _encoding(head: bytes, path: Path) -> tuple[str, str]:
    """The file's encoding, and what to say of it."""
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if head.startswith(mark):
            return name, ""
    for name, zeros in (("utf-16-le", head[1:200:2]), ("utf-16-be", head[0:200:2])):
        if zeros.count(0) > len(zeros) // 2:
            return name, "read as UTF-16"
    letters, broken = _foreign_letters(path)
    if not broken:
        return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8", ""
    if letters > broken:
        return DAMAGED, f"{broken} bytes in it are not UTF-8 and stand as � in the text"
    return "cp1252", "read as Windows-1252, since it is not UTF-8"


def _foreign_letters(path: Path) -> tuple[int, int]:
    """How many letters beyond ASCII the whole file holds as UTF-8, and how many bytes that are none."""
    letters = broken = 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if chunk.isascii() and not decoder.getstate()[0]:
                continue
            text = decoder.decode(chunk)
            lost = text.count("\ufffd")
            broken += lost
            letters += len(text) - len(text.encode("ascii", "ignore")) - lost
    return letters, broken + decoder.decode(b"", final=True).count("\ufffd")


def head_records(text: Text, delimiter: str) -> list[Record]:
    """The first records under a delimiter; the last one may be cut off, so there is one more than headers are looked for in."""
    lines = io.StringIO(text.head, newline="")
    return list(itertools.islice(_records(lines, delimiter), HEADER_WITHIN + 10))


def records(text: Text, delimiter: str) -> Iterator[Record]:
    """All records, blank lines left out, each with the physical line on which it begins."""
    with text.path.open(encoding=text.encoding, errors="replace", newline="") as lines:
        for at, record in enumerate(_records(lines, delimiter), start=1):
            yield Record(at, record.cells) if text.is_sheet else record


def lines_of(text: Text) -> Iterator[Record]:
    """A record of one cell for each physical line, of text that is no table."""
    with text.path.open(encoding=text.encoding, errors="replace", newline=None) as file:
        for at, line in enumerate(file, start=1):
            yield Record(at, (line.rstrip("\n"),))


def _records(lines: IO[str], delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(lines, delimiter=delimiter)
    line = 1
    for cells in reader:
        if cells:
            yield Record(line, cells)
        line = reader.line_num + 1


def copy_below(text: Text, line: int, target: Path) -> Path:
    """Write all lines below physical ``line`` to ``target``, in UTF-8 with plain newlines."""
    with (
        text.path.open(encoding=text.encoding, errors="replace", newline=None) as source,
        target.open("w", encoding="utf-8", newline="\n") as copy,
    ):
        for _ in range(line):
            source.readline()
        while chunk := source.read(_CHUNK):
            copy.write(chunk.replace("\x00", ""))
    return target


def ends_alike(text: Text) -> bool:
    """Whether the head's lines all end the same way; DuckDB's strict reader refuses a mixture."""
    head = text.head.rstrip("\r\n")
    returns = head.count("\r\n")
    return (returns == 0 and "\r" not in head) or returns == head.count("\n") == head.count("\r")


def line_of(path: Path, offset: int) -> int:
    """Physical line, 1-based, on which byte ``offset`` stands."""
    lines = 1
    with path.open("rb") as file:
        while offset > 0 and (chunk := file.read(min(_CHUNK, offset))):
            lines += chunk.count(b"\n")
            offset -= len(chunk)
    return lines


def _gunzip(path: Path, target: Path) -> Path:
    packed = path.stat().st_size
    try:
        with gzip.open(path) as source:
            pour(source, target, packed)
    except (OSError, EOFError, zlib.error) as error:
        raise NotATable("its gzip data are damaged or cut off") from error
    return target


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise NotATable("its zip data are damaged, cut off or encrypted") from error


def _unzip(archive: zipfile.ZipFile, target: Path) -> Path:
    members = [member for member in archive.infolist() if not member.is_dir() and not member.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        raise NotATable(f"the archive holds {len(members)} files; unpack it and import the folder")
    with archive.open(members[0]) as source:
        pour(source, target, members[0].compress_size)
    return target


def pour(source: IO[bytes] | gzip.GzipFile, target: Path, packed: int) -> None:
    """Unpack ``source``, ``packed`` bytes long, into ``target``.

    Raises:
        NotATable: it grows as only a bomb does.
    """
    size = 0
    with target.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > MOST_UNPACKED or size > max(packed, 4096) * MOST_RATIO:
                raise NotATable(f"unpacked it is more than {MOST_UNPACKED >> 30} GB or {MOST_RATIO} times its size, which no export is")
            copy.write(chunk)


def _sheet(path: Path, archive: zipfile.ZipFile, target: Path) -> Text:
    """The first sheet of a workbook that has cells, as CSV; rows of nothing are kept, so that lines are row numbers."""
    size = sum(member.file_size for member in archive.infolist())
    if size > MOST_WORKBOOK or size > max(path.stat().st_size, 4096) * MOST_RATIO:
        raise NotATable(f"unpacked the workbook is {size >> 20} MB; export it as .csv")
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = (book.get_sheet_by_index(at) for at in range(len(book.sheet_names)))
        rows = next((rows for rows in (sheet.to_python(skip_empty_area=False) for sheet in sheets) if rows), [])
    except python_calamine.CalamineError as error:
        raise NotATable("it is a workbook that can't be read, damaged or with a password") from error
    with target.open("w", encoding="utf-8", newline="") as copy:
        csv.writer(copy, lineterminator="\n").writerows([_cell(cell) for cell in row] or [""] for row in rows)
    with target.open(encoding="utf-8", newline="") as file:
        return Text(target, "utf-8", file.read(HEAD_BYTES), is_sheet=True)


def _cell(cell: object) -> str:
    """A workbook's cell as text: whole numbers without a point, dates as ISO."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, float):
        return format(cell, ".15G")
    return "" if cell is None else str(cell)
