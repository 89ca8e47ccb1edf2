"""Currencies: the source's own conversion, rates of the document's day, of the day asked for, and missing ones."""

from __future__ import annotations

import pytest

from tests.metrics.hand_made import ask, column, rows, states


@pytest.fixture
def rates(warehouse):
    return warehouse.add(
        "fx_rate",
        {"currency": "USD", "into": "EUR", "day": "2026-01-05", "rate": "0.9"},
        {"currency": "USD", "into": "EUR", "day": "2026-01-20", "rate": "0.8"},
        {"currency": "USD", "into": "GBP", "day": "2026-01-06", "rate": "0.7"},
        {"currency": "USD", "into": "EUR", "day": "2026-01-26", "rate": "0.7"},  # a Monday
        {"currency": "USD", "into": "EUR", "day": "2026-01-31", "rate": "0.5"},
    )


COVERS = ("2026-01-01", "2026-02-01")


def payment(amount, currency, day, **more):
    return {"amount": amount, "currency": currency, "paid_on": day, **more}


PAID = """
paid: {sum: amount, of: payment, at: paid_on}
mean: {average: amount, of: payment, at: paid_on}
high: {max: amount, of: payment, at: paid_on}
"""


def test_events_are_converted_at_the_rate_of_their_day_or_the_last_of_the_seven_before(rates, defined):
    rates.add(
        "payment",
        payment("100", "EUR", "2026-01-05"),
        payment("10", "USD", "2026-01-05"),  # 9.00
        payment("10", "USD", "2026-01-12"),  # seven days after: still 0.9
        payment("10", "USD", "2026-01-20"),  # 8.00
        covers=COVERS,
    )
    result = ask(rates, defined(PAID), "paid", "mean", "high")
    assert rows(result) == [("2026-01-01", "126.0000000000000000", 31.5, "100.0000000000000000")]
    assert result.warnings == ()


@pytest.mark.parametrize(("day", "value"), [("2026-01-12", "9.0000000000000000"), ("2026-01-13", None)])
def test_a_rate_holds_for_seven_days_after_its_own(rates, defined, day, value):
    rates.add("payment", payment("10", "USD", day), covers=COVERS)
    result = ask(rates, defined(PAID), "paid")
    assert column(result, "paid") == [value]
    assert len(result.warnings) == (value is None)


def test_a_missing_rate_leaves_no_value_and_says_what_is_known(rates, defined):
    rates.add(
        "payment",
        payment("100", "EUR", "2026-01-13"),
        payment("10", "USD", "2026-01-05"),
        payment("10", "USD", "2026-01-13"),  # eight days after the last rate
        payment("5.5", "USD", "2026-01-15"),
        payment("7", "CHF", "2026-01-20"),
        payment("0", "CHF", "2026-01-21"),  # nothing needs no rate
        covers=COVERS,
    )
    result = ask(rates, defined(PAID + "\ndouble: {formula: paid * 2}"), "paid", "double", grain="week", until="2026-01-19")
    assert rows(result) == [
        ("2025-12-29", "0.0000000000000000", "0.000000000000"),
        ("2026-01-05", "9.0000000000000000", "18.000000000000"),
        ("2026-01-12", None, None),
    ]
    assert states(result, "paid") == ["partial", "known", "unconverted"]
    assert states(result, "double") == ["partial", "known", "unconverted"]
    # Of the week without a value: 100 EUR of the 13th are known.
    assert result.warnings[-2] == (
        "paid has no value where an exchange rate into EUR is missing: 15.50 USD on 2 days from 13 Jan 2026 to 15 Jan 2026; "
        "the part that is known is 100.00 EUR"
    )


def test_the_sources_own_conversion_comes_first(rates, defined):
    rates.add(
        "payment",
        payment("10", "USD", "2026-01-13", home_amount="9.5", home_currency="EUR"),  # no rate on that day, none needed
        payment("10", "USD", "2026-01-20", home_amount="7", home_currency="GBP"),  # a conversion into another: by rate, 8.00
        payment("10", "USD", "2026-01-20", home_currency="EUR"),  # none made: by rate, 8.00
        covers=COVERS,
    )
    assert column(ask(rates, defined(PAID), "paid"), "paid") == ["25.5000000000000000"]


def test_flows_are_converted_at_the_documents_day_before_they_are_spread(rates, defined):
    def line(amount, currency, day, **more):
        return {
            "amount": amount,
            "currency": currency,
            "invoiced_on": day,
            "service_from": "2026-01-30",
            "service_to": "2026-02-02",
            **more,
        }

    rates.add(
        "invoice_line",
        line("30", "USD", "2026-01-20"),  # 24 EUR over three days, though the days have another rate
        line("10", "USD", "2026-01-20", home_amount="9.5", home_currency="EUR"),
        line("1", "EUR", "2026-01-20"),
        covers=("2026-01-01", "2026-03-01"),
    )
    known = defined("revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}")
    # (24 + 9.5 + 1) / 3 = 11.5 a day; 9.5 and 1 leave remainders of 2 and 1 units, on the first days.
    result = ask(rates, known, "revenue", grain="day", since="2026-01-30", until="2026-02-02")
    assert column(result, "revenue") == ["11.50000001", "11.50000000", "11.49999999"]
    rates.add("invoice_line", line("3", "CHF", "2026-01-20"))
    result = ask(rates, known, "revenue", grain="month", until="2026-03-01")
    assert states(result, "revenue") == ["unconverted", "unconverted"]
    assert "3.00 CHF on 20 Jan 2026" in result.warnings[-1]


def test_stocks_are_converted_at_the_rate_of_the_day_asked_for(rates, defined):
    rates.add(
        "subscription_term",
        {"monthly_amount": "10", "currency": "USD", "started_on": "2026-01-01", "home_monthly_amount": "99", "home_currency": "EUR"},
        {"monthly_amount": "1", "currency": "EUR", "started_on": "2026-01-01"},
        covers=COVERS,
    )
    known = defined("""
        mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
        high: {max: monthly_amount, of: subscription_term, during: [started_on, ended_on]}
    """)
    result = ask(rates, known, "mrr", "high", grain="week", since="2026-01-05", until="2026-02-01")
    # 11 January: 0.9; 18 January: no rate; 25 January and, cut by until, 31 January: 0.8 and 0.5. Twins are ignored.
    assert rows(result) == [
        ("2026-01-05", "10.0000000000000000", "9.0000000000000000"),
        ("2026-01-12", None, None),
        ("2026-01-19", "9.0000000000000000", "8.0000000000000000"),
        ("2026-01-26", "6.0000000000000000", "5.0000000000000000"),
    ]
    assert states(result, "mrr") == ["known", "unconverted", "known", "partial"]


def test_nothing_is_converted_where_only_one_currency_occurs(warehouse, defined):
    warehouse.add("payment", payment("1.25", "EUR", "2026-01-05"), covers=COVERS)
    result = ask(warehouse, defined(PAID), "paid")
    assert column(result, "paid") == ["1.2500"]
    assert "fx_rate" not in result.sql


def test_groups_of_converted_amounts_add_up_exactly(rates, defined):
    rates.add("payment", *(payment(f"0.000{place}", "USD", "2026-01-05", status=f"s{place % 3}") for place in range(1, 10)), covers=COVERS)
    rates.add("fx_rate", {"currency": "USD", "into": "EUR", "day": "2026-01-04", "rate": "0.333333333333"})
    known = defined(PAID)
    whole = ask(rates, known, "paid").table.column("paid").to_pylist()
    parts = ask(rates, known, "paid", by=("payment.status",)).table.column("paid").to_pylist()
    assert sum(parts) == whole[0]


# Values that stand in for one without a rate, and needs without one


def test_what_stands_in_for_an_amount_without_a_rate_is_marked(warehouse, defined):
    warehouse.add("payment", payment("10", "USD", "2026-01-05"), payment("3", "EUR", "2026-02-05"), covers=("2026-01-01", "2026-03-01"))
    known = defined(PAID + "sure: {formula: 'coalesce(paid, 0)'}")
    result = ask(warehouse, known, "sure", grain="month")
    assert [float(value) for value in column(result, "sure")] == [0.0, 3.0]
    assert states(result, "sure") == ["unconverted", "known"]
    assert result.warnings == (
        "sure is made of paid, which has no value where an exchange rate into EUR is missing: 10.00 USD on 5 Jan 2026; "
        "the part that is known is 0.00 EUR",
    )


def test_needs_without_a_rate_are_not_taken_for_enough(warehouse, defined):
    warehouse.add("deal", *({"closed_on": day, "is_won": True} for day in ("2026-01-07", "2026-02-07", "2026-03-07")), covers=NEEDED)
    warehouse.add("payment", payment("10", "USD", "2026-01-05"), payment("10", "EUR", "2026-02-05"), covers=NEEDED)
    known = defined(PAID + "won: {count: deal, at: closed_on, where: is_won, needs: {at_least: 10, of: paid}}")
    # January's 10 USD have no rate, February's 10 EUR are enough, March's 0 are not.
    result = ask(warehouse, known, "won", grain="month")
    assert column(result, "won") == [1, 1, 1]
    assert states(result, "won") == ["unconverted", "known", "too few"]
    assert result.warnings == ("won may be of too few: what it needs has no value where an exchange rate into EUR is missing",)
    assert result.reason("won", "unconverted") == result.warnings[0]


NEEDED = ("2026-01-01", "2026-04-01")


def test_needs_without_a_value_are_too_few(warehouse, defined):
    warehouse.add("deal", {"closed_on": "2026-01-07", "is_won": True}, covers=NEEDED)
    warehouse.add("payment", covers=NEEDED)
    known = defined(PAID + "won: {count: deal, at: closed_on, where: is_won, needs: {at_least: 10, of: mean}}")
    assert states(ask(warehouse, known, "won"), "won") == ["too few"]
