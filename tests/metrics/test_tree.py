"""The tree of a figure: every part with the value that the figure was computed from."""

from __future__ import annotations

import datetime as dt

import pytest

from kpi.metrics.explain import explain
from kpi.metrics.model import Query
from kpi.metrics.tree import tree
from tests.metrics.hand_made import ask

pytestmark = pytest.mark.postgres_later

TEXT = """
dimensions:
  region: {of: account, is: region}
metrics:
  paid: {label: Paid, sum: amount, of: payment, at: paid_on}
  won: {count: deal, at: closed_on, where: is_won}
  each: {formula: paid / won, unit: money}
  growth: {formula: "each / previous(each, 1 month) - 1 + 0 * rolling(won, 28 days)", unit: percent}
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
  new_mrr: {movement: new, of: mrr}
  big: {count: deal, at: closed_on, where: "per(account, paid) > 10"}
  north: {formula: "only(each, region = 'North') / total(paid)", unit: ratio}
"""


def company(warehouse):
    """Payments: 10 in January, 30 on 5 February, 50 on 20 February. Deals won: 1, 2, 1; known to 14 February only."""
    warehouse.add("account", {"account_id": "a", "region": "North"}, {"account_id": "b", "region": "South"})
    for account, day, amount in (("a", "2026-01-10", 10), ("a", "2026-02-05", 30), ("b", "2026-02-20", 50)):
        warehouse.add("payment", {"account_id": account, "paid_on": day, "amount": str(amount), "currency": "EUR"})
    for account, day in (("a", "2026-01-11"), ("a", "2026-02-06"), ("b", "2026-02-07")):
        warehouse.add("deal", {"account_id": account, "closed_on": day, "is_won": True})
    warehouse.add("subscription_term", {"account_id": "a", "monthly_amount": "7", "currency": "EUR", "started_on": "2026-02-01"})
    warehouse.cover("payment", "2026-01-01", "2026-03-01").cover("subscription_term", "2026-01-01", "2026-03-01")
    return warehouse.cover("deal", "2026-01-01", "2026-02-15")


def shown(branches):
    return [(branch.depth, branch.name, None if branch.cell is None else float(branch.cell.value)) for branch in branches]


def test_parts_are_over_the_days_that_the_figure_covers(warehouse, defined):
    known = defined(TEXT)
    reader = company(warehouse).reader()
    result = ask(reader, known, "growth", grain="month")
    # February to the 14th: 30 paid, not 80, and two deals; against 10 and one in as many days of January.
    # The last 28 days to 14 February: 18 January to 14 February, two deals.
    assert shown(tree("growth", result, known, reader)) == [
        (0, "growth", 0.5),
        (1, "each", 15),
        (2, "paid", 30),
        (2, "won", 2),
        (1, "previous(each, 1 month)", 10),
        (1, "rolling(won, 28 days)", 2),
        (2, "won", 2),
    ]
    branches = tree("growth", result, known, reader, dt.date(2026, 1, 1))
    assert [(branch.name, branch.cell.state) for branch in branches[:2]] == [("growth", "unknown"), ("each", "known")]
    assert (branches[2].label, branches[2].unit, branches[2].cell.value, branches[2].text["sum"]) == ("Paid", "money", 10, "amount")


def test_parts_are_over_all_groups_and_under_the_filters(warehouse, defined):
    known = defined(TEXT)
    reader = company(warehouse).reader()
    result = ask(reader, known, "each", by=("region",), where=("region = 'South'",), since="2026-01-01", until="2026-02-15")
    assert shown(tree("each", result, known, reader)) == [(0, "each", 0), (1, "paid", 0), (1, "won", 1)]
    result = ask(reader, known, "north", by=("region",))
    assert shown(tree("north", result, known, reader)) == [
        (0, "north", 0.5),  # 40 / 2 deals of North, of all 40
        (1, "only(each, region = 'North')", 20),
        (2, "each", pytest.approx(40 / 3)),
        (3, "paid", 40),
        (3, "won", 3),
        (1, "total(paid)", 40),
        (2, "paid", 40),
    ]


def test_the_stock_of_a_movement_and_the_metric_that_chooses_rows(warehouse, defined):
    known = defined(TEXT)
    reader = company(warehouse).reader()
    told = explain(Query(("new_mrr", "big"), grain="month"), known, reader)
    assert [shown(one.tree) for one in told.metrics] == [
        [(0, "new_mrr", 7), (1, "mrr", 7)],
        [(0, "big", 2), (1, "paid", None)],
    ]


def test_the_tree_is_one_statement(duck_warehouse, defined, monkeypatch):
    known = defined(TEXT)
    reader = company(duck_warehouse).reader()
    result = ask(reader, known, "growth", grain="month")
    ran = []
    run = type(reader).run
    monkeypatch.setattr(type(reader), "run", lambda *a, **b: ran.append(1) or run(*a, **b))
    tree("growth", result, known, reader)
    assert len(ran) == 1
