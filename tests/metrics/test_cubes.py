"""Filters answered from kept cells: the same figures, without reading the rows again.

That the figures are the same is asked of every filter in these folders' tests as well, by ``ask`` of hand_made.
"""

from __future__ import annotations

import gc
import weakref

import pytest

from kpi.errors import QueryTooHeavy
from kpi.metrics import cubes, query
from kpi.metrics.model import Query
from kpi.metrics.query import planned, run, run_together
from tests.metrics.hand_made import rows, same, states

TEXT = """
dimensions:
  segment: {of: account, is: region}
  product: {of: product, is: name}
metrics:
  revenue: {sum: amount, of: invoice_line, at: invoiced_on}
  cost: {sum: amount, of: cost_line, over: [service_from, service_to], allocate: {to: [account, product], by: revenue, each: month}}
  margin: {formula: (revenue - cost) / revenue}
  typical: {median: amount, of: invoice_line, at: invoiced_on}
"""

SEGMENTS = (
    "segment in ('SMB')",
    "segment in ('Big', 'SMB')",
    "(segment in ('Big') or segment is null)",
    "segment is null",
    "segment <> 'SMB'",
)
PRODUCTS = ("product in ('A')", "product in ('A', 'B')", "product like 'B%'", "product in ('none such')")
FILTERS = [(one,) for one in (*SEGMENTS, *PRODUCTS)] + list(zip(SEGMENTS, PRODUCTS, strict=False))


def line(day, account, product, amount):
    return {"invoiced_on": day, "account_id": account, "product_id": product, "amount": amount, "currency": "EUR"}


def cost(start, end, account, product, amount):
    keys = {"account_id": account, "product_id": product}
    return {"service_from": start, "service_to": end, "booked_on": start, "amount": amount, "currency": "EUR"} | keys


@pytest.fixture
def company(duck_warehouse):
    """Costs that lack both keys, one, and none; in March there is no revenue to split them by."""
    warehouse = duck_warehouse  # PostgreSQL reads its rows each time
    regions = (("a", "SMB"), ("b", "SMB"), ("c", "Big"), ("d", None))
    warehouse.add("account", *({"account_id": name, "region": region} for name, region in regions))
    warehouse.add("product", {"product_id": "A", "name": "A"}, {"product_id": "B", "name": "B"})
    sold = [("2026-01-10", "a", "A", 100), ("2026-01-11", "a", "B", 50), ("2026-01-12", "b", "B", 150), ("2026-02-13", "c", "A", 300)]
    warehouse.add("invoice_line", *(line(*one) for one in (*sold, ("2026-02-14", "d", None, 70), ("2026-02-15", None, "A", 7))))
    spent = [
        ("2026-01-01", "2026-03-15", None, None, 80),
        ("2026-01-05", "2026-02-05", None, "A", 60),
        ("2026-02-01", "2026-03-01", "a", None, 9),
    ]
    warehouse.add(
        "cost_line",
        *(cost(*one) for one in (*spent, ("2026-01-01", "2026-02-01", "b", "B", 33), ("2026-03-01", "2026-04-01", None, None, 4))),
    )
    for table in ("invoice_line", "cost_line"):
        warehouse.cover(table, "2026-01-01", "2026-04-01")
    return warehouse


def texts_of(reader, monkeypatch):
    """The statements that a reader runs from now on."""
    seen, fetch = [], type(reader)._fetch
    monkeypatch.setattr(type(reader), "_fetch", lambda self, ready, values: (seen.append(ready.sql), fetch(self, ready, values))[1])
    return seen


@pytest.mark.parametrize("by", [(), ("segment", "product")])
def test_every_filter_is_as_from_rows(company, defined, by):
    known, reader = defined(TEXT), company.reader()
    for where in FILTERS:
        asked = Query(("margin", "revenue", "cost"), by, where, "month")
        same(run(asked, known, reader), run(asked, known, reader, keep=True))


def test_a_share_worked_out_by_hand(company, defined):
    """January's revenue is 300: a 150, b 150, so that SMB has all of its costs. 80 over 73 days, 31 of them in January."""
    asked = Query(("revenue", "cost"), (), ("segment in ('SMB')",), "month")
    (january, *_) = rows(run(asked, defined(TEXT), company.reader(), keep=True))
    everything = 80 * 31 / 73 + 60 * 27 / 31 + 33
    assert january[1] == "300.0000"
    assert float(january[2]) == pytest.approx(everything, abs=1e-6)


def test_several_groupings_together(company, defined):
    known, reader = defined(TEXT), company.reader()
    for where in FILTERS[::4]:
        asked = [Query(("margin", "cost"), by, where, "month") for by in (("product",), ("segment",), ("product", "segment"))]
        for found, kept in zip(run_together(asked, known, reader), run_together(asked, known, reader, keep=True), strict=True):
            same(found, kept)


def test_other_values_read_no_rows_again(company, defined, monkeypatch):
    known, reader = defined(TEXT), company.reader()
    run(Query(("margin",), (), ("segment in ('SMB')",), "month"), known, reader, keep=True)
    seen = texts_of(reader, monkeypatch)
    result = run(Query(("margin",), (), ("segment in ('Big', 'SMB')",), "month"), known, reader, keep=True)
    (text,) = seen
    assert "cube_" in text
    assert "cost_line" not in text
    assert "invoice_line" not in text
    # what is shown to people runs as it stands, anywhere
    assert "cube_" not in result.sql
    assert "cost_line" in result.sql


def test_what_has_no_cells_is_read_from_rows(company, defined, monkeypatch):
    """A median of groups is no part of one of all; a column is no dimension; too many cells are not kept."""
    known, reader = defined(TEXT), company.reader()
    seen = texts_of(reader, monkeypatch)
    for metric, where in (
        ("typical", "segment in ('SMB')"),
        ("revenue", "invoice_line.account_id = 'a'"),
        ("revenue", "per(product, revenue) > 1"),
    ):
        run(Query((metric,), (), (where,)), known, reader, keep=True)
    assert not any("cube_" in text for text in seen)
    monkeypatch.setattr(cubes, "MOST_ROWS", 1)
    run(Query(("revenue",), (), ("segment in ('SMB')",), "month"), known, reader, keep=True)
    assert not any("cube_" in text for text in seen)


def test_cells_that_take_too_long_are_done_without(company, defined, monkeypatch):
    known, reader = defined(TEXT), company.reader()
    fetch = type(reader)._fetch

    def slow(self, ready, values):
        if "cells" in ready.sql:
            raise QueryTooHeavy("30 seconds", "KPI_QUERY_TIMEOUT_S")
        return fetch(self, ready, values)

    monkeypatch.setattr(type(reader), "_fetch", slow)
    asked = Query(("revenue",), (), ("segment in ('SMB')",), "month")
    same(run(asked, known, reader), run(asked, known, reader, keep=True))


BOTH = ("segment in ('SMB', 'Big')",)


def test_amounts_without_a_rate_that_cancel_out_need_none(company, defined):
    """10 USD of SMB and -10 of Big on one day are no USD; 10 of SMB alone lack a rate. A stock likewise."""
    known = defined(TEXT + "  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}\n")
    for account, amount in (("a", 10), ("c", -10)):
        company.add("invoice_line", line("2026-01-20", account, "A", amount) | {"currency": "USD"})
        term = {"account_id": account, "started_on": "2026-01-05", "monthly_amount": amount, "currency": "USD"}
        company.add("subscription_term", term)
    company.cover("subscription_term", "2026-01-01", "2026-04-01")
    reader = company.reader()
    for where, state in ((BOTH, "known"), (("segment in ('SMB')",), "unconverted")):
        for metric in ("revenue", "mrr"):
            asked = Query((metric,), (), where, "month")
            found = run(asked, known, reader)
            assert states(found, metric)[0] == state
            same(found, run(asked, known, reader, keep=True))


def test_amounts_of_many_places_are_converted_at_once(company, defined):
    """A rate of 12 places times 5 is more than is kept, and halves of two segments would be rounded twice."""
    known = defined(TEXT + "  fine: {sum: 'round(amount * quantity, 5)', of: invoice_line, at: invoiced_on}\n")
    company.add("fx_rate", {"currency": "USD", "into": "EUR", "day": "2026-01-20", "rate": "0.100000000005"})
    for account in ("a", "c"):  # 0.00001 each: 0.0000010000000000|5 is rounded up, twice it needs no rounding
        company.add("invoice_line", line("2026-01-20", account, "A", "0.0001") | {"currency": "USD", "quantity": "0.1"})
    asked, reader = Query(("fine",), (), BOTH, "month"), company.reader()
    same(run(asked, known, reader), run(asked, known, reader, keep=True))


def test_costs_that_cancel_out_are_split_among_nobody(company, defined):
    """Told apart by their category, which is no key, each would be split, and its segments shown with nothing."""
    known = defined(TEXT.replace("metrics:", "  category: {of: cost_line, is: category}\nmetrics:"))
    for category, amount in (("x", 50), ("y", -50)):
        company.add("cost_line", cost("2026-01-01", "2026-02-01", None, None, amount) | {"category": category})
    asked, reader = Query(("cost",), ("segment",), ("category in ('x', 'y')",), "month"), company.reader()
    found = run(asked, known, reader)
    assert not rows(found)
    same(found, run(asked, known, reader, keep=True))


def test_what_overflows_in_other_segments_is_left_out(company, defined):
    known = defined(TEXT + "  cubed: {sum: quantity * quantity * quantity, of: invoice_line, at: invoiced_on}\n")
    for account, quantity in (("a", "2"), ("c", "999999999999")):
        company.add("invoice_line", line("2026-01-20", account, "A", 1) | {"quantity": quantity})
    asked, reader = Query(("cubed",), (), ("segment in ('SMB')",), "month"), company.reader()
    found = run(asked, known, reader)
    assert rows(found)[0] == ("2026-01-01", "8.000000000000")
    same(found, run(asked, known, reader, keep=True))


def test_cells_go_with_their_reader(company, defined):
    known = defined(TEXT)
    reader = company.reader()
    cells = []
    for where in FILTERS[:3]:
        asked = Query(("margin",), (), where, "month")
        made, ready, _ = planned(asked, known, reader, keep=True)
        cells += [weakref.ref(rows) for rows in ready.tables.values()]
    gone = weakref.ref(reader)
    assert cells
    del made, ready, reader
    gc.collect()
    assert gone() is None
    assert not any(cell() for cell in cells)


def test_plans_hold_no_more_cells_than_fit(company, defined, monkeypatch):
    known, reader = defined(TEXT), company.reader()
    monkeypatch.setattr(query, "_KEPT_BYTES", 1)
    for grain in ("day", "month", "year"):
        run(Query(("margin",), (), BOTH, grain), known, reader, keep=True)
    assert len(query._plans_of[reader]) == 1


def test_cells_of_a_dimension_with_many_values_are_not_even_tried(company, defined, monkeypatch):
    """Ten thousand customers on each day of some years take half a minute to be too many. Here 2 segments x 3 months are, at 5."""
    known, reader = defined(TEXT), company.reader()
    for most, expected in ((5, False), (40_000, True)):
        monkeypatch.setattr(cubes, "MOST_ROWS", most)
        seen = texts_of(reader, monkeypatch)
        run(Query(("revenue",), () if most == 5 else ("product",), BOTH, "month"), known, reader, keep=True)
        assert any("cells" in text for text in seen) is expected


def test_cells_of_many_bytes_are_not_kept(company, defined, monkeypatch):
    known, reader = defined(TEXT), company.reader()
    seen = texts_of(reader, monkeypatch)
    monkeypatch.setattr(cubes, "MOST_BYTES", 10)
    run(Query(("revenue",), (), BOTH, "month"), known, reader, keep=True)
    assert not any("cube_" in text for text in seen)


def test_two_companies_do_not_mix(fresh, defined):
    """Alike in all that a plan hangs on, and not in their amounts."""
    known, found = defined(TEXT), []
    for amount in (5, 7):
        company = fresh()
        company.add("account", {"account_id": "a", "region": "SMB"})
        company.add("invoice_line", line("2026-01-10", "a", None, amount))
        company.cover("invoice_line", "2026-01-01", "2026-02-01")
        found += rows(run(Query(("revenue",), (), ("segment in ('SMB')",), "month"), known, company.reader(), keep=True))
    assert [row[1] for row in found] == ["5.0000", "7.0000"]
