"""Retention: how much of an earlier stock its accounts have now."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, cast

from kpi.language.problems import Key
from kpi.metrics import clashes
from kpi.metrics.kinds import following
from kpi.metrics.kinds.base import About, Context
from kpi.metrics.model import Leaf, Metric, MetricRef, Retained, Shift
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
        return replace(stock, **fields, retained=Retained(stock.name, back, capped == "true"))


def _stock(about: About, context: Context) -> Leaf | None:
    """The metric that is followed, or None with its problem added."""
    value = about.mapping.get("retention")
    stock = following.stock(value, context, "a retention follows the sum or count of rows during: two days")
    if stock is None or value is None:
        return None
    if stock.aggregate not in _FOLLOWED:
        share = f"takes the {stock.aggregate}, of which no account has a share"
        context.problems.at(value, f"{stock.name} {share}; take a {', '.join(_FOLLOWED)}")
        return None
    return stock if stock.aggregate == "count_distinct" or following.has_customers(stock, value, context) else None


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
