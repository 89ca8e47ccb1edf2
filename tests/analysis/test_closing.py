"""Closed weeks and what became of them, worked out by hand on five weeks of deals.

In the weeks from 5 October 2026 (n = 0 … 4, Monday to Sunday) one deal of 100 + n is won on Tuesday and one of 30 lost on Thursday. The
data end on Sunday 8 November, so on Monday 9 November the last whole week is that of 2 November: bookings 104, won 1, win rate 1 / 2.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from kpi.analysis.closing import due, taken
from kpi.analysis.restating import closed_values, restatements
from kpi.errors import UsageError
from kpi.metrics import definitions
from kpi.periods import Period
from kpi.records.closings import Closed, closed, write_down

FIRST, LAST, MONDAY = dt.date(2026, 10, 5), dt.date(2026, 11, 2), dt.date(2026, 11, 9)
WEEK = dt.timedelta(days=7)
TEXT = """\
north_star: won
drivers: [bookings, win_rate, paid]
currency: EUR
calendar: {timezone: UTC}
metrics:
  bookings: {sum: amount, of: deal, at: closed_on, where: is_won, unit: money}
  won: {count: deal, at: closed_on, where: is_won}
  closed: {count: deal, at: closed_on, where: is_won or is_lost}
  win_rate: {formula: won / closed, unit: percent}
  paid: {sum: amount, of: payment, at: paid_on, unit: money}
"""


def read(text=TEXT):
    found, problems = definitions.checked(text.encode(), "metrics.yaml")
    assert found is not None, problems
    return found


@pytest.fixture
def warehouse(duck_warehouse):
    duck_warehouse.add("account", {"account_id": "a", "name": "Acme", "created_on": "2026-01-01"})
    for n in range(5):
        for back, amount, won in ((1, 100 + n, True), (3, 30, False)):
            day = (FIRST + n * WEEK + dt.timedelta(days=back)).isoformat()
            row = {
                "account_id": "a",
                "closed_on": day,
                "created_on": day,
                "amount": amount,
                "currency": "EUR",
                "is_won": won,
                "is_lost": not won,
            }
            duck_warehouse.add("deal", row, covers=("2026-10-05", "2026-11-09"))
    duck_warehouse.sql("insert into money_currency values ('deal', 'test', 'EUR', '', 10)")
    return duck_warehouse


def shut(settings, warehouse, made=None, weeks=(LAST,), now=MONDAY):
    made = made or read()
    spans = [Period(week, week + WEEK) for week in weeks]
    return write_down(settings, taken(spans, made, warehouse.reader(), "ann", now))


def told(settings, warehouse, now, kept=lambda hash_: None):
    return {one.first.metric: one for one in restatements(closed(settings), (), now, warehouse.reader(), kept)}


def test_a_week_is_kept_as_it_is_first_shown(settings, warehouse):
    assert shut(settings, warehouse) == 3  # payments were never imported: nothing was shown
    found = closed(settings)
    assert {metric: figure.value for (metric, _), figure in found.figures.items()} == {
        "won": Decimal(1),
        "bookings": Decimal(104),
        "win_rate": Decimal("0.5"),
    }
    kept = found.figures["bookings", LAST]
    assert (kept.unit, kept.currency, kept.is_whole, kept.closed_by, kept.week_end) == ("money", "EUR", True, "ann", MONDAY)
    assert kept.definitions == read().hash
    warehouse.sql("update deal set amount = 500 where amount = 104")
    assert shut(settings, warehouse) == 0
    assert closed(settings) == found
    assert closed_values(found)["bookings"] == {LAST: Decimal(104)}


def test_a_week_that_is_not_over_is_refused(warehouse):
    with pytest.raises(UsageError) as error:
        taken([Period(MONDAY, MONDAY + WEEK)], read(), warehouse.reader(), "ann", MONDAY)
    assert str(error.value) == "the week 9–15 Nov 2026 isn't over yet; it can be closed from 2026-11-16 on"


def test_the_last_whole_week_is_due_and_later_those_since(settings, warehouse):
    def weeks(now, data=None):
        return [week.start for week in due(data or closed(settings), read(), warehouse.reader(), now)]

    assert weeks(MONDAY) == [LAST]  # and none before, which nobody was shown as it was
    assert weeks(dt.date(2026, 11, 8)) == [LAST - WEEK]  # its Sunday isn't over
    assert weeks(dt.date(2026, 12, 24)) == [LAST]  # no later one has data
    shut(settings, warehouse, weeks=(FIRST + WEEK,))
    assert weeks(MONDAY) == [FIRST + 2 * WEEK, FIRST + 3 * WEEK, LAST]
    shut(settings, warehouse)
    assert weeks(MONDAY) == []
    partly = {key: replace(one, is_whole=key[0] != "bookings") for key, one in closed(settings).figures.items()}
    assert weeks(MONDAY, Closed(partly)) == [FIRST + WEEK, LAST]  # what was partial may be whole by now


def test_what_was_not_whole_is_kept_once_more_when_it_is(settings, warehouse):
    warehouse.sql("update coverage set covers_to = '2026-11-06'")
    shut(settings, warehouse)
    assert {one.state for one in closed(settings).figures.values()} == {"partial"}
    assert closed(settings).first("won", LAST) is None
    warehouse.sql("update coverage set covers_to = '2026-11-09'")
    assert shut(settings, warehouse) == 3
    assert closed(settings).first("won", LAST).value == 1
    assert restatements(closed(settings), (), read(), warehouse.reader(), lambda hash_: None)[0].cause == "none"


def test_data_that_changed_moved_it(settings, warehouse):
    shut(settings, warehouse)
    warehouse.sql("update deal set amount = 110 where amount = 104")
    found = told(settings, warehouse, read())
    assert (found["bookings"].first.value, found["bookings"].now.value, found["bookings"].cause) == (104, 110, "data")
    assert (found["won"].cause, found["win_rate"].cause) == ("none", "none")


def test_a_definition_that_changed_moved_it(settings, warehouse):
    shut(settings, warehouse)
    after = read(
        TEXT.replace("bookings: {sum: amount, of: deal, at: closed_on, where: is_won,", "bookings: {sum: amount, of: deal, at: closed_on,")
    )
    found = told(settings, warehouse, after, {read().hash: read()}.get)
    assert (found["bookings"].now.value, found["bookings"].then, found["bookings"].cause) == (134, 104, "definition")  # 104 + 30
    assert found["win_rate"].cause == "none"


def test_both_moved_it(settings, warehouse):
    shut(settings, warehouse)
    warehouse.sql("update deal set amount = 110 where amount = 104")
    after = read(
        TEXT.replace("bookings: {sum: amount, of: deal, at: closed_on, where: is_won,", "bookings: {sum: amount, of: deal, at: closed_on,")
    )
    one = told(settings, warehouse, after, {read().hash: read()}.get)["bookings"]
    assert (one.first.value, one.then, one.now.value, one.cause) == (104, 110, 140, "both")
    # the same change of data alone, under a file that changed in other words
    renamed = read(TEXT.replace("sum: amount, of: deal", "label: Booked, sum: amount, of: deal"))
    assert told(settings, warehouse, renamed, {read().hash: read()}.get)["bookings"].cause == "data"


def test_what_cannot_be_told_is_said(settings, warehouse):
    shut(settings, warehouse)
    after = read(TEXT.replace("where: is_won, unit", "where: is_lost, unit"))
    one = told(settings, warehouse, after)["bookings"]
    assert (one.now.value, one.cause, one.why) == (30, "unknown", "the definitions of that time were not kept")


def test_a_metric_that_is_gone_was_moved_by_the_definition(settings, warehouse):
    shut(settings, warehouse)
    after = read(TEXT.replace("drivers: [bookings, win_rate, paid]", "drivers: [win_rate, paid]").replace("  bookings:", "  orders:"))
    one = told(settings, warehouse, after, {read().hash: read()}.get)["bookings"]
    assert (one.now, one.cause) == (None, "definition")
    dollars = told(settings, warehouse, read(TEXT.replace("currency: EUR", "currency: USD")), {read().hash: read()}.get)["bookings"]
    assert (dollars.now.state, dollars.cause) == ("unconverted", "definition")  # of another currency, and there is no rate
