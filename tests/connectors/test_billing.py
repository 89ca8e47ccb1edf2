"""Chargebee, Recurly and Paddle: subscriptions as a price a month, lines, and money that goes back."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from kpi.errors import HeldBack, Unreadable
from tests.connectors.conftest import SAMPLES, Stager

D = Decimal
TERM = ("source_id", "status", "monthly_amount", "currency", "started_on", "ended_on", "canceled_on", "cancel_reason")
MINOR = "amounts are read as the smallest unit of its currency, so that 4500 is 45.00 USD: none has decimals"


def test_chargebee_s_subscriptions(staged: Stager) -> None:
    result = staged("chargebee_subscriptions.csv")
    # 3 · 10.00; 1200.00 / 12, ending with its term; 300 yen a quarter, since a yen has no cents; a trial; 2 · 10.00, overdue
    assert result.rows("subscription_term", *TERM) == [
        ("sub_1", "active", D(30), "EUR", date(2026, 1, 5), None, None, None),
        ("sub_2", "active", D(100), "EUR", date(2025, 6, 1), date(2026, 6, 1), None, None),
        ("sub_3", "canceled", D(100), "JPY", date(2025, 1, 1), date(2026, 1, 1), date(2026, 1, 1), "Too expensive"),
        ("sub_4", "trial", D(10), "EUR", date(2026, 3, 4), None, None, None),
        ("sub_5", "past_due", D(20), "EUR", date(2026, 1, 5), None, None, None),
    ]
    assert result.rows("subscription_term", "past_due_on", "trial_ends_on")[0] == (date(2026, 2, 20), None)
    assert MINOR in result.staged.notes


def test_amounts_with_decimals_are_no_cents(staged: Stager) -> None:
    text = (SAMPLES / "chargebee_subscriptions.csv").read_text().replace(",1000,", ",10.00,")
    result = staged(text)
    # decided for the whole file: 120000 a year is 10000 a month, and 300 yen are 300 yen
    assert [amount for (amount,) in result.rows("subscription_term", "monthly_amount")] == [D(10), D(20), D(30), D(100), D(10000)]
    assert "amounts are read as whole units, so that 4500 is 4500.00: 10.00 stands in it" in result.staged.notes


def test_chargebee_s_transactions(staged: Stager) -> None:
    result = staged("chargebee_transactions.csv", timezone="Europe/Berlin")
    # 23:30 UTC on 1 March is 2 March in Berlin; what is given back is a transaction of its own
    assert result.rows("payment", "source_id", "status", "amount", "refunded", "paid_on", "refunded_on") == [
        ("txn_1", "paid", D(30), None, date(2026, 3, 2), None),
        ("txn_2", "paid", None, D(5), None, date(2026, 3, 9)),
        ("txn_3", "failed", D(1200), None, date(2026, 3, 2), None),
    ]
    assert "1 authorizations left out" in result.staged.notes


def test_chargebee_s_invoices_and_credit_notes(staged: Stager) -> None:
    invoices = staged("chargebee_invoices.csv", timezone="Europe/Berlin")
    # totals less tax: 35.70 - 5.70; 330 - 30 yen, which has no smaller unit; 11.000 - 1.000 dinars of a thousand fils
    assert invoices.rows("invoice_line", "line_id", "kind", "amount", "currency", "invoiced_on") == [
        ("chargebee:1001", "charge", D(30), "EUR", date(2026, 3, 2)),
        ("chargebee:1002", "charge", D(300), "JPY", date(2026, 3, 2)),
        ("chargebee:1003", "charge", D(10), "KWD", date(2026, 3, 3)),
    ]
    assert invoices.staged.notes == (MINOR, "1 pending invoices left out", "1 voided rows left out")
    notes = staged("chargebee_credit_notes.csv")
    assert notes.rows("invoice_line", "line_id", "kind", "amount", "currency", "invoiced_on") == [
        ("chargebee:CN-1", "refund", D(-10), "EUR", date(2026, 3, 9)),
        ("chargebee:CN-2", "credit", D(-100), "JPY", date(2026, 3, 10)),
    ]


def test_chargebee_s_line_items(staged: Stager) -> None:
    lines = staged("chargebee_lines.csv")
    # 3 · 10.00 with 3.00 off and 5.13 tax; 11.90 of which 1.90 are tax; 5.00 given back for unused time
    assert lines.rows("invoice_line", "line_id", "kind", "amount", "service_to") == [
        ("chargebee:li_1", "charge", D(30), date(2026, 4, 1)),
        ("chargebee:li_1:discount", "discount", D(-3), date(2026, 4, 1)),
        ("chargebee:li_1:tax", "tax", D("5.13"), date(2026, 4, 1)),
        ("chargebee:li_2", "charge", D(10), date(2026, 4, 1)),
        ("chargebee:li_2:tax", "tax", D("1.9"), date(2026, 4, 1)),
        ("chargebee:li_3", "credit", D(-5), date(2026, 3, 1)),
    ]


def test_recurly_s_subscriptions(staged: Stager) -> None:
    # 3 · 10.00 + 5.00; 1200.00 / 12, canceled and in service until it expires; one that is over
    assert staged("recurly_subscriptions.csv").rows("subscription_term", *TERM) == [
        ("uuid1", "active", D(35), "EUR", date(2026, 1, 5), None, None, None),
        ("uuid2", "active", D(100), "EUR", date(2025, 6, 1), date(2026, 6, 1), date(2026, 2, 1), None),
        ("uuid3", "canceled", D(10), "EUR", date(2025, 1, 1), date(2026, 1, 1), date(2025, 12, 1), None),
    ]


def test_recurly_s_line_items(staged: Stager) -> None:
    result = staged("recurly_line_items.csv")
    assert result.rows("invoice_line", "line_id", "kind", "amount", "service_to") == [
        ("recurly:li1", "charge", D(30), date(2026, 4, 5)),
        ("recurly:li1:discount", "discount", D(-5), date(2026, 4, 5)),
        ("recurly:li1:tax", "tax", D("4.75"), date(2026, 4, 5)),
        ("recurly:li2", "refund", D(-10), date(2026, 4, 5)),
    ]
    assert result.staged.notes == ("1 voided rows left out",)


def test_paddle_s_line_items_and_adjustments(staged: Stager) -> None:
    lines = staged("paddle_line_items.csv")
    # 30.00 - 3.00 net, 5.13 tax; the draft is no invoice
    assert lines.rows("invoice_line", "line_id", "kind", "amount") == [
        ("paddle:txnitm_1", "charge", D(30)),
        ("paddle:txnitm_1:discount", "discount", D(-3)),
        ("paddle:txnitm_1:tax", "tax", D("5.13")),
    ]
    adjusted = staged("paddle_adjustments.csv")
    assert adjusted.rows("invoice_line", "line_id", "kind", "amount") == [
        ("paddle:adj_1", "refund", D(-10)),
        ("paddle:adj_2", "credit", D(-5)),
    ]
    # only the refund moves money: 11.90 with its tax
    assert adjusted.rows("payment", "source_id", "refunded", "refunded_on") == [("adj_1", D("11.9"), date(2026, 3, 9))]


def test_paddle_s_transactions_are_payments_of_the_day_they_were_captured(staged: Stager) -> None:
    result = staged("paddle_transactions.csv", timezone="Europe/Berlin")
    # captured at 23:30 UTC is the next day in Berlin; an invoice of 1 February was paid on 5 March; what is paid but not yet
    # completed has no day of billing
    assert result.rows("payment", "source_id", "status", "amount", "fee", "currency", "paid_on") == [
        ("txn_1", "paid", D("32.13"), D("2.11"), "EUR", date(2026, 3, 2)),
        ("txn_2", "paid", D(3300), D(165), "JPY", date(2026, 3, 5)),
        ("txn_3", "paid", D("11.9"), None, "EUR", date(2026, 3, 6)),
        ("txn_4", "failed", D("35.7"), None, "EUR", date(2026, 3, 7)),
    ]
    assert result.staged.notes[1:] == ("1 drafts left out", "1 canceled transactions left out")


def test_paddle_s_line_items_whose_id_is_called_id(staged: Stager) -> None:
    # 20.00 - 3.00 and 10.00; 5.00 given back, of which 0.95 tax comes on top
    assert staged("paddle_items.csv").rows("invoice_line", "line_id", "invoice_id", "kind", "amount") == [
        ("paddle:txnitm_1", "paddle:txn_1", "charge", D(20)),
        ("paddle:txnitm_1:discount", "paddle:txn_1", "discount", D(-3)),
        ("paddle:txnitm_1:tax", "paddle:txn_1", "tax", D("3.23")),
        ("paddle:txnitm_2", "paddle:txn_1", "charge", D(10)),
        ("paddle:txnitm_2:tax", "paddle:txn_1", "tax", D("1.9")),
        ("paddle:txnitm_3", "paddle:txn_7", "credit", D(-5)),
        ("paddle:txnitm_3:tax", "paddle:txn_7", "tax", D("-0.95")),
    ]


def test_paddle_s_adjustments_whose_id_is_called_id(staged: Stager) -> None:
    result = staged("paddle_adjustment_report.csv")
    assert result.rows("invoice_line", "line_id", "kind", "amount", "currency") == [
        ("paddle:adj_1", "refund", D(-10), "EUR"),
        ("paddle:adj_2", "credit", D(-5), "EUR"),
        ("paddle:adj_3", "refund", D(-1000), "JPY"),
    ]
    # with tax: 11.90 refunded, 1100 yen charged back; a credit moves no money
    assert result.rows("payment", "payment_id", "refunded", "currency", "refunded_on") == [
        ("paddle:adj_1", D("11.9"), "EUR", date(2026, 3, 9)),
        ("paddle:adj_3", D(1100), "JPY", date(2026, 3, 11)),
    ]
    with pytest.raises(Unreadable, match=r"paddle_adjustment_items\.csv can't be read: it is a report of adjustment line items"):
        staged("paddle_adjustment_items.csv")


def test_paddle_s_subscriptions(staged: Stager) -> None:
    # 3 · 10.00; 1200.00 / 12 until the cancellation takes effect; 300 yen a quarter; 6.00 every two weeks, 26 a year
    assert staged("paddle_subscriptions.csv").rows("subscription_term", *TERM) == [
        ("sub_1", "active", D(30), "EUR", date(2026, 1, 5), None, None, None),
        ("sub_2", "active", D(100), "USD", date(2025, 6, 1), date(2026, 6, 1), None, None),
        ("sub_3", "canceled", D(100), "JPY", date(2025, 1, 1), date(2025, 12, 1), date(2025, 12, 1), None),
        ("sub_4", "trial", D(13), "EUR", date(2026, 3, 4), None, None, None),
    ]


TRANSACTIONS = "id,customer_id,gateway,type,date,amount,currency_code,status\n"


def paid(*amounts: str, kind: str = "payment") -> str:
    rows = [f'txn_{at},c_1,stripe,{kind},2026-03-01,"{amount}",EUR,success\n' for at, amount in enumerate(amounts)]
    return TRANSACTIONS + "".join(rows)


@pytest.mark.parametrize(
    ("amounts", "read"),
    [
        (["3000", "500"], ["30", "5"]),
        (["3,000", "500"], ["30", "5"]),  # thousands
        (["€3000", "(500)"], ["30", "-5"]),
        (["30,50", "1.234,00"], ["30.50", "1234"]),  # decimal commas: not minor units
        (["3000.00", "500.00"], ["3000", "500"]),
    ],
)
def test_amounts_in_minor_units_are_read_as_their_column_writes_them(staged: Stager, amounts: list[str], read: list[str]) -> None:
    result = staged(paid(*amounts))
    assert [amount for _, amount in result.rows("payment", "payment_id", "amount")] == [D(text) for text in read]


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        (["3000"] * 30 + ["12.50"], "1 of 31 have decimals, as 12.50 does"),
        (["3000"] * 30 + ["1.23E+05"], "1 of 31 have decimals, as 1.23E+05 does"),
        (["3000.0", "500.0"], "those with decimals write a bare 0 behind the mark, as 3000.0 does"),
        (["1.234"] * 3, "can be thousands or three decimals"),
    ],
)
def test_amounts_that_could_be_cents_or_not_are_a_question(staged: Stager, amounts: list[str], said: str) -> None:
    with pytest.raises(HeldBack, match=re.escape(said)):
        staged(paid(*amounts))
    if "decimals" in said and "thousands" not in said:
        assert staged(paid(*amounts[:1]), amounts="minor").rows("payment", "amount") == [(D(30),)]


def test_an_amount_of_fourteen_digits_is_no_break_down(staged: Stager) -> None:
    assert staged(paid("13027200000000")).rows("payment", "amount") == [(D(130272000000),)]


@pytest.mark.parametrize("system", ["chargebee", "recurly", "paddle"])
def test_a_kind_of_row_that_is_not_known_is_a_problem(staged: Stager, system: str) -> None:
    name = {"recurly": "recurly_transactions.csv", "paddle": "paddle_adjustments.csv"}.get(system, "chargebee_transactions.csv")
    lines = (SAMPLES / name).read_text().splitlines()
    odd = {"chargebee": ("payment", "web"), "recurly": ("purchase", "web"), "paddle": ("refund", "web")}[system]
    row = next(line for line in lines[1:] if f",{odd[0]}," in line).replace(f",{odd[0]},", f",{odd[1]},")
    result = staged("\n".join([*lines, *lines[1:], row]) + "\n")
    assert [(value, reason[:10]) for _, _, value, reason in result.problems()] == [("web", "not one of")]
