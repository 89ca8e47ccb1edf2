"""Figures in plain Python, a row and a day at a time, written from the page: what whole queries are held to.

Nothing of the program is used but the rows. A calendar is a list of months; a window is two days; a figure is a sum over
the rows whose day is between them.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

DAY = dt.timedelta(days=1)
EXACT = Context(prec=60)
Days = tuple[dt.date, dt.date]
Row = Mapping[str, Any]
Group = Mapping[str, str | None]
#: What is written around a metric: its name, then a number and a unit, or a unit.
Step = tuple[Any, ...]
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7, "month": 28, "quarter": 91, "year": 364}


class Months:
    """A calendar: the first days of its months, twelve a fiscal year."""

    def __init__(self, week_starts: int = 0, year_starts: int = 1, pattern: Sequence[int] = ()) -> None:
        self.week_starts = week_starts
        self.starts: list[dt.date] = []
        for year in range(2018, 2032):
            day = self._nearest(dt.date(year, year_starts, 1))
            for place in range(12):
                month = year_starts - 1 + place
                self.starts.append(day if pattern else dt.date(year + month // 12, month % 12 + 1, 1))
                day += 7 * DAY * (pattern[place % 3] if pattern else 0)

    def _nearest(self, day: dt.date) -> dt.date:
        """The week's first day that lies nearest."""
        return next(near for near in (day + place * DAY for place in range(-3, 4)) if near.weekday() == self.week_starts)

    def period(self, day: dt.date, grain: str) -> Days:
        if grain in ("day", "week"):
            back = (day.weekday() - self.week_starts) % 7 if grain == "week" else 0
            return day - back * DAY, day - back * DAY + (7 if grain == "week" else 1) * DAY
        first = (bisect.bisect_right(self.starts, day) - 1) // _MONTHS[grain] * _MONTHS[grain]
        return self.starts[first], self.starts[first + _MONTHS[grain]]

    def periods(self, since: dt.date, until: dt.date, grain: str) -> list[Days]:
        if grain == "all":
            return [(since, until)]
        found = [self.period(since, grain)]
        while found[-1][1] < until:
            found.append(self.period(found[-1][1], grain))
        return found

    def earlier(self, day: dt.date, count: int, unit: str, grain: str) -> dt.date:
        if unit in ("day", "week") or grain in ("day", "week"):
            return day - count * _DAYS[unit] * DAY
        month = bisect.bisect_right(self.starts, day) - 1
        place = day - self.starts[month]
        month -= count * _MONTHS[unit]
        return min(self.starts[month] + place, self.starts[month + 1] - DAY)


@dataclass(frozen=True)
class Company:
    """Rows by table, versions of accounts as (from, to, attributes), and rates of the dollar by day."""

    accounts: Mapping[str, Sequence[tuple[dt.date, dt.date | None, Mapping[str, Any]]]]
    tables: Mapping[str, Sequence[Row]]
    rates: Mapping[dt.date, Decimal]
    covers: Days
    found: dict[Any, list[tuple[Group, Any, bool]]] = field(default_factory=dict)

    def rate(self, day: dt.date) -> Decimal | None:
        """That of the day, else the last of the seven before."""
        return next((self.rates[day - age * DAY] for age in range(8) if day - age * DAY in self.rates), None)

    def converted(self, amount: Decimal | None, row: Row, day: dt.date, places: int = 16) -> tuple[Decimal | None, bool]:
        """The amount in euros, and whether it has no rate."""
        if amount is None or row["currency"] == "EUR":
            return amount, False
        rate = self.rate(day)
        return (None, amount != 0) if rate is None else (rounded(EXACT.multiply(amount, rate), places), False)

    def group(self, row: Row, day: dt.date) -> Group:
        """What the row's account was on a day, and what it is now."""
        versions = self.accounts.get(row["account_id"] or "", [(dt.date.min, None, {"region": None, "employees": None})])
        then = next(known for start, end, known in versions if start <= day and (end is None or day < end))
        size = then["employees"]
        return {
            "segment": None if size is None else "Large" if size >= 100 else "Small",
            "region": then["region"],
            "region_now": versions[-1][2]["region"],
        }

    def rows(self, name: str, start: dt.date, end: dt.date) -> list[tuple[Group, Any, bool]]:
        """What a leaf takes of the days from start to before end: the group, the value, and whether a rate lacks."""
        if (name, start, end) not in self.found:
            self.found[name, start, end] = list(LEAVES[name].rows(self, start, end))
        return self.found[name, start, end]


@dataclass(frozen=True)
class Leaf:
    """A leaf of the definitions: its rows, and what is made of their values."""

    text: str
    rows: Callable[[Company, dt.date, dt.date], Iterator[tuple[Group, Any, bool]]]
    of: Callable[[list[Any]], Any] = lambda values: sum(values, Decimal(0))
    is_stock: bool = False


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT)


def _flow(company: Company, start: dt.date, end: dt.date) -> Iterator[tuple[Group, Any, bool]]:
    """|amount| = q·n + r in units of 1e-8; its first r days carry q + 1."""
    for row in company.tables["invoice_line"]:
        first = row["service_from"] or row["service_to"] or row["invoiced_on"]
        after = row["service_to"] if row["service_from"] and row["service_to"] and row["service_to"] > first else first + DAY
        amount, lacks = company.converted(row["amount"], row, row["invoiced_on"], 8)
        share, rest = divmod(abs(int((amount or 0) * 10**8)), (after - first).days)
        for place in range((after - first).days if row["kind"] != "tax" else 0):
            day = first + place * DAY
            if start <= day < end:
                units = share + (place < rest)
                yield company.group(row, day), Decimal(units if (amount or 0) > 0 else -units).scaleb(-8), lacks


def _deals(value: str | None) -> Callable[[Company, dt.date, dt.date], Iterator[tuple[Group, Any, bool]]]:
    def rows(company: Company, start: dt.date, end: dt.date) -> Iterator[tuple[Group, Any, bool]]:
        for row in company.tables["deal"]:
            day = row["closed_on"]
            if row["is_won"] and day is not None and start <= day < end:
                taken = company.converted(row["amount"], row, day) if value == "amount" else (row[value] if value else 1, False)
                yield company.group(row, day), *taken

    return rows


def _terms(value: str | None) -> Callable[[Company, dt.date, dt.date], Iterator[tuple[Group, Any, bool]]]:
    def rows(company: Company, _: dt.date, end: dt.date) -> Iterator[tuple[Group, Any, bool]]:
        day = end - DAY
        for row in company.tables["subscription_term"]:
            if row["started_on"] is not None and row["started_on"] <= day and (row["ended_on"] is None or day < row["ended_on"]):
                taken = (
                    company.converted(row["monthly_amount"], row, day) if value == "monthly_amount" else (row[value] if value else 1, False)
                )
                yield company.group(row, day), *taken

    return rows


def _distinct(values: list[Any]) -> Decimal:
    return Decimal(len(set(values)))


def _middle(values: list[Any]) -> Any:
    values.sort()
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2 if values else None


def _mean(values: list[Any]) -> Any:
    return float(sum(values)) / len(values) if values else None


_WON = "of: deal, at: closed_on, where: is_won"
_TERM = "of: subscription_term, during: [started_on, ended_on]"
LEAVES = {
    "revenue": Leaf("sum: amount, of: invoice_line, over: [service_from, service_to], where: kind <> 'tax'", _flow),
    "bookings": Leaf(f"sum: amount, {_WON}", _deals("amount")),
    "average_deal": Leaf(f"average: amount, {_WON}", _deals("amount"), _mean),
    "middle_deal": Leaf(f"median: amount, {_WON}", _deals("amount"), _middle),
    "largest_deal": Leaf(f"max: amount, {_WON}", _deals("amount"), lambda values: max(values, default=None)),
    "mrr": Leaf(f"sum: monthly_amount, {_TERM}", _terms("monthly_amount"), is_stock=True),
    "won": Leaf("count: deal, at: closed_on, where: is_won", _deals(None)),
    "buyers": Leaf(f"count_distinct: account_id, {_WON}", _deals("account_id"), _distinct),
    "terms": Leaf("count: subscription_term, during: [started_on, ended_on]", _terms(None), is_stock=True),
    "customers": Leaf(f"count_distinct: account_id, {_TERM}", _terms("account_id"), _distinct, is_stock=True),
}


@dataclass
class Question:
    """A query, as far as figures hang on it."""

    company: Company
    months: Months
    grain: str
    since: dt.date
    until: dt.date
    by: Sequence[str]
    where: Sequence[Callable[[Group], bool]]
    #: Of the figure computed last: every window was there in full; an amount had no rate.
    whole: bool = True
    lacks: bool = False

    def window(self, period: Days, steps: Sequence[Step], is_stock: bool) -> Days | None:
        """The days that the steps lead to, outermost first, as far as they are covered; None: not known."""
        cut = _cut(_cut(period, (self.since, self.until)), self.company.covers)
        if cut[0] >= cut[1]:
            return None
        self.whole &= cut == period
        full = period
        for step in steps:
            full, cut = self._stepped(step, full, cut, is_stock)
        covered = _cut(cut, self.company.covers)
        self.whole &= covered == cut
        return covered if covered[0] < covered[1] else None

    def _stepped(self, step: Step, full: Days, cut: Days, is_stock: bool) -> tuple[Days, Days]:
        if step[0] == "previous":
            moved = self._earlier(full if full != cut and self.grain != "all" else cut, step)
            if full == cut or self.grain == "all":
                return moved, moved
            days = cut[1] - cut[0]  # as many, counted from the end that is whole
            if cut[0] == full[0]:
                return moved, _cut((moved[0], moved[0] + days), moved)
            start = moved[1] - days if cut[1] == full[1] else min(moved[0] + (cut[0] - full[0]), moved[1] - days)
            return moved, _cut((start, start + days), moved)
        last = cut[1] - DAY
        if step[0] == "rolling":
            start = self.months.earlier(cut[1], step[1], step[2], "month")
            return (start, cut[1]), (start, cut[1])
        if step[0] == "to_date":
            start = min(self.company.covers[0], cut[0]) if step[1] == "all" else self.months.period(last, step[1])[0]
            return (start, cut[1]), (start, cut[1])
        unit = self.months.period(last, step[1])[0]
        if is_stock:
            return (unit - DAY, unit), (unit - DAY, unit)
        first = cut if self.grain == "all" else self.months.period(unit, self.grain)
        return first, first

    def _earlier(self, days: Days, step: Step) -> Days:
        start, end = (self.months.earlier(day, step[1], step[2], self.grain) for day in days)
        return start, max(end, start + DAY)

    def leaf(self, name: str, period: Days, group: Sequence[Any], steps: Sequence[Step]) -> Any:
        """A leaf's value; steps are also ("only", condition) and ("total",), which change whose rows are taken."""
        leaf = LEAVES[name]
        days = self.window(period, [step for step in steps if step[0] not in ("only", "total")], leaf.is_stock)
        if days is None:
            self.whole = False
            return None
        asked = [*self.where, *(step[1] for step in steps if step[0] == "only")]
        everyone = ("total",) in steps
        found = [
            (value, lacks)
            for mine, value, lacks in self.company.rows(name, *days)
            if all(condition(mine) for condition in asked) and (everyone or [mine[key] for key in self.by] == list(group))
        ]
        if any(lacks for _, lacks in found):
            self.lacks = True
            return None
        return leaf.of([value for value, _ in found if value is not None])


def _cut(days: Days, by: Days) -> Days:
    start = max(days[0], by[0])
    return start, max(start, min(days[1], by[1]))
