"""Laws that hold for any rows: parts add up, flows are whole, the order of rows is nothing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpi.metrics import definitions
from kpi.metrics.model import Query
from kpi.metrics.query import run

pytestmark = pytest.mark.first_only

FIRST = dt.date(2026, 1, 1)
AFTER = dt.date(2026, 7, 1)
TEXT = """
north_star: revenue
currency: EUR
calendar: {timezone: UTC}
dimensions:
  segment: {label: Segment, of: account, is: case when employees >= 100 then 'Large' when employees >= 0 then 'Small' end}
metrics:
  revenue: {sum: amount, of: invoice_line, over: [service_from, service_to], where: kind <> 'tax'}
  invoiced: {sum: amount, of: invoice_line, at: invoiced_on, where: kind <> 'tax'}
  lines: {count: invoice_line, at: invoiced_on}
  open: {sum: amount, of: invoice_line, during: [service_from, service_to]}
"""
ACCOUNTS = ({"account_id": "a", "employees": 500}, {"account_id": "b", "employees": 5}, {"account_id": "c"})

days = st.none() | st.dates(FIRST - dt.timedelta(days=40), AFTER + dt.timedelta(days=40))
amounts = st.decimals(min_value=Decimal("-9999"), max_value=Decimal("9999"), places=4)
lines = st.lists(
    st.fixed_dictionaries(
        {
            "amount": amounts,
            "kind": st.sampled_from(["charge", "tax", None]),
            "account_id": st.sampled_from(["a", "b", "c", None]),
            "invoiced_on": st.dates(FIRST, AFTER - dt.timedelta(days=1)),
            "service_from": days,
            "service_to": days,
        }
    ),
    min_size=1,
    max_size=8,
)
FILTERS = (
    (),
    ("segment = 'Large'",),
    ("segment <> 'Large'",),
    ("segment is null",),
    ("invoice_line.amount > 0",),
    ("not invoice_line.amount > 0",),
)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    path = tmp_path_factory.mktemp("laws") / "metrics.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return definitions.load(path)


@pytest.fixture
def reader_of(fresh):
    """A reader of invoice lines."""

    def make(rows: list[dict[str, Any]]):
        warehouse = fresh().add("account", *ACCOUNTS)
        warehouse.add("invoice_line", *({"currency": "EUR", **row} for row in rows), covers=(FIRST.isoformat(), AFTER.isoformat()))
        return warehouse.reader()

    return make


def sums(reader, known, grain, by=(), where=(), since=FIRST, until=AFTER):
    result = run(Query(("revenue", "invoiced", "lines", "open"), by, where, grain, since, until), known, reader)
    return {name: [value for value in result.table.column(name).to_pylist() if value is not None] for name in result.query.metrics}


relaxed = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(lines, st.sampled_from(FILTERS))
def test_groups_add_up_to_the_total_under_any_filter(reader_of, known, rows, where):
    with reader_of(rows) as reader:
        for grain in ("all", "month"):
            whole = sums(reader, known, grain, where=where)
            parts = sums(reader, known, grain, by=("segment", "invoice_line.kind"), where=where)
            assert {name: sum(values) for name, values in parts.items()} == {name: sum(values) for name, values in whole.items()}


@relaxed
@given(lines)
def test_a_filter_and_its_opposite_add_up(reader_of, known, rows):
    with reader_of(rows) as reader:
        whole = sums(reader, known, "all")
        for condition in ("segment = 'Large'", "invoice_line.kind in ('tax')", "invoice_line.amount > 1"):
            with_it, without = (sums(reader, known, "all", where=(text,)) for text in (condition, f"not ({condition})"))
            assert {name: with_it[name][0] + without[name][0] for name in whole} == {name: values[0] for name, values in whole.items()}


@relaxed
@given(lines)
def test_weeks_and_months_of_a_flow_add_up_exactly(reader_of, known, rows):
    with reader_of(rows) as reader:
        whole = sums(reader, known, "all")["revenue"]
        for grain in ("day", "week", "month", "quarter"):
            assert sum(sums(reader, known, grain)["revenue"]) == whole[0]


@relaxed
@given(lines)
def test_a_flow_carries_its_whole_amount_over_all_days_as_plain_arithmetic_says(reader_of, known, rows):
    with reader_of(rows) as reader:
        result = run(Query(("revenue",), grain="day", since=FIRST, until=AFTER), known, reader)
    found = dict(zip(result.table.column("period").to_pylist(), result.table.column("revenue").to_pylist(), strict=True))
    assert found == {day: amount for day, amount in by_hand(rows).items() if FIRST <= day < AFTER}


def by_hand(rows):
    """A day at a time, in whole units of 1e-8."""
    units = dict.fromkeys((FIRST + dt.timedelta(days=place) for place in range((AFTER - FIRST).days)), 0)
    for row in rows:
        if row["kind"] == "tax":
            continue
        start = row["service_from"] or row["service_to"] or row["invoiced_on"]
        end = row["service_to"]
        if row["service_from"] is None or end is None or end <= start:
            end = start + dt.timedelta(days=1)
        amount = int(row["amount"] * 10**8)
        length = (end - start).days
        share, rest = divmod(abs(amount), length)
        for place in range(length):
            day = start + dt.timedelta(days=place)
            units[day] = units.get(day, 0) + (share + (place < rest)) * (-1 if amount < 0 else 1)
    return {day: Decimal(count).scaleb(-8) for day, count in units.items()}


@relaxed
@given(lines, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_nothing(reader_of, known, rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    with reader_of(rows) as one, reader_of(shuffled) as other:
        assert sums(one, known, "month", by=("segment",)) == sums(other, known, "month", by=("segment",))
