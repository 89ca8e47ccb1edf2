"""Any expression means on the warehouse what docs/metrics.md says of it: a second evaluator, written from the page.

The reference knows a row as Python values: Decimal, str, date, bool, None for what is missing. It works on the same
choices from which the text is written, never on the text or the program's own tree.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi.metrics import expressions, functions
from kpi.metrics.rows import Rows
from kpi.periods import Calendar

pytestmark = pytest.mark.postgres_later

ZONE = "Europe/Berlin"
CALENDAR = Calendar(timezone=ZONE)
EXACT = Context(prec=200)
Row = dict[str, Any]


class Made(NamedTuple):
    """An expression as its author writes it, what it is of a row, and the decimal places it may have."""

    text: str
    of: Callable[[Row], Any]
    places: int = 0


QUANTITIES = [None, "0", "1", "-1", "2.5", "-2.5", "0.000001", "999.999999", "-12.345678", "100", "0.5", "7"]
TEXTS = [None, "", " ", "Acme", "acme", "Ärger", " a_b%c ", "it's", "日本", "Zoë", "SMB", "a"]
DAYS = [None, "2024-02-29", "2025-12-31", "2026-01-01", "2026-03-29", "2026-03-31", "2026-10-25", "2023-01-01", "2026-07-01", "2026-01-05"]
INSTANTS = [None, "2026-03-28 22:59:59", "2026-03-28 23:00:00", "2026-10-24 22:00:00", "2025-12-31 23:30:00", "2026-01-01 00:00:00"]
#: Lengths without a common factor meet in many pairs, missing ones among them.
ROWS: list[Row] = [
    {
        "quantity": Decimal(QUANTITIES[n % 12]) if QUANTITIES[n % 12] else None,
        "run_id": [None, 0, 3, -4, 1000][n % 5],
        "plan": TEXTS[n % 12],
        "status": TEXTS[(n * 7 + n // 12) % 12],
        "started_on": dt.date.fromisoformat(DAYS[n % 10]) if DAYS[n % 10] else None,
        "ended_on": dt.date.fromisoformat(DAYS[(n * 3 + 1) % 10]) if DAYS[(n * 3 + 1) % 10] else None,
        "modified_at": dt.datetime.fromisoformat(INSTANTS[n % 6]) if INSTANTS[n % 6] else None,
        "is_assumed": [True, False, None][n % 3],
    }
    for n in range(60)
]


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT)


def column(name: str, places: int = 0) -> Made:
    return Made(name, lambda row: row[name], places)


def of_known(function: Callable[..., Any], *parts: Made) -> Callable[[Row], Any]:
    """Nothing where a part is missing."""

    def value(row: Row) -> Any:
        values = [part.of(row) for part in parts]
        return None if None in values else function(*values)

    return value


def constant(text: str) -> Made:
    value = Decimal(text)
    return Made(text, lambda _: value, len(text.partition(".")[2]))


def quoted(text: str) -> Made:
    return Made("'" + text.replace("'", "''") + "'", lambda _: text)


# Numbers

atoms = st.one_of(
    st.just(column("quantity", 6)),
    st.just(Made("run_id", lambda row: None if row["run_id"] is None else Decimal(row["run_id"]))),
    st.sampled_from(["0", "1", "2", "10", "2.5", "0.01", "12.345678", "1000"]).map(constant),
)


def product(pair: tuple[Made, Made]) -> Made:
    left, right = pair
    places = min(left.places + right.places, 12)
    return Made(
        f"({left.text}) * {right.text}", of_known(lambda a, b: rounded(EXACT.multiply(Decimal(a), Decimal(b)), places), left, right), places
    )


def sum_of(parts: tuple[Made, str, Made]) -> Made:
    left, sign, right = parts
    function = EXACT.add if sign == "+" else EXACT.subtract
    return Made(f"({left.text}) {sign} ({right.text})", of_known(function, left, right), max(left.places, right.places))


def quotient(pair: tuple[Made, str]) -> Made:
    # Only quotients that a double holds to 12 places, so that what is made of them is exact as well.
    above, below = pair
    by = Decimal(below)
    return Made(f"{above.text} / {below}", of_known(lambda a: rounded(Decimal(a) / by, 12) if by else None, above), 12)


def one_of_them(name: str, parts: list[Made]) -> Made:
    pick = {"coalesce": lambda values: values[0], "least": min, "greatest": max}[name]

    def value(row: Row) -> Any:
        known = [found for part in parts if (found := part.of(row)) is not None]
        return pick(known) if known else None

    return Made(f"{name}({', '.join(part.text for part in parts)})", value, max(part.places for part in parts))


def case(parts: tuple[list[tuple[Made, Made]], Made | None]) -> Made:
    pairs, otherwise = parts

    def value(row: Row) -> Any:
        for when, then in pairs:
            if when.of(row) is True:
                return then.of(row)
        return otherwise.of(row) if otherwise else None

    whens = " ".join(f"when {when.text} then {then.text}" for when, then in pairs)
    places = max(made.places for made in [*(then for _, then in pairs), *([otherwise] if otherwise else [])])
    return Made(f"case {whens}{f' else {otherwise.text}' if otherwise else ''} end", value, places)


def simple_case(parts: tuple[Made, list[tuple[Made, Made]], Made]) -> Made:
    """``case plan when 'a' then … else … end``: a missing value is like none."""
    subject, pairs, otherwise = parts

    def value(row: Row) -> Any:
        found = subject.of(row)
        for when, then in pairs:
            if found is not None and found == when.of(row):
                return then.of(row)
        return otherwise.of(row)

    whens = " ".join(f"when {when.text} then {then.text}" for when, then in pairs)
    places = max(made.places for made in [*(then for _, then in pairs), otherwise])
    return Made(f"case {subject.text} {whens} else {otherwise.text} end", value, places)


def branches(draw: Any, values: Callable[..., st.SearchStrategy[Made]], deep: int) -> Made:
    """Of several values of one type, one."""
    name = draw(st.sampled_from(["coalesce", "least", "greatest", "case", "simple case"]))
    if name == "simple case":
        chosen = [(draw(texts(0)), draw(values(deep))) for _ in range(draw(st.integers(1, 2)))]
        return simple_case((draw(texts(0)), chosen, draw(values(deep))))
    if name != "case":
        return one_of_them(name, [draw(values(deep)) for _ in range(draw(st.integers(2, 3)))])
    pairs = [(draw(flags(deep)), draw(values(deep))) for _ in range(draw(st.integers(1, 2)))]
    return case((pairs, draw(values(deep)) if draw(st.booleans()) else None))


def rounding(pair: tuple[Made, int]) -> Made:
    inner, places = pair
    return Made(f"round({inner.text}, {places})", of_known(lambda a: rounded(Decimal(a), places), inner), places)


@st.composite
def numbers(draw: Any, deep: int) -> Made:
    kinds = ["atom", "quotient", "length", "days", "hours", "year"]
    kind = draw(st.sampled_from([*kinds, "*", "sum", "round", "abs", "neg", "branches"] if deep else kinds))
    if kind == "quotient":
        return quotient((column("quantity", 6), draw(st.sampled_from(["0", "1", "2", "4", "5", "8"]))))
    if kind == "length":
        text = draw(texts(max(deep - 1, 0)))
        return Made(f"length({text.text})", of_known(lambda value: Decimal(len(value)), text))
    if kind == "days":
        start, end = draw(days(0) | st.just(instant)), draw(days(0) | st.just(instant))
        return Made(f"days({start.text}, {end.text})", of_known(lambda a, b: Decimal((b - a).days), start, end))
    if kind == "hours":
        return Made("hours(modified_at, modified_at)", of_known(lambda _: Decimal(0), column("modified_at")), 6)
    if kind == "year":
        day = draw(days(0) | st.just(instant))
        return Made(f"year({day.text})", of_known(lambda value: Decimal(value.year), day))
    if kind == "branches":
        return branches(draw, numbers, deep - 1)
    if kind == "atom":
        return draw(atoms)
    inner = draw(numbers(deep - 1))
    if kind == "*":
        return product((inner, draw(atoms)))
    if kind == "sum":
        return sum_of((inner, draw(st.sampled_from("+-")), draw(numbers(deep - 1))))
    if kind == "round":
        return rounding((inner, draw(st.integers(0, 6))))
    if kind == "abs":
        return Made(f"abs({inner.text})", of_known(EXACT.abs, inner), inner.places)
    return Made(f"-({inner.text})", of_known(EXACT.minus, inner), inner.places)


# Texts

patterns = st.text("aAc%_é'", max_size=4)


def matches(text: str, pattern: str) -> bool:
    written = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(written, text, re.DOTALL) is not None


def joined(parts: list[Made]) -> Made:
    return Made(f"concat({', '.join(part.text for part in parts)})", lambda row: "".join(part.of(row) or "" for part in parts))


TEXT_FUNCTIONS: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "trim": lambda value: value.strip(" ")}


@st.composite
def texts(draw: Any, deep: int) -> Made:
    kind = draw(st.sampled_from(["atom", *TEXT_FUNCTIONS, "concat", "branches"] if deep else ["atom"]))
    if kind == "atom":
        return draw(st.sampled_from([column("plan"), column("status"), *map(quoted, ["", "a", "Acme", "it's", " x "])]))
    if kind == "branches":
        return branches(draw, texts, deep - 1)
    if kind == "concat":
        return joined([draw(texts(deep - 1)) for _ in range(draw(st.integers(2, 3)))])
    inner = draw(texts(deep - 1))
    return Made(f"{kind}({inner.text})", of_known(TEXT_FUNCTIONS[kind], inner))


# Days; an instant is the day it falls on where a day is needed


def local(instant: dt.datetime) -> dt.date:
    return instant.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(ZONE)).date()


def first_of(grain: str, day: dt.date) -> dt.date:
    if grain == "week":
        return day - dt.timedelta(days=day.weekday())
    months = {"day": day.month, "month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}
    return day if grain == "day" else dt.date(day.year, months[grain], 1)


instant = Made("modified_at", of_known(local, column("modified_at")))


def of_day(text: str) -> Made:
    return Made(f"'{text}'", lambda _: dt.date.fromisoformat(text))


@st.composite
def days(draw: Any, deep: int) -> Made:
    kind = draw(st.sampled_from(["column", "period", "branches"] if deep else ["column", "period"]))
    if kind == "branches":
        return branches(draw, days, deep - 1)
    day = draw(st.sampled_from([column("started_on"), column("ended_on"), *([instant] if kind == "period" else [])]))
    if kind == "column":
        return day
    grain = draw(st.sampled_from(["day", "week", "month", "quarter", "year"]))
    return Made(f"period({day.text}, {grain})", of_known(lambda value: first_of(grain, value), day))


# Conditions: true or not; what can't be told isn't true

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a is not None and b is not None and a == b,
    "<>": lambda a, b: a != b,  # keeps missing values, and is no difference between two of them
    "<": lambda a, b: a is not None and b is not None and a < b,
    "<=": lambda a, b: a is not None and b is not None and a <= b,
    ">": lambda a, b: a is not None and b is not None and a > b,
    ">=": lambda a, b: a is not None and b is not None and a >= b,
}


def comparison(parts: tuple[Made, str, Made]) -> Made:
    left, sign, right = parts
    return Made(f"({left.text}) {sign} ({right.text})", lambda row: COMPARE[sign](left.of(row), right.of(row)))


def among(parts: tuple[Made, bool, list[Made]]) -> Made:
    value, negated, others = parts
    text = f"({value.text}) {'not ' if negated else ''}in ({', '.join(other.text for other in others)})"
    return Made(text, lambda row: negated != any(COMPARE["="](value.of(row), other.of(row)) for other in others))


def between(parts: tuple[Made, bool, Made, Made]) -> Made:
    value, negated, low, high = parts
    text = f"({value.text}) {'not ' if negated else ''}between ({low.text}) and ({high.text})"
    return Made(text, lambda row: negated != (COMPARE[">="](value.of(row), low.of(row)) and COMPARE["<="](value.of(row), high.of(row))))


def like(parts: tuple[Made, bool, str]) -> Made:
    value, negated, pattern = parts

    def holds(row: Row) -> bool:
        text = value.of(row)
        return negated != (text is not None and matches(text, pattern))

    return Made(f"({value.text}) {'not ' if negated else ''}like {quoted(pattern).text}", holds)


def is_null(pair: tuple[Made, bool]) -> Made:
    value, negated = pair
    return Made(f"({value.text}) is {'not ' if negated else ''}null", lambda row: (value.of(row) is None) != negated)


@st.composite
def flags(draw: Any, deep: int) -> Made:
    kinds = ["column", "equals", "instant", "compare", "in", "between", "null", "like", *(["not", "and", "or"] if deep else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "column":
        return column("is_assumed")
    if kind == "equals":
        sign, truth = draw(st.sampled_from(["=", "<>"])), draw(st.booleans())
        return Made(f"is_assumed {sign} {str(truth).lower()}", lambda row: COMPARE[sign](row["is_assumed"], truth))
    if kind == "instant":  # meets a day as the day it falls on
        sign, day = draw(st.sampled_from(sorted(COMPARE))), draw(days(0) | st.sampled_from([*map(of_day, filter(None, DAYS))]))
        return comparison((instant, sign, day))
    if kind == "not":
        inner = draw(flags(deep - 1))
        return Made(f"not ({inner.text})", lambda row: inner.of(row) is not True)
    if kind in ("and", "or"):
        left, right = draw(flags(deep - 1)), draw(flags(deep - 1))
        both = all if kind == "and" else any
        return Made(f"({left.text}) {kind} ({right.text})", lambda row: both(part.of(row) is True for part in (left, right)))
    negated = draw(st.booleans())
    if kind == "like":
        return like((draw(texts(max(deep - 1, 0))), negated, draw(patterns)))
    values = draw(st.sampled_from([numbers, texts, days]))(max(deep - 1, 0))
    first = draw(values)
    if kind == "compare":
        return comparison((first, draw(st.sampled_from(sorted(COMPARE))), draw(values)))
    if kind == "in":
        return among((first, negated, [draw(values) for _ in range(draw(st.integers(1, 3)))]))
    if kind == "between":
        return between((first, negated, draw(values), draw(values)))
    return is_null((first, negated))


@pytest.fixture(scope="module")
def evaluated(fresh):
    rows = [{"term_id": f"{place:03}", "currency": "EUR", **row} for place, row in enumerate(ROWS)]
    reader = fresh().add("subscription_term", *rows).reader()
    scope = expressions.Scope("subscription_term", (), lambda _: None, "law")

    def answer(text: str, as_filter: bool = False) -> list[Any]:
        node = expressions.row(text, scope)
        rows = Rows("subscription_term", CALENDAR)
        element = rows.element(node)
        if as_filter:
            element = sa.case((element, True), else_=False)
        found = sa.select(element.label("value"), rows.table.c.term_id).select_from(rows.source).order_by("term_id")
        return reader.run(found).column(0).to_pylist()

    return answer


#: The same ones every time, so that no run fails by chance.
many = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def compared(made: Made, found: list[Any]) -> None:
    expected = [made.of(row) for row in ROWS]
    wrong = [(row, value, meant) for row, value, meant in zip(ROWS, found, expected, strict=True) if value != meant]
    assert not wrong, (made.text, wrong[0])


@many
@given(made=numbers(2))
def test_numbers_are_exact(evaluated, made: Made) -> None:
    compared(made, evaluated(made.text))


@many
@given(made=texts(2))
def test_texts(evaluated, made: Made) -> None:
    compared(made, evaluated(made.text))


@many
@given(made=days(2))
def test_days(evaluated, made: Made) -> None:
    compared(made, evaluated(made.text))


@many
@given(made=flags(2))
def test_conditions(evaluated, made: Made) -> None:
    found = evaluated(made.text, as_filter=True)
    assert found == [made.of(row) is True for row in ROWS], made.text


@many
@given(made=flags(2))
def test_a_condition_and_its_opposite_are_all_rows(evaluated, made: Made) -> None:
    held, opposite = evaluated(made.text, as_filter=True), evaluated(f"not ({made.text})", as_filter=True)
    assert [one != other for one, other in zip(held, opposite, strict=True)] == [True] * len(ROWS), made.text


#: What the laws above write; per() stands over a metric, and has its own tests.
WRITTEN = {"coalesce", "least", "greatest", "abs", "round", "length", "days", "hours", "year", "period", "concat", *TEXT_FUNCTIONS}


def test_no_function_of_rows_is_without_a_law() -> None:
    assert {found.name for found in functions.FUNCTIONS if found.place in ("row", "both")} - {"per"} == WRITTEN
