"""Making the sample company and writing its files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

from kpi.demo import billing, engineering, jira, ledger, market, quickbooks, sales, salesforce, service, story, stripe
from kpi.demo.company import Company, chance

#: The seed of ``make run``: chosen for nothing but being a year.
DEFAULT_SEED: Final = 2026
#: What makes the files, in the order they are written.
WRITERS: Final = (salesforce, stripe, quickbooks, jira)


def default_end(today: dt.date) -> dt.date:
    """The last day of the last full week before ``today``: a Sunday."""
    return today - dt.timedelta(days=today.isoweekday())


def make(seed: int, end: dt.date) -> Company:
    """Three years of the company up to and with ``end``, the same for the same seed and end.

    What is exported reaches to the last day in every system, so that the last week is whole: a customer signs up
    then (subscription, invoice, payment), a case and a deal come in, each team books hours; the ledger says its
    period in its title.
    """
    start = story.start_of(end)
    rng = chance(seed, end, "market")
    accounts = market.accounts(rng, start, end)
    customers = market.customers(rng, accounts, end)
    purchases = market.purchases(rng, customers, start, end)
    subscriptions = billing.subscriptions(chance(seed, end, "subscriptions"), purchases, start, end)
    lines = billing.invoice_lines(chance(seed, end, "invoices"), subscriptions, start, end)
    return Company(
        seed=seed,
        start=start,
        end=end,
        accounts=tuple(accounts),
        customers=tuple(customer for customer, _ in customers),
        subscriptions=tuple(subscriptions),
        invoice_lines=tuple(lines),
        payments=tuple(billing.payments(chance(seed, end, "payments"), lines, end)),
        bookings=tuple(ledger.bookings(chance(seed, end, "ledger"), purchases, subscriptions, lines, start, end)),
        deals=tuple(sales.deals(chance(seed, end, "deals"), accounts, purchases, subscriptions, start, end)),
        cases=tuple(service.cases(chance(seed, end, "cases"), subscriptions, start, end)),
        issues=tuple(engineering.issues(chance(seed, end, "issues"), start, end)),
    )


def write(company: Company, folder: Path) -> Iterator[tuple[Path, int]]:
    """Write all files under ``folder``; yields each with its number of records as it is done."""
    for writer in WRITERS:
        yield from writer.write(company, folder / folder_of(writer))


def folder_of(writer: ModuleType) -> str:
    """The folder of a system's files: its name."""
    return writer.__name__.rsplit(".", 1)[-1]
