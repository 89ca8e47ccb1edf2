"""Plain ledgers with debit and credit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from kpi.errors import UnknownLayout
from tests.connectors.conftest import Stager

D = Decimal


def test_a_cost_is_debit_less_credit(staged: Stager) -> None:
    result = staged("ledger_bookings.csv")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == ("ledger", 3, 3, 0)
    assert result.rows("cost_line", "booked_on", "ledger_account", "amount", "class_name", "vendor", "document") == [
        (date(2026, 1, 5), "2000 Payables", D("-100.50"), None, "Cloud Co", "J1"),
        (date(2026, 1, 5), "5100 Hosting", D("100.50"), "Atlas", "Cloud Co", "J1"),
        (date(2026, 2, 5), "5100 Hosting", D(-20), "Atlas", "Cloud Co", "J2"),
    ]
    replaces = result.staged.tables[0].replaces
    assert replaces is not None
    assert result.connection.execute(f"SELECT ledger_account FROM {replaces.scope} ORDER BY 1").fetchall() == [
        ("2000 Payables",),
        ("5100 Hosting",),
    ]


def test_one_column_of_amounts_says_nothing_of_the_side(staged: Stager) -> None:
    with pytest.raises(UnknownLayout):
        staged("transaction_id,transaction_date,account_id,amount,description\nT1,2024-01-15,5010,15000.00,Salaries\n")


def test_a_statement_with_a_balance_is_no_ledger(staged: Stager) -> None:
    with pytest.raises(UnknownLayout):
        staged("Date,Account Number,Description,Debit,Credit,Balance\n2026-01-15,DE00,Rent,100.00,,900.00\n")


def test_cells_behind_a_row_and_a_column_that_comes_again(staged: Stager) -> None:
    result = staged("DATE,Account Name,Debit,Credit,debit\n2026-01-15,Rent,100.00,,900.00,,\n")
    assert result.rows("cost_line", "ledger_account", "amount") == [("Rent", D(100))]
