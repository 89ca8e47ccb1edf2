"""Values and conditions as SQL: each against what stands in the cell, and against what it should be."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from kpi.warehouse import cells
from kpi.warehouse.casting import Scope, compile_condition, compile_value
from kpi.warehouse.mapped import sql
from kpi.warehouse.shapes import AmountShape, DateShape

D = Decimal
A = cells.Cell(("a",))
B = cells.Cell(("b",))


def cast(value: cells.Value, a: str | None, b: str | None = None, **about: Any) -> tuple[Any, list[str]]:
    """What ``value`` makes of a record with the cells ``a`` and ``b``, and the reasons why it can't be used."""
    scope = Scope({"a": (0, "A"), "b": (1, "B")}, "EUR", "Europe/Berlin", **about)
    made = compile_value(value, scope)
    columns = [
        made.value.label("value"),
        *(sa.func.coalesce(fault.bad, sa.false()).label(f"f{at}") for at, fault in enumerate(made.faults)),
    ]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (c0 VARCHAR, c1 VARCHAR)")
        connection.execute("INSERT INTO t VALUES (?, ?)", [a, b])
        row = connection.execute(sql(sa.select(*columns).select_from(sa.table("t")))).fetchall()[0]
    return row[0], [fault.reason for fault, bad in zip(made.faults, row[1:], strict=True) if bad]


@pytest.mark.parametrize(
    ("value", "cell", "made"),
    [
        (cells.Amount(A), "12.5", D("12.5000")),
        (cells.Amount(A, "integer"), "1200", 1200),
        (cells.Flag(A), "TRUE", True),
        (cells.Flag(A), "0", False),
        (cells.Day(A), "2026-03-01 23:30:00", date(2026, 3, 1)),
        (cells.Day(A, "utc"), "2026-03-01 23:30:00", date(2026, 3, 2)),
        (cells.Instant(A, "local"), "2026-07-01 10:00", datetime(2026, 7, 1, 8)),
        (cells.MonthOf(cells.Day(A)), "2026-12-24", date(2026, 12, 1)),
        (cells.MonthOf(cells.Day(A), next=True), "2026-12-24", date(2027, 1, 1)),
        (cells.DayAfter(cells.Day(A)), "2026-12-31", date(2027, 1, 1)),
        (cells.Domain(A), "https://www.Acme.example:8080/x", "acme.example"),
        (cells.Domain(A), "Ada@mail.acme.example", "mail.acme.example"),
        (cells.Domain(A), "nothing", None),
        (cells.CaseSafe(A), "00600000263E0A0", "00600000263E0A0AAK"),
        (cells.CaseSafe(A), "0064600000J5S5TAAV", "0064600000J5S5TAAV"),
        (cells.Currency(A), "usd", "USD"),
        (cells.Id(A, ("000000000000000AAA",)), "000000000000000AAA", None),
        (cells.Prefixed("x", cells.Id(A)), "7", "x:7"),
        (cells.Joined((A, B), " "), "Bill", "Bill"),
        (cells.Sum(cells.Amount(A), cells.Amount(B)), "3", D("3.0000")),
        (cells.Choice(A, (("won", "yes"),), "keep"), "Other", "Other"),
        (cells.Choice(A, (("won", "yes"),), "none"), "Other", None),
    ],
)
def test_values(value: cells.Value, cell: str, made: Any) -> None:
    assert cast(value, cell) == (made, [])
    assert cast(value, None)[1] == []  # an empty cell is no mistake


@pytest.mark.parametrize(
    ("value", "cell", "reason"),
    [
        (cells.Amount(A), "ten", "not an amount"),
        (cells.Amount(A), "123456789012345678", "not an amount"),  # more than DECIMAL(18,4) holds
        (cells.Flag(A), "maybe", "neither yes nor no"),
        (cells.Day(A), "2026-02-30", "not a date"),
        (cells.Day(A), "2026-03-01T10:00:00+0200", "not a date"),  # an offset that the column isn't known to have
        (cells.Currency(A), "euro", "not a currency of three letters"),
        (cells.Choice(A, (("won", "yes"), ("lost", "no"))), "open", "not one of won, lost"),
        (cells.Required(A), None, "empty, and no row can do without it"),
    ],
)
def test_faults(value: cells.Value, cell: str | None, reason: str) -> None:
    assert cast(value, cell)[1] == [reason]


def test_a_missing_value_that_is_bad_is_told_once() -> None:
    assert cast(cells.Required(cells.Amount(A)), "ten")[1] == ["not an amount"]


def test_an_id_that_a_spreadsheet_shortened() -> None:
    assert cast(cells.Id(A), "1.21E+15")[1][0].startswith("a spreadsheet has shortened this id")
    assert cast(cells.Id(A), "SIZE+15")[1] == []


@pytest.mark.parametrize(
    ("price", "seats", "unit", "monthly"),
    [
        ("1000", "1", "1/12", D("83.3333")),
        ("0.05", "1000", "1/12", D("4.1667")),  # 50 / 12, and not a thousand times 0.0042
        ("9", "2", "52/12", D("78.0000")),
        ("-100", None, "1/3", D("-33.3333")),
    ],
)
def test_prices_a_month(price: str, seats: str | None, unit: str, monthly: Decimal) -> None:
    value = cells.Share(cells.Amount(A), cells.Amount(B, "number"), cells.Constant(unit))
    assert cast(value, price, seats)[0] == monthly


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1.234,56", D("1234.5600")),
        ("(1.234,56)", D("-1234.5600")),
        ("−5,00 €", D("-5.0000")),
        ("EUR 1 234,5", D("1234.5000")),
        ("12.34", None),
        ("1.23.456,00", D("123456.0000")),  # as India groups
        ("5 apples", None),
    ],
)
def test_amounts_with_a_decimal_comma(cell: str, amount: Decimal | None) -> None:
    assert cast(cells.Amount(A), cell, amounts={0: AmountShape(False, ",")})[0] == amount


def test_formats_of_a_column() -> None:
    shape = DateShape(False, False, ("%d/%m/%y", "%d/%m/%Y"))
    assert cast(cells.Day(A), "1/2/24", dates={0: shape})[0] == date(2024, 2, 1)
    assert cast(cells.Day(A), "1/2/2024", dates={0: shape})[0] == date(2024, 2, 1)


def test_conditions_are_never_null() -> None:
    scope = Scope({"a": (0, "A")}, "EUR", "UTC")
    conditions = [
        cells.Filled(A),
        cells.Equals(A, ("x",)),
        cells.Matches(A, "x"),
        cells.Is(cells.Flag(A)),
        cells.Above(cells.Amount(A)),
        cells.Same(A, A),
        cells.Not(cells.Filled(A)),
        cells.AllOf(()),
        cells.AnyOf(()),
        cells.Filled(cells.Cell(("absent",))),
    ]
    with duckdb.connect() as connection:
        select = sa.select(*(compile_condition(condition, scope).value.label(f"x{at}") for at, condition in enumerate(conditions)))
        row = connection.execute(sql(select.select_from(sa.text("(SELECT CAST(NULL AS VARCHAR) AS c0) t")))).fetchall()[0]
    assert row == (False, False, False, False, False, False, True, True, False, False)
