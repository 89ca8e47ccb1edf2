from decimal import Decimal

import pytest

from kpi import units
from kpi.units import Change, Shown

SPACE = "\u00a0"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (Decimal("641234.00"), "money", "€ 641 k"),
        (Decimal("64123.40"), "money", "€ 64.1 k"),
        (Decimal("2810000"), "money", "€ 2.81 M"),
        (Decimal("3400000000"), "money", "€ 3.40 bn"),
        (Decimal("-64123"), "money", "€ −64.1 k"),
        (Decimal("640.4"), "money", "€ 640"),
        (Decimal("12.5"), "money", "€ 12.50"),
        (Decimal("0.0000"), "money", "€ 0"),
        # what rounds up to a thousand of a scale belongs to the next one
        (Decimal("999.6"), "money", "€ 1.00 k"),
        (Decimal("999499.99"), "money", "€ 999 k"),
        (Decimal("999950"), "money", "€ 1.00 M"),
        (0.618, "percent", "61.8 %"),
        (Decimal("0.61850000"), "percent", "61.9 %"),  # half up: 61.85
        (1, "percent", "100.0 %"),
        (-0.0004, "percent", "0.0 %"),  # never a negative zero
        (214.3, "days", "214 days"),
        (1, "days", "1 day"),
        (3.45, "days", "3.5 days"),
        (Decimal("12.25"), "hours", "12 h"),
        (1.238, "ratio", "1.24 ×"),
        (12480, "number", "12,480"),
        (1234567, "number", "1.23 M"),
        (2.25, "number", "2.3"),
        (None, "money", "—"),
    ],
)
def test_a_card_rounds_once_and_says_the_unit(value, unit, shown):
    assert str(units.show(value, unit, "EUR")) == shown.replace(" ", SPACE)


def test_a_currency_without_a_sign_keeps_its_letters():
    assert units.show(Decimal("1500"), "money", "CHF") == Shown("CHF", "1.50", "k")


@pytest.mark.parametrize(
    ("value", "unit", "currency", "shown"),
    [
        (Decimal("3770933.85624937"), "money", "EUR", "€ 3,770,933.86"),
        (Decimal("1234567.5"), "money", "JPY", "¥ 1,234,568"),  # half up, and no part of a yen
        (Decimal("12.3455"), "money", "BHD", "BHD 12.346"),
        (Decimal("-0.001"), "money", "EUR", "€ 0.00"),
        (0.6833048137, "percent", "EUR", "68.3 %"),
        (214.2571, "days", "EUR", "214 days"),
        (3.4512, "hours", "EUR", "3.5 h"),
        (1.2384, "ratio", "EUR", "1.24 ×"),
        (1234567, "number", "EUR", "1,234,567"),
        (1234567.891, "number", "EUR", "1,234,567.9"),
        (None, "money", "EUR", "—"),
    ],
)
def test_a_table_rounds_once_as_a_card_does_and_shortens_nothing(value, unit, currency, shown):
    assert units.show_in_full(value, unit, currency) == shown.replace(" ", SPACE)


@pytest.mark.parametrize(("currency", "shown"), [("EUR", "€ 12.50"), ("JPY", "¥ 13"), ("KWD", "KWD 12.500")])
def test_a_small_amount_on_a_card_has_the_places_of_its_currency(currency, shown):
    assert str(units.show(Decimal("12.5"), "money", currency)) == shown.replace(" ", SPACE)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (Decimal("641234.5000"), "money", "€ 641,234.50"),
        (Decimal("641234.5678"), "money", "€ 641,234.5678"),
        (0.6182437654, "percent", "61.82437654 %"),
        (214.25, "days", "214.25 days"),
        (12480, "number", "12,480"),
        (None, "number", "—"),
    ],
)
def test_the_whole_value_hides_no_digit(value, unit, shown):
    assert units.show_exactly(value, unit, "EUR") == shown.replace(" ", SPACE)


@pytest.mark.parametrize(
    ("now", "before", "unit", "text", "direction"),
    [
        (0.618, 0.637, "percent", "−1.9 points", -1),  # 61.8 - 63.7
        (0.64, 0.63, "percent", "+1.0 points", 1),
        (Decimal("641"), Decimal("634"), "money", "+1.1 %", 1),  # 7 / 634 = 1.104 %
        (Decimal("-5"), Decimal("-10"), "money", "+50.0 %", 1),  # 5 / |-10|
        (Decimal("100.01"), Decimal("100"), "money", "±0.0 %", 0),
    ],
)
def test_a_change_is_points_of_a_percentage_and_percent_of_the_rest(now, before, unit, text, direction):
    assert units.change(now, before, unit) == Change(direction, text.replace(" ", SPACE))


@pytest.mark.parametrize(("now", "before"), [(None, 1), (1, None), (1, 0)])
def test_there_is_no_change_from_nothing(now, before):
    assert units.change(now, before, "money") is None


@pytest.mark.parametrize(
    ("direction", "better", "verdict"),
    [(1, "up", "better"), (-1, "up", "worse"), (1, "down", "worse"), (-1, "down", "better"), (1, None, "neutral"), (0, "up", "neutral")],
)
def test_which_way_is_good_is_the_metrics_word(direction, better, verdict):
    assert Change(direction, "x").verdict(better) == verdict
