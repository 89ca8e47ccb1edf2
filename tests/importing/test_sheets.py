"""A table saved as .csv and as .xlsx says the same, and a sheet the same whether DuckDB reads it or it is read row by row."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kpi.importing import mapping, sheets
from kpi.importing.bulk import Bulk
from kpi.importing.staging import Context, stage
from tests.connectors.pollution.books import Book, Cell, Sheet

HEADER: list[Cell] = [
    "id",
    "Created date (UTC)",
    "Amount",
    "Amount Refunded",
    "Currency",
    "Status",
    "Customer ID",
    "Description",
    "Transfer",
]
AT = dt.datetime(2026, 3, 1, 10)
PAYMENT = "source_id, amount, refunded, currency, paid_on, status, source_account_id, description"
#: Kept by DuckDB, or read row by row because something asks for it.
WHOLE, CARE = True, False


def payment(number: int, **cells: Cell) -> list[Cell]:
    """A payment of 10.50; nothing stands in the last column."""
    plain: list[Cell] = [f"ch_{number}", AT + dt.timedelta(days=number), 10.5, 0, "eur", "Paid", f"cus_{number}", "plain", None]
    return [cells.get(str(name).split(" (")[0].replace(" ", "_"), cell) for name, cell in zip(HEADER, plain, strict=True)]


#: What stands below the third payment, and whether DuckDB may read the sheet.
CASES: dict[str, tuple[bool, list[list[Cell]]]] = {
    "nothing": (WHOLE, []),
    "an empty row": (WHOLE, [[None]]),
    "a text with a comma and marks": (WHOLE, [payment(90, Description='a, b and "c" too')]),
    "lines in a cell": (WHOLE, [payment(90, Description="one\ntwo")]),
    "a line end behind": (CARE, [payment(90, Description="one\n")]),
    "a number as text": (WHOLE, [payment(90, Amount="10.50")]),
    "a number with thousands as text": (WHOLE, [payment(90, Amount="1,010.50")]),
    "a day as text": (WHOLE, [payment(90, Created_date="2026-03-04 10:00:00")]),
    "a day without a clock time": (WHOLE, [payment(90, Created_date=dt.date(2026, 3, 4))]),
    "a number that is no plain one": (WHOLE, [payment(90, Amount=0.1 + 0.2)]),
    "a bad amount": (WHOLE, [payment(90, Amount="ten")]),
    "a bad day": (WHOLE, [payment(90, Created_date="soon")]),
    "two bad cells": (WHOLE, [payment(90, Amount="ten", Created_date="soon"), payment(91), payment(92, Amount="#N/A")]),
    "an id that a spreadsheet shortened": (WHOLE, [payment(90, id=1.21e15)]),
    "a customer that a spreadsheet shortened": (WHOLE, [payment(90, Customer_ID=1.21e15)]),
    "an id of another length": (WHOLE, [payment(90, id=1210000000000)]),
    "the header again": (CARE, [HEADER]),
    "another order of the columns below": (
        CARE,
        [[*HEADER[:2], HEADER[3], HEADER[2], *HEADER[4:]], payment(90, Amount=1, Amount_Refunded=2)],
    ),
    "another table below": (CARE, [["id", "Created date (UTC)", "Amount", "Amount Refunded", "Currency", "Status", "Fee"]]),
    "a note beside the table": (WHOLE, [[*payment(90), None, "look at this one"]]),
    "blanks around an id": (WHOLE, [payment(90, Customer_ID=" cus_90 ")]),
    "an apostrophe that marks text": (CARE, [payment(90, Amount="'10.50")]),
    "a formula of a spreadsheet": (CARE, [payment(90, Customer_ID='="0090"')]),
    "a tab in an id": (WHOLE, [payment(90, id="ch\t90")]),
    "a blank that is none": (CARE, [payment(90, Customer_ID="\u2009cus_90")]),
    "nothing but blanks": (WHOLE, [[" ", None, "  "]]),
    "a flag where a text belongs": (WHOLE, [payment(90, Description=True)]),
}

#: Of a CSV line breaks in cells count as lines, a row longer than the header is none, and tabs are looked for nowhere.
NO_CSV = ("lines in a cell", "a line end behind", "a note beside the table", "a tab in an id", "another table below")


def table(case: str) -> list[list[Cell]]:
    """A title, a header in the fourth row, payments with the case's rows in their middle."""
    rows = [payment(number) for number in range(8)]
    return [["Payments, all"], [None], [None], HEADER, *rows[:3], *CASES[case][1], *rows[3:]]


def shown(cell: Cell) -> str:
    """A cell as a spreadsheet saves it in a CSV."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    return format(cell, ".15G") if isinstance(cell, float) else str(cell)


def as_csv(rows: list[list[Cell]]) -> bytes:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows([[shown(cell) for cell in row] + [""] * (len(HEADER) - len(row)) for row in rows])
    return made.getvalue().encode()


class Reader:
    """Stages files, and says whether DuckDB read the last one's sheet to its end."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.whole = False
        self._folder = folder
        self._patch = monkeypatch
        real_open, real_care = mapping.open_sheet, mapping.Staging._with_care

        def opened(*said: Any) -> Bulk | None:
            made = real_open(*said)
            self.whole = made is not None
            return made

        def careful(staging: Any) -> Bulk:
            self.whole = False
            return real_care(staging)

        monkeypatch.setattr(mapping, "open_sheet", opened)
        monkeypatch.setattr(mapping.Staging, "_with_care", careful)

    def read(self, name: str, content: bytes, small: int = 0, large: int = 0, columns: str = PAYMENT) -> list[Any]:
        """What is known of a file; ``small`` and ``large``: the bytes from which DuckDB reads a sheet, and from which by a sample.

        ``columns``: of its first table.
        """
        self._patch.setattr(sheets, "SMALL", small)
        self._patch.setattr(sheets, "LARGE", large)
        folder = self._folder / f"{small}-{large}-{name}"
        folder.mkdir()
        path = folder / name
        path.write_bytes(content)
        self.whole = False
        with duckdb.connect() as connection:
            connection.execute("SET disabled_optimizers = 'in_clause'")
            staged = stage(connection, path, "payments", Context("EUR", "UTC", bad_share=0.9), folder)
            rows = connection.execute(f"SELECT {columns} FROM {staged.tables[0].relation} ORDER BY ALL").fetchall()
            problems = connection.execute(f"SELECT * FROM {staged.problems} ORDER BY ALL").fetchall()
        return [staged.rows_read, staged.rows_loaded, staged.rows_rejected, rows, problems, staged.covers, staged.notes]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


@pytest.mark.parametrize("case", CASES)
def test_every_way_says_the_same(case: str, reader: Reader) -> None:
    rows = table(case)
    careful = reader.read("a.xlsx", Book([Sheet("Data", rows)]).bytes(), small=1 << 30)
    assert not reader.whole
    for large in (0, 1 << 30):
        assert reader.read("a.xlsx", Book([Sheet("Data", rows)]).bytes(), large=large) == careful
        assert reader.whole == CASES[case][0]
    if case not in NO_CSV:
        assert reader.read("a.csv", as_csv(rows)) == careful


def test_an_id_that_holds_a_tab_is_none(reader: Reader) -> None:
    made = reader.read("a.xlsx", Book([Sheet("Data", table("a tab in an id"))]).bytes())
    assert made[4] == [(8, "id", "ch\t90", "it holds a character that no id has")]


def test_a_cell_beside_a_long_table_asks_for_care(reader: Reader) -> None:
    """Among the first 40 rows it would only make the sheet wider; behind them it is told by the reader's rejects."""
    rows = [HEADER, *[payment(number) for number in range(50)], [*payment(90, Amount="ten"), None, "look"], payment(91)]
    content = Book([Sheet("Data", rows)]).bytes()
    careful = reader.read("a.xlsx", content, small=1 << 30)
    assert reader.read("a.xlsx", content) == careful
    assert not reader.whole
    assert careful[:3] == [52, 51, 1]
    assert careful[4] == [(52, "Amount", "ten", "not an amount")]


@pytest.mark.parametrize("since_1904", [False, True])
@pytest.mark.parametrize("prefix", ["", "x:"])
def test_days_count_from_where_the_workbook_says(since_1904: bool, prefix: str, reader: Reader) -> None:
    """``x:``: XML that is read tag by tag. A day without a format is a plain number, 46082 or 44620 of 1 March 2026."""
    plain = 44620 if since_1904 else 46082
    rows = [
        HEADER,
        payment(1, Created_date=AT),
        payment(2, Created_date=plain),
        payment(3, Created_date=plain + 0.5),
        [None],
        payment(4, Created_date=AT, Amount="ten"),
    ]
    hidden = Sheet("Old", [HEADER, payment(7)], "hidden")
    content = Book([hidden, Sheet("Data", rows)], since_1904=since_1904, prefix=prefix).bytes()
    made = reader.read("a.xlsx", content)
    assert reader.whole
    assert [row[4] for row in made[3]] == [dt.date(2026, 3, 1)] * 3
    assert made[4] == [(6, "Amount", "ten", "not an amount")]
    assert 'the sheet "Data" is read, and not "Old"' in made[6]
    assert reader.read("a.xlsx", content, small=1 << 30) == made


def test_a_header_of_several_lines_and_a_total(reader: Reader) -> None:
    """A layout with totals; above its table cells of several lines, which are more lines of the text than rows of the sheet."""
    header = ["Opportunity ID", "Opportunity\nName", "Amount", "To Stage", "Last Modified", "Stage", "Created Date", "Close Date"]
    days = [dt.date(2026, 1, day) for day in (5, 6, 7)]
    one: list[Cell] = ["006000000000001AAA", "Pilot", 100, "Won", days[1], "Won", days[0], days[2]]
    other: list[Cell] = ["006000000000002AAA", "Rollout", "ten", "Won", days[1], "Won", days[0], days[2]]
    total: list[Cell] = ["Grand Totals (2 records)", None, 100]
    content = Book(
        [Sheet("Data", [["Filters:\nall"], [None], [*header], one, other, total, ["Confidential Information - do not send"]])]
    ).bytes()
    made = reader.read("a.xlsx", content, columns="source_id, name, amount")
    assert reader.whole
    assert made[:5] == [2, 1, 1, [("006000000000001AAA", "Pilot", 100)], [(5, "Amount", "ten", "not an amount")]]
    assert reader.read("a.xlsx", content, small=1 << 30, columns="source_id, name, amount") == made


def test_an_error_in_a_cell_is_named(reader: Reader) -> None:
    raw = (
        '<row r="3"><c r="A3" t="str"><v>ch_9</v></c><c r="B3" s="1"><v>46082</v></c><c r="C3" t="e"><v>#N/A</v></c><c r="D3"><v>0</v></c>'
        '<c r="E3" t="str"><v>eur</v></c><c r="F3" t="str"><v>Paid</v></c><c r="G3" t="str"><v>cus_9</v></c></row>'
    )
    made = reader.read("a.xlsx", Book([Sheet("Data", [HEADER, payment(1)], raw=raw)]).bytes())
    assert reader.whole
    assert made[4] == [(3, "Amount", "#N/A", "not an amount")]
