"""per(account, revenue) in a condition: a metric for the row's own account, over the days asked for, without filters."""

from __future__ import annotations

import pytest

from kpi.errors import BadExpression, DefinitionsError, UnknownName, Unreachable
from tests.metrics.hand_made import ask, rows, states

TEXT = """
dimensions:
  region: {of: account, is: region}
  account: {of: account, is: name}
metrics:
  paid: {sum: amount, of: payment, at: paid_on}
  tries: {count: payment, at: paid_on}
  won: {count: deal, at: closed_on, where: is_won}
  lost: {count: deal, at: closed_on, where: is_lost}
  win_rate: {formula: won / (won + lost), unit: percent}
  mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
  big_mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: "per(account, paid) > 50"}
  small_mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: "not (per(account, paid) > 50)"}
  of_big: {formula: "only(tries, per(account, paid) > 50)"}
"""

#: Account, region, payments of January and February, monthly amount, deals won and lost.
COMPANY = (
    ("a", "North", 40, 20, 1, 1, 1),  # paid 60
    ("b", "North", 50, None, 2, 0, 1),  # 50
    ("c", "South", None, 70, 4, 2, 0),  # 70
    ("d", "South", None, None, 8, 0, 0),  # nothing at all
    (None, None, 500, 500, 16, 1, 0),  # of no account
)


def company(warehouse):
    for name, region, january, february, monthly, won, lost in COMPANY:
        key = {"account_id": name}
        if name:
            warehouse.add("account", {**key, "region": region, "name": "Acme"})  # all have one name
        for day, amount in (("2026-01-10", january), ("2026-02-10", february)):
            if amount:
                warehouse.add("payment", {**key, "amount": str(amount), "currency": "EUR", "paid_on": day})
        warehouse.add("subscription_term", {**key, "monthly_amount": str(monthly), "currency": "EUR", "started_on": "2026-01-01"})
        for is_won in [True] * won + [False] * lost:
            warehouse.add("deal", {**key, "closed_on": "2026-02-05", "is_won": is_won, "is_lost": not is_won})
    for table in ("payment", "subscription_term", "deal"):
        warehouse.cover(table, "2026-01-01", "2026-03-01")
    return warehouse


def numbers(result):
    return [
        tuple(value if value is None or not value.replace(".", "").isdigit() else float(value) for value in map(_text, row[1:]))
        for row in rows(result)
    ]


def _text(value):
    return None if value is None else str(value)


def test_rows_are_chosen_by_the_metric_of_their_own_account(warehouse, defined):
    result = ask(company(warehouse), defined(TEXT), "big_mrr", "small_mrr", "mrr", "of_big")
    # a (60) and c (70) are above 50: 1 + 4; the rest, also the one of no account: 2 + 8 + 16. Payments of a and c: 2 + 1.
    assert numbers(result) == [(5, 26, 31, 3)]


@pytest.mark.parametrize(
    ("condition", "mrr"),
    [
        ("per(account, paid) > 50", 5),
        ("per(account, paid) >= 50", 7),
        ("per(account, paid) < 60", 10),  # b; and d, which paid nothing: 0
        ("per(account, paid) = 0", 8),
        ("per(account, paid) <> 0", 23),  # all but d, and also the one of no account
        ("per(account, paid) between 50 and 60", 3),
        ("per(account, paid) in (50, 70)", 6),
        ("per(account, paid) is null", 16),  # of no account
        ("per(account, paid) > 50 and region = 'North' or per(account, mrr) = 8", 9),
        ("per(account, win_rate) >= 0.5", 5),  # a has one of two, c two of two; d has none
        ("per(account, win_rate) is null", 24),  # d, and what is of no account
        ("per(account.account_id, paid) > 50", 5),
        ("per(region, paid) > 100", 3),  # North 110, South 70
        ("per(account, paid) > 10 * per(account, mrr) and region is not null", 7),  # 60 > 10, 50 > 20, 70 > 40, 0 < 80
        ("per(account, tries) / per(account, paid) > 0.03", 1),  # a 2/60; b 1/50
        ("case when per(account, paid) > 50 then region else 'x' end = 'North'", 1),
    ],
)
def test_conditions(warehouse, defined, condition, mrr):
    assert numbers(ask(company(warehouse), defined(TEXT), "mrr", where=(condition,))) == [(mrr,)]


def test_the_days_are_all_that_the_query_asks_for_whatever_its_periods_and_filters(warehouse, defined):
    known = defined(TEXT)
    company(warehouse)
    result = ask(warehouse, known, "big_mrr", grain="month")
    assert numbers(result) == [(5,), (5,)]  # not January's 40 of a
    # In February alone only c paid more than 50, in January nobody but the one of no account.
    assert numbers(ask(warehouse, known, "big_mrr", since="2026-02-01")) == [(4,)]
    assert numbers(ask(warehouse, known, "big_mrr", until="2026-02-01")) == [(0,)]
    # A filter on payments' own rows leaves what accounts paid as it is.
    assert numbers(ask(warehouse, known, "tries", where=("per(account, paid) > 50", "payment.amount > 30"))) == [(2,)]


def test_a_name_that_accounts_share_is_not_the_account(warehouse, defined):
    """per(account, …) is of the customer, though a dimension called account gives its name."""
    assert numbers(ask(company(warehouse), defined(TEXT), "mrr", where=("per(account, paid) > 100",))) == [(0,)]


def test_splits_add_up_and_no_row_counts_twice(warehouse, defined):
    known = defined(TEXT)
    company(warehouse)
    result = ask(warehouse, known, "big_mrr", "small_mrr", by=("region",))
    assert numbers(result) == [("North", 1, 2), ("South", 4, 8), (None, 0, 16)]


def test_events_flows_and_distinct_counts_take_it_too(warehouse, defined):
    more = """\
  spread: {sum: amount, of: payment, over: [paid_on, paid_on], where: "per(account, paid) > 50"}
  payers: {count_distinct: account_id, of: payment, at: paid_on, where: "per(account, paid) >= 50"}
  net: {movement: new, of: big_mrr}
"""
    result = ask(company(warehouse), defined(TEXT + more), "spread", "payers", "net")
    assert numbers(result) == [(130, 3, 5)]


def test_a_metric_of_a_metric_of_a_metric(warehouse, defined):
    more = """\
  twice: {sum: amount, of: payment, at: paid_on, where: "per(account, big_mrr) > 1"}
"""
    # Big are a (1) and c (4); c alone has more than 1.
    assert numbers(ask(company(warehouse), defined(TEXT + more), "twice")) == [(70,)]


def test_what_is_not_known_makes_what_hangs_on_it_unknown(warehouse, defined):
    warehouse.add("account", {"account_id": "a"})
    warehouse.add("subscription_term", {"account_id": "a", "monthly_amount": "1", "started_on": "2026-01-01", "currency": "EUR"})
    warehouse.cover("subscription_term", "2026-01-01", "2026-03-01")
    known = defined(TEXT)
    result = ask(warehouse, known, "big_mrr", "mrr")
    assert (numbers(result), states(result, "big_mrr"), states(result, "mrr")) == ([(None, 1)], ["unknown"], ["known"])
    assert result.warnings == ("big_mrr hangs on per(account.account_id, paid): paid is not known: nothing was ever imported for payment",)
    warehouse.add(
        "payment", {"account_id": "a", "amount": "60", "currency": "EUR", "paid_on": "2026-01-10"}, covers=("2026-01-01", "2026-02-01")
    )
    result = ask(warehouse, known, "big_mrr", "mrr", grain="month")
    assert (numbers(result), states(result, "big_mrr"), states(result, "mrr")) == ([(1, 1), (1, 1)], ["partial"] * 2, ["known"] * 2)
    assert result.warnings == (
        "big_mrr hangs on per(account.account_id, paid): the data of paid reach from 1 Jan 2026 to 31 Jan 2026: "
        "1 Jan 2026 to 28 Feb 2026 is covered in part",
    )


def test_a_missing_rate_is_told(warehouse, defined):
    company(warehouse)
    warehouse.add("payment", {"account_id": "d", "amount": "9", "currency": "USD", "paid_on": "2026-01-12"})
    warehouse.sql("insert into money_currency values ('payment', 'test', 'USD', '', 1)")
    result = ask(warehouse, defined(TEXT), "big_mrr")
    assert (numbers(result), states(result, "big_mrr")) == ([(5,)], ["unconverted"])
    assert result.warnings == (
        "big_mrr is made of per(account.account_id, paid), which has no value where an exchange rate into EUR is missing",
    )


def test_the_top_of_chosen_rows(warehouse, defined):
    result = ask(company(warehouse), defined(TEXT), "big_mrr", by=("region",), top=1, where=("per(region, paid) > 1",))
    assert numbers(result) == [("South", 4), ("\ue001other", 1)]


def test_the_sql_runs_as_it_stands_and_an_empty_warehouse_answers(duck_warehouse, defined):
    known = defined(TEXT)
    assert rows(ask(duck_warehouse, known, "big_mrr", by=("region",), top=1)) == []
    result = ask(company(duck_warehouse), known, "big_mrr")
    assert [float(row[1]) for row in duck_warehouse.sql(result.sql)] == [5]


@pytest.mark.parametrize(
    ("condition", "error", "sentence"),
    [
        ("per(account, payed) > 1", UnknownName, 'no metric is called "payed"; did you mean "paid"?'),
        ("per(account) > 1", BadExpression, "per() is written per(account, revenue)"),
        (
            "per(account, paid)",
            BadExpression,
            "per(account.account_id, paid) is a number, and a filter needs a condition, such as per(account.account_id, paid) = …",
        ),
        (
            "per(account, paid) > subscription_term.monthly_amount",
            BadExpression,
            "per(account.account_id, paid) is a number and monthly_amount is money; > compares values of one type",
        ),
        (
            "per(account, paid) > 'x'",
            BadExpression,
            "per(account.account_id, paid) is a number and 'x' is text; > compares values of one type",
        ),
        ("per(1, paid) > 1", BadExpression, "per() is written per(account, revenue), with a metric by its name"),
    ],
)
def test_what_it_cannot_be_is_said(duck_warehouse, defined, condition, error, sentence):
    with pytest.raises(error) as caught:
        ask(company(duck_warehouse), defined(TEXT), "mrr", where=(condition,))
    assert str(caught.value) == sentence


def test_both_sides_must_reach_it(duck_warehouse, defined):
    known = defined(TEXT + "  cost: {sum: amount, of: cost_line, at: booked_on}\n")
    for metric, condition, table in (("won", "per(deal, paid) > 1", "payment"), ("mrr", "per(deal, won) > 1", "subscription_term")):
        with pytest.raises(Unreachable) as caught:
            ask(company(duck_warehouse), known, metric, where=(condition,))
        assert f'can\'t be split or filtered by "deal.deal_id": table {table} has no key that leads there' in str(caught.value)


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        ('a: {count: deal, at: closed_on, where: "per(account, a) > 1"}', "metrics.a.where: a needs a: a definition can't need itself"),
        (
            'a: {count: deal, at: closed_on, where: "per(account, b) > 1"}\n  b: {formula: a * 2}',
            "metrics.b.formula: a needs b needs a: a definition can't need itself",
        ),
        ('a: {count: deal, at: "per(account, b)"}', "metrics.a.at: per() stands in a where, in a filter and in the condition of only()"),
    ],
)
def test_check_finds_circles_and_places_where_it_cannot_stand(defined, metrics, sentence):
    with pytest.raises(DefinitionsError) as caught:
        defined("metrics:\n  " + metrics)
    assert sentence in str(caught.value)
