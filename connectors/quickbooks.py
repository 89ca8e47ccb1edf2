"""QuickBooks Online: the General Ledger report as costs.

The report has sections: a row with the account's name, its bookings, a total. Sub-accounts stand between their
parent's row and ``Total for <parent> with sub-accounts``, so the tree is read off the totals. Confirmed by real
files; every account is staged, and which of them are costs of what is for ``costs:`` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from connectors.base import (
    BOOKING,
    NOTHING,
    Connector,
    Layout,
    Mapping,
    Part,
    Record,
    Renews,
    Report,
    Skip,
    Span,
    Trouble,
    numbered,
    period,
    printed_at,
)
from connectors.fields import all_of, constant, cost_columns, currency, day, difference, filled, first_of, joined, money, no, text

SOURCE: Final = "quickbooks"
_TOTAL: Final = re.compile(r"(?i)^total for (?P<account>.*?)(?P<rollup> with sub-?accounts)?$")
_COLUMNS: Final = {
    "date": "Date",
    "transaction date": "Date",
    "transaction type": "Transaction Type",
    "type": "Transaction Type",
    "num": "Num",
    "no.": "Num",
    "#": "Num",
    "name": "Name",
    "vendor": "Name",
    "customer": "Customer",
    "memo/description": "Memo/Description",
    "memo": "Memo/Description",
    "description": "Memo/Description",
    "class": "Class",
    "split": "Split",
    "split account": "Split",
    "item split account": "Split",
    "amount": "Amount",
    "debit": "Debit",
    "credit": "Credit",
    "currency": "Currency",
}


def sections(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of a General Ledger, each with its account's path (``Hosting:Beacon``) in ``Account``."""
    names = [_COLUMNS.get(" ".join(cell.split()).casefold(), cell.strip()) for cell in report.header]
    dated = names.index("Date")
    rows = list(report.records)
    totals = [(at, match["account"], bool(match["rollup"])) for at, record in enumerate(rows) if (match := _total(record))]
    report.period = period(" ".join(record.cells) for record in report.before)
    path: list[str] = []
    for at, record in enumerate(rows):
        cells = [cell.strip() for cell in record.cells]
        first = cells[0] if cells else ""
        rest = [cell for cell in cells[1:] if cell]
        if not first and not rest:
            continue
        if first and (match := _TOTAL.match(first)):
            _close(path, match["account"], bool(match["rollup"]), [total for total in totals if total[0] > at])
        elif first.casefold() == "total":
            path.clear()
        elif not path and _is_footer(first):
            report.as_of = printed_at(", ".join([first, *rest]))  # its commas make cells where it isn't quoted
        elif first and not rest:
            if (moment := printed_at(first)) is not None:
                report.as_of = moment
            else:
                path.append(first)
                yield Part(record.line, "account", {"Account": ":".join(path)})
        elif _is_balance(cells):
            continue
        else:
            yield _booking(report, record, names, dated, path)


def _total(record: Record) -> re.Match[str] | None:
    return _TOTAL.match(record.cells[0].strip()) if record.cells else None


def _is_footer(text: str) -> bool:
    return re.match(r"(?i)(accrual|cash) basis\b", text) is not None


def _is_balance(cells: Sequence[str]) -> bool:
    return any(cell.casefold() in ("beginning balance", "ending balance") for cell in cells)


def _close(path: list[str], account: str, is_rollup: bool, totals: Sequence[tuple[int, str, bool]]) -> None:
    """Leave ``account``; a sub-account may be called like its parent.

    A parent's own total closes nothing while the total with its sub-accounts is still to come, in ``totals``, before one
    of an account that holds it.
    """
    if account not in path:
        return
    if is_rollup:
        del path[path.index(account) :]
        return
    del path[len(path) - path[::-1].index(account) :]
    next_total = next(((name, rollup) for _, name, rollup in totals if name in path), ("", False))
    if path.count(account) > 1 or next_total != (account, True):
        path.pop()


def _booking(report: Report, record: Record, names: list[str], dated: int, path: list[str]) -> Part | Trouble:
    cells = [*record.cells, *[""] * (len(names) - len(record.cells))]
    line = ",".join(record.cells)
    if any(cell.strip() for cell in cells[len(names) :]):
        return Trouble(record.line, "", line, f"it has {len(record.cells)} cells where the header has {len(names)}")
    if not path:
        return Trouble(record.line, "", line, "it stands under no account")
    if not cells[dated].strip():
        return Trouble(record.line, "Date", line, "empty, and no row can do without it")
    report.counted += 1
    said = {name: "" if cell.strip() in NOTHING else cell for name, cell in zip(names, cells, strict=False)}
    return Part(record.line, "", {**said, "Account": ":".join(path)})


def bookings(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of a General Ledger, with keys."""
    return numbered(sections(report))


_AMOUNT: Final = first_of(money("Amount"), difference(money("Debit"), money("Credit")))
#: Voided transactions, and lines that hold nothing but a text, move no money.
_NO_AMOUNT: Final = all_of(filled("Date"), no(filled("Amount")), no(filled("Debit")), no(filled("Credit")))

GENERAL_LEDGER: Final = Layout(
    name="general ledger",
    title="General Ledger",
    needs=(
        ("Date", "Transaction Date"),
        ("Transaction Type", "Type"),
        ("Split", "Split account", "Item split account"),
        ("Amount", "Debit"),
    ),
    reshape=bookings,
    mappings=(
        Mapping(
            "cost_line",
            cost_columns(
                SOURCE,
                text("Account"),
                _AMOUNT,
                {
                    "source_product_id": text("Class"),
                    "class_name": text("Class"),
                    "source_account_id": text("Customer"),
                    "vendor": text("Name"),
                    "memo": text("Memo/Description"),
                    "document": joined("Transaction Type", "Num"),
                    "currency": currency("Currency"),
                },
            ),
            span=Span((day("Date"),)),
            renews=Renews({"ledger_account": text("Account")}, part="account", day="booked_on", alike=BOOKING),
        ),
        # The ledger knows a customer by nothing but its name.
        Mapping(
            "source_account",
            {"source": constant(SOURCE), "source_id": text("Customer"), "name": text("Customer")},
            where=filled("Customer"),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    skips=(Skip(_NO_AMOUNT, "bookings without an amount"),),
    export="Reports > General Ledger > the period, Accrual > Customize: columns Class and Customer where you use them > Export to CSV",
)

QUICKBOOKS: Final = Connector(SOURCE, "QuickBooks Online", (GENERAL_LEDGER,))
