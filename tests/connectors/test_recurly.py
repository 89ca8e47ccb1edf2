"""Recurly's exports with the columns that its documentation lists."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from kpi.errors import UnknownLayout
from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_adjustments(staged: Stager) -> None:
    """The amount is before discounts, the subtotal after: 300 - 30 + 32.40 tax. A refund of 100 takes its 10 of discount along.

    18:30 in California on 28 February is 1 March in UTC.
    """
    result = staged("recurly_adjustments.csv", currency="GBP")
    assert result.rows("invoice_line", "line_id", "invoice_id", "kind", "amount", "currency", "invoiced_on", "service_to") == [
        ("recurly:a1", "recurly:1001", "charge", D(300), "USD", date(2026, 3, 1), date(2026, 4, 1)),
        ("recurly:a1:discount", "recurly:1001", "discount", D(-30), "USD", date(2026, 3, 1), date(2026, 4, 1)),
        ("recurly:a1:tax", "recurly:1001", "tax", D("32.4"), "USD", date(2026, 3, 1), date(2026, 4, 1)),
        ("recurly:a2", "recurly:1002", "refund", D(-100), "USD", date(2026, 3, 9), date(2026, 4, 1)),
        ("recurly:a2:discount", "recurly:1002", "discount", D(10), "USD", date(2026, 3, 9), date(2026, 4, 1)),
        ("recurly:a2:tax", "recurly:1002", "tax", D("-10.8"), "USD", date(2026, 3, 9), date(2026, 4, 1)),
        # 119.00 with 19.00 of tax in the price
        ("recurly:a3", "recurly:1003", "charge", D(100), "EUR", date(2026, 3, 9), None),
        ("recurly:a3:tax", "recurly:1003", "tax", D(19), "EUR", date(2026, 3, 9), None),
    ]
    assert result.staged.notes == ("1 voided rows left out", "1 lines that are not invoiced yet left out")


def test_lines_of_taxes_are_not_taken_for_line_items(staged: Stager) -> None:
    header = "adjustment_uuid,account_code,invoice_number,invoice_billed_date,adjustment_amount,jurisdiction,jurisdiction_amount"
    with pytest.raises(UnknownLayout):
        staged(f"{header}\na1,acme,1001,2026-02-28 18:30:00 PST,100.00,state,6.00\na1,acme,1001,2026-02-28 18:30:00 PST,100.00,city,2.00\n")


def test_invoices(staged: Stager) -> None:
    # 302.40 - 32.40, and -100.80 + 10.80
    result = staged("recurly_invoices.csv")
    assert result.rows("invoice_line", "line_id", "kind", "amount", "currency", "invoiced_on") == [
        ("recurly:1001", "charge", D(270), "USD", date(2026, 3, 1)),
        ("recurly:1002", "credit", D(-90), "USD", date(2026, 3, 9)),
    ]
    assert result.staged.notes == ("1 voided rows left out",)


def test_transactions(staged: Stager) -> None:
    """Only payments that were recorded by hand say when they were collected."""
    result = staged("recurly_transactions.csv")
    assert result.rows("payment", "source_id", "status", "amount", "refunded", "paid_on", "refunded_on", "failure_reason") == [
        ("t1", "paid", D("302.4"), None, date(2026, 3, 1), None, None),
        ("t2", "paid", None, D("100.8"), None, date(2026, 3, 9), None),
        ("t3", "failed", D(119), None, date(2026, 3, 9), None, "Insufficient funds"),
        ("t4", "paid", D(119), None, date(2026, 3, 10), None, None),
    ]


def test_subscriptions_whose_period_is_read_off_its_days(staged: Stager) -> None:
    """A period from 28 February to 31 March is a month, one of 17 days is none that is known; a trial has its plan's."""
    result = staged("recurly_subscriptions_export.csv")
    assert result.rows("subscription_term", "source_id", "status", "monthly_amount", "currency", "started_on", "ended_on") == [
        ("s1", "active", D(300), "USD", date(2026, 1, 1), None),
        ("s2", "active", D(100), "EUR", date(2025, 6, 1), date(2026, 6, 1)),
        ("s3", "active", D(90), "USD", date(2026, 3, 1), None),
        ("s4", "active", D(2000), "JPY", date(2025, 1, 31), None),
        ("s5", "active", D(100), "USD", date(2026, 5, 1), None),
    ]
    assert [(line, value) for line, _, value, _ in result.problems()] == [(7, "17 days")]
    assert result.staged.notes == ("1 subscription is priced with its tax, which the export doesn't state: it is in its monthly amount",)


def test_a_trial_of_a_plan_that_nobody_pays_for_yet_says_no_period(staged: Stager) -> None:
    header, *rows = (SAMPLES / "recurly_subscriptions_export.csv").read_text().splitlines()
    result = staged("\n".join([header, rows[2], *[row.replace("gold", "silver") for row in rows[:2]]]) + "\n", bad_share=0.5)
    assert result.problems()[0][1:] == (
        "current_period_ends_at",
        "2026-03-15 10:00:00 PDT",
        "the period is one of trial or isn't stated, and no other row of the plan says how long a period is",
    )


def test_accounts(staged: Stager) -> None:
    assert staged("recurly_accounts.csv").rows("source_account", "source_id", "name", "domain") == [
        ("acme", "ACME Ltd", "acme.example"),
        ("solo", "Sam Solo", "solo.example"),
    ]
