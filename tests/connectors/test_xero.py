"""Xero's Account Transactions report."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from tests.connectors.conftest import SAMPLES, Stager

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


def test_invoices_with_tax_discounts_and_credit_notes_apart(staged: Stager) -> None:
    result = staged("xero_invoices.csv")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (
        "invoices and bills", 7, 5, 0,
    )  # fmt: skip
    assert result.rows("invoice_line", "line_id", "kind", "amount", "source_account_id", "source_product_id") == [
        ("xero:CN-1/1", "credit", D(-50), "Globex", "ATL"),
        ("xero:CN-1/1:tax", "tax", D(-10), "Globex", "ATL"),
        ("xero:INV-1/1", "charge", D(1000), "Globex", "ATL"),  # 10 · 100
        ("xero:INV-1/1:discount", "discount", D(-100), "Globex", "ATL"),  # 10 %
        ("xero:INV-1/1:tax", "tax", D(180), "Globex", "ATL"),
        ("xero:INV-1/2", "charge", D(90), "Globex", "EMEA"),
        ("xero:INV-1/2:tax", "tax", D(18), "Globex", "EMEA"),
        ("xero:INV-2/1", "charge", D(100), "Initech", "BEA"),  # its 120 is the total, so the tax of 20 is in it
        ("xero:INV-2/1:tax", "tax", D(20), "Initech", "BEA"),
    ]
    net = sum(amount for kind, amount in result.rows("invoice_line", "kind", "amount") if kind != "tax")
    assert net == D(1000 - 100 + 90 + 100 - 50)  # 1188 - 198 + 120 - 20 - (60 - 10)
    assert [note for note in result.staged.notes if "left out" in note] == [
        "1 lines of drafts left out",
        "1 lines that were voided or deleted left out",
    ]


def test_a_bill_is_a_cost_and_its_supplier_no_customer(staged: Stager) -> None:
    result = staged("xero_invoices.csv")
    assert result.rows("cost_line", "cost_id", "ledger_account", "amount", "vendor", "class_name", "document", "booked_on") == [
        ("xero:bill:Cloud Co/7781/1", "310", D(200), "Cloud Co", "Atlas", "Bill 7781", date(2026, 1, 28))
    ]
    assert result.rows("source_account", "source_id", "email") == [("Globex", "ap@globex.example"), ("Initech", None)]


TEMPLATE = (
    "*ContactName,EmailAddress,POAddressLine1,POCity,POCountry,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,InventoryItemCode,*Description,"
    "*Quantity,*UnitAmount,Discount,*AccountCode,*TaxType,TrackingName1,TrackingOption1,Currency,BrandingTheme"
)


def test_the_template_with_asterisks(staged: Stager) -> None:
    row = "Globex,,,,,INV-9,,31/01/2026,,ATL,Seats,3,33.35,12.5,200,20% (VAT on Income),,,GBP,"
    result = staged(f"{TEMPLATE}\n{row}\n,,,,,,,,,,More,2,10.00,,200,,,,,\n")
    # 3 · 33.35 = 100.05, of which 87.5 % = 87.54375, to the fourth place 87.5438
    assert result.rows("invoice_line", "line_id", "kind", "amount", "currency") == [
        ("xero:INV-9/1", "charge", D("100.05"), "GBP"),
        ("xero:INV-9/1:discount", "discount", D("-12.5062"), "GBP"),
        ("xero:INV-9/2", "charge", D(20), "GBP"),
    ]
    assert "it has no column Type, so its rows are taken as sales invoices" in result.staged.notes
    assert "it has no column TaxAmount: its amounts are taken as without tax" in result.staged.notes


def test_a_credit_note_that_is_negative_already_stays_so(staged: Stager) -> None:
    text = (SAMPLES / "xero_invoices.csv").read_text()
    head, note = text.splitlines()[0], next(line for line in text.splitlines() if "CN-1" in line)
    turned = note.replace(",60.00,10.00,0.00,60.00", ",-60.00,-10.00,0.00,-60.00").replace(",50.0000,,50.00,", ",-50.0000,,-50.00,")
    result = staged(f"{head}\n{turned.replace(',10.00,,,,,GBP', ',-10.00,,,,,GBP')}\n", dates="dmy")
    assert result.rows("invoice_line", "kind", "amount") == [("credit", D(-50)), ("tax", D(-10))]


def test_an_invoice_whose_lines_do_not_add_up_is_said(staged: Stager) -> None:
    text = (SAMPLES / "xero_invoices.csv").read_text().replace('"1,188.00",198.00', '"1,288.00",198.00')
    assert "1 invoice or bill has lines that don't add up to the total that is stated: the lines count" in staged(text).staged.notes


def test_whom_a_receivable_invoice_names_is_a_customer(staged: Stager) -> None:
    text = (SAMPLES / "xero_account_transactions.csv").read_text().replace("Payable Credit Note", "Receivable Credit Note")
    result = staged(text)
    assert {(source_id,) for (source_id,) in result.rows("source_account", "source_id")} == {
        (customer,) for (customer, vendor) in result.rows("cost_line", "source_account_id", "vendor") if vendor is None
    }
    assert [vendor is None for (_, vendor) in result.rows("cost_line", "booked_on", "vendor")] == [False, True]


def test_headers_in_capitals_and_a_column_that_comes_again(staged: Stager) -> None:
    report = (SAMPLES / "xero_account_transactions.csv").read_text()
    header = next(line for line in report.splitlines() if line.startswith("Date,"))
    shouted = staged(report.replace(header, header.upper()))
    assert shouted.rows("cost_line", "amount") == [(D(-100),), (D("1389.99"),)]
    twice = "\n".join(f"{line},Debit" if line == header else f"{line},7.00" if line[:1].isdigit() else line for line in report.splitlines())
    assert staged(twice).rows("cost_line", "amount") == [(D(-100),), (D("1389.99"),)]
    invoices = (SAMPLES / "xero_invoices.csv").read_text()
    header = invoices.splitlines()[0]
    assert staged(invoices.replace(header, header.upper())).rows("invoice_line", "line_id", "amount") == staged("xero_invoices.csv").rows(
        "invoice_line", "line_id", "amount"
    )


def test_an_account_whose_bookings_do_not_add_up_to_its_total_is_listed(staged: Stager) -> None:
    report = (SAMPLES / "xero_account_transactions.csv").read_text()
    result = staged("\n".join(line for line in report.splitlines() if "CN-1" not in line) + "\n")
    assert (result.staged.rows_loaded, result.staged.rows_rejected) == (1, 0)
    assert [reason for *_, reason in result.problems()] == ["the account's bookings add up to 0.00 instead: some are missing or changed"]


def test_a_total_that_fits_neither_way_does_not_make_tax_of_its_lines(staged: Stager) -> None:
    text = (SAMPLES / "xero_invoices.csv").read_text()
    head, one = text.splitlines()[0], next(line for line in text.splitlines() if "INV-2" in line)
    named = head.split(",")
    cells = one.split(",")
    exclusive = {"Total": "120.00", "TaxTotal": "20.00", "UnitAmount": "100.0000", "LineAmount": "100.00", "TaxAmount": "20.00"}
    good = ",".join(exclusive.get(name.lstrip("*"), cell) for name, cell in zip(named, cells, strict=True))
    broken = good.replace("INV-2", "INV-3").replace("120.00", "1.23E+05", 1)
    odd = good.replace("INV-2", "INV-4").replace("120.00", "80.00", 1)  # nearer to 100 - 20 than to 100 + 20
    result = staged(f"{head}\n{good}\n{broken}\n{odd}\n", dates="dmy")
    charges = [row[1:] for row in result.rows("invoice_line", "kind", "invoice_id", "amount") if row[0] == "charge"]
    assert charges == [("xero:INV-2", D(100)), ("xero:INV-3", D(100)), ("xero:INV-4", D(100))]


def test_a_kind_of_document_that_is_not_known_and_a_shortened_number_are_problems(staged: Stager) -> None:
    text = (SAMPLES / "xero_invoices.csv").read_text()
    lines = text.splitlines()
    at = next(at for at, line in enumerate(lines) if "INV-2" in line)
    strange = lines[at].replace("Sales invoice", "EUR").replace("INV-2", "INV-8")
    result = staged("\n".join([*lines, *lines[1:], strange, lines[at].replace("INV-2", "1.21E+15")]) + "\n")
    assert [(column, value) for _, column, value, _ in result.problems()] == [("Type", "EUR"), ("Document", "1.21E+15")]
