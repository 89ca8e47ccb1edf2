"""Workbooks and archives as bytes, written by hand so that nothing tidies them."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGED: Final = "http://schemas.openxmlformats.org/package/2006"

#: A number, a text, a day with or without a clock time, yes or no.
Cell = str | int | float | bool | dt.date | None


@dataclass(frozen=True)
class Sheet:
    """A sheet: its rows from row 1, its state (``hidden``), and what else stands in its XML."""

    name: str
    rows: Sequence[Sequence[Cell]]
    state: str = "visible"
    dimension: str = ""
    merged: tuple[str, ...] = ()
    raw: str = ""


@dataclass
class Book:
    """A workbook of these sheets. ``since_1904``: its days are counted from 1904; ``shared``: texts are shared strings."""

    sheets: Sequence[Sheet]
    since_1904: bool = False
    shared: bool = True
    prefix: str = ""
    _strings: dict[str, int] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The .xlsx."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            types = '<Default Extension="xml" ContentType="application/xml"/>'
            archive.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGED}/content-types">{types}</Types>')
            archive.writestr("_rels/.rels", self._relations([("officeDocument", "xl/workbook.xml")]))
            listed = "".join(
                f'<{self.prefix}sheet name="{escape(sheet.name)}" sheetId="{at}" state="{sheet.state}" r:id="r{at}"/>'
                for at, sheet in enumerate(self.sheets, start=1)
            )
            flag = f'<{self.prefix}workbookPr date1904="1"/>' if self.since_1904 else ""
            archive.writestr("xl/workbook.xml", self._root("workbook", f"{flag}<{self.prefix}sheets>{listed}</{self.prefix}sheets>"))
            targets = [("worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(self.sheets) + 1)]
            archive.writestr(
                "xl/_rels/workbook.xml.rels", self._relations([*targets, ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")])
            )
            formats = '<numFmts count="1"><numFmt numFmtId="164" formatCode="[$-409]d/mmm/yy\\ h:mm;@"/></numFmts>'
            styles = '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs>'
            archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{_MAIN}">{formats}{styles}</styleSheet>')
            for at, sheet in enumerate(self.sheets, start=1):
                archive.writestr(f"xl/worksheets/sheet{at}.xml", self._sheet(sheet))
            items = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in self._strings)
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}">{items}</sst>')
        return made.getvalue()

    def _root(self, name: str, inside: str) -> str:
        named = f":{self.prefix[:-1]}" if self.prefix else ""
        return f'<{self.prefix}{name} xmlns{named}="{_MAIN}" xmlns:r="{_RELATED}">{inside}</{self.prefix}{name}>'

    @staticmethod
    def _relations(targets: Sequence[tuple[str, str]]) -> str:
        listed = "".join(
            f'<Relationship Id="r{at}" Type="{_RELATED}/{kind}" Target="{target}"/>' for at, (kind, target) in enumerate(targets, 1)
        )
        return f'<Relationships xmlns="{_PACKAGED}/relationships">{listed}</Relationships>'

    def _sheet(self, sheet: Sheet) -> str:
        p = self.prefix
        lines = "".join(
            f'<{p}row r="{at}">'
            + "".join(self._cell(at, column, cell) for column, cell in enumerate(row) if cell is not None)
            + f"</{p}row>"
            for at, row in enumerate(sheet.rows, start=1)
        )
        dimension = f'<{p}dimension ref="{sheet.dimension}"/>' if sheet.dimension else ""
        merged = "".join(f'<{p}mergeCell ref="{ref}"/>' for ref in sheet.merged)
        below = f"<{p}mergeCells>{merged}</{p}mergeCells>" if merged else ""
        return self._root("worksheet", f"{dimension}<{p}sheetData>{lines}{sheet.raw}</{p}sheetData>{below}")

    def _cell(self, row: int, column: int, cell: Cell) -> str:
        p, place = self.prefix, f"{column_name(column)}{row}"
        if isinstance(cell, bool):
            return f'<{p}c r="{place}" t="b"><{p}v>{cell:d}</{p}v></{p}c>'
        if isinstance(cell, dt.date):
            return f'<{p}c r="{place}" s="{2 if isinstance(cell, dt.datetime) else 1}"><{p}v>{self._serial(cell)}</{p}v></{p}c>'
        if isinstance(cell, int | float):
            return f'<{p}c r="{place}"><{p}v>{cell!r}</{p}v></{p}c>'
        if self.shared:
            return f'<{p}c r="{place}" t="s"><{p}v>{self._strings.setdefault(cell or "", len(self._strings))}</{p}v></{p}c>'
        return f'<{p}c r="{place}" t="inlineStr"><{p}is><{p}t>{escape(cell or "")}</{p}t></{p}is></{p}c>'

    def _serial(self, day: dt.date) -> str:
        moment = day if isinstance(day, dt.datetime) else dt.datetime(day.year, day.month, day.day)
        since = moment - (dt.datetime(1904, 1, 1) if self.since_1904 else dt.datetime(1899, 12, 30))
        return repr(since.days + since.seconds / 86400) if since.seconds else str(since.days)


def column_name(at: int) -> str:
    """A, B, … Z, AA of a position."""
    name = ""
    at += 1
    while at:
        at, letter = divmod(at - 1, 26)
        name = chr(65 + letter) + name
    return name


def zipped(members: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these members, whatever their names are."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


def encrypted(name: str, content: bytes) -> bytes:
    """A zip whose member says that it is encrypted."""
    whole = bytearray(zipped([(name, content)]))
    whole[6] |= 1
    at = whole.index(b"PK\x01\x02")
    whole[at + 8] |= 1
    return bytes(whole)


def gzip_bomb(size: int) -> bytes:
    """``size`` zeros, packed a thousand to one."""
    return gzip.compress(bytes(size))


def overlapping_zip(members: int, kernel: int, name: Callable[[int], str] = lambda at: f"{at:05d}.csv") -> bytes:
    """A flat bomb: all members share one packed kernel of ``kernel`` zeros, as in "A better zip bomb" (Fifield, 2019)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(kernel)) + packer.flush()
    check = zlib.crc32(bytes(kernel))
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, check, len(packed), kernel, len(name(0)), 0) + name(0).encode()
    made = bytearray(local + packed)
    start = len(made)
    for at in range(members):
        entry = struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, check, len(packed), kernel, len(name(at)), 0, 0, 0, 0, 0, 0
        )
        made += entry + name(at).encode()
    size = len(made) - start
    made += struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, min(members, 0xFFFF), min(members, 0xFFFF), size, start, 0)
    return bytes(made)
