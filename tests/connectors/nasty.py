"""Files that are made to hang, to fill the memory or to break what reads them; each is smaller than 10 MB."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.connectors.pollution.books import gzip_bomb, overlapping_zip, zipped

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGED: Final = "http://schemas.openxmlformats.org/package/2006"
#: A Stripe export, so that what is nasty is looked at as one.
HEADER: Final = "id,Created date (UTC),Amount,Amount Refunded,Currency,Fee,Status,Customer ID,Description\n"
_ROW: Final = "ch_{0:07d},2026-03-{1:02d} 10:00:00,12.50,0.00,eur,0.44,Paid,cus_{2:04d},Invoice {0}\n"

_ENTITIES: Final = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9)) + "]>"
)

Made = Callable[[], bytes]


def rows(size: int) -> str:
    """A good export of about ``size`` bytes."""
    lines = [_ROW.format(at, at % 28 + 1, at % 3000) for at in range(size // len(_ROW.format(0, 1, 0)))]
    return HEADER + "".join(lines)


def book(sheet: str = "", shared: str = "", **parts: str) -> dict[str, str]:
    """The parts of a workbook; ``parts`` stand for others by their last name."""
    made = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGED}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": _relations("officeDocument:xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_RELATED}"><sheets><sheet name="A" r:id="r0"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations("worksheet:sheet.xml", "styles:styles.xml", "sharedStrings:shared.xml"),
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>',
        "xl/shared.xml": shared or f'<sst xmlns="{MAIN}"><si><t>a</t></si></sst>',
        "xl/sheet.xml": sheet or grid('<row r="1"><c r="A1"><v>1</v></c></row>'),
    }
    return made | {f"xl/{name}.xml": content for name, content in parts.items()}


def _relations(*targets: str) -> str:
    listed = "".join(
        f'<Relationship Id="r{at}" Type="{_RELATED}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(t.split(":") for t in targets)
    )
    return f'<Relationships xmlns="{_PACKAGED}/relationships">{listed}</Relationships>'


def grid(inside: str, before: str = "") -> str:
    """A sheet of these rows."""
    return f'{before}<worksheet xmlns="{MAIN}"><sheetData>{inside}</sheetData></worksheet>'


def packed(parts: Mapping[str, str]) -> bytes:
    """The workbook's file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def noisy(size: int) -> str:
    """Letters that hardly pack, so that no ratio gives a bomb away."""
    return random.Random(1).randbytes(size // 2).hex()


def cells(count: int) -> str:
    return "".join(f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(1, count))


def shared(text: str) -> str:
    """The shared texts of a workbook that has one."""
    return f'<sst xmlns="{MAIN}"><si><t>{text}</t></si></sst>'


def laughing() -> str:
    """A sheet whose one cell is ten billion letters, as entities of entities."""
    return grid('<row r="1"><c r="A1" t="str"><v>&j;</v></c></row>', _ENTITIES)


def repeating(count: int) -> str:
    """A workbook that lists its sheet as so many."""
    listed = "".join(f'<sheet name="{at}" r:id="r0"/>' for at in range(count))
    return f'<workbook xmlns="{MAIN}" xmlns:r="{_RELATED}"><sheets>{listed}</sheets></workbook>'


def lying_zip(size: int) -> bytes:
    """A member that unpacks to far more than its header says."""
    whole = bytearray(zipped([("a.csv", bytes(size))]))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", whole, whole.index(mark) + at, 1000)
    return bytes(whole)


def _nested_zip(depth: int) -> bytes:
    content = zipped([("0.csv", bytes(10 << 20))])
    for at in range(depth):
        content = zipped([(f"{at}-{copy}.zip", content) for copy in range(10)])
    return content


def _zip_of_many(count: int) -> bytes:
    return zipped([(f"{at}.csv", b"") for at in range(count)], zipfile.ZIP_STORED)


def _gzip_parts(count: int) -> bytes:
    """Very many gzips of nothing, one behind the other."""
    return gzip.compress(b"") * count


def archives() -> Iterator[tuple[str, Made]]:
    """Bombs of zip and gzip."""
    yield "flat.zip", lambda: zipped([("a.csv", bytes(200 << 20))])
    yield "nested.zip", lambda: _nested_zip(3)
    yield "overlapping.zip", lambda: overlapping_zip(5000, 4 << 20)
    yield "many.zip", lambda: _zip_of_many(60_000)
    yield "lying.zip", lambda: lying_zip(64 << 20)
    yield "bomb.csv.gz", lambda: gzip_bomb(300 << 20)
    yield "bomb-of-bomb.csv.gz", lambda: gzip.compress(gzip_bomb(200 << 20))
    yield "cut-off.csv.gz", lambda: gzip.compress(rows(4 << 20).encode(), 1)[:-1000]
    yield "parts.csv.gz", lambda: _gzip_parts(400_000)
    yield "growing.csv.gz", lambda: gzip.compress((HEADER + noisy(4 << 20)).encode()) + gzip_bomb(200 << 20)
    yield "zlib.csv", lambda: zlib.compress(bytes(50 << 20))


def workbooks() -> Iterator[tuple[str, Made]]:
    """Bombs as workbooks, and XML that only fills memory."""
    yield "sheet-of-blanks.xlsx", lambda: packed(book(grid(" " * (300 << 20))))
    yield "sheet-of-rows.xlsx", lambda: packed(book(grid("<row/>" * 20_000_000)))
    yield "shared-of-texts.xlsx", lambda: packed(book(shared=f'<sst xmlns="{MAIN}">' + "<si/>" * 20_000_000 + "</sst>"))
    yield "one-text-in-every-cell.xlsx", lambda: packed(book(grid(cells(60_000)), shared(noisy(4 << 20))))
    yield "one-long-text.xlsx", lambda: packed(book(shared=shared("a" * (9 << 20) + noisy(1 << 20))))
    yield (
        "one-long-cell.xlsx",
        lambda: packed(book(grid(f'<row r="1"><c r="A1" t="str"><v>{"a" * (9 << 20) + noisy(1 << 20)}</v></c></row>'))),
    )
    yield (
        "far-cells.xlsx",
        lambda: packed(book(grid('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))),
    )
    yield (
        "far-cell-in-every-row.xlsx",
        lambda: packed(book(grid("".join(f'<row r="{at}"><c r="XFD{at}"><v>{at}</v></c></row>' for at in range(1, 100_000))))),
    )
    yield "laughs.xlsx", lambda: packed(book(laughing()))
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    yield "outside.xlsx", lambda: packed(book(grid('<row r="1"><c r="A1" t="str"><v>&a;</v></c></row>', outside)))
    yield "laughs-in-shared.xlsx", lambda: packed(book(shared=_ENTITIES + shared("&j;")))
    yield "deep.xlsx", lambda: packed(book(grid("<a>" * 3_000_000)))
    yield "names.xlsx", lambda: packed(book(grid("".join(f"<n{at}/>" for at in range(500_000)))))
    yield "attributes.xlsx", lambda: packed(book(grid("<row " + " ".join(f'a{at}="1"' for at in range(600_000)) + "/>")))
    yield "one-tag.xlsx", lambda: packed(book(grid('<row a="' + "b" * (20 << 20) + noisy(1 << 20) + '"/>')))
    yield "comment.xlsx", lambda: packed(book(grid("<!--" + " " * (40 << 20) + noisy(1 << 20) + "-->")))
    yield "one-sheet-many-times.xlsx", lambda: packed(book(grid(" " * (4 << 20) + noisy(100_000)), workbook=repeating(90)))
    yield (
        "styles.xlsx",
        lambda: packed(book(styles=f'<styleSheet xmlns="{MAIN}"><cellXfs>' + "<xf/>" * 3_000_000 + "</cellXfs></styleSheet>")),
    )
    yield "no-workbook.xlsx", lambda: packed({"[Content_Types].xml": "<Types/>", "_rels/.rels": "<Relationships/>"})
    yield "random.xlsx", lambda: b"PK\x03\x04" + random.Random(2).randbytes(1 << 20)


def documents() -> Iterator[tuple[str, Made]]:
    """JSON that only looks harmless."""
    yield "lists.json", lambda: b"[" * (9 << 20)
    yield "objects.json", lambda: b'{"a":' * (3 << 19)
    yield "text.json", lambda: b'[{"id": "' + b"x" * (9 << 20) + b'"}]'
    yield "open-text.json", lambda: b'[{"id": "' + b"x" * (9 << 20)
    yield "number.json", lambda: b'[{"id": "a", "amount": ' + b"9" * (9 << 20) + b"}]"
    yield "objects-in-one.json", lambda: b'[{"id": "a", "x": [' + b'{"a":1},' * (1 << 20) + b"{}]}]"
    yield "values-in-one.json", lambda: b'[{"id": "a"},{"id": "b", "x": [' + b"12," * (3 << 20) + b"1]}]"
    yield (
        "keys-in-a-line.ndjson",
        lambda: ('{"id":"a"}\n{"id":"b"}\n{' + ",".join(f'"k{at}":1' for at in range(700_000)) + "}\n").encode(),
    )
    yield "exponent.json", lambda: b'[{"id": "a", "amount": 1e999999999}]'
    yield "keys.json", lambda: ("[{" + ",".join(f'"k{at}":1' for at in range(700_000)) + "}]").encode()
    yield "numbers.json", lambda: b"[" + b"1," * (4 << 20) + b"1]"
    yield "empty-objects.json", lambda: b"[" + b"{}," * (3 << 20) + b"{}]"
    yield "nested-in-lines.ndjson", lambda: (b'{"id": ' + b"[" * 5000 + b"]" * 5000 + b"}\n") * 800
    yield "damaged-lines.ndjson", lambda: b'{"id":"a"}\n' * 150_000 + b'{"id":\n' * 120_000
    yield "escapes.json", lambda: b'[{"id": "' + b"\\u0000" * (3 << 19) + b'"}]'
    yield "marks.json", lambda: b'[{"id": "a"' + b'"' * (9 << 20)


def texts() -> Iterator[tuple[str, Made]]:
    """CSV without end in one direction or the other."""
    yield "one-line.csv", lambda: b"x" * (9 << 20)
    yield "one-cell.csv", lambda: HEADER.encode() + b'"' + b"x" * (9 << 20) + b'"\n'
    yield "columns.csv", lambda: ",".join(f"c{at}" for at in range(1_000_000)).encode() + b"\n"
    yield "columns-below.csv", lambda: HEADER.encode() + b"x," * (4 << 20) + b"\n"
    yield "marks.csv", lambda: b'"' * (9 << 20)
    yield "marks-below.csv", lambda: HEADER.encode() + b'"' * (9 << 20)
    yield "marks-in-lines.csv", lambda: HEADER.encode() + b'a"b,"c\n' * (1 << 19)
    yield "open-mark-in-every-line.csv", lambda: HEADER.encode() + b'"a,b,c\n' * (1 << 18)
    yield "delimiters.csv", lambda: b"," * (9 << 20)
    yield "delimiters-below.csv", lambda: HEADER.encode() + b",;|\t" * (2 << 20)
    yield "line-ends.csv", lambda: b"\n" * (9 << 20)
    yield "line-ends-below.csv", lambda: HEADER.encode() + b"\r\n" * (1 << 20)
    yield "returns.csv", lambda: HEADER.encode() + b"\r" * (2 << 20)
    yield "nuls.csv", lambda: bytes(9 << 20)
    yield "nuls-below.csv", lambda: HEADER.encode() + bytes(9 << 20)
    yield "half-utf-16.csv", lambda: b"\xff\xfe" + (HEADER + rows(3 << 20)).encode("utf-16-le")[:-1]
    yield "halves-of-letters.csv", lambda: b"\xff\xfe" + HEADER.encode("utf-16-le") + b"\x00\xd8" * (4 << 20)
    yield "bytes.csv", lambda: random.Random(3).randbytes(9 << 20)
    yield "bytes-below.csv", lambda: HEADER.encode() + random.Random(4).randbytes(9 << 20)
    yield "yaml.csv", lambda: b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n" * 20_000
    yield "short-rows.csv", lambda: HEADER.encode() + b"a\n" * (1 << 18)
    yield "headers.csv", lambda: HEADER.encode() * 30_000
    yield "separators.csv", lambda: b"sep=;\n" * (1 << 20)
    yield "wrapped.csv", lambda: b'"' + HEADER.strip().encode() + b'"\n' + b'"a,b"\n' * (1 << 17)
    yield "transcript.vtt", lambda: b"WEBVTT\n\n" + b"00:00:01.000 --> 00:00:02.000\nx\n\n" * 100_000
    yield "digits.csv", lambda: HEADER.encode() + b"ch_1,2026-03-01,%s,0,eur,0,Paid,c,d\n" % (b"9" * (8 << 20))


def good() -> Iterator[tuple[str, Made]]:
    """Nothing nasty: exports of nearly 10 MB."""
    yield "good.csv", lambda: rows(9_400_000).encode()
    yield "good-odd.csv", lambda: (rows(9_400_000) + "ch_x,2026-03-01 10:00:00,1.00,0.00,eur,0.01,Paid,cus_1,no\u00a0break").encode()
    yield "good.ndjson", lambda: "".join(json.dumps(_charge(at)) + "\n" for at in range(34_000)).encode()
    yield "good.json", lambda: json.dumps({"object": "list", "data": [_charge(at) for at in range(34_000)]}).encode()
    yield "good.xlsx", lambda: packed(book(grid(_sheet(rows(15_000_000)))))


def _charge(at: int) -> dict[str, object]:
    return {
        "id": f"ch_{at:07d}",
        "object": "charge",
        "amount": 1250 + at,
        "amount_refunded": 0,
        "amount_captured": 1250 + at,
        "currency": "eur",
        "captured": True,
        "created": 1_772_000_000 + at,
        "customer": f"cus_{at % 3000}",
        "description": f"Invoice {at}",
        "status": "succeeded",
        "paid": True,
        "refunded": False,
    }


def _sheet(text: str) -> str:
    made = []
    for at, line in enumerate(text.splitlines(), start=1):
        cells = "".join(f'<c r="{chr(65 + column)}{at}" t="str"><v>{cell}</v></c>' for column, cell in enumerate(line.split(",")))
        made.append(f'<row r="{at}">{cells}</row>')
    return "".join(made)
