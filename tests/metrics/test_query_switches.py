"""Finance's switches on stocks of subscriptions, each both ways."""

from __future__ import annotations

import pytest

from kpi.errors import DefinitionsError
from kpi.metrics.explain import explain
from kpi.metrics.model import Query
from tests.metrics.hand_made import ask, column

STOCK = "during: [started_on, ended_on], where: \"status in ('active', 'past_due')\""
PAID = "during: [started_on, ended_on], where: \"status in ('active', 'past_due') and monthly_amount > 0\""
BOTH = f"""
mrr: {{sum: monthly_amount, of: subscription_term, {STOCK}}}
listed: {{sum: monthly_amount, of: subscription_term, discounts: ignored, {STOCK}}}
cancelled: {{sum: monthly_amount, of: subscription_term, churn_on: cancellation, {STOCK}}}
unpaid: {{sum: monthly_amount, of: subscription_term, churn_on: past_due, {STOCK}}}
paused: {{sum: monthly_amount, of: subscription_term, paused: kept, {STOCK}}}
customers: {{count_distinct: account_id, of: subscription_term, {PAID}}}
free: {{count_distinct: account_id, of: subscription_term, free_plan: stays, {PAID}}}
"""
MONTHS = {"grain": "month", "since": "2026-01-01", "until": "2026-06-01"}


def term(start, end, amount, account="a", **more):
    row = {"account_id": account, "started_on": start, "monthly_amount": str(amount), "currency": "EUR", "status": "active"}
    return row | ({"ended_on": end} if end else {}) | more


def figures(warehouse, known, *names):
    result = ask(warehouse, known, *names, **MONTHS)
    return [[None if value is None else float(value) for value in column(result, name)] for name in names]


def terms(warehouse, *made):
    warehouse.add("account", *({"account_id": key, "name": key} for key in "abc"))
    return warehouse.add("subscription_term", *made, covers=("2025-01-01", "2026-07-01"))


def test_discounts(warehouse, defined):
    """a pays 80 of a list price of 100 until the end of March, then the 100; b's list price isn't known."""
    terms(
        warehouse,
        term("2026-01-01", "2026-04-01", 80, list_monthly_amount="100"),
        term("2026-04-01", None, 100, list_monthly_amount="100"),
        term("2026-02-01", None, 50, "b"),
    )
    more = "\nin_list: {movement: expansion, of: listed}\nin_mrr: {movement: expansion, of: mrr}\nyear: {formula: listed * 12}\n"
    known = defined(BOTH + more)
    assert figures(warehouse, known, "mrr", "listed", "in_mrr", "in_list", "year") == [
        [80, 130, 130, 150, 150],
        [100, 150, 150, 150, 150],
        [0, 0, 0, 20, 0],
        [0, 0, 0, 0, 0],
        [1200, 1800, 1800, 1800, 1800],
    ]


def test_discounts_in_another_currency(warehouse, defined):
    warehouse.add("fx_rate", {"currency": "USD", "into": "EUR", "day": "2026-01-31", "rate": "0.5"})
    terms(warehouse, term("2026-01-01", None, 80, list_monthly_amount="100", currency="USD"))
    result = ask(warehouse, defined(BOTH), "mrr", "listed", grain="month", since="2026-01-01", until="2026-02-01")
    assert [float(column(result, name)[0]) for name in ("mrr", "listed")] == [40, 50]


def test_the_day_of_churn(warehouse, defined):
    """a cancels on 10 February, and its service ends on 5 April; b is past due since 2 March, for 30 days on 1 April."""
    terms(
        warehouse,
        term("2026-01-01", "2026-04-05", 100, canceled_on="2026-02-10"),
        term("2026-01-01", None, 10, "b", status="past_due", past_due_on="2026-03-02"),
        term("2026-01-01", None, 1, "c", status="past_due", past_due_on="2026-03-03"),  # 30 days on 2 April
    )
    known = defined(BOTH + "lost: {movement: churn, of: cancelled}\nkept: {retention: cancelled, after: 1 month}\n")
    assert figures(warehouse, known, "mrr", "cancelled", "unpaid", "lost", "kept") == [
        [111, 111, 111, 11, 11],
        [111, 11, 11, 11, 11],
        [111, 111, 111, 0, 0],
        [0, -100, 0, 0, 0],
        [None, 0.0990990991, 1, 1, 1],
    ]
    daily = ask(warehouse, known, "cancelled", "unpaid", grain="day", since="2026-03-31", until="2026-04-03")
    assert [float(value) for value in column(daily, "unpaid")] == [111, 101, 100]
    daily = ask(warehouse, known, "cancelled", grain="day", since="2026-02-09", until="2026-02-11")
    assert [float(value) for value in column(daily, "cancelled")] == [111, 11]


def test_a_pause(warehouse, defined):
    terms(
        warehouse,
        term("2026-01-01", "2026-02-15", 100),
        term("2026-02-15", "2026-04-15", 100, status="paused"),
        term("2026-04-15", None, 100),
        term("2026-01-01", None, 7, "b", status="trial"),
    )
    assert figures(warehouse, defined(BOTH), "mrr", "paused") == [[100, 0, 0, 100, 100], [100, 100, 100, 100, 100]]


def test_a_move_to_a_free_plan(warehouse, defined):
    """a pays until 10 March and is on a free plan then; b was never anything else; c paid before its free plan, in between."""
    terms(
        warehouse,
        term("2026-01-05", "2026-03-10", 50),
        term("2026-03-10", "2026-05-20", 0),
        term("2026-01-05", None, 0, "b"),
        term("2026-01-05", None, 0, "c"),
        term("2026-02-05", "2026-03-05", 20, "c"),
    )
    known = defined(BOTH + "kept: {retention: free, after: 1 month}\nchurned: {retention: customers, after: 1 month}\n")
    assert figures(warehouse, known, "customers", "free", "churned", "kept") == [
        [1, 2, 0, 0, 0],
        [1, 2, 2, 2, 1],  # c from its first paid day on
        [None, 1, 0, None, None],
        [None, 1, 1, 1, 0.5],
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            f"{{count: subscription_term, discounts: ignored, {STOCK}}}",
            "discounts changes nothing here: the metric doesn't sum monthly_amount",
        ),
        (
            "{sum: monthly_amount, of: subscription_term, churn_on: cancellation, during: [started_on, canceled_on]}",
            "churn_on changes nothing here: its during: doesn't end on ended_on",
        ),
        (
            f"{{sum: monthly_amount, of: subscription_term, free_plan: stays, {STOCK}}}",
            "free_plan changes nothing here: the metric doesn't count rows where monthly_amount > 0",
        ),
        (
            "{sum: monthly_amount, of: subscription_term, paused: kept, during: [started_on, ended_on]}",
            "paused changes nothing here: its where: asks for no status",
        ),
        (
            "{sum: amount, of: deal, discounts: ignored, during: [created_on, closed_on]}",
            "discounts changes nothing here: it is for stocks of subscription_term, during: two days",
        ),
        (
            f"{{sum: monthly_amount, of: subscription_term, churn_on: canceled, {STOCK}}}",
            '"canceled" is not a way to count churn on; accepted are end_of_service, cancellation, past_due',
        ),
    ],
)
def test_a_switch_that_means_nothing_is_refused(defined, line, says):
    with pytest.raises(DefinitionsError) as raised:
        defined(BOTH + f"odd: {line}\n")
    (problem,) = raised.value.problems
    assert says in problem.message


def test_explain_says_how_a_figure_counts(duck_warehouse, defined):
    """Also of what is made of it, with the switches of the stock behind it; what doesn't concern a figure isn't said."""
    terms(duck_warehouse, term("2026-01-01", None, 80))
    known = defined(BOTH + "lost: {movement: churn, of: cancelled, reactivated_within: 90 days}\n")
    with duck_warehouse.reader() as reader:
        said = explain(Query(("lost",)), known, reader).switches
    assert said[-4:] == (
        "cancelled: discounts reduce it while they last, as at ProfitWell (Stripe: only those that last for ever)",
        "cancelled: a subscription counts until it is cancelled, though service goes on, as at Chargify",
        "cancelled: a paused subscription doesn't count, as at ProfitWell and Recurly",
        "lost: a customer back within 90 days is reactivated, later it is new (Chargify: 90 days; ProfitWell: always)",
    )
