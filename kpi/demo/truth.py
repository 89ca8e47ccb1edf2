"""The sample company's own figures, by plain arithmetic over what happened: no metrics layer, no warehouse.

Groups are (product, segment) with None for "(none)". Sums are Decimal and exact. The rules are those of the
metric language's manual (docs/metrics.md): a flow spreads evenly over its days in whole units of 1e-8, a stock is
what stands on the last day of a period, an event counts on its day.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kpi.demo import ledger
from kpi.demo.company import Account, Company, add_months
from kpi.demo.story import Product

Group = tuple[str | None, str | None]
#: A customer of the CRM and a product's name, None where nobody knows.
Pair = tuple[Account | None, str | None]
Days = tuple[dt.date, dt.date]
#: What is summed for a group within days (from <= day < to).
Sums = dict[Group, Decimal]

_UNITS: Final = 10**8
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Figures:
    """One period's figures for each group; ratios follow from them by :func:`margin` and :func:`win_rate`."""

    revenue: Sums
    cost_to_serve: Sums
    cost_to_win: Sums
    mrr: Sums
    won: Sums
    lost: Sums


def weeks(company: Company) -> list[Days]:
    """The weeks from Monday that lie wholly within the sample."""
    monday = company.start + dt.timedelta(days=-company.start.weekday() % 7)
    return [(monday + i * 7 * _DAY, monday + (i + 1) * 7 * _DAY) for i in range(((company.end + _DAY) - monday).days // 7)]


def figures(company: Company, periods: list[Days]) -> list[Figures]:
    """All figures of each of ``periods``, which are disjoint and in order."""
    revenue = _spread_all(line_flows(company), periods)
    cost = _spread_all(cost_flows(company), periods)
    winning = _spread_all(winning_flows(company), periods)
    return [
        Figures(
            revenue[i],
            cost[i],
            winning[i],
            _mrr(company, period),
            _decided(company, period, won=True),
            _decided(company, period, won=False),
        )
        for i, period in enumerate(periods)
    ]


def segment_of(account: Account | None) -> str | None:
    """Enterprise from 1000 employees, Mid-market from 100, else SMB; None where nobody knows."""
    if account is None or account.employees is None:
        return None
    return "Enterprise" if account.employees >= 1000 else "Mid-market" if account.employees >= 100 else "SMB"


def spread(amount: Decimal, start: dt.date, end: dt.date, since: dt.date, until: dt.date) -> Decimal:
    """The part of ``amount``, spread evenly over start <= day < end, that falls on since <= day < until.

    In whole units of 1e-8 an amount over n days is q·n + r; its first k days carry q·k + min(k, r).
    """
    if start == end:
        return amount if since <= start < until else Decimal(0)
    quotient, rest = divmod(int(abs(amount) * _UNITS), (end - start).days)

    def before(day: dt.date) -> int:
        passed = (min(max(day, start), end) - start).days
        return quotient * passed + min(passed, rest)

    part = Decimal(before(until) - before(since)) / _UNITS
    return part if amount >= 0 else -part


#: An amount of a group, spread over from <= day < to.
Flow = tuple[Group, Decimal, dt.date, dt.date]


def line_flows(company: Company) -> list[Flow]:
    """What was invoiced, net of discounts and credits and without tax, over its service."""
    made: list[Flow] = []
    for line in company.invoice_lines:
        if line.counts:
            group = (_name(line.product), segment_of(line.customer.account))
            start, end = line.service_from or line.invoiced_on, line.service_to or line.invoiced_on
            made.append((group, line.amount, start, end))
            if line.discount:
                made.append((group, -line.discount, start, end))
    return made


def cost_flows(company: Company) -> list[Flow]:
    """Hosting, support and onboarding, each over the month it is booked in; what names no customer by the month's revenue."""
    made: list[Flow] = []
    revenue = _monthly_revenue(company)
    for booking in company.bookings:
        if booking.ledger_account in ledger.COST_TO_SERVE:
            month, product = booking.day.replace(day=1), _name(booking.product)
            known = {pair: weight for pair, weight in revenue.get(month, {}).items() if product in (None, pair[1])}
            if booking.customer is None and known:
                made += _shared(booking.amount, month, known, None)
            else:
                account = booking.customer.account if booking.customer else None
                made.append(((product, segment_of(account)), booking.amount, month, add_months(month, 1)))
    return made


def winning_flows(company: Company) -> list[Flow]:
    """Sales and marketing over the month they are booked in, by the new customers won in that month; products are the ledger's."""
    made: list[Flow] = []
    won: dict[dt.date, dict[Pair, Decimal]] = {}
    for deal in company.deals:
        if deal.kind == "new" and deal.is_won and deal.closed_on is not None:
            of_month = won.setdefault(deal.closed_on.replace(day=1), {})
            of_month[deal.account, None] = of_month.get((deal.account, None), Decimal(0)) + 1
    for booking in company.bookings:
        if booking.ledger_account in (ledger.SALES, ledger.MARKETING):
            month, product = booking.day.replace(day=1), _name(booking.product)
            known = won.get(month, {})
            whole: Flow = ((product, None), booking.amount, month, add_months(month, 1))
            made += _shared(booking.amount, month, known, product) if known else [whole]
    return made


def _monthly_revenue(company: Company) -> dict[dt.date, dict[Pair, Decimal]]:
    """Month -> customer and product -> what is recognised in it up to the last day; pairs with none or less take no share."""
    made: dict[dt.date, dict[Pair, Decimal]] = {}
    for line in company.invoice_lines:
        if line.counts:
            start, end = line.service_from or line.invoiced_on, line.service_to or line.invoiced_on
            month = start.replace(day=1)
            while month <= company.end and (month < end or month <= start):
                after = min(add_months(month, 1), company.end + _DAY)
                of_month, pair = made.setdefault(month, {}), (line.customer.account, _name(line.product))
                for amount in (line.amount, -line.discount):
                    of_month[pair] = of_month.get(pair, Decimal(0)) + spread(amount, start, end, month, after)
                month = add_months(month, 1)
    return {month: {pair: weight for pair, weight in of_month.items() if weight > 0} for month, of_month in made.items()}


def _shared(amount: Decimal, month: dt.date, weights: dict[Pair, Decimal], product: str | None) -> list[Flow]:
    """A month's cost in proportion to weights; ``product``: of all parts, where weights have none."""
    groups: Sums = {}
    for (account, bought), weight in weights.items():
        _add(groups, (product or bought, segment_of(account)), weight)
    whole = sum(weights.values(), Decimal(0))
    return [(group, amount * weight / whole, month, add_months(month, 1)) for group, weight in groups.items()]


def margin(revenue: Decimal, cost: Decimal) -> Decimal | None:
    """Product margin; None without revenue."""
    return (revenue - cost) / revenue if revenue else None


def win_rate(won: Decimal, lost: Decimal) -> Decimal | None:
    """Won of won and lost; None where none was decided."""
    return won / (won + lost) if won + lost else None


def total(sums: Sums, keep: Callable[[Group], bool] = lambda group: True) -> Decimal:
    """The sum over the groups that ``keep`` says."""
    return sum((value for group, value in sums.items() if keep(group)), Decimal(0))


def by(sums: Sums, place: int) -> dict[str | None, Decimal]:
    """The sums by product (``place`` 0) or by segment (1) alone."""
    made: dict[str | None, Decimal] = {}
    for group, value in sums.items():
        made[group[place]] = made.get(group[place], Decimal(0)) + value
    return made


def _spread_all(flows: Iterable[Flow], periods: list[Days]) -> list[Sums]:
    """Each flow's part of each period it touches."""
    made: list[Sums] = [{} for _ in periods]
    starts = [start for start, _ in periods]
    for group, amount, start, end in flows:
        i = max(0, bisect.bisect_right(starts, start) - 1)
        while i < len(periods) and (starts[i] < end or starts[i] <= start):
            _add(made[i], group, spread(amount, start, end, *periods[i]))
            i += 1
    return made


def _mrr(company: Company, period: Days) -> Sums:
    """Recurring charge a month of the subscriptions that are paid for on the period's last day."""
    last = period[1] - _DAY
    made: Sums = {}
    for subscription in company.subscriptions:
        since = subscription.paid_from
        if since is not None and since <= last and (subscription.ended_on is None or last < subscription.ended_on):
            _add(made, (subscription.product.name, segment_of(subscription.customer.account)), subscription.monthly)
    return made


def _decided(company: Company, period: Days, *, won: bool) -> Sums:
    """Deals of new customers won or lost in the period; renewals and expansions are no wins of this kind."""
    made: Sums = {}
    for deal in company.deals:
        if deal.kind == "new" and deal.closed_on is not None and period[0] <= deal.closed_on < period[1] and deal.is_won is won:
            _add(made, (deal.product.name, segment_of(deal.account)), Decimal(1))
    return made


def _add(sums: Sums, group: Group, value: Decimal) -> None:
    sums[group] = sums.get(group, Decimal(0)) + value


def _name(product: Product | None) -> str | None:
    return product.name if product else None
