"""Leaves of every aggregate and time, against SQL written by hand and figures worked out by hand."""

from __future__ import annotations

import pytest

from tests.metrics.hand_made import ask, column, rows, states

DEALS = (
    # amount, created, closed, won
    {"account_id": "a", "amount": "100", "currency": "EUR", "created_on": "2026-01-01", "closed_on": "2026-01-20", "is_won": True},
    {"account_id": "b", "amount": "40.5", "currency": "EUR", "created_on": "2026-01-01", "closed_on": "2026-02-03", "is_won": False},
    {"account_id": "c", "amount": "9.5", "currency": "EUR", "created_on": "2026-01-05", "closed_on": "2026-02-04", "is_won": True},
    {"account_id": "a", "amount": "7", "currency": "EUR", "created_on": "2026-02-01", "closed_on": "2026-02-27", "is_won": True},
    {"account_id": None, "amount": "1000", "currency": "EUR", "created_on": "2026-02-02"},  # open
)
ACCOUNTS = (
    {"account_id": "a", "employees": 2000, "region": "EMEA"},
    {"account_id": "b", "employees": 20, "region": "APAC"},
    {"account_id": "c"},
)


@pytest.fixture
def deals(warehouse):
    warehouse.add("account", *ACCOUNTS, covers=("2026-01-01", "2026-03-01"))
    return warehouse.add("deal", *DEALS, covers=("2026-01-01", "2026-03-01"))


def test_events_count_in_the_period_that_holds_their_day(deals, defined):
    known = defined("won: {count: deal, at: closed_on, where: is_won}\nclosed: {sum: amount, of: deal, at: closed_on}")
    result = ask(deals, known, "won", "closed", grain="month")
    # January: the deal of 100. February: 9.5 and 7 won, 40.5 + 9.5 + 7 = 57 closed.
    assert rows(result) == [("2026-01-01", 1, "100.0000"), ("2026-02-01", 2, "57.0000")]
    by_hand = """select month(closed_on), count(*) filter (is_won), sum(amount)::text
        from deal where closed_on is not null group by 1 order by 1"""
    assert deals.sql(by_hand) == [(1, 1, "100.0000"), (2, 2, "57.0000")]


def test_averages_medians_percentiles_and_extremes_of_events(deals, defined):
    known = defined("""
        mean: {average: amount, of: deal, at: closed_on}
        middle: {median: amount, of: deal, at: closed_on}
        ninety: {percentile: amount, at_percent: 90, of: deal, at: closed_on}
        low: {min: amount, of: deal, at: closed_on}
        high: {max: amount, of: deal, at: closed_on}
        customers: {count_distinct: account_id, of: deal, at: closed_on}
    """)
    result = ask(deals, known, "mean", "middle", "ninety", "low", "high", "customers")
    # Of 7, 9.5, 40.5, 100: mean 157 / 4; median (9.5 + 40.5) / 2; 90 % at place 3 × 0.9 = 2.7: 40.5 + 0.7 × 59.5 = 82.15.
    assert rows(result) == [("2026-01-01", 39.25, "25.00000", "82.15000", "7.0000", "100.0000", 3)]


def test_a_median_of_fourteen_digits_is_exact(warehouse, defined):
    warehouse.add(
        "deal",
        {"amount": "12345678901234.1111", "currency": "EUR", "closed_on": "2026-01-02"},
        {"amount": "12345678901234.1114", "currency": "EUR", "closed_on": "2026-01-02"},
        covers=("2026-01-01", "2026-02-01"),
    )
    known = defined("middle: {median: amount, of: deal, at: closed_on}")
    # (.1111 + .1114) / 2 = .11125
    assert column(ask(warehouse, known, "middle"), "middle") == ["12345678901234.11125"]


def test_nothing_in_a_covered_period_is_zero_for_sums_and_no_value_for_averages(deals, defined):
    known = defined("""
        won: {count: deal, at: closed_on, where: is_won}
        amount: {sum: amount, of: deal, at: closed_on}
        customers: {count_distinct: account_id, of: deal, at: closed_on}
        mean: {average: amount, of: deal, at: closed_on}
        high: {max: amount, of: deal, at: closed_on}
        rate: {formula: won / customers}
    """)
    result = ask(deals, known, "won", "amount", "customers", "mean", "high", "rate", grain="week", since="2026-01-05", until="2026-01-12")
    assert rows(result) == [("2026-01-05", 0, "0.0000", 0, None, None, None)]
    assert states(result, "amount") == ["known"]
    assert states(result, "mean") == states(result, "high") == states(result, "rate") == ["empty"]


def test_a_flow_carries_its_amount_evenly_and_gives_the_remainder_to_its_first_days(warehouse, defined):
    warehouse.add(
        "invoice_line",
        {
            "kind": "charge",
            "amount": "0.0001",
            "currency": "EUR",
            "invoiced_on": "2026-01-01",
            "service_from": "2026-01-01",
            "service_to": "2026-01-04",
        },
        {
            "kind": "credit",
            "amount": "-0.0001",
            "currency": "EUR",
            "invoiced_on": "2026-01-01",
            "service_from": "2026-01-02",
            "service_to": "2026-01-05",
        },
        covers=("2026-01-01", "2026-02-01"),
    )
    known = defined("revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}")
    # 0.0001 is 10,000 units of 1e-8: 3,334 + 3,333 + 3,333; the credit a day later, with the other sign.
    result = ask(warehouse, known, "revenue", grain="day", since="2026-01-01", until="2026-01-06")
    assert column(result, "revenue") == ["0.00003334", "-0.00000001", "0.00000000", "-0.00003333", "0.00000000"]


def test_a_flow_without_a_length_counts_whole_on_the_first_date_that_is_known(warehouse, defined):
    def line(amount, start, end):
        return {
            "kind": "charge",
            "amount": amount,
            "currency": "EUR",
            "invoiced_on": "2026-01-10",
            "service_from": start,
            "service_to": end,
        }

    warehouse.add(
        "invoice_line",
        line("1", None, None),  # neither: the document's date, 10 January
        line("20", "2026-01-11", None),  # only the first: 11 January
        line("300", None, "2026-01-12"),  # only the last: 12 January
        line("4000", "2026-01-13", "2026-01-13"),  # equal: 13 January
        line("50000", "2026-01-14", "2026-01-02"),  # backwards: 14 January
        covers=("2026-01-01", "2026-02-01"),
    )
    known = defined("revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}")
    result = ask(warehouse, known, "revenue", grain="day", since="2026-01-09", until="2026-01-16")
    assert [value.split(".")[0] for value in column(result, "revenue")] == ["0", "1", "20", "300", "4000", "50000", "0"]


def test_amounts_of_a_hundred_billion_are_spread_exactly(warehouse, defined):
    warehouse.add(
        "invoice_line",
        {
            "kind": "charge",
            "amount": "99999999999999.9999",
            "currency": "EUR",
            "invoiced_on": "2026-01-01",
            "service_from": "2026-01-01",
            "service_to": "2026-01-04",
        },
        covers=("2026-01-01", "2026-02-01"),
    )
    known = defined("revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}")
    # 99,999,999,999,999.9999 / 3 = 33,333,333,333,333.3333 exactly
    assert column(ask(warehouse, known, "revenue", grain="day", until="2026-01-04"), "revenue") == ["33333333333333.33330000"] * 3


TERMS = (
    {"account_id": "a", "status": "active", "monthly_amount": "50", "currency": "EUR", "started_on": "2026-01-10"},
    {
        "account_id": "a",
        "status": "active",
        "monthly_amount": "30",
        "currency": "EUR",
        "started_on": "2026-01-01",
        "ended_on": "2026-02-28",
    },
    {
        "account_id": "b",
        "status": "active",
        "monthly_amount": "20",
        "currency": "EUR",
        "started_on": "2026-02-01",
        "ended_on": "2026-02-15",
    },
    {"account_id": "c", "status": "trial", "monthly_amount": "99", "currency": "EUR", "started_on": "2026-01-01"},
    {
        "account_id": "c",
        "status": "active",
        "monthly_amount": "7",
        "currency": "EUR",
        "started_on": "2026-02-20",
        "ended_on": "2026-02-01",
    },  # never
    {"account_id": "c", "status": "active", "monthly_amount": "7", "currency": "EUR", "ended_on": "2026-02-01"},  # nobody knows since when
)


def test_a_stock_is_what_stands_on_the_last_day(warehouse, defined):
    warehouse.add("subscription_term", *TERMS, covers=("2026-01-01", "2026-03-01"))
    known = defined("""
        mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}
        terms: {count: subscription_term, during: [started_on, ended_on], where: status = 'active'}
        accounts: {count_distinct: account_id, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}
        mean: {average: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}
        middle: {median: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}
        high: {max: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}
    """)
    result = ask(warehouse, known, "mrr", "terms", "accounts", "mean", "middle", "high", grain="month")
    # 31 January: 50 + 30 of one account. 28 February: the 30 ended that very day, the 20 on the 15th.
    assert rows(result) == [
        ("2026-01-01", "80.0000", 2, 1, 40.0, "40.00000", "50.0000"),
        ("2026-02-01", "50.0000", 1, 1, 50.0, "50.00000", "50.0000"),
    ]
    for day, mrr in (("2026-01-31", "80.0000"), ("2026-02-28", "50.0000")):
        by_hand = f"""select sum(monthly_amount)::text from subscription_term
            where status = 'active' and started_on <= DATE '{day}' and (ended_on is null or DATE '{day}' < ended_on)"""
        assert warehouse.sql(by_hand) == [(mrr,)]


def test_a_stock_of_the_running_period_stands_on_the_last_covered_day(warehouse, defined):
    warehouse.add("subscription_term", *TERMS, covers=("2026-01-01", "2026-02-11"))
    known = defined("mrr: {sum: monthly_amount, of: subscription_term, during: [started_on, ended_on], where: status = 'active'}")
    result = ask(warehouse, known, "mrr", grain="month")
    # 10 February: 50 + 30 + 20
    assert column(result, "mrr") == ["80.0000", "100.0000"]
    assert states(result, "mrr") == ["known", "partial"]


def test_an_instant_counts_on_its_day_in_the_calendars_zone(warehouse, defined):
    warehouse.add(
        "issue",
        {"created_at": "2026-03-28T23:30:00"},  # Berlin: 29 March 00:30
        {"created_at": "2026-03-29T21:59:00"},  # Berlin, summer time since that night: 23:59
        {"created_at": "2026-03-29T22:00:00"},  # Berlin: 30 March 00:00
        covers=("2026-03-28", "2026-04-01"),
    )
    known = defined("calendar: {timezone: Europe/Berlin}\nmetrics:\n  issues: {count: issue, at: created_at}")
    assert column(ask(warehouse, known, "issues", grain="day"), "issues") == [0, 2, 1, 0]


def test_durations_that_run_backwards_are_left_out_and_counted(warehouse, defined):
    def issue(start, end):
        return {"started_at": start, "resolved_at": end, "created_at": start}

    warehouse.add(
        "issue",
        issue("2026-01-01T00:00:00", "2026-01-03T12:00:00"),  # 60 hours, 2 days
        issue("2026-01-01T00:00:00", "2026-01-05T06:00:00"),  # 102 hours, 4 days
        issue("2026-01-09T00:00:00", "2026-01-07T00:00:00"),  # backwards
        covers=("2026-01-01", "2026-02-01"),
    )
    known = defined("""
        days: {average: "days(started_at, resolved_at)", of: issue, at: resolved_at, unit: days}
        hours: {median: "hours(started_at, resolved_at)", of: issue, at: resolved_at, unit: hours}
        resolved: {count: issue, at: resolved_at}
    """)
    result = ask(warehouse, known, "days", "hours", "resolved")
    assert rows(result) == [("2026-01-01", 3.0, "81.0000000", 3)]  # (2 + 4) / 2; (60 + 102) / 2; the row itself counts
    assert "days leaves out 1 row of issue whose end lies before its beginning" in result.warnings


def test_leaves_of_one_table_and_time_are_read_in_one_scan(deals, defined):
    known = defined("""
        won: {count: deal, at: closed_on, where: is_won}
        lost: {count: deal, at: closed_on, where: not is_won}
        rate: {formula: won / (won + lost)}
    """)
    result = ask(deals, known, "rate", "won", "lost")
    assert rows(result) == [("2026-01-01", 0.75, 3, 1)]
    assert result.sql.lower().count("from deal") == 1
