"""A checked syntax tree -> typed nodes, every name resolved to a column or a metric."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal, cast

from sqlglot import exp

from kpi.errors import BadExpression, KpiError, UnknownName, Unreachable, did_you_mean
from kpi.language import lexing, parsing
from kpi.metrics import functions, graph
from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.model import (
    AtStart,
    Call,
    Column,
    Cumulative,
    Dimension,
    Leaf,
    Literal_,
    MetricRef,
    Node,
    Only,
    Per,
    Rolling,
    Shift,
    ToDate,
    Total,
    Type,
)
from kpi.metrics.nodes import column, mapped, metrics_of
from kpi.metrics.operators import Operators, shown
from kpi.warehouse import schema

#: How like a word another is that was surely meant: "cancelled" is "canceled", "unpaid" isn't "paid".
_SLIP: Final = 0.85
#: Looks a dimension up by name; raises what its own definition raised.
Lookup = Callable[[str], Dimension | None]


@dataclass(frozen=True)
class Scope:
    """What the names of a row expression may mean.

    Attributes:
        table: the table whose rows it is computed on.
        dimensions: names of all dimensions; ``lookup`` gives one of them.
        metric: whose expression it is, for messages.
        columns: bare names may be columns of ``table`` (in definitions), not only dimensions (in queries).
        catalog: the tables there are.
        defining: the dimension this expression defines, in which a bare name prefers the column.
        metrics: names of those that per() may speak of; ``leaves`` gives the leaves of one, or None where there is no per().
    """

    table: str
    dimensions: tuple[str, ...]
    lookup: Lookup
    metric: str
    columns: bool = True
    defining: str | None = None
    catalog: Catalog = STANDARD
    metrics: tuple[str, ...] = ()
    leaves: Callable[[str], Iterable[Leaf]] | None = None


class _Tree:
    """What rows and formulas share: operators, literals, case, functions."""

    operators: Operators

    def name(self, tree: exp.Column) -> Node:
        raise NotImplementedError

    def special(self, name: str, arguments: list[exp.Expr]) -> Node | None:
        raise NotImplementedError

    def said(self, call: Call) -> Call:
        """The comparison itself, unless it compares with a misspelt word."""
        return call

    def node(self, tree: exp.Expr) -> Node:
        """The typed node of a tree, which is at most some sixty deep."""
        make = self.operators
        if isinstance(tree, exp.Paren):
            return self.node(tree.this)
        if isinstance(tree, exp.Column):
            return self.name(tree)
        if isinstance(tree, exp.Literal):
            return _literal(tree)
        if isinstance(tree, exp.Boolean):
            return Literal_(bool(tree.this), "flag")
        if isinstance(tree, exp.Null):
            return Literal_(None, "null")
        if isinstance(tree, exp.And | exp.Or):
            return make.both("and" if isinstance(tree, exp.And) else "or", [self.node(part) for part in _flat(tree)])
        if isinstance(tree, exp.Not):
            return Call("not", (make.condition(self.node(tree.this), "not"),), "flag")
        if isinstance(tree, exp.Neg):
            return make.negative(self.node(tree.this))
        if type(tree) in parsing.ARITHMETIC:
            return make.arithmetic(parsing.ARITHMETIC[type(tree)], self.node(tree.this), self.node(tree.expression))
        if type(tree) in parsing.COMPARISONS:
            return self.said(make.compare(parsing.COMPARISONS[type(tree)], self.node(tree.this), self.node(tree.expression)))
        if isinstance(tree, exp.Is):
            if not isinstance(tree.expression, exp.Null):
                raise BadExpression("is stands before null or not null only; write = to compare")
            return Call("is_null", (self.node(tree.this),), "flag")
        if isinstance(tree, exp.In):
            if not tree.expressions:
                raise BadExpression("in needs a list in parentheses, such as in ('active', 'past_due')")
            return self.said(make.within(self.node(tree.this), [self.node(other) for other in tree.expressions]))
        if isinstance(tree, exp.Between):
            return make.between(self.node(tree.this), self.node(tree.args["low"]), self.node(tree.args["high"]))
        if isinstance(tree, exp.Like):
            like = make.like(self.node(tree.this), self.node(tree.expression))
            return Call("not", (like,), "flag") if tree.args.get("negate") else like  # "not like" is one node, unlike "not in"
        if isinstance(tree, exp.Case):
            return self.case(tree)
        if isinstance(tree, exp.Anonymous):
            return self.call(tree)
        raise BadExpression(f"{type(tree).__name__.lower()} is not allowed in an expression")

    def case(self, tree: exp.Case) -> Node:
        subject = tree.this
        pairs = []
        for branch in tree.args["ifs"]:
            when = self.node(branch.this)
            if subject is not None:
                when = self.said(self.operators.compare("=", self.node(subject), when))
            pairs.append((when, self.node(branch.args["true"])))
        default = tree.args.get("default")
        return self.operators.case(pairs, None if default is None else self.node(default))

    def call(self, tree: exp.Anonymous) -> Node:
        name = str(tree.this).removeprefix(lexing.PREFIX)
        if name == "span":
            raise BadExpression("a length of time such as 1 year stands in previous() and rolling() only")
        function = functions.BY_NAME[name]
        arguments = list(tree.expressions)
        if not function.least <= len(arguments) <= function.most:
            raise BadExpression(f"{name}() is written {function.written}")
        special = self.special(name, arguments)
        if special is not None:
            return special
        return self.operators.call(name, [self.node(argument) for argument in arguments])


class Rows(_Tree):
    """Expressions on the rows of a table."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.operators = Operators(_no_metric, mixes=False)

    def special(self, name: str, arguments: list[exp.Expr]) -> Node | None:
        """A function whose arguments aren't all values, or None."""
        if name == "per":
            return self._per(arguments[0], arguments[1])
        if name != "period":
            return None
        return self.operators.period(self.node(arguments[0]), _word(arguments[1], lexing.UNITS, "period()"))

    def said(self, call: Call) -> Call:
        """In a definition a word that is nearly one of the column's own is a slip of the pen, and would find no row."""
        columns = [side for side in call.arguments if isinstance(side, Column)] if self.scope.columns else []
        words = schema.WORDS.get(f"{columns[0].table}.{columns[0].name}", ()) if columns else ()
        for side in call.arguments if words else ():
            if isinstance(side, Literal_) and isinstance(side.value, str) and side.value not in words:
                near = difflib.get_close_matches(side.value.casefold(), words, n=1, cutoff=_SLIP)
                if near:
                    raise BadExpression(
                        f"{shown(columns[0])} is one of {', '.join(words)}, and never '{side.value}'; did you mean '{near[0]}'?"
                    )
        return call

    def _per(self, of: exp.Expr, metric: exp.Expr) -> Per:
        scope = self.scope
        if scope.leaves is None:
            raise BadExpression("per() stands in a where, in a filter and in the condition of only()")
        if not isinstance(of, exp.Column) or not isinstance(metric, exp.Column) or metric.table:
            raise BadExpression(f"per() is written {functions.BY_NAME['per'].written}, with a metric by its name")
        if metric.name not in scope.metrics:
            raise UnknownName("metric", metric.name, scope.metrics)
        by, key = Rows(replace(scope, columns=False))._key(of)
        for leaf in scope.leaves(metric.name):  # which it must be possible to split by that
            Rows(replace(scope, table=leaf.table, metric=metric.name, columns=False))._key(of)
        return Per(key, by, metric.name)

    def _key(self, tree: exp.Column) -> tuple[str, Node]:
        """What per() is for: the key of a table, a dimension, or ``table.column``; and how a query calls it."""
        catalog = self.scope.catalog
        is_table = not tree.table and tree.name in catalog.names()
        keys = list(catalog.tables[tree.name].primary_key) if is_table else []
        if len(keys) == 1:
            return f"{tree.name}.{keys[0].name}", self._qualified(tree.name, keys[0].name)
        return f"{tree.table}.{tree.name}" if tree.table else tree.name, self.name(tree)

    def name(self, tree: exp.Column) -> Node:
        """A column, a column of a table in reach, or a dimension."""
        table, name = tree.table, tree.name
        if tree.args.get("db") is not None or not isinstance(tree.this, exp.Identifier):
            raise BadExpression("a name has at most two parts, table.column")
        return self._qualified(table, name) if table else self._bare(name)

    def _qualified(self, table: str, name: str) -> Node:
        known = self.scope.catalog.tables
        if table not in known:
            raise UnknownName("table", table, self.scope.catalog.names())
        if name not in known[table].columns:
            raise UnknownName(f"column of {table}", name, known[table].columns.keys())
        return self._reached(f"{table}.{name}", column(table, name, catalog=self.scope.catalog))

    def _bare(self, name: str) -> Node:
        scope = self.scope
        columns = scope.catalog.tables[scope.table].columns
        own = column(scope.table, name, catalog=scope.catalog) if scope.columns and name in columns else None
        if own is not None and (scope.defining is not None or name not in scope.dimensions):
            return own
        dimension = scope.lookup(name) if name in scope.dimensions else None
        if dimension is None:
            raise self._unknown(name)
        try:
            reached = self._reached(name, dimension.expression, dimension.table)
        except Unreachable:
            if own is not None:
                return own
            raise
        if own is not None and own != reached:
            raise BadExpression(
                f'"{name}" is a column of {scope.table} and also a dimension (of {dimension.table}); '
                f"write {scope.table}.{name} for the column, or give the dimension another name"
            )
        return reached

    def _unknown(self, name: str) -> UnknownName | BadExpression:
        scope = self.scope
        columns = tuple(scope.catalog.tables[scope.table].columns.keys())
        what = f"column of {scope.table} or dimension" if scope.columns else "dimension"
        known = (*columns, *scope.dimensions) if scope.columns else scope.dimensions
        # No name of the language has capitals, and what is like none may be meant as text, such as a country.
        text = name[0].isupper() or (scope.columns and not did_you_mean(name, known))
        if text:
            return BadExpression(f"no {what} is called \"{name}\"; text stands in single quotes, '{name}'")
        if scope.columns:
            return UnknownName(what, name, known)
        holders = [table for table in (scope.table, *scope.catalog.names()) if name in scope.catalog.tables[table].columns]
        if holders:
            return BadExpression(f'no dimension is called "{name}"; write {holders[0]}.{name} for the column')
        return UnknownName(what, name, scope.dimensions)

    def _reached(self, name: str, node: Node, home: str | None = None) -> Node:
        """An expression of another table, seen from this one."""
        table = home or (node.table if isinstance(node, Column) else self.scope.table)
        way = graph.path(self.scope.table, table, self.scope.catalog)
        if way is None:
            raise Unreachable(self.scope.metric, self.scope.table, name, self._reachable())
        return mapped(node, lambda found: replace(found, path=way + found.path))

    def _reachable(self) -> list[str]:
        tables = graph.reachable(self.scope.table, self.scope.catalog)
        names = []
        # Not from within a dimension: the others may need that one, and would be a circle that nobody wrote.
        for name in self.scope.dimensions if self.scope.defining is None else ():
            try:
                dimension = self.scope.lookup(name)
            except KpiError:  # one that is wrong itself must not hide this problem
                continue
            if dimension is not None and dimension.table in tables:
                names.append(name)
        return names + [f"{table}.…" for table in tables]


class FormulaTree(_Tree):
    """Arithmetic over metrics."""

    def __init__(self, metrics: tuple[str, ...], metric_type: Callable[[str], Type]) -> None:
        self.metrics = metrics
        self.operators = Operators(metric_type, mixes=True)

    def name(self, tree: exp.Column) -> Node:
        """A metric."""
        if tree.table or not isinstance(tree.this, exp.Identifier):
            raise BadExpression(f"a formula speaks of metrics, not of columns such as {tree.table}.{tree.name}")
        if tree.name not in self.metrics:
            raise UnknownName("metric", tree.name, self.metrics)
        return MetricRef(tree.name)

    def special(self, name: str, arguments: list[exp.Expr]) -> Node | None:
        """A function whose arguments aren't all values, or None."""
        if functions.BY_NAME[name].place == "row":
            raise BadExpression(f"{name}() stands in expressions on rows, not in formulas")
        if name == "cumulative":
            return Cumulative(self._metric(arguments[0], name))
        if name == "total":
            return Total(self._metric(arguments[0], name))
        if name == "only":
            return Only(self._metric(arguments[0], name), _written(arguments[1]))
        if name == "at_start":
            return AtStart(self._metric(arguments[0], name), cast("AtStartUnit", _word(arguments[1], _AT_START, "at_start()")))
        if name == "to_date":
            return ToDate(self._metric(arguments[0], name), cast("ToDateUnit", _word(arguments[1], _TO_DATE, "to_date()")))
        if name in ("previous", "rolling"):
            count, unit = _span(arguments[1], name)
            inner = self._metric(arguments[0], name)
            if name == "previous":
                return Shift(inner, count, cast("ShiftUnit", unit))
            if unit == "quarter":
                raise BadExpression("rolling() counts days, weeks, months or years; write 3 months for a quarter")
            return Rolling(inner, count, cast("RollingUnit", unit))
        return None

    def _metric(self, tree: exp.Expr, name: str) -> Node:
        inner = self.node(tree)
        if not metrics_of(inner):
            raise BadExpression(f"{name}() needs a metric, and {shown(inner)} is none")
        if self.operators.type_of(inner) == "flag":
            raise BadExpression(f"{name}() needs a figure, and {shown(inner)} is true or false")
        return inner


ShiftUnit = Literal["day", "week", "month", "quarter", "year"]
RollingUnit = Literal["day", "week", "month", "year"]
ToDateUnit = Literal["month", "quarter", "year", "all"]

AtStartUnit = Literal["month", "quarter", "year"]

_AT_START: Final = ("month", "quarter", "year")
_TO_DATE: Final = ("month", "quarter", "year", "all")
#: previous(m, 1000 years) is a slip of the pen; ten years of days is not.
MOST: Final = {"day": 3660, "week": 520, "month": 120, "quarter": 40, "year": 10}


def _span(tree: exp.Expr, name: str) -> tuple[int, str]:
    if not isinstance(tree, exp.Anonymous) or tree.this != f"{lexing.PREFIX}span":
        raise BadExpression(f"{name}() is written {functions.BY_NAME[name].written}")
    count, unit = Decimal(tree.expressions[0].name), str(tree.expressions[1].name)
    if count != int(count) or not 1 <= count <= MOST[unit]:
        raise BadExpression(f"{name}() takes a whole number of {unit}s from 1 to {MOST[unit]}")
    return int(count), unit


def _word(tree: exp.Expr, accepted: tuple[str, ...], name: str) -> str:
    word = tree.name.lower() if isinstance(tree, exp.Column) and not tree.table else ""
    if word not in accepted:
        raise BadExpression(f"{name} ends with one of {', '.join(accepted)}")
    return word


def _written(tree: exp.Expr) -> str:
    """A tree as its author wrote it, to be read again where its names have another meaning."""
    plain = tree.copy()
    for node in plain.find_all(exp.Identifier, exp.Anonymous):
        if isinstance(node, exp.Identifier):
            node.set("quoted", False)
        else:
            node.set("this", str(node.this).removeprefix(lexing.PREFIX))
    return str(plain.sql())


def _literal(tree: exp.Literal) -> Literal_:
    if tree.is_string:
        return Literal_(str(tree.this), "text")
    whole, _, places = str(tree.this).partition(".")
    if len(whole.lstrip("0")) > 18 or len(places) > 12:
        raise BadExpression("a number has at most 18 digits before the point and 12 after it")
    return Literal_(Decimal(str(tree.this)), "number")


def _flat(tree: exp.Expr) -> list[exp.Expr]:
    """The parts of a chain of ``and`` or of ``or``, without recursion."""
    parts: list[exp.Expr] = []
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if type(part) is type(tree):
            waiting += [part.expression, part.this]
        else:
            parts.append(part)
    return parts


def _no_metric(name: str) -> Type:
    raise BadExpression(f"{name} is a metric, and rows have none")
