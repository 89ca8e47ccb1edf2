"""Several groupings in one statement are what each is alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from kpi.errors import Unreachable
from kpi.metrics import query
from kpi.metrics.model import Order, Query
from tests.metrics.hand_made import rows

pytestmark = pytest.mark.postgres_later

COSTS = """
hosting: {sum: amount, of: cost_line, at: booked_on, where: category = 'hosting', unit: money}
all_costs: {sum: amount, of: cost_line, at: booked_on, unit: money}
share: {formula: hosting / all_costs, unit: percent}
of_total: {formula: all_costs / total(all_costs), unit: percent}
vendors: {count_distinct: vendor, of: cost_line, at: booked_on}
"""

BY = (("cost_line.vendor",), ("cost_line.category",), ("cost_line.vendor", "cost_line.category"))


@pytest.fixture
def costs(warehouse):
    for vendor, category, amount, day in [
        ("Acme", "hosting", 10, "2026-01-05"),
        ("Acme", "support", 30, "2026-01-06"),
        (None, "hosting", 5, "2026-01-07"),
        (None, None, 7, "2026-02-08"),
        ("Best", "support", 8, "2026-02-09"),
    ]:
        warehouse.add("cost_line", {"vendor": vendor, "category": category, "amount": amount, "currency": "EUR", "booked_on": day})
    return warehouse.cover("cost_line", "2026-01-01", "2026-03-01")


def asked(*metrics, **more):
    return [Query(metrics, by, **{"grain": "month", **more}) for by in BY]


@pytest.mark.parametrize("more", [{}, {"where": ("cost_line.category = 'hosting'",)}, {"grain": "week"}, {"grain": "all"}])
def test_together_they_are_what_they_are_alone(costs, defined, more):
    reader, known = costs.reader(), defined(COSTS)
    queries = asked("hosting", "all_costs", "share", "of_total", **more)
    for one, result in zip(queries, query.run_together(queries, known, reader), strict=True):
        alone = query.run(one, known, reader)
        assert rows(result) == rows(alone)
        assert (result.query, result.states, result.warnings) == (one, alone.states, alone.warnings)


def test_they_are_one_statement(costs, defined):
    found = query.run_together(asked("all_costs"), defined(COSTS), costs.reader())
    assert len({result.sql for result in found}) == 1
    # Acme spent 40 in January: 10 for hosting and 30 for support; what no vendor is known of is a group, and no sum
    assert rows(found[0])[:3] == [("2026-01-01", "Acme", "40.0000"), ("2026-01-01", "Best", "0.0000"), ("2026-01-01", None, "5.0000")]


def test_what_does_not_add_up_is_asked_one_by_one(costs, defined):
    """Two vendors of two kinds of cost are no four vendors."""
    reader, known = costs.reader(), defined(COSTS)
    found = query.run_together(asked("vendors"), known, reader)
    assert [rows(result) for result in found] == [rows(query.run(one, known, reader)) for one in asked("vendors")]
    assert len({result.sql for result in found}) == 3


def test_what_one_of_them_cannot_reach_is_told(costs, defined):
    with pytest.raises(Unreachable):
        query.run_together([*asked("all_costs"), replace(asked("all_costs")[0], by=("deal.stage",))], defined(COSTS), costs.reader())


def test_only_the_periods_that_are_wanted(costs, defined):
    """February beside January of the year before, of which nothing is known, and nothing of the year in between."""
    wanted = (dt.date(2025, 1, 1), dt.date(2026, 2, 1))
    one = Query(("all_costs",), (), (), "month", dt.date(2025, 1, 1), dt.date(2026, 3, 1), wanted)
    result = query.run(one, defined(COSTS), costs.reader())
    assert rows(result) == [("2025-01-01", None), ("2026-02-01", "15.0000")]
    assert result.states["all_costs"].to_pylist() == ["unknown", "known"]


@pytest.mark.parametrize("more", [{"top": 1}, {"limit": 1}, {"order": (Order("all_costs", descending=True),)}])
def test_what_is_of_one_grouping_is_asked_one_by_one(costs, defined, more):
    reader, known = costs.reader(), defined(COSTS)
    queries = asked("all_costs", "share", **more)
    found = query.run_together(queries, known, reader)
    assert len({result.sql for result in found}) == len(BY)
    for one, result in zip(queries, found, strict=True):
        assert rows(result) == rows(query.run(one, known, reader))
