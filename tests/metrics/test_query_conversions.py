"""Conversions: which events led to others, the same entity within a window, by hand and against a loop in Python."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.errors import DefinitionsError, Unreachable
from kpi.settings import Settings
from tests.metrics.hand_made import Warehouse, ask, column, rows, states

pytestmark = pytest.mark.postgres_later

#: Tickets lead to paid invoices of the same customer.
TEXT = """
dimensions:
  region: {of: account, is: region}
  topic: {of: remark, is: subject}
metrics:
  asked: {count: remark, at: said_at, where: kind = 'ticket'}
  paid: {count: payment, at: paid_on}
  amounts: {sum: amount, of: payment, at: paid_on}
  sold: {conversion: {from: asked, to: paid, each: account, within: 30 days}}
  sold_lately: {formula: "rolling(sold, 2 months)"}
  sold_before: {formula: "previous(sold, 1 month)"}
  of_all: {formula: sold / total(sold)}
  of_a: {formula: "only(sold, topic = 'A')"}
  again: {conversion: {from: paid, to: paid, each: account, within: 30 days}}
  worth: {conversion: {from: amounts, to: amounts, each: account, within: 30 days}}
  opened: {count: deal, at: created_on}
  won: {count: deal, at: closed_on, where: is_won}
  closing: {conversion: {from: opened, to: won, each: deal, within: 90 days}}
"""


def ticket(account: str | None, when: str, topic: str | None = None, **more: Any) -> dict[str, Any]:
    return {"account_id": account, "said_at": when, "kind": "ticket", "subject": topic} | more


def payment(account: str | None, day: str, **more: Any) -> dict[str, Any]:
    return {"account_id": account, "paid_on": day, "amount": "10", "currency": "EUR"} | more


def desk(warehouse: Warehouse, tickets: list[dict[str, Any]], payments: list[dict[str, Any]], until: str = "2026-07-01") -> Warehouse:
    warehouse.add("account", *({"account_id": key, "region": place} for key, place in zip("abc", ("North", "South", None), strict=True)))
    warehouse.add("remark", *tickets, covers=("2026-01-01", until))
    return warehouse.add("payment", *payments, covers=("2026-01-01", until))


def test_the_latest_event_before_gets_each_once(warehouse, defined):
    """a asks on 5 and 20 January and pays on 25 January (the 20th gets it) and on 10 February (the 20th again: 21 days).
    b asks on 3 January and pays on 3 February: 31 days, too late. c asks on 2 January and pays on 1 February: 30 days.
    January: 4 tickets, 3 payments: 3/4. February: a asks on the 11th and never pays: 0/1. March: none."""
    desk(
        warehouse,
        [
            ticket("a", "2026-01-05T10:00"),
            ticket("a", "2026-01-20T10:00"),
            ticket("b", "2026-01-03T10:00"),
            ticket("c", "2026-01-02T10:00"),
            ticket("a", "2026-02-11T10:00"),
        ],
        [payment("a", "2026-01-25"), payment("a", "2026-02-10"), payment("b", "2026-02-03"), payment("c", "2026-02-01")],
    )
    result = ask(warehouse, defined(TEXT), "sold", grain="month", since="2026-01-01", until="2026-04-01")
    assert column(result, "sold") == [0.75, 0.0, None]
    assert states(result, "sold") == ["known", "known", "empty"]


def test_what_happens_on_the_same_day_follows(warehouse, defined):
    """A payment has a day and a ticket an instant, so on one day the ticket is taken to be first."""
    desk(warehouse, [ticket("a", "2026-01-05T10:00")], [payment("a", "2026-01-05"), payment("b", "2026-01-05")])
    assert column(ask(warehouse, defined(TEXT), "sold", until="2026-03-01"), "sold") == [1.0]


def test_nothing_follows_itself(warehouse, defined):
    """a pays on 1, 1 and 11 January: only the 11th follows, of the two on the 1st. 1 of 3."""
    desk(warehouse, [], [payment("a", "2026-01-01"), payment("a", "2026-01-01"), payment("a", "2026-01-11")])
    result = ask(warehouse, defined(TEXT), "again", "worth", until="2026-03-01")
    assert rows(result) == [("2026-01-01", round(1 / 3, 10), round(1 / 3, 10))]


def test_a_window_that_is_not_over_is_partial_and_says_so(warehouse, defined):
    """Data reach to 14 April: those of 15 March and before have had their 30 days, but not all of March's."""
    desk(warehouse, [ticket("a", "2026-02-05T10:00"), ticket("a", "2026-03-30T10:00")], [payment("a", "2026-02-06")], until="2026-04-15")
    result = ask(warehouse, defined(TEXT), "sold", grain="month", since="2026-02-01", until="2026-04-01")
    assert column(result, "sold") == [1.0, 0.0]
    assert states(result, "sold") == ["known", "partial"]
    said = "1 Mar 2026 to 31 Mar 2026 is not settled: sold counts paid up to 30 days after, and not all of these days are covered"
    assert result.warnings == (said,)
    assert result.table.column("partial").to_pylist() == [False, True]
    settled = ask(warehouse, defined(TEXT), "sold", since="2026-02-01", until="2026-03-16")
    assert states(settled, "sold") == ["known"]


def test_groups_and_filters_are_those_of_the_first_event(warehouse, defined):
    """a asks about A (North) and then B; the payment belongs to B, also when only A is looked at."""
    desk(
        warehouse,
        [ticket("a", "2026-01-05T10:00", "A"), ticket("a", "2026-01-06T10:00", "B"), ticket("b", "2026-01-07T10:00", "A")],
        [payment("a", "2026-01-08"), payment("b", "2026-01-09"), payment("b", "2026-01-09")],
    )
    known = defined(TEXT)
    by = ask(warehouse, known, "sold", "of_all", by=("topic",), until="2026-03-01")
    assert rows(by) == [("2026-01-01", "A", 1.0, 1.0), ("2026-01-01", "B", 1.0, 1.0)]  # A: b's two of 2; B: 1 of 1; all: 3 of 3
    assert column(ask(warehouse, known, "sold", where=("topic = 'A'",), until="2026-03-01"), "sold") == [1.0]
    assert rows(ask(warehouse, known, "sold", by=("region",), until="2026-03-01")) == [
        ("2026-01-01", "North", 0.5),
        ("2026-01-01", "South", 2.0),
    ]
    assert column(ask(warehouse, known, "of_a", until="2026-03-01"), "of_a") == [1.0]
    with pytest.raises(Unreachable, match="plan"):
        ask(warehouse, known, "sold", by=("subscription_term.plan",))


def test_both_parts_are_moved_and_widened(warehouse, defined):
    """January 1 of 1, February 0 of 2: over both months 1 of 3."""
    desk(
        warehouse,
        [ticket("a", "2026-01-05T10:00"), ticket("b", "2026-02-05T10:00"), ticket("c", "2026-02-06T10:00")],
        [payment("a", "2026-01-06")],
    )
    result = ask(warehouse, defined(TEXT), "sold", "sold_lately", "sold_before", grain="month", since="2026-02-01", until="2026-03-01")
    assert rows(result) == [("2026-02-01", 0.0, round(1 / 3, 10), 1.0)]


def test_customers_that_were_not_matched_are_followed_by_the_sources_id(warehouse, defined):
    """One unmatched customer pays, another one doesn't; a ticket of nobody is an event that leads to nothing: 1 of 3."""
    desk(
        warehouse,
        [
            ticket(None, "2026-01-05T10:00", source_account_id="x"),
            ticket(None, "2026-01-05T10:00", source_account_id="y"),
            ticket(None, "2026-01-05T10:00"),
        ],
        [payment(None, "2026-01-06", source_account_id="x"), payment(None, "2026-01-06")],
    )
    assert column(ask(warehouse, defined(TEXT), "sold", until="2026-03-01"), "sold") == [round(1 / 3, 10)]


def test_of_a_table_with_itself(warehouse, defined):
    """Three deals of January: won after 89 and 91 days, and on the day it was opened: 2 of 3."""
    deals = [
        {"deal_id": "p", "created_on": "2026-01-01", "closed_on": "2026-03-31", "is_won": True},
        {"deal_id": "q", "created_on": "2026-01-01", "closed_on": "2026-04-02", "is_won": True},
        {"deal_id": "r", "created_on": "2026-01-09", "closed_on": "2026-01-09", "is_won": True},
    ]
    warehouse.add("deal", *deals, covers=("2026-01-01", "2026-07-01"))
    result = ask(warehouse, defined(TEXT), "closing", grain="month", since="2026-01-01", until="2026-02-01")
    assert column(result, "closing") == [round(2 / 3, 10)]


def test_coverage_is_that_of_both_tables_and_gaps_count_for_nothing(warehouse, defined):
    warehouse.add("remark", ticket("a", "2026-01-05T10:00"), ticket("a", "2026-02-05T10:00"), covers=("2026-01-01", "2026-07-01"))
    warehouse.add("payment", payment("a", "2026-01-20"), payment("a", "2026-02-06"), covers=("2026-01-01", "2026-07-01"))
    warehouse.gap("payment", "2026-01-15", "2026-02-01")
    result = ask(warehouse, defined(TEXT), "sold", grain="month", since="2025-12-01", until="2026-03-01")
    assert column(result, "sold") == [None, 0.0, 1.0]
    assert states(result, "sold") == ["unknown", "partial", "known"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{from: asked, to: paid, each: account}", "conversion.within: a conversion needs this key: a number of days, such as 90 days"),
        ("{from: akt, to: paid, each: account, within: 3 days}", 'metrics.odd.conversion.from: no metric is called "akt"'),
        ("{from: sold, to: paid, each: account, within: 3 days}", "sold is no event; one thing leads to another at: a day"),
        ("{from: asked, to: paid, each: deal, within: 3 days}", "conversion.each: paid: payment leads to no deal; it has payment, account"),
        ("{from: asked, to: paid, each: acount, within: 3 days}", 'no entity of remark is called "acount"; did you mean "account"?'),
        ("{from: asked, to: paid, each: account, within: soon}", '"soon" is no number of days from 0 to 3660; write it as 90 days'),
        ("{from: asked, to: paid, each: account, inside: 3 days}", 'a conversion has no key "inside"'),
        ("asked", "metrics.odd.conversion: needs {from: a metric, to: a metric, each: account, within: 90 days}, not \"asked\""),
    ],
)  # fmt: skip
def test_what_is_written_wrong_is_said(defined, line, says):
    with pytest.raises(DefinitionsError) as raised:
        defined(TEXT + f"  odd: {{conversion: {line}}}\n")
    said = [f"{problem.key}: {problem.message}" for problem in raised.value.problems]
    assert any(says in sentence for sentence in said), said


days = st.integers(0, 80)
happened = st.lists(st.tuples(st.sampled_from("abc"), days, st.sampled_from(["A", "B", None])), max_size=12)


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(happened, st.lists(st.tuples(st.sampled_from("abc"), days), max_size=12), st.sampled_from([(), ("topic = 'A'",)]))
def test_a_loop_over_the_events_counts_the_same(tmp_path_factory, asked, paid, where):
    """Of every week, and of every topic."""
    from kpi.metrics import definitions

    path = tmp_path_factory.mktemp("d") / "metrics.yaml"
    path.write_text("north_star: sold\ncurrency: EUR\n" + TEXT, encoding="utf-8")
    first = dt.date(2026, 1, 5)
    warehouse = Warehouse(Settings())
    unlike = list({(who, day): (who, day, topic) for who, day, topic in asked}.values())  # of one moment only keys would tell
    tickets = [ticket(who, f"{first + dt.timedelta(days=day)}T10:00", topic) for who, day, topic in unlike]
    desk(warehouse, tickets, [payment(who, str(first + dt.timedelta(days=day))) for who, day in paid])
    result = ask(warehouse, definitions.load(path), "sold", by=("topic",), where=where, grain="week", since="2026-01-05")
    counts: dict[tuple[int, str | None], list[int]] = {}
    for _, day, topic in unlike:
        counts.setdefault((day // 7, topic), [0, 0])[1] += 1
    for who, day in paid:
        before = [(at, topic) for whose, at, topic in unlike if whose == who and at <= day]
        if before and day - max(before, key=lambda one: one[0])[0] <= 30:
            at, topic = max(before, key=lambda one: one[0])
            counts[at // 7, topic][0] += 1
    expected: Mapping[Any, float] = {key: round(taken / many, 10) for key, (taken, many) in counts.items()}
    found = {((dt.date.fromisoformat(day) - first).days // 7, topic): value for day, topic, value in rows(result) if value is not None}
    assert found == {key: value for key, value in expected.items() if not where or key[1] == "A"}
    warehouse.close()
