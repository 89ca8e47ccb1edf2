"""What kinds that follow something ask of the metric they follow: its name, that it is a stock of customers, a number of days."""

from __future__ import annotations

import re
from typing import Final

from kpi import yamlfile
from kpi.errors import did_you_mean
from kpi.metrics.kinds.base import Context
from kpi.metrics.model import During, Leaf

#: Ten years; more is a slip of the pen.
MOST_DAYS: Final = 3660


def metric_name(value: yamlfile.Value | None, context: Context) -> str | None:
    """The name of a metric of the file, or None with its problem added; a key that is missing is told with the others."""
    name = None if value is None else context.problems.text(value, "a metric")
    if name is None or value is None:
        return None
    if name not in context.metrics:
        context.problems.at(value, f'no metric is called "{name}"{did_you_mean(name, context.metrics)}')
        return None
    return name


def stock(value: yamlfile.Value | None, context: Context, what: str) -> Leaf | None:
    """The metric named at a key, a stock, or None with its problem added; ``what`` says what is done with one."""
    name = metric_name(value, context)
    if name is None or value is None:
        return None
    found = context.metric(name)
    if isinstance(found, Leaf) and isinstance(found.time, During) and found.moved is None and found.retained is None:
        return found
    context.problems.at(value, f"{name} is no stock; {what}")
    return None


def has_customers(found: Leaf, value: yamlfile.Value, context: Context) -> bool:
    """Whether the rows of a stock have a customer to follow; where they don't, the problem is added."""
    if "account_id" in context.catalog.tables[found.table].columns:
        return True
    context.problems.at(value, f"{found.name} is of {found.table}, whose rows have no customer (account_id) to follow")
    return False


def day_count(value: yamlfile.Value | None, context: Context, example: int) -> int | None:
    """``90 days``, or None with its problem added, which shows how ``example`` days are written."""
    text = context.problems.text(value, "a number of days")
    if text is None or value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,4}) days?", text)
    if found is None or int(found.group(1)) > MOST_DAYS:
        context.problems.at(value, f'"{text}" is no number of days from 0 to {MOST_DAYS}; write it as {example} days')
        return None
    return int(found.group(1))
