"""Amounts that a report's code reckons with, and how it spells its columns."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.amounts import amount, amounts_as
from connectors.headers import spelled
from kpi.warehouse.shapes import Undecided

D = Decimal


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["12,50", "1.234,00", "-3"], ["12.50", "1234.00", "-3"]),
        (["12.50", "1,234.00", "(3)"], ["12.50", "1234.00", "-3"]),
        (["12.50", "12,50"] * 21 + ["12.50"] * 420, ["12.50", None]),
        (["€ 1 234,50", "7,00 EUR", "3,5-"], ["1234.50", "7.00", "-3.5"]),
        (["12.50", "1 2", "1.23E+05", "=A1", "10 %", ""], ["12.50", None, None, None, None, None]),
        (["12,50", "1,234"], ["12.50", None]),  # a thousand or three decimals
    ],
)
def test_a_column_tells_how_each_of_its_cells_is_read(cells: list[str], read: list[str | None]) -> None:
    shape = amounts_as({"Amount": cells})
    assert [amount(cell, shape) for cell in cells[: len(read)]] == [None if text is None else D(text) for text in read]


@pytest.mark.parametrize("cells", [["12.50", "12,50"], ["1.234", "5.678"]])
def test_a_column_that_tells_nothing_is_a_question(cells: list[str]) -> None:
    with pytest.raises(Undecided):
        amounts_as({"Amount": cells})


def test_a_semicolon_between_cells_leaves_the_comma_for_decimals() -> None:
    assert amounts_as({"Amount": ["1,234"]}).decimal == "."
    with pytest.raises(Undecided):
        amounts_as({"Amount": ["1,234"]}, delimiter=";")


def test_columns_are_spelled_as_they_are_known_and_the_first_of_a_name_counts() -> None:
    assert spelled(["DATE", "Net  Amount", "net amount", "", "Other"], ["Date", "Net Amount"]) == ["Date", "Net Amount", "", "", "Other"]
