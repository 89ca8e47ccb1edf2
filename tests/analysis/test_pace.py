"""Pace by hand: October 2026 with 31 days, of which the week to Sunday 18 October ends after 18.

Each of these 18 days books 10 and costs 4: bookings 180, cost 72, margin (180 - 72) / 180 = 60 %.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from kpi.analysis.pace import holding, pace, question
from kpi.dashboard import wording
from kpi.metrics import definitions
from kpi.metrics.model import Target
from kpi.metrics.query import run
from kpi.periods import Period
from kpi.units import SPACE

WEEK = Period(dt.date(2026, 10, 12), dt.date(2026, 10, 19))
TEXT = """\
north_star: bookings
currency: EUR
calendar: {timezone: UTC}
metrics:
  bookings: {sum: amount, of: deal, at: closed_on, where: is_won, unit: money, better: up, target: {2026: 9999, 2026-10: 300}}
  costs: {sum: amount, of: deal, at: closed_on, where: is_lost, unit: money, better: down, target: {2026-10: 93}}
  margin: {formula: (bookings - costs) / bookings, unit: percent, better: up, target: {2026-10: 65%}}
  even: {formula: bookings * 1, unit: money, better: up, target: {2026-10: 310}}
"""


@pytest.fixture
def told(duck_warehouse):
    duck_warehouse.add("account", {"account_id": "a", "name": "Acme", "created_on": "2026-01-01"})
    rows = []
    for day in range(1, 19):
        for amount, won in ((10, True), (4, False)):
            closed = f"2026-10-{day:02}"
            row = {"account_id": "a", "closed_on": closed, "created_on": closed, "amount": amount, "currency": "EUR"}
            rows.append({**row, "is_won": won, "is_lost": not won})
    duck_warehouse.add("deal", *rows, covers=("2026-10-01", "2026-10-19"))
    duck_warehouse.sql("insert into money_currency values ('deal', 'test', 'EUR', '', 36)")
    made, problems = definitions.checked(TEXT.encode(), "metrics.yaml")
    assert made is not None, problems
    reader = duck_warehouse.reader()

    def tell(name, week=WEEK):
        return pace(name, week, made, run(question(name, week, made), made, reader))

    return tell


def words(found):
    return "".join(part.text for part in wording.pace(found, "EUR")).replace(SPACE, " ")


def test_a_sum_is_set_beside_its_share_of_the_target(told):
    found = told("bookings")
    assert (found.target.period, found.reached, found.gone) == ("2026-10", Decimal("0.6"), Decimal(18) / 31)  # 180 / 300
    assert words(found) == "Pace: 60.0 % of the target for 2026-10, with 58.1 % of it gone; 1.9 points more than its share"
    assert wording.pace(found, "EUR")[-1].tone == "better"
    costs = told("costs")  # 72 / 93 = 77.4 %
    assert words(costs) == "Pace: 77.4 % of the target for 2026-10, with 58.1 % of it gone; 19.4 points more than its share"
    assert wording.pace(costs, "EUR")[-1].tone == "worse"
    assert words(told("even")) == "Pace: 58.1 % of the target for 2026-10, with 58.1 % of it gone; on pace"  # 180 / 310 = 18 / 31


def test_a_ratio_to_date_is_set_beside_its_target(told):
    assert words(told("margin")) == "2026-10 to date: 60.0 %, with 58.1 % of it gone; 5.0 points under its target"


def test_there_is_no_pace_where_the_period_is_not_covered(told):
    later = Period(dt.date(2026, 10, 19), dt.date(2026, 10, 26))
    assert told("bookings", later) is None


def test_the_narrowest_target_that_names_its_period():
    year, month = (Target(dt.date(2026, 1, 1), dt.date(2027, 1, 1), Decimal(1), "2026"), Target(*_OCTOBER, Decimal(1), "2026-10"))
    always = Target(dt.date.min, dt.date.max, Decimal(1), "always")
    assert holding([always, year, month], dt.date(2026, 10, 31)) is month
    assert holding([always, year, month], dt.date(2026, 11, 1)) is year
    assert holding([always], dt.date(2026, 11, 1)) is None


_OCTOBER = (dt.date(2026, 10, 1), dt.date(2026, 11, 1))
