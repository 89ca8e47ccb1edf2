"""What happens in the sample company, as plain values with business dates; the writers turn them into exports.

All days are days of :data:`kpi.demo.story.TIMEZONE`. Money is euros in whole cents. ``account`` and ``product``
are what the import should find: None where the sample is untidy on purpose.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from kpi.demo.story import BigDeal, Product, Segment


@dataclass(frozen=True)
class Account:
    """A customer or prospect of the CRM.

    ``segment`` is how it behaves; what the page shows follows from ``employees``, which may be missing.
    """

    id: str
    name: str
    domain: str
    industry: str
    region: str
    country: str
    employees: int | None
    owner: str
    created_on: dt.date
    segment: Segment


@dataclass(frozen=True)
class Customer:
    """Who pays, as billing and ledger know them.

    Attributes:
        account: the CRM account, or None for a stray customer.
        stored_id: the CRM id is in the metadata; otherwise e-mail domain or name must do.
        ledger_name: how the bookkeeper writes it.
        taxed: pays German VAT.
    """

    id: str
    account: Account | None
    name: str
    email: str
    stored_id: bool
    ledger_name: str
    taxed: bool
    segment: Segment


@dataclass(frozen=True)
class Purchase:
    """A customer takes seats of a product; each becomes a subscription, and most come with a deal.

    ``yearly``: paid a year in advance. ``unit``: price of a seat and month. ``trial_days``: free days before.
    """

    customer: Customer
    product: Product
    kind: Literal["opening", "new", "expansion"]
    day: dt.date
    seats: int
    unit: Decimal
    list_unit: Decimal
    yearly: bool
    trial_days: int
    leaves_on: dt.date | None
    leave_reason: str
    big: BigDeal | None = None


@dataclass
class Subscription:
    """A subscription of Stripe; price and seats never change, a new price is a new subscription.

    Attributes:
        unit: price of a seat and month; what is billed is that for one or twelve months.
        started_on: first day, the trial's where there is one.
        paid_from: first day that is charged; None for a trial that nobody kept.
        ended_on: first day without service; None while it runs.
        canceled_on: when the customer said so; the paid period still runs out.
        periods: the paid periods, from <= day < to.
        continues: it took over from another one at new prices.
    """

    id: str
    customer: Customer
    product: Product
    price_id: str
    seats: int
    unit: Decimal
    yearly: bool
    started_on: dt.date
    trial_ends_on: dt.date | None
    paid_from: dt.date | None
    ended_on: dt.date | None
    canceled_on: dt.date | None
    cancel_reason: str
    status: str
    periods: list[tuple[dt.date, dt.date]] = field(default_factory=list)
    continues: bool = False

    @property
    def monthly(self) -> Decimal:
        """Recurring charge a month."""
        return self.unit * self.seats


@dataclass(frozen=True)
class InvoiceLine:
    """A line of an invoice; ``amount`` is before discount and tax, a credit is negative.

    ``product`` is None for services that belong to none. Empty service days: the invoice's day counts.
    ``counts``: False for drafts and voids.
    """

    id: str
    invoice_id: str
    customer: Customer
    product: Product | None
    price_id: str
    description: str
    quantity: int
    amount: Decimal
    discount: Decimal
    tax: Decimal
    invoiced_on: dt.date
    service_from: dt.date | None
    service_to: dt.date | None
    status: Literal["paid", "open", "draft", "void"]

    @property
    def counts(self) -> bool:
        """Whether it was ever sent."""
        return self.status in ("paid", "open")


@dataclass(frozen=True)
class Payment:
    """Money taken or tried; ``refunded`` of it on ``refunded_on``."""

    id: str
    customer: Customer
    invoice_id: str
    amount: Decimal
    refunded: Decimal
    fee: Decimal
    paid_on: dt.date
    refunded_on: dt.date | None
    status: Literal["Paid", "Failed", "Refunded", "Partially refunded"]
    message: str


@dataclass(frozen=True)
class Booking:
    """A line of the ledger, with the sign its account shows it by.

    ``name`` is a customer, vendor or nobody; ``customer`` is set where the account can be found by that name.
    """

    ledger_account: str
    day: dt.date
    kind: str
    number: str
    name: str
    class_name: str
    memo: str
    split: str
    amount: Decimal
    customer: Customer | None
    product: Product | None


@dataclass(frozen=True)
class Stage:
    """A stage a deal entered on a day."""

    name: str
    day: dt.date


@dataclass(frozen=True)
class Deal:
    """An opportunity; ``closed_on`` is None while open, then ``expected_on`` is the seller's hope."""

    id: str
    account: Account
    product: Product
    name: str
    owner: str
    kind: Literal["new", "expansion", "renewal"]
    lead_source: str
    amount: Decimal
    list_amount: Decimal
    created_on: dt.date
    expected_on: dt.date
    closed_on: dt.date | None
    is_won: bool
    lost_reason: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Case:
    """A support case of the CRM."""

    id: str
    number: str
    account: Account
    product: Product
    subject: str
    description: str
    priority: str
    created_on: dt.date
    closed_on: dt.date | None


@dataclass(frozen=True)
class Work:
    """Time booked on an issue."""

    person: str
    day: dt.date
    hours: Decimal
    comment: str


@dataclass(frozen=True)
class Issue:
    """A ticket of the issue tracker; ``parent`` is the key of its epic."""

    key: str
    number: int
    product: Product
    title: str
    kind: str
    status: str
    resolution: str
    priority: str
    person: str
    labels: tuple[str, ...]
    parent: str
    parent_title: str
    points: int | None
    description: str
    created_on: dt.date
    updated_on: dt.date
    resolved_on: dt.date | None
    works: tuple[Work, ...]


@dataclass(frozen=True)
class Company:
    """Everything that happened from ``start`` to and with ``end``, a Sunday."""

    seed: int
    start: dt.date
    end: dt.date
    accounts: tuple[Account, ...]
    customers: tuple[Customer, ...]
    subscriptions: tuple[Subscription, ...]
    invoice_lines: tuple[InvoiceLine, ...]
    payments: tuple[Payment, ...]
    bookings: tuple[Booking, ...]
    deals: tuple[Deal, ...]
    cases: tuple[Case, ...]
    issues: tuple[Issue, ...]


def chance(seed: int, end: dt.date, part: str) -> random.Random:
    """Random numbers of one part of the company, so that a change in one part leaves the others alone.

    Only its integers, choices and uniform numbers are used: they are the same on every machine, which logarithms
    and sines (``gauss``) need not be.
    """
    return random.Random(f"{seed}/{end.isoformat()}/{part}")  # noqa: S311 (a story, not a secret)


def add_months(day: dt.date, count: int) -> dt.date:
    """The same day of the month ``count`` months later, the month's last day where it has no such day."""
    months = day.year * 12 + day.month - 1 + count
    year, month = months // 12, months % 12 + 1
    return dt.date(year, month, min(day.day, (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day))


def months_between(start: dt.date, end: dt.date) -> list[dt.date]:
    """The first days of the months from the one of ``start`` to the one of ``end``."""
    first = start.replace(day=1)
    return [add_months(first, i) for i in range((end.year - start.year) * 12 + end.month - start.month + 1)]


def cents(amount: Decimal) -> Decimal:
    """Rounded to whole cents, half to even."""
    return amount.quantize(Decimal("0.01"))


def identifier(
    prefix: str, number: int, length: int, alphabet: str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
) -> str:
    """An id as the systems make them: ``prefix`` and ``number`` in the base of ``alphabet``, ``length`` long in all."""
    digits = ""
    while number:
        number, digit = divmod(number, len(alphabet))
        digits = alphabet[digit] + digits
    return prefix + digits.rjust(length - len(prefix), alphabet[0])
