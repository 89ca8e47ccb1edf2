"""Rates into the company's currency, of files and of the history that ships."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kpi.warehouse.rates import rates_of, shipped

DAY, NEXT = dt.date(2026, 1, 9), dt.date(2026, 1, 10)
D = Decimal


def test_straight_the_other_way_round_and_over_the_euro():
    bank = {("EUR", "USD"): {DAY: D("1.25")}, ("EUR", "GBP"): {DAY: D("0.8"), NEXT: D("0.9")}}
    assert rates_of("EUR", "USD", [bank]) == {DAY: D("1.25")}
    assert rates_of("USD", "EUR", [bank]) == {DAY: D("0.8")}  # 1 / 1.25
    assert rates_of("USD", "GBP", [bank]) == {DAY: D("0.64")}  # 0.8 / 1.25; the next day lacks the dollar
    assert rates_of("CHF", "GBP", [bank]) == {}


def test_a_day_s_rate_is_that_of_the_first_source_that_has_one():
    own, bank = {("USD", "EUR"): {DAY: D("0.9")}}, {("EUR", "USD"): {DAY: D("1.25"), NEXT: D("2")}}
    assert rates_of("USD", "EUR", [own, bank]) == {DAY: D("0.9"), NEXT: D("0.5")}


def test_twelve_places_are_rounded_once_and_half_to_even():
    assert rates_of("JPY", "EUR", [{("EUR", "JPY"): {DAY: D("184.13")}}]) == {DAY: D("0.005430945528")}  # 1 / 184.13 = 0.00543094552761…
    crossed = {("EUR", "IDR"): {DAY: D("20275.17")}, ("EUR", "KWD"): {DAY: D("0.3")}}
    assert rates_of("IDR", "KWD", [crossed]) == {DAY: D("0.000014796423")}  # 0.3 / 20275.17 = 0.0000147964234…


def test_the_history_that_ships_is_the_bank_s():
    history = shipped()
    # the Bank's first day, as it publishes it
    assert history.quotes[("EUR", "USD")][dt.date(1999, 1, 4)] == D("1.1789")
    assert history.until >= dt.date(2026, 1, 1)
    assert not any(day.weekday() > 4 for day in history.quotes[("EUR", "GBP")])


@given(st.decimals("0.0001", "100000", places=4), st.decimals("0.0001", "100000", places=4))
def test_there_and_back_is_one_but_for_the_last_place(one, other):
    bank = {("EUR", "USD"): {DAY: one}, ("EUR", "GBP"): {DAY: other}}
    there, back = rates_of("USD", "GBP", [bank]), rates_of("GBP", "USD", [bank])
    if there and back:
        # each is off by half a unit of the 12th place at most
        assert abs(there[DAY] * back[DAY] - 1) <= (there[DAY] + back[DAY]) * D("5e-13") + D("1e-24")
