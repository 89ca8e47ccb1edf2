"""Files of every encoding, delimiter and wrapping, and what only a whole column can tell."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.reading import Text
from kpi.errors import HeldBack, UnknownLayout, UnknownName
from kpi.importing.bulk import is_regular
from kpi.importing.staging import Context, Staged, stage

HEADER = "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer ID"
ROWS = ["ch_1,2026-03-01 10:00:00,10.50,0.00,eur,Paid,cus_ä", "ch_2,2026-03-02 10:00:00,20.00,0.00,eur,Paid,cus_2"]
EXPECTED = [("ch_1", Decimal("10.5000"), date(2026, 3, 1), "cus_ä"), ("ch_2", Decimal("20.0000"), date(2026, 3, 2), "cus_2")]
Read = Callable[..., tuple[Staged, list[tuple[Any, ...]]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """``read(bytes, name)`` stages a file of payments; the staged and its rows."""

    def run(content: bytes, name: str = "a.csv", **context: Any) -> tuple[Staged, list[tuple[Any, ...]]]:
        path = tmp_path / name
        path.write_bytes(content)
        folder = tmp_path / "staging"
        folder.mkdir(exist_ok=True)
        with duckdb.connect() as connection:
            staged = stage(connection, path, name, Context(**{"currency": "EUR", "timezone": "UTC", **context}), folder)
            query = f"SELECT source_id, amount, paid_on, source_account_id FROM {staged.tables[0].relation} ORDER BY 1"
            return staged, connection.execute(query).fetchall()

    return run


def text(delimiter: str = ",", newline: str = "\n", header: str = HEADER, rows: list[str] = ROWS) -> str:
    return newline.join([header, *rows]).replace(",", delimiter) + newline


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(read: Read, encoding: str) -> None:
    staged, rows = read(text().encode(encoding))
    assert rows == EXPECTED
    assert staged.rows_rejected == 0


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(read: Read, delimiter: str, newline: str) -> None:
    assert read(text(delimiter, newline).encode())[1] == EXPECTED


def test_line_ends_may_be_mixed(read: Read) -> None:
    assert read(text().replace("\n", "\r\n", 1).encode())[1] == EXPECTED


def test_a_name_with_quotes(read: Read) -> None:
    assert read(text().encode(), 'it\'s "mine".csv')[1] == EXPECTED


def test_columns_in_any_order_and_case(read: Read) -> None:
    header = "STATUS,x,Customer  ID,currency,Amount refunded,amount,created date (utc),ID"
    rows = ["paid,,cus_ä,EUR,0,10.5,2026-03-01,ch_1", 'PAID,"=1+1",cus_2,EUR,0,20,2026-03-02, ch_2 ']
    assert read(text(header=header, rows=rows).encode())[1] == EXPECTED


def test_titles_above_the_header(read: Read) -> None:
    assert read(("Our payments\n\n,,\n" + text()).encode())[1] == EXPECTED


def test_a_repeated_header_means_its_first_column(read: Read) -> None:
    rows = [row + ",999.99" for row in ROWS]
    assert read(text(header=HEADER + ",Amount", rows=rows).encode())[1] == EXPECTED


def test_gzip_and_zip(read: Read, tmp_path: Path) -> None:
    assert read(gzip.compress(text().encode()), "a.csv.gz")[1] == EXPECTED
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        archive.writestr("inside.csv", text())
    assert read((tmp_path / "made.zip").read_bytes(), "a.zip")[1] == EXPECTED


SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGED = "http://schemas.openxmlformats.org/package/2006"


def cell(row: int, column: int, value: str | float) -> str:
    """A cell with its place: texts in place, numbers as numbers."""
    place = f"{chr(65 + column)}{row}"
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>' if isinstance(value, str) else f'<c r="{place}"><v>{value}</v></c>'


def relation(number: int, kind: str, target: str) -> str:
    """A file of relations with one entry."""
    entry = f'<Relationship Id="r{number}" Type="{RELATED}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{PACKAGED}/relationships">{entry}</Relationships>'


def workbook(path: Path, rows: list[list[str | float]]) -> bytes:
    """The smallest .xlsx that holds these rows."""
    lines = "".join(
        f'<row r="{at}">' + "".join(cell(at, column, value) for column, value in enumerate(row)) + "</row>"
        for at, row in enumerate(rows, start=1)
    )
    types = '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/xml"/>'
    sheet = '<sheet name="A" sheetId="1" r:id="r1"/>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{PACKAGED}/content-types">{types}</Types>')
        archive.writestr("_rels/.rels", relation(1, "officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{SHEETS}" xmlns:r="{RELATED}"><sheets>{sheet}</sheets></workbook>')
        archive.writestr("xl/_rels/workbook.xml.rels", relation(1, "worksheet", "worksheets/sheet1.xml"))
        archive.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{SHEETS}"><sheetData>{lines}</sheetData></worksheet>')
    return path.read_bytes()


def test_a_workbook(read: Read, tmp_path: Path) -> None:
    rows: list[list[str | float]] = [["Our payments"], list(HEADER.split(","))]
    rows += [[float(cell) if cell.replace(".", "").isdigit() else cell for cell in row.split(",")] for row in ROWS]
    staged, found = read(workbook(tmp_path / "made.xlsx", [*rows, ["", "", ""]]), "a.xlsx")
    assert found == EXPECTED
    assert (staged.rows_read, staged.rows_rejected) == (2, 0)


def test_amounts_with_a_decimal_comma(read: Read) -> None:
    rows = [
        "ch_1;01.03.2026;10,50;0,00;eur;Paid;cus_ä",
        "ch_2;02.03.2026;€ 20,00;0,00;eur;Paid;cus_2",
        "ch_3;03.03.2026;(1.234,56);0,00;eur;Paid;x",
    ]
    staged, found = read((HEADER.replace(",", ";") + "\n" + "\n".join(rows) + "\n").encode())
    assert found == [*EXPECTED, ("ch_3", Decimal("-1234.5600"), date(2026, 3, 3), "x")]
    assert '"Amount" is read with a decimal comma, since (1.234,56) stands in it' in staged.notes


def test_a_wrong_group_of_thousands_is_no_amount(read: Read) -> None:
    rows = [*ROWS, *(f'ch_{n},2026-03-03,"1,234.50",0.00,eur,Paid,x' for n in range(3, 12)), 'ch_99,2026-03-03,"12,34",0.00,eur,Paid,x']
    with pytest.raises(HeldBack, match=r"writes both 1,234\.50 and 12,34: which mark"):
        read(text(rows=rows).encode())
    many = [*rows[:-1], *(f"ch_{n},2026-03-03,1.50,0.00,eur,Paid,x" for n in range(100, 130)), rows[-1]]
    staged, _ = read(text(rows=many).encode())
    assert staged.rows_rejected == 1  # 12,34 with points for decimals is neither 12.34 nor 1234


def test_dates_by_the_setting(read: Read) -> None:
    content = text(rows=["ch_1,03/04/2026,10.50,0.00,eur,Paid,x"]).encode()
    assert read(content, dates="dmy")[1][0][2] == date(2026, 4, 3)
    assert read(content, dates="mdy")[1][0][2] == date(2026, 3, 4)


def test_an_offset_beats_what_the_column_is_said_to_be_in(read: Read) -> None:
    rows = ["ch_1,2026-03-01T23:30:00.000-0500,10.50,0.00,eur,Paid,x", "ch_2,2026-03-01T23:30:00Z,10.50,0.00,eur,Paid,x"]
    assert [row[2] for row in read(text(rows=rows).encode())[1]] == [date(2026, 3, 2), date(2026, 3, 1)]


def test_a_big_file_is_decided_from_all_of_it(read: Read) -> None:
    """The sample shows ISO dates and points; the last row, far below, writes neither."""
    rows = [f"ch_{n},2026-03-01 10:00:00,10.50,0.00,eur,Paid,{'x' * 600}" for n in range(30_000)]
    staged, _ = read(text(rows=[*rows, "ch_last,25/03/2026,10.50,0.00,eur,Paid,x", "ch_worse,2026-03-01,ten,0.00,eur,Paid,x"]).encode())
    assert (staged.rows_read, staged.rows_loaded, staged.rows_rejected) == (30_002, 30_001, 1)
    assert staged.covers["payment"][:2] == (date(2026, 3, 1), date(2026, 3, 26))


def test_a_big_file_with_blanks_far_below(read: Read) -> None:
    rows = [f"ch_{n},2026-03-01 10:00:00,10.50,0.00,eur,Paid,{'x' * 600}" for n in range(30_000)]
    staged, found = read(text(rows=[*rows, ' ch_last ," 2026-03-02 ",10.50,0.00,eur, Paid, cus_1 ', ",,,,,,"]).encode())
    assert (staged.rows_read, staged.rows_loaded, staged.rows_rejected) == (30_001, 30_001, 0)
    assert found[-1] == ("ch_last", Decimal("10.5000"), date(2026, 3, 2), "cus_1")


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("1,2,3\n" * 1000, True),
        ('1,"a, b, c",3\n' * 1000, True),
        ('1,"' + "line\n" * 5 + '",3\n', True),
        ("1\n" * 1000, False),  # DuckDB writes down a reject for each cell that is missing: 22 GB for 8 MB of such lines
        ('"1"\n' * 1000, False),
        ("1,2,3\n" + "x," * 5000 + "\n", False),  # and for each that is too many, with the whole line
    ],
)
def test_rows_that_duckdb_had_better_not_see(below: str, expected: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n" + below)
    assert is_regular(Text(path, "utf-8", "", marks='"' if '"' in below else ""), b",", 3) is expected


def test_named_connectors(read: Read) -> None:
    assert read(text().encode(), connector="stripe")[1] == EXPECTED
    with pytest.raises(UnknownLayout):
        read(text().encode(), connector="jira")
    with pytest.raises(UnknownName, match='no connector is called "strip"; did you mean "stripe"'):
        read(text().encode(), connector="strip")


def test_a_header_and_nothing_below(read: Read) -> None:
    staged, rows = read((HEADER + "\n").encode())
    assert (rows, staged.rows_read, staged.covers, staged.as_of) == ([], 0, {}, None)
    assert "it holds no rows" in staged.notes


def test_hostile_cells_are_text(read: Read) -> None:
    rows = ['ch_1,2026-03-01,1.00,0.00,eur,Paid,"\'); DROP TABLE payment; --"', "ch_2,2026-03-01,1.00,0.00,eur,Paid,\"=cmd|' /C calc'!A0\""]
    assert [row[3] for row in read(text(rows=rows).encode())[1]] == ["'); DROP TABLE payment; --", "=cmd|' /C calc'!A0"]


def test_the_name_tells_nothing_to_a_connector_that_does_not_date_it(read: Read) -> None:
    assert read(text().encode(), "payments-2026-01-01.csv")[0].as_of is None


def test_of_columns_of_one_name_the_first_is_read_and_that_is_said(read: Read) -> None:
    staged, found = read("\n".join([HEADER + ",Amount", *[row + ",99" for row in ROWS]]).encode())
    assert found == EXPECTED
    assert 'several columns are called "amount": the first is read' in staged.notes
