"""An expression of a mapping -> values and conditions over the cells of a record.

The language is that of metrics.yaml, read by the same parser; names are columns of the file. What a cell is taken for
follows from where it stands: arithmetic takes numbers, ``and`` takes flags, a comparison what the other side is.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from sqlglot import exp

from kpi.errors import BadExpression, did_you_mean, known_are
from kpi.language import lexing, parsing
from kpi.warehouse import cells
from kpi.warehouse.cells import Condition, Value, Zone

Kind = Literal["text", "number", "day", "instant", "flag"]


class Function(NamedTuple):
    """``takes``: the kind of each argument, the last for all further ones; empty for what the whole is wanted as."""

    written: str
    takes: tuple[Kind | Literal[""], ...]
    gives: Kind | Literal[""]
    most: int
    meaning: str


FUNCTIONS: Final[Mapping[str, Function]] = {
    "coalesce": Function("coalesce(a, b, …)", ("",), "", 20, "the first that is there"),
    "least": Function("least(a, b, …)", ("",), "", 20, "the smallest of those that are there"),
    "greatest": Function("greatest(a, b, …)", ("",), "", 20, "the largest of those that are there"),
    "abs": Function("abs(a)", ("number",), "number", 1, "without its sign"),
    "round": Function("round(a) or round(a, 2)", ("number", "number"), "number", 2, "rounded to so many places, halves away from zero"),
    "lower": Function("lower(text)", ("text",), "text", 1, "in lower case"),
    "upper": Function("upper(text)", ("text",), "text", 1, "in upper case"),
    "trim": Function("trim(text)", ("text",), "text", 1, "without spaces at both ends"),
    "concat": Function("concat(a, b, …)", ("text",), "text", 20, "texts joined; missing ones are left out"),
    "length": Function("length(text)", ("text",), "number", 1, "how many characters"),
    "days": Function("days(a, b)", ("day", "day"), "number", 2, "days from a to b"),
    "year": Function("year(day)", ("day",), "number", 1, "the calendar year of a day"),
    "number": Function("number(a)", ("number",), "number", 1, "a column read as a number, where nothing else says so"),
    "day": Function("day(a)", ("day",), "day", 1, "a column read as a day"),
    "months_after": Function("months_after(day, n)", ("day", "number"), "day", 2, "the day n months later, or earlier where n is negative"),
    "days_after": Function("days_after(day, n)", ("day", "number"), "day", 2, "the day n days later, or earlier"),
}
#: What stands for the day on which the file was exported.
EXPORTED_ON: Final = "exported_on"
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
#: A choice of words in a comparison, in a sentence.
_KINDS: Final[Mapping[str, str]] = {
    "text": "a text",
    "number": "a number",
    "day": "a day",
    "instant": "an instant",
    "flag": "true or false",
}


@dataclass(frozen=True)
class Reader:
    """Turns expressions of one export into values.

    Attributes:
        column: name in an expression -> the cell it reads, or None.
        names: all such names.
        zone: what times without an offset are in.
    """

    column: Callable[[str], Value | None]
    names: tuple[str, ...]
    zone: Zone = "local"

    def value(self, text: str, kind: Kind) -> Value:
        """The value of an expression, of the kind wanted.

        Raises:
            BadExpression: with one sentence.
        """
        return self._value(parsing.parse(text, FUNCTIONS), kind)

    def condition(self, text: str) -> Condition:
        """The condition that an expression is.

        Raises:
            BadExpression: with one sentence.
        """
        return self._condition(parsing.parse(text, FUNCTIONS))

    def cell(self, value: Value, kind: Kind) -> Value:
        """A cell's text as a kind."""
        if kind == "number":
            return cells.Amount(value, "number")
        if kind == "day":
            return cells.Day(value, self.zone)
        if kind == "instant":
            return cells.Instant(value, self.zone)
        return cells.Flag(value) if kind == "flag" else value

    def _value(self, tree: exp.Expr, kind: Kind) -> Value:
        if isinstance(tree, exp.Paren):
            return self._value(tree.this, kind)
        if isinstance(tree, exp.Column):
            return self._named(tree, kind)
        if isinstance(tree, exp.Null):
            return cells.Constant(None)
        if isinstance(tree, exp.Literal | exp.Boolean):
            return cells.Constant(_constant(tree, kind))
        if isinstance(tree, exp.Case):
            return self._case(tree, kind)
        if isinstance(tree, exp.Anonymous):
            return self._call(tree, kind)
        if isinstance(tree, exp.Neg) or type(tree) in parsing.ARITHMETIC:
            _fits("number", kind, "an amount worked out")
            if isinstance(tree, exp.Neg):
                return cells.Computed("-", (cells.Constant(Decimal(0)), self._value(tree.this, "number")))
            pair = (self._value(tree.this, "number"), self._value(tree.expression, "number"))
            return cells.Computed(parsing.ARITHMETIC[type(tree)], pair)
        _fits("flag", kind, "a comparison")
        return cells.When(self._condition(tree), cells.Constant(True), cells.Constant(False))

    def _named(self, tree: exp.Column, kind: Kind) -> Value:
        if tree.table:
            raise BadExpression(f"{tree.table}.{tree.name}: an expression of a mapping speaks of the file's own columns, without a table")
        found = self.column(tree.name)
        if found is not None:
            return self.cell(found, kind)
        if tree.name.lower() == EXPORTED_ON:
            _fits("day", kind, EXPORTED_ON)
            return cells.ExportDay()
        near = did_you_mean(tree.name, self.names) or known_are(tree.name, self.names)
        raise BadExpression(f"the export has no column {tree.name}{near}")

    def _case(self, tree: exp.Case, kind: Kind) -> Value:
        if tree.this is not None:
            raise BadExpression("write case when a = 'x' then … end, with a condition after each when")
        rest = tree.args.get("default")
        made: Value = cells.Constant(None) if rest is None else self._value(rest, kind)
        for branch in reversed(tree.args["ifs"]):
            made = cells.When(self._condition(branch.this), self._value(branch.args["true"], kind), made)
        return made

    def _call(self, tree: exp.Anonymous, kind: Kind) -> Value:
        name = str(tree.this).removeprefix(lexing.PREFIX)
        about = FUNCTIONS.get(name)
        if about is None:
            raise BadExpression("a number of days or months stands in months_after() and days_after() only")
        given = tree.expressions
        least = 1 if about.most == 1 or name == "round" else 2
        if not least <= len(given) <= about.most:
            raise BadExpression(f"{name}() is written {about.written}")
        if about.gives:
            _fits(about.gives, kind, f"{name}()")
        takes = [about.takes[min(at, len(about.takes) - 1)] or kind for at in range(len(given))]
        arguments = tuple(self._value(argument, wanted) for argument, wanted in zip(given, takes, strict=True))
        if name == "coalesce":
            return cells.FirstOf(arguments)
        made = arguments[0] if name in ("number", "day") else cells.Computed(name, arguments)
        if about.gives == "number" and kind == "text":
            raise BadExpression(f"{name}() is a number, and a text is needed")
        return made

    def _condition(self, tree: exp.Expr) -> Condition:
        if isinstance(tree, exp.Paren):
            return self._condition(tree.this)
        if isinstance(tree, exp.And | exp.Or):
            parts = tuple(self._condition(part) for part in _flat(tree))
            return cells.AllOf(parts) if isinstance(tree, exp.And) else cells.AnyOf(parts)
        if isinstance(tree, exp.Not):
            return cells.Not(self._condition(tree.this))
        if isinstance(tree, exp.Boolean):
            return cells.AllOf(()) if tree.this else cells.AnyOf(())
        if isinstance(tree, exp.Is):
            if not isinstance(tree.expression, exp.Null):
                raise BadExpression("is stands before null or not null only; write = to compare")
            return cells.Not(cells.Filled(self._value(tree.this, self._kind(tree.this) or "text")))
        if isinstance(tree, exp.In):
            return cells.AnyOf(tuple(self._compared("=", tree.this, item) for item in tree.expressions))
        if isinstance(tree, exp.Between):
            low, high = (self._compared(sign, tree.this, tree.args[side]) for sign, side in ((">=", "low"), ("<=", "high")))
            return cells.AllOf((low, high))
        if isinstance(tree, exp.Like):
            return self._like(tree)
        if type(tree) in parsing.COMPARISONS:
            return self._compared(parsing.COMPARISONS[type(tree)], tree.this, tree.expression)
        if isinstance(tree, exp.Column | exp.Case | exp.Anonymous):
            return cells.Is(self._value(tree, "flag"))
        raise BadExpression("a condition is needed here, such as status = 'paid'")

    def _like(self, tree: exp.Like) -> Condition:
        pattern = tree.expression
        if not isinstance(pattern, exp.Literal) or not pattern.is_string:
            raise BadExpression("like stands before a text, such as 'Closed%'")
        parts = [".*" if sign == "%" else "." if sign == "_" else re.escape(sign) for sign in str(pattern.this)]
        return cells.Matches(self._value(tree.this, "text"), f"(?is)^{''.join(parts)}$")

    def _compared(self, sign: str, left: exp.Expr, right: exp.Expr) -> Condition:
        kinds = [self._kind(side) for side in (left, right)]
        known = [kind for kind in kinds if kind]
        kind: Kind = known[0] if known else "text"
        if "text" in known and len(set(known)) > 1:  # a text that is compared with a day is written as one
            others = [other for other in known if other != "text"]
            raise BadExpression(f"a text is compared with {_KINDS[others[0]]}; write numbers and true without quotes")
        if kind == "text" and sign not in ("=", "<>"):
            if not known:
                raise BadExpression(f"say what the columns beside {sign} are: number(a) {sign} number(b), or day(a) {sign} day(b)")
            raise BadExpression(f"texts are compared with = and <>, not {sign}; write numbers without quotes and days as '2026-01-31'")
        if kind == "flag":
            return self._flags(sign, left, right)
        sides = [self._value(side, kind) for side in (left, right)]
        if kind != "text":  # an empty one isn't any number, so it is <> to all
            return cells.Not(cells.Compared("=", *sides)) if sign == "<>" else cells.Compared(sign, *sides)
        made = self._texts(sides[0], sides[1])
        return made if sign == "=" else cells.Not(made)

    def _texts(self, left: Value, right: Value) -> Condition:
        """Texts are compared without case, as everywhere in a mapping."""
        for one, other in ((left, right), (right, left)):
            if isinstance(other, cells.Constant):
                return cells.Equals(one, (str(other.value),))
        return cells.Same(left, right)

    def _flags(self, sign: str, left: exp.Expr, right: exp.Expr) -> Condition:
        if sign not in ("=", "<>"):
            raise BadExpression(f"true and false are compared with = and <>, not {sign}")
        for one, other in ((left, right), (right, left)):
            if isinstance(other, exp.Boolean):
                made = self._condition(one)
                return made if bool(other.this) == (sign == "=") else cells.Not(made)
        same = cells.Compared("=", self._value(left, "flag"), self._value(right, "flag"))
        return same if sign == "=" else cells.Not(same)

    def _kind(self, tree: exp.Expr) -> Kind | None:
        """What a side of a comparison is by itself; None for a column, which is what the other side is."""
        if isinstance(tree, exp.Paren):
            return self._kind(tree.this)
        if isinstance(tree, exp.Literal):
            if not tree.is_string:
                return "number"
            return "day" if _DAY.match(str(tree.this)) else "text"
        if isinstance(tree, exp.Neg) or type(tree) in parsing.ARITHMETIC:
            return "number"
        if isinstance(tree, exp.Column):
            return "day" if tree.name.lower() == EXPORTED_ON and self.column(tree.name) is None else None
        if isinstance(tree, exp.Anonymous):
            about = FUNCTIONS.get(str(tree.this).removeprefix(lexing.PREFIX))
            if about is not None and not about.gives:
                return next((kind for item in tree.expressions if (kind := self._kind(item))), None)
            return about.gives or None if about is not None else None
        if isinstance(tree, exp.Case):
            branches = [branch.args["true"] for branch in tree.args["ifs"]]
            return next((kind for item in branches if (kind := self._kind(item))), None)
        return None if isinstance(tree, exp.Null) else "flag"


def _flat(tree: exp.Expr) -> list[exp.Expr]:
    """The parts of a chain of one operator, without recursion."""
    found: list[exp.Expr] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if type(node) is type(tree):
            waiting += [node.expression, node.this]
        else:
            found.append(node)
    return found


def _constant(tree: exp.Expr, kind: Kind) -> str | bool | Decimal | dt.date:
    if isinstance(tree, exp.Boolean):
        _fits("flag", kind, str(tree.this).lower())
        return bool(tree.this)
    text = str(tree.this)
    if not tree.is_string:
        if kind == "text":
            return text
        _fits("number", kind, text)
        whole, _, places = text.partition(".")
        if len(whole) > 18 or len(places) > 8:
            raise BadExpression(f"{text} is too long; numbers have at most 18 digits and 8 decimals")
        return Decimal(text)
    if kind == "day":
        try:
            return dt.date.fromisoformat(text if _DAY.match(text) else "")
        except ValueError:
            raise BadExpression(f"'{text}' is no day; write it as '2026-01-31'") from None
    _fits("text", kind, f"'{text}'")
    return text


def _fits(is_: Kind, wanted: Kind, what: str) -> None:
    if is_ != wanted and not (is_ == "day" and wanted == "instant"):
        raise BadExpression(f"{what} is {_KINDS[is_]}, and {_KINDS[wanted]} is needed here")
