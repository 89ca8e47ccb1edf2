"""Snapshots: balances that are written down now and then, of each entity the last or the first one in the period."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.errors import DefinitionsError
from kpi.metrics import definitions
from kpi.metrics.groups import OTHER
from kpi.metrics.model import Query
from kpi.metrics.query import run, run_together
from kpi.settings import Settings
from tests.metrics.hand_made import Warehouse, ask, column, rows, states

pytestmark = pytest.mark.postgres_later

#: Payments stand for what is held on an account at the end of a day; there is no such table among the program's own.
TEXT = """
dimensions:
  segment: {of: account, is: "case when employees >= 100 then 'large' else 'small' end"}
  status: {of: payment, is: status}
metrics:
  held: {sum: amount, of: payment, snapshot: {at: paid_on, take: last, each: account}}
  opening: {sum: amount, of: payment, snapshot: {at: paid_on, take: first, each: account}}
  holders: {count: payment, snapshot: {at: paid_on, each: account}}
  accounts: {count_distinct: account_id, of: payment, snapshot: {at: paid_on, each: account}}
  typical: {median: amount, of: payment, snapshot: {at: paid_on, each: account}}
  mean: {average: amount, of: payment, snapshot: {at: paid_on, each: account}}
  settled: {sum: amount, of: payment, where: status = 'paid', snapshot: {at: paid_on, each: account}}
  paid_only: {formula: "only(held, status = 'paid')"}
  as_one: {sum: amount, of: payment, snapshot: {at: paid_on}}
  by_method: {sum: amount, of: payment, snapshot: {at: paid_on, each: [account, invoice_id]}}
  before: {formula: "previous(held, 1 month)"}
  growth: {formula: "held / previous(held, 1 month) - 1"}
  at_first: {formula: "at_start(held, quarter)"}
  share: {formula: held / total(held)}
"""
COVERS = ("2026-01-01", "2026-07-01")


def balance(account: str | None, day: str, amount: int | str, status: str = "paid", **more: object) -> dict[str, object]:
    return {"account_id": account, "paid_on": day, "amount": amount, "currency": "EUR", "status": status} | more


def bank(warehouse: Warehouse, *balances: dict[str, object], covers: tuple[str, str] = COVERS) -> Warehouse:
    warehouse.add(
        "account", {"account_id": "a", "employees": 500}, {"account_id": "b", "employees": 5}, {"account_id": "c", "employees": 5}
    )
    return warehouse.add("payment", *balances, covers=covers)


def three(warehouse: Warehouse) -> Warehouse:
    """
    account  10 Jan  31 Jan  5 Feb  28 Feb  20 Mar
    a           100     110    120             130
    b            20             25     30
    c                                           7 (failed)
    """
    return bank(
        warehouse,
        balance("a", "2026-01-10", 100),
        balance("a", "2026-01-31", 110),
        balance("a", "2026-02-05", 120),
        balance("a", "2026-03-20", 130),
        balance("b", "2026-01-10", 20),
        balance("b", "2026-02-05", 25),
        balance("b", "2026-02-28", 30, "failed"),
        balance("c", "2026-03-20", 7, "failed"),
    )


def test_of_each_its_last_and_its_first(warehouse, defined):
    """January: a 110, b 20; first 100 and 20. February: a 120, b 30; first 120, 25. March: a 130, c 7; b has none there."""
    result = ask(three(warehouse), defined(TEXT), "held", "opening", "holders", "accounts", grain="month", until="2026-05-01")
    assert rows(result) == [
        ("2026-01-01", "130.0000", "120.0000", 2, 2),
        ("2026-02-01", "150.0000", "145.0000", 2, 2),
        ("2026-03-01", "137.0000", "137.0000", 2, 2),
        ("2026-04-01", "0.0000", "0.0000", 0, 0),
    ]
    assert states(result, "held") == ["known"] * 4


def test_longer_periods_take_the_last_of_all_their_days(warehouse, defined):
    """The quarter: a 130, b's of February 30, c 7. All days: the same. A week: who has one in it, and nobody else."""
    known = defined(TEXT)
    three(warehouse)
    assert rows(ask(warehouse, known, "held", grain="quarter", until="2026-04-01")) == [("2026-01-01", "167.0000")]
    assert rows(ask(warehouse, known, "held")) == [("2026-01-01", "167.0000")]
    weeks = ask(warehouse, known, "held", grain="week", since="2026-02-02", until="2026-03-02")
    assert column(weeks, "held") == ["145.0000", "0.0000", "0.0000", "30.0000"]
    days = ask(warehouse, known, "held", grain="day", since="2026-02-04", until="2026-02-07")
    assert column(days, "held") == ["0.0000", "145.0000", "0.0000"]


def test_medians_and_means_are_of_the_balances(warehouse, defined):
    """February: 120 and 30: 75 is both. April has none, and so no value."""
    result = ask(three(warehouse), defined(TEXT), "typical", "mean", grain="month", since="2026-02-01", until="2026-05-01")
    assert rows(result) == [("2026-02-01", "75.00000", 75.0), ("2026-03-01", "68.50000", 68.5), ("2026-04-01", None, None)]


def test_groups_and_filters_look_at_what_was_picked(warehouse, defined):
    """b's last balance of February is failed: paid are a's 120 only. Groups add up to 150, and a filter shows its group.
    ``where`` of the metric says what a balance is: the last one that is paid is 25."""
    known = defined(TEXT)
    three(warehouse)
    month = {"grain": "month", "since": "2026-02-01", "until": "2026-03-01"}
    result = ask(warehouse, known, "held", "paid_only", by=("status",), **month)
    assert rows(result) == [("2026-02-01", "failed", "30.0000", "0.0000"), ("2026-02-01", "paid", "120.0000", "120.0000")]
    assert rows(ask(warehouse, known, "held", where=("status = 'paid'",), **month)) == [("2026-02-01", "120.0000")]
    assert rows(ask(warehouse, known, "settled", "held", "paid_only", **month)) == [("2026-02-01", "145.0000", "150.0000", "120.0000")]
    by = ask(warehouse, known, "held", "share", by=("segment",), **month)
    assert rows(by) == [("2026-02-01", "large", "120.0000", 0.8), ("2026-02-01", "small", "30.0000", 0.2)]


def test_what_is_written_at_one_moment_is_one_balance(warehouse, defined):
    """Two rows of 31 January add up; without ``each`` the last day of all is the balance; by account and invoice each has its own."""
    bank(
        warehouse,
        balance("a", "2026-01-10", 50, invoice_id="one"),
        balance("a", "2026-01-31", 30, invoice_id="two"),
        balance("a", "2026-01-31", 40, invoice_id="three"),
        balance("b", "2026-01-20", 5, invoice_id="one"),
    )
    result = ask(warehouse, defined(TEXT), "held", "as_one", "by_method", grain="month", until="2026-02-01")
    # held: 30 + 40, and 5. as_one: of the 31st only. by_method: 50, 30, 40, and b's 5.
    assert rows(result) == [("2026-01-01", "75.0000", "70.0000", "125.0000")]


def test_an_instant_counts_by_its_moment_and_on_its_day(warehouse, defined):
    """In Berlin 23:30 UTC of 31 January is February; of two on one day the later is the last."""
    text = """
calendar: {timezone: Europe/Berlin}
metrics:
  open: {sum: "days(created_at, resolved_at)", of: issue, snapshot: {at: created_at, each: kind}}
"""
    warehouse.add(
        "issue",
        {"created_at": "2026-01-31T08:00", "resolved_at": "2026-02-08T08:00", "kind": "A"},  # 8 days
        {"created_at": "2026-01-31T17:00", "resolved_at": "2026-02-05T08:00", "kind": "A"},  # 5
        {"created_at": "2026-01-31T23:30", "resolved_at": "2026-02-04T08:00", "kind": "A"},  # 3, of 1 February
        {"created_at": "2026-01-02T00:00", "resolved_at": "2026-01-04T08:00", "kind": "B"},  # 2
        covers=("2026-01-01", "2026-03-01"),
    )
    result = ask(warehouse, defined(text), "open", grain="month")
    assert column(result, "open") == [7, 3]  # 5 + 2, and 3


def test_whose_balance_nobody_knows_is_one_of_its_own(warehouse, defined):
    """Unmatched customers are told apart by their code; rows without any have the last of them together."""
    bank(
        warehouse,
        balance(None, "2026-01-10", 1, source_account_id="x"),
        balance(None, "2026-01-20", 2, source_account_id="x"),
        balance(None, "2026-01-05", 4, source_account_id="y"),
        balance(None, "2026-01-07", 8),
        balance(None, "2026-01-08", 16),
    )
    known = defined(TEXT)
    assert column(ask(warehouse, known, "held", grain="month", until="2026-02-01"), "held") == ["22.0000"]  # 2 + 4 + 16
    by = ask(warehouse, known, "held", by=("segment",), grain="month", until="2026-02-01")
    assert sum(Decimal(value) for value in column(by, "held")) == 22


def test_an_empty_name_is_not_a_missing_one(warehouse, defined):
    """Of the account's invoice "" the last is 2, of none 4: together 6, and not the later one's alone."""
    bank(warehouse, balance("a", "2026-01-10", 2, invoice_id=""), balance("a", "2026-01-20", 4))
    assert column(ask(warehouse, defined(TEXT), "by_method"), "by_method") == ["6.0000"]


def test_earlier_periods_and_the_day_before(warehouse, defined):
    """March against February: 137 / 150 − 1. The first half of March against that of February: b's 25 of the 5th.
    At the start of the second quarter stands what is written down for 31 March."""
    known = defined(TEXT)
    three(warehouse)
    result = ask(warehouse, known, "before", "growth", grain="month", since="2026-03-01", until="2026-04-01")
    assert rows(result) == [("2026-03-01", "150.0000", round(137 / 150 - 1, 10))]
    part = ask(warehouse, known, "before", grain="month", since="2026-03-01", until="2026-03-16")
    assert (column(part, "before"), states(part, "before")) == (["145.0000"], ["partial"])
    warehouse.add("payment", balance("c", "2026-03-31", 9))
    assert column(ask(warehouse, known, "at_first", grain="month", since="2026-04-01", until="2026-06-01"), "at_first") == ["9.0000"] * 2


def test_days_that_are_cut_or_not_covered(warehouse, defined):
    """To the 15th of January a's is of the 10th. What lies before or after the data is not known, and what lies ahead isn't taken."""
    known = defined(TEXT)
    bank(
        warehouse,
        balance("a", "2026-01-10", 100),
        balance("a", "2026-01-31", 110),
        balance("a", "2026-02-20", 120),
        covers=("2026-01-05", "2026-02-11"),
    )
    assert rows(ask(warehouse, known, "held", until="2026-01-16")) == [("2026-01-05", "100.0000")]
    result = ask(warehouse, known, "held", grain="month", since="2025-12-01", until="2026-04-01")
    assert rows(result) == [("2025-12-01", None), ("2026-01-01", "110.0000"), ("2026-02-01", "0.0000"), ("2026-03-01", None)]
    assert states(result, "held") == ["unknown", "partial", "partial", "unknown"]


def test_a_gap_holds_no_balance(warehouse, defined):
    """The 25th to the 29th are missing: the last known of January is that of the 20th."""
    bank(warehouse, balance("a", "2026-01-20", 1), balance("a", "2026-01-28", 2)).gap("payment", "2026-01-25", "2026-01-30")
    assert rows(ask(warehouse, defined(TEXT), "held", grain="month", until="2026-02-01")) == [("2026-01-01", "1.0000")]


def test_money_is_converted_at_the_rate_of_the_balances_day(warehouse, defined):
    """100 USD of 30 January at 0.9; the rate of the 31st is nobody's. In February 10 GBP have no rate at all.

    Of several months that lack a rate the note tells the last: of all days together others would be the last balances.
    """
    bank(
        warehouse,
        balance("a", "2026-01-30", 100, currency="USD"),
        balance("b", "2026-01-31", 5),
        balance("a", "2026-02-10", 10, currency="GBP"),
        balance("b", "2026-02-11", 7),
    )
    warehouse.add(
        "fx_rate",
        {"day": "2026-01-30", "currency": "USD", "into": "EUR", "rate": "0.9"},
        {"day": "2026-01-31", "currency": "USD", "into": "EUR", "rate": "0.5"},
    )
    known = defined(TEXT)
    result = ask(warehouse, known, "held", "typical", "mean", grain="month", until="2026-03-01")
    assert [Decimal(value) if value else None for value in column(result, "held")] == [95, None]
    assert [Decimal(value) if value else None for value in column(result, "typical")] == [Decimal("47.5"), None]
    assert column(result, "mean") == [47.5, None]
    assert states(result, "held") == ["known", "unconverted"]
    said = "held has no value where an exchange rate into EUR is missing: 10.00 GBP on 10 Feb 2026; the part that is known is 7.00 EUR"
    assert result.reason("held", "unconverted") == said
    warehouse.add("payment", balance("c", "2026-03-03", 1), balance("a", "2026-03-10", 20, currency="GBP"))
    result = ask(warehouse, known, "held", grain="month", until="2026-04-01")
    said = "held has no value where an exchange rate into EUR is missing: 20.00 GBP on 10 Mar 2026; the part that is known is 1.00 EUR"
    assert result.reason("held", "unconverted") == said


def test_several_groupings_are_one_statement_and_say_the_same(warehouse, defined):
    known = defined(TEXT)
    queries = [Query(("held", "holders"), by=by, grain="month") for by in (("segment",), ("status",))]
    with three(warehouse).reader() as reader:
        together = run_together(queries, known, reader)
        assert [rows(one) for one in together] == [rows(run(one, known, reader)) for one in queries]
        assert together[0].sql == together[1].sql


def test_the_largest_and_the_rest(warehouse, defined):
    """Of all days: a 130, b 30, c 7."""
    result = ask(three(warehouse), defined(TEXT), "held", by=("account.account_id",), top=1)
    assert rows(result) == [("2026-01-01", "a", "130.0000"), ("2026-01-01", OTHER, "37.0000")]


def test_an_account_is_what_it_was_on_the_balances_day(warehouse, defined):
    """a had 5 people until 1 February."""
    three(warehouse)
    warehouse.add(
        "account_version",
        {"account_id": "a", "valid_from": "0001-01-01", "valid_to": "2026-02-01", "employees": 5},
        {"account_id": "a", "valid_from": "2026-02-01", "valid_to": None, "employees": 500},
    )
    result = ask(warehouse, defined(TEXT), "held", by=("segment",), grain="month", until="2026-03-01")
    assert rows(result) == [
        ("2026-01-01", "large", "0.0000"),
        ("2026-01-01", "small", "130.0000"),
        ("2026-02-01", "large", "120.0000"),
        ("2026-02-01", "small", "30.0000"),
    ]


def test_a_cost_is_split_by_balances(warehouse, defined):
    """January closes with 110 and 20: a cost of 13 is 11 and 2."""
    text = TEXT + ("  cost: {sum: amount, of: cost_line, over: [service_from, service_to], allocate: {to: account, by: held}}\n")
    three(warehouse).add(
        "cost_line",
        {"service_from": "2026-01-01", "service_to": "2026-02-01", "booked_on": "2026-01-01", "amount": 13, "currency": "EUR"},
        covers=COVERS,
    )
    result = ask(warehouse, defined(text), "cost", by=("account.account_id",), until="2026-02-01")
    assert {row[1]: round(Decimal(row[2]), 6) for row in rows(result)} == {"a": 11, "b": 2}


def test_sums_over_days_are_refused(warehouse, defined):
    for name in ("rolling(held, 28 days)", "to_date(held, year)"):
        with pytest.raises(DefinitionsError) as raised:
            defined(TEXT + f'  odd: {{formula: "{name}"}}\n')
        word = name[: name.index("(")]
        said = f"held is a balance (snapshot:), and {word}() adds up days; only events and flows have a sum over days"
        assert said in str(raised.value)


def test_the_target_of_a_balance_is_for_the_end(warehouse, defined):
    text = TEXT.replace("take: last, each: account}}\n  opening", "take: last, each: account}, target: {2026-02: 200}}\n  opening")
    result = ask(three(warehouse), defined(text), "held", grain="month", until="2026-04-01")
    assert result.targets["held"] == {dt.date(2026, 2, 1): Decimal(200)}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    path = tmp_path_factory.mktemp("d") / "metrics.yaml"
    path.write_text("north_star: held\ncurrency: EUR\n" + TEXT, encoding="utf-8")
    return definitions.load(path)


BALANCE = st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 89), st.integers(-50, 50), st.sampled_from(["paid", "failed"]))


@settings(max_examples=15, deadline=None)
@given(balances=st.lists(BALANCE, max_size=25))
def test_laws(balances, known, tmp_path_factory):
    """A walk in Python finds the same; groups add up; a quarter is its last month where all have one in it."""
    start = dt.date(2026, 1, 1)
    written = [(who, start + dt.timedelta(days=day), amount, status) for who, day, amount, status in balances]
    warehouse = Warehouse(Settings(home=tmp_path_factory.mktemp("h")))
    try:
        bank(warehouse, *(balance(who, day.isoformat(), amount, status) for who, day, amount, status in written))
        with warehouse.reader() as reader:
            months = ask(reader, known, "held", grain="month", until="2026-04-01")
            (quarter,) = column(ask(reader, known, "held", grain="quarter", until="2026-04-01"), "held")
            split = ask(reader, known, "held", by=("status", "segment"), grain="month", until="2026-04-01")
    finally:
        warehouse.close()

    def held(first: dt.date, after: dt.date) -> int:
        inside = [row for row in written if first <= row[1] < after]
        last = {who: max(day for other, day, *_ in inside if other == who) for who, *_ in inside}
        return sum(amount for who, day, amount, _ in inside if last[who] == day)

    bounds = [dt.date(2026, month, 1) for month in (1, 2, 3, 4)]
    found = [Decimal(value) for value in column(months, "held")]
    assert found == [held(first, after) for first, after in pairwise(bounds)]
    assert Decimal(quarter) == held(bounds[0], bounds[-1])
    parts = {day: sum(Decimal(row[3]) for row in rows(split) if row[0] == day) for day in column(months, "period")} if written else {}
    assert all(parts[day] == value for day, value in zip(column(months, "period"), found, strict=True) if parts)
    if {who for who, *_ in written} == {who for who, day, *_ in written if day >= bounds[2]}:
        assert Decimal(quarter) == found[-1]
