"""previous, rolling, to_date and how they nest."""

from __future__ import annotations

import datetime as dt

import pytest

from kpi.errors import DefinitionsError
from kpi.periods import Calendar
from tests.metrics.hand_made import ask, column, rows, states


def payments(warehouse, days, covers):
    """A payment of 1 on the first day, 2 on the second, 4 on the third, …, so that a sum tells which are in it."""
    rows_ = [{"amount": str(2**place), "currency": "EUR", "paid_on": day, "account_id": f"a{place % 2}"} for place, day in enumerate(days)]
    return warehouse.add("payment", *rows_, covers=covers)


PAID = "paid: {sum: amount, of: payment, at: paid_on}\n"


def whole(values):
    return [None if value is None else int(float(value)) for value in values]


def test_at_week_grain_a_year_is_364_days_and_a_month_28_so_that_weekdays_meet(warehouse, defined):
    payments(warehouse, ["2025-11-09", "2025-11-10", "2025-11-16", "2025-11-17", "2026-10-12", "2026-11-09"], ("2025-11-01", "2026-11-16"))
    known = defined(PAID + "year: {formula: 'previous(paid, 1 year)'}\nmonth: {formula: 'previous(paid, 1 month)'}")
    result = ask(warehouse, known, "paid", "year", "month", grain="week", since="2026-11-09")
    # 364 days before 9 November 2026 is Monday 10 November 2025 (2 and 4); 28 days before is 12 October (16).
    assert [whole(row[1:]) for row in rows(result)] == [[32, 6, 16]]


def test_at_month_grain_both_bounds_move_by_the_calendar(warehouse, defined):
    payments(warehouse, ["2026-02-01", "2026-02-28", "2026-03-01", "2026-03-31"], ("2026-01-01", "2026-04-01"))
    known = defined(PAID + "before: {formula: 'previous(paid, 1 month)'}")
    result = ask(warehouse, known, "paid", "before", grain="month", since="2026-03-01")
    assert whole(column(result, "before")) == [3]  # the whole of February
    calendar = Calendar()
    assert calendar.shift(dt.date(2026, 3, 31), -1, "month", "month") == dt.date(2026, 2, 28)


def test_a_partial_period_is_compared_with_as_many_days_of_the_earlier_one(warehouse, defined):
    payments(warehouse, ["2026-02-01", "2026-02-10", "2026-02-11", "2026-03-01", "2026-03-10"], ("2026-02-01", "2026-03-11"))
    known = defined(PAID + "before: {formula: 'previous(paid, 1 month)'}")
    result = ask(warehouse, known, "paid", "before", grain="month", since="2026-03-01")
    # March is covered to the 10th: ten days, against 1 to 10 February.
    assert [whole(row[1:]) for row in rows(result)] == [[24, 3]]
    assert states(result, "before") == ["partial"]
    # And where until cuts March after 5 days, 1 to 5 February.
    assert whole(column(ask(warehouse, known, "before", grain="month", since="2026-03-01", until="2026-03-06"), "before")) == [1]


def test_as_many_days_are_counted_not_moved(warehouse, defined):
    payments(warehouse, ["2026-02-27", "2026-02-28", "2026-03-30"], ("2026-02-01", "2026-03-31"))
    known = defined(PAID + "before: {formula: 'previous(paid, 1 month)'}")
    # March is covered for 30 days; February has but 28, and all of them count.
    assert whole(column(ask(warehouse, known, "before", grain="month", since="2026-03-01"), "before")) == [3]
    # 30 March alone, cut at both ends, is set against the last of February.
    late = ask(warehouse, known, "before", grain="month", since="2026-03-30", until="2026-04-01")
    assert whole(column(late, "before")) == [2]
    # 25 to 30 March without a cut at the end would be the last days of February; here the end of March isn't covered.
    warehouse.cover("payment", "2026-03-31", "2026-04-01", source="next")
    whole_end = ask(warehouse, known, "before", grain="month", since="2026-03-30", until="2026-04-01")
    assert whole(column(whole_end, "before")) == [3]


def test_at_grain_all_the_whole_span_moves(warehouse, defined):
    payments(warehouse, ["2025-03-01", "2025-03-09", "2026-03-01", "2026-03-09"], ("2025-01-01", "2026-04-01"))
    known = defined(PAID + "growth: {formula: 'paid / previous(paid, 1 year) - 1'}")
    result = ask(warehouse, known, "growth", since="2026-03-01", until="2026-03-09")
    assert column(result, "growth") == [3.0]  # 4 / 1 - 1: the 9th is out, both times


def test_previous_outside_coverage_is_not_known(warehouse, defined):
    payments(warehouse, ["2026-01-05", "2026-02-05"], ("2026-01-01", "2026-03-01"))
    known = defined(PAID + "before: {formula: 'previous(paid, 1 month)'}\nsafe: {formula: 'coalesce(previous(paid, 1 month), 0)'}")
    result = ask(warehouse, known, "before", "safe", grain="month")
    assert [whole(row[1:]) for row in rows(result)] == [[None, 0], [1, 1]]
    assert states(result, "before") == ["unknown", "known"]


def test_rolling_is_over_the_days_up_to_and_with_the_last(warehouse, defined):
    payments(warehouse, ["2026-01-03", "2026-01-04", "2026-01-31"], ("2026-01-01", "2026-02-01"))
    known = defined(PAID + "four_weeks: {formula: 'rolling(paid, 28 days)'}\nmonth: {formula: 'rolling(paid, 1 month)'}")
    # 28 days with 31 January as their last begin on the 4th; a month before 1 February begins on 1 January.
    assert [whole(row[1:]) for row in rows(ask(warehouse, known, "four_weeks", "month", grain="month"))] == [[6, 7]]


def test_rolling_distinct_counts_are_the_distinct_of_the_window(warehouse, defined):
    payments(warehouse, ["2026-01-05", "2026-01-06", "2026-01-14", "2026-01-20"], ("2026-01-01", "2026-02-01"))
    known = defined("payers: {count_distinct: account_id, of: payment, at: paid_on}\ntwo_weeks: {formula: 'rolling(payers, 2 weeks)'}")
    result = ask(warehouse, known, "payers", "two_weeks", grain="week", since="2026-01-05", until="2026-01-26")
    # By week: {a0, a1}, {a0}, {a1}; over two: {a0, a1}, {a0, a1}, {a0, a1}
    assert [row[1:] for row in rows(result)] == [(2, 2), (1, 2), (1, 2)]


def test_a_rolling_rate_is_a_rate_of_sums(warehouse, defined):
    days = [("2026-01-05", True), ("2026-01-12", True), ("2026-01-13", False), ("2026-01-14", False)]
    warehouse.add(
        "deal", *({"closed_on": day, "is_won": won, "is_lost": not won} for day, won in days), covers=("2026-01-01", "2026-02-01")
    )
    known = defined("""
        won: {count: deal, at: closed_on, where: is_won}
        lost: {count: deal, at: closed_on, where: is_lost}
        rate: {formula: won / (won + lost)}
        rolled: {formula: 'rolling(rate, 2 weeks)'}
    """)
    result = ask(warehouse, known, "rate", "rolled", grain="week", since="2026-01-05", until="2026-01-19")
    # The second week: 1 of 3, and over both 2 of 4, which is no mean of 1 and 1/3.
    assert [row[1:] for row in rows(result)] == [(1.0, 1.0), (0.3333333333, 0.5)]


def test_to_date_begins_with_the_unit_that_holds_the_last_day(warehouse, defined):
    payments(warehouse, ["2025-12-30", "2025-12-31", "2026-01-01", "2026-01-04", "2026-01-05"], ("2025-12-01", "2026-02-01"))
    known = defined(PAID + "year: {formula: 'to_date(paid, year)'}\nall: {formula: 'to_date(paid, all)'}")
    result = ask(warehouse, known, "paid", "year", "all", grain="week", since="2025-12-29", until="2026-01-12")
    # The week to 4 January ends in 2026, so its year to date begins on 1 January.
    assert [whole(row[1:]) for row in rows(result)] == [[15, 12, 15], [16, 28, 31]]


def test_a_fiscal_year_to_date_begins_with_the_fiscal_year(warehouse, defined):
    payments(warehouse, ["2026-03-31", "2026-04-01", "2026-06-30"], ("2026-01-01", "2026-07-01"))
    known = defined(f"calendar: {{year_starts: april}}\nmetrics:\n  {PAID}  year: {{formula: 'to_date(paid, year)'}}")
    assert whole(column(ask(warehouse, known, "year", grain="quarter", since="2026-04-01"), "year")) == [6]


def test_they_nest(warehouse, defined):
    payments(warehouse, ["2025-01-02", "2025-02-01", "2025-02-10", "2025-02-20", "2026-02-02"], ("2025-01-01", "2026-02-11"))
    known = defined(
        PAID + "last_year: {formula: 'previous(to_date(paid, year), 1 year)'}\nother: {formula: 'rolling(previous(paid, 1 year), 28 days)'}"
    )
    result = ask(warehouse, known, "last_year", "other", grain="month", since="2026-02-01")
    # February 2026 is covered to the 10th. Last year to 10 February: 1 + 2 + 4. The 28 days to 10 February begin on
    # 14 January, a year earlier as well: 2 + 4.
    assert [whole(row[1:]) for row in rows(result)] == [[7, 6]]


def test_stocks_move_to_the_last_day_of_the_earlier_period(warehouse, defined):
    warehouse.add(
        "subscription_term",
        {"monthly_amount": "1", "currency": "EUR", "started_on": "2025-12-31"},
        {"monthly_amount": "20", "currency": "EUR", "started_on": "2026-01-31"},
        {"monthly_amount": "300", "currency": "EUR", "started_on": "2026-02-01"},
        covers=("2025-12-01", "2026-03-01"),
    )
    known = defined(
        "mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}\nbefore: {formula: 'previous(mrr, 1 month)'}"
    )
    assert [whole(row[1:]) for row in rows(ask(warehouse, known, "mrr", "before", grain="month", since="2026-02-01"))] == [[321, 21]]


@pytest.mark.parametrize(("formula", "name"), [("rolling(mrr, 28 days)", "rolling"), ("to_date(mrr, year)", "to_date")])
def test_stocks_refuse_rolling_and_to_date(defined, formula, name):
    with pytest.raises(DefinitionsError, match=rf"mrr is a stock \(during:\), and {name}\(\) adds up days"):
        defined(f"mrr: {{sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}}\nodd: {{formula: '{formula}'}}")
