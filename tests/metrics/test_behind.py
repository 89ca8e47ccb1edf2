"""The rows behind a figure come to it, whatever kind of figure it is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from kpi.errors import QueryError
from kpi.metrics.behind import Figure, behind
from kpi.metrics.groups import OTHER
from kpi.periods import Period

pytestmark = pytest.mark.postgres_later

TEXT = """
dimensions:
  region: {of: account, is: region}
metrics:
  revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}
  won: {count: deal, at: closed_on, where: is_won}
  each: {formula: revenue / won, unit: money}
  growth: {formula: "revenue / previous(revenue, 1 month) - 1", unit: percent}
  share: {formula: revenue / total(revenue), unit: percent}
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
  new_mrr: {movement: new, of: mrr}
  kept: {retention: mrr, after: 1 month}
  customers: {count_distinct: "coalesce(account_id, 'nobody')", of: subscription_term, during: [started_on, ended_on]}
  middle: {median: amount, of: deal, at: closed_on}
  mean: {average: amount, of: deal, at: closed_on}
"""

FEBRUARY = Period(dt.date(2026, 2, 1), dt.date(2026, 3, 1))


@pytest.fixture
def found(warehouse, defined):
    """A yearly invoice of 365 from 1 January (1 a day) and one of 100 for February; deals of 10, 20 and 60; two customers."""
    run = {"run_id": 7, "file": "february.csv"}
    warehouse.add("import_run", run)
    warehouse.add("account", {"account_id": "a", "name": "Acme", "region": "North"}, {"account_id": "b", "region": "South"})
    warehouse.add(
        "invoice_line",
        {"line_id": "year", "account_id": "a", "amount": "365", "service_from": "2026-01-01", "service_to": "2027-01-01", "run_id": 7},
        {"line_id": "month", "account_id": "b", "amount": "100", "service_from": "2026-02-01", "service_to": "2026-03-01"},
    )
    warehouse.sql("update invoice_line set currency = 'EUR'")
    for name, day, amount in (("x", "2026-02-03", "10"), ("y", "2026-02-04", "20"), ("z", "2026-02-05", "60"), ("q", "2026-01-05", "1")):
        warehouse.add("deal", {"deal_id": name, "account_id": "a", "closed_on": day, "is_won": True, "amount": amount, "currency": "EUR"})
    term = {"currency": "EUR", "started_on": "2026-01-01"}
    warehouse.add("subscription_term", term | {"account_id": "a", "monthly_amount": "8", "ended_on": "2026-02-10"})
    warehouse.add("subscription_term", term | {"account_id": "a", "monthly_amount": "6", "started_on": "2026-02-10"})
    warehouse.add("subscription_term", term | {"account_id": "b", "monthly_amount": "5", "started_on": "2026-02-02"})
    warehouse.add("subscription_term", term | {"account_id": "b", "monthly_amount": "2", "started_on": "2026-02-02"})
    for table in ("invoice_line", "deal", "subscription_term"):
        warehouse.cover(table, "2026-01-01", "2026-03-01")
    known, reader = defined(TEXT), warehouse.reader()

    def ask(metric, most=100, **more):
        return behind(Figure(metric, "month", FEBRUARY, **more), known, reader, most)

    return ask


def rows(part):
    return [(row.key[0], row.value) for row in part.rows]


def test_a_row_brings_what_the_figure_took_of_it(found):
    (part,) = found("revenue").parts
    assert rows(part) == [("month", Decimal(100)), ("year", Decimal(28))]  # 28 of 365 days at 1 a day
    assert (part.value, part.come_to, part.agrees) == (128, 128, True)
    assert [row.file for row in part.rows] == [None, "february.csv"]
    assert part.rows[1].facts["customer"] == "Acme"
    assert part.rows[1].facts["amount"] == 365


def test_a_formula_is_told_by_its_parts(found):
    growth = found("growth")
    assert growth.is_formula
    assert [(part.name, part.value, part.agrees) for part in growth.parts] == [
        ("revenue", 128, True),
        ("previous(revenue, 1 month)", 31, True),
    ]
    assert [(part.name, part.count, part.agrees) for part in found("each").parts] == [("revenue", 2, True), ("won", 3, True)]


def test_a_group_has_its_own_rows_and_a_total_has_all(found):
    share = found("share", by=("region",), groups=("North",))
    assert share.cell.value == pytest.approx(28 / 128)
    (of_group, total) = share.parts
    assert rows(of_group) == [("year", 28)]
    assert (total.name, total.value, total.count, total.agrees) == ("total(revenue)", 128, 2, True)
    assert found("revenue", by=("region",), groups=(None,)).parts == ()


def test_a_movement_is_told_by_customers(found):
    (part,) = found("new_mrr").parts
    assert (rows(part), part.table, part.agrees) == ([("b", 7)], "account", True)


def test_a_retention_is_what_customers_have_left(found):
    (part,) = found("kept").parts
    assert [(row.key[0], row.value, row.facts["had then"]) for row in part.rows] == [("a", 6.0, 8)]
    assert (part.value, part.agrees) == (0.75, True)


def test_different_things_are_counted_once(found):
    (part,) = found("customers").parts
    assert (part.value, part.count, part.come_to, part.agrees) == (2, 3, 2, True)


def test_means_and_medians_are_of_the_rows(found):
    assert [(part.come_to, part.agrees) for part in found("mean").parts] == [(30, True)]  # (10 + 20 + 60) / 3
    assert [(part.come_to, part.agrees) for part in found("middle").parts] == [(20, True)]


def test_all_rows_are_added_up_though_few_are_told(found):
    (part,) = found("won", most=2).parts
    assert (part.count, len(part.rows), part.come_to, part.agrees) == (3, 2, 3, True)


def test_the_rest_of_many_groups_has_no_rows_of_its_own(found):
    with pytest.raises(QueryError, match="stands for many groups: ask for more groups, or choose one, to see its rows"):
        found("revenue", by=("region",), groups=(OTHER,))
