"""Plain sheets read whole, and that nothing comes out which the parser of the same XML does not give."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors import workbook
from connectors.grids import Grid, held_texts, moments, numbers
from connectors.markup import Unlike
from connectors.packing import NotATable
from connectors.serials import moment_of, number_of
from connectors.streamed import About, guard, spooled_texts, write_sheet
from connectors.workbook import sheets_of
from tests.connectors.pollution.books import Book, Sheet

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHARED = pa.array(["plain", "", "with, comma", 'with "marks"', "two\nlines", "ü < &"], pa.large_string())
ABOUT = About(frozenset([1, 3]), False, 1 << 20, held=SHARED)


def sheet(rows: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<worksheet {MAIN}><cols><col/></cols><sheetData>{rows}</sheetData></worksheet>'.encode()
    )


def plainly(xml: bytes, about: About = ABOUT) -> list[list[str]]:
    """The records of a sheet read whole."""
    target = io.BytesIO()
    count, _ = Grid(about, target).write_all(io.BytesIO(xml), guard("c", Unlike))
    made = list(csv.reader(io.StringIO(target.getvalue().decode(), newline="")))
    assert len(made) == count
    return made


def by_parser(xml: bytes, folder: Path, about: About = ABOUT) -> list[list[str]]:
    """The records of a sheet read tag by tag."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("part", xml)
    target = folder / "sheet.csv"
    with zipfile.ZipFile(made) as archive:
        write_sheet(archive, "part", about, target)
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def trimmed(records: list[list[str]]) -> list[list[str]]:
    """Without empty cells behind a row's last one, which mean nothing."""
    for record in records:
        while record and not record[-1]:
            record.pop()
    return records


#: A row as programs write it, and the record it is.
ROWS = {
    "numbers": ('<row r="3"><c r="A3"><v>1</v></c><c r="B3" s="2"><v>8.3000000000000007</v></c></row>', ["3", "1", "8.3"]),
    "days": (
        '<row r="1"><c r="A1" s="1"><v>46082</v></c><c r="B1" s="3"><v>46082.5</v></c></row>',
        ["1", "2026-03-01", "2026-03-01 12:00:00"],
    ),
    "shared": ('<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1" t="s"><v>3</v></c></row>', ["1", "plain", 'with "marks"']),
    "in place": ('<row r="1"><c r="A1" t="inlineStr"><is><t xml:space="preserve"> a &amp; b&#10;</t></is></c></row>', ["1", " a & b\n"]),
    "of formulas": ('<row r="1"><c r="A1" t="str"><f>B1&amp;""</f><v>x,y</v></c><c r="B1"><f/><v>2</v></c></row>', ["1", "x,y", "2"]),
    "yes and no": ('<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="b"><v>0</v></c></row>', ["1", "TRUE", "FALSE"]),
    "errors": ('<row r="1"><c r="A1" t="e"><v>#N/A</v></c></row>', ["1", "#N/A"]),
    "gaps": ('<row r="1" spans="1:30"><c r="B1"/><c r="C1"><v>1</v></c><c r="AB1"><v>2</v></c></row>', ["1", "", "", "1", *[""] * 24, "2"]),
    "any order": ('<row r="1"><c r="B1"><v>2</v></c><c r="A1"><v>1</v></c></row>', ["1", "1", "2"]),
    "twice": ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>', ["1", "2"]),
}


@pytest.mark.parametrize(("row", "record"), ROWS.values(), ids=ROWS)
def test_a_row(row: str, record: list[str], tmp_path: Path) -> None:
    assert plainly(sheet(row)) == [record]
    assert trimmed(by_parser(sheet(row), tmp_path)) == [record]


def test_rows_without_cells_are_left_out() -> None:
    rows = '<row r="1"/><row r="2"></row><row r="5"><c r="A5" t="s"><v>1</v></c></row><row r="9"><c r="A9"><v>7</v></c></row>'
    assert plainly(sheet(rows)) == [["9", "7"]]
    assert plainly(sheet('<row r="1"></row>')) == []


PECULIAR = {
    "prefixes": '<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row>',
    "a comment": '<row r="1"><!-- <c> --><c r="A1"><v>1</v></c></row>',
    "CDATA": '<row r="1"><c r="A1" t="str"><v><![CDATA[1]]></v></c></row>',
    "no places": '<row r="1"><c><v>1</v></c></row>',
    "no numbers of rows": '<row><c r="A1"><v>1</v></c></row>',
    "places last": '<row r="1"><c s="1" r="A1"><v>1</v></c></row>',
    "other marks around attributes": "<row r='1'><c r='A1'><v>1</v></c></row>",
    "letters of several kinds": '<row r="1"><c r="A1" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c></row>',
    "lines and blanks between tags": '<row r="1">\n <c r="A1"><v>1</v></c>\n</row>',
    "another element": '<row r="1"><c r="A1"><v>1</v><extLst/></c></row>',
    "one that begins alike": '<row r="1"><c r="A1"><v>1</v></c><ro/></row>',
    "a blank in the tag that closes": '<row r="1"><c r="A1"><v>1</v></c></row ><row r="2"><c r="A2"><v>2</v></c></row >',
    "small letters": '<row r="1"><c r="a1"><v>1</v></c></row>',
    "another row's place": '<row r="1"><c r="A10"><v>1</v></c></row>',
    "a mark in a text": '<row r="1"><c r="A1" t="str"><v>a > b</v></c></row>',
}


@pytest.mark.parametrize("row", PECULIAR.values(), ids=PECULIAR)
def test_what_is_peculiar_is_for_the_parser(row: str, tmp_path: Path) -> None:
    with pytest.raises(Unlike):
        plainly(sheet(row))


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1"><c r="A1"><v>abc</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>6</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        '<row r="1"><c r="XFE1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="str"><v>&nbsp;</v></c></row>',
        '<row r="1"><c r="A1" t="str"><v>&#1;</v></c></row>',
        '<row r="1"><c r="A1" t="str"><v>\x01</v></c></row>',
        '<row r="1"><c r="A1" t="str"><v>a</c></v></row>',
        '<row r="1"><c r="A1"><v>1</v1></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></rab><row r="2"></row>',
        '<row r="1"><c r="A1" t=n><v>1</v></c></row>',
    ],
)
def test_what_the_parser_refuses_is_refused(row: str, tmp_path: Path) -> None:
    with pytest.raises((Unlike, ValueError, IndexError)):
        plainly(sheet(row))
    with pytest.raises((expat.ExpatError, ValueError, IndexError)):
        by_parser(sheet(row), tmp_path)


#: Texts of cells, as XML: of each kind what is plain and what is not.
_RAW = st.one_of(
    st.integers(-(10**18), 10**18).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-(10**6), 10**6, places=4).map(lambda number: f"{number:f}"),
    st.sampled_from(["", "0", "-0", "007", "60", "61.5", "0.25", "&amp;", "&#9;", "a,b", '"', "é", "x > y", "&lt;b&gt;", " 1 ", "1e5"]),
)
_CELL = st.tuples(st.sampled_from(["", ' t="n"', ' s="1"', ' s="2"', ' t="s"', ' t="str"', ' t="b"', ' s="3" t="e"']), _RAW)


@given(st.lists(st.lists(st.one_of(st.none(), _CELL), max_size=5), max_size=6))
@example([[("", "-0.0"), (' s="1"', "59.999999999"), (' s="1"', "-5"), (' s="1"', "3000000")]])
def test_a_sheet_read_whole_says_what_the_parser_says(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[tuple[str, str] | None]]
) -> None:
    rows = "".join(
        f'<row r="{at}">'
        + "".join(f'<c r="{chr(65 + column)}{at}"{cell[0]}><v>{cell[1]}</v></c>' for column, cell in enumerate(row) if cell)
        + "</row>"
        for at, row in enumerate(cells, start=1)
    )
    try:
        made = plainly(sheet(rows))
    except (Unlike, ValueError, IndexError, OverflowError):
        return
    assert trimmed(made) == trimmed(by_parser(sheet(rows), tmp_path_factory.mktemp("sheet")))


@given(st.lists(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.decimals(-(10**9), 10**9, places=6)), min_size=1))
@example([8.3, 1e15, 1e14, 0.1 + 0.2, -0.0, 1e-7, 123456789.123456789])
def test_numbers_are_those_of_one_by_one(values: list[object]) -> None:
    for raw in ([str(value) for value in values], [f"{float(str(value)):.17g}" for value in values]):
        assert numbers(pa.array(raw)).to_pylist() == [number_of(each) for each in raw]


@given(st.lists(st.one_of(st.floats(-10, 3e6), st.integers(-2, 2_958_467), st.floats(0, 70)), min_size=1), st.booleans())
@example([0.5, 1, 60, 61, 2_958_465.5, 46082.99999999999], False)
def test_moments_are_those_of_one_by_one(values: list[float], since_1904: bool) -> None:
    raw = [repr(value) for value in values]
    assert moments(pa.array(raw), since_1904).to_pylist() == [moment_of(float(each), since_1904) or number_of(each) for each in raw]


def test_shared_texts(tmp_path: Path) -> None:
    xml = f'<sst {MAIN}><si><t>a</t></si><si/><si><t/></si><si><t xml:space="preserve"> &lt;b&gt; </t></si></sst>'.encode()
    assert held_texts(io.BytesIO(xml), guard("si", Unlike)).to_pylist() == ["a", "", "", " <b> "]
    rich = f"<sst {MAIN}><si><r><t>a</t></r><rPh><t>b</t></rPh></si></sst>".encode()
    with pytest.raises(Unlike):
        held_texts(io.BytesIO(rich), guard("si", Unlike))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("part", rich)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, (tmp_path / "spool").open("w+b") as spool:
        assert spooled_texts(archive, "part", spool)(0) == "a"


def test_a_sheet_longer_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.grids._BLOCK", 200)
    rows = "".join(f'<row r="{at}"><c r="A{at}"><v>{at * 7}</v></c><c r="C{at}" t="s"><v>2</v></c></row>' for at in range(1, 400))
    assert plainly(sheet(rows)) == [[str(at), str(at * 7), "", "with, comma"] for at in range(1, 400)]


def test_plain_books_need_no_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a plain sheet is read tag by tag")

    monkeypatch.setattr(workbook, "write_sheet", refuse)
    monkeypatch.setattr(workbook, "spooled_texts", refuse)
    for shared in (True, False):
        (tmp_path / "a.xlsx").write_bytes(Book([Sheet("A", [["x", 1.5], [None, True]])], shared=shared).bytes())
        with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
            made, _ = sheets_of(archive, tmp_path)
        assert made[0].path.read_text(encoding="utf-8") == "1,x,1.5\n2,,TRUE\n"


def test_cells_that_grow_are_refused() -> None:
    row = "".join(f'<row r="{at}"><c r="A{at}" t="s"><v>2</v></c></row>' for at in range(1, 50))
    with pytest.raises(NotATable, match="many times what the workbook does"):
        plainly(sheet(row), About(frozenset(), False, 500, held=SHARED))


def test_a_cell_far_out_makes_no_grid() -> None:
    rows = "".join(f'<row r="{at}"><c r="XFD{at}"><v>1</v></c></row>' for at in range(1, 50))
    with pytest.raises(Unlike):  # 50 rows of 16,384 cells for 50 that are written
        plainly(sheet(rows))


def _cells_of(rows: int) -> str:
    return "".join(f'<row r="{at}"><c r="A{at}"><v>{at}</v></c><c r="B{at}" t="s"><v>0</v></c></row>' for at in range(1, rows + 1))


def test_blocks_that_are_read_at_the_same_time_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The later a block the sooner it is done: the first ones wait for the others."""
    monkeypatch.setattr("connectors.grids._BLOCK", 600)
    real, left = Grid._laid, [0.02] * 3

    def slowly(grid: Grid, block: bytes) -> Any:
        time.sleep(left.pop() if left else 0)
        return real(grid, block)

    monkeypatch.setattr(Grid, "_laid", slowly)
    assert plainly(sheet(_cells_of(200))) == [[str(at), str(at), "plain"] for at in range(1, 201)]


def test_what_is_peculiar_far_down_is_for_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.grids._BLOCK", 600)
    for wrong in ('<row r="201"><c><v>1</v></c></row>', '<row r="201"><c r="A201"><!-- --><v>1</v></c></row>'):
        with pytest.raises(Unlike):
            plainly(sheet(_cells_of(200) + wrong + _cells_of(20)))


def test_cells_that_grow_in_many_blocks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.grids._BLOCK", 600)
    # 200 rows of a number of 1 to 3 digits, 5 letters and 3 cells: 2,092; no block of ten rows is near it
    assert len(plainly(sheet(_cells_of(200)), About(frozenset(), False, 2_200, held=SHARED))) == 200
    with pytest.raises(NotATable, match="many times what the workbook does"):
        plainly(sheet(_cells_of(200)), About(frozenset(), False, 2_000, held=SHARED))


def test_rows_are_as_wide_as_the_widest_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.grids._BLOCK", 600)
    target = io.BytesIO()
    rows = '<row r="1"><c r="D1"><v>7</v></c></row>' + "".join(f'<row r="{at}"><c r="A{at}"><v>1</v></c></row>' for at in range(2, 99))
    assert Grid(ABOUT, target).write_all(io.BytesIO(sheet(rows)), guard("c", Unlike)) == (98, 4)
    assert set(target.getvalue().decode().split("\n")[1:-1]) == {f"{at},1,,," for at in range(2, 99)}
