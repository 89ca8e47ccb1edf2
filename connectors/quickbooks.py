"""QuickBooks Online: its ledger reports as costs: General Ledger, Transaction Detail by Account, Journal, Transaction List by Date.

The first two have sections: a row with the account's name, its bookings, a total. Sub-accounts stand between their
parent's row and ``Total for <parent> with sub-accounts``, so the tree is read off the totals. A Journal has a transaction's day,
type and number on its first line only, and a total below its last. A list shows each transaction once, with the account it was
paid from and the other one, or ``-Split-`` where there are several: it is no full account of any account, so it counts only on
days that no other report covers. Confirmed by real files; every account is staged, and which of them are costs of what is for
``costs:`` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from connectors.base import (
    BOOKING,
    NOTHING,
    ON_BASIS,
    Connector,
    Layout,
    Mapping,
    Part,
    Record,
    Renews,
    Report,
    Skip,
    Span,
    Tell,
    Trouble,
    added,
    numbered,
    period,
    printed_at,
)
from connectors.fields import (
    Value,
    all_of,
    any_of,
    constant,
    cost_columns,
    currency,
    day,
    difference,
    equals,
    filled,
    first_of,
    joined,
    money,
    no,
    other_side,
    text,
)

SOURCE: Final = "quickbooks"
_BASIS: Final = re.compile(r"(?i)(accrual|cash) basis\b")
_SEVERAL: Final = "-split-"
#: Rows at the end of a report among which its footer stands.
_FOOTERS: Final = 5
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
    "posting": "Posting",
    "posting (y/n)": "Posting",
    "account": "Account",
    "account name": "Account",
    "account full name": "Account",
    "distribution account": "Account",
}
#: Transactions with customers: whom they name is one. Names are unique among customers, vendors and employees.
_SALES: Final = ("invoice", "sales receipt", "payment", "credit memo", "refund", "refund receipt", "estimate", "statement charge")
_SPENDS: Final = ("bill", "expense", "check", "cheque", "cash expense", "credit card expense", "credit card charge", "cash purchase")
_GIVES_BACK: Final = ("vendor credit", "supplier credit", "credit card credit", "expense refund")


def _opened(report: Report) -> tuple[list[str], list[Record], frozenset[str]]:
    """The columns' names, the records and the customers of a report; its period, date and basis are told."""
    names = [_COLUMNS.get(" ".join(cell.split()).casefold(), cell.strip()) for cell in report.header]
    rows = list(report.records)
    report.period = period(" ".join(cell for cell in record.cells if cell.strip()) for record in report.before)
    for record in [record for record in rows if any(cell.strip() for cell in record.cells)][-_FOOTERS:]:
        line = ", ".join(cell.strip() for cell in record.cells if cell.strip())  # its commas make cells where it isn't quoted
        if not _is_footer(line):
            continue
        report.as_of = report.as_of or printed_at(line)
        if match := _BASIS.search(line):
            report.notes.append(ON_BASIS.format(match[1].casefold()))
    return names, rows, _customers(names, rows)


def _customers(names: Sequence[str], rows: Iterable[Record]) -> frozenset[str]:
    """Whom the transactions with customers name."""
    if "Name" not in names or "Transaction Type" not in names:
        return frozenset()
    kind, name = names.index("Transaction Type"), names.index("Name")
    wide = (record.cells for record in rows if len(record.cells) > max(kind, name))
    return frozenset(_top(cells[name]) for cells in wide if cells[kind].strip().casefold() in _SALES) - {""}


def _top(name: str) -> str:
    """The customer of a sub-customer (``Globex:Project``); other names hold no colon."""
    return name.split(":")[0].strip()


def _with_customer(values: dict[str, str], customers: frozenset[str]) -> dict[str, str]:
    """``Name`` is a customer where a transaction with customers names it too, else it is who is paid."""
    name, customer = values.get("Name", "").strip(), _top(values.get("Customer", ""))
    is_customer = _top(name) in customers
    return {**values, "Customer": customer or (_top(name) if is_customer else ""), "Name": "" if is_customer else name}


def sections(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of a report by account, each with its account's path (``Hosting:Beacon``) in ``Account``."""
    names, rows, customers = _opened(report)
    dated = names.index("Date")
    own = names.index("Account") if "Account" in names else None
    totals = [(at, match["account"], bool(match["rollup"])) for at, record in enumerate(rows) if (match := _total(record))]
    path: list[str] = []
    spoken_of: set[str] = set()
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
        elif not path and _is_footer(", ".join([first, *rest])):
            continue
        elif first and not rest:
            if printed_at(first) is None:
                path.append(first)
                yield Part(record.line, "account", {"Account": ":".join(path)})
        elif _is_balance(cells):
            continue
        else:
            account = ":".join(path) or (cells[own] if own is not None and own < len(cells) else "")
            if account and not path and account not in spoken_of:
                spoken_of.add(account)
                yield Part(record.line, "account", {"Account": account})
            made = _booking(report, record, names, dated, account)
            yield Part(made.line, made.part, _with_customer(made.cells, customers)) if isinstance(made, Part) else made


def journal(report: Report) -> Iterator[Part | Trouble]:
    """The lines of a Journal: each transaction's day, type and number stand on its first line, and its totals below its last."""
    names, rows, customers = _opened(report)
    at = {name: names.index(name) for name in ("Date", "Transaction Type", "Account", "Debit", "Credit")}
    begun: dict[str, str] = {}
    sums: dict[str, Decimal | None] = {}
    spoken_of: set[str] = set()
    for record in rows:
        cells = [*(cell.strip() for cell in record.cells), *[""] * (len(names) - len(record.cells))]
        shown = [cell for cell in cells if cell]
        line = ",".join(record.cells)
        if not shown or (len(shown) == 1 and shown[0] == cells[0] and at["Date"] != 0) or _is_footer(", ".join(shown)):
            continue
        if any(cells[len(names) :]):
            yield Trouble(record.line, "", line, f"it has {len(record.cells)} cells where the header has {len(names)}")
            continue
        said = {name: "" if cell in NOTHING else cell for name, cell in zip(names, cells, strict=False) if name}
        if re.match(r"(?i)total\b", cells[0]) or (not said["Account"] and (said["Debit"] or said["Credit"])):
            if sums and not cells[0].casefold().startswith("total"):
                yield from _unequal(record, said, sums)
            sums = {}
            continue
        if said["Date"]:
            begun = {name: said.get(name, "") for name in ("Date", "Transaction Type", "Num", "Name")}
            sums = sums or {"Debit": Decimal(0), "Credit": Decimal(0)}
        if not said["Account"]:
            continue  # a line of nothing but a text
        if not begun:
            yield Trouble(record.line, "Date", line, "it stands under no transaction")
            continue
        is_entry = begun["Transaction Type"].casefold() in ("journal entry", "journal")
        for name in ("Date", "Transaction Type", "Num") if is_entry else begun:
            said[name] = said.get(name) or begun[name]
        for name in sums:
            sums[name] = added(sums[name], said[name])
        report.counted += 1
        if said["Account"] not in spoken_of:
            spoken_of.add(said["Account"])
            yield Part(record.line, "account", {"Account": said["Account"]})
        yield Part(record.line, "", _with_customer(said, customers))


def _unequal(record: Record, said: dict[str, str], sums: dict[str, Decimal | None]) -> Iterator[Trouble]:
    """What a transaction's totals say and its lines don't."""
    for name, total in sums.items():
        stated = added(Decimal(0), said[name])
        if total is not None and stated is not None and said[name] and total != stated:
            reason = f"the transaction's lines add up to {total} instead: lines of it are missing or changed"
            yield Trouble(record.line, name, said[name], reason, whole=False)


def listed(report: Report) -> Iterator[Part | Trouble]:
    """The transactions of a list: each on the account that it names and, where money was spent, on the other one."""
    names, rows, customers = _opened(report)
    dated, own = names.index("Date"), names.index("Account")
    made: list[Part] = []
    for record in rows:
        shown = [cell.strip() for cell in record.cells if cell.strip()]
        if not shown or _is_footer(", ".join(shown)) or (len(shown) == 1 and shown[0] == record.cells[0].strip()):
            continue
        if re.match(r"(?i)total\b", shown[0]):
            continue
        account = record.cells[own].strip() if own < len(record.cells) else ""
        posts = "Posting" not in names or record.cells[names.index("Posting")].strip().casefold() not in ("no", "n")
        found = _booking(report, record, names, dated, account if posts else account or "-")
        if isinstance(found, Part):
            # an estimate or an order moves no money
            cells = found.cells if posts else {**found.cells, "Amount": ""}
            made.append(Part(found.line, "", _with_customer(cells, customers)))
        else:
            yield found
    both = {_known_by(part, "Account") for part in made}
    for part in made:
        kind, split = part.cells["Transaction Type"].strip().casefold(), part.cells.get("Split", "").strip()
        spends = kind in _SPENDS
        if (
            part.cells["Amount"]
            and split
            and split.casefold() != _SEVERAL
            and (spends or kind in _GIVES_BACK)
            and _known_by(part, "Split") not in both
        ):
            amount = part.cells["Amount"].strip()
            amount = amount if kind == "bill" else ("" if spends else "-") + re.sub(r"[-−()]", "", amount)
            part = Part(part.line, "", {**part.cells, "Other account": split, "Other amount": amount})
        yield part


def _known_by(part: Part, account: str) -> tuple[str, ...]:
    return tuple(part.cells.get(name, "").strip() for name in ("Date", "Transaction Type", "Num", account))


def _total(record: Record) -> re.Match[str] | None:
    return _TOTAL.match(record.cells[0].strip()) if record.cells else None


def _is_footer(text: str) -> bool:
    return _BASIS.match(text) is not None or re.match(r"(?i)\w+day, \w+", text) is not None


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


def _booking(report: Report, record: Record, names: list[str], dated: int, account: str) -> Part | Trouble:
    cells = [*record.cells, *[""] * (len(names) - len(record.cells))]
    line = ",".join(record.cells)
    if any(cell.strip() for cell in cells[len(names) :]):
        return Trouble(record.line, "", line, f"it has {len(record.cells)} cells where the header has {len(names)}")
    if not account:
        return Trouble(record.line, "", line, "it stands under no account")
    if not cells[dated].strip():
        return Trouble(record.line, "Date", line, "empty, and no row can do without it")
    report.counted += 1
    said = {name: "" if cell.strip() in NOTHING else cell for name, cell in zip(names, cells, strict=False)}
    return Part(record.line, "", {**said, "Account": account})


def bookings(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of a report by account, with keys."""
    return numbered(sections(report))


def entries(report: Report) -> Iterator[Part | Trouble]:
    """The lines of a Journal, with keys."""
    return numbered(journal(report))


def transactions(report: Report) -> Iterator[Part | Trouble]:
    """The transactions of a list, with keys."""
    return numbered(listed(report))


_AMOUNT: Final = first_of(money("Amount"), difference(money("Debit"), money("Credit")))
#: Voided transactions, and lines that hold nothing but a text, move no money.
_NO_AMOUNT: Final = all_of(filled("Date"), no(filled("Amount")), no(filled("Debit")), no(filled("Credit")))
_DATE: Final = ("Date", "Transaction Date")
_TYPE: Final = ("Transaction Type", "Type")

_COLUMNS_OF_A_COST: Final[dict[str, Value]] = cost_columns(
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
)
# The ledger knows a customer by nothing but its name.
_CUSTOMER: Final = Mapping(
    "source_account",
    {"source": constant(SOURCE), "source_id": text("Customer"), "name": text("Customer")},
    where=filled("Customer"),
    one_each=("source", "source_id"),
    hint=True,
)
_COST: Final = Mapping(
    "cost_line",
    _COLUMNS_OF_A_COST,
    span=Span((day("Date"),)),
    renews=Renews({"ledger_account": text("Account")}, part="account", day="booked_on", alike=BOOKING),
)
_SKIPS: Final = (Skip(_NO_AMOUNT, "bookings without an amount"),)

GENERAL_LEDGER: Final = Layout(
    name="general ledger",
    title="General Ledger",
    needs=(_DATE, _TYPE, ("Split", "Split account", "Item split account"), ("Amount", "Debit")),
    reshape=bookings,
    mappings=(_COST, _CUSTOMER),
    skips=_SKIPS,
    export="Reports > General Ledger > the period, Accrual > Customize: columns Class and Customer where you use them > Export to CSV",
)

TRANSACTION_DETAIL: Final = Layout(
    name="transaction detail by account",
    title="Transaction Detail by Account",
    needs=(_DATE, _TYPE, ("Num", "No.", "#"), ("Name",), ("Split", "Split account", "Item split account", "Account"), ("Amount", "Debit")),
    reshape=bookings,
    mappings=(_COST, _CUSTOMER),
    skips=_SKIPS,
    export="Reports > Transaction Detail by Account > the period, Accrual > Export to CSV or Excel",
)

JOURNAL: Final = Layout(
    name="journal",
    needs=(_DATE, _TYPE, ("Name", "Memo/Description"), ("Account", "Account name", "Account full name"), ("Debit",), ("Credit",)),
    lacks=("Split", "Split account", "Item split account", "Balance"),
    reshape=entries,
    mappings=(_COST, _CUSTOMER),
    skips=_SKIPS,
    export="Reports > Journal > the period, Accrual > Export to CSV or Excel",
)

TRANSACTION_LIST: Final = Layout(
    name="transaction list by date",
    needs=(
        _DATE,
        _TYPE,
        ("Name",),
        ("Account", "Account name", "Account full name"),
        ("Split", "Split account", "Item split account"),
        ("Amount",),
    ),
    reshape=transactions,
    mappings=(
        Mapping(
            "cost_line",
            _COLUMNS_OF_A_COST,
            span=Span((day("Date"),)),
            renews=Renews({"source": constant(SOURCE)}, day="booked_on", partial=True),
        ),
        Mapping("cost_line", other_side(SOURCE, _COLUMNS_OF_A_COST, "Other account", "Other amount"), where=filled("Other amount")),
        _CUSTOMER,
    ),
    skips=_SKIPS,
    tells=(
        Tell(
            any_of(
                all_of(equals("Split", _SEVERAL), equals("Transaction Type", *_SPENDS, *_GIVES_BACK)),
                equals("Transaction Type", "Journal Entry"),
            ),
            "transactions have other sides that this list doesn't show (split ones and journal entries), so costs are missing: import the "
            "General Ledger",
            "transaction has other sides that this list doesn't show (a split one or a journal entry), so costs are missing: import the "
            "General Ledger",
        ),
    ),
    export="Reports > Transaction List by Date > the period > Export to CSV; the General Ledger says more and counts in its place",
)

QUICKBOOKS: Final = Connector(SOURCE, "QuickBooks Online", (GENERAL_LEDGER, TRANSACTION_DETAIL, JOURNAL, TRANSACTION_LIST))
