"""Leaf metrics: an aggregate of a table, at a time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from kpi import yamlfile
from kpi.errors import BadExpression, did_you_mean
from kpi.language.problems import Key
from kpi.metrics import clashes, expressions
from kpi.metrics.catalog import Catalog
from kpi.metrics.kinds import allocation, times
from kpi.metrics.kinds.base import About, Context
from kpi.metrics.kinds.parts import with_metrics
from kpi.metrics.kinds.switches import KEYS as SWITCH_KEYS
from kpi.metrics.kinds.switches import switched
from kpi.metrics.model import Aggregate, Call, Column, Leaf, Metric, Money, Node, Over, Time
from kpi.metrics.operators import IN_WORDS, Operators, shown

AGGREGATES: Final[tuple[Aggregate, ...]] = ("sum", "count", "count_distinct", "average", "min", "max", "median", "percentile")
#: Aggregates whose value is a quantity, and so has the quantity's unit and currency.
_QUANTITIES: Final = ("sum", "average", "min", "max", "median", "percentile")


class LeafKind:
    """See ``meaning``."""

    name = "leaf"
    meaning = "an aggregate of a table's rows, at a time"
    marks: tuple[str, ...] = AGGREGATES
    keys: tuple[Key, ...] = (
        Key("sum", "an expression on the table's columns", "the sum of it over the rows"),
        Key("count", "a table, or an expression with of:", "how many rows (or rows where the expression is known)"),
        Key("count_distinct", "an expression", "how many different values"),
        Key("average", "an expression", "the mean of the known values"),
        Key("min", "an expression", "the smallest"),
        Key("max", "an expression", "the largest"),
        Key("median", "an expression", "the middle value; between two, the mean of both"),
        Key("percentile", "an expression, with at_percent:", "the value below which that share lies, interpolated"),
        Key("at_percent", "a number from 0 to 100", "which percentile"),
        Key("of", "a table", "whose rows are taken"),
        Key("where", "a condition", "which rows; a missing value is kept by <> and not in"),
        Key("at", "a day or an instant", "an event: it counts in the period that holds the day"),
        Key("over", "[from, to], two days", "a flow: spread evenly over the days from ≤ day < to"),
        Key("during", "[from, to], two days", "a stock: rows with from ≤ day < to on the period's last day; an empty to is open"),
        Key(
            "snapshot",
            "{at: a day, take: last, each: account}",
            "balances that are written down now and then: of each its last (or first) one in the period",
        ),
        Key("allocate", "{to: [account, product], by: revenue, each: month}", "how rows that lack a key are split"),
        *SWITCH_KEYS,
    )

    def read(self, about: About, context: Context) -> Metric | None:
        """Read one; every key is checked even when another is wrong."""
        mapping = about.mapping
        marks = [name for name in AGGREGATES if mapping.get(name) is not None]
        if len(marks) > 1:
            about.problem(context, marks[1], f"a metric has one of {', '.join(AGGREGATES)}; this one has {' and '.join(marks)}")
            return None
        aggregate = marks[0]
        table = _table(about, aggregate, context)
        if table is None:
            about.fields(context, clashes.UNKNOWN, "the table")
            return None
        counted = mapping.get("count")
        if isinstance(counted, yamlfile.Scalar) and mapping.get("of") is not None and _is_table(counted.text, table, context.catalog):
            context.problems.at(counted, f"count: {counted.text} counts the rows of that table, and of: says {table}; keep one of them")
            about.fields(context, clashes.UNKNOWN, "the table")
            return None
        scope = expressions.Scope(table, context.dimensions, context.lookup, about.name, catalog=context.catalog)
        counts_rows = aggregate == "count" and mapping.get("of") is None
        value = None if counts_rows else about.resolved(context, aggregate, lambda text: _value(text, aggregate, scope))
        condition = about.resolved(context, "where", lambda text: _condition(text, with_metrics(scope, context)))
        time = times.read(about, scope, context)
        if isinstance(time, Over) and aggregate not in ("sum", "count"):
            about.problem(context, aggregate, f"a flow (over:) is spread over days and adds up; it takes sum or count, not {aggregate}")
            time = None
        percent = _percent(about, aggregate, context)
        sound = counts_rows or value is not None
        unit = _unit(aggregate, value, context.catalog) if sound else clashes.UNKNOWN
        fields = about.fields(context, unit, shown(value) if value is not None else f"count: {table}")
        shared = mapping.get("allocate")
        split = None if shared is None else allocation.read(shared, about.name, table, aggregate, time, context)
        if fields is None or time is None or not sound or (shared is not None and split is None):
            return None
        money = _money(value, table, time, context.catalog) if aggregate in _QUANTITIES and value is not None else None
        made = Leaf(
            **fields,
            aggregate=aggregate,
            table=table,
            value=value,
            percent=percent,
            condition=condition,
            time=time if split is None else allocation.spread_over_days(time),
            money=money,
            allocate=split,
        )
        return switched(made, about, context)


def _table(about: About, aggregate: str, context: Context) -> str | None:
    """The table of ``of``, or of ``count: deal``."""
    key = "of" if about.mapping.get("of") is not None or aggregate != "count" else "count"
    value = about.mapping.get(key)
    if value is None:
        about.problem(context, "of", "a metric on rows says whose: write of: and a table, such as of: deal")
        return None
    name = context.problems.text(value, "a table")
    if name is None:
        return None
    known = context.catalog.names()
    if name in context.unseen:
        return None
    if name not in known:
        context.problems.at(value, f'no table is called "{name}"{did_you_mean(name, known) or "; known are " + ", ".join(known)}')
        return None
    return name


def _is_table(name: str, beside: str, catalog: Catalog) -> bool:
    """Whether a name is another table's, and no column of this one."""
    return name in catalog.names() and name not in catalog.tables[beside].columns and name != beside


def _value(text: str, aggregate: Aggregate, scope: expressions.Scope) -> Node:
    node = expressions.row(text, scope)
    kind = Operators(lambda name: "number", mixes=False).type_of(node)
    if not expressions.columns_of(node) and aggregate != "sum":
        raise BadExpression(f"{aggregate} needs a column of {scope.table}, and {shown(node)} names none")
    if aggregate in _QUANTITIES and kind not in ("number", "money"):
        raise BadExpression(f"{aggregate} needs a number, and {shown(node)} is {IN_WORDS[kind]}")
    if aggregate in _QUANTITIES:
        _no_fan_out(node, aggregate, scope.table)
    return node


def _no_fan_out(node: Node, aggregate: str, table: str) -> None:
    """A joined row's amount belongs to it once, however many rows point at it."""
    for column in _added(node):
        if column.path and (aggregate == "sum" or column.type == "money"):
            raise BadExpression(
                f"{column.table}.{column.name} belongs to {column.table}, and would be counted once for each {table}; "
                f"write a metric of: {column.table} instead"
            )


def _added(node: Node) -> tuple[Column, ...]:
    """Number columns whose values are added up; what only decides a condition is none of them."""
    if isinstance(node, Column):
        return (node,) if node.type in ("number", "money") else ()
    if not isinstance(node, Call) or node.type == "flag":
        return ()
    return tuple(column for argument in node.arguments for column in _added(argument))


def _condition(text: str, scope: expressions.Scope) -> Node:
    return Operators(lambda name: "number", mixes=False).condition(expressions.row(text, scope), "where")


def _percent(about: About, aggregate: str, context: Context) -> Decimal | None:
    value = about.mapping.get("at_percent")
    if aggregate != "percentile":
        if value is not None:
            context.problems.at(value, f"at_percent goes with percentile, and this metric is a {aggregate}")
        return None
    if value is None:
        about.problem(context, "at_percent", "a percentile says which: a number from 0 to 100")
        return None
    percent = context.problems.number(value, "a percentile")
    if percent is not None and not 0 <= percent <= 100:
        context.problems.at(value, f"{percent} is not from 0 to 100")
        return None
    return percent


def _unit(aggregate: str, value: Node | None, catalog: Catalog) -> str | None:
    if aggregate not in _QUANTITIES or value is None:
        return "number"
    if isinstance(value, Column):
        hours = catalog.tables[value.table].columns[value.name].info["unit"] == "hours"
        return "hours" if hours else ("money" if value.type == "money" else "number")
    if isinstance(value, Call) and value.function in ("days", "hours"):
        return value.function
    return "money" if isinstance(value, Call) and value.type == "money" else "number"


def _money(value: Node, table: str, time: Time, catalog: Catalog) -> Money | None:
    """How the value finds its currency; None for values that aren't money."""
    if not isinstance(value, Column | Call) or value.type != "money":
        return None
    names = catalog.tables[table].columns.keys()
    twins = [f"home_{column.name}" in names for column in expressions.columns_of(value) if column.type == "money"]
    home = all(twins) and "home_currency" in names

    def twin(column: Column) -> Column:
        return replace(column, name=f"home_{column.name}") if column.type == "money" and not column.path else column

    return Money(
        currency=expressions.column(table, "currency", catalog=catalog),
        home_value=expressions.mapped(value, twin) if home else None,
        home_currency=expressions.column(table, "home_currency", catalog=catalog) if home else None,
        document=times.document(time),
    )


LEAF = LeafKind()
