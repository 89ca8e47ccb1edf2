"""Stripe's Dashboard exports: unified payments, invoice line items and subscriptions, in UTC and major units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kpi.demo.company import Company, Customer, InvoiceLine, Payment, Subscription, identifier
from kpi.demo.exports import any_time, columns, utc, write_csv

_METADATA: Final = "salesforce_account_id (metadata)"
_PAYMENTS: Final = (
    *columns(
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,Converted Currency"
    ),
    *columns("Description,Fee,Refunded date (UTC),Statement Descriptor,Status,Seller Message,Taxes On Fee,Card ID,Customer ID"),
    *columns("Customer Description,Customer Email,Invoice ID,Transfer"),
    _METADATA,
)
_LINES: Final = (
    *columns("Invoice Line Item ID,Invoice ID,Invoice Status,Customer ID,Customer Name,Customer Email,Date (UTC),Description,Price ID"),
    *columns("Quantity,Currency,Amount,Discount Amount,Tax Amount,Period Start (UTC),Period End (UTC)"),
    _METADATA,
)
_SUBSCRIPTIONS: Final = (
    *columns("id,Customer ID,Customer Name,Customer Email,Plan,Product,Quantity,Currency,Interval,Amount,Status,Cancellation Reason"),
    *columns("Created (UTC),Start (UTC),Start Date (UTC),Current Period Start (UTC),Current Period End (UTC),Trial Start (UTC)"),
    *columns("Trial End (UTC),Canceled At (UTC),Cancel At Period End,Ended At (UTC)"),
    _METADATA,
)


def write(company: Company, folder: Path) -> Iterator[tuple[Path, int]]:
    """Write the three files; yields each with its number of records. Newest first, as the Dashboard lists them."""
    for name, header, rows in (
        ("unified_payments.csv", _PAYMENTS, [_payment(payment) for payment in company.payments]),
        ("invoice_line_items.csv", _LINES, [_line(line) for line in company.invoice_lines]),
        ("subscriptions.csv", _SUBSCRIPTIONS, [_subscription(subscription) for subscription in company.subscriptions]),
    ):
        path = folder / name
        when = header.index(
            "Created date (UTC)" if name.startswith("unified") else "Date (UTC)" if name.startswith("invoice") else "Created (UTC)"
        )
        rows.sort(key=lambda row, when=when: (row[when], row[0]), reverse=True)  # type: ignore[misc]
        write_csv(path, [header, *rows])
        yield path, len(rows)


def _stored_id(customer: Customer) -> str:
    return customer.account.id if customer.account is not None and customer.stored_id else ""


def _at(day: dt.date | None, key: str) -> str:
    return utc(any_time(day, key)) if day is not None else ""


def _payment(payment: Payment) -> list[str]:
    customer = payment.customer
    taken = payment.status != "Failed"
    return [
        payment.id,
        _at(payment.paid_on, payment.id),
        str(payment.amount),
        str(payment.refunded),
        "eur",
        str(taken).lower(),
        str(payment.amount) if taken else "",
        str(payment.refunded) if taken else "",
        "eur" if taken else "",
        "Subscription update" if taken else "Payment for invoice",
        str(payment.fee),
        _at(payment.refunded_on, payment.id),
        "SIXFOLD SOFTWARE",
        payment.status,
        payment.message,
        "0.00",
        identifier("card_1", int.from_bytes(customer.id[-6:].encode()), 24),
        customer.id,
        customer.name,
        customer.email,
        payment.invoice_id,
        "",
        _stored_id(customer),
    ]


def _line(line: InvoiceLine) -> list[str]:
    customer = line.customer
    return [
        line.id,
        line.invoice_id,
        line.status,
        customer.id,
        customer.name,
        customer.email,
        _at(line.invoiced_on, line.invoice_id),
        line.description,
        line.price_id,
        str(line.quantity),
        "eur",
        str(line.amount),
        str(line.discount),
        str(line.tax),
        _at(line.service_from, line.invoice_id),
        _at(line.service_to, line.invoice_id),
        _stored_id(customer),
    ]


def _subscription(subscription: Subscription) -> list[str]:
    customer = subscription.customer
    period = subscription.periods[-1] if subscription.periods else (subscription.started_on, subscription.trial_ends_on)
    later = subscription.canceled_on is not None and subscription.ended_on is None
    length = 12 if subscription.yearly else 1
    key = subscription.id
    return [
        key,
        customer.id,
        customer.name,
        customer.email,
        subscription.price_id,
        f"prod_{subscription.product.name}",
        str(subscription.seats),
        "eur",
        "year" if subscription.yearly else "month",
        str(subscription.unit * length),
        subscription.status,
        subscription.cancel_reason,
        _at(subscription.started_on, key),
        _at(subscription.started_on, key),
        _at(subscription.started_on, key),
        _at(period[0], key),
        _at(period[1], key),
        _at(subscription.started_on, key) if subscription.trial_ends_on else "",
        _at(subscription.trial_ends_on, key),
        _at(subscription.canceled_on, key),
        str(later).lower(),
        _at(subscription.ended_on, key),
        _stored_id(customer),
    ]
