"""A workbook as Excel writes it, of the rows of a CSV: texts shared, days as numbers with a style, plain numbers."""

from __future__ import annotations

import csv
import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

#: Raised when what is written changes, so that a cached file is made again.
EDITION: Final = 1
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGED: Final = "http://schemas.openxmlformats.org/package/2006"
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,12})(?:\.\d{1,4})?")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_FIRST: Final = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no zones
_HEADER: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'


def build(source: Path, target: Path) -> Path:
    """The workbook of a CSV's rows; one that was made before is used again."""
    if target.exists():
        return target
    part = target.with_suffix(".part")
    texts: dict[str, int] = {}
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in _small_parts().items():
            archive.writestr(name, _HEADER + content)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet, source.open(encoding="utf-8", newline="") as file:
            sheet.write(f'{_HEADER}<worksheet xmlns="{_MAIN}" xmlns:r="{_RELATED}"><sheetData>'.encode())
            for row in _rows(csv.reader(file), texts):
                sheet.write(row.encode())
            sheet.write(b'</sheetData><pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75"/></worksheet>')
        shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
        archive.writestr("xl/sharedStrings.xml", f'{_HEADER}<sst xmlns="{_MAIN}" uniqueCount="{len(texts)}">{shared}</sst>')
    part.rename(target)
    return target


def _small_parts() -> dict[str, str]:
    def relations(*targets: tuple[str, str]) -> str:
        listed = "".join(
            f'<Relationship Id="rId{at}" Type="{_RELATED}/{kind}" Target="{target}"/>' for at, (kind, target) in enumerate(targets, 1)
        )
        return f'<Relationships xmlns="{_PACKAGED}/relationships">{listed}</Relationships>'

    formats = '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    styles = '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs>'
    sheet = '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets>'
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGED}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}">{sheet}</workbook>',
        "xl/_rels/workbook.xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">{formats}{styles}</styleSheet>',
    }


def _rows(rows: Iterator[list[str]], texts: dict[str, int]) -> Iterator[str]:
    for at, row in enumerate(rows, start=1):
        cells = "".join(_cell(f"{chr(65 + column)}{at}", cell, texts) for column, cell in enumerate(row) if cell)
        yield f'<row r="{at}" spans="1:{len(row)}">{cells}</row>'


def _cell(place: str, cell: str, texts: dict[str, int]) -> str:
    if _NUMBER.fullmatch(cell):
        # Excel writes the 17 digits of the binary fraction: 8.3 is 8.3000000000000007
        return f'<c r="{place}"><v>{float(cell):.17g}</v></c>'
    if cell in ("true", "false"):
        return f'<c r="{place}" t="b"><v>{cell == "true":d}</v></c>'
    if _MOMENT.fullmatch(cell):
        since = dt.datetime.fromisoformat(cell) - _FIRST
        return f'<c r="{place}" s="1"><v>{since / dt.timedelta(days=1)!r}</v></c>'
    return f'<c r="{place}" t="s"><v>{texts.setdefault(cell, len(texts))}</v></c>'
