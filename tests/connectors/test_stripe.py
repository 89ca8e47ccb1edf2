"""Stripe's Dashboard exports."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from kpi.errors import Unreadable
from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_payments(staged: Stager) -> None:
    result = staged("stripe_payments.csv", timezone="Europe/Berlin")
    assert (result.staged.connector, result.staged.layout) == ("stripe", "unified payments, all columns")
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (3, 3, 0)
    # 23:30 UTC on 1 March is 0:30 on 2 March in Berlin
    assert result.rows("payment", "payment_id", "status", "amount", "refunded", "currency", "paid_on", "refunded_on") == [
        ("stripe:ch_1", "paid", D("100.0000"), D("0.0000"), "USD", date(2026, 3, 2), None),
        ("stripe:ch_2", "paid", D("50.0000"), D("20.0000"), "EUR", date(2026, 3, 2), date(2026, 3, 9)),
        ("stripe:ch_3", "failed", D("70.0000"), D("0.0000"), "EUR", date(2026, 3, 3), None),
    ]
    # the last payment is of 3 March, the last refund of 9 March
    assert result.staged.covers == {"payment": (date(2026, 3, 2), date(2026, 3, 10), "dates of its rows")}


def test_the_fee_is_in_the_currency_that_is_paid_out(staged: Stager) -> None:
    result = staged("stripe_payments.csv")
    assert result.rows("payment", "source_id", "fee", "home_fee", "home_amount", "home_refunded", "home_currency") == [
        ("ch_1", None, D("3.2000"), D("92.0000"), D("0.0000"), "EUR"),
        ("ch_2", D("1.7500"), D("1.7500"), D("50.0000"), D("20.0000"), "EUR"),
        ("ch_3", D("0.0000"), None, None, None, None),
    ]


def test_customers_come_once_by_id_or_else_by_mail(staged: Stager) -> None:
    result = staged("stripe_payments.csv")
    assert result.rows("source_account", "source_id", "name", "email", "domain", "other_id") == [
        ("cus_1", "First GmbH", "billing@first.example", "first.example", "0014600001TvgfW"),
        ("pay@second.example", None, "pay@second.example", "second.example", None),
    ]
    assert result.rows("payment", "source_id", "source_account_id", "failure_reason", "description") == [
        ("ch_1", "cus_1", None, "Subscription"),
        ("ch_2", "cus_1", None, "Subscription"),
        ("ch_3", "pay@second.example", "The bank declined it.", '=HYPERLINK("x")'),
    ]


def test_line_items_become_charges_discounts_and_taxes(staged: Stager) -> None:
    result = staged("stripe_invoice_line_items.csv")
    assert result.rows("invoice_line", "line_id", "kind", "amount", "source_product_id", "service_from", "service_to") == [
        ("stripe:il_1", "charge", D("300.0000"), "price_atlas_month", date(2026, 3, 1), date(2026, 4, 1)),
        ("stripe:il_1:discount", "discount", D("-30.0000"), "price_atlas_month", date(2026, 3, 1), date(2026, 4, 1)),
        ("stripe:il_1:tax", "tax", D("51.3000"), "price_atlas_month", date(2026, 3, 1), date(2026, 4, 1)),
        ("stripe:il_2", "credit", D("-40.0000"), "price_atlas_month", date(2026, 3, 1), date(2026, 3, 15)),
    ]
    assert result.staged.notes == ("1 drafts left out", "1 voided rows left out")
    assert (result.staged.rows_read, result.staged.rows_loaded) == (4, 2)


def test_a_voided_invoice_takes_its_lines_away(staged: Stager) -> None:
    result = staged("stripe_invoice_line_items.csv")
    replaces = result.staged.tables[0].replaces
    assert replaces is not None
    assert replaces.columns == ("invoice_id",)
    spoken_of = result.connection.execute(f"SELECT invoice_id FROM {replaces.scope} ORDER BY 1").fetchall()
    assert spoken_of == [("stripe:in_1",), ("stripe:in_2",), ("stripe:in_3",)]


def test_invoices_without_lines_are_one_charge_without_tax(staged: Stager) -> None:
    result = staged("stripe_invoices.csv")
    assert result.staged.layout == "invoices"
    # 357.00 less 57.00 tax
    assert result.rows("invoice_line", "line_id", "amount", "service_from", "service_to") == [
        ("stripe:in_1", D("300.0000"), date(2026, 3, 1), date(2026, 4, 1))
    ]


def test_subscriptions_as_a_price_a_month(staged: Stager) -> None:
    result = staged("stripe_subscriptions.csv")
    # 3 · 100; 1000 / 12 = 83.3333; 2 · 9 · 52 / 12 = 78; 100 / 3 = 33.3333
    assert result.rows("subscription_term", "subscription_id", "status", "monthly_amount", "started_on", "canceled_on", "ended_on") == [
        ("stripe:sub_1", "active", D("300.0000"), date(2025, 5, 1), None, None),
        ("stripe:sub_2", "active", D("83.3333"), date(2025, 6, 1), date(2026, 2, 1), date(2026, 6, 1)),
        ("stripe:sub_3", "trial", D("78.0000"), date(2026, 3, 3), None, None),
        ("stripe:sub_4", "canceled", D("33.3333"), date(2025, 1, 1), date(2025, 12, 20), date(2026, 1, 1)),
    ]
    assert result.staged.notes == ("1 subscriptions that were never paid for left out",)


def test_what_lies_ahead_is_not_covered(staged: Stager) -> None:
    # periods end in April and June 2026; the last thing that has happened is the trial's beginning on 3 March
    assert staged("stripe_subscriptions.csv").staged.covers == {
        "subscription_term": (date(2025, 1, 1), date(2026, 3, 4), "dates of its rows")
    }


def test_the_real_default_columns(staged: Stager, shared_data: Path) -> None:
    result = staged(shared_data / "stripe" / "unified_payments_default_columns.csv")
    assert result.staged.rows_loaded == 6
    assert sum(row[0] for row in result.rows("payment", "amount")) == 240  # 6 · 40.00


PAID = "id,Created date (UTC),Amount,Amount Refunded,Currency,Converted Amount,Converted Amount Refunded,Converted Currency,Status"


def test_a_refund_without_a_date_counts_on_the_day_of_its_payment_and_the_note_says_so(staged: Stager) -> None:
    result = staged(
        f"{PAID}\n"
        "ch_1,2026-03-01 10:00:00,50.00,50.00,eur,50.00,50.00,eur,Refunded\n"
        "ch_2,2026-03-02 10:00:00,50.00,0.00,eur,50.00,0.00,eur,Paid\n"
        "ch_3,2026-03-03 10:00:00,50.00,,eur,50.00,,eur,Paid\n"
        "ch_4,2026-03-04 10:00:00,fifty,9.00,eur,50.00,9.00,eur,Paid\n"
        "ch_5,2026-03-05 10:00:00,50.00,20.00,eur,50.00,20.00,eur,Partially refunded\n"
    )
    assert result.rows("payment", "source_id", "refunded", "refunded_on") == [
        ("ch_1", D("50.0000"), date(2026, 3, 1)),
        ("ch_2", D("0.0000"), None),
        ("ch_3", None, None),
        ("ch_5", D("20.0000"), date(2026, 3, 5)),
    ]
    # ch_4 is rejected, and not among them
    assert result.staged.notes == (
        '2 refunds without a date count on the day of their payment: export all columns, which have "Refunded date (UTC)"',
    )


def test_one_refund_without_a_date_is_said_of_one(staged: Stager) -> None:
    result = staged(f"{PAID}\nch_1,2026-03-01 10:00:00,50.00,50.00,eur,50.00,50.00,eur,Refunded\n")
    assert result.staged.notes == (
        '1 refund without a date counts on the day of its payment: export all columns, which have "Refunded date (UTC)"',
    )


def test_a_payment_whose_dispute_is_open_or_lost_is_disputed(staged: Stager) -> None:
    lines = [("Paid", "lost"), ("Refunded", "under_review"), ("Paid", "Needs response"), ("Paid", "won"), ("Paid", "warning_closed")]
    lines += [("Paid", ""), ("Failed", "lost")]
    result = staged(
        f"{PAID},Dispute Status\n"
        + "".join(
            f"ch_{at},2026-03-01 10:00:00,50.00,0.00,eur,50.00,0.00,eur,{status},{dispute}\n" for at, (status, dispute) in enumerate(lines)
        )
    )
    statuses = dict(result.rows("payment", "source_id", "status"))
    assert [statuses[f"ch_{at}"] for at in range(len(lines))] == ["disputed"] * 3 + ["paid"] * 3 + ["failed"]


def test_what_failed_was_not_converted(staged: Stager) -> None:
    result = staged(
        f"{PAID}\n"
        "ch_1,2026-03-01 10:00:00,50.00,0.00,usd,0.00,0.00,eur,Failed\n"
        "ch_2,2026-03-01 10:00:00,50.00,0.00,usd,45.00,0.00,eur,Paid\n"
    )
    # 50 USD that failed are not worth 0 EUR
    assert result.rows("payment", "source_id", "amount", "home_amount") == [
        ("ch_1", D("50.0000"), None),
        ("ch_2", D("50.0000"), D("45.0000")),
    ]


def test_lists_say_who_is_who_and_what_is_what(staged: Stager) -> None:
    assert staged("stripe_customers.csv").rows("source_account", "source_id", "name", "email", "other_id") == [
        ("cus_1", "First GmbH", "billing@first.example", "0014600001TvgfW")
    ]
    assert staged("stripe_prices.csv").rows("source_product", "source_id", "name", "code") == [("price_1", "Atlas", "prod_1")]
    assert staged("stripe_products.csv").rows("source_product", "source_id", "name") == [("prod_1", "Atlas")]


def test_reports_of_the_balance_are_refused_since_they_repeat_the_payments(staged: Stager) -> None:
    header = "balance_transaction_id,created_utc,created,available_on_utc,currency,gross,fee,net,reporting_category,source_id,description"
    with pytest.raises(Unreadable) as refused:
        staged(
            f"{header}\ntxn_1,2026-03-01 10:00:00,2026-03-01 11:00:00,2026-03-03,eur,100.00,3.20,96.80,charge,ch_1,\n", name="balance.csv"
        )
    assert str(refused.value) == (
        "balance.csv can't be read: it is a report of Stripe's balance or payouts, whose payments, refunds and fees are in the export of "
        "payments and would count twice; import Dashboard > Payments > Export, all columns, instead. "
        "Stripe's own invoices for fees are costs of the ledger"
    )


def test_why_a_subscription_was_cancelled_in_words(staged: Stager) -> None:
    text = (SAMPLES / "stripe_subscriptions.csv").read_text().replace("Cancellation Reason", "Cancellation Reason,Cancellation Comment")
    text = (
        text.replace("too_expensive,", "too_expensive,We have no budget,")
        .replace(",active,,", ",active,,,")
        .replace(",trialing,,", ",trialing,,,")
    )
    text = text.replace("incomplete_expired,,", "incomplete_expired,,,")
    found = staged(text).rows("subscription_term", "source_id", "cancel_reason", "cancel_comment")
    assert found[3] == ("sub_4", "too_expensive", "We have no budget")


def test_three_decimals_are_an_amount_of_dinars(staged: Stager) -> None:
    """1.234 beside cents may be a thousand; of a currency with a thousand parts it is what it says."""
    header = "id,Created date (UTC),Amount,Amount Refunded,Currency,Status\n"
    rows = "ch_1,2026-03-01 10:00:00,100.50,0.00,eur,Paid\nch_2,2026-03-01 10:00:00,1.234,0.000,kwd,Paid\n"
    result = staged(header + rows + "ch_3,2026-03-01 10:00:00,2.345,0.00,eur,Paid\n", bad_share=0.5)
    assert result.rows("payment", "source_id", "amount") == [("ch_1", Decimal("100.5")), ("ch_2", Decimal("1.234"))]
    assert [line for line, *_ in result.problems()] == [4]
