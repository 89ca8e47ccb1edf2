"""Distinct counts of stocks: who has rows that overlap, meet or leave a gap counts once on every day."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.metrics.hand_made import ask, column, rows

pytestmark = pytest.mark.first_only

ACCOUNTS = """
accounts: {count_distinct: account_id, of: subscription_term, during: [started_on, ended_on]}
share: {formula: accounts / total(accounts)}
"""


def term(account: str | None, start: str | dt.date, end: str | dt.date | None, plan: str | None = "Team") -> dict[str, object]:
    return {"account_id": account, "started_on": start, "ended_on": end, "plan": plan, "currency": "EUR", "status": "active"}


def test_rows_that_overlap_or_meet_are_one_stay(warehouse, defined):
    """
    a  Jan 1 ────── Feb 10
    a          Jan 20 ───── Mar 1 ──── Apr 5       the second overlaps, the third begins as it ends
    a                                        May 10 ─ …
    b     Jan 15 ─────────────────────────────────── May 20, and within it Feb 1 ─ Feb 20
    nobody                  Feb 25 ─ …             counts for nothing
    """
    warehouse.add(
        "subscription_term",
        *(term("a", "2026-01-01", "2026-02-10"), term("a", "2026-01-20", "2026-03-01"), term("a", "2026-03-01", "2026-04-05")),
        *(term("a", "2026-05-10", None), term("b", "2026-01-15", "2026-05-20"), term("b", "2026-02-01", "2026-02-20")),
        term(None, "2026-02-25", None, "Solo"),
        covers=("2026-01-01", "2026-07-01"),
    )
    known = defined(ACCOUNTS)
    result = ask(warehouse, known, "accounts", grain="month")
    # January to March both; 30 April b alone; 31 May and 30 June a alone, for b's last day was the 19th
    assert column(result, "accounts") == [2, 2, 2, 1, 1, 1]
    by_plan = ask(warehouse, known, "accounts", by=("subscription_term.plan",), grain="quarter")
    # the plan of nobody is a group all the same, with nobody in it; at the first quarter's end it stands, as at the second's
    assert rows(by_plan) == [
        ("2026-01-01", "Solo", 0),
        ("2026-01-01", "Team", 2),
        ("2026-04-01", "Solo", 0),
        ("2026-04-01", "Team", 1),
    ]


def test_who_is_in_two_groups_counts_once_in_all(warehouse, defined):
    warehouse.add(
        "subscription_term",
        *(term("a", "2026-01-01", None, "Team"), term("a", "2026-01-10", None, "Solo"), term("b", "2026-01-05", "2026-02-05", "Team")),
        covers=("2026-01-01", "2026-03-01"),
    )
    result = ask(warehouse, defined(ACCOUNTS), "accounts", "share", by=("subscription_term.plan",), grain="month")
    # January: a in both plans, b in Team, two in all; February: a in both, one in all
    assert rows(result) == [
        ("2026-01-01", "Solo", 1, 0.5),
        ("2026-01-01", "Team", 2, 1.0),
        ("2026-02-01", "Solo", 1, 1.0),
        ("2026-02-01", "Team", 1, 1.0),
    ]


FIRST = dt.date(2026, 1, 1)
DAYS = st.integers(-10, 70).map(lambda day: FIRST + dt.timedelta(days=day))
TERMS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), DAYS, st.none() | DAYS, st.sampled_from(["Team", "Solo", None])), max_size=12
)


@pytest.mark.parametrize("by", [(), ("subscription_term.plan",)])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=TERMS)
def test_as_many_as_there_are_on_the_day(fresh, defined, by, terms):
    """Whatever the rows: on each week's last day as many as plain SQL finds."""
    warehouse = fresh()
    warehouse.add("subscription_term", *(term(*one) for one in terms), covers=("2026-01-05", "2026-03-02"))
    plan = ", plan" if by else ""
    expected = {
        (str(monday), *groups): count
        for place in range(8)
        for monday in [FIRST + dt.timedelta(days=4 + 7 * place)]
        for *groups, count in warehouse.sql(
            f"""select {plan.removeprefix(", ")}{"," if by else ""} count(distinct account_id) from subscription_term
                where started_on <= $1 and ($1 < ended_on or ended_on is null) {"group by plan" if by else ""}""",
            [monday + dt.timedelta(days=6)],
        )
        if count
    }
    found = rows(ask(warehouse, defined(ACCOUNTS), "accounts", by=by, grain="week"))
    assert {(day, *groups): count for day, *groups, count in found if count} == expected
    warehouse.close()
