"""Xero: the Account Transactions report as costs.

Sections as in other ledgers: a row with the account's name, its bookings, ``Total <account>``; opening and closing
balances and the last ``Total`` are no bookings. A cost is Debit less Credit, since ``Gross`` includes tax and has the
bank's sign. Confirmed by a real file of nine columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from connectors.base import (
    BOOKING,
    NOTHING,
    Connector,
    Layout,
    Mapping,
    Part,
    Renews,
    Report,
    Skip,
    Span,
    Trouble,
    numbered,
    period,
    printed_at,
)
from connectors.fields import all_of, cost_columns, currency, day, difference, filled, joined, money, no, text

SOURCE: Final = "xero"
_BALANCES: Final = ("opening balance", "closing balance", "net movement")


def sections(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of an Account Transactions report, each with its account in ``Account``."""
    names = [" ".join(cell.split()) for cell in report.header]
    dated = names.index("Date")
    report.period = period(" ".join(cell for cell in record.cells if cell) for record in report.before)
    account = ""
    for record in report.records:
        cells = [cell.strip() for cell in record.cells]
        first = cells[0] if cells else ""
        rest = [cell for cell in cells[1:] if cell]
        if not first and not rest:
            continue
        if first.casefold() in _BALANCES or any(cell.casefold() in _BALANCES for cell in cells[1:4]):
            continue
        if rest and (first == "Total" or (account and first == f"Total {account}")):
            account = ""
        elif first and not rest:
            moment = printed_at(first)
            if moment is not None:
                report.as_of = moment
            else:
                account = first
                yield Part(record.line, "account", {"Account": account})
        elif len(cells) != len(names) and any(cells[len(names) :]):
            yield Trouble(record.line, "", ",".join(cells), f"it has {len(cells)} cells where the header has {len(names)}")
        elif not account:
            yield Trouble(record.line, "", ",".join(cells), "it stands under no account")
        else:
            padded = [*cells, *[""] * (len(names) - len(cells))]
            if not padded[dated]:
                yield Trouble(record.line, "Date", ",".join(cells), "empty, and no row can do without it")
                continue
            report.counted += 1
            said = {name: "" if cell in NOTHING else cell for name, cell in zip(names, padded, strict=False)}
            yield Part(record.line, "", {**said, "Account": account})


def bookings(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of an Account Transactions report, with keys."""
    return numbered(sections(report))


ACCOUNT_TRANSACTIONS: Final = Layout(
    name="account transactions",
    title="Account Transactions",
    needs=(("Date",), ("Source",), ("Description",), ("Reference",), ("Debit",), ("Credit",)),
    reshape=bookings,
    mappings=(
        Mapping(
            "cost_line",
            cost_columns(
                SOURCE,
                text("Account"),
                difference(money("Debit"), money("Credit")),
                {
                    "source_product_id": text("Tracking", "Region", "Department", "Product"),
                    "class_name": text("Tracking", "Region", "Department", "Product"),
                    "vendor": text("Contact", "Description"),
                    "memo": text("Description"),
                    "document": joined("Source", "Reference"),
                    "currency": currency("Currency"),
                },
            ),
            span=Span((day("Date"),)),
            renews=Renews({"ledger_account": text("Account")}, part="account", day="booked_on", alike=BOOKING),
        ),
    ),
    skips=(Skip(all_of(filled("Date"), no(filled("Debit")), no(filled("Credit"))), "bookings without an amount"),),
    export="Accounting > Reports > Account Transactions > the accounts and the period > Export > as CSV or Excel",
)

XERO: Final = Connector(SOURCE, "Xero", (ACCOUNT_TRANSACTIONS,))
