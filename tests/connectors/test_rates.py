"""Exchange rates: the European Central Bank's wide file, and a plain table."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.connectors.conftest import Stager

D = Decimal


def test_each_column_of_the_bank_s_file_is_a_currency_and_what_there_was_not_is_no_row(staged: Stager) -> None:
    result = staged("ecb_reference_rates.csv")
    assert result.rows("fx_quote", "currency", "into", "day", "rate") == [
        ("EUR", "CZK", date(2026, 1, 8), D("24.400000000000")),
        ("EUR", "CZK", date(2026, 1, 9), D("24.353000000000")),
        ("EUR", "GBP", date(2026, 1, 8), D("0.800000000000")),
        ("EUR", "GBP", date(2026, 1, 9), D("0.868000000000")),
        ("EUR", "JPY", date(2026, 1, 8), D("184.500000000000")),
        ("EUR", "JPY", date(2026, 1, 9), D("184.130000000000")),
        ("EUR", "USD", date(2026, 1, 8), D("1.250000000000")),
        ("EUR", "USD", date(2026, 1, 9), D("1.164200000000")),
    ]
    assert (result.staged.rows_read, result.staged.rows_rejected) == (2, 0)


def test_a_table_of_one_s_own_keeps_twelve_places(staged: Stager) -> None:
    result = staged("rates_rate_table.csv")
    assert result.rows("fx_quote", "currency", "into", "day", "rate") == [
        ("IDR", "EUR", date(2026, 1, 31), D("0.000049321825")),
        ("USD", "EUR", date(2026, 1, 9), D("0.800000000000")),
    ]
