"""How the rows of a leaf metric stand in time: an event, a flow, a stock, or a balance that is written down now and then."""

from __future__ import annotations

from typing import Final, cast

from kpi import yamlfile
from kpi.errors import BadExpression, KpiError
from kpi.language.problems import Key
from kpi.metrics import expressions
from kpi.metrics.catalog import VALID
from kpi.metrics.entities import entity, known
from kpi.metrics.kinds.base import About, Context, expression
from kpi.metrics.model import At, Call, Column, During, Moment, Node, Over, Snapshot, Time
from kpi.metrics.operators import IN_WORDS, Operators, shown
from kpi.warehouse import schema

TIMES: Final = ("at", "over", "during", "snapshot")
TAKEN: Final = ("last", "first")

SNAPSHOT: Final = (
    Key("at", "a day or an instant", "when the balance of a row holds", required=True),
    Key("take", "last or first", "which balance of the period; default last"),
    Key("each", "account, deal, … or columns, such as [account_id, product_id]", "of each its own; without it all rows are one balance"),
)


def read(about: About, scope: expressions.Scope, context: Context) -> Time | None:
    """How the metric stands in time, or None with its problem added."""
    stated = [name for name in TIMES if about.mapping.get(name) is not None]
    if len(stated) != 1:
        if stated:
            about.problem(context, stated[1], f"a metric on rows has one of {', '.join(TIMES)}; this one has {' and '.join(stated)}")
        else:
            about.problem(context, "at", f"a metric on rows says when: write one of {', '.join(TIMES)}")
        return None
    value = about.mapping.get(stated[0])
    if value is None:
        return None
    if stated[0] == "snapshot":
        return _snapshot(value, scope, context)
    if stated[0] == "at":
        column = _day(value, scope, context)
        return None if column is None else At(column)
    if not isinstance(value, yamlfile.Sequence) or len(value.items) != 2:
        context.problems.at(value, f"{stated[0]} takes two days, [from, to]")
        return None
    start, end = (_day(item, scope, context) for item in value.items)
    if start is None or end is None:
        return None
    wrong = _turned(stated[0], start, end, scope)
    if wrong:
        context.problems.at(value, wrong)
        return None
    if stated[0] == "during":
        return During(start, end)
    column_of_day = scope.catalog.tables[scope.table].info["day"]
    return Over(start, end, expressions.column(scope.table, column_of_day, catalog=scope.catalog) if column_of_day else None)


def _turned(key: str, start: Moment, end: Moment, scope: expressions.Scope) -> str:
    """What is wrong with two days that can't follow each other, in a sentence: no row would stand between them."""
    begins, ends = expressions.columns_of(start), expressions.columns_of(end)
    if all(_is_later(one, other, scope) for one in begins for other in ends):
        return f"{key} takes [from, to], and {shown(start)} comes after {shown(end)}; write [{shown(end)}, {shown(start)}]"
    if key == "during" and start == end:
        return f"during takes two days, [from, to]; with {shown(start)} for both no day lies between them"
    return ""


def _is_later(one: Column, other: Column, scope: expressions.Scope) -> bool:
    """Whether a day can only come after another of the same row."""
    if one.path != other.path or one.table != other.table:
        return False
    if one.table in scope.catalog.given:
        return scope.catalog.is_history(one.table) and (other.name, one.name) == VALID
    return one.name in schema.AFTER.get(f"{other.table}.{other.name}", ())


def document(time: Time) -> Moment:
    """The day whose rate counts; a stock's is the day asked for, and its start stands in."""
    if isinstance(time, At | Snapshot):
        return time.column
    if isinstance(time, Over) and time.document is not None:
        return time.document
    return time.start


def _snapshot(value: yamlfile.Value, scope: expressions.Scope, context: Context) -> Snapshot | None:
    problems = context.problems
    mapping = problems.mapping(value, "{at: day, take: last, each: account}")
    if mapping is None:
        return None
    whole = problems.keys(mapping, SNAPSHOT, "a snapshot")
    at, taken, each = (mapping.get(key.name) for key in SNAPSHOT)
    column = None if at is None else _day(at, scope, context)
    take = "last" if taken is None else problems.choice(taken, TAKEN, "a balance to take")
    of = () if each is None else _each(each, scope, context)
    if column is None or take is None or of is None or not whole:
        return None
    return Snapshot(column, of, take == "first")


def _each(value: yamlfile.Value, scope: expressions.Scope, context: Context) -> tuple[Node, ...] | None:
    """Whose the balance of a row is: entities that the table leads to, or columns of its own."""
    found: list[Node] = []
    names = context.problems.names(value, "what each balance is of")
    columns = scope.catalog.tables[scope.table].columns
    for item in names:
        name = item.text.strip()
        try:
            own = name in columns and name not in known(scope.catalog)
            node = expressions.column(scope.table, name, catalog=scope.catalog) if own else entity(name, scope.table, scope.catalog)
        except KpiError as error:
            context.problems.at(item, str(error))
            continue
        if node in found:
            context.problems.at(item, f"{name} is there twice")
        else:
            found.append(node)
    return tuple(found) if names and len(found) == len(names) else None


def _day(value: yamlfile.Value, scope: expressions.Scope, context: Context) -> Moment | None:
    def read(text: str) -> Node:
        node = expressions.row(text, scope)
        if not isinstance(node, Column | Call) or node.type not in ("day", "instant") or not expressions.columns_of(node):
            kind = IN_WORDS[Operators(lambda name: "number", mixes=False).type_of(node)]
            days = [column.name for column in scope.catalog.tables[scope.table].columns if column.info["unit"] in ("day", "instant")]
            raise BadExpression(f"{shown(node)} is {kind}; a time is a column with a day: {', '.join(days)}")
        return node

    return cast("Moment | None", expression(value, context.problems, read))
