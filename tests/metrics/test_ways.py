"""Ways in which the bounds of a flow's row are known: those that no row has are not read, and no figure changes."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

import pytest

from kpi.metrics import query
from kpi.metrics.query import facts_of
from tests.metrics.hand_made import ask, column

pytestmark = pytest.mark.postgres_later

REVENUE = """
revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}
"""

#: A row of each way with its share in January 2026: 310 over 31 days; one day; one day; the document's day.
ROWS = (
    ({"service_from": "2026-01-01", "service_to": "2026-02-01", "amount": "310"}, 310),
    ({"service_from": "2026-01-05", "service_to": "2026-01-05", "amount": "7"}, 7),
    ({"service_to": "2026-01-09", "amount": "5"}, 5),
    ({"invoiced_on": "2026-01-31", "amount": "3"}, 3),
)


@pytest.mark.parametrize("places", [found for size in range(1, 5) for found in combinations(range(4), size)])
def test_only_ways_that_occur_are_read(warehouse, defined, places):
    for place in places:
        warehouse.add("invoice_line", {"invoiced_on": "2026-01-01", "currency": "EUR"} | ROWS[place][0])
    warehouse.cover("invoice_line", "2026-01-01", "2026-02-01")
    reader, known = warehouse.reader(), defined(REVENUE)
    ((table, _, ways),) = facts_of(reader, known).ways
    assert (table, ways) == ("invoice_line", frozenset(places))
    result = ask(reader, known, "revenue", grain="month")
    assert [Decimal(value) for value in column(result, "revenue")] == [sum(ROWS[place][1] for place in places)]
    assert result.sql.count("UNION ALL SELECT invoice_line.") == len(places) - 1


def test_a_row_from_a_day_without_an_end_is_one_of_them(warehouse, defined):
    """On both engines: a null must not hide the way."""
    warehouse.add("invoice_line", {"invoiced_on": "2026-01-01", "currency": "EUR", "service_from": "2026-01-20", "amount": "11"})
    warehouse.cover("invoice_line", "2026-01-01", "2026-02-01")
    reader, known = warehouse.reader(), defined(REVENUE)
    assert facts_of(reader, known).ways[0][2] == frozenset({1})
    assert [Decimal(value) for value in column(ask(reader, known, "revenue", grain="month"), "revenue")] == [11]


def test_an_empty_table_is_read_in_one_way(warehouse, defined):
    warehouse.cover("invoice_line", "2026-01-01", "2026-02-01")
    reader, known = warehouse.reader(), defined(REVENUE)
    assert facts_of(reader, known).ways[0][2] == frozenset({0})
    assert [Decimal(value) for value in column(ask(reader, known, "revenue", grain="month"), "revenue")] == [0]


def test_facts_are_asked_once_for_definitions(warehouse, defined):
    reader = warehouse.reader()
    first = facts_of(reader, defined(REVENUE))
    assert facts_of(reader, defined(REVENUE)) is first
    other = defined(REVENUE.replace("[service_from, service_to]", "[invoiced_on, service_to]"))
    assert query.facts_of(reader, other) is not first
