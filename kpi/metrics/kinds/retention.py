"""Retention: how much of an earlier stock its accounts have now."""

from __future__ import annotations

import re
from typing import Final, cast

from kpi.errors import did_you_mean
from kpi.metrics import clashes
from kpi.metrics.kinds.base import About, Context
from kpi.metrics.model import During, Leaf, Metric, MetricRef, Retained, Shift
from kpi.metrics.problems import Key
from kpi.metrics.resolving import MOST, ShiftUnit

#: What can be followed: amounts and rows by their account, and whatever is counted once.
_FOLLOWED: Final = ("sum", "count", "count_distinct")


class RetentionKind:
    """See ``meaning``."""

    name = "retention"
    meaning = "what the accounts of an earlier stock have of it now, as a share of what they had then"
    marks: tuple[str, ...] = ("retention",)
    keys: tuple[Key, ...] = (
        Key("retention", "a metric", "the stock: a sum, count or count_distinct during: two days", required=True),
        Key("after", "a length, such as 1 year or 3 months", "how long before the period's end its accounts are taken; default 1 year"),
        Key("capped", "true or false", "true: no account counts for more than it had then (gross); default false (net)"),
    )

    def read(self, about: About, context: Context) -> Metric | None:
        """Read one; every key is checked even when another is wrong."""
        back = _back(about, context)
        value = about.mapping.get("capped")
        capped = "false" if value is None else context.problems.choice(value, ("true", "false"), "whether it is capped")
        stock = _stock(about, context)
        fields = about.fields(context, clashes.UNKNOWN if stock is None else "percent", "a retention")
        if fields is None or stock is None or back is None or capped is None:
            return None
        return Leaf(
            **fields,
            aggregate=stock.aggregate,
            table=stock.table,
            value=stock.value,
            percent=None,
            condition=stock.condition,
            time=stock.time,
            money=stock.money,
            switches=stock.switches,
            free_stays=stock.free_stays,
            retained=Retained(stock.name, back, capped == "true"),
        )


def _stock(about: About, context: Context) -> Leaf | None:
    """The metric that is followed, or None with its problem added."""
    value = about.mapping.get("retention")
    name = context.problems.text(value, "a metric")
    if name is None or value is None:
        return None
    if name not in context.metrics:
        context.problems.at(value, f'no metric is called "{name}"{did_you_mean(name, context.metrics)}')
        return None
    stock = context.metric(name)
    if not isinstance(stock, Leaf) or not isinstance(stock.time, During) or stock.moved is not None or stock.retained is not None:
        context.problems.at(value, f"{name} is no stock; a retention follows the sum or count of rows during: two days")
    elif stock.aggregate not in _FOLLOWED:
        context.problems.at(value, f"{name} takes the {stock.aggregate}, of which no account has a share; take a {', '.join(_FOLLOWED)}")
    elif stock.aggregate != "count_distinct" and "account_id" not in context.catalog.tables[stock.table].columns:
        context.problems.at(value, f"{name} is of {stock.table}, whose rows have no customer (account_id) to follow")
    else:
        return stock
    return None


def _back(about: About, context: Context) -> Shift | None:
    """How long ago; its inner node is empty, so that equal lengths are equal."""
    value = about.mapping.get("after")
    if value is None:
        return Shift(MetricRef(""), 1, "year")
    text = context.problems.text(value, "a length of time")
    found = re.fullmatch(r"([0-9]{1,4}) (day|week|month|quarter|year)s?", text or "")
    if text is None:
        return None
    if found is None:
        context.problems.at(value, f'"{text}" is no length of time; write it as 1 year, 3 months or 28 days')
        return None
    count, unit = int(found.group(1)), found.group(2)
    if not 1 <= count <= MOST[unit]:
        context.problems.at(value, f'"{text}" is not from 1 to {MOST[unit]} {unit}s')
        return None
    return Shift(MetricRef(""), count, cast("ShiftUnit", unit))


RETENTION = RetentionKind()
