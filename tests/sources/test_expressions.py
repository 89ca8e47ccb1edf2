"""Expressions of mappings: what each becomes of a file's cells, compared with Python's own decimals and dates."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.errors import BadExpression
from kpi.sources.expressions import FUNCTIONS, Reader
from kpi.warehouse.cells import Cell

MAPPING = """
source: made
exports:
  lines:
    columns: [Id, A, B, Day, End, State]
    may_have: [Extra]
    rows:
      invoice_line:
        line_id: Id
        kind: {{value: charge}}
        invoiced_on: Day
        currency: {{value: EUR}}
        amount: {{is: {amount}}}
"""
HEADER = "Id,A,B,Day,End,State\n"


def amounts(mapped, expression: str, *rows: str) -> list[Decimal]:
    """The amount of each row, in order of the rows."""
    lines = "".join(f"{at:04d},{row}\n" for at, row in enumerate(rows))
    result = mapped(MAPPING.format(amount=f'"{expression}"'), HEADER + lines)
    return [amount for _, amount in result.rows("invoice_line", "line_id", "amount")]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", "13.5"),
        ("a - b", "7.5"),
        ("-a", "-10.5"),
        ("a * b", "31.5"),
        ("a / b", "3.5"),
        ("b / a", "0.2857"),  # 3 / 10.5 = 0.285714…
        ("a * (1 - 0.2)", "8.4"),
        ("round(a / 4, 1)", "2.6"),  # 2.625
        ("abs(b - a)", "7.5"),
        ("least(a, b, 7)", "3"),
        ("greatest(a, b, 7)", "10.5"),
        ("coalesce(extra, b)", "3"),  # the file has no column Extra
        ("length(state)", "4"),
        ("days(day, end_)", "30"),
        ("year(end_)", "2026"),
        ("case when state = 'PAID' then a else 0 end", "10.5"),  # case is ignored
        ("case when state <> 'paid' then 1 when a > 10 and b between 3 and 4 then 2 end", "2"),
        ("case when state in ('open', 'paid') then 1 else 2 end", "1"),
        ("case when state like 'p%d' then 1 else 2 end", "1"),
        ("case when state like 'p.d' then 1 else 2 end", "2"),  # a point is a point
        ("case when extra is null and state is not null then 1 else 2 end", "1"),
        ("case when end_ >= '2026-03-31' then 1 else 2 end", "1"),
        ("case when day(end_) > day(day) then 1 else 2 end", "1"),
        ("case when number(a) > number(b) then 1 else 2 end", "1"),
        ("case when extra <> 5 then 1 else 2 end", "1"),  # nothing is not 5
        ("days(day, months_after(day, 1))", "31"),
        ("days(day, days_after(day, -2))", "-2"),
    ],
)
def test_expressions_give(mapped, expression, expected):
    assert amounts(mapped, expression, "10.50,3,01.03.2026,31.03.2026,paid") == [Decimal(expected)]


#: The product of two has at most fourteen digits before its point, as many as an amount has.
NUMBERS = st.decimals(min_value="-9999999.9999", max_value="9999999.9999", places=4)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_arithmetic_is_exact(mapped_module, pairs):
    rows = [f"{a},{b},2026-03-01,," for a, b in pairs]
    cents = Decimal("0.0001")
    for sign, expected in (
        ("a * b", [(a * b).quantize(Decimal("1e-8"), ROUND_HALF_UP).quantize(cents, ROUND_HALF_UP) for a, b in pairs]),
        ("a - b", [a - b for a, b in pairs]),
        (
            "a / b",
            [None if b == 0 else (a / b).quantize(Decimal("1e-8"), ROUND_HALF_UP).quantize(cents, ROUND_HALF_UP) for a, b in pairs],
        ),
    ):
        assert amounts(mapped_module, f"coalesce({sign}, 0)", *rows) == [value or 0 for value in expected]


def test_what_is_too_large_is_a_problem_and_nothing_else_fails(mapped):
    result = mapped(MAPPING.format(amount='"a * b"'), f"{HEADER}1,999999999999,9999999,2026-03-01,,\n2,2,3,2026-03-01,,\n")
    assert result.rows("invoice_line", "line_id", "amount") == [("made:2", Decimal("6.0000"))]
    assert [(line, reason) for line, _, _, reason in result.problems()] == [(2, "too large for an amount")]


def test_the_day_of_the_export_stands_in_the_files_name(mapped):
    mapping = MAPPING.format(amount='"days(day, exported_on)"').replace("    rows:", "    dated_by: name\n    rows:")
    result = mapped(mapping, f"{HEADER}1,1,1,2026-03-01,,\n", name="lines-2026-03-11.csv")
    assert result.rows("invoice_line", "amount") == [(Decimal(10),)]
    assert result.staged.as_of == dt.datetime(2026, 3, 11)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("amuont + 1", 'the export has no column amuont; did you mean "amount"?'),
        ("amount + 'x'", "'x' is a text, and a number is needed here"),
        ("amount > state", "say what the columns beside > are: number(a) > number(b), or day(a) > day(b)"),
        ("state > 'x'", "texts are compared with = and <>, not >; write numbers without quotes and days as '2026-01-31'"),
        ("deal.amount + 1", "deal.amount: an expression of a mapping speaks of the file's own columns, without a table"),
        ("previous(amount, 1 year)", "previous(): no such function"),
        ("'2026-02-31'", "'2026-02-31' is a text, and a number is needed here"),
        ("state", None),  # a column is read as what is wanted
        ("amount; drop table deal", "an expression is one expression; remove the ;"),
        ("1 " + "+ 1 " * 70, "more than 60 operators in a row; name parts of the sum"),
    ],
)
def test_what_an_expression_may_not_hold_is_said(expression, sentence):
    cells = {"amount": Cell(("Amount",)), "state": Cell(("State",))}
    reader = Reader(cells.get, tuple(cells))
    if sentence is None:
        reader.value(expression, "number")
        return
    with pytest.raises(BadExpression) as raised:
        reader.condition(expression) if " > " in expression else reader.value(expression, "number")
    assert str(raised.value).startswith(sentence)


def test_every_function_is_tried(request):
    tried = " ".join(str(mark.args[1]) for mark in test_expressions_give.pytestmark)
    elsewhere = {"lower", "upper", "trim", "concat"}  # texts: see test_reading
    assert {name for name in FUNCTIONS if f"{name}(" not in tried} == elsewhere
