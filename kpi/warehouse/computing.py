"""The functions of a mapping's expressions as SQL for DuckDB: decimals all the way, nothing that fails for one row.

Numbers have eight decimals and twenty digits before them. What is too large for that is no value, and the caller makes a
fault of it; a division by zero is no value either, as in formulas.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import UserDefinedType

from kpi.units import MINOR_PLACES
from kpi.warehouse.schema import MONEY, QUANTITY

Column = sa.ColumnElement[Any]

_NUMBER: Final = sa.Numeric(28, 8)
#: Two of these multiplied fit into DuckDB's 38 digits.
_LEFT: Final = sa.Numeric(22, 8)
_RIGHT: Final = sa.Numeric(16, 8)
#: Functions that may have no value though all they are given is there, and what to say then.
MAY_FAIL: Final[Mapping[str, str]] = {
    **{sign: f"a number too large to work out a {sign} b" for sign in "+-*/"},
    "minor": "too large for an amount",
    "money": "too large for an amount",
    "quantity": "too large for a number",
    "whole": "too large for a whole number",
}

#: How a day or an instant is written, for strptime.
_FORMS: Final[Mapping[str, str]] = {"yyyymmdd": "%Y%m%d", "yyyy-mm": "%Y-%m", "mm/yyyy": "%m/%Y", "mmm yyyy": "%b %Y"}
#: Day 0 of a spreadsheet's day numbers, which count a 29 February 1900 that never was.
_SPREADSHEET: Final = "DATE '1899-12-30'"

#: Currencies whose smallest unit is the unit itself, and those that have a thousand of them.
_WITHOUT_CENTS: Final = tuple(code for code, places in MINOR_PLACES.items() if places == 0)
_THOUSANDTHS: Final = tuple(code for code, places in MINOR_PLACES.items() if places == 3)


class _Huge(UserDefinedType[int]):
    """A whole number of 38 digits, the only one that DuckDB divides exactly."""

    def get_col_spec(self, **_: Any) -> str:
        return "HUGEINT"


def value(function: str, given: Sequence[Column]) -> Column:
    """A function of values, none of which fails.

    Raises:
        KeyError: no such function.
    """
    return _FUNCTIONS[function](*given)


def compared(sign: str, left: Column, right: Column) -> Column:
    """``left`` = <> < <= > or >= ``right``."""
    made: Column = _COMPARISONS[sign](left, right)
    return made


def moment(form: str, raw: Column) -> Column:
    """The day or instant that a text of a stated form is; null where it is none."""
    if form == "excel":
        days = sa.try_cast(raw, sa.Numeric(12, 6))
        sane = sa.case((days.between(1, 2_958_465), days))  # up to 9999-12-31
        return sa.literal_column(f"{_SPREADSHEET} + INTERVAL 0 SECOND") + sa.func.to_seconds(sa.cast(sane * 86_400, sa.BigInteger))
    if form in ("epoch", "epoch_ms"):
        number = sa.try_cast(raw, sa.Numeric(18, 3))
        seconds = number / 1000 if form == "epoch_ms" else number
        sane = sa.case((seconds.between(-62_135_596_800, 253_402_300_799), seconds))
        return sa.literal_column("TIMESTAMP '1970-01-01'") + sa.func.to_milliseconds(sa.cast(sane * 1000, sa.BigInteger))
    return sa.func.try_strptime(raw, _FORMS[form])


def _number(column: Column, kind: sa.types.TypeEngine[Any] = _NUMBER) -> Column:
    return sa.try_cast(column, kind)


def _product(left: Column, right: Column) -> Column:
    return _number(sa.cast(_number(left, _LEFT) * _number(right, _RIGHT), sa.Numeric(38, 16)))


def _quotient(left: Column, right: Column) -> Column:
    """In whole numbers, halves away from zero: DuckDB's own division of decimals is one of floats."""
    over, under = (sa.cast(_number(side, _LEFT) * 100_000_000, _Huge()) for side in (left, right))
    sign = sa.case((sa.or_(sa.and_(over < 0, under > 0), sa.and_(over > 0, under < 0)), -1), else_=1)
    scaled: Column = sa.func.abs(over) * 100_000_000
    parts: Column = sa.func.nullif(sa.func.abs(under), 0)
    # casts, since an operator that SQLAlchemy doesn't know gets no parentheses
    whole = sa.cast(scaled * 2 + parts, _Huge()).op("//")(sa.cast(parts * 2, _Huge()))
    return _number(sa.cast(sa.cast(whole, _Huge()) * sign, sa.Numeric(38, 0)) * sa.literal_column("0.00000001"))


def _minor(number: Column, currency: Column) -> Column:
    """An amount in the smallest unit of its currency (ISO 4217) in whole units: cents, but yen as they are."""
    code = sa.func.upper(currency)
    known = ((code.in_(_WITHOUT_CENTS), "1.000"), (code.in_(_THOUSANDTHS), "0.001"), (code.is_not(None), "0.010"))
    unit = sa.case(*((holds, sa.literal_column(share)) for holds, share in known))  # of no currency nobody knows it
    return _number(_number(number, _LEFT) * unit)


def _months_after(day: Column, months: Column) -> Column:
    whole = sa.try_cast(months, sa.Integer)
    sane = sa.case((whole.between(-24_000, 24_000), whole))
    return sa.cast(day + sa.func.to_months(sane), sa.Date)


def _days_after(day: Column, days: Column) -> Column:
    whole = sa.try_cast(days, sa.Integer)
    sane = sa.case((whole.between(-1_000_000, 1_000_000), whole))
    return sa.cast(day + sa.func.to_days(sane), sa.Date)


def _rounded(number: Column, places: Column | None = None) -> Column:
    return sa.func.round(number, sa.literal(0) if places is None else sa.cast(places, sa.Integer))


def _concat(*parts: Column) -> Column:
    return sa.func.nullif(sa.func.concat(*parts), "")


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FUNCTIONS: Final[Mapping[str, Callable[..., Column]]] = {
    "+": lambda a, b: _number(_number(a) + _number(b)),
    "-": lambda a, b: _number(_number(a) - _number(b)),
    "*": _product,
    "/": _quotient,
    "minor": _minor,
    "money": lambda number: _number(number, MONEY),
    "quantity": lambda number: _number(number, QUANTITY),
    "whole": lambda number: _number(number, sa.BigInteger()),
    "abs": sa.func.abs,
    "round": _rounded,
    "least": sa.func.least,
    "greatest": sa.func.greatest,
    "lower": sa.func.lower,
    "upper": sa.func.upper,
    "trim": lambda text: sa.func.nullif(sa.func.trim(text), ""),
    "concat": _concat,
    "length": sa.func.length,
    "days": lambda a, b: sa.func.date_diff("day", sa.cast(a, sa.Date), sa.cast(b, sa.Date)),
    "year": lambda day: sa.func.year(day),
    "months_after": _months_after,
    "days_after": _days_after,
}
