"""Notes on coverage and on systems that lag, with the days that make them."""

from __future__ import annotations

import pytest

from tests.metrics.hand_made import ask

pytestmark = pytest.mark.postgres_later

METRICS = """
metrics:
  cost: {sum: amount, of: cost_line, at: booked_on}
  paid: {sum: amount, of: payment, at: paid_on}
  left: {formula: paid - cost}
"""


def covered(warehouse, **reaches):
    """Rows of each ``table__source`` on the first day that it covers."""
    for name, (first, after) in reaches.items():
        table, source = name.split("__")
        day = {"cost_line": "booked_on", "payment": "paid_on"}[table]
        warehouse.add(table, {"amount": "1", "currency": "EUR", day: first}, covers=(first, after), source=source)
    return warehouse


def lags(result):
    return [warning for warning in result.warnings if "stops with" in warning]


def test_the_system_that_ends_first_is_named(warehouse, defined):
    covered(warehouse, cost_line__quickbooks=("2026-01-01", "2026-05-01"), payment__stripe=("2026-01-01", "2026-06-01"))
    assert lags(ask(warehouse, defined(METRICS), "left")) == [
        "left stops with quickbooks on 30 Apr 2026; its other data reach to 31 May 2026"
    ]
    assert lags(ask(warehouse, defined(METRICS), "cost", "paid")) == []


def test_a_system_that_counts_no_more_does_not_lag(warehouse, defined):
    covered(
        warehouse,
        cost_line__quickbooks=("2026-01-01", "2026-05-01"),  # its last export; it counts until March
        cost_line__xero=("2026-03-01", "2026-06-01"),
        payment__stripe=("2026-01-01", "2026-05-01"),
    )
    known = defined("sources: {cost_line: {quickbooks: {until: 2026-03-31}, xero: {from: 2026-04-01}}}\n" + METRICS)
    assert lags(ask(warehouse, known, "left")) == ["left stops with stripe on 30 Apr 2026; its other data reach to 31 May 2026"]


def test_other_data_reach_as_far_as_they_count(warehouse, defined):
    covered(
        warehouse,
        cost_line__quickbooks=("2026-01-01", "2026-12-01"),  # counts until March
        cost_line__xero=("2026-03-01", "2026-05-01"),
        payment__stripe=("2026-01-01", "2026-06-01"),
    )
    known = defined("sources: {cost_line: {quickbooks: {until: 2026-03-31}, xero: {from: 2026-04-01}}}\n" + METRICS)
    assert lags(ask(warehouse, known, "cost")) == []  # Xero is the last that counts
    assert lags(ask(warehouse, known, "left")) == ["left stops with xero on 30 Apr 2026; its other data reach to 31 May 2026"]


def test_a_system_that_counts_later_does_not_lag_today(warehouse, defined):
    covered(
        warehouse,
        cost_line__quickbooks=("2026-01-01", "2026-06-01"),
        cost_line__xero=("2026-01-01", "2026-05-01"),  # a first look; it counts from July
        payment__stripe=("2026-01-01", "2026-05-01"),
    )
    known = defined("sources: {cost_line: {quickbooks: {until: 2026-06-30}, xero: {from: 2026-07-01}}}\n" + METRICS)
    assert lags(ask(warehouse, known, "left")) == ["left stops with stripe on 30 Apr 2026; its other data reach to 31 May 2026"]


def test_a_system_that_holds_none_of_the_rows_does_not_lag(warehouse, defined):
    covered(warehouse, cost_line__quickbooks=("2026-01-01", "2026-06-01"), payment__stripe=("2026-01-01", "2026-05-01"))
    warehouse.cover("cost_line", "2026-01-01", "2026-05-01", source="xero")
    warehouse.sql("update coverage set row_count = 0 where source = 'xero'")
    assert lags(ask(warehouse, defined(METRICS), "left")) == ["left stops with stripe on 30 Apr 2026; its other data reach to 31 May 2026"]


def test_the_system_that_should_have_taken_over_is_named(warehouse, defined):
    covered(
        warehouse,
        cost_line__quickbooks=("2026-01-01", "2026-05-01"),
        cost_line__xero=("2026-03-01", "2026-03-16"),  # counts from April, of which it has nothing
        payment__stripe=("2026-01-01", "2026-06-01"),
    )
    known = defined("sources: {cost_line: {quickbooks: {until: 2026-03-31}, xero: {from: 2026-04-01}}}\n" + METRICS)
    assert lags(ask(warehouse, known, "left")) == ["left stops with xero on 31 Mar 2026; its other data reach to 31 May 2026"]


def test_periods_that_look_back_too_far_are_told(warehouse, defined):
    covered(warehouse, payment__stripe=("2026-01-01", "2026-04-16"))
    known = defined("paid: {sum: amount, of: payment, at: paid_on}\ngrowth: {formula: 'paid / previous(paid, 2 months)'}")
    assert ask(warehouse, known, "paid", "growth", grain="month", until="2026-06-01").warnings == (
        "the data of paid reach from 1 Jan 2026 to 15 Apr 2026: 1 Apr 2026 to 30 Apr 2026 is covered in part and "
        "1 May 2026 to 31 May 2026 is not covered, and not known",
        "the data of growth reach from 1 Jan 2026 to 15 Apr 2026: 1 Apr 2026 to 30 Apr 2026 is covered in part, "
        "2 months, the first 1 Jan 2026 to 31 Jan 2026, look back to days that are not covered and "
        "1 May 2026 to 31 May 2026 is not covered, and not known",
    )


def test_a_system_without_rows_reaches_nowhere(warehouse, defined):
    covered(warehouse, cost_line__quickbooks=("2026-01-01", "2026-05-01"))
    warehouse.cover("cost_line", "2026-01-01", "2026-06-01", source="xero")
    warehouse.sql("update coverage set row_count = 0 where source = 'xero'")
    assert ask(warehouse, defined(METRICS), "cost").warnings == ()


def test_data_that_share_no_day_are_told(warehouse, defined):
    covered(warehouse, payment__stripe=("2026-01-01", "2026-02-01"), cost_line__xero=("2026-03-01", "2026-04-01"))
    result = ask(warehouse, defined(METRICS), "left", grain="month", since="2026-01-01", until="2026-04-01")
    assert result.warnings == (
        "left is not known: no day is covered by all its data, which are payment from 1 Jan 2026 to 31 Jan 2026 "
        "and cost_line from 1 Mar 2026 to 31 Mar 2026",
    )


def test_a_system_that_counts_on_none_of_its_days_is_told(warehouse, defined):
    covered(warehouse, cost_line__xero=("2026-03-01", "2026-04-01"))
    known = defined("sources: {cost_line: {xero: {from: 2027-01-01}}}\n" + METRICS)
    assert ask(warehouse, known, "cost", since="2026-03-01", until="2026-04-01").warnings == (
        "cost is not known: xero counts for cost_line by sources:, but on none of the days that its data cover",
    )


def test_a_system_that_was_never_imported_leaves_the_days_of_the_others_known(warehouse, defined):
    covered(warehouse, cost_line__quickbooks=("2026-01-01", "2026-06-01"))
    known = defined("sources: {cost_line: {quickbooks: {until: 2026-03-31}, xero: {from: 2026-04-01}}}\n" + METRICS)
    assert ask(warehouse, known, "cost").warnings == (
        "cost is known from 1 Jan 2026 to 31 Mar 2026 only: xero counts for cost_line by sources:, and was never imported",
    )


def test_systems_of_a_chain_share_no_day(warehouse, defined):
    for source, days in (
        ("jira", ("2026-01-01", "2026-03-01")),
        ("linear", ("2026-02-01", "2026-05-01")),
        ("asana", ("2026-04-01", "2026-06-01")),
    ):
        warehouse.add("issue", {"created_at": f"{days[0]}T12:00:00"}, covers=days, source=source)
    result = ask(warehouse, defined("n: {count: issue, at: created_at}"), "n", since="2026-01-01", until="2026-06-01")
    assert result.warnings == (
        "n is not known: asana, jira and linear hold issue over days that overlap, and on no day all of them do; "
        "say under sources: in metrics.yaml which one counts when",
    )
