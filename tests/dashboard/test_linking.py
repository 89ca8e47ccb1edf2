"""Deciding on the page who a customer is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kpi.dashboard.heat import SHADES, shade
from kpi.dashboard.linking import LATER, NOBODY, NOT_HERE, Linking, at_stake, choices, decided
from kpi.errors import UsageError
from kpi.records.links import Decision
from kpi.settings import Settings
from kpi.warehouse.waiting import Proposal, Stake, Waiting

ACME = Waiting(
    *("stripe", "cus_1", "Acme", None, None),
    (Stake("invoice_line", "EUR", Decimal("1200"), 3), Stake("issue", None, None, 2)),
    (
        Proposal("salesforce:1", "Acme Inc.", Decimal("0.93"), "names alike"),
        Proposal("salesforce:2", "Acme Ltd", Decimal("0.91"), "names alike"),
    ),
)
LONE = Waiting("stripe", "cus_2", None, "x@y.example", None)


def test_the_choices_are_the_accounts_it_may_be_the_likeliest_first():
    assert choices(ACME) == [
        LATER,
        "is Acme Inc. · salesforce:1 (0.93: names alike)",
        "is Acme Ltd · salesforce:2 (0.91: names alike)",
        NOBODY,
    ]
    assert choices(LONE) == [LATER, NOBODY]


def test_what_was_chosen_becomes_decisions():
    chosen = {0: choices(ACME)[2], 1: NOBODY}
    assert decided([ACME, LONE], chosen, "Ada", "saw the contract") == [
        Decision("account", "confirmed", "stripe", "cus_1", "salesforce:2", "Ada", "saw the contract"),
        Decision("account", "rejected", "stripe", "cus_2", None, "Ada", "saw the contract"),
    ]
    assert decided([ACME], {0: LATER}, "Ada", "") == []
    assert decided([ACME], {0: "is somebody else · salesforce:9 (1.00: made up)"}, "Ada", "") == []


def test_the_money_at_stake_is_said():
    assert at_stake(ACME) == "1,200.00 EUR invoiced"
    assert at_stake(LONE) == "no rows yet"


def test_a_refusal_is_a_sentence():
    def refuses(settings, decisions):
        raise UsageError("stripe:cus_1 is that account already; name another one")

    linking = Linking()
    assert linking.decide(Settings(), []) == NOT_HERE
    linking.decider = refuses
    assert linking.decide(Settings(), []) == "Nothing was decided: stripe:cus_1 is that account already; name another one"
    linking.decider = lambda settings, decisions: 1
    assert linking.decide(Settings(), []).startswith("1 decision written down and published")


@pytest.mark.parametrize(("rows", "most", "expected"), [(0, 0, 0), (0, 9, 0), (1, 1000, 1), (1000, 1000, SHADES), (500, 1000, 3)])
def test_shades(rows, most, expected):
    assert shade(rows, most) == expected
