"""Typed calls: an operator or function with its arguments, or a sentence that names the columns and their types.

Money is a type of its own, because it has a currency: money adds to money, is multiplied by numbers, and divided
by money becomes a number. Days written as text, ``'2026-03-31'``, become days where a day is compared. An instant
that meets a day becomes the day it falls on.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kpi.errors import BadExpression
from kpi.metrics.functions import BY_NAME
from kpi.metrics.model import Around, AtStart, Bound, Call, Column, Held, Kept, Literal_, MetricRef, Node, Per, Shift, ToDate, Type

IN_WORDS: Final[dict[Type, str]] = {
    "text": "text",
    "number": "a number",
    "money": "money",
    "day": "a day",
    "instant": "an instant",
    "flag": "true or false",
    "null": "null",
}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_NUMERIC: Final = ("number", "money")
_TIMES: Final = ("day", "instant")

#: Of % in a pattern: nobody writes more, and each is one more place that a database looks for in a long text.
_MOST_WILD: Final = 20


@dataclass(frozen=True)
class Operators:
    """Makes calls.

    ``metric_type`` is the type of a metric by name. ``mixes``: money and plain numbers may meet, because formulas
    have their units checked by :mod:`kpi.metrics.clashes`, which says more.
    """

    metric_type: Callable[[str], Type]
    mixes: bool

    def type_of(self, node: Node) -> Type:
        """Type of any node; that of a shifted metric is the metric's."""
        if isinstance(node, MetricRef):
            return self.metric_type(node.name)
        if isinstance(node, Around):
            return self.type_of(node.inner)
        return node.type

    def arithmetic(self, sign: str, left: Node, right: Node) -> Call:
        """``+ - * /`` of numbers and money."""
        types = (self.type_of(left), self.type_of(right))
        for node, kind in zip((left, right), types, strict=True):
            if kind in _TIMES:
                raise BadExpression(f"{shown(node)} is {IN_WORDS[kind]}, and {sign} needs numbers; days(a, b) gives the days between two")
            if kind not in _NUMERIC:
                raise BadExpression(f"{shown(node)} is {IN_WORDS[kind]}, and {sign} needs numbers")
        if types == ("money", "money"):
            if sign == "*":
                raise BadExpression(f"{shown(left)} and {shown(right)} are both money and can't be multiplied")
            return Call(sign, (left, right), "number" if sign == "/" else "money")
        if "money" not in types:
            return Call(sign, (left, right), "number")
        if not self.mixes and sign in "+-":
            raise BadExpression(f"{shown(left)} is {IN_WORDS[types[0]]} and {shown(right)} is {IN_WORDS[types[1]]}; {sign} needs the same")
        if not self.mixes and sign == "/" and types[1] == "money":
            raise BadExpression(f"{shown(left)} is a number and {shown(right)} is money; only money is divided by money")
        return Call(sign, (left, right), "number" if sign == "/" and types[1] == "money" else "money")

    def negative(self, value: Node) -> Node:
        """``-a``; a constant stays a constant."""
        kind = self.type_of(value)
        if isinstance(value, Literal_) and isinstance(value.value, Decimal):
            return Literal_(-value.value, "number")
        if kind not in _NUMERIC:
            raise BadExpression(f"{shown(value)} is {IN_WORDS[kind]}, and - needs a number")
        return Call("neg", (value,), kind)

    def compare(self, sign: str, left: Node, right: Node) -> Call:
        """``= <> < <= > >=`` of two values of one type."""
        left, right = self._alike(left, right, sign)
        if "flag" in (self.type_of(left), self.type_of(right)) and sign not in ("=", "<>"):
            raise BadExpression(f"{shown(left)} is true or false; only = and <> compare it")
        return Call(sign, (left, right), "flag")

    def within(self, value: Node, others: Sequence[Node]) -> Call:
        """``value in (…)``."""
        pairs = [self._alike(value, other, "in") for other in others]
        return Call("in", (pairs[0][0], *(other for _, other in pairs)), "flag")

    def between(self, value: Node, low: Node, high: Node) -> Call:
        """``value between low and high``, both inclusive."""
        first, low = self._alike(value, low, "between")
        _, high = self._alike(value, high, "between")
        if self.type_of(first) == "flag":
            raise BadExpression(f"{shown(value)} is true or false; between needs something with an order")
        return Call("between", (first, low, high), "flag")

    def like(self, value: Node, pattern: Node) -> Call:
        """``value like 'a%'``: % any text, _ one character, upper and lower case differ."""
        if self.type_of(value) != "text":
            raise BadExpression(f"{shown(value)} is {IN_WORDS[self.type_of(value)]}, and like needs text")
        if not isinstance(pattern, Literal_) or pattern.type != "text":
            raise BadExpression("like needs a pattern in quotes, such as 'Acme%'")
        if isinstance(pattern, Literal_) and len(re.findall("%[%_]*", str(pattern.value))) > _MOST_WILD:
            raise BadExpression(f"a pattern of like has at most {_MOST_WILD} times %; each more makes it slower to look for")
        return Call("like", (value, pattern), "flag")

    def both(self, function: str, parts: Sequence[Node]) -> Call:
        """``and``/``or`` over two or more conditions."""
        return Call(function, tuple(self.condition(part, function) for part in parts), "flag")

    def condition(self, node: Node, place: str) -> Node:
        """The node itself, if it is true or false."""
        kind = self.type_of(node)
        if kind != "flag":
            raise BadExpression(f"{shown(node)} is {IN_WORDS[kind]}, and {place} needs a condition, such as {shown(node)} = …")
        return node

    def case(self, pairs: Sequence[tuple[Node, Node]], otherwise: Node | None) -> Call:
        """``case when … then … else … end``; all results of one type."""
        conditions = [self.condition(condition, "when") for condition, _ in pairs]
        values = [value for _, value in pairs] + ([otherwise] if otherwise is not None else [])
        kind, values = self._one_type("case", values)
        arguments: list[Node] = []
        for place, condition in enumerate(conditions):
            arguments += [condition, values[place]]
        if otherwise is not None:
            arguments.append(values[-1])
        return Call("case", tuple(arguments), kind)

    def call(self, name: str, arguments: Sequence[Node]) -> Node:
        """A function of rows or of both kinds; the counts of arguments are checked already."""
        kinds = [self.type_of(argument) for argument in arguments]
        if name in ("coalesce", "least", "greatest"):
            kind, values = self._one_type(name, arguments)
            return Call(name, tuple(values), kind)
        if name in ("abs", "round"):
            if kinds[0] not in _NUMERIC:
                raise BadExpression(f"{name}() needs a number, and {shown(arguments[0])} is {IN_WORDS[kinds[0]]}")
            if len(arguments) == 2:
                _places(arguments[1])
            return Call(name, tuple(arguments), kinds[0])
        if name in ("lower", "upper", "trim", "length", "concat"):
            for argument, kind in zip(arguments, kinds, strict=True):
                if kind != "text":
                    raise BadExpression(f"{name}() needs text, and {shown(argument)} is {IN_WORDS[kind]}")
            return Call(name, tuple(arguments), "number" if name == "length" else "text")
        if name == "hours":
            for argument, kind in zip(arguments, kinds, strict=True):
                if kind != "instant":
                    raise BadExpression(f"hours() needs instants, and {shown(argument)} is {IN_WORDS[kind]}; days(a, b) takes days")
            return Call(name, tuple(arguments), "number")
        days = tuple(self._as_day(argument, name) for argument in arguments)
        return Call(name, days, "number")

    def period(self, value: Node, grain: str) -> Node:
        """First day of the period that holds a day or an instant."""
        kind = self.type_of(value)
        if kind not in _TIMES and not _is_day_text(value):
            raise BadExpression(f"period() needs a day, and {shown(value)} is {IN_WORDS[kind]}")
        return Call("period", (_day_literal(value) if kind == "text" else value, Literal_(grain, "text")), "day")

    def _as_day(self, node: Node, name: str) -> Node:
        kind = self.type_of(node)
        if kind == "instant":
            return _day_of(node)
        if kind == "day":
            return node
        if _is_day_text(node):
            return _day_literal(node)
        raise BadExpression(f"{name}() needs a day, and {shown(node)} is {IN_WORDS[kind]}")

    def _alike(self, left: Node, right: Node, sign: str) -> tuple[Node, Node]:
        """Both sides of a comparison, of one type."""
        kinds = (self.type_of(left), self.type_of(right))
        if "null" in kinds:
            known = left if kinds[1] == "null" else right
            raise BadExpression(f"nothing equals null; write {shown(known)} is null, or is not null")
        if kinds[0] in _TIMES or kinds[1] in _TIMES:
            return self._times(left, right, kinds, sign)
        if kinds[0] == kinds[1]:
            return left, right
        if set(kinds) == set(_NUMERIC) and (self.mixes or _is_constant(left) or _is_constant(right)):
            return left, right
        raise BadExpression(
            f"{shown(left)} is {IN_WORDS[kinds[0]]} and {shown(right)} is {IN_WORDS[kinds[1]]}; {sign} compares values of one type"
        )

    def _times(self, left: Node, right: Node, kinds: tuple[Type, Type], sign: str) -> tuple[Node, Node]:
        sides: list[Node] = []
        for node, kind, other in ((left, kinds[0], right), (right, kinds[1], left)):
            if kind == "instant" and kinds != ("instant", "instant"):
                sides.append(_day_of(node))
            elif kind in _TIMES:
                sides.append(node)
            elif _is_day_text(node):
                sides.append(_day_literal(node))
            elif isinstance(node, Literal_) and kind == "text":
                raise BadExpression(f"{shown(other)} is a day, and {shown(node)} is not one; write it as '2026-03-31'")
            elif kind == "number" and isinstance(node, Call) and _is_constant(node):  # 2026-03-31 without quotes is a subtraction
                raise BadExpression(f"{shown(other)} is {IN_WORDS[self.type_of(other)]}; a day stands in quotes, such as '2026-03-31'")
            else:
                raise BadExpression(
                    f"{shown(other)} is {IN_WORDS[self.type_of(other)]} and {shown(node)} is {IN_WORDS[kind]}; {sign} needs the same"
                )
        return sides[0], sides[1]

    def _one_type(self, name: str, values: Sequence[Node]) -> tuple[Type, list[Node]]:
        """The one type of branches; null fits any, and a constant fits money."""
        kinds = [self.type_of(value) for value in values]
        known: list[tuple[Node, Type]] = [(value, kind) for value, kind in zip(values, kinds, strict=True) if kind != "null"]
        if not known:
            return "null", list(values)
        if any(kind in _TIMES for _, kind in known):
            days = [_day_literal(value) if _is_day_text(value) else value for value in values]
            known = [(value, self.type_of(value)) for value in days if self.type_of(value) != "null"]
            values = days
        first, kind = known[0]
        for value, other in known[1:]:
            if {kind, other} == set(_NUMERIC) and (self.mixes or _is_constant(value) or _is_constant(first)):
                kind, first = "money", (first if kind == "money" else value)
            elif other != kind:
                raise BadExpression(
                    f"{name} has {shown(first)}, {IN_WORDS[kind]}, beside {shown(value)}, {IN_WORDS[other]}; it needs one type"
                )
        return kind, list(values)


def shown(node: Node) -> str:
    """A node as a reader wrote it, shortened."""
    if isinstance(node, Column):
        return f"{node.table}.{node.name}" if node.path else node.name
    if isinstance(node, Literal_):
        if node.type == "text":
            return f"'{node.value}'"
        return "null" if node.value is None else str(node.value).lower()
    if isinstance(node, MetricRef):
        return node.name
    if isinstance(node, Call):
        if node.function == "period" and isinstance(node.arguments[1], Literal_) and node.arguments[1].value == "day":
            return shown(node.arguments[0])
        if len(node.arguments) == 2 and node.function not in BY_NAME and node.function != "case":
            return f"{shown(node.arguments[0])} {node.function} {shown(node.arguments[1])}"
        return f"{node.function}(…)"
    if isinstance(node, Bound):
        return node.name
    if isinstance(node, Held):
        return node.leaf.name
    if isinstance(node, Kept):
        return shown(node.groups[node.place])
    if isinstance(node, Per):
        return f"per({node.by}, {node.metric})"
    names = {Shift: "previous", ToDate: "to_date", AtStart: "at_start"}
    return f"{names.get(type(node), type(node).__name__.lower())}({shown(node.inner)})"


def _is_constant(node: Node) -> bool:
    if isinstance(node, Call):
        return all(_is_constant(argument) for argument in node.arguments)
    return isinstance(node, Literal_)


def _is_day_text(node: Node) -> bool:
    if not isinstance(node, Literal_) or not isinstance(node.value, str) or not _DAY.match(node.value):
        return False
    try:
        dt.date.fromisoformat(node.value)
    except ValueError:
        return False
    return True


def _day_literal(node: Node) -> Literal_:
    assert isinstance(node, Literal_)  # noqa: S101 - _is_day_text has looked
    return Literal_(dt.date.fromisoformat(str(node.value)), "day")


def _day_of(instant: Node) -> Node:
    if isinstance(instant, Literal_):
        return instant
    return Call("period", (instant, Literal_("day", "text")), "day")


def _places(node: Node) -> None:
    if not isinstance(node, Literal_) or not isinstance(node.value, Decimal) or node.value not in range(13):
        raise BadExpression("round() takes the number of places as a whole number from 0 to 12")
