"""Mappings and drafts of JSON: lists of objects and one object a line, read by the same words as tables."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from kpi.errors import HeldBack, UnknownLayout, Unreadable
from kpi.sources.drafting import draft
from kpi.sources.profiling import look
from kpi.sources.reading import read

TILLS = """\
source: tills
exports:
  sales:
    columns: [receipt, sold_at, client.name, net]
    may_have: [tip]
    holds: [{that: net > 0, words: a sale is above nothing}]
    rows:
      payment:
        payment_id: receipt
        customer: client.name
        status: {value: paid}
        amount: {is: "net + coalesce(tip, 0)"}
        currency: {value: EUR}
        paid_on: sold_at
"""

SALES = [
    {"receipt": "R-1", "sold_at": "2026-02-01", "client": {"name": "Ada"}, "net": 1234.50, "tip": 1},
    {"receipt": "R-2", "sold_at": "2026-02-03", "client": {"name": None}, "net": 0.10, "tip": None},
    {"receipt": "R-3", "sold_at": "2026-02-04", "client": {"name": "Bob"}, "net": -5, "tip": None},
    {"receipt": "R-4", "sold_at": "2026-02-05", "client": {"name": "Bob"}, "net": "lots", "tip": None},
]


@pytest.mark.parametrize(
    "text",
    [json.dumps(SALES, indent=1), "\n".join(map(json.dumps, SALES)), json.dumps({"data": {"sales": SALES}, "more": False})],
    ids=["list", "lines", "page"],
)
def test_objects_are_rows_of_a_mapping(mapped, text):
    made = mapped(TILLS, text, "sales.json")
    assert (made.staged.connector, made.staged.layout) == ("tills", "sales")
    assert made.rows("payment", "source_id", "source_account_id", "amount", "paid_on") == [
        ("R-1", "Ada", Decimal("1235.5"), dt.date(2026, 2, 1)),
        ("R-2", None, Decimal("0.1"), dt.date(2026, 2, 3)),
        ("R-3", "Bob", Decimal(-5), dt.date(2026, 2, 4)),
    ]
    assert (made.staged.rows_read, made.staged.rows_loaded, made.staged.rows_rejected) == (4, 3, 1)
    assert [(column, value) for _, column, value, _ in made.problems()][-1] == ("net", "lots")
    assert any("1 of 4 records contradict themselves: not so: a sale is above nothing" in note for note in made.staged.notes)


@pytest.mark.parametrize("change", [{"net": {"eur": 5}}, {"tip": {"eur": 5}}, {"Net": 5}, {"TIP": 5}])
def test_a_key_that_would_be_read_as_empty_is_another_file(mapped, change):
    """An object under it, or its name written otherwise."""
    kept = {key: value for key, value in SALES[0].items() if key not in {name.lower() for name in change}}
    with pytest.raises(UnknownLayout):
        mapped(TILLS, json.dumps([kept | change]), "sales.json")


def test_what_a_connector_knows_as_well_is_asked(mapped):
    mapping = TILLS.replace("[receipt, sold_at, client.name, net]", "[id, created, status, amount]").replace("[tip]", "[currency]")
    mapping = mapping.replace("client.name", "status").replace("receipt", "id").replace("sold_at", "created")
    mapping = mapping.replace("net + coalesce(tip, 0)", "amount").replace("that: net", "that: amount")
    known = {"id": "ch_1", "object": "charge", "created": 1, "status": "succeeded", "amount": 5, "currency": "eur", "paid": True}
    with pytest.raises(HeldBack, match=r"as stripe api charges and as tills sales"):
        mapped(mapping, json.dumps([known | {"refunded": False, "livemode": True, "customer": None}]), "charges.json")


def test_a_draft_of_objects_reads_them(tmp_path):
    path = tmp_path / "shop_payments.json"
    folder = tmp_path / "folder"
    folder.mkdir()
    objects = [
        {"payment_id": "P-1", "date": "2026-02-01", "customer": None, "amount_usd": 12.5, "status": "paid", "lines": [{"sku": "a"}]},
        {"payment_id": "P-2", "date": "2026-02-02", "customer": {"mail": "a@b.example"}, "amount_usd": 7, "status": "paid"},
    ]
    path.write_text(json.dumps({"shop": {"id": 7}, "payments": objects}))
    sheet = look(path, folder)
    assert [(column.header, column.kind, column.filled) for column in sheet.columns] == [
        ("payment_id", "text", 2),
        ("date", "day", 2),
        ("amount_usd", "number", 2),
        ("status", "text", 2),
        ("customer.mail", "mail", 1),
    ]
    text = draft(sheet, path.name, ())
    assert "# lines is a list of objects: it can't be mapped" in text
    source, problems = read(text.encode(), "d.yaml")
    assert not problems, text
    (layout,) = source.connector.layouts
    assert {group[0] for group in layout.needs} == {"payment_id", "date", "amount_usd", "status", "customer.mail"}
    assert {"payment_id", "amount", "paid_on", "status"} <= set(layout.mappings[0].columns)


@pytest.mark.parametrize("text", ["[]", '[{"a": 1}, {"a"'])
def test_json_without_objects_makes_no_draft(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(Unreadable, match=r"can't be read|without any record"):
        look(path, tmp_path)
