"""Offsets by the calendar, worked out by hand: the last of a month, leap days, week 53, fiscal years, months of weeks."""

from __future__ import annotations

import pytest

from tests.metrics.hand_made import ask, column, rows, states

#: A payment of 1 on the first day, 2 on the second, 4 on the third, …, so that a sum tells which are in it.
TEXT = """
calendar: {{{calendar}}}
metrics:
  paid: {{sum: amount, of: payment, at: paid_on}}
  month: {{formula: "previous(paid, 1 month)"}}
  quarter: {{formula: "previous(paid, 1 quarter)"}}
  year: {{formula: "previous(paid, 1 year)"}}
  year_to_date: {{formula: "to_date(paid, year)"}}
  first: {{formula: "at_start(paid, quarter)"}}
"""


@pytest.fixture
def asked(warehouse, defined):
    """The sums that ``metrics`` are in a period, the days of payments and the calendar given."""

    def answer(days, *metrics, calendar="timezone: UTC", **query):
        made = [{"amount": str(2**place), "currency": "EUR", "paid_on": day} for place, day in enumerate(days)]
        warehouse.add("payment", *made, covers=("2022-01-01", "2029-01-01"))
        result = ask(warehouse, defined(TEXT.format(calendar=calendar)), *metrics, **query)
        assert set(states(result, metrics[0])) <= {"known", "partial"}
        return [[row[0], *(None if value is None else int(float(value)) for value in row[1:])] for row in rows(result)]

    return answer


def test_the_month_before_the_31st_of_march_ends_with_february(asked):
    days = ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-30", "2026-03-31"]
    assert asked(days, "paid", "month", since="2026-03-31", until="2026-04-01") == [["2026-03-31", 16, 2]]


def test_whole_months_are_set_against_whole_months_however_long(asked):
    days = ["2026-02-01", "2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01", "2026-04-30"]
    assert asked(days, "paid", "month", grain="month", since="2026-03-01", until="2026-05-01") == [
        ["2026-03-01", 12, 3],  # 31 days against 28
        ["2026-04-01", 48, 12],  # 30 days against 31
    ]


def test_a_leap_day_is_set_against_the_last_of_february(asked):
    days = ["2023-02-27", "2023-02-28", "2023-03-01", "2024-02-28", "2024-02-29", "2024-03-01"]
    assert asked(days, "paid", "year", since="2024-02-29", until="2024-03-01") == [["2024-02-29", 16, 2]]


def test_a_february_of_29_days_is_whole_beside_one_of_28(asked):
    days = ["2023-02-01", "2023-02-28", "2024-02-01", "2024-02-29", "2025-02-28"]
    assert asked(days, "paid", "year", grain="month", since="2024-02-01", until="2024-03-01") == [["2024-02-01", 12, 3]]


def test_after_a_leap_year_the_29th_belongs_to_february(asked):
    days = ["2024-02-01", "2024-02-29", "2024-03-01", "2025-02-28"]
    assert asked(days, "paid", "year", grain="month", since="2025-02-01", until="2025-03-01") == [["2025-02-01", 8, 3]]


def test_week_53_is_set_against_52_weeks_before(asked):
    # 28 December 2026 begins week 53; 364 days before, 29 December 2025 begins week 1 of 2026, and weekdays meet.
    days = ["2025-12-28", "2025-12-29", "2026-01-04", "2026-01-05", "2026-12-28", "2027-01-03", "2027-01-04"]
    assert asked(days, "paid", "year", grain="week", since="2026-12-28", until="2027-01-11") == [
        ["2026-12-28", 16 + 32, 2 + 4],
        ["2027-01-04", 64, 8],  # week 1 of 2027 against week 2 of 2026
    ]


def test_a_year_of_53_weeks_is_in_the_year_before_whole(asked):
    days = ["2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01"]
    assert asked(days, "paid", "year", grain="year", since="2027-01-01", until="2028-01-01") == [["2027-01-01", 8, 6]]


def test_a_fiscal_year_that_starts_in_february(asked):
    # FY2026 runs from 1 February 2025 to 31 January 2026, its quarters begin in February, May, August and November.
    days = ["2024-02-01", "2025-01-31", "2025-02-01", "2025-10-31", "2025-11-01", "2026-01-31", "2026-02-01", "2026-04-30"]
    february = {"calendar": "timezone: UTC, year_starts: february"}
    assert asked(days, "paid", "year", grain="year", since="2025-02-01", until="2026-02-01", **february) == [["2025-02-01", 60, 3]]


def test_fiscal_quarters_that_start_in_february(asked):
    days = ["2025-10-31", "2025-11-01", "2026-01-31", "2026-02-01", "2026-04-30"]
    february = {"calendar": "timezone: UTC, year_starts: february"}
    found = asked(days, "paid", "quarter", "year_to_date", grain="quarter", since="2025-11-01", until="2026-05-01", **february)
    assert found == [
        ["2025-11-01", 6, 1, 7],  # November to January; from February 2025 on, all before
        ["2026-02-01", 24, 6, 24],  # a new fiscal year
    ]


#: FY2026 begins on the Monday nearest to 1 January 2026, 29 December 2025, and FY2027 on 4 January 2027: 53 weeks.
WEEKS = {"calendar": "timezone: UTC, pattern: 4-4-5"}


def test_months_of_weeks(asked):
    # December has the 53rd week: 23 November to 3 January. January of FY2027 is 4 to 31 January.
    days = ["2026-10-25", "2026-10-26", "2026-11-22", "2026-11-23", "2027-01-03", "2027-01-04", "2027-01-31", "2027-02-01"]
    assert asked(days, "paid", "month", grain="month", since="2026-11-23", until="2027-02-01", **WEEKS) == [
        ["2026-11-23", 8 + 16, 2 + 4],  # six weeks against November's four, 26 October to 22 November
        ["2027-01-04", 32 + 64, 8 + 16],
    ]


def test_a_december_of_five_weeks_is_set_against_one_of_six(asked):
    # December of FY2027: 29 November 2027 to 2 January 2028.
    days = ["2026-11-22", "2026-11-23", "2027-01-03", "2027-11-28", "2027-11-29", "2028-01-02", "2028-01-03"]
    assert asked(days, "paid", "year", grain="month", since="2027-11-29", until="2028-01-03", **WEEKS) == [["2027-11-29", 16 + 32, 2 + 4]]


def test_years_of_52_and_53_weeks(asked):
    days = ["2025-12-28", "2025-12-29", "2027-01-03", "2027-01-04", "2028-01-02", "2028-01-03"]
    assert asked(days, "paid", "year", grain="year", since="2027-01-04", until="2028-01-03", **WEEKS) == [["2027-01-04", 8 + 16, 2 + 4]]


def test_a_partial_month_of_weeks_counts_as_many_days(asked):
    # 4 to 10 January 2027 is a week, against the first week of December, 23 to 29 November 2026.
    days = ["2026-11-23", "2026-11-29", "2026-11-30", "2027-01-04", "2027-01-10"]
    assert asked(days, "paid", "month", grain="month", since="2027-01-04", until="2027-01-11", **WEEKS) == [["2027-01-04", 8 + 16, 3]]


def test_the_first_period_of_a_quarter_in_months_of_weeks(asked):
    # The first quarter of FY2027: January 4 to 31, February 1 to 28, March from 1 March on.
    days = ["2027-01-03", "2027-01-04", "2027-01-31", "2027-02-01", "2027-03-01"]
    assert asked(days, "paid", "first", grain="month", since="2027-03-01", until="2027-04-05", **WEEKS) == [["2027-03-01", 16, 2 + 4]]


def test_a_stock_of_an_earlier_period_stands_on_its_last_day(warehouse, defined):
    """31 March is set against 28 February, the last day, and 31 December of 53 weeks against the close of the year before."""
    made = [
        {"monthly_amount": str(2**place), "currency": "EUR", "started_on": day}
        for place, day in enumerate(["2025-12-28", "2026-02-28", "2026-03-01", "2026-03-31"])
    ]
    warehouse.add("subscription_term", *made, covers=("2025-01-01", "2027-06-01"))
    text = """
        calendar: {{{}}}
        metrics:
          mrr: {{sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}}
          month: {{formula: "previous(mrr, 1 month)"}}
          opening: {{formula: "at_start(mrr, year)"}}
    """
    plain = ask(
        warehouse, defined(text.format("timezone: UTC")), "mrr", "month", "opening", since="2026-03-01", until="2026-04-01", grain="month"
    )
    assert rows(plain) == [("2026-03-01", "15.0000", "3.0000", "1.0000")]
    # FY2026 of 4-4-5 weeks begins on 29 December 2025: what stood on the 28th is its opening.
    weeks = ask(
        warehouse, defined(text.format("timezone: UTC, pattern: 4-4-5")), "opening", grain="year", since="2025-12-29", until="2027-01-04"
    )
    assert column(weeks, "opening") == ["1.0000"]
