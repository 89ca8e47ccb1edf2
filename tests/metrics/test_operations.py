"""Operations and expressions give the same answers on DuckDB and PostgreSQL, and the ones worked out by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from kpi.errors import QueryError
from kpi.metrics import compile as compiling
from kpi.metrics import operations
from kpi.metrics.compile import Compiler, Typed, first_day, local_day, one_scale
from kpi.metrics.model import Call, Literal_
from kpi.periods import Calendar

D = dt.date


def value(warehouse, element):
    return warehouse.reader().run(sa.select(element.label("v"))).column(0)[0].as_py()


def day(text):
    return sa.literal(D.fromisoformat(text), sa.Date())


def instant(text):
    return sa.literal(dt.datetime.fromisoformat(text), sa.DateTime())


@pytest.mark.parametrize(
    ("grain", "calendar", "expected"),
    [
        ("day", Calendar(), "2026-11-11"),
        ("week", Calendar(), "2026-11-09"),
        ("week", Calendar(week_starts=6), "2026-11-08"),
        ("month", Calendar(), "2026-11-01"),
        ("quarter", Calendar(), "2026-10-01"),
        ("quarter", Calendar(year_starts=2), "2026-11-01"),
        ("year", Calendar(year_starts=4), "2026-04-01"),
        ("year", Calendar(year_starts=12), "2025-12-01"),
    ],
)
def test_first_day_agrees_with_the_calendar_in_python(warehouse, grain, calendar, expected):
    found = value(warehouse, first_day(day("2026-11-11"), grain, calendar))
    assert found == D.fromisoformat(expected) == calendar.period(D(2026, 11, 11), grain).start


def test_a_pattern_of_weeks_is_refused_in_a_row(warehouse):
    with pytest.raises(QueryError, match=r"period\(day, month\) is not supported in a calendar with a pattern of weeks"):
        first_day(day("2026-11-11"), "month", Calendar(pattern=(4, 4, 5)))


@pytest.mark.parametrize(
    ("written", "zone", "expected"),
    [
        ("2026-03-29T00:59:00", "Europe/Berlin", "2026-03-29"),
        ("2026-03-29T22:00:00", "Europe/Berlin", "2026-03-30"),  # summer time: two hours
        ("2026-12-31T23:00:00", "Europe/Berlin", "2027-01-01"),  # winter time: one
        ("2026-01-01T04:59:00", "America/New_York", "2025-12-31"),
        ("2026-01-01T23:59:59", "UTC", "2026-01-01"),
    ],
)
def test_the_local_day_of_an_instant(warehouse, written, zone, expected):
    assert value(warehouse, local_day(instant(written), Calendar(timezone=zone))) == D.fromisoformat(expected)


def test_differences_of_days_and_hours(warehouse):
    assert value(warehouse, operations.day_number(day("1970-01-02"))) == 1
    assert value(warehouse, operations.day_number(day("0001-01-01"))) == -719162
    hours = operations.decimal(operations.elapsed_hours(instant("2026-03-28T12:00:00"), instant("2026-03-30T12:20:00")), 6)
    assert value(warehouse, hours) == Decimal("48.333333")


def test_a_quotient_by_zero_or_nothing_is_no_value(warehouse):
    def quotient(above, below):
        return value(warehouse, operations.safe_quotient(sa.literal(above, sa.BigInteger()), sa.literal(below, sa.BigInteger())))

    assert quotient(1, 4) == 0.25
    assert quotient(1, 0) is None
    assert quotient(1, None) is None


def test_whole_quotients_and_remainders_are_exact(warehouse):
    big = sa.cast(sa.literal_column("123456789012345678901234567"), operations.Whole())
    n = sa.literal(7, sa.BigInteger())
    assert int(value(warehouse, sa.cast(operations.whole_quotient(big, n), sa.Numeric(38, 0)))) == 123456789012345678901234567 // 7
    assert int(value(warehouse, sa.cast(operations.remainder(big, n), sa.Numeric(38, 0)))) == 123456789012345678901234567 % 7


def number(text):
    return Literal_(Decimal(text), "number")


def text(words):
    return Literal_(words, "text")


def call(function, *arguments, kind="number"):
    return Call(function, arguments, kind)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (call("+", number("0.1"), number("0.25")), Decimal("0.35")),
        (call("*", number("1.00000001"), number("1.00000001")), Decimal("1.000000020000")),  # 12 places at most
        (call("*", number("99999999999999.9999"), number("1.23456789")), Decimal("123456788999999.999876543211")),
        (call("/", number("1"), number("8")), Decimal("0.125000000000")),
        (call("neg", number("2.5")), Decimal("-2.5")),
        (call("abs", number("-2.5")), Decimal("2.5")),
        (call("round", number("2.5")), Decimal(3)),  # halves away from zero
        (call("round", number("-2.345"), number("2")), Decimal("-2.35")),
        (call("coalesce", Literal_(None, "null"), number("1.25")), Decimal("1.25")),
        (call("greatest", number("1.5"), number("1.25"), number("1")), Decimal("1.50")),
        (call("least", number("1.5"), number("1.25"), Literal_(None, "null")), Decimal("1.25")),
        (call("case", call("=", number("1"), number("2"), kind="flag"), number("1.5"), number("0.125")), Decimal("0.125")),
        (call("days", Literal_(D(2026, 2, 27), "day"), Literal_(D(2026, 3, 2), "day")), 3),
        (call("year", Literal_(D(2026, 2, 27), "day")), 2026),
        (call("length", text("Zürich")), 6),
        (call("lower", text("ÄB"), kind="text"), "äb"),
        (call("upper", text("äb"), kind="text"), "ÄB"),
        (call("trim", text("  a b "), kind="text"), "a b"),
        (call("concat", text("a"), Literal_(None, "null"), text("b"), kind="text"), "ab"),
        (call("like", text("a\\b"), text("a\\%"), kind="flag"), True),  # a backslash is a backslash
        (call("like", text("abc"), text("A%"), kind="flag"), False),
        (call("in", number("2"), number("1"), number("2.0"), kind="flag"), True),
        (call("between", number("2"), number("2"), number("3"), kind="flag"), True),
        (call("<>", text("a"), call("coalesce", Literal_(None, "null"), Literal_(None, "null"), kind="text"), kind="flag"), True),
        (call("is_null", Literal_(None, "null"), kind="flag"), True),
    ],
)
def test_expressions(warehouse, node, expected):
    compiler = Compiler(lambda name: Typed(sa.null()), Calendar(), in_rows=True)
    assert value(warehouse, compiler.element(node)) == expected


def found(warehouse, *nodes):
    """What expressions are, asked in one statement."""
    compiler = Compiler(lambda name: Typed(sa.null()), Calendar(), in_rows=True)
    asked = [compiler.element(node).label(f"v{place}") for place, node in enumerate(nodes)]
    return [cell.as_py() for cell in (column[0] for column in warehouse.reader().run(sa.select(*asked)).columns)]


def test_letters_change_their_case_one_by_one(warehouse):
    """ß has one capital and İ one small letter; a Greek s at the end of a word, ligatures and accents stay one letter."""
    small = [call("lower", text(word), kind="text") for word in ("STRAẞE", "İIı", "ΟΔΟΣ ΣΑΣ", "ǅ")]
    assert found(warehouse, *small) == ["straße", "iiı", "οδοσ σασ", "ǆ"]
    large = [call("upper", text(word), kind="text") for word in ("straße", "ıiİ", "οδος", "ﬁn", "ᾀ", "ŉ", "it's %")]
    assert found(warehouse, *large) == ["STRAẞE", "IIİ", "ΟΔΟΣ", "ﬁN", "ᾈ", "ŉ", "IT'S %"]


def test_every_letter_has_the_case_that_duckdb_gives_it(warehouse):
    letters = "".join(letter for letter in map(chr, range(1, 0x1E944)) if letter.upper() != letter or letter.lower() != letter)
    asked = [call(name, text(letters), kind="text") for name in ("lower", "upper")]
    expected = warehouse.sql("select lower(l), upper(l) from (select ? as l)", [letters])[0]
    assert found(warehouse, *asked) == list(expected)


def test_spaces_of_every_kind_are_trimmed_and_line_breaks_are_not(warehouse):
    words = ("\u00a0a b\u00a0", "\u2003\u3000a ", "\ta\n", " ")
    assert found(warehouse, *(call("trim", text(word), kind="text") for word in words)) == ["a b", "a", "\ta\n", ""]


def test_texts_come_in_the_order_of_their_bytes(warehouse):
    """Capitals before small letters, accents last: B is 42, a is 61, ä is c3 a4."""
    words = [text(word) for word in ("a", "B", "ä")]
    lowered = call("lower", text("A"), kind="text")
    nodes = [
        call("<", words[1], words[0], kind="flag"),
        call(">=", words[0], words[2], kind="flag"),
        call("between", words[0], words[1], words[2], kind="flag"),
        call("least", *words, kind="text"),
        call("greatest", *words, kind="text"),
        call("<", lowered, words[1], kind="flag"),
        call("=", lowered, words[0], kind="flag"),
        call("in", lowered, words[1], lowered, kind="flag"),
    ]
    assert found(warehouse, *nodes) == [True, False, True, "B", "ä", False, True, True]


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ("100000", "3", "33333.333333333336"),  # the double is 33333.333333333335758…, and 12 places of it times 10^12 is whole
        ("1", "3", "0.333333333333"),
        ("2", "3", "0.666666666667"),
        ("-2", "3", "-0.666666666667"),
        ("99999999999999.9999", "7", "14285714285714.285474611200"),  # a double has 17 digits, and so has 10^12 times it
        ("5", "10000000000000", "0.000000000001"),  # half of the last place goes up
        ("1", "0", None),
    ],
)
def test_a_quotient_in_a_row_has_twelve_places_of_the_double(warehouse, above, below, expected):
    (value,) = found(warehouse, call("/", number(above), number(below)))
    assert value == (None if expected is None else Decimal(expected))


def test_quotients_in_quotients_are_no_longer_than_what_is_written(warehouse):
    node = number("1000")
    for _ in range(20):
        node = call("/", node, number("1.5"))
    # 1000 / 1.5^20, each step rounded to 12 places
    assert found(warehouse, node) == [Decimal("0.300728659822")]


UNKNOWN = call("case", Literal_(False, "flag"), number("1"))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (call("=", number("1"), UNKNOWN, kind="flag"), None),
        (call(">", number("1"), UNKNOWN, kind="flag"), None),
        (call("<>", number("1"), UNKNOWN, kind="flag"), True),
        (call("between", UNKNOWN, number("1"), number("2"), kind="flag"), None),
        (call("like", call("case", Literal_(False, "flag"), text("a"), kind="text"), text("a%"), kind="flag"), None),
        (call("in", number("1"), number("2"), UNKNOWN, kind="flag"), None),
        (call("in", number("2"), number("2"), UNKNOWN, kind="flag"), True),
        (call("and", call("=", number("1"), UNKNOWN, kind="flag"), Literal_(False, "flag"), kind="flag"), False),
        (call("and", call("=", number("1"), UNKNOWN, kind="flag"), Literal_(True, "flag"), kind="flag"), None),
        (call("or", call("=", number("1"), UNKNOWN, kind="flag"), Literal_(True, "flag"), kind="flag"), True),
        (call("not", call("=", number("1"), UNKNOWN, kind="flag"), kind="flag"), True),
        (call("is_null", call("=", number("1"), UNKNOWN, kind="flag"), kind="flag"), True),
    ],
)
def test_a_condition_as_a_value_is_true_false_or_not_known(warehouse, node, expected):
    """It isn't known where a part that would decide is missing; not, <> and not in ask what isn't true, and always know."""
    assert found(warehouse, node) == [expected]


def test_branches_meet_at_the_widest_scale():
    elements, scale = one_scale([Typed(sa.literal(1), 0), Typed(sa.null()), Typed(sa.literal(Decimal("0.125")), 3)])
    assert (len(elements), scale) == (3, 3)
    assert one_scale([Typed(sa.literal(1), 0), Typed(sa.literal(1.5), compiling.DOUBLE)])[1] == compiling.DOUBLE


def test_each_whole_number_between_two_is_a_row_and_none_where_the_first_is_larger(warehouse):
    """2 to 4, 7 to 7, 5 to 4."""
    given = operations.rows_of("given", low=[2, 7, 5], high=[4, 7, 4])
    found = warehouse.reader().run(sa.select(given.c.low, operations.numbers(given.c.low, given.c.high).label("n")))
    assert sorted(tuple(row.values()) for row in found.to_pylist()) == [(2, 2), (2, 3), (2, 4), (7, 7)]


def test_stacked_tables_lack_columns(warehouse):
    """Two tables of different columns, one below the other; what one lacks is missing, and types are those that were said."""
    days = operations.rows_of("days", day=[1, 2])
    counts = sa.select(sa.literal_column("3").label("day"), sa.literal_column("'x'").label("g0"), sa.literal_column("7").label("n")).cte(
        "counts"
    )
    amounts = sa.select(sa.literal_column("4").label("day"), operations.decimal(sa.literal_column("1.5"), 4).label("v")).cte("amounts")
    kinds = {"day": operations.BIG, "g0": operations.TEXT, "n": operations.WHOLE, "v": operations.numeric(4)}
    found = operations.stacked([days, counts, amounts], kinds).subquery("found")
    answer = warehouse.reader().run(sa.select(*found.c).order_by(found.c.day)).to_pylist()
    assert answer == [
        {"day": 1, "g0": None, "n": None, "v": None},
        {"day": 2, "g0": None, "n": None, "v": None},
        {"day": 3, "g0": "x", "n": 7, "v": None},
        {"day": 4, "g0": None, "n": None, "v": Decimal("1.5")},
    ]
