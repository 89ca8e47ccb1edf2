"""Joins go from the many to the one along keys, over several tables, in history as it was; what they can't reach is refused."""

from __future__ import annotations

import pytest

from kpi.errors import DefinitionsError, QueryError, Unreachable
from tests.metrics.hand_made import ask, column, rows

TEXT = """
dimensions:
  country: {label: Country, of: account, is: country}
  country_now: {label: Country now, of: account, is: country, as_of: now}
  seller: {label: Seller, of: deal, is: owner}
  product: {label: Product, of: product, is: name}
metrics:
  lines: {count: deal_line, at: deal.closed_on}
  amount: {sum: amount, of: deal_line, at: deal.closed_on}
  won: {count: deal, at: closed_on}
  bookings: {sum: amount, of: deal, at: closed_on}
  cost: {sum: amount, of: cost_line, at: booked_on}
  hours: {sum: hours, of: worklog, at: worked_on}
  margin: {formula: bookings - cost}
"""


@pytest.fixture
def sold(warehouse):
    """Deal 1 of two lines and deal 2 of one, by an account that moved from DE to AT on 11 January; deal 3 of nobody."""
    warehouse.add("account", {"account_id": "a", "country": "AT"})
    warehouse.add(
        "account_version",
        {"account_id": "a", "valid_from": "0001-01-01", "valid_to": "2026-01-11", "country": "DE"},
        {"account_id": "a", "valid_from": "2026-01-11", "country": "AT"},
    )
    warehouse.add("product", {"product_id": "p", "name": "Atlas"})
    warehouse.add(
        "deal",
        {"deal_id": "1", "account_id": "a", "closed_on": "2026-01-10", "amount": 30, "currency": "EUR", "owner": "Ann"},
        {"deal_id": "2", "account_id": "a", "closed_on": "2026-01-11", "amount": 5, "currency": "EUR", "owner": None},
        {"deal_id": "3", "account_id": None, "closed_on": "2026-01-12", "amount": 1, "currency": "EUR", "owner": "Bob"},
        covers=("2026-01-01", "2026-02-01"),
    )
    warehouse.add(
        "deal_line",
        {"deal_id": "1", "product_id": "p", "amount": 10, "currency": "EUR"},
        {"deal_id": "1", "product_id": None, "amount": 20, "currency": "EUR"},
        {"deal_id": "2", "product_id": "p", "amount": 5, "currency": "EUR"},
        {"deal_id": "9", "product_id": "p", "amount": 70, "currency": "EUR"},  # of a deal that isn't there: on no day
        covers=("2026-01-01", "2026-02-01"),
    )
    warehouse.cover("cost_line", "2026-01-01", "2026-02-01")
    warehouse.cover("worklog", "2026-01-01", "2026-02-01")
    return warehouse


def test_a_join_to_the_one_counts_each_row_once(sold, defined):
    known = defined(TEXT)
    # However many lines a deal has, it is one deal of its account: 30 + 5, and 1 of nobody.
    assert rows(ask(sold, known, "won", "bookings", by=("country_now",))) == [
        ("2026-01-01", "AT", 2, "35.0000"),
        ("2026-01-01", None, 1, "1.0000"),
    ]
    assert rows(ask(sold, known, "won", "bookings")) == [("2026-01-01", 3, "36.0000")]


def test_line_to_deal_to_account_to_its_country(sold, defined):
    known = defined(TEXT)
    # On the deal's day: DE until the 10th, AT from the 11th.
    assert rows(ask(sold, known, "lines", "amount", by=("country",))) == [
        ("2026-01-01", "AT", 1, "5.0000"),
        ("2026-01-01", "DE", 2, "30.0000"),
    ]
    assert rows(ask(sold, known, "lines", by=("country_now", "seller"))) == [
        ("2026-01-01", "AT", "Ann", 2),
        ("2026-01-01", "AT", None, 1),
    ]
    assert column(ask(sold, known, "amount", where=("country = 'DE'", "product = 'Atlas'")), "amount") == ["10.0000"]
    assert column(ask(sold, known, "amount", where=("account.country <> 'DE'",)), "amount") == ["5.0000"]


def test_the_many_of_a_row_can_not_split_or_filter_it(sold, defined):
    """A deal has several lines: by a line's product it would count several times."""
    known = defined(TEXT)
    for query in ({"by": ("deal_line.source_product_id",)}, {"where": ("deal_line.amount > 1",)}):
        with pytest.raises(Unreachable, match="table deal has no key that leads there; it reaches"):
            ask(sold, known, "won", **query)


def test_a_filter_that_one_of_the_metrics_can_not_take_is_an_error(sold, defined):
    """Never ignored: not beside a metric that takes it, not in a formula, not in a filter of many parts, not without any rows."""
    known = defined(TEXT)
    said = (
        'cost can\'t be split or filtered by "seller": table cost_line has no key that leads there; it reaches '
        "account.…, cost_line.…, country, country_now, product, product.…"
    )
    for metrics in (("won", "cost"), ("cost",), ("margin",)):
        for query in ({"where": ("seller = 'Ann'",)}, {"where": ("country = 'AT' or seller = 'Ann'",)}, {"by": ("country", "seller")}):
            with pytest.raises(Unreachable) as caught:
                ask(sold, known, *metrics, **query)
            assert str(caught.value) == said
    with pytest.raises(Unreachable):
        ask(sold, known, "cost", where=("deal.owner is null",))
    with pytest.raises(Unreachable):
        ask(sold, known, "hours", by=("country",), where=("cost_line.category = 'hosting'",), since="2030-01-01", until="2031-01-01")


def test_what_only_would_filter_is_refused_by_check(defined):
    with pytest.raises(DefinitionsError, match='cost can\'t be split or filtered by "seller": table cost_line has no key that leads there'):
        defined(TEXT + "  share: {formula: \"only(bookings - cost, seller = 'Ann')\"}\n")


def test_the_rest_of_top_groups_by_what_can_not_be_reached_is_refused(sold, defined):
    with pytest.raises(QueryError, match='cost can\'t be split or filtered by "seller"'):
        ask(sold, defined(TEXT), "won", by=("seller",), top=1, top_by="cost")
