"""QuickBooks Online's General Ledger report as CSV, one file a calendar year: titles, account rows, totals, footer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

from kpi.demo import ledger, story
from kpi.demo.company import Booking, Company
from kpi.demo.exports import write_csv

_HEADER: Final = ("", "Date", "Transaction Type", "Num", "Name", "Customer", "Class", "Memo/Description", "Split", "Amount", "Balance")
#: English whatever the machine's language.
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: From the 25th on payments are in the ledger, whose dates can't be months.
_SHORTEST_YEAR_DAYS: Final = 31


def write(company: Company, folder: Path) -> Iterator[tuple[Path, int]]:
    """Write a file for each calendar year; yields each with its number of bookings.

    The report's title states its period, so that the last file says itself that it reaches to the last day.
    """
    balances = dict(ledger.CARRIED)
    for since, until in _years(company.start, company.end):
        bookings = [booking for booking in company.bookings if since <= booking.day <= until]
        path = folder / f"{story.COMPANY.split()[0]}_General_Ledger_{until.year}.csv"
        write_csv(path, _report(bookings, balances, since, until, company.end))
        yield path, len(bookings)


def _years(start: dt.date, end: dt.date) -> list[tuple[dt.date, dt.date]]:
    """First and last day of each report.

    The first days of a year go with the year before: in a file that ends on 3 January no date says whether the
    day or the month comes first, and nobody exports a year that has hardly begun.
    """
    years = [(max(start, dt.date(year, 1, 1)), min(end, dt.date(year, 12, 31))) for year in range(start.year, end.year + 1)]
    if (years[-1][1] - years[-1][0]).days < _SHORTEST_YEAR_DAYS:
        years[-2:] = [(years[-2][0], end)]
    return years


def _report(bookings: list[Booking], balances: dict[str, Decimal], since: dt.date, until: dt.date, end: dt.date) -> Iterator[list[str]]:
    made_on = end + dt.timedelta(days=1)
    yield [story.COMPANY]
    yield ["General Ledger"]
    yield [_period(since, until)]
    yield []
    yield list(_HEADER)
    for account in ledger.ACCOUNTS:
        own = sorted((booking for booking in bookings if booking.ledger_account == account), key=lambda booking: booking.day)
        carried = balances.get(account)
        if not own and not carried:
            continue
        yield [account, *[""] * 10]
        balance = carried or Decimal("0.00")
        if carried is not None:
            yield ["", "Beginning Balance", *[""] * 8, f"{balance:.2f}"]
        for booking in own:
            balance += booking.amount
            yield [
                "",
                booking.day.strftime("%m/%d/%Y"),
                booking.kind,
                booking.number,
                booking.name,
                booking.name if booking.customer else "",
                booking.class_name,
                booking.memo,
                booking.split,
                f"{booking.amount:.2f}",
                f"{balance:.2f}",
            ]
        if carried is not None:
            balances[account] = balance
        moved = sum((booking.amount for booking in own), Decimal(0))
        yield [f"Total for {account}", *[""] * 8, _dollars(moved), ""]
    yield []
    yield []
    yield [
        f" Accrual Basis {_DAYS[made_on.weekday()]}, {_MONTHS[made_on.month - 1]} {made_on.day}, {made_on.year} 07:42 AM GMT+01:00",
        *[""] * 10,
    ]


def _period(since: dt.date, until: dt.date) -> str:
    """``January 1 - December 31, 2025``."""
    first = f"{_MONTHS[since.month - 1]} {since.day}" + (f", {since.year}" if since.year != until.year else "")
    return f"{first} - {_MONTHS[until.month - 1]} {until.day}, {until.year}"


def _dollars(amount: Decimal) -> str:
    """Totals carry the sign of the company's currency and separators; rows don't."""
    return f"-€{-amount:,.2f}" if amount < 0 else f"€{amount:,.2f}"
