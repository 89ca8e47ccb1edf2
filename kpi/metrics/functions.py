"""The functions of the expression language: the closed set, with how each is written and what it means.

``docs/metrics.md`` prints this table; :mod:`kpi.metrics.operators` types them.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple


class Function(NamedTuple):
    """``place``: ``row`` for expressions on rows, ``formula`` for formulas, ``both`` for either, ``until`` for that key of time_to."""

    name: str
    written: str
    place: Literal["row", "formula", "both", "until"]
    least: int
    most: int
    meaning: str


FUNCTIONS: Final = (
    Function("coalesce", "coalesce(a, b, …)", "both", 2, 50, "the first that is known"),
    Function("least", "least(a, b, …)", "both", 2, 50, "the smallest of those that are known"),
    Function("greatest", "greatest(a, b, …)", "both", 2, 50, "the largest of those that are known"),
    Function("abs", "abs(a)", "both", 1, 1, "without its sign"),
    Function("round", "round(a) or round(a, 2)", "both", 1, 2, "rounded to so many places, halves away from zero"),
    Function("lower", "lower(text)", "row", 1, 1, "in lower case"),
    Function("upper", "upper(text)", "row", 1, 1, "in upper case"),
    Function("trim", "trim(text)", "row", 1, 1, "without spaces at both ends"),
    Function("concat", "concat(a, b, …)", "row", 2, 50, "texts joined; missing ones are left out"),
    Function("length", "length(text)", "row", 1, 1, "how many characters"),
    Function("days", "days(a, b)", "row", 2, 2, "days from a to b; an instant counts as its day in the calendar's time zone"),
    Function("hours", "hours(a, b)", "row", 2, 2, "hours from instant a to instant b, with fractions"),
    Function("year", "year(day)", "row", 1, 1, "the calendar year of a day, as a number"),
    Function("period", "period(day, month)", "row", 2, 2, "first day of the day, week, month, quarter or (fiscal) year that holds it"),
    Function(
        "per",
        "per(account, revenue)",
        "row",
        2,
        2,
        "in a condition: a metric's value for the row's own account (a table, a dimension or table.column), over all days asked for, "
        "without the query's filters",
    ),
    Function("previous", "previous(metric, 1 year)", "formula", 2, 2, "the same that many days, weeks, months, quarters or years earlier"),
    Function(
        "rolling", "rolling(metric, 28 days)", "formula", 2, 2, "over so many days, weeks, months or years up to and with the last day"
    ),
    Function("to_date", "to_date(metric, quarter)", "formula", 2, 2, "from the start of the month, quarter, year, or all, to the last day"),
    Function(
        "at_start",
        "at_start(metric, quarter)",
        "formula",
        2,
        2,
        "in the first period of the month, quarter or year; of a stock, at the close of the day before it",
    ),
    Function("only", "only(metric, segment = 'SMB')", "formula", 2, 2, "with a further filter on dimensions or table.column"),
    Function("total", "total(metric)", "formula", 1, 1, "over all values of the dimensions asked for; filters stay"),
    Function("cumulative", "cumulative(metric)", "until", 1, 1, "of an entity, over all days up to a month's end"),
)

BY_NAME: Final = {function.name: function for function in FUNCTIONS}

_WHERE: Final = {
    "formula": "formulas, over metrics",
    "row": "expressions on rows, not in formulas",
    "until": "until: of time_to, as in cumulative(revenue) >= 0",
}
#: Of each function that doesn't stand everywhere where it does, for messages.
PLACES: Final = {function.name: _WHERE[function.place] for function in FUNCTIONS if function.place in _WHERE}


def named(place: Literal["row", "formula", "until"]) -> tuple[str, ...]:
    """Names of the functions that may stand in a row expression, in a formula, or in the formula of ``until``."""
    places = ("formula", "until", "both") if place == "until" else (place, "both")
    return tuple(function.name for function in FUNCTIONS if function.place in places)
