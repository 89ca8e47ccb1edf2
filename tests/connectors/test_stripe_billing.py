"""What Stripe's API answers of invoices, subscriptions and fees."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_invoices_with_their_lines(staged: Stager) -> None:
    result = staged("stripe_api_invoices.json", timezone="Europe/Berlin")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_loaded) == ("api invoices", 3, 2)
    rows = result.rows("invoice_line", "line_id", "kind", "amount", "source_product_id", "service_from", "service_to")
    march = (date(2026, 3, 1), date(2026, 4, 1))
    assert rows == [
        ("stripe:il_1", "charge", D("300.0000"), "price_atlas_month", *march),
        ("stripe:il_1:discount", "discount", D("-30.0000"), "price_atlas_month", *march),
        ("stripe:il_1:tax", "tax", D("51.3000"), "price_atlas_month", *march),
        # 119.00 with 19.00 of tax in it; of the credits one is a discount, which is told apart
        ("stripe:il_2", "charge", D("100.0000"), "price_beacon", *march),
        ("stripe:il_2:credit", "credit", D("-5.0000"), "price_beacon", *march),
        ("stripe:il_2:tax", "tax", D("19.0000"), "price_beacon", *march),
        ("stripe:il_3", "credit", D("-40.0000"), "price_beacon", date(2026, 3, 1), date(2026, 3, 15)),
        # 80.00 without tax less 100.00 − 5.00 − 40.00
        ("stripe:in_2:rest", "charge", D("25.0000"), None, *march),
    ]
    assert {row[0] for row in result.rows("invoice_line", "invoiced_on", "line_id") if "in_" not in row[1] and "il_1" in row[1]} == {
        date(2026, 3, 2)
    }
    assert result.staged.notes[1:] == (
        "1 voided rows left out",
        "1 invoice has more lines than the file holds: what these come to is one line, without a product. Ask for its /lines",
    )
    replaces = result.staged.tables[0].replaces
    assert replaces is not None
    spoken_of = result.connection.execute(f"SELECT invoice_id FROM {replaces.scope} ORDER BY 1").fetchall()
    assert spoken_of == [("stripe:in_1",), ("stripe:in_2",), ("stripe:in_3",)]


def test_the_lines_are_those_of_the_dashboard(staged: Stager) -> None:
    names = ("line_id", "invoice_id", "kind", "amount", "currency", "source_product_id", "service_from", "service_to")
    by_csv = staged("stripe_invoice_line_items.csv", timezone="UTC").rows("invoice_line", *names)[:3]
    assert by_csv == staged("stripe_api_invoices.json", timezone="UTC").rows("invoice_line", *names)[:3]


def test_subscriptions_with_their_items(staged: Stager) -> None:
    result = staged(SAMPLES / "stripe_api_subscriptions.jsonl")
    assert (result.staged.layout, result.staged.rows_read, result.staged.rows_loaded) == ("api subscriptions", 4, 3)
    # 3 · 100; 1000 / 12; 2 · 9 · 26 / 12 = 39 less a quarter; (1 + 10 · 5 + 2 · 3) / 3 = 19, less 10 / 3
    assert result.rows("subscription_term", "term_id", "source_product_id", "plan", "status", "monthly_amount", "list_monthly_amount") == [
        ("stripe:sub_1", "price_atlas_month", "Atlas", "active", D("300.0000"), D("300.0000")),
        ("stripe:sub_1", "price_seats_year", "price_seats_year", "active", D("83.3333"), D("83.3333")),
        ("stripe:sub_2", "plan_week", "Week", "canceled", D("29.2500"), D("39.0000")),
        ("stripe:sub_3", "price_tiers", "Tiers", "paused", D("15.6667"), D("19.0000")),
    ]
    assert result.rows("subscription_term", "source_id", "started_on", "canceled_on", "ended_on", "cancel_reason")[2] == (
        "sub_2", date(2025, 6, 1), date(2026, 2, 1), date(2026, 6, 1), "too_expensive",
    )  # fmt: skip
    assert result.staged.notes[1:] == (
        "1 subscriptions that were never paid for left out",
        "1 subscription has metered items, which are no recurring revenue and left out",
    )


def test_prices_without_an_interval_or_an_amount_are_set_aside(staged: Stager, tmp_path: Path) -> None:
    lines = (SAMPLES / "stripe_api_subscriptions.jsonl").read_text().splitlines()
    first, third = json.loads(lines[0]), json.loads(lines[2])
    first["items"]["data"][0]["price"]["recurring"]["interval"] = "fortnight"
    del third["items"]["data"][0]["price"]["tiers"]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(first) + "\n" + json.dumps(third) + "\n")
    result = staged(path)
    assert [row[:2] for row in result.problems()] == [(1, "items.data.of.a_month"), (2, "items.data.net")]
    assert [row[0] for row in result.rows("subscription_term", "source_product_id")] == ["price_seats_year"]


def test_fees_of_balance_transactions(staged: Stager, tmp_path: Path) -> None:
    about = {"object": "balance_transaction", "currency": "eur", "created": 1772407800}
    records = [
        {"id": "txn_1", "type": "charge", "source": "ch_1", "amount": 9246, "fee": 293, "net": 8953, "exchange_rate": 0.92, **about},
        {
            "id": "txn_2",
            "type": "payment",
            "source": {"id": "py_2"},
            "amount": 5000,
            "fee": 175,
            "net": 4825,
            "exchange_rate": None,
            **about,
        },
        {"id": "txn_3", "type": "payout", "source": "po_1", "amount": -13778, "fee": 0, "net": -13778, "exchange_rate": None, **about},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"object": "list", "data": records, "has_more": False}))
    result = staged(path, amounts="minor")
    assert result.rows("payment", "payment_id", "fee", "home_fee", "home_amount", "home_currency") == [
        ("stripe:ch_1", None, D("2.9300"), D("92.4600"), "EUR"),
        ("stripe:py_2", D("1.7500"), D("1.7500"), D("50.0000"), "EUR"),
    ]
    # nothing else of the payment is known from it, so nothing else is touched
    columns = {row[0] for row in result.connection.execute(f"DESCRIBE {result.staged.tables[0].relation}").fetchall()}
    assert columns == {"payment_id", "source", "source_id", "fee", "home_fee", "home_amount", "home_currency"}


def test_the_fictional_invoices(staged: Stager, shared_data: Path) -> None:
    result = staged(shared_data / "stripe_api" / "stripe_invoices.json", amounts="major")
    invoices = json.loads((shared_data / "stripe_api" / "stripe_invoices.json").read_text())
    expected = sum(invoice["amount_due"] for invoice in invoices if invoice["status"] not in ("void", "draft"))
    assert sum(row[0] for row in result.rows("invoice_line", "amount")) == expected
