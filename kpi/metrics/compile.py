"""Expression nodes -> SQLAlchemy, with decimals kept: one compiler for row expressions and for formulas.

Numbers (SEMANTICS, "Numbers"): a product is taken from DECIMAL(38, s) and has at most 12 places, branches are cast
to one scale before they meet, and a quotient is the one double. Conditions have two outcomes: what isn't true is
false, so ``<>``, ``not in`` and ``not`` keep missing values, and the rows of a condition and of its opposite add
up to all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from kpi.errors import QueryError
from kpi.metrics import operations
from kpi.metrics.model import Bound, Call, Literal_, Node
from kpi.metrics.operations import Element, decimal
from kpi.periods import Calendar

#: Scale that stands for a double.
DOUBLE: Final = -1
#: Places that a product keeps at most.
PRODUCT_SCALE: Final = 12
#: Places of hours() and of a quotient within a row.
HOURS_SCALE: Final = 6

_COMPARE: Final[dict[str, Callable[[Any, Any], Element]]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left.is_distinct_from(right),
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
#: What hangs on which of two texts comes first: that of their bytes, whatever the database's language.
_ORDERED: Final = ("<", "<=", ">", ">=", "between", "least", "greatest")


@dataclass(frozen=True)
class Typed:
    """An element with its number of decimal places: None for what is no number, DOUBLE for a double."""

    element: Element
    scale: int | None = None


class Compiler:
    """Compiles literals and calls; ``name`` compiles what they are about (a column, or a leaf of a formula).

    Args:
        in_rows: quotients become decimals, so that their sums don't hang on the order of rows.
    """

    def __init__(self, name: Callable[[Node], Typed], calendar: Calendar, in_rows: bool) -> None:
        self._name = name
        self._calendar = calendar
        self._in_rows = in_rows

    def typed(self, node: Node) -> Typed:
        """Any node."""
        if isinstance(node, Literal_):
            return literal(node)
        if isinstance(node, Bound):
            return Typed(_bound(node))
        if isinstance(node, Call):
            return self._call(node)
        return self._name(node)

    def element(self, node: Node) -> Element:
        """Any node, its scale left aside."""
        return self.typed(node).element

    def _call(self, call: Call) -> Typed:
        name = call.function
        if name in ("and", "or"):
            parts = [self.element(argument) for argument in call.arguments]
            return Typed(sa.and_(*parts) if name == "and" else sa.or_(*parts))
        if name == "not":
            return Typed(self._not(call.arguments[0]))
        if name == "case":
            return self._case(call.arguments)
        if name == "period":
            return self._period(call)
        if name == "in" and isinstance(call.arguments[1], Bound) and not isinstance(call.arguments[1].value, str):
            return Typed(operations.one_of(self.element(call.arguments[0]), _bound(call.arguments[1])))
        arguments = [self.typed(argument) for argument in call.arguments]
        if name in _ORDERED and any(getattr(argument, "type", "") == "text" for argument in call.arguments):
            arguments = [Typed(operations.byte_order(argument.element)) for argument in arguments]
        if name in "+-*/":
            return self._arithmetic(name, arguments[0], arguments[1])
        elements = [argument.element for argument in arguments]
        if name in _COMPARE:
            return Typed(_COMPARE[name](elements[0], elements[1]))
        if name in ("coalesce", "least", "greatest"):
            elements, scale = one_scale(arguments)
            return Typed(getattr(sa.func, name)(*elements), scale)
        simple = _SIMPLE.get(name)
        if simple is None:
            raise QueryError(f"{name}() can't be computed")
        return simple(arguments)

    def _not(self, inner: Node) -> Element:
        element = self.element(inner)
        if isinstance(inner, Call) and inner.function == "is_null":
            return sa.not_(element)
        return sa.not_(sa.func.coalesce(element, sa.false()))

    def _case(self, arguments: Sequence[Node]) -> Typed:
        otherwise = arguments[-1] if len(arguments) % 2 else None
        pairs = list(zip(arguments[0 : len(arguments) - 1 : 2], arguments[1::2], strict=False))
        values = [self.typed(value) for _, value in pairs] + ([self.typed(otherwise)] if otherwise is not None else [])
        elements, scale = one_scale(values)
        whens = [(self.element(condition), elements[place]) for place, (condition, _) in enumerate(pairs)]
        return Typed(sa.case(*whens, else_=elements[-1] if otherwise is not None else None), scale)

    def _arithmetic(self, sign: str, left: Typed, right: Typed) -> Typed:
        if sign == "/":
            quotient = operations.safe_quotient(left.element, right.element)
            if self._in_rows:
                return Typed(operations.rounded_double(quotient, PRODUCT_SCALE), PRODUCT_SCALE)
            return Typed(quotient, DOUBLE)
        if DOUBLE in (left.scale, right.scale):
            above: Element = sa.cast(left.element, operations.DOUBLE)
            below: Element = sa.cast(right.element, operations.DOUBLE)
            return Typed({"+": above + below, "-": above - below, "*": above * below}[sign], DOUBLE)
        scales = (left.scale or 0, right.scale or 0)
        if sign == "*":
            scale = min(sum(scales), PRODUCT_SCALE)
            return Typed(decimal(decimal(left.element, scales[0]) * right.element, scale), scale)
        (first, second), scale_ = one_scale([left, right])
        return Typed(first + second if sign == "+" else first - second, scale_)

    def _period(self, call: Call) -> Typed:
        day, grain = call.arguments
        assert isinstance(grain, Literal_)  # noqa: S101 - the parser made it
        element = self.element(day)
        if getattr(day, "type", "day") == "instant":
            element = local_day(element, self._calendar)
        return Typed(first_day(element, str(grain.value), self._calendar))


def _bound(node: Bound) -> Element:
    if isinstance(node.value, str):
        return sa.bindparam(node.name, node.value, type_=operations.TEXT)
    return sa.cast(sa.bindparam(node.name, list(node.value), type_=sa.ARRAY(sa.String())), sa.ARRAY(sa.String()))


def literal(node: Literal_) -> Typed:
    """A constant as a bound value; whole numbers as integers, so that no column is cast for them."""
    value = node.value
    if value is None:
        return Typed(sa.null())
    if isinstance(value, bool):
        return Typed(sa.true() if value else sa.false())
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and abs(value) < 2**31:
            return Typed(sa.literal(int(value), operations.BIG), 0)
        plain = Decimal(format(value.normalize(), "f"))
        scale = max(0, -int(plain.as_tuple().exponent))
        return Typed(sa.literal(plain, operations.numeric(scale)), scale)
    return Typed(sa.literal(value))


def one_scale(values: Sequence[Typed]) -> tuple[list[Element], int | None]:
    """Numbers cast to the widest scale among them; DuckDB would round to the narrower without a word."""
    scales = {value.scale for value in values if value.scale is not None}
    if len(scales) <= 1:
        return [value.element for value in values], next(iter(scales), None)
    if DOUBLE in scales:
        return [sa.cast(value.element, operations.DOUBLE) for value in values], DOUBLE
    widest = max(scales)
    return [value.element if value.scale in (None, widest) else decimal(value.element, widest) for value in values], widest


def local_day(instant: Element, calendar: Calendar) -> Element:
    """The day of an instant in the calendar's time zone."""
    if calendar.timezone == "UTC":
        return sa.cast(instant, sa.Date())
    return operations.local_day(instant, sa.literal(calendar.timezone))


def first_day(day: Element, grain: str, calendar: Calendar) -> Element:
    """First day of the period that holds a day.

    Raises:
        QueryError: a month of weeks, which only the calendar in Python knows.
    """
    if grain == "day":
        return day
    if grain == "week":
        late = calendar.week_starts
        return operations.first_of("week", day - late) + late if late else operations.first_of("week", day)
    if calendar.pattern is not None:
        raise QueryError(f"period(day, {grain}) is not supported in a calendar with a pattern of weeks")
    late = (calendar.year_starts - 1) % {"month": 1, "quarter": 3, "year": 12}[grain]
    if not late:
        return operations.first_of(grain, day)
    moved = operations.add_months(operations.first_of("month", day), -late)
    return operations.add_months(operations.first_of(grain, moved), late)


def _round(arguments: Sequence[Typed]) -> Typed:
    places = 0
    if len(arguments) > 1:
        places = int(getattr(arguments[1].element, "value", 0))
    if arguments[0].scale == DOUBLE:
        return Typed(operations.rounded_double(arguments[0].element, places), places)
    return Typed(decimal(arguments[0].element, places), places)


def _unary(function: Callable[[Element], Element]) -> Callable[[Sequence[Typed]], Typed]:
    return lambda arguments: Typed(function(arguments[0].element), arguments[0].scale)


_SIMPLE: Final[dict[str, Callable[[Sequence[Typed]], Typed]]] = {
    "neg": _unary(lambda value: -value),
    "abs": _unary(sa.func.abs),
    "round": _round,
    "lower": _unary(operations.lower_case),
    "upper": _unary(operations.upper_case),
    "trim": _unary(operations.trim_spaces),
    "concat": lambda arguments: Typed(sa.func.concat(*(argument.element for argument in arguments))),
    "length": lambda arguments: Typed(sa.func.length(arguments[0].element), 0),
    "year": lambda arguments: Typed(sa.cast(sa.extract("year", arguments[0].element), sa.BigInteger()), 0),
    "days": lambda arguments: Typed(operations.day_number(arguments[1].element) - operations.day_number(arguments[0].element), 0),
    "hours": lambda arguments: Typed(
        operations.rounded_double(operations.elapsed_hours(arguments[0].element, arguments[1].element), HOURS_SCALE), HOURS_SCALE
    ),
    "later": lambda arguments: Typed(arguments[0].element + sa.cast(arguments[1].element, sa.Integer())),
    "is_null": lambda arguments: Typed(arguments[0].element.is_(None)),
    "like": lambda arguments: Typed(operations.like_plain(arguments[0].element, arguments[1].element)),
    "between": lambda arguments: Typed(arguments[0].element.between(arguments[1].element, arguments[2].element)),
    "in": lambda arguments: Typed(sa.or_(*(arguments[0].element == other.element for other in arguments[1:]))),
}
