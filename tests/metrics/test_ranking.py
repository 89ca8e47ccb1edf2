"""The top groups of a query with the rest as one group that still adds up; order and limit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kpi.errors import UnknownName, UsageError
from kpi.metrics.groups import OTHER, called, meant
from kpi.metrics.model import Order
from tests.metrics.hand_made import ask, column, rows

pytestmark = pytest.mark.postgres_later

TEXT = """
dimensions:
  region: {of: account, is: region}
  owner: {of: account, is: owner}
metrics:
  paid: {sum: amount, of: payment, at: paid_on}
  tries: {count: payment, at: paid_on}
  mean: {formula: paid / tries, unit: money}
  payers: {count_distinct: account_id, of: payment, at: paid_on}
  middle: {median: amount, of: payment, at: paid_on}
  largest: {max: amount, of: payment, at: paid_on}
  average: {average: amount, of: payment, at: paid_on}
  share: {formula: paid / total(paid), unit: percent}
  before: {formula: "previous(paid, 1 month)"}
  seats: {count_distinct: account_id, of: subscription_term, during: [started_on, ended_on]}
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
"""

#: Account, region, owner; and its payments: January, February.
ACCOUNTS = (
    ("a", "North", "x", 10, 50),  # 60
    ("b", "South", "x", 100, 0),  # 100
    ("c", "other", "y", 7, 8),  # 15: a region that is called so
    ("d", "East", "y", 1, 2),  # 3
    ("e", "West", "y", 5, 4),  # 9
    ("f", None, "y", 20, 40),  # 60, of no region
    ("g", "East", "x", 30, 1),  # 31, so East has 34
)


def company(warehouse):
    for account, region, owner, january, february in ACCOUNTS:
        warehouse.add("account", {"account_id": account, "region": region, "owner": owner})
        warehouse.add("payment", {"account_id": account, "amount": str(january), "currency": "EUR", "paid_on": "2026-01-10"})
        warehouse.add("payment", {"account_id": account, "amount": str(february), "currency": "EUR", "paid_on": "2026-02-10"})
        warehouse.add(
            "subscription_term", {"account_id": account, "monthly_amount": str(january), "currency": "EUR", "started_on": "2026-01-05"}
        )
    warehouse.cover("payment", "2026-01-01", "2026-03-01")
    return warehouse.cover("subscription_term", "2026-01-01", "2026-03-01")


def plain(result):
    """Rows with groups as people read them and whole numbers."""
    return [tuple(_plain(value) for value in row[1:]) for row in rows(result)]


def _plain(value):
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return called(value)
    return value


def test_the_rest_is_computed_as_one_group(warehouse, defined):
    known = defined(TEXT)
    asked = ("paid", "tries", "mean", "payers", "middle", "largest", "average", "share")
    result = ask(company(warehouse), known, *asked, by=("region",), top=2)
    # Of 278: South 100 (100 and 0), North 60 (10 and 50); the rest is 7, 8, 1, 2, 5, 4, 30, 1 of four accounts:
    # 58 / 8 = 7.25, the middle of 1 1 2 4 5 7 8 30 is 4.5. Without a region 20 and 40.
    assert plain(result) == [
        ("South", 100, 2, 50, 1, 50, 100, 50, pytest.approx(100 / 278)),
        ("North", 60, 2, 30, 1, 30, 50, 30, pytest.approx(60 / 278)),
        ("(other)", 58, 8, 7.25, 4, 4.5, 30, 7.25, pytest.approx(58 / 278)),
        (None, 60, 2, 30, 1, 30, 40, 30, pytest.approx(60 / 278)),
    ]
    assert column(result, "region")[2] == OTHER  # which no region is called, not even the one that is called other


def test_a_group_that_is_called_other_is_another(warehouse, defined):
    result = ask(company(warehouse), defined(TEXT), "paid", by=("region",), top=4)
    assert plain(result) == [("South", 100), ("North", 60), ("East", 34), ("other", 15), ("(other)", 9), (None, 60)]


def test_the_top_is_of_all_days_asked_for_not_of_each_period(warehouse, defined):
    result = ask(company(warehouse), defined(TEXT), "paid", "before", by=("region",), grain="month", top=2)
    # By region, of January: South 100, North 10; of February: North 50. East is second of January alone.
    assert [row[:1] + row[1:] for row in rows(result)] == [
        ("2026-01-01", "South", "100.0000", None),
        ("2026-01-01", "North", "10.0000", None),
        ("2026-01-01", OTHER, "43.0000", None),
        ("2026-01-01", None, "20.0000", None),
        ("2026-02-01", "South", "0.0000", "100.0000"),
        ("2026-02-01", "North", "50.0000", "10.0000"),
        ("2026-02-01", OTHER, "15.0000", "43.0000"),
        ("2026-02-01", None, "40.0000", "20.0000"),
    ]


def test_the_top_by_another_metric_and_under_a_filter(warehouse, defined):
    known = defined(TEXT)
    result = ask(company(warehouse), known, "paid", by=("region",), top=1, top_by="tries")
    assert plain(result) == [("East", 34), ("(other)", 184), (None, 60)]  # East alone has four
    result = ask(warehouse, known, "paid", by=("region",), where=("owner = 'y'",), top=1)
    assert plain(result) == [("other", 15), ("(other)", 12), (None, 60)]


def test_pairs_are_groups_and_one_without_a_value_has_its_own_row(warehouse, defined):
    result = ask(company(warehouse), defined(TEXT), "paid", by=("owner", "region"), top=2)
    assert plain(result) == [("x", "South", 100), ("x", "North", 60), ("(other)", "(other)", 58), ("y", None, 60)]


def test_stocks_are_ranked_by_the_last_day(warehouse, defined):
    result = ask(company(warehouse), defined(TEXT), "mrr", "seats", by=("region",), top=1)
    # South 100; North 10, other 7, East 31, West 5
    assert plain(result) == [("South", 100, 1), ("(other)", 53, 5), (None, 20, 1)]


def test_equal_groups_are_in_the_order_of_their_names(warehouse, defined):
    result = ask(company(warehouse), defined(TEXT), "payers", by=("region",), top=2, where=("account.region <> 'East'",))
    assert plain(result) == [("North", 1), ("South", 1), ("(other)", 2), (None, 1)]


def test_no_rest_no_row_of_it(warehouse, defined):
    result = ask(company(warehouse), defined(TEXT), "paid", by=("region",), top=5, where=("account.region is not null",))
    assert plain(result) == [("South", 100), ("North", 60), ("East", 34), ("other", 15), ("West", 9)]


def test_top_and_rest_add_up_to_the_total_of_any_metric(warehouse, defined):
    known = defined(TEXT)
    company(warehouse)
    whole = ask(warehouse, known, "paid", "tries", "mrr", grain="month")
    for top in (1, 3, 9):
        parts = ask(warehouse, known, "paid", "tries", "mrr", by=("region", "owner"), grain="month", top=top)
        for name in ("paid", "tries", "mrr"):
            sums: dict[str, Decimal] = {}
            for period, value in zip(column(parts, "period"), column(parts, name), strict=True):
                sums[period] = sums.get(period, Decimal(0)) + Decimal(value)
            assert list(sums.values()) == [Decimal(value) for value in column(whole, name)]


def test_one_plan_serves_every_value_of_a_filter(warehouse, defined):
    known = defined(TEXT)
    reader = company(warehouse).reader()
    for owner, expected in (("x", ("South", 100)), ("y", ("other", 15)), ("x", ("South", 100))):
        assert plain(ask(reader, known, "paid", by=("region",), where=(f"owner = '{owner}'",), top=1))[0] == expected


def test_rows_are_sorted_as_asked_and_the_rest_is_last(warehouse, defined):
    known = defined(TEXT)
    company(warehouse)
    result = ask(warehouse, known, "paid", by=("region",), order=(Order("paid", True),))
    assert plain(result) == [("South", 100), ("North", 60), (None, 60), ("East", 34), ("other", 15), ("West", 9)]
    result = ask(warehouse, known, "paid", by=("region",), order=(Order("region", True),))
    assert [row[0] for row in plain(result)] == ["other", "West", "South", "North", "East", None]
    result = ask(warehouse, known, "paid", by=("region",), order=(Order("paid"),), top=3)
    assert plain(result) == [("East", 34), ("North", 60), (None, 60), ("South", 100), ("(other)", 24)]
    result = ask(warehouse, known, "paid", "tries", by=("region",), order=(Order("tries", True), Order("paid")))
    assert [row[0] for row in plain(result)] == ["East", "West", "other", "North", None, "South"]
    result = ask(warehouse, known, "paid", grain="month", order=(Order("period", True),))
    assert column(result, "period") == ["2026-02-01", "2026-01-01"]


def test_a_limit_says_what_it_leaves_out(warehouse, defined):
    known = defined(TEXT)
    company(warehouse)
    result = ask(warehouse, known, "paid", by=("region",), order=(Order("paid", True),), limit=2)
    assert (plain(result), result.warnings) == ([("South", 100), ("North", 60)], ("2 of 6 rows are shown, as the limit says",))
    assert ask(warehouse, known, "paid", by=("region",), limit=6).warnings == ()


def test_the_sql_runs_as_it_stands(duck_warehouse, defined):
    result = ask(
        company(duck_warehouse), defined(TEXT), "paid", by=("region",), where=("owner = 'x'",), top=1, order=(Order("paid"),), limit=9
    )
    assert [str(row[1]) for row in duck_warehouse.sql(result.sql)] == ["South", OTHER]


@pytest.mark.parametrize(
    ("asked", "error", "sentence"),
    [
        ({"top": 0, "by": ("region",)}, UsageError, "the top 0 can't be shown; ask for 1 to 10,000 groups"),
        ({"top": 3}, UsageError, "the top 3 of what? Say which groups with --by and a dimension: region, owner"),
        ({"top_by": "paid"}, UsageError, "the largest by paid are how many? Say so, such as --top 5"),
        ({"top": 3, "by": ("region",), "top_by": "pais"}, UnknownName, 'no metric is called "pais"; did you mean "paid"?'),
        ({"limit": 0}, UsageError, "a limit of 0 rows shows nothing; ask for 1 or more"),
        (
            {"order": (Order("region"),)},
            UsageError,
            'rows can\'t be sorted by "region", which is not asked for; they have period, paid',
        ),
    ],
)
def test_what_cannot_be_asked_is_said(duck_warehouse, defined, asked, error, sentence):
    with pytest.raises(error) as caught:
        ask(duck_warehouse, defined(TEXT), "paid", **asked)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("value", [None, OTHER, "North", "other", "(none)", "(other)", "\\(none)", "\\\\(other)", "\\", "\\n", ""])
def test_every_group_has_a_name_of_its_own(value):
    assert meant(called(value)) == value
    assert called(value) in {"(none)", "(other)"} or value not in (None, OTHER)
    assert (called(value) == "(none)") == (value is None)
    assert (called(value) == "(other)") == (value == OTHER)


def test_what_follows_customers_has_the_rest_as_one_group_too(warehouse, defined):
    """Retention after a month, of what each account had on 31 January; movements, to 28 February."""
    known = defined(
        TEXT
        + "  kept: {retention: mrr, after: 1 month}\n"
        + "  new_mrr: {movement: new, of: mrr}\n"
        + "  churned: {movement: churn, of: mrr}\n"
    )
    company(warehouse)
    # West (e, 5) leaves in February; South (100) is the top, the rest is 10 + 7 + 1 + 5 + 30 = 53, of which 48 stay.
    warehouse.sql("update subscription_term set ended_on = DATE '2026-02-15' where account_id = 'e'")
    result = ask(warehouse, known, "kept", "new_mrr", "churned", by=("region",), top=1, top_by="paid")
    assert plain(result) == [("South", 1, 100, 0), ("(other)", pytest.approx(48 / 53), 53, -5), (None, 1, 20, 0)]
