"""What Stripe's API answers."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from kpi.errors import HeldBack
from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_charges(staged: Stager) -> None:
    result = staged("stripe_api_charges.json", timezone="Europe/Berlin")
    assert (result.staged.connector, result.staged.layout) == ("stripe", "api charges")
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (8, 8, 0)
    # 1772407800 is 23:30 UTC on 1 March, 0:30 on 2 March in Berlin; the last refund that went through is of 9 March
    assert result.rows("payment", "payment_id", "status", "amount", "currency", "refunded", "paid_on", "refunded_on") == [
        ("stripe:ch_1", "paid", D("100.5000"), "USD", D("0.0000"), date(2026, 3, 2), None),
        ("stripe:ch_2", "paid", D("50.0000"), "EUR", D("20.0000"), date(2026, 3, 2), date(2026, 3, 9)),
        ("stripe:ch_3", "pending", D("7000.0000"), "JPY", None, date(2026, 3, 3), None),
        ("stripe:ch_5", "failed", D("30.0000"), "EUR", None, date(2026, 3, 3), None),
        ("stripe:ch_6", "disputed", D("40.0000"), "EUR", D("0.0000"), date(2026, 3, 3), None),
        ("stripe:ch_7", "paid", D("41.0000"), "EUR", D("41.0000"), date(2026, 3, 3), date(2026, 3, 3)),
        ("stripe:ch_8", "disputed", D("42.0000"), "EUR", D("0.0000"), date(2026, 3, 3), None),
        ("stripe:py_4", "failed", D("5.1200"), "KWD", D("0.0000"), date(2026, 3, 3), None),
    ]
    assert result.staged.covers == {"payment": (date(2026, 3, 2), date(2026, 3, 10), "dates of its rows")}
    assert result.staged.notes == (
        'amounts are read as the smallest unit of its currency, so that 4500 is 45.00 USD: its records carry "object" and "livemode", '
        "as those of Stripe's API do, which writes the smallest unit",
        "1 refund without a date counts on the day of its payment: ask the API to expand data.refunds",
        "1 payment was refunded on several days: what was refunded counts on the last",
        "1 payment is disputed and the file doesn't say how that ended: it counts as disputed. Ask the API to expand data.dispute",
    )


def test_fees_and_conversions_of_expanded_balance_transactions(staged: Stager) -> None:
    result = staged("stripe_api_charges.json")
    rows = result.rows("payment", "source_id", "invoice_id", "fee", "home_fee", "home_amount", "home_currency")
    assert rows[:3] == [
        # paid in dollars, paid out in euros: the fee is of those
        ("ch_1", "stripe:in_1", None, D("2.9300"), D("92.4600"), "EUR"),
        ("ch_2", None, D("1.7500"), D("1.7500"), D("50.0000"), "EUR"),
        ("ch_3", None, None, None, None, None),
    ]


def test_payers_by_id_or_else_by_mail(staged: Stager) -> None:
    result = staged("stripe_api_charges.json")
    assert result.rows("source_account", "source_id", "name", "email", "domain") == [
        ("cus_1", "First GmbH", "billing@first.example", "first.example"),
        ("cus_2", "Second SA", "pay@second.example", "second.example"),
        ("pay@third.example", None, "pay@third.example", "third.example"),
    ]
    assert [row[1] for row in result.rows("payment", "source_id", "source_account_id")][:3] == ["cus_1", "cus_2", "pay@third.example"]


def test_charges_without_the_marks_ask(staged: Stager, tmp_path: Path) -> None:
    pages = (SAMPLES / "stripe_api_charges.json").read_text().replace('"livemode": true, ', "")
    path = tmp_path / "charges.json"
    path.write_text(pages)
    with pytest.raises(HeldBack, match=r"such as 10050, can be whole units or cents, and its records lack \"object\" and \"livemode\""):
        staged(path)
    assert staged(path, amounts="major").rows("payment", "source_id", "amount", "currency")[0] == ("ch_1", D("10050.0000"), "USD")
    assert staged(path, amounts="minor").rows("payment", "source_id", "amount", "currency")[0] == ("ch_1", D("100.5000"), "USD")


def test_customers(staged: Stager, tmp_path: Path) -> None:
    customers = [
        {"id": "cus_1", "object": "customer", "created": 1700000000, "email": "Billing@First.example", "name": "First GmbH",
         "invoice_prefix": "A1", "livemode": True, "metadata": {"salesforce_account_id": "0014600001TvgfW"}},
        {"id": "cus_2", "object": "customer", "created": 1700000001, "email": None, "name": None, "invoice_prefix": "A2",
         "livemode": True, "metadata": {"company": "Second SA"}},
    ]  # fmt: skip
    path = tmp_path / "customers.json"
    path.write_text("\n".join(json.dumps(customer) for customer in customers))
    result = staged(path)
    assert (result.staged.layout, result.staged.rows_loaded) == ("api customers", 2)
    assert result.rows("source_account", "source_id", "name", "email", "domain", "other_id") == [
        ("cus_1", "First GmbH", "billing@first.example", "first.example", "0014600001TvgfW"),
        ("cus_2", "Second SA", None, None, None),
    ]


def test_the_fictional_company(staged: Stager, shared_data: Path) -> None:
    folder = shared_data / "stripe_api"
    with pytest.raises(HeldBack, match="Import it again with --amounts major"):
        staged(folder / "stripe_charges.json")
    result = staged(folder / "stripe_charges.json", amounts="major")
    paid = [row[1] for row in result.rows("payment", "status", "amount", "refunded") if row[0] == "paid"]
    # 4500 + 1200 + 650 + 2100 + 900 + 900 + 12000 + 2300 + 4100 + 560
    assert sum(paid) == 29210
    assert sum(row[0] or 0 for row in result.rows("payment", "refunded")) == 1210  # 650 + 560
    assert staged(folder / "stripe_customers.json").staged.rows_loaded == 12
