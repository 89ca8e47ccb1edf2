"""QuickBooks' General Ledger report."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from tests.connectors.conftest import SAMPLES, Stager
from tests.importing.test_staging import workbook

D = Decimal


def test_bookings_with_the_path_of_their_account(staged: Stager) -> None:
    result = staged("quickbooks_general_ledger.csv")
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (3, 3, 0)
    assert result.rows(
        "cost_line", "booked_on", "ledger_account", "amount", "class_name", "vendor", "document", "service_from", "service_to"
    ) == [
        (date(2026, 1, 31), "5100 Hosting", D("1000.5000"), "Atlas", "Cloud Co", "Bill B-1", date(2026, 1, 1), date(2026, 2, 1)),
        (date(2026, 2, 10), "5100 Hosting:Beacon", D("-200.2500"), "Beacon", "Cloud Co", "Bill B-2", date(2026, 2, 1), date(2026, 3, 1)),
        (date(2026, 2, 10), "5100 Hosting:Beacon", D("-200.2500"), "Beacon", "Cloud Co", "Bill B-2", date(2026, 2, 1), date(2026, 3, 1)),
    ]


def test_equal_lines_both_count_and_keep_their_keys(staged: Stager) -> None:
    keys = staged("quickbooks_general_ledger.csv").rows("cost_line", "cost_id")
    assert len(set(keys)) == 3
    without_january = (SAMPLES / "quickbooks_general_ledger.csv").read_text().replace(",01/31/2026,", ",02/27/2026,")
    assert len(set(keys) & set(staged(without_january).rows("cost_line", "cost_id"))) == 2


def test_the_period_is_covered_up_to_the_day_it_was_printed(staged: Stager) -> None:
    result = staged("quickbooks_general_ledger.csv")
    assert result.staged.as_of == datetime(2026, 3, 6, 8, 15)  # 10:15 at +02:00
    assert result.staged.covers == {"cost_line": (date(2026, 1, 1), date(2026, 3, 7), "stated by the file")}


def test_an_account_without_bookings_is_spoken_of(staged: Stager) -> None:
    result = staged("quickbooks_general_ledger.csv")
    replaces = result.staged.tables[0].replaces
    assert replaces is not None
    assert (replaces.columns, replaces.day, replaces.since, replaces.until) == (
        ("ledger_account",),
        "booked_on",
        date(2026, 1, 1),
        date(2027, 1, 1),
    )
    accounts = result.connection.execute(f"SELECT ledger_account FROM {replaces.scope} ORDER BY 1").fetchall()
    assert accounts == [("5100 Hosting",), ("5100 Hosting:Beacon",), ("6000 Empty",)]


def test_debit_and_credit_in_place_of_amount(staged: Stager) -> None:
    text = (
        "Acme\nGeneral Ledger\nMarch 2026\n\n,Date,Transaction Type,Num,Name,Memo/Description,Split,Debit,Credit,Balance\n"
        "5100 Hosting\n,2026-03-02,Bill,1,Cloud Co,,2000 AP,100.00,,100.00\n,2026-03-03,Credit,2,Cloud Co,,2000 AP,,30.00,70.00\n"
        "Total for 5100 Hosting,,,,,,,100.00,30.00,\n"
    )
    result = staged(text)
    assert result.rows("cost_line", "amount") == [(D("-30.0000"),), (D("100.0000"),)]
    assert result.staged.covers == {"cost_line": (date(2026, 3, 1), date(2026, 4, 1), "stated by the file")}


def general_ledger(*rows: str, header: str = ",Date,Transaction Type,Num,Name,Memo/Description,Split,Amount,Balance") -> str:
    """A report of 2026 with these rows."""
    return "\n".join(["Acme", "General Ledger", "January 1 - December 31, 2026", "", header, *rows]) + "\n"


def booking(amount: str) -> str:
    return f",01/16/2026,Bill,1,Cloud Co,,2000 AP,{amount},0.00"


def test_a_sub_account_may_be_called_like_its_parent(staged: Stager) -> None:
    result = staged(
        general_ledger(
            "Hosting,,,,,,,,", "Hosting,,,,,,,,", booking("1.00"), "Total for Hosting,,,,,,,1.00,", "Other,,,,,,,,", booking("2.00"),
            "Total for Other,,,,,,,2.00,", "Total for Hosting with sub-accounts,,,,,,,3.00,",
            "Rent,,,,,,,,", "Other,,,,,,,,", booking("4.00"), "Total for Other,,,,,,,4.00,", "More,,,,,,,,", booking("5.00"),
            "Total for More,,,,,,,5.00,", "Total for Other with sub-accounts,,,,,,,9.00,", "Total for Rent with sub-accounts,,,,,,,9.00,",
        )
    )  # fmt: skip
    assert result.rows("cost_line", "amount", "ledger_account") == [
        (D(1), "Hosting:Hosting"),
        (D(2), "Hosting:Other"),  # though another account called Other has a total with sub-accounts further down
        (D(4), "Rent:Other"),
        (D(5), "Rent:Other:More"),
    ]


def test_the_newer_header_and_a_dash_for_nothing(staged: Stager) -> None:
    header = "Distribution account,Transaction date,Transaction type,Num,Name,Memo/Description,Item split account,Debit,Credit,Account"
    rows = [
        "Hosting,,,,,,,,,",
        ",01/16/2026,Bill,1,Cloud Co,,AP,-,30.00,x",
        ",01/17/2026,Bill,2,Cloud Co,,AP,40.00,–,",
        "Total for Hosting,,,,,,,,,",
    ]
    assert staged(general_ledger(*rows, header=header)).rows("cost_line", "amount", "ledger_account") == [
        (D(-30), "Hosting"),
        (D(40), "Hosting"),
    ]


def test_a_booking_without_an_amount_is_left_out_and_counted(staged: Stager) -> None:
    text = (
        "Acme\nGeneral Ledger\nMarch 2026\n\n,Date,Transaction Type,Num,Name,Memo/Description,Split,Amount,Balance\n"
        "5100 Hosting\n,2026-03-02,Bill,1,Cloud Co,,2000 AP,100.00,100.00\n,2026-03-03,Bill,2,Cloud Co,Voided,2000 AP,,100.00\n"
        "Total for 5100 Hosting,,,,,,,100.00,\n"
    )
    result = staged(text)
    assert result.rows("cost_line", "booked_on", "amount") == [(date(2026, 3, 2), D("100.0000"))]
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (2, 1, 0)
    assert "1 bookings without an amount left out" in result.staged.notes
    # its account is spoken of all the same, so that an amount which it had before goes
    replaces = result.staged.tables[0].replaces
    assert replaces is not None
    assert result.connection.execute(f"SELECT ledger_account FROM {replaces.scope}").fetchall() == [("5100 Hosting",)]


def test_transaction_detail_by_account(staged: Stager) -> None:
    result = staged("quickbooks_transaction_detail.csv")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_loaded) == ("transaction detail by account", 4, 4)
    assert result.rows("cost_line", "ledger_account", "amount", "class_name", "vendor", "source_account_id") == [
        ("5100 Hosting", D(-50), None, None, "Globex"),  # named by an invoice: a customer, and a sub-customer is its customer
        ("5100 Hosting", D("1000.50"), "Atlas", "Cloud Co", None),
        ("5100 Hosting:5110 Beacon", D(200), "Beacon", "Cloud Co", None),
        ("Sales", D(300), None, None, "Globex"),
    ]
    assert result.rows("source_account", "source_id", "name") == [("Globex", "Globex")]
    assert result.staged.covers == {"cost_line": (date(2026, 1, 1), date(2026, 2, 1), "stated by the file")}
    assert result.staged.as_of == datetime(2026, 2, 6, 8, 15)
    assert "its figures are on the cash basis" in result.staged.notes


def test_transaction_detail_without_groups_takes_the_column_account(staged: Stager) -> None:
    text = (
        "Acme\nTransaction Detail by Account\nJanuary 2026\n\n"
        "Date,Transaction Type,Num,Name,Memo/Description,Account,Split,Amount\n"
        "01/16/2026,Bill,1,Cloud Co,,Hosting,AP,10.00\n01/17/2026,Bill,1,Cloud Co,,Hosting:Beacon,AP,5.00\n"
    )
    result = staged(text)
    assert result.rows("cost_line", "ledger_account", "amount") == [("Hosting", D(10)), ("Hosting:Beacon", D(5))]
    replaces = result.staged.tables[0].replaces
    assert replaces is not None
    found = result.connection.execute(f"SELECT ledger_account FROM {replaces.scope} ORDER BY 1").fetchall()
    assert found == [("Hosting",), ("Hosting:Beacon",)]


def test_a_journal_has_its_day_on_the_first_line_of_a_transaction(staged: Stager) -> None:
    result = staged("quickbooks_journal.csv")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_rejected) == ("journal", 7, 0)
    assert result.rows("cost_line", "booked_on", "ledger_account", "amount", "document", "vendor", "source_account_id") == [
        (date(2026, 1, 5), "5100 Hosting", D("1000.50"), "Bill B-1", "Cloud Co", None),
        (date(2026, 1, 5), "5100 Hosting:Beacon", D(200), "Bill B-1", "Cloud Co", None),
        (date(2026, 1, 5), "Accounts Payable (A/P)", D("-1200.50"), "Bill B-1", "Cloud Co", None),
        (date(2026, 1, 16), "5100 Hosting", D(-50), "Journal Entry 7", None, "Globex"),
        (date(2026, 1, 16), "5200 Support", D(50), "Journal Entry 7", None, None),  # an entry's lines have names of their own
        (date(2026, 1, 20), "Accounts Receivable (A/R)", D(300), "Invoice 1001", None, "Globex"),
        (date(2026, 1, 20), "Sales", D(-300), "Invoice 1001", None, "Globex"),
    ]
    assert sum(amount for (amount,) in result.rows("cost_line", "amount")) == 0
    assert result.problems() == []
    assert result.staged.as_of == datetime(2026, 2, 6, 8, 15)


def test_a_transaction_of_a_journal_that_lacks_a_line_is_said(staged: Stager) -> None:
    lines = (SAMPLES / "quickbooks_journal.csv").read_text().splitlines()
    result = staged("\n".join(line for line in lines if "Beacon" not in line) + "\n")
    assert result.problems() == [
        (8, "Debit", "$1,200.50", "the transaction's lines add up to 1000.50 instead: lines of it are missing or changed")
    ]
    assert result.staged.rows_rejected == 0


def test_a_list_of_transactions_books_both_sides_where_it_says_them(staged: Stager) -> None:
    result = staged("quickbooks_transaction_list.csv")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_loaded) == ("transaction list by date", 7, 6)
    assert result.rows("cost_line", "ledger_account", "amount", "document") == [
        ("5100 Hosting", D(-20), "Vendor Credit VC-1"),
        ("5100 Hosting", D("80.25"), "Expense"),  # paid from Checking, which lost 80.25
        ("5200 Support", D(50), "Journal Entry 7"),
        ("Accounts Payable (A/P)", D(-20), "Vendor Credit VC-1"),
        ("Accounts Payable (A/P)", D("1200.50"), "Bill B-1"),
        ("Accounts Receivable (A/R)", D(300), "Invoice 1001"),
        ("Checking", D("-80.25"), "Expense"),
        ("Mastercard", D(34), "Credit Card Expense"),
        ("Travel", D(34), "Credit Card Expense"),
    ]
    assert any(note.startswith("2 transactions have other sides that this list doesn't show") for note in result.staged.notes)


def test_a_list_that_shows_both_sides_itself_counts_each_once(staged: Stager) -> None:
    text = (
        "Date,Transaction Type,Num,Name,Memo/Description,Account,Split,Amount\n"
        "01/16/2026,Expense,1,Cloud Co,,Checking,Hosting,-10.00\n01/16/2026,Expense,1,Cloud Co,,Hosting,Checking,10.00\n"
    )
    assert staged(text).rows("cost_line", "ledger_account", "amount") == [("Checking", D(-10)), ("Hosting", D(10))]


def test_a_workbook_with_groups_in_column_a(staged: Stager, tmp_path: Path) -> None:
    rows: list[list[str | float]] = [list(line.split("|")) for line in (
        "Acme|", "General Ledger|", "January 2026|", "|", "|Date|Transaction Type|Num|Name|Memo/Description|Split|Amount|Balance",
        "5100 Hosting|", "|01/16/2026|Bill|1|Cloud Co||AP|10.5|10.5", "   Beacon|", "|01/17/2026|Bill|2|Cloud Co||AP|4|4",
        "   Total for Beacon|||||||4|", "Total for 5100 Hosting with sub-accounts|||||||14.5|", "|",
        "Friday, February 6, 2026 10:15 AM GMT+02:00 - Accrual Basis|",
    )]  # fmt: skip
    workbook(tmp_path / "ledger.xlsx", rows)
    result = staged(tmp_path / "ledger.xlsx")
    assert result.rows("cost_line", "ledger_account", "amount") == [("5100 Hosting", D("10.5")), ("5100 Hosting:Beacon", D(4))]
    assert (result.staged.rows_read, result.problems()) == (2, [])
    assert result.staged.as_of == datetime(2026, 2, 6, 8, 15)
    assert "its figures are on the accrual basis" in result.staged.notes
