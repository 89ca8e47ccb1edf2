"""What only the rows can say, with each sentence worked out from the little table above it."""

from __future__ import annotations

import pytest

from kpi.errors import QueryTooHeavy
from kpi.metrics import findings
from tests.metrics.hand_made import ask, column, states

pytestmark = pytest.mark.postgres_later

COVERS = ("2026-01-01", "2026-04-01")


def rate(currency, day, value):
    return {"currency": currency, "into": "EUR", "day": day, "rate": value}


def term(amount, currency, start, end=None, **more):
    return {"monthly_amount": amount, "currency": currency, "started_on": start, "ended_on": end, **more}


def payment(amount, currency, day, **more):
    return {"amount": amount, "currency": currency, "paid_on": day, **more}


MRR = "mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}"
PAID = "paid: {sum: amount, of: payment, at: paid_on}"


# Stocks: the rate of each period's own last day


def test_a_stock_without_a_rate_inside_is_told_though_the_last_day_has_one(warehouse, defined):
    warehouse.add("fx_rate", rate("USD", "2026-01-31", "0.9"), rate("USD", "2026-03-31", "0.8"))  # none for 28 February
    warehouse.add(
        "subscription_term",
        term("10", "USD", "2026-01-01"),
        term("500", "USD", "2026-01-01", "2026-02-15"),  # gone by 28 February
        term("7", "USD", "2026-03-01"),  # not there yet
        term("1", "EUR", "2026-01-01"),
        covers=COVERS,
    )
    result = ask(warehouse, defined(MRR), "mrr", grain="month")
    # 510 × 0.9 + 1 and 17 × 0.8 + 1
    assert column(result, "mrr") == ["460.0000000000000000", None, "14.6000000000000000"]
    assert result.warnings == (
        "mrr has no value where an exchange rate into EUR is missing: 10.00 USD on 28 Feb 2026; the part that is known is 1.00 EUR",
    )


def test_a_stock_without_rates_on_several_days_says_the_last_and_does_not_add_days_up(warehouse, defined):
    warehouse.add("fx_rate", rate("CHF", "2026-02-28", "1"))
    warehouse.add(
        "subscription_term",
        term("10", "USD", "2026-01-01"),
        term("5", "USD", "2026-03-01"),
        term("3", "CHF", "2026-01-15", "2026-02-15"),
        term("1", "EUR", "2026-01-01"),
        covers=COVERS,
    )
    result = ask(warehouse, defined(MRR), "mrr", grain="month")
    assert states(result, "mrr") == ["unconverted"] * 3
    # 31 January lacks 10 USD and 3 CHF, 28 February 10 USD, 31 March 15 USD.
    assert result.warnings == (
        "mrr has no value where an exchange rate into EUR is missing: 3.00 CHF on 31 Jan 2026 and "
        "15.00 USD on 31 Mar 2026, the last of 3 such days from 31 Jan 2026; the part that is known on 31 Mar 2026 is 1.00 EUR",
    )


# Events and flows: what would have counted in the periods concerned


def test_only_the_periods_without_a_value_are_told_of(warehouse, defined):
    warehouse.add("fx_rate", rate("USD", "2026-01-05", "0.9"))
    warehouse.add(
        "payment",
        payment("100", "EUR", "2026-01-06"),
        payment("10", "USD", "2026-01-06"),
        payment("7", "EUR", "2026-02-06"),
        payment("20", "USD", "2026-02-06"),  # no rate
        payment("0.5", "USD", "2026-02-16", home_amount="0.4", home_currency="EUR"),
        payment("40", "USD", "2026-03-06", status="failed"),  # left out by the metric
        covers=COVERS,
    )
    known = defined("paid: {sum: amount, of: payment, at: paid_on, where: status <> 'failed'}\ndouble: {formula: paid * 2}")
    result = ask(warehouse, known, "paid", "double", grain="month")
    assert column(result, "paid") == ["109.0000000000000000", None, "0.0000000000000000"]
    lacking = "no value where an exchange rate into EUR is missing: 20.00 USD on 6 Feb 2026"
    assert result.warnings == (
        f"paid has {lacking}; the part that is known is 7.40 EUR",
        f"double is made of paid, which has {lacking}; the part that is known is 7.40 EUR",
    )


def test_a_comparison_tells_of_both_its_periods_and_of_none_between(warehouse, defined):
    warehouse.add("payment", payment("1", "USD", "2025-02-03"), payment("20", "USD", "2025-08-03"), payment("300", "USD", "2026-02-03"))
    warehouse.cover("payment", "2025-01-01", "2026-04-01")
    known = defined(PAID + "\ngrowth: {formula: 'paid - previous(paid, 1 year)'}")
    result = ask(warehouse, known, "growth", grain="month", since="2026-02-01", until="2026-03-01")
    assert result.warnings == (
        "growth is made of paid, which has no value where an exchange rate into EUR is missing: "
        "301.00 USD on 2 days from 3 Feb 2025 to 3 Feb 2026; the part that is known is 0.00 EUR",
    )


def test_days_that_several_windows_hold_are_told_of_once(warehouse, defined):
    warehouse.add("payment", payment("8", "USD", "2026-01-03"), payment("5", "EUR", "2026-02-03"), covers=COVERS)
    known = defined(PAID + "\nso_far: {formula: 'to_date(paid, year)'}")
    result = ask(warehouse, known, "so_far", grain="month")
    assert states(result, "so_far") == ["unconverted"] * 3
    assert result.warnings[0].endswith(": 8.00 USD on 3 Jan 2026; the part that is known is 5.00 EUR")


def test_of_a_flow_the_share_that_falls_into_the_period_is_told(warehouse, defined):
    def line(amount, currency, **more):
        days = {"invoiced_on": "2026-01-15", "service_from": "2026-01-30", "service_to": "2026-02-03"}
        return {"amount": amount, "currency": currency, **days, **more}

    warehouse.add(
        "invoice_line",
        line("10", "USD"),  # 2.50 a day over four days, of which two in February
        line("99", "USD", service_from="2026-03-02", service_to="2026-03-05"),
        line("8", "EUR"),
        line("100", "USD", home_amount="4", home_currency="EUR"),
        line("6", "CHF", invoiced_on=None, service_from="2026-02-10", service_to=None),  # its only day stands for the document's
        covers=COVERS,
    )
    warehouse.add("fx_rate", rate("CHF", "2026-02-08", "0.5"))
    known = defined("revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}")
    result = ask(warehouse, known, "revenue", grain="month", since="2026-02-01", until="2026-03-01")
    assert states(result, "revenue") == ["unconverted"]
    # 8 · 2/4 + 4 · 2/4 + 6 · 0.5
    assert result.warnings == (
        "revenue has no value where an exchange rate into EUR is missing: 5.00 USD on 15 Jan 2026; the part that is known is 9.00 EUR",
    )


def test_groups_that_have_a_value_are_no_part_of_it(warehouse, defined):
    warehouse.add(
        "payment",
        payment("10", "USD", "2026-01-03", status="a"),
        payment("3", "EUR", "2026-01-03", status="a"),
        payment("500", "EUR", "2026-01-03", status="b"),
        covers=COVERS,
    )
    result = ask(warehouse, defined(PAID), "paid", by=("payment.status",))
    assert column(result, "paid") == [None, "500.0000000000000000"]
    assert result.warnings[0].endswith("10.00 USD on 3 Jan 2026; the part that is known is 3.00 EUR")


@pytest.mark.parametrize("aggregate", ["average", "median", "max"])
def test_what_does_not_add_up_tells_the_amounts_it_lacks(warehouse, defined, aggregate):
    warehouse.add("payment", payment("10", "USD", "2026-01-03"), payment("3", "EUR", "2026-01-03"), covers=COVERS)
    result = ask(warehouse, defined(f"size: {{{aggregate}: amount, of: payment, at: paid_on}}"), "size")
    assert result.warnings == (
        "size has no value where an exchange rate into EUR is missing: 10.00 USD on 3 Jan 2026; the part that is known is 3.00 EUR",
    )


def test_amounts_without_a_currency_are_named_as_such(warehouse, defined):
    warehouse.add("payment", payment("10", None, "2026-01-03"), covers=COVERS)
    warehouse.add("payment", payment("1", "USD", "2026-01-03"))
    assert "10.00 without a currency on 3 Jan 2026 and 1.00 USD on 3 Jan 2026" in ask(warehouse, defined(PAID), "paid").warnings[0]


def test_amounts_that_cancel_out_and_have_no_rate_are_told_all_the_same(warehouse, defined):
    days = {"invoiced_on": "2026-01-15", "service_from": "2026-01-15", "service_to": "2026-01-20", "currency": "USD"}
    warehouse.add("invoice_line", {"amount": "10", **days}, {"amount": "-10", **days}, covers=COVERS)
    known = defined("revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}")
    result = ask(warehouse, known, "revenue")
    assert states(result, "revenue") == ["unconverted"]
    assert result.warnings == ("revenue has no value where an exchange rate into EUR is missing",)


def test_a_note_that_takes_too_long_costs_no_figure(warehouse, defined, monkeypatch):
    def too_heavy(*_):
        raise QueryTooHeavy("30 seconds", "KPI_QUERY_TIMEOUT_S")

    monkeypatch.setattr(findings, "lack", too_heavy)
    warehouse.add("payment", payment("10", "USD", "2026-01-03"), payment("3", "EUR", "2026-02-03"), covers=COVERS)
    result = ask(warehouse, defined(PAID), "paid", grain="month")
    assert column(result, "paid") == [None, "3.0000000000000000", "0.0000000000000000"]
    assert result.warnings == ("paid has no value where an exchange rate into EUR is missing",)


# Only rows that the figure would count

SOURCES = "sources: {payment: {stripe: {until: 2026-01-31}, gocardless: {from: 2026-02-01}}, subscription_term: stripe, issue: jira}"


def test_rows_of_systems_that_do_not_count_lack_no_rate(warehouse, defined):
    for source, amount in (("stripe", "10"), ("gocardless", "200")):
        days = ("2026-01-03", "2026-02-03")
        warehouse.add("payment", *(payment(amount, "USD", day) for day in days), covers=COVERS, source=source)
        warehouse.add("subscription_term", term(amount, "USD", "2026-01-01"), covers=COVERS, source=source)
    known = defined(f"{SOURCES}\nmetrics:\n  {PAID}\n  {MRR}")
    paid, mrr = ask(warehouse, known, "paid", "mrr").warnings
    # Stripe's of January and GoCardless's of February; Stripe's term.
    assert ": 210.00 USD on 2 days from 3 Jan 2026 to 3 Feb 2026;" in paid
    assert ": 10.00 USD on 31 Mar 2026;" in mrr


def test_the_querys_filter_holds_for_what_lacks_a_rate(warehouse, defined):
    warehouse.add("payment", payment("10", "USD", "2026-01-03", status="a"), payment("200", "USD", "2026-01-03"), covers=COVERS)
    assert ": 10.00 USD on 3 Jan 2026;" in ask(warehouse, defined(PAID), "paid", where=("payment.status = 'a'",)).warnings[0]
    assert ": 200.00 USD on 3 Jan 2026;" in ask(warehouse, defined(PAID), "paid", where=("payment.status is null",)).warnings[0]


# Rule 10: durations that run backwards

ISSUES = """
solved: {count: issue, at: resolved_at}
cycle: {average: 'days(created_at, resolved_at)', of: issue, at: resolved_at, where: kind = 'bug'}
"""


def issue(created, resolved, kind="bug"):
    return {"created_at": f"{created}T08:00:00", "resolved_at": f"{resolved}T08:00:00", "kind": kind}


def test_backward_durations_beside_a_count_of_the_same_rows(warehouse, defined):
    warehouse.add("issue", issue("2026-01-01", "2026-01-05"), issue("2026-01-09", "2026-01-05"), covers=COVERS)
    result = ask(warehouse, defined(ISSUES), "solved", "cycle")
    assert (column(result, "solved"), column(result, "cycle")) == ([2], [4.0])
    assert result.warnings == ("cycle leaves out 1 row of issue whose end lies before its beginning",)


def test_backward_durations_are_those_that_the_figure_would_count(warehouse, defined):
    backwards = ("2026-01-09", "2026-01-05")
    warehouse.add("issue", issue(*backwards), issue(*backwards, kind="task"), covers=COVERS, source="jira")
    warehouse.add("issue", issue("2026-02-09", "2026-02-05"), source="jira")
    warehouse.add("issue", issue(*backwards), covers=COVERS, source="linear")
    known = defined(f"{SOURCES}\nmetrics:{ISSUES.replace(chr(10), chr(10) + '  ')}")
    assert ask(warehouse, known, "cycle", until="2026-02-01").warnings == (
        "cycle leaves out 1 row of issue whose end lies before its beginning",  # not the task, not Linear's, not February's
    )
    assert ask(warehouse, known, "cycle").warnings[0].startswith("cycle leaves out 2 rows")
    assert ask(warehouse, known, "cycle", where=("issue.kind = 'task'",)).warnings == ()


def test_a_row_that_stands_on_many_days_is_one_row(warehouse, defined):
    warehouse.add("deal", {"created_on": "2026-01-01", "expected_close_on": "2025-12-01"}, covers=COVERS)
    known = defined("age: {average: 'days(created_on, expected_close_on)', of: deal, during: [created_on, closed_on]}")
    assert ask(warehouse, known, "age", grain="month").warnings == ("age leaves out 1 row of deal whose end lies before its beginning",)


def test_backward_durations_of_balances_change_no_pick(warehouse, defined):
    """The last row of each kind is taken before it is seen that one runs backwards: no earlier one stands in."""
    warehouse.add("issue", issue("2026-01-01", "2026-01-05"), issue("2026-01-09", "2026-01-07"), covers=COVERS)
    known = defined("age: {average: 'days(created_at, resolved_at)', of: issue, snapshot: {at: created_at, each: kind}}")
    result = ask(warehouse, known, "age", grain="month")
    assert set(column(result, "age")) == {None}
    assert result.warnings == ("age leaves out 1 row of issue whose end lies before its beginning",)
