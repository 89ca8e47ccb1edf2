"""What is told of a figure besides its value: the sources that it is read from, and what of it can't be told."""

from __future__ import annotations

import json

import pytest

from kpi.commands.show import explanation_json, explanation_text
from kpi.errors import QueryTooHeavy
from kpi.metrics import explain as explaining
from kpi.metrics.explain import explain, leaves_read
from kpi.metrics.model import Query

TEXT = """
dimensions:
  region: {of: account, is: region}
metrics:
  paid: {sum: amount, of: payment, at: paid_on, where: "per(account, won) > 0"}
  won: {count: deal, at: closed_on, where: is_won}
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
  big: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: "per(account, paid) > 10"}
  of_big: {formula: "only(mrr, per(account, paid) > 10)"}
  waits: {time_to: {each: account, from: won, until: first, lost: mrr = 0}}
  first: {count: issue, at: created_at, where: "per(account, tickets) > 0"}
  tickets: {count: remark, at: said_at}
"""
COVERS = ("2026-01-01", "2026-03-01")


@pytest.fixture
def desk(warehouse, defined):
    warehouse.add("account", {"account_id": "a", "region": "North"})
    warehouse.add("payment", {"account_id": "a", "paid_on": "2026-01-10", "amount": "30", "currency": "EUR"}, covers=COVERS)
    warehouse.add("deal", {"account_id": "a", "closed_on": "2026-01-11", "is_won": True}, covers=COVERS)
    term = {"account_id": "a", "monthly_amount": "7", "currency": "EUR", "started_on": "2026-02-01"}
    warehouse.add("subscription_term", term, covers=COVERS)
    warehouse.add("issue", {"account_id": "a", "created_at": "2026-01-20T10:00"}, covers=COVERS)
    warehouse.add("remark", {"account_id": "a", "said_at": "2026-01-20T10:00"}, covers=COVERS)
    return defined(TEXT), warehouse.reader()


def tables(query, known, reader):
    return [(source.table, source.rows) for source in explain(query, known, reader).sources]


def test_the_tables_that_rows_are_chosen_by_are_sources_too(desk):
    known, reader = desk
    terms, chosen = ("subscription_term", 1), [("payment", 1), ("deal", 1)]  # paid itself chooses its payments by deals
    assert tables(Query(("big",)), known, reader) == [terms, *chosen]
    assert tables(Query(("of_big",)), known, reader) == [terms, *chosen]
    assert tables(Query(("mrr",)), known, reader) == [terms]
    assert tables(Query(("mrr",), where=("per(account, paid) > 10",)), known, reader) == [terms, *chosen]
    assert tables(Query(("waits",)), known, reader) == [("deal", 1), ("issue", 1), terms, ("remark", 1)]
    assert {leaf.table for leaf in leaves_read(["big"], known)} == {"subscription_term", "payment", "deal"}


def too_heavy(*_):
    raise QueryTooHeavy("30 seconds", "KPI_QUERY_TIMEOUT_S")


STOPPED = "the query was stopped at its limit of 30 seconds; ask for fewer groups or a shorter range, or raise KPI_QUERY_TIMEOUT_S"


def test_a_tree_that_takes_too_long_is_told_beside_the_rest(desk, monkeypatch):
    known, reader = desk
    monkeypatch.setattr(explaining, "tree", too_heavy)
    told = explain(Query(("big",)), known, reader)
    assert [(one.tree, one.failed) for one in told.metrics] == [((), STOPPED)]
    text = explanation_text(told)
    assert f"  what it is made of is not known: {STOPPED}\n" in text
    assert "subscription_term from test: 1 rows" in text
    assert json.loads(explanation_json(told))["metrics"][0]["tree_failed"] == STOPPED


def test_a_cohort_that_takes_too_long_is_told(desk, monkeypatch):
    known, reader = desk
    assert explain(Query(("waits",)), known, reader).cohorts[0].startswith("waits: 1 started from ")
    monkeypatch.setattr(explaining, "curve", too_heavy)
    assert explain(Query(("waits",)), known, reader).cohorts == (
        f"waits: how many started and what became of them is not known: {STOPPED}",
    )
