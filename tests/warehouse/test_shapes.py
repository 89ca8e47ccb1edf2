"""How a whole column writes its dates and amounts."""

from __future__ import annotations

import pytest

from kpi.warehouse.shapes import AmountShape, DateShape, Undecided, amount_shape, date_shape


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["2026-03-01", "2026-03-01T11:00:00.000Z"], ()),
        (["25/06/2024", "12/06/2024"], ("%d/%m/%Y",)),
        (["06/25/2024", "06/12/2024"], ("%m/%d/%Y",)),
        (["04.02.2024"], ("%d.%m.%Y",)),
        (["05/05/2024"], ("%d/%m/%Y",)),
        (["15/Feb/26 11:00 PM"], ("%d/%b/%y %I:%M %p",)),
        (["02 May 2021", "02 June 2021"], ("%d %b %Y", "%d %B %Y")),
        (["May 2, 2021"], ("%b %d, %Y",)),
        (["13/1/2024 11:00", "13/1/24"], ("%d/%m/%y", "%d/%m/%Y %H:%M")),
        (["2024/03/01"], ("%Y/%m/%d",)),
    ],
)
def test_dates(texts: list[str], formats: tuple[str, ...]) -> None:
    assert date_shape("Date", texts, None).formats == formats


def test_an_offset_is_seen() -> None:
    assert date_shape("Date", ["2026-03-01T11:00:00+0200"], None) == DateShape(True, True)


def test_the_column_beats_the_setting() -> None:
    assert date_shape("Date", ["25/06/2024"], "mdy").formats == ("%d/%m/%Y",)
    assert date_shape("Date", ["12/06/2024"], "mdy").formats == ("%m/%d/%Y",)


def test_what_is_quoted_stands_in_the_file() -> None:
    # clock times come folded to 11:00, so only the dates are the cells' own
    said = date_shape("Date", ["01/06/2024 11:00", "25/06/2024 11:00"], None).words
    assert said == '"Date" is read as day/month/year, since 25/06/2024 stands in it'
    with pytest.raises(Undecided, match=r"such as 12/06/2024, can be"):
        date_shape("Date", ["12/06/2024 11:00 PM"], None)
    with pytest.raises(Undecided, match=r"writes both 25/06/2024 and 06/25/2024, day"):
        date_shape("Date", ["25/06/2024 11:00", "06/25/2024 11:00"], None)


def test_one_mistyped_date_does_not_turn_a_column_around() -> None:
    many = [f"{1 + month % 12}/{day}/2024" for month in range(2) for day in range(13, 29)]
    assert date_shape("Date", [*many, "13/1/2024"], None).formats == ("%m/%d/%Y",)  # 32 against 1


def test_a_column_that_mixes_orders_is_asked_about() -> None:
    with pytest.raises(Undecided, match="writes both 25/06/2024 and 06/25/2024"):
        date_shape("Date", ["25/06/2024", "06/25/2024"], "dmy")


#: A cell of the file for each pattern that a sentence may quote.
CELLS = {"9,999": "4,321", "9.999.999": "7.654.321", "99,99": "43,21", "9.999": "4.321", "99.99": "43.21"}


@pytest.mark.parametrize(
    ("patterns", "shape"),
    [
        ({"99.99": 5}, AmountShape(True, ".")),
        ({"9,999.99": 5}, AmountShape(False, ".")),
        ({"(9,999.99)": 5}, AmountShape(False, ".")),
        ({"999": 5}, AmountShape(True, ".")),
        ({"9,999": 5}, AmountShape(False, ".", '"Amount" is read with commas between thousands, since 4,321 stands in it')),
        ({"Z.999": 5}, AmountShape(True, ".")),
        ({"9999.999": 5}, AmountShape(True, ".")),
        ({"9.999.999": 1}, AmountShape(False, ",", '"Amount" is read with a decimal comma, since 7.654.321 stands in it')),
        ({"99,99": 5, "9.999": 1}, AmountShape(False, ",", '"Amount" is read with a decimal comma, since 43,21 stands in it')),
    ],
)
def test_amounts(patterns: dict[str, int], shape: AmountShape) -> None:
    assert amount_shape("Amount", patterns, None, CELLS.__getitem__) == shape


def test_other_columns_tell_what_this_one_cannot() -> None:
    assert amount_shape("Amount", {"9.999": 3}, ",", CELLS.__getitem__).words == (
        '"Amount" is read with a decimal comma, as other columns of the file are'
    )
    assert amount_shape("Amount", {"9.999": 3}, ".", CELLS.__getitem__).decimal == "."
    with pytest.raises(Undecided, match=r"such as 4\.321, can be thousands or three decimals"):
        amount_shape("Amount", {"9.999": 3}, None, CELLS.__getitem__)
    assert amount_shape("Hours", {"9.999": 3}, None, CELLS.__getitem__, fraction=True) == AmountShape(True, ".")
