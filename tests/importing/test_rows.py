"""The rows below a header, one by one: what is left out, set aside, and read otherwise."""

from __future__ import annotations

import pytest

from connectors.base import Connector, Layout
from connectors.reading import open_texts
from kpi.importing.recognising import Recognised, head_records
from kpi.importing.rows import Rows

LAYOUT = Layout("plain", (("id",), ("day",)), (), totals="^Total")
SYSTEM = Connector("x", "X", (LAYOUT,))


def _read(tmp_path, text: str, read=(0, 1, 2)):
    path = tmp_path / "a.csv"
    path.write_text(text)
    (opened,) = open_texts(path, tmp_path)
    first, *rest = head_records(opened, ",")
    found = Recognised(SYSTEM, LAYOUT, ",", first, rest[0].line if rest else 0, (), opened)
    rows = Rows(opened, found, read)
    made = [(record.line, *record.cells) for record in rows]
    return made, [(line, reason) for table in rows.problems.tables() for line, reason in zip(*_two(table), strict=True)], rows.notes


def _two(table):
    return table["line"].to_pylist(), table["reason"].to_pylist()


HEAD = "id,day,sum\n"


@pytest.mark.parametrize(
    ("below", "rows", "problems", "notes"),
    [
        ("1,mon,5\n2,tue,6\n", [(2, "1", "mon", "5"), (3, "2", "tue", "6")], [], []),
        (" 1 ,'7,5\n", [(2, "1", "7", "5")], [], []),
        ("1,mon,5\n,,\n\n2,tue,6\n", [(2, "1", "mon", "5"), (5, "2", "tue", "6")], [], []),
        ("1,mon,5\nID,Day,Sum\n2,tue,6\n", [(2, "1", "mon", "5"), (4, "2", "tue", "6")], [], ["the header stands again on 1 line"]),
        (
            "1,mon,5\nid,sum,day\n2,6,tue\nid,day,sum\n3,wed,7\n",
            [(2, "1", "mon", "5"), (4, "2", "tue", "6"), (6, "3", "wed", "7")],
            [],
            ["the header stands again on 2 lines"],
        ),
        ("1,mon,5,\n2,tue,6,,\n", [(2, "1", "mon", "5"), (3, "2", "tue", "6")], [], []),
        (
            "1,mon,5\n2,tue,6,7\n3,wed,8\n",
            [(2, "1", "mon", "5"), (4, "3", "wed", "8")],
            [(3, "it has 4 cells where the header has 3")],
            [],
        ),
        ("1,mon,5\nTotal,5\n", [(2, "1", "mon", "5")], [], []),
        ("1,mon,5\n2;tue;6\n", [(2, "1", "mon", "5"), (3, "2", "tue", "6")], [], ["1 row has another delimiter than the header"]),
        (
            "1,mon,5\n\x00\x00\n2,t\x00e,6\n",
            [(2, "1", "mon", "5")],
            [(4, "it holds NUL bytes, which stand where something was lost")],
            None,
        ),
    ],
    ids=["plain", "dressed", "blank", "header", "other order", "empty cells", "longer", "footer", "delimiter", "nul"],
)
def test_rows_as_a_careful_person_reads_them(tmp_path, below, rows, problems, notes):
    made, aside, said = _read(tmp_path, HEAD + below)
    assert (made, aside) == (rows, problems)
    assert notes is None or said == notes


def test_a_shorter_row_is_set_aside_where_a_cell_that_is_read_is_lost_and_filled_where_none_is(tmp_path):
    text = HEAD + "1,mon,5\n2,tue\n3,wed,6\n"
    assert _read(tmp_path, text)[1] == [(3, "it has 2 cells where the header has 3")]
    assert _read(tmp_path, text, read=(0, 1))[0] == [(2, "1", "mon", "5"), (3, "2", "tue", ""), (4, "3", "wed", "6")]


def test_rows_that_are_all_one_cell_short_are_read_and_told_of(tmp_path):
    made, aside, notes = _read(tmp_path, HEAD + "1,mon\n2,tue\n3,wed\n")
    assert (made[0], aside, notes) == ((2, "1", "mon", ""), [], ["its rows have 2 cells where the header has 3"])


def test_below_another_table_s_header_nothing_is_read(tmp_path):
    made, aside, _ = _read(tmp_path, HEAD + "1,mon,5\nid,day,fee\n2,tue,6\n")
    assert made == [(2, "1", "mon", "5")]
    assert aside == [(4, "it stands below a second header with other columns; make a file of each table")]


@pytest.mark.parametrize(("last", "is_cut"), [("9,sat,1.5", True), ("9,sat,1.50", False), ("9,sat,1.5\n", False)])
def test_a_last_row_without_an_end_that_is_shorter_than_all_others_is_cut_off(tmp_path, last, is_cut):
    made, aside, _ = _read(tmp_path, HEAD + "".join(f"{n},mon,{n}.25\n" for n in range(1, 9)) + last)
    assert ([reason for _, reason in aside] == ["the file ends in the middle of it"]) == is_cut
    assert len(made) == 9 - is_cut
