"""The weekly review: which days it looks at, and its figures worked out by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from kpi.analysis import review
from kpi.metrics import query
from kpi.periods import Calendar, Period


def days(first: str, last: str) -> Period:
    """Both included, as people write them."""
    return Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last) + dt.timedelta(days=1))


def made(first_of_week: str, **calendar: object) -> review.Plan:
    known = Calendar(**calendar)  # type: ignore[arg-type]
    return review.plan(known.week(dt.date.fromisoformat(first_of_week)), known)


def test_six_weeks_twelve_months_and_the_days_to_date():
    found = made("2026-11-09")
    assert [found.weeks[0], found.weeks[-1]] == [days("2026-10-05", "2026-10-11"), days("2026-11-09", "2026-11-15")]
    assert [found.months[0], found.months[-1]] == [days("2025-12-01", "2025-12-31"), days("2026-11-01", "2026-11-30")]
    assert found.now == {
        "month": days("2026-11-01", "2026-11-15"),
        "quarter": days("2026-10-01", "2026-11-15"),
        "year": days("2026-01-01", "2026-11-15"),
    }
    assert found.before == {
        "month": days("2025-11-01", "2025-11-15"),
        "quarter": days("2025-10-01", "2025-11-15"),
        "year": days("2025-01-01", "2025-11-15"),
    }


def test_a_month_that_ends_with_the_week_is_set_beside_a_whole_one():
    # Sunday 29 February 2032 ends its month; of the year there are 31 + 29 = 60 days, and 2031 has had 60 on 1 March
    found = made("2032-02-23")
    assert (found.now["month"], found.before["month"]) == (days("2032-02-01", "2032-02-29"), days("2031-02-01", "2031-02-28"))
    assert (found.now["year"], found.before["year"]) == (days("2032-01-01", "2032-02-29"), days("2031-01-01", "2031-03-01"))


def test_the_week_over_the_turn_of_the_year_belongs_to_the_year_it_ends_in():
    # Monday 28 December 2026 begins week 53, which ends on Sunday 3 January 2027
    found = made("2026-12-28")
    assert found.now == dict.fromkeys(("month", "quarter", "year"), days("2027-01-01", "2027-01-03"))
    assert found.before == dict.fromkeys(("month", "quarter", "year"), days("2026-01-01", "2026-01-03"))
    assert found.months[-1] == days("2027-01-01", "2027-01-31")
    asked = review.questions(["won"], (), found, Calendar())
    # 364 days before week 53 of 2026 lies week 1 of 2026, which begins on 29 December 2025
    assert dt.date(2025, 12, 29) in asked["weeks"].periods
    assert asked["weeks"].periods[-1] == dt.date(2026, 12, 28)


def test_a_fiscal_year_that_begins_in_february():
    found = made("2026-11-09", year_starts=2)
    assert found.now["quarter"] == days("2026-11-01", "2026-11-15")
    assert found.now["year"] == days("2026-02-01", "2026-11-15")
    assert found.before["year"] == days("2025-02-01", "2025-11-15")


def test_months_of_whole_weeks():
    # 4-4-5 from Monday 29 December 2025: week 46 is the second of the quarter's second month, which begins on 26 October
    found = made("2026-11-09", pattern=(4, 4, 5))
    assert found.now["month"] == days("2026-10-26", "2026-11-15")
    # fiscal 2025 begins on Monday 30 December 2024, its last quarter on 29 September, the second month on 27 October
    assert found.before["month"] == days("2025-10-27", "2025-11-16")


WON = """
won: {count: deal, at: closed_on, where: is_won, target: {2026: 730}}
lost: {count: deal, at: closed_on, where: is_lost}
rate: {formula: won / (won + lost), unit: percent, better: up}
"""


@pytest.fixture
def found(duck_warehouse, defined):
    """Every day of 2025 one deal won and one lost; every day of 2026, up to 15 November, two won and one lost."""
    day, rows = dt.date(2025, 1, 1), []
    while day < dt.date(2026, 11, 16):
        rows += [{"closed_on": day.isoformat(), "is_won": True, "is_lost": False}] * (1 if day.year == 2025 else 2)
        rows += [{"closed_on": day.isoformat(), "is_won": False, "is_lost": True}]
        day += dt.timedelta(days=1)
    duck_warehouse.add("deal", *rows, covers=("2025-01-01", "2026-11-16"))
    known = defined(WON)
    plan = review.plan(known.calendar.week(dt.date(2026, 11, 9)), known.calendar)
    with duck_warehouse.reader() as reader:
        asked = review.questions(("won", "rate"), (), plan, known.calendar)
        answers = {part: query.run(one, known, reader) for part, one in asked.items()}
    return {name: review.review(known.metrics[name], plan, answers, known.calendar) for name in ("won", "rate")}


def test_the_box_and_the_chart(found):
    # 14 of 7 days, 14 the week before, 7 a year before; 15, 31 + 15 = 46 and 319 days to date, two a day beside one
    box = [(one.name, one.cell.value, one.cell.state, str(one.on_year.text)) for one in found["won"].box]
    assert box == [
        ("week", 14, "known", "+100.0\u00a0%"),
        ("month", 30, "known", "+100.0\u00a0%"),
        ("quarter", 92, "known", "+100.0\u00a0%"),
        ("year", 638, "known", "+100.0\u00a0%"),
    ]
    assert found["won"].box[0].on_week.text == "±0.0\u00a0%"
    # a target of 2 a day, split by days: 14 of the week, 30 of the month so far
    assert [one.cell.target for one in found["won"].box] == [14, 30, 92, 638]
    # of a percentage in points: 2 of 3 beside 1 of 2: 66.7 % and 50 %
    assert [one.on_year.text for one in found["rate"].box] == ["+16.7\u00a0points"] * 4
    won = found["won"]
    assert [point.cell.value for point in won.weeks] == [14] * 6
    assert [point.before.value for point in won.weeks] == [7] * 6
    # December 2025 has 31; January to October 2026 have two a day; November has 15 days so far, and is partial
    assert [point.cell.value for point in won.months] == [31, 62, 56, 62, 60, 62, 60, 62, 62, 60, 62, 30]
    assert [point.cell.state for point in won.months] == ["known"] * 11 + ["partial"]
    # nothing is known of December 2024; November 2025 has all its 30 days
    assert [None if point.before is None else point.before.value for point in won.months][:2] == [None, 31]
    assert won.months[-1].before.value == 30


def test_what_is_not_covered_is_not_compared(duck_warehouse, defined):
    duck_warehouse.add("deal", {"closed_on": "2026-11-10", "is_won": True}, covers=("2026-11-02", "2026-11-16"))
    known = defined(WON)
    plan = review.plan(known.calendar.week(dt.date(2026, 11, 9)), known.calendar)
    with duck_warehouse.reader() as reader:
        answers = {part: query.run(one, known, reader) for part, one in review.questions(("won",), (), plan, known.calendar).items()}
    box = review.review(known.metrics["won"], plan, answers, known.calendar).box
    assert [(one.name, one.cell.state, one.on_year) for one in box] == [
        ("week", "known", None),
        ("month", "partial", None),
        ("quarter", "partial", None),
        ("year", "partial", None),
    ]
