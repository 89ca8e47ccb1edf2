"""Xero's Account Transactions report."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from tests.connectors.conftest import Stager

D = Decimal


def test_bookings_without_totals_and_balances(staged: Stager) -> None:
    result = staged("xero_account_transactions.csv")
    assert (result.staged.rows_read, result.staged.rows_loaded) == (2, 2)
    assert result.rows("cost_line", "booked_on", "ledger_account", "amount", "document", "service_from") == [
        (date(2026, 1, 2), "Hosting", D("1389.9900"), "Payable Invoice INV-1", date(2026, 1, 1)),
        (date(2026, 2, 8), "Hosting", D("-100.0000"), "Payable Credit Note CN-1", date(2026, 2, 1)),
    ]
    assert result.staged.covers == {"cost_line": (date(2026, 1, 1), date(2026, 4, 1), "stated by the file")}


def test_the_real_report_adds_up_to_its_total(staged: Stager, shared_data: Path) -> None:
    result = staged(shared_data / "xero" / "AnyCompany_Account_Transactions_2021.csv")
    assert result.staged.rows_rejected == 0
    # the report's last line, Total: 434,703.83, and the total of its first account: 7,936.83
    assert sum(amount for (amount,) in result.rows("cost_line", "amount")) == D("434703.83")
    alchemy = [amount for name, amount in result.rows("cost_line", "ledger_account", "amount") if name == "Cost of Sales - Alchemy"]
    assert (len(alchemy), sum(alchemy)) == (10, D("7936.83"))


def test_a_dash_is_nothing_and_a_column_of_accounts_changes_none(staged: Stager) -> None:
    result = staged(
        "Account Transactions\nAcme\nFor the period 1 January 2026 to 31 March 2026\n\n"
        "Date,Source,Contact,Description,Reference,Debit,Credit,Account\nHosting,,,,,,,\n"
        "2 Jan 2026,Payable Invoice,Cloud Co,seats,INV-1,100.00,-,\n3 Jan 2026,Payable Credit Note,Cloud Co,seats,CN-1,-,40.00,5100\n"
        "Total Hosting,,,,,100.00,40.00,\n"
    )
    assert result.rows("cost_line", "amount", "ledger_account", "vendor") == [
        (D(-40), "Hosting", "Cloud Co"),
        (D(100), "Hosting", "Cloud Co"),
    ]
