"""Whether a source is fed as it usually is: rhythms learned from exports, and weeks that rows reach."""

from __future__ import annotations

import datetime as dt

import pytest

from kpi.analysis.feeding import Rhythm, last_weeks, rhythms, strips
from kpi.periods import Calendar
from kpi.warehouse.filled import Export, Filled
from kpi.warehouse.reader import CoverageRow

DAY = dt.timedelta(days=1)
MONDAY = dt.date(2026, 11, 2)


def test_a_rhythm_is_the_median_of_the_days_between_exports():
    found = rhythms(Export("stripe", MONDAY + days * DAY, 1) for days in (0, 7, 14, 28, 33))  # 7, 7, 14, 5
    assert found["stripe"] == Rhythm("stripe", MONDAY + 33 * DAY, 5, 7)
    assert found["stripe"].due == MONDAY + 40 * DAY


def test_two_exports_tell_no_rhythm():
    found = rhythms([Export("jira", MONDAY, 1), Export("jira", MONDAY + 7 * DAY, 3)])["jira"]
    assert (found.every, found.due, found.overdue(MONDAY + 400 * DAY)) == (None, None, 0)


@pytest.mark.parametrize(("days", "overdue"), [(0, 0), (7, 0), (10, 0), (11, 4), (30, 23)])
def test_it_is_overdue_after_half_as_much_again(days, overdue):
    assert Rhythm("stripe", MONDAY, 5, 7).overdue(MONDAY + days * DAY) == overdue


def test_weeks_are_reached_whole_in_part_or_not():
    weeks = last_weeks(MONDAY + 24 * DAY, 5, Calendar())
    assert [week.start for week in weeks] == [MONDAY + 7 * back * DAY for back in (-1, 0, 1, 2, 3)]
    coverage = [CoverageRow("payment", "stripe", MONDAY + DAY, MONDAY + 24 * DAY, "rows", 3, ((MONDAY + 7 * DAY, MONDAY + 14 * DAY),))]
    filled = [Filled("payment", "stripe", MONDAY + days * DAY, 2) for days in (1, 6, 14)]
    (strip,) = strips(coverage, filled, weeks)
    assert [week.reach for week in strip.weeks] == ["none", "part", "gap", "whole", "part"]
    assert [week.rows for week in strip.weeks] == [0, 4, 0, 2, 0]
    assert strip.most == 4


def test_what_has_no_days_has_no_strip():
    coverage = [CoverageRow("account", "salesforce", MONDAY, MONDAY + 7 * DAY, "rows", 3)]
    assert strips(coverage, [], last_weeks(MONDAY + 7 * DAY, 1, Calendar())) == []
