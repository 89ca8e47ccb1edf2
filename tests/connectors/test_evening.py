"""Rows of one width, and sheets of which no such rows are made."""

from __future__ import annotations

import csv
import io

from connectors.evening import FIRST_ROWS, Even


def written(rows: list[list[str]]) -> tuple[str, int]:
    target = io.StringIO()
    even = Even(csv.writer(target, lineterminator="\n"))
    for number, cells in enumerate(rows, start=1):
        even.write(number, cells)
    even.finish()
    return target.getvalue(), even.width


def test_every_row_has_the_cells_of_the_widest_of_the_first_ones() -> None:
    assert written([["title"], ["a", "b", "c"], ["1"]]) == ("1,title,,\n2,a,b,c\n3,1,,\n", 3)
    assert written([]) == ("", 0)


def test_a_wider_row_behind_the_first_ones_stays_wider() -> None:
    rows = [["a", "b"]] * FIRST_ROWS
    made, width = written([*rows, ["1", "2", "3"], ["4"]])
    assert width == 2
    assert made.splitlines()[-2:] == [f"{FIRST_ROWS + 1},1,2,3", f"{FIRST_ROWS + 2},4,"]


def test_a_sheet_that_is_nearly_empty_is_not_filled_up() -> None:
    # 40 rows of 16,384 cells are more than 16 for each of the 40 filled ones and 100,000 more
    made, width = written([["x", *[""] * 16_382, "y"], *[["1"]] * 60])
    assert width == 0
    assert made.splitlines()[-1] == "61,1"
    assert len(made) < 7 * 16_384


def test_first_rows_that_are_long_don_t_wait() -> None:
    made, width = written([["x" * (1 << 20), "a"], ["b"], ["c", "d", "e"]])
    assert width == 2
    assert made.splitlines()[1:] == ["2,b,", "3,c,d,e"]
