"""The days that values are taken over, above all where a gap in coverage lies within a period."""

from __future__ import annotations

import datetime as dt

import pytest

from kpi.metrics.windows import Window, clip
from kpi.periods import Period
from tests.metrics.hand_made import ask, column, rows, states

pytestmark = pytest.mark.postgres_later


def day(month, number):
    return dt.date(2026, month, number)


def span(first, after):
    return Period(day(*first), day(*after))


JANUARY = span((1, 1), (2, 1))
#: 1 January to 31 March without 1 to 10 February.
COVERED = (JANUARY, span((2, 11), (4, 1)))


def test_a_window_over_a_gap_knows_the_days_it_leaves_out():
    quarter = span((1, 1), (4, 1))
    window = clip(quarter, COVERED)
    assert window == Window(quarter.start, quarter.end, whole=False, holes=(span((2, 1), (2, 11)),))
    assert window.pieces() == COVERED
    assert clip(JANUARY, COVERED) == Window(JANUARY.start, JANUARY.end, whole=True)
    assert clip(span((2, 2), (2, 5)), COVERED) is None


QUARTER = """
paid: {sum: amount, of: payment, at: paid_on}
payers: {count_distinct: account_id, of: payment, at: paid_on}
revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}
terms: {count: subscription_term, during: [started_on, ended_on]}
plans: {count_distinct: plan, of: subscription_term, during: [started_on, ended_on]}
"""


@pytest.fixture
def gapped(warehouse):
    """Payments of 1, 2, 4, 8, …; a line of 90.00 over the 90 days of the quarter; a term until 5 February and an open one."""
    days = ["2026-01-31", "2026-02-01", "2026-02-10", "2026-02-11", "2026-03-31"]
    paid = [{"amount": str(2**at), "currency": "EUR", "paid_on": day, "account_id": f"a{at}"} for at, day in enumerate(days)]
    line = {"amount": "90", "currency": "EUR", "service_from": "2026-01-01", "service_to": "2026-04-01"}
    terms = [{"plan": "old", "started_on": "2026-01-01", "ended_on": "2026-02-05"}, {"plan": "new", "started_on": "2026-01-01"}]
    for table, given in (("payment", paid), ("invoice_line", [line]), ("subscription_term", terms)):
        warehouse.add(table, *given, covers=("2026-01-01", "2026-04-01")).gap(table, "2026-02-01", "2026-02-11")
    return warehouse


def test_rows_in_a_gap_are_cut_and_months_add_up_to_their_quarter(gapped, defined):
    known = defined(QUARTER)
    # January, 11 to 28 February and March: 31, 18 and 31 days of 1.00; payments 1, 8 and 16, not those of 1 and 10 February.
    months = ask(gapped, known, "paid", "payers", "revenue", "terms", "plans", grain="month")
    assert rows(months) == [
        ("2026-01-01", "1.0000", 1, "31.00000000", 2, 2),
        ("2026-02-01", "8.0000", 1, "18.00000000", 1, 1),
        ("2026-03-01", "16.0000", 1, "31.00000000", 1, 1),
    ]
    assert states(months, "paid") == ["known", "partial", "known"]
    # 1 + 8 + 16; 3 payers; 31 + 18 + 31; stocks are those of 31 March.
    quarter = ask(gapped, known, "paid", "payers", "revenue", "terms", "plans", grain="quarter")
    assert rows(quarter) == [("2026-01-01", "25.0000", 3, "80.00000000", 1, 1)]
    assert states(quarter, "paid") == ["partial"]


def test_rolling_and_to_date_leave_out_a_gap(gapped, defined):
    known = defined(QUARTER + "rolled: {formula: 'rolling(paid, 90 days)'}\nso_far: {formula: 'to_date(paid, year)'}")
    result = ask(gapped, known, "rolled", "so_far", grain="month", since="2026-03-01")
    assert rows(result) == [("2026-03-01", "25.0000", "25.0000")]
    assert states(result, "rolled") == ["partial"]


def test_a_period_with_a_gap_is_compared_with_the_same_days_of_the_earlier_one(warehouse, defined):
    days = ["2026-01-01", "2026-01-10", "2026-01-11", "2026-01-31", "2026-02-11", "2026-02-28"]
    paid = [{"amount": str(2**at), "currency": "EUR", "paid_on": day} for at, day in enumerate(days)]
    warehouse.add("payment", *paid, covers=("2026-01-01", "2026-03-01")).gap("payment", "2026-02-02", "2026-02-11")
    known = defined(QUARTER + "before: {formula: 'previous(paid, 1 month)'}")
    # February without the 2nd to the 10th holds 16 + 32; January without those days 1 + 4 + 8.
    result = ask(warehouse, known, "paid", "before", grain="month", since="2026-02-01")
    assert rows(result) == [("2026-02-01", "48.0000", "13.0000")]
    assert states(result, "before") == ["partial"]


def test_a_stock_is_taken_on_the_last_day_of_a_shorter_period_whatever_gap_lies_before(warehouse, defined):
    terms = [{"plan": "old", "started_on": "2026-01-01", "ended_on": "2026-02-28"}, {"plan": "new", "started_on": "2026-02-27"}]
    warehouse.add("subscription_term", *terms, covers=("2026-01-01", "2026-04-01")).gap("subscription_term", "2026-03-26", "2026-03-29")
    known = defined(QUARTER + "before: {formula: 'previous(terms, 1 month)'}")
    # On 28 February only the new one stands; on the 25th only the old one would.
    result = ask(warehouse, known, "terms", "before", by=("subscription_term.plan",), grain="month", since="2026-03-01")
    assert dict(zip(column(result, "subscription_term.plan"), column(result, "before"), strict=True)) == {"new": 1}


def test_an_amount_without_a_rate_in_a_gap_is_none_that_a_figure_lacks(gapped, defined):
    gapped.add("payment", {"amount": "5", "currency": "USD", "paid_on": "2026-02-05"})
    result = ask(gapped, defined(QUARTER), "paid", grain="quarter")
    assert states(result, "paid") == ["partial"]


def test_two_gaps_that_meet_in_a_shorter_month_leave_each_day_out_once(warehouse, defined):
    """1 a day. March lacks 2 to 19 and 21. The first gap, counted from the month's beginning, is 2 to 19 February; the second,
    counted from its end, 18 February: 28 − 18 = 10 days are left to compare with."""
    first = day(2, 1)
    days = [first + dt.timedelta(days=place) for place in range((day(4, 1) - first).days)]
    warehouse.add("payment", *({"paid_on": one.isoformat(), "amount": "1", "currency": "EUR"} for one in days))
    warehouse.cover("payment", "2026-02-01", "2026-04-01")
    warehouse.gap("payment", "2026-03-02", "2026-03-20")
    warehouse.gap("payment", "2026-03-21", "2026-03-22")
    known = defined("paid: {sum: amount, of: payment, at: paid_on}\nbefore: {formula: 'previous(paid, 1 month)'}")
    result = ask(warehouse, known, "paid", "before", grain="month", since="2026-03-01")
    assert [[float(value) for value in row[1:]] for row in rows(result)] == [[12, 10]]
