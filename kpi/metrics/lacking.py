"""Amounts that have no exchange rate: the very figure that lacks them, split by currency and the day of its rate.

The rows of the figure are read again, without conversion, so that filters, counted systems, coverage and the share of
a flow that falls into a period are those of the figure (SEMANTICS, rule 6).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.model import At, Call, During, Leaf, Literal_, Moment, Money, Node, Over, Snapshot, Time
from kpi.metrics.operations import Element, day_of
from kpi.metrics.reach import joined
from kpi.metrics.stages import rates
from kpi.metrics.stages.events import event_rows
from kpi.metrics.stages.scan import Part, Scan
from kpi.metrics.stages.snapshots import snapshots
from kpi.metrics.stages.spreading import UNIT_SCALE, met, spread
from kpi.metrics.stages.stocks import stocks
from kpi.metrics.windows import Window
from kpi.warehouse.reader import Reader


class Amount(NamedTuple):
    """What lacks a rate in one currency ("": none stated), on ``days`` days; of stocks the amount is that of ``last``."""

    currency: str
    first: dt.date
    last: dt.date
    days: int
    amount: Decimal


@dataclass(frozen=True)
class Lack:
    """Amounts without a rate, and beside them what is known of the same figures, in the currency asked for.

    Attributes:
        day: of stocks, the day of ``known``; None: over all days of the figures.
    """

    amounts: tuple[Amount, ...]
    known: Decimal
    day: dt.date | None


def lack(scan: Scan, windows: Sequence[Window], total: bool, reader: Reader) -> Lack:
    """What the figures of a converted leaf lack.

    Args:
        windows: as :func:`distinct` gives them.
        total: figures are over all groups, not of each.
    """
    leaf = scan.leaves[0]
    found = reader.run(_statement(scan, leaf, windows, total)).to_pylist()
    is_stock = isinstance(leaf.time, During)
    without: dict[str, dict[dt.date, Decimal]] = {}
    for row in found:
        if row["lacks"]:
            without.setdefault(row["currency"], {})[row["day"]] = row["amount"]
    amounts = []
    for currency, by_day in without.items():
        first, last = min(by_day), max(by_day)
        amounts.append(Amount(currency, first, last, len(by_day), by_day[last] if is_stock else sum(by_day.values(), Decimal(0))))
    day = max((amount.last for amount in amounts), default=None) if is_stock else None
    known = sum((row["known"] for row in found if row["known"] is not None and day in (None, row["day"])), Decimal(0))
    return Lack(tuple(amounts), known, day)


def distinct(windows: Sequence[Window], time: Time) -> tuple[Window, ...]:
    """The same days, each once, in as few windows as they need; a stock is asked for on last days only, balances in the last one."""
    if isinstance(time, Snapshot):  # of two windows put together they would be others
        return tuple(sorted(windows, key=lambda window: window.end)[-1:])
    if isinstance(time, During):
        return tuple(Window(end - dt.timedelta(days=1), end, True) for end in sorted({window.end for window in windows}))
    return tuple(Window(span.start, span.end, True) for span in joined(piece for window in windows for piece in window.pieces()))


def _statement(scan: Scan, leaf: Leaf, windows: Sequence[Window], total: bool) -> sa.Select[Any]:
    """Rows of currency, day of the rate, what has none (and how many amounts it is), and what is known."""
    rate = scan.rate
    assert leaf.money is not None  # noqa: S101 - only money is converted
    assert rate is not None  # noqa: S101 - and only where a rate may be needed
    own = () if total else scan.by
    split = _split(scan, leaf, leaf.money, windows, own)
    spans = split.spans()
    summed, scale = _amounts(split, spans)
    currency: Element = sa.func.coalesce(summed.c[split.groups[len(own)]], sa.literal(""))
    if isinstance(leaf.time, During):
        day: Element = spans.c.ends - 1
    else:
        day = operations.day_number(sa.cast(summed.c[split.groups[-1]], sa.Date()))
    source = rates.with_rate(sa.join(summed, spans, summed.c.place == spans.c.place), rate, currency, day)
    line = (
        sa.select(
            summed.c.place,
            *(summed.c[name] for name in split.groups[: len(own)]),
            currency.label("currency"),
            day.label("day"),
            summed.c.amount,
            rates.converted(summed.c.amount, scale, currency, scan.currency, rate, 8).label("known"),
            rates.unconverted(summed.c.amount, currency, scan.currency, rate).label("lacks"),
        )
        .select_from(source)
        .subquery("line")
    )
    figure = [line.c.place, *(line.c[name] for name in split.groups[: len(own)])]
    concerned = sa.select(line, sa.func.sum(line.c.lacks).over(partition_by=figure).label("figure_lacks")).subquery("concerned")
    column = concerned.c
    dates = day_of(column.day)
    return (
        sa.select(
            column.currency,
            sa.cast(dates, sa.Date()).label("day"),
            sa.func.sum(column.lacks).label("lacks"),
            sa.func.sum(sa.case((column.lacks > 0, column.amount))).label("amount"),
            sa.func.sum(column.known).label("known"),
        )
        .where(column.figure_lacks > 0)
        .group_by(column.currency, column.day)
        .order_by(column.currency, column.day)
    )


def _split(scan: Scan, leaf: Leaf, money: Money, windows: Sequence[Window], own: tuple[Node, ...]) -> Scan:
    """The scan of amounts as they are written, by the groups ``own``, the currency, and what is no stock by its rate's day."""
    value = leaf.value
    by: tuple[Node, ...] = (*own, money.currency)
    if not isinstance(leaf.time, During):
        value, stated = _stated(leaf, money, scan.currency)
        by = (*own, stated, _rate_day(leaf, money))
    plain = replace(leaf, aggregate="sum", value=value, money=None)
    return replace(scan, leaves=(plain,), slots={0: tuple(windows)}, by=by, rate=None)


def _amounts(split: Scan, spans: sa.CTE) -> tuple[Any, int]:
    """Rows of place, groups and amount, with the places of the amount.

    Stocks and balances are those of their stage. Events and flows are added up by window right away: their stages would carry
    every day of a rate through every window.
    """
    leaf = split.leaves[0]
    if isinstance(leaf.time, During | Snapshot):
        stage = stocks(split) if isinstance(leaf.time, During) else snapshots(split)
        part = stage.parts[leaf.name].value
        rows: Any = stage.selects[0].subquery("stack")
        place, source, amount, scale = rows.c.place, rows, rows.c[part.name], part.scale or 0
    elif isinstance(leaf.time, At):
        selected, scales = event_rows(split)
        happened = selected.subquery("happened")
        names = ("day", *split.groups)
        by_day = sa.select(*(happened.c[name] for name in names), sa.func.sum(happened.c.v0).label("v0"))
        rows = by_day.group_by(*(happened.c[name] for name in names)).subquery("by_day")
        day = operations.day_number(rows.c.day)
        source = sa.join(rows, spans, sa.and_(day >= spans.c.starts, day < spans.c.ends))
        place, amount, scale = spans.c.place, rows.c.v0, scales[0]
    else:
        rows, source, amount = met(spread(split), spans)
        place, scale = spans.c.place, UNIT_SCALE
    keys = [place, *(rows.c[name] for name in split.groups)]
    total = Part("amount", None if isinstance(leaf.time, Over) else scale).value(sa.func.sum(amount))
    return sa.select(*keys, total.label("amount")).select_from(source).group_by(*keys).subquery("figure"), scale


def _stated(leaf: Leaf, money: Money, home: str) -> tuple[Node | None, Node]:
    """Amount and currency of a row, of the source's own conversion where that is in ``home`` (as the figure takes it)."""
    if leaf.value is None or money.home_value is None or money.home_currency is None:
        return leaf.value, money.currency
    asked = Literal_(home, "text")
    taken = Call(
        "and",
        (
            Call("=", (money.home_currency, asked), "flag"),
            Call("not", (Call("is_null", (money.home_value,), "flag"),), "flag"),
            Call("<>", (money.currency, asked), "flag"),
        ),
        "flag",
    )
    return Call("case", (taken, money.home_value, leaf.value), "money"), Call("case", (taken, asked, money.currency), "text")


def _rate_day(leaf: Leaf, money: Money) -> Node:
    """The day whose rate counts; of a flow without a document's date, its first day."""
    if not isinstance(leaf.time, Over):
        return _day(money.document)
    known = [leaf.time.document, leaf.time.start, leaf.time.end]
    return Call("coalesce", tuple(_day(column) for column in known if column is not None), "day")


def _day(moment: Moment) -> Node:
    if moment.type == "instant":
        return Call("period", (moment, Literal_("day", "text")), "day")
    return moment
