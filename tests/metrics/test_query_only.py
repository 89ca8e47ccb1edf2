"""only(metric, condition): a further filter on the leaves a figure comes down to; and at_start(metric, unit)."""

from __future__ import annotations

import pytest

from kpi.errors import DefinitionsError
from tests.metrics.hand_made import ask, column, rows, states

pytestmark = pytest.mark.postgres_later

HEAD = """
dimensions:
  segment: {of: account, is: case when employees >= 100 then 'Big' else 'SMB' end}
metrics:
  paid: {sum: amount, of: payment, at: paid_on}
"""

#: Payments: of a (Big) 1 and 4, of b (SMB) 2 and 8, of nobody 16.
PAID = (("a", "2026-01-05", 1), ("b", "2026-01-06", 2), ("a", "2026-02-03", 4), ("b", "2026-02-04", 8), (None, "2026-02-05", 16))


def company(warehouse):
    warehouse.add("account", {"account_id": "a", "employees": 500}, {"account_id": "b", "employees": 5})
    payments = [{"account_id": one, "paid_on": day, "amount": str(amount), "currency": "EUR"} for one, day, amount in PAID]
    return warehouse.add("payment", *payments, covers=("2026-01-01", "2026-03-01"))


def whole(values):
    return [None if value is None else int(float(value)) for value in values]


def test_only_filters_the_leaves_and_nothing_else(warehouse, defined):
    known = defined(
        HEAD + "  big: {formula: \"only(paid, segment = 'Big')\"}\n  share: {formula: \"only(paid, segment = 'Big') / paid\"}\n"
    )
    result = ask(company(warehouse), known, "paid", "big", "share", grain="month")
    # January 1 of 3; February 4 of 28
    assert [whole(row[1:3]) for row in rows(result)] == [[3, 1], [28, 4]]
    assert column(result, "share") == [pytest.approx(1 / 3), pytest.approx(1 / 7)]


def test_only_and_the_filter_of_a_query_both_hold(warehouse, defined):
    known = defined(HEAD + "  big: {formula: \"only(paid, segment = 'Big' and account.employees > 10)\"}\n")
    result = ask(company(warehouse), known, "big", "paid", where=("account.employees < 100",))
    assert [whole(row[1:]) for row in rows(result)] == [[0, 10]]


def test_only_reaches_through_formulas_and_nests(warehouse, defined):
    known = defined(
        HEAD
        + "  twice: {formula: 2 * paid}\n"
        + "  big_february: {formula: \"only(only(twice, segment = 'Big'), payment.amount > 1)\"}\n"
        + "  earlier: {formula: \"previous(only(twice, segment = 'SMB'), 1 month)\"}\n"
    )
    result = ask(company(warehouse), known, "big_february", "earlier", grain="month", since="2026-02-01")
    assert [whole(row[1:]) for row in rows(result)] == [[8, 4]]  # 2·4 of February; 2·2 of January


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("lower(segment) = 'big'", 5),
        ("length(trim(segment)) = 3 and payment.account_id is not null", 15),
        ("period(payment.paid_on, month) = '2026-01-01'", 3),
        ("year(payment.paid_on) = 2026 and concat(segment, '') like 'B%'", 5),
        ("segment in ('Big', 'o''c') or payment.account_id is null", 21),
        ("not (segment = 'Big') and payment.amount between 1 and 2", 2),
        ("case when payment.amount > 3 then segment else null end = 'SMB'", 24),
    ],
)
def test_a_condition_may_hold_what_a_filter_may(warehouse, defined, condition, expected):
    """Payments without an account are SMB here, since their employees aren't known."""
    known = defined(HEAD + f'  some: {{formula: "only(paid, {condition})"}}\n')
    result = ask(company(warehouse), known, "some")
    assert whole(column(result, "some")) == [expected]
    assert whole(column(ask(warehouse, known, "paid", where=(condition,)), "paid")) == [expected]


def test_parts_by_a_dimension_add_up_to_the_only(warehouse, defined):
    known = defined(HEAD + '  named: {formula: "only(paid, payment.account_id is not null)"}\n')
    parts = ask(company(warehouse), known, "named", by=("segment",))
    assert {row[1]: whole(row[2:]) for row in rows(parts)} == {"Big": [5], "SMB": [10]}
    assert whole(column(ask(warehouse, known, "named"), "named")) == [15]


def test_a_condition_that_a_table_cannot_reach_is_a_problem_with_its_line(defined):
    with pytest.raises(DefinitionsError) as raised:
        defined(HEAD + "  bad: {formula: \"only(paid, product.name = 'Atlas')\"}\n")
    (problem,) = raised.value.problems
    assert (problem.line, problem.key) == (7, "metrics.bad.formula")
    assert problem.message == (
        'paid can\'t be split or filtered by "product.name": table payment has no key that leads there; '
        "it reaches account.…, payment.…, segment"
    )


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("only(paid, segmnt = 'Big')", 'did you mean "segment"'),
        ("only(paid, 1 + 1)", "only()"),
        ("only(segment = 'Big', paid)", "segment"),
        ("only(paid, length(segment) = 3) + length(paid)", "length() stands in expressions on rows, not in formulas"),
        ("length(paid)", "length() stands in expressions on rows, not in formulas"),
        ("only(paid, previous(paid, 1 year) > 1)", "previous() stands in formulas, over metrics"),
        ("only(paid)", "only() is written only(metric, segment = 'SMB')"),
        ("at_start(paid, week)", "at_start() ends with one of month, quarter, year"),
    ],
)
def test_what_is_written_wrong_is_said(defined, formula, says):
    with pytest.raises(DefinitionsError) as raised:
        defined(HEAD + f'  bad: {{formula: "{formula}"}}\n')
    assert says in str(raised.value)


def test_at_start_of_events_is_the_first_period_of_the_unit(warehouse, defined):
    warehouse.add(
        "payment",
        *(
            {"paid_on": day, "amount": str(2**place), "currency": "EUR"}
            for place, day in enumerate(("2026-01-15", "2026-02-15", "2026-04-15"))
        ),
        covers=("2026-01-01", "2026-06-01"),
    )
    known = defined("paid: {sum: amount, of: payment, at: paid_on}\nfirst: {formula: 'at_start(paid, quarter)'}\n")
    result = ask(warehouse, known, "first", grain="month")
    # January's 1 for the first quarter; April's 4 for April and May
    assert whole(column(result, "first")) == [1, 1, 1, 4, 4]
    assert set(states(result, "first")) == {"known"}


def test_at_start_by_week_is_the_week_that_holds_the_first_day(warehouse, defined):
    warehouse.add(
        "payment",
        {"paid_on": "2026-01-31", "amount": "1", "currency": "EUR"},  # Saturday of the week of 26 January, whose Sunday is 1 February
        {"paid_on": "2026-02-03", "amount": "2", "currency": "EUR"},
        covers=("2026-01-01", "2026-03-01"),
    )
    known = defined("paid: {sum: amount, of: payment, at: paid_on}\nfirst: {formula: 'at_start(paid, month)'}\n")
    result = ask(warehouse, known, "first", grain="week", since="2026-02-09", until="2026-02-16")
    assert whole(column(result, "first")) == [1]


def test_at_start_of_a_stock_is_the_close_of_the_day_before(warehouse, defined):
    warehouse.add(
        "subscription_term",
        {"account_id": "a", "started_on": "2025-06-01", "monthly_amount": "10", "currency": "EUR"},
        {"account_id": "b", "started_on": "2026-01-01", "monthly_amount": "5", "currency": "EUR"},
        {"account_id": "c", "started_on": "2026-04-01", "monthly_amount": "3", "currency": "EUR"},
        covers=("2025-06-01", "2026-06-01"),
    )
    known = defined(
        "mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}\n"
        "opening: {formula: 'at_start(mrr, quarter)'}\nearlier: {formula: 'at_start(previous(mrr, 1 quarter), quarter)'}\n"
    )
    result = ask(warehouse, known, "mrr", "opening", "earlier", grain="quarter", since="2026-01-01")
    # The first quarter opens with 10 (31 December), the second with 15 (31 March); a quarter earlier with 10 (30 September) and 10.
    assert [whole(row[1:]) for row in rows(result)] == [[15, 10, 10], [18, 15, 10]]
