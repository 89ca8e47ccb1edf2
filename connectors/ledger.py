"""A plain ledger of no system in particular: a row a booking, with its day, its account, and debit and credit in columns of their own.

Only these two columns make a sign certain: what an amount alone means, a debit or the natural side of its account, differs from
program to program, so a file with one column of amounts is left to a mapping that says it. A file with a balance is a bank's or one
account's statement. Headers are those that accounting
programs commonly write; the layout is nobody's in particular and not confirmed by real files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from connectors.base import BOOKING, Connector, Layout, Mapping, Part, Renews, Report, Skip, Span, Trouble, numbered, period, spelled
from connectors.fields import all_of, constant, cost_columns, currency, day, difference, filled, first_of, money, no, text

SOURCE: Final = "ledger"


def _written(*names: str) -> tuple[str, ...]:
    """Names as people and as databases write them."""
    return tuple(dict.fromkeys(form for name in names for form in (name, name.replace(" ", "_"))))


_DAYS: Final = _written(
    "Date", "Posting Date", "Transaction Date", "Booking Date", "Entry Date", "Journal Date", "GL Date", "Buchungsdatum"
)
_CODES: Final = _written("Account Code", "Account Number", "Account No", "Account No.", "Account ID", "GL Code", "Kontonummer")
_ACCOUNTS: Final = _written("Account Name", "Account", "GL Account", "Ledger Account", "Konto")
_DEBITS: Final = _written("Debit", "Debits", "Debit Amount", "Dr", "Soll")
_CREDITS: Final = _written("Credit", "Credits", "Credit Amount", "Cr", "Haben")
_CLASSES: Final = _written("Class", "Department", "Cost Center", "Cost Centre", "Project", "Kostenstelle")
_CUSTOMERS: Final = _written("Customer", "Customer Name", "Kunde")


def rows(report: Report) -> Iterator[Part | Trouble]:
    """The bookings, with keys."""
    return numbered(_rows(report))


def _rows(report: Report) -> Iterator[Part | Trouble]:
    names = [name.casefold() for name in spelled(report.header)]
    days = next(at for at, name in enumerate(names) if name in {day.casefold() for day in _DAYS})
    report.period = period(" ".join(cell for cell in record.cells if cell.strip()) for record in report.before)
    spoken_of: set[str] = set()
    for record in report.records:
        cells = [cell.strip() for cell in record.cells]
        first = next((cell for cell in cells if cell), "")
        if not first or (re.match(r"(?i)(grand )?totals?\b", first) and not cells[days : days + 1][0].strip("-")):
            continue
        if any(cells[len(names) :]) or len(cells) < len(names):
            yield Trouble(record.line, "", ",".join(cells), f"it has {len(cells)} cells where the header has {len(names)}")
            continue
        values = dict(zip(names, cells, strict=False))
        code = _first(values, _CODES)
        name = _first(values, _ACCOUNTS)
        account = " ".join(part for part in (code, name) if part) if code != name else name
        values |= {"Date": cells[days], "Ledger account": account}
        report.counted += 1
        if account and account not in spoken_of:
            spoken_of.add(account)
            yield Part(record.line, "account", {"Ledger account": account})
        yield Part(record.line, "", values)


def _first(values: dict[str, str], names: tuple[str, ...]) -> str:
    return next((values[name.casefold()] for name in names if values.get(name.casefold())), "")


_AMOUNT: Final = difference(money(*_DEBITS), money(*_CREDITS))

BOOKINGS: Final = Layout(
    name="bookings",
    needs=(_DAYS, (*_ACCOUNTS, *_CODES), _DEBITS, _CREDITS),
    lacks=("Balance", "Running Balance", "Opening Balance", "Closing Balance"),
    reshape=rows,
    mappings=(
        Mapping(
            "cost_line",
            cost_columns(
                SOURCE,
                text("Ledger account"),
                _AMOUNT,
                {
                    "source_product_id": text(*_CLASSES),
                    "class_name": text(*_CLASSES),
                    "source_account_id": text(*_CUSTOMERS),
                    "vendor": text(*_written("Vendor", "Vendor Name", "Supplier", "Payee", "Lieferant")),
                    "memo": text(*_written("Description", "Memo", "Narration", "Details", "Buchungstext")),
                    "document": first_of(
                        text(*_written("Document", "Document No", "Reference", "Ref", "Voucher", "Beleg")),
                        text(*_written("Journal ID", "Journal", "Entry No", "Entry", "Transaction ID")),
                    ),
                    "currency": currency(*_written("Currency", "Currency Code", "Währung")),
                },
            ),
            span=Span((day("Date"),)),
            renews=Renews({"ledger_account": text("Ledger account")}, part="account", day="booked_on", alike=BOOKING),
        ),
        Mapping(
            "source_account",
            {"source": constant(SOURCE), "source_id": text(*_CUSTOMERS), "name": text(*_CUSTOMERS)},
            where=filled(*_CUSTOMERS),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    skips=(Skip(all_of(filled("Date"), no(filled(*_DEBITS)), no(filled(*_CREDITS))), "bookings without an amount"),),
    export="any accounting program's journal or ledger as .csv, with a column of debits and one of credits",
)

LEDGER: Final = Connector(SOURCE, "Plain ledger", (BOOKINGS,), general=True)
