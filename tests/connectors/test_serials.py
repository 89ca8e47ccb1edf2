"""Numbers of cells as a person sees them."""

from __future__ import annotations

import pytest

from connectors.serials import is_day_format, moment_of, number_of


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("12", "12"),
        ("007", "007"),
        (" 5 ", "5"),
        ("8.3000000000000007", "8.3"),  # 8.3 as Excel writes it
        ("0.30000000000000004", "0.3"),
        ("1234.50", "1234.5"),
        ("-0.0", "0"),
        ("1E-7", "0.0000001"),
        ("0.000099", "0.000099"),  # below 0.0001 a float writes itself with an exponent
        ("9.8999999999999994E-5", "0.000099"),
        ("123456789012345", "123456789012345"),
        ("1234567890123456", "1.23456789012346E+15"),  # Excel keeps 15 digits, the last one is lost
        ("1.21143000000001E+15", "1.21143000000001E+15"),
        ("2.5e3", "2500"),
    ],
)
def test_a_number(raw: str, shown: str) -> None:
    assert number_of(raw) == shown


@pytest.mark.parametrize("raw", ["", "abc", "1,5", "0x10"])
def test_what_is_no_number(raw: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        number_of(raw)


@pytest.mark.parametrize(
    ("serial", "since_1904", "shown"),
    [
        (1, False, "1900-01-01"),
        (59, False, "1900-02-28"),
        (61, False, "1900-03-01"),  # 60 is 29 February 1900, which never was
        (46082, False, "2026-03-01"),
        (44620, True, "2026-03-01"),  # 1462 days less
        (46082.5, False, "2026-03-01 12:00:00"),
        (46341.999768518516, False, "2026-11-15 23:59:40"),
        (46082 + 1 / 86_400_000, False, "2026-03-01 00:00:00.001"),
        (0.75, False, "18:00:00"),
        (-1, False, ""),
        (2_958_465, False, "9999-12-31"),
        (2_958_466, False, ""),
    ],
)
def test_a_moment(serial: float, since_1904: bool, shown: str) -> None:
    assert moment_of(serial, since_1904) == shown


@pytest.mark.parametrize(
    ("code", "is_day"),
    [
        ("yyyy\\-mm\\-dd", True),
        ("[$-409]d/mmm/yy\\ h:mm;@", True),
        ("[h]:mm", True),
        ("#,##0.00", False),
        ('0.0 "days"', False),
        ("[Red]-0.00", False),
        ("General", False),
        ('"Sum "0;d', False),  # the second part is for negative numbers
    ],
)
def test_a_format_of_days(code: str, is_day: bool) -> None:
    assert is_day_format(code) is is_day
