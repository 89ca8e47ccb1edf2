"""What a change does to figures, worked out by hand on fifteen weeks of three deals each.

Every week from 3 August to 15 November 2026 (Monday to Sunday) two deals are won and one is lost, by the week's number n = 0 … 14:
    Acme (2000 employees) wins 100 + n on Tuesday, Bolt (20 employees) wins 50 on Wednesday, Bolt loses 30 on Thursday.
The data end on 15 November, so the last thirteen weeks are those of n = 2 … 14.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from kpi.analysis import comparing, telling
from kpi.analysis.comparing import compare, last_weeks, size
from kpi.errors import QueryTooHeavy
from kpi.metrics import definitions
from kpi.metrics.query import run

FIRST = dt.date(2026, 8, 3)
TEXT = """\
north_star: won
currency: EUR
calendar: {timezone: UTC}
dimensions:
  segment: {label: Segment, of: account, is: case when employees >= 1000 then 'Large' else 'Small' end}
metrics:
  bookings: {sum: amount, of: deal, at: closed_on, where: is_won, unit: money}
  won: {count: deal, at: closed_on, where: is_won}
  closed: {count: deal, at: closed_on, where: is_won or is_lost}
  win_rate: {formula: won / closed, unit: percent}
"""


def read(text):
    found, problems = definitions.checked(text.encode(), "metrics.yaml")
    assert found is not None, problems
    return found


@pytest.fixture
def reader(duck_warehouse):
    accounts = [{"account_id": "a", "name": "Acme", "employees": 2000}, {"account_id": "b", "name": "Bolt", "employees": 20}]
    duck_warehouse.add("account", *({**one, "created_on": "2026-01-01"} for one in accounts))
    rows = []
    for n in range(15):
        monday = FIRST + dt.timedelta(weeks=n)
        for account, back, amount, won in (("a", 1, 100 + n, True), ("b", 2, 50, True), ("b", 3, 30, False)):
            day = (monday + dt.timedelta(days=back)).isoformat()
            rows.append(
                {
                    "account_id": account,
                    "closed_on": day,
                    "created_on": day,
                    "amount": amount,
                    "currency": "EUR",
                    "is_won": won,
                    "is_lost": not won,
                }
            )
    duck_warehouse.add("deal", *rows, covers=("2026-08-03", "2026-11-16"))
    duck_warehouse.sql("insert into money_currency values ('deal', 'test', 'EUR', '', 45)")
    return duck_warehouse.reader()


BEFORE = read(TEXT)


def test_the_last_thirteen_whole_weeks(reader):
    weeks = last_weeks(BEFORE, reader)
    assert (len(weeks), weeks[0].start, weeks[-1].end) == (13, dt.date(2026, 8, 17), dt.date(2026, 11, 16))


def test_before_after_and_where_the_difference_lies(reader):
    after = read(TEXT.replace("where: is_won, unit: money", "where: is_won and amount >= 60, unit: money"))
    closed = {"bookings": {dt.date(2026, 11, 9): Decimal(164)}}
    found = compare(BEFORE, after, reader, closed)
    (one,) = found.differences
    assert one.touched.name == "bookings"
    assert len(one.differs) == 13
    last = one.weeks[-1]  # n = 14: 114 + 50 = 164, and without Bolt's 50, 114
    assert (last.before.value, last.after.value) == (164, 114)
    assert (last.closed, last.shown) == (True, 164)
    assert [week.period.start for week in one.restates] == [dt.date(2026, 11, 9)]
    # over the thirteen weeks: Bolt had 13 × 50 = 650 and has nothing; Acme's are as they were
    (group,) = one.groups
    assert (group.dimension, group.value, group.before.value, size(group)) == ("segment", "Small", 650, None)
    assert group.after is None
    assert telling.summary(one) == "13 of the last 13 weeks move; 1 of them is closed and would be restated."
    assert telling.weeks(one, found)[1][0] == [
        "Week 46 · 9–15 Nov 2026",
        "€\u00a0164.00",
        "€\u00a0164.00",
        "€\u00a0114.00",
        "−€\u00a050.00 (−30.5\u00a0%)",
    ]  # 50 / 164 = 30.49 %


def test_a_metric_that_moves_through_another(reader):
    found = compare(BEFORE, read(TEXT.replace("where: is_won or is_lost", "where: is_won")), reader)
    assert [one.touched.name for one in found.differences] == ["closed", "win_rate"]
    rate = found.differences[1]
    assert (rate.touched.how, rate.touched.because) == ("through", ("closed",))
    # two of three, and then two of two
    assert (rate.weeks[0].before.value, rate.weeks[0].after.value) == (0.6666666667, 1.0)
    assert telling.weeks(rate, found)[1][0][-1] == "+33.3\u00a0points"


def test_groups_of_a_dimension_that_says_something_else(reader):
    found = compare(BEFORE, read(TEXT.replace("employees >= 1000", "employees >= 10")), reader)
    assert found.differences == ()
    # the review shows won alone: 13 of Acme and 13 of Bolt, and all 26 are Large then
    (won,) = [one for one in found.split if one.touched.name == "won"]
    assert [(group.value, group.before and group.before.value, group.after and group.after.value) for group in won.groups] == [
        ("Small", 13, None),
        ("Large", 13, 26),
    ]


def test_one_that_comes_and_one_that_goes(reader):
    found = compare(BEFORE, read(TEXT.replace("  closed:", "  ended:").replace("won / closed", "won / ended")), reader)
    ended, closed = (next(one for one in found.differences if one.touched.name == name) for name in ("ended", "closed"))
    assert (ended.weeks[-1].before, ended.weeks[-1].after.value) == (None, 3)
    assert (closed.weeks[-1].before.value, closed.weeks[-1].after) == (3, None)


def test_a_draft_that_cannot_be_answered_harms_no_other(reader):
    after = read(TEXT.replace("where: is_won, unit", "where: is_won and amount > 60, unit").replace("is_won or is_lost", "is_lost"))

    def ask(query, defined, of):
        if defined.hash == after.hash and "bookings" in query.metrics:
            raise QueryTooHeavy("30 s", "KPI_QUERY_TIMEOUT_S")
        return run(query, defined, of)

    found = compare(BEFORE, after, reader, ask=ask)
    bookings, closed, _ = found.differences
    assert bookings.refused.startswith("the query was stopped at its limit of 30 s")
    assert telling.summary(bookings) == f"No figures: {bookings.refused}"
    assert closed.weeks[-1].after.value == 1


def test_a_draft_that_is_slow_is_called_so(reader):
    after = read(TEXT.replace("is_won or is_lost", "is_lost"))
    now = [0.0]

    def ask(query, defined, of):
        now[0] += 9 if defined.hash == after.hash else 1
        return run(query, defined, of)

    found = compare(BEFORE, after, reader, ask=ask, clock=lambda: now[0])
    assert found.notes == ("The draft is slow: its thirteen weeks took 9.0 s, and 1.0 s as it is.",)


def test_what_is_left_when_time_is_over_is_named(reader):
    after = read(TEXT.replace("is_won or is_lost", "is_lost"))
    now = [0.0]

    def ask(query, defined, of):
        now[0] += comparing.BUDGET_S + 1
        return run(query, defined, of)

    found = compare(BEFORE, after, reader, ask=ask, clock=lambda: now[0])
    assert found.notes[-1] == "The comparison was stopped after 60 s; not compared: closed, win_rate."


def test_without_data_what_is_said_differently_is_told_all_the_same(duck_warehouse):
    found = compare(BEFORE, read(TEXT.replace("is_won or is_lost", "is_lost")), duck_warehouse.reader())
    assert [one.touched.name for one in found.differences] == ["closed", "win_rate"]
    assert found.notes == ("Nothing was imported yet, so there are no figures to compare.",)


def test_another_currency_has_to_be_published_first(reader):
    found = compare(BEFORE, read(TEXT.replace("currency: EUR", "currency: USD")), reader)
    assert found.notes[0].startswith("The currency or the time zone changes")
    assert found.differences[0].touched.name == "bookings"
    assert found.differences[0].weeks[-1].after.state == "unconverted"
