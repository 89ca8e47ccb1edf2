"""Weeks, months, quarters and fiscal years."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.periods import GRAINS, Calendar, Period, parse_period, span_label

D = dt.date
ISO = Calendar()
APRIL = Calendar(year_starts=4)
RETAIL = Calendar(week_starts=6, year_starts=2, pattern=(4, 5, 4))
FOUR_FOUR_FIVE = Calendar(pattern=(4, 4, 5))
CALENDARS = (ISO, APRIL, RETAIL, FOUR_FOUR_FIVE, Calendar(week_starts=5, year_starts=10))

days = st.dates(D(1990, 1, 1), D(2060, 12, 31))


@given(days, st.sampled_from(CALENDARS), st.sampled_from(GRAINS[:-1]))
def test_every_day_is_in_one_period_and_periods_join_without_gap(day, calendar, grain):
    period = calendar.period(day, grain)
    assert period.start <= day < period.end
    assert calendar.period(period.end, grain).start == period.end
    assert calendar.period(period.end - dt.timedelta(days=1), grain) == period
    assert calendar.periods(period.start, period.end, grain) == (period,)


@given(days)
def test_weeks_are_numbered_by_iso_8601(day):
    assert ISO.week_number(day) == day.isocalendar()[:2]


@given(days, st.sampled_from(CALENDARS), st.sampled_from(["month", "quarter", "year"]), st.integers(-40, 40))
def test_beginnings_of_months_move_to_beginnings(day, calendar, unit, count):
    start = calendar.period(day, "month").start
    moved = calendar.shift(start, count, unit, "month")
    assert calendar.period(moved, "month").start == moved
    assert calendar.shift(moved, -count, unit, "month") == start


def test_fiscal_years_carry_the_year_they_end_in():
    assert APRIL.period(D(2026, 4, 1), "year") == Period(D(2026, 4, 1), D(2027, 4, 1))
    assert APRIL.label(APRIL.period(D(2026, 4, 1), "year"), "year") == "FY2027"
    assert APRIL.label(APRIL.period(D(2026, 11, 9), "quarter"), "quarter") == "Q3 FY2027"
    assert parse_period("2027-Q3", APRIL) == (D(2026, 10, 1), D(2027, 1, 1))


def test_a_pattern_of_weeks_has_its_53rd_week_in_the_last_month():
    year = FOUR_FOUR_FIVE.period(D(2026, 6, 1), "year")
    assert year == (D(2025, 12, 29), D(2027, 1, 4))  # 53 weeks
    months = FOUR_FOUR_FIVE.periods(*year, "month")
    assert [month.days // 7 for month in months] == [4, 4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 6]
    assert FOUR_FOUR_FIVE.label(months[10], "month") == "Nov 2026"
    # A retail year begins on the Sunday nearest to 1 February.
    assert RETAIL.period(D(2026, 3, 1), "year") == (D(2026, 2, 1), D(2027, 1, 31))


def test_shifts_at_day_and_week_grain_are_whole_weeks():
    day = D(2026, 11, 9)
    assert [(day - ISO.shift(day, -1, unit, "week")).days for unit in ("day", "week", "month", "quarter", "year")] == [1, 7, 28, 91, 364]


def test_shifts_at_other_grains_are_the_calendars():
    assert ISO.shift(D(2026, 3, 31), -1, "month", "month") == D(2026, 2, 28)
    assert ISO.shift(D(2024, 2, 29), 1, "year", "month") == D(2025, 2, 28)
    assert ISO.shift_period(Period(D(2026, 3, 1), D(2026, 4, 1)), -1, "month", "month") == (D(2026, 2, 1), D(2026, 3, 1))
    assert ISO.shift(D(2026, 3, 31), -2, "week", "month") == D(2026, 3, 17)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", D(2026, 1, 1), D(2027, 1, 1)),
        ("2026-Q4", D(2026, 10, 1), D(2027, 1, 1)),
        ("2026-11", D(2026, 11, 1), D(2026, 12, 1)),
        ("2026-W46", D(2026, 11, 9), D(2026, 11, 16)),
        ("2026-w53", D(2026, 12, 28), D(2027, 1, 4)),
        ("2026-11-09", D(2026, 11, 9), D(2026, 11, 10)),
    ],
)
def test_written_periods(text, start, end):
    assert parse_period(text, ISO) == (start, end)


@pytest.mark.parametrize("text", ["", "26", "2026-13", "2026-Q5", "2025-W53", "2026-W00", "2026-02-30", "0000", "9999-12", "next year"])
def test_what_names_no_period_is_refused(text):
    with pytest.raises(ValueError, match=r"names no period; accepted are 2026, 2026-Q4, 2026-11, 2026-W46 and 2026-11-09"):
        parse_period(text, ISO)


def test_labels():
    week = ISO.week(D(2026, 11, 9))
    assert ISO.label(week, "week") == "9–15 Nov 2026"
    assert ISO.short_label(week, "week") == "Week 46"
    assert ISO.label(ISO.period(D(2026, 11, 9), "month"), "month") == "Nov 2026"
    assert ISO.short_label(ISO.period(D(2026, 11, 9), "quarter"), "quarter") == "Q4"
    assert ISO.label(ISO.period(D(2026, 11, 9), "quarter"), "quarter") == "Q4 2026"
    assert ISO.label(ISO.period(D(2026, 11, 9), "day"), "day") == "9 Nov 2026"
    assert span_label(Period(D(2026, 10, 26), D(2026, 11, 2))) == "26 Oct–1 Nov 2026"
    assert span_label(Period(D(2026, 12, 28), D(2027, 1, 4))) == "28 Dec 2026–3 Jan 2027"
