"""Xero: the Account Transactions report as costs, and the lines of invoices, credit notes and bills.

The report has sections as in other ledgers: a row with the account's name, its bookings, ``Total <account>``; opening and closing
balances and the last ``Total`` are no bookings. A cost is Debit less Credit, since ``Gross`` includes tax and has the
bank's sign. Confirmed by a real file of nine columns.

Invoices and bills are exported in one layout, and the templates for importing them, whose headers carry asterisks, are that layout
with fewer columns. ``Total`` tells whether the lines hold the tax or not, invoice by invoice. The header is confirmed; that credit
notes are written with positive amounts is not, so a note whose total is negative is read as it stands. Bills are in the Account
Transactions as well, so they count only on days that no such report covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from connectors.base import (
    BOOKING,
    NOTHING,
    AmountShape,
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
    added,
    amount,
    amounts_as,
    numbered,
    period,
    printed_at,
    spelled,
)
from connectors.fields import (
    Value,
    above_zero,
    all_of,
    any_of,
    constant,
    cost_columns,
    currency,
    day,
    difference,
    domain,
    equals,
    filled,
    first_of,
    id_of,
    identifier,
    joined,
    lower,
    matches,
    money,
    month_of,
    monthly,
    negative,
    next_month,
    no,
    number,
    prefixed,
    required,
    text,
    when,
)

SOURCE: Final = "xero"
_BALANCES: Final = ("opening balance", "closing balance", "net movement")


def sections(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of an Account Transactions report, each with its account in ``Account``."""
    names = spelled(report.header)
    dated = names.index("Date")
    report.period = period(" ".join(cell for cell in record.cells if cell) for record in report.before)
    account = ""
    sums: dict[str, Decimal | None] = {}
    for record in report.records:
        cells = [cell.strip() for cell in record.cells]
        first = cells[0] if cells else ""
        rest = [cell for cell in cells[1:] if cell]
        if not first and not rest:
            continue
        if first.casefold() in _BALANCES or any(cell.casefold() in _BALANCES for cell in cells[1:4]):
            continue
        if rest and (first == "Total" or (account and first == f"Total {account}")):
            yield from _unequal(record, dict(zip(names, cells, strict=False)), sums if account else {})
            account = ""
        elif first and not rest:
            moment = printed_at(first)
            if moment is not None:
                report.as_of = moment
            else:
                account = first
                sums = {"Debit": Decimal(0), "Credit": Decimal(0)}
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
            sums = {name: added(total, said[name]) for name, total in sums.items()}
            yield Part(record.line, "", {**said, "Account": account})


def _unequal(record: Record, said: dict[str, str], sums: dict[str, Decimal | None]) -> Iterator[Trouble]:
    """What an account's total says and its bookings don't."""
    for name, total in sums.items():
        stated = added(Decimal(0), said.get(name, ""))
        if total is not None and stated is not None and said.get(name) and total != stated:
            reason = f"the account's bookings add up to {total} instead: some are missing or changed"
            yield Trouble(record.line, name, said[name], reason, whole=False)


def bookings(report: Report) -> Iterator[Part | Trouble]:
    """The bookings of an Account Transactions report, with keys."""
    return numbered(sections(report))


#: A contact may be a customer and a supplier; here it is whom an invoice of ours went to.
_RECEIVED: Final = matches("Source", "(?i)^receivable ")

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
                    "source_account_id": when(_RECEIVED, text("Contact", "Description")),
                    "vendor": when(no(_RECEIVED), text("Contact", "Description")),
                    "memo": text("Description"),
                    "document": joined("Source", "Reference"),
                    "currency": currency("Currency"),
                },
            ),
            span=Span((day("Date"),)),
            renews=Renews({"ledger_account": text("Account")}, part="account", day="booked_on", alike=BOOKING),
        ),
        Mapping(
            "source_account",
            {"source": constant(SOURCE), "source_id": text("Contact", "Description"), "name": text("Contact", "Description")},
            where=all_of(_RECEIVED, filled(text("Contact", "Description"))),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    skips=(Skip(all_of(filled("Date"), no(filled("Debit")), no(filled("Credit"))), "bookings without an amount"),),
    export="Accounting > Reports > Account Transactions > the accounts and the period > Export > as CSV or Excel",
)

#: Type, in lower case -> what a document is; others (overpayments, prepayments) are no invoices.
_TYPES: Final = {
    **dict.fromkeys(("sales invoice", "invoice", "accrec"), "sale"),
    **dict.fromkeys(("sales credit note", "credit note", "accreccredit"), "credit"),
    **dict.fromkeys(("bill", "purchase invoice", "purchases invoice", "supplier invoice", "accpay"), "bill"),
    **dict.fromkeys(
        ("bill credit note", "purchases credit note", "supplier credit note", "bills credit note", "accpaycredit"), "bill credit"
    ),
}
#: What is read here beside what the mappings read.
_READ: Final = (
    "InvoiceNumber",
    "Total",
    "TaxTotal",
    "Type",
    "Discount",
    "Reference",
    "BrandingTheme",
    "TaxAmount",
    "TrackingName1",
    "TrackingOption1",
    "TrackingName2",
    "TrackingOption2",
)
_AMOUNTS: Final = ("Total", "TaxTotal", "UnitAmount", "LineAmount", "TaxAmount")


def documents(report: Report) -> Iterator[Part | Trouble]:
    """The lines of invoices, credit notes and bills, each with what its document is, in ``Kind``."""
    names = spelled(["".join(cell.split()).lstrip("*") for cell in report.header], _READ)
    known = {name.casefold() for name in names}
    untyped = "sale" if known & {"reference", "discount", "brandingtheme"} else "bill"
    if "type" not in known:
        report.notes.append(f"it has no column Type, so its rows are taken as {'sales invoices' if untyped == 'sale' else 'bills'}")
    if "taxamount" not in known:
        report.notes.append("it has no column TaxAmount: its amounts are taken as without tax")
    lines: list[tuple[int, dict[str, str]]] = []
    for record in report.records:
        cells = [cell.strip() for cell in record.cells]
        if not any(cells):
            continue
        if any(cells[len(names) :]) or len(cells) < len(names):
            reason = f"it has {len(cells)} cells where the header has {len(names)}"
            yield Trouble(record.line, "", ",".join(record.cells), reason)
            continue
        values = dict(zip(names, cells, strict=False))
        if lines and not values.get("InvoiceNumber") and not values.get("ContactName"):
            values = {**values, **{name: lines[-1][1].get(name, "") for name in _SHARED if not values.get(name)}}
        kind_ = _kind(values["Type"]) if values.get("Type") else untyped
        if kind_ is None:
            yield Trouble(record.line, "Type", values["Type"], "no kind of document that is known")
            continue
        values["Kind"] = kind_
        report.counted += 1
        lines.append((record.line, values))
    grouped: dict[tuple[str, ...], list[tuple[int, dict[str, str]]]] = {}
    for found in lines:
        grouped.setdefault(tuple(found[1].get(name, "") for name in _DOCUMENT), []).append(found)
    shape = amounts_as({name: [values.get(name, "") for _, values in lines] for name in _AMOUNTS}, usual=".")
    every = [(document, _Sums([values for _, values in document], shape)) for document in grouped.values()]
    told = {sums.has_tax_in_it for _, sums in every if sums.tells}
    unequal = sum(not sums.fits for _, sums in every)
    for (kind, contact, number_), (document, sums) in zip(grouped, every, strict=True):
        if not sums.fits and not sums.tells and len(told) == 1:
            sums.has_tax_in_it = told == {True}  # as the others of the file
        # a bill's number is its supplier's, and another supplier may use the same
        name = f"{contact}/{number_}" if kind.startswith("bill") else number_
        for at, (line, values) in enumerate(document, start=1):
            yield Part(line, "", _line(values, kind, name, at, sums, shape))
    if unequal:
        what = "invoice or bill has" if unequal == 1 else "invoices and bills have"
        report.notes.append(f"{unequal} {what} lines that don't add up to the total that is stated: the lines count")


_DOCUMENT: Final = ("Kind", "ContactName", "InvoiceNumber")
#: What is the same on all lines of a document, and may stand on the first only.
_SHARED: Final = ("ContactName", "EmailAddress", "InvoiceNumber", "InvoiceDate", "Total", "TaxTotal", "Currency", "Type", "Status")


class _Sums:
    """What a document's lines add up to, beside the total it states.

    Attributes:
        has_tax_in_it: its lines hold the tax.
        is_turned: it is a credit note written with positive amounts.
        fits: the lines add up to the total, or nothing is stated.
        tells: they do so with their tax, or without, and not both ways.
    """

    def __init__(self, document: Sequence[dict[str, str]], shape: AmountShape) -> None:
        def stands(name: str) -> list[Decimal]:
            return [found for values in document if (found := amount(values.get(name, ""), shape)) is not None]

        lines, tax = sum(stands("LineAmount"), Decimal(0)), sum(stands("TaxAmount"), Decimal(0))
        total, stated = next(iter(stands("Total")), None), next(iter(stands("TaxTotal")), None)
        tax = stated if stated is not None and not tax else tax
        self.has_tax_in_it = self.tells = False
        self.fits = True
        if total is not None and any(values.get("LineAmount") for values in document):
            within, beside = abs(lines - total), abs(lines + tax - total)
            self.has_tax_in_it = within < beside
            self.fits = min(within, beside) <= _CENT * (len(document) + 1)
            self.tells = self.fits and max(within, beside) > _CENT * (len(document) + 1)
        whole = total if total is not None else lines or sum(stands("UnitAmount"), Decimal(0))
        self.is_turned = document[0]["Kind"].endswith("credit") and whole > 0


_CENT: Final = Decimal("0.01")


def _kind(written: str) -> str | None:
    """What a document is: empty for money paid in advance or too much, which is none; None for a word that isn't known."""
    said = written.casefold()
    return _TYPES.get(said, "" if re.search("(over|pre)payment", said) else None)


def _line(values: dict[str, str], kind: str, name: str, at: int, sums: _Sums, shape: AmountShape) -> dict[str, str]:
    """A line with what is known of its document."""
    values = {**values, "Document": name, "Line": f"{name}/{at}", "Kind": kind, "Tax in it": "yes" if sums.has_tax_in_it else ""}
    if sums.is_turned:
        values |= {one: _turned(values[one]) for one in _AMOUNTS if values.get(one)}
    discount = amount(values.get("Discount", "").rstrip("% "), shape) or Decimal(0)
    scale = 10 ** max(0, -int(discount.as_tuple().exponent))
    values["Rest"] = f"{int((100 - discount) * scale)}/{100 * scale}"
    values["Discounted"] = "yes" if discount and kind == "sale" and not sums.has_tax_in_it else ""
    tracked = {values.get(f"TrackingName{at}", "").casefold(): values.get(f"TrackingOption{at}", "") for at in ("1", "2")}
    values["Tracking"] = next(
        (option for said, option in tracked.items() if "product" in said and option), values.get("TrackingOption1", "")
    )
    values["Bill"] = name if kind.startswith("bill") else ""
    return values


def _turned(amount: str) -> str:
    """With the other sign."""
    return amount.strip("-−() ") if amount.startswith(("-", "−", "(")) else f"-{amount}"


_UNDISCOUNTED: Final = monthly(money("UnitAmount"), number("Quantity"), constant("1/1"))
_NET: Final = when(
    equals("Tax in it", "yes"),
    difference(money("LineAmount"), money("TaxAmount")),
    first_of(money("LineAmount"), monthly(money("UnitAmount"), number("Quantity"), text("Rest"))),
)
_IS_SALE: Final = equals("Kind", "sale", "credit")
_IS_BILL: Final = equals("Kind", "bill", "bill credit")
_NOTHING: Final = all_of(no(filled("LineAmount")), no(filled("UnitAmount")))
_TRACKING: Final = text("Tracking")


def _invoice_line(kind: Value, suffix: str, amount: Value) -> dict[str, Value]:
    """The columns of one line's charge, discount or tax."""
    line = text("Line")
    return {
        "line_id": required(prefixed(SOURCE, joined(line, constant(suffix), between=":") if suffix else line)),
        "invoice_id": required(id_of(SOURCE, "Document")),
        "source": constant(SOURCE),
        "source_id": line,
        "source_account_id": text("ContactName"),
        "source_product_id": first_of(text("InventoryItemCode"), _TRACKING),
        "kind": kind,
        "description": text("Description"),
        "quantity": number("Quantity"),
        "amount": required(amount),
        "currency": currency("Currency"),
        "invoiced_on": required(day("InvoiceDate")),
    }


INVOICES: Final = Layout(
    name="invoices and bills",
    needs=(
        ("*ContactName", "ContactName"),
        ("*InvoiceNumber", "InvoiceNumber"),
        ("*InvoiceDate", "InvoiceDate"),
        ("*Quantity", "Quantity"),
        ("*UnitAmount", "UnitAmount"),
        ("*AccountCode", "AccountCode"),
    ),
    reshape=documents,
    mappings=(
        Mapping(
            "invoice_line",
            _invoice_line(
                when(equals("Kind", "credit"), constant("credit"), constant("charge")),
                "",
                when(equals("Discounted", "yes"), _UNDISCOUNTED, _NET),
            ),
            where=_IS_SALE,
            span=Span((day("InvoiceDate"),)),
            renews=Renews({"invoice_id": prefixed(SOURCE, text("Document"))}),
        ),
        Mapping(
            "invoice_line",
            _invoice_line(constant("discount"), "discount", difference(_NET, _UNDISCOUNTED)),
            where=equals("Discounted", "yes"),
        ),
        Mapping(
            "invoice_line",
            _invoice_line(constant("tax"), "tax", money("TaxAmount")),
            where=all_of(_IS_SALE, any_of(above_zero(money("TaxAmount")), above_zero(negative(money("TaxAmount"))))),
        ),
        Mapping(
            "cost_line",
            {
                "cost_id": required(prefixed(SOURCE, joined(constant("bill"), text("Line"), between=":"))),
                "source": constant(SOURCE),
                "source_id": text("Bill"),
                "source_product_id": first_of(_TRACKING, text("InventoryItemCode")),
                "class_name": _TRACKING,
                "ledger_account": required(text("AccountCode")),
                "vendor": text("ContactName"),
                "memo": text("Description"),
                "document": joined(constant("Bill"), identifier("InvoiceNumber")),
                "amount": required(_NET),
                "currency": currency("Currency"),
                "booked_on": required(day("InvoiceDate")),
                "service_from": month_of(day("InvoiceDate")),
                "service_to": next_month(day("InvoiceDate")),
            },
            where=_IS_BILL,
            span=Span((day("InvoiceDate"),)),
            renews=Renews({"source_id": text("Bill")}, day="booked_on", partial=True),
        ),
        Mapping(
            "source_account",
            {
                "source": constant(SOURCE),
                "source_id": text("ContactName"),
                "name": text("ContactName"),
                "email": lower(text("EmailAddress")),
                "domain": domain(text("EmailAddress")),
            },
            where=all_of(_IS_SALE, filled("ContactName")),
            one_each=("source", "source_id"),
            hint=True,
        ),
    ),
    skips=(
        Skip(equals("Status", "draft", "submitted", "awaiting approval"), "lines of drafts"),
        Skip(equals("Status", "voided", "void", "deleted"), "lines that were voided or deleted"),
        Skip(no(any_of(_IS_SALE, _IS_BILL)), "lines that are of no invoice, credit note or bill"),
        Skip(_NOTHING, "lines without an amount"),
    ),
    export="Business > Invoices (or Bills to pay, or Credit notes) > Export, as CSV",
)

XERO: Final = Connector(SOURCE, "Xero", (ACCOUNT_TRANSACTIONS, INVOICES))
