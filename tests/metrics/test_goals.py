"""Targets for the periods asked for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.metrics.hand_made import ask

pytestmark = pytest.mark.postgres_later

YEAR = ("2026-01-01", "2027-01-01")


def targets(result, name):
    return {day.isoformat(): str(value) for day, value in result.targets[name].items()}


def test_targets_of_sums_are_split_by_days_and_the_narrower_one_wins(warehouse, defined):
    warehouse.cover("deal", *YEAR)
    known = defined("won: {count: deal, at: closed_on, target: {2026: 365, 2026-Q4: 184}}")
    # 1 a day to September, then 2 a day. November has 30 days; the week of 28 September has three days of each.
    assert targets(ask(warehouse, known, "won", grain="month"), "won")["2026-11-01"] == "60"
    found = ask(warehouse, known, "won", grain="week", since="2026-09-28", until="2026-10-05").targets["won"]
    assert found == {dt.date(2026, 9, 28): Decimal(3 * 1 + 4 * 2)}
    # A year holds both: 273 days of 1 and 92 of 2.
    assert ask(warehouse, known, "won", grain="year").targets["won"] == {dt.date(2026, 1, 1): Decimal(273 + 184)}


def test_a_sum_has_no_target_where_some_of_its_days_have_none(warehouse, defined):
    warehouse.cover("deal", "2025-12-01", "2027-01-01")
    known = defined("won: {count: deal, at: closed_on, target: {2026: 365}}")
    found = ask(warehouse, known, "won", grain="week", since="2025-12-29", until="2026-01-12").targets["won"]
    assert found == {dt.date(2026, 1, 5): Decimal(7)}


def test_targets_of_stocks_count_on_the_last_day(warehouse, defined):
    warehouse.cover("subscription_term", *YEAR)
    known = defined("terms: {count: subscription_term, during: [started_on, ended_on], target: {2026: 100, 2026-Q1: 80}}")
    assert targets(ask(warehouse, known, "terms", grain="quarter"), "terms") == {
        "2026-01-01": "80",
        "2026-04-01": "100",
        "2026-07-01": "100",
        "2026-10-01": "100",
    }


def test_targets_of_ratios_hold_throughout(warehouse, defined):
    warehouse.cover("deal", *YEAR)
    known = defined("""
        won: {count: deal, at: closed_on, where: is_won}
        lost: {count: deal, at: closed_on, where: is_lost}
        rate: {formula: won / (won + lost), unit: percent, target: {2026: 62%, 2026-Q4: 65%}}
    """)
    assert ask(warehouse, known, "rate", grain="year").targets["rate"] == {dt.date(2026, 1, 1): Decimal("0.62")}
    assert targets(ask(warehouse, known, "rate", grain="week", since="2026-11-09", until="2026-11-16"), "rate") == {"2026-11-09": "0.65"}


def test_differences_of_sums_are_sums_and_a_constant_changes_nothing(warehouse, defined):
    warehouse.cover("deal", *YEAR)
    known = defined("""
        won: {count: deal, at: closed_on, where: is_won}
        lost: {count: deal, at: closed_on, where: is_lost}
        net: {formula: (won - lost) * 2, target: {2026: 730}}
    """)
    found = ask(warehouse, known, "net", grain="week", since="2026-11-09", until="2026-11-16").targets["net"]
    assert found == {dt.date(2026, 11, 9): Decimal(14)}
