"""The general ledger: what it costs to serve, to win and to build, and the accounts that are no costs.

Hosting and support are booked on the first of the month for the month, a line for each customer (Name) and
product (Class), from the seats in use. The ledger states no service period, so a cost belongs to its month; a
sample that ends in mid-month therefore holds the whole cost of its last month, and margins of its weeks are whole.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Final

from kpi.demo import story
from kpi.demo.company import Booking, Customer, InvoiceLine, Purchase, Subscription, add_months, cents, months_between
from kpi.demo.story import Product

BANK: Final = "1000 Bank"
RECEIVABLES: Final = "1200 Accounts Receivable (A/R)"
CLEARING: Final = "1450 Cloud clearing"
PAYABLES: Final = "2000 Accounts Payable (A/P)"
PAYROLL: Final = "2200 Accrued payroll"
INCOME: Final = "4000 Subscription income"
HOSTING: Final = "5100 Hosting"
SUPPORT: Final = "5200 Support"
ONBOARDING: Final = "5300 Onboarding"
SALES: Final = "6100 Sales"
MARKETING: Final = "6200 Marketing"
ENGINEERING: Final = "6300 Engineering"

#: In the order of the chart of accounts, which is the order of the report.
ACCOUNTS: Final = (BANK, RECEIVABLES, CLEARING, PAYABLES, PAYROLL, INCOME, HOSTING, SUPPORT, ONBOARDING, SALES, MARKETING, ENGINEERING)
#: Accounts whose balance is carried from year to year, with the balance of the first day.
CARRIED: Final = {
    BANK: Decimal("4180250.40"),
    RECEIVABLES: Decimal("612480.00"),
    CLEARING: Decimal("0.00"),
    PAYABLES: Decimal("288114.92"),
    PAYROLL: Decimal("0.00"),
}
#: Account -> category, for the sample's own arithmetic; the others are no costs to serve.
COST_TO_SERVE: Final = (HOSTING, SUPPORT, ONBOARDING)

_CLOUD: Final = "Nimbus Cloud Europe SARL"


def bookings(
    rng: random.Random, purchases: list[Purchase], subscriptions: list[Subscription], lines: list[InvoiceLine], start: dt.date, end: dt.date
) -> list[Booking]:
    """All lines of the ledger from ``start`` to and with ``end``, by month."""
    made: list[Booking] = []
    by_month: dict[dt.date, Decimal] = {}
    for line in lines:
        if line.counts:
            by_month[line.invoiced_on.replace(day=1)] = (
                by_month.get(line.invoiced_on.replace(day=1), Decimal(0)) + line.amount - line.discount
            )
    for number, month in enumerate(months_between(start, end)):
        served = _serving(rng, subscriptions, month, end, number)
        made.extend(served)
        made.extend(_shared(rng, served, month, number, end))
        made.extend(
            _running(rng, served, by_month.get(add_months(month, -1), Decimal(0)), by_month.get(month, Decimal(0)), month, number, end)
        )
    made.extend(_onboarding(rng, purchases, end))
    return made


def _serving(rng: random.Random, subscriptions: list[Subscription], month: dt.date, end: dt.date, number: int) -> list[Booking]:
    """Hosting and support of the month, a line for each customer and product that is served on its first day."""
    seats: dict[tuple[str, str], tuple[Customer, Product, int]] = {}
    for subscription in subscriptions:
        if subscription.paid_from is None or subscription.paid_from > month or (subscription.ended_on and subscription.ended_on <= month):
            continue
        key = (subscription.customer.id, subscription.product.name)
        known = seats.get(key, (subscription.customer, subscription.product, 0))
        seats[key] = (known[0], known[1], known[2] + subscription.seats)
    days = (add_months(month, 1) - month).days
    runaway = story.runaway_factor(month, end)
    made = []
    for customer, product, count in seats.values():
        # Usage comes by the day: a short month costs less.
        usage = product.price * count * 12 * days / 365
        away = runaway if (product.name, customer.segment.name) == (story.RUNAWAY_PRODUCT, story.RUNAWAY_SEGMENT) else Decimal(1)
        hosting = cents(usage * product.hosting * away * rng.randint(94, 106) / 100)
        # Support follows the runaway at two thirds: the same outages make people call.
        support = cents(usage * product.support * customer.segment.support / 100 * (1 + 2 * away) / 3 * rng.randint(90, 110) / 100)
        memo = f"{product.name} usage {month:%Y-%m}, {count} seats"
        made.append(_line(HOSTING, month, "Journal Entry", f"CU{number + 1:03}", customer, product, memo, CLEARING, hosting))
        made.append(
            _line(
                SUPPORT, month, "Journal Entry", f"SU{number + 1:03}", customer, product, f"Support hours {month:%Y-%m}", PAYROLL, support
            )
        )
    return made


def _shared(rng: random.Random, served: list[Booking], month: dt.date, number: int, end: dt.date) -> list[Booking]:
    """Costs that nobody split: monitoring without a class, the help desk's licences, true-ups of last month."""
    made = [
        _vendor(
            HOSTING,
            month,
            "Bill",
            f"MON-{number + 401}",
            "Lookout Monitoring Inc.",
            None,
            "Monitoring, all products",
            Decimal(rng.randint(190000, 240000)) / 100,
        ),
        _vendor(
            SUPPORT,
            month,
            "Bill",
            f"HD-{number + 77}",
            "Callbox Ltd",
            None,
            'Help desk "Team" licences',
            Decimal(rng.randint(160000, 200000)) / 100,
        ),
    ]
    day = month + dt.timedelta(days=11)
    if day <= end:
        for product in rng.sample(story.PRODUCTS, 2):
            amount = Decimal(rng.randint(-180000, 180000)) / 100
            kind = "Vendor Credit" if amount < 0 else "Bill"
            made.append(
                _vendor(HOSTING, day, kind, f"NC-{number:03}{product.project}", _CLOUD, product, "True-up of reserved capacity", amount)
            )
    return made


def _running(
    rng: random.Random, served: list[Booking], billed_before: Decimal, billed: Decimal, month: dt.date, number: int, end: dt.date
) -> list[Booking]:
    """Sales, marketing and engineering, and the other sides of it all: bank, receivables, payables, income."""
    hosting = sum((b.amount for b in served if b.ledger_account == HOSTING), Decimal(0))
    support = sum((b.amount for b in served if b.ledger_account == SUPPORT), Decimal(0))
    journal, bill = f"CU{number + 1:03}", f"NC-{number + 2101}"
    made = [
        _vendor(CLEARING, month, "Bill", bill, _CLOUD, None, f"Cloud {month:%Y-%m}", hosting, PAYABLES),
        _vendor(PAYABLES, month, "Bill", bill, _CLOUD, None, f"Cloud {month:%Y-%m}", hosting, CLEARING),
        _vendor(CLEARING, month, "Journal Entry", journal, "", None, "Cloud by customer", -hosting, "-Split-"),
        _vendor(PAYROLL, month, "Journal Entry", f"SU{number + 1:03}", "", None, "Support by customer", support, "-Split-"),
    ]
    grown = 100 + number
    for account, base, vendors in (
        (SALES, 210_000_00, ("Payroll", "Brightline Travel GmbH", "Dealdesk Inc.")),
        (MARKETING, 120_000_00, ("Payroll", "Kranich Agentur GmbH", "Messe Mitte AG")),
        (ENGINEERING, 420_000_00, ("Payroll", "Forge Contractors Ltd", "Buildhouse Inc.")),
    ):
        for product in story.PRODUCTS:
            share = sum(product.weights)
            for vendor, part in zip(vendors, (70, 20, 10), strict=True):
                day = month + dt.timedelta(days=rng.randint(0, 9))
                amount = Decimal(base * grown // 100 * share * part // (296 * 100) * rng.randint(92, 108) // 100) / 100
                if day <= end:
                    kind = "Journal Entry" if vendor == "Payroll" else "Expense"
                    made.append(
                        _vendor(
                            account,
                            day,
                            kind,
                            f"{account[:2]}{number:03}{product.project}",
                            vendor,
                            product,
                            f"{account[5:]} {month:%Y-%m}",
                            amount,
                            BANK,
                        )
                    )
    collected = month + dt.timedelta(days=8)
    if billed_before and collected <= end:
        made.append(
            _vendor(
                BANK, collected, "Deposit", f"D{number:03}", "Stripe Payouts", None, "Payouts of last month", billed_before, RECEIVABLES
            )
        )
        made.append(
            _vendor(
                RECEIVABLES, collected, "Deposit", f"D{number:03}", "Stripe Payouts", None, "Payouts of last month", -billed_before, BANK
            )
        )
    closed = min(add_months(month, 1) - dt.timedelta(days=1), end)
    if billed:
        made.append(_vendor(RECEIVABLES, closed, "Journal Entry", f"ST{number:03}", "", None, "Stripe billing", billed, INCOME))
        made.append(_vendor(INCOME, closed, "Journal Entry", f"ST{number:03}", "", None, "Stripe billing", billed, RECEIVABLES))
    paid = month + dt.timedelta(days=24)
    if paid <= end:
        made.append(_vendor(PAYABLES, paid, "Bill Payment (Check)", f"P{number:03}", _CLOUD, None, "", -hosting, BANK))
        made.append(_vendor(BANK, paid, "Bill Payment (Check)", f"P{number:03}", _CLOUD, None, "", -hosting, PAYABLES))
        made.append(_vendor(PAYROLL, paid, "Payroll Check", f"PR{number:03}", "Payroll", None, "Support team", -support, BANK))
        made.append(_vendor(BANK, paid, "Payroll Check", f"PR{number:03}", "Payroll", None, "Support team", -support, PAYROLL))
    return made


def _onboarding(rng: random.Random, purchases: list[Purchase], end: dt.date) -> list[Booking]:
    """Starting up a new customer's product takes consultants' days, booked two weeks after the purchase."""
    made = []
    for number, purchase in enumerate(purchases):
        day = purchase.day + dt.timedelta(days=14)
        if purchase.kind == "opening" or day > end:
            continue
        first = purchase.kind == "new"
        amount = cents(purchase.list_unit * purchase.seats * rng.randint(30, 55) / 100 * (1 if first else Decimal("0.3")))
        made.append(
            _line(
                ONBOARDING,
                day,
                "Expense",
                f"ON{number:04}",
                purchase.customer,
                purchase.product,
                f"Onboarding, {purchase.product.name}",
                BANK,
                amount,
            )
        )
    return made


def _line(
    account: str, day: dt.date, kind: str, number: str, customer: Customer, product: Product, memo: str, split: str, amount: Decimal
) -> Booking:
    return Booking(account, day, kind, number, customer.ledger_name, product.name, memo, split, amount, customer, product)


def _vendor(
    account: str,
    day: dt.date,
    kind: str,
    number: str,
    vendor: str,
    product: Product | None,
    memo: str,
    amount: Decimal,
    split: str = PAYABLES,
) -> Booking:
    return Booking(account, day, kind, number, vendor, product.name if product else "", memo, split, amount, None, product)
