"""Records of JSON as flat parts, from the file to the tables."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import kpi.importing.recognising
from connectors.base import Connector, Layout, Mapping, Renews, Span, Tell, Tree
from connectors.fields import constant, currency, day, equals, filled, id_of, identifier, instant, minor, money, required, text, whole
from kpi.errors import HeldBack, ImportError_, UnknownLayout, Unreadable
from kpi.importing.staging import Context, Staged, stage

D = Decimal


def count(record: dict[str, Any], page: Any) -> None:
    """Adds what no path leads to, and what the page says."""
    record["made"] = {"lines": str(len(record.get("lines") or ())), "by": page.get("by")}


ORDERS = Connector(
    "shop",
    "Shop",
    (
        Layout(
            "orders",
            needs=(("ref",), ("customer.name",), ("lines.sku",)),
            tree=Tree(kind=("type", ("order",)), page=("by",), derive=count),
            mappings=(
                Mapping(
                    "deal",
                    {
                        "deal_id": required(id_of("shop", "ref")),
                        "source": constant("shop"),
                        "source_id": identifier("ref"),
                        "name": text("customer.name"),
                        "owner": text("made.by"),
                        "stage": text("made.lines"),
                        "pipeline": text("tags"),
                        "lead_source": text("lines.sku"),
                        "lost_reason": text("lines.0.sku"),
                        "amount": money("total"),
                        "currency": currency("currency"),
                        "created_on": required(day("at", zone="epoch")),
                        "modified_at": instant("changed", zone="epoch_ms"),
                    },
                    span=Span((instant("at", zone="epoch"),)),
                ),
                Mapping(
                    "deal_line",
                    {
                        "deal_line_id": required(id_of("shop", "lines.id")),
                        "deal_id": id_of("shop", "ref"),
                        "source": constant("shop"),
                        "source_product_id": text("lines.sku"),
                        "amount": required(money("lines.price")),
                        "currency": currency("currency"),
                    },
                    part="lines",
                    renews=Renews({"deal_id": id_of("shop", "ref")}),
                ),
                Mapping(
                    "deal_stage",
                    {
                        "deal_id": id_of("shop", "ref"),
                        "stage": text("steps.items.to"),
                        "entered_at": instant("steps.at"),
                        "source": constant("shop"),
                    },
                    part="steps.items",
                    where=equals("steps.items.field", "stage"),
                    interval=("deal_id",),
                ),
            ),
            tells=(Tell(filled("gift"), "orders are gifts", "order is a gift"),),
        ),
    ),
)

ONE = {
    "type": "order",
    "ref": 90071992547409931,
    "customer": {"name": "First GmbH"},
    "tags": ["new", "big"],
    "total": 30.1,
    "currency": "eur",
    "at": 1772359200,  # 1 March 2026, 10:00 UTC
    "changed": 1772359200123,
    "lines": [{"id": 1, "sku": "A", "price": 10.1}, {"id": 2, "sku": "B", "price": "20.00"}],
    "steps": [
        {"at": "2026-03-01T12:00:00+02:00", "items": [{"field": "stage", "to": "Sent"}, {"field": "owner", "to": "Jo"}]},
        {"at": "2026-03-02T12:00:00Z", "items": [{"field": "stage", "to": "Paid"}]},
    ],
}
TWO = {"ref": "o-2", "customer": {"name": None}, "total": 1.234, "at": 1772449200, "lines": [], "gift": True}

Read = Callable[..., "Rows"]


class Rows:
    """What a file became."""

    def __init__(self, staged: Staged, connection: duckdb.DuckDBPyConnection) -> None:
        self.staged = staged
        self.connection = connection

    def of(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        relation = next(part.relation for part in self.staged.tables if part.table == table)
        return self.connection.execute(f"SELECT {', '.join(columns)} FROM {relation} ORDER BY ALL").fetchall()

    def columns(self, table: str) -> set[str]:
        relation = next(part.relation for part in self.staged.tables if part.table == table)
        return {row[0] for row in self.connection.execute(f"DESCRIBE {relation}").fetchall()}

    def problems(self) -> list[tuple[Any, ...]]:
        return self.connection.execute(f"SELECT line, column_name, value, reason FROM {self.staged.problems} ORDER BY ALL").fetchall()


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """``read(text, bytes or value, name=…, connectors=…, …)``: a file of orders, staged."""
    connection = duckdb.connect()
    number = 0

    def run(content: Any, name: str = "a.json", connectors: Any = (ORDERS,), **context: Any) -> Rows:
        nonlocal number
        number += 1
        monkeypatch.setattr(kpi.importing.recognising, "CONNECTORS", connectors)
        raw = content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
        folder = tmp_path / f"staging{number}"
        folder.mkdir()
        path = tmp_path / name
        path.write_bytes(raw)
        about = Context(**{"currency": "USD", "timezone": "UTC", "bad_share": 1.0, **context})
        return Rows(stage(connection, path, name, about, folder), connection)

    yield run
    connection.close()


def test_dotted_columns_lists_as_parts_and_what_is_derived(read: Read) -> None:
    rows = read({"by": "Ann", "orders": [ONE, TWO]})
    assert (rows.staged.connector, rows.staged.layout) == ("shop", "orders")
    assert (rows.staged.rows_read, rows.staged.rows_loaded, rows.staged.rows_rejected) == (2, 2, 0)
    assert rows.of("deal", "deal_id", "name", "amount", "owner", "stage", "pipeline", "lead_source", "lost_reason") == [
        ("shop:90071992547409931", "First GmbH", D("30.1000"), "Ann", "2", "new, big", "A, B", "A"),
        ("shop:o-2", None, D("1.2340"), "Ann", "0", None, None, None),
    ]
    assert rows.of("deal", "modified_at", "currency") == [(datetime(2026, 3, 1, 10, 0, 0, 123000), "EUR"), (None, None)]
    assert rows.of("deal_line", "deal_line_id", "deal_id", "source_product_id", "amount") == [
        ("shop:1", "shop:90071992547409931", "A", D("10.1000")),
        ("shop:2", "shop:90071992547409931", "B", D("20.0000")),
    ]
    # a list in a list; what it is about stands in the outer one
    assert rows.of("deal_stage", "stage", "entered_at", "left_at") == [
        ("Paid", datetime(2026, 3, 2, 12), None),
        ("Sent", datetime(2026, 3, 1, 10), datetime(2026, 3, 2, 12)),
    ]
    assert rows.staged.notes == ("1 order is a gift",)


def test_an_order_without_lines_is_spoken_of(read: Read) -> None:
    rows = read([ONE, TWO])
    replaces = next(part.replaces for part in rows.staged.tables if part.table == "deal_line")
    assert replaces is not None
    assert rows.connection.execute(f"SELECT deal_id FROM {replaces.scope} ORDER BY 1").fetchall() == [
        ("shop:90071992547409931",),
        ("shop:o-2",),
    ]


def test_columns_that_no_record_has_are_not_in_the_file(read: Read) -> None:
    assert "modified_at" in read([ONE, TWO]).columns("deal")
    bare = {key: value for key, value in ONE.items() if key not in ("changed", "total", "currency")}
    rows = read([bare])
    assert {"modified_at", "amount"} & rows.columns("deal") == set()  # so that what is known stays
    # a currency that is nowhere in the file is the setting's
    assert rows.of("deal", "currency") == [("USD",)]
    assert "it names no currency, so amounts are taken as USD" in rows.staged.notes
    assert read([{**bare, "currency": None}]).of("deal", "currency") == [(None,)]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl.gz", "a.zip", "orders"])
def test_content_decides_and_not_the_name(read: Read, tmp_path: Path, name: str) -> None:
    content = "\n".join(json.dumps(each) for each in (ONE, TWO)).encode("utf-16" if name == "orders" else "utf-8")
    if name.endswith(".gz"):
        content = gzip.compress(content)
    elif name.endswith(".zip"):
        with zipfile.ZipFile(tmp_path / "made", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside.json", content)
        content = (tmp_path / "made").read_bytes()
    assert [row[0] for row in read(content, name).of("deal", "source_id")] == ["90071992547409931", "o-2"]


def test_bad_records_have_their_line_column_value_and_reason(read: Read) -> None:
    bad = [
        {**ONE, "ref": 1, "total": "1,5,0"},
        {**ONE, "ref": 2, "total": float("nan")},
        {**ONE, "ref": 3, "at": 1772359200000},
        {**ONE, "ref": 4, "changed": 1772359200},
        {**ONE, "ref": 5, "lines": [{"id": 7, "sku": "A", "price": 1}, {"id": 8, "sku": "A", "price": "free"}]},
        {**ONE, "type": "refund"},
        {**ONE, "ref": None},
    ]
    rows = read("\n".join(json.dumps(each) for each in [ONE, *bad]))
    assert rows.problems() == [
        (2, "total", "1,5,0", "not an amount"),
        (3, "total", "NaN", "not an amount"),
        (4, "at", "1772359200000", "neither seconds since 1970 nor a date and time with an offset"),
        (5, "changed", "1772359200", "neither milliseconds since 1970 nor a date and time with an offset"),
        (6, "lines.price", "free", "not an amount"),
        (7, "type", "refund", "the record is called refund, where the others are called order"),
        (8, "ref", "", "empty, and no row can do without it"),
    ]
    # the fifth is an order all the same, without one of its lines
    assert (rows.staged.rows_read, rows.staged.rows_loaded, rows.staged.rows_rejected) == (8, 2, 6)
    assert [row[0] for row in rows.of("deal", "source_id")] == ["5", "90071992547409931"]


def test_records_on_one_line_are_told_by_their_number(read: Read) -> None:
    assert read([ONE, {**ONE, "total": "x"}]).problems() == [(1, "total", "x", "not an amount (record 2)")]
    assert read(json.dumps([ONE, {**ONE, "total": "x"}], indent=1)).problems()[0][3] == "not an amount"


def test_each_bad_record_of_a_line_counts(read: Read) -> None:
    rows = read([ONE, 5, {**ONE, "type": "x"}, {**ONE, "lines": 7, "steps": "none"}, {**ONE, "made": 1, "lines": True}])
    assert rows.problems() == [
        (1, "", "", "it has other things in the places of its lists and objects than such a record has (record 5)"),
        (1, "", "5", "it is no object (record 2)"),
        # a 7 for the lines has neither
        (1, "lines.id", "", "empty, and no row can do without it (record 4)"),
        (1, "lines.price", "", "empty, and no row can do without it (record 4)"),
        (1, "type", "x", "the record is called x, where the others are called order (record 3)"),
    ]
    assert (rows.staged.rows_read, rows.staged.rows_loaded, rows.staged.rows_rejected) == (5, 2, 3)


def test_a_file_of_bad_records_is_held_back(read: Read) -> None:
    with pytest.raises(HeldBack) as held:
        read([ONE, {**ONE, "total": "x"}], bad_share=0.2)
    assert str(held.value).startswith('a.json is held back: 1 of 2 rows can\'t be used (more than 20 %), most often "total": not an amount')


def test_lists_that_are_not_read_are_told(read: Read) -> None:
    assert (
        'its list "refunds" is not read: import one kind of record a file' in read({"refunds": [{"id": 1}], "orders": [ONE]}).staged.notes
    )


def test_a_text_longer_than_a_row_can_be(read: Read) -> None:
    rows = read([ONE, {**TWO, "customer": {"name": "ü" * (5 << 20)}}])
    assert rows.problems() == [(1, "", "", "its texts are longer than 8 MB (record 2)")]
    assert rows.of("deal", "source_id") == [("90071992547409931",)]


def test_half_a_character_and_nul_do_no_harm(read: Read) -> None:
    assert read(
        '[{"ref": "1", "at": 1772359200, "customer": {"name": "a\\ud800b\\u0000c"}, "lines": [{"sku": 1, "id": 1, "price": 2}]}]'
    ).of("deal", "name") == [("a?bc",)]


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        ("[]", UnknownLayout, "it holds JSON without any record, an object, so that nothing tells what it is; docs/connectors.md "),
        ('{"orders": [], "next": null}', UnknownLayout, "no connector knows JSON whose objects hold orders, next; docs/connectors.md "),
        (
            '[{"ref": 1, "customer": {"name": "x"}}]',
            UnknownLayout,
            "no connector knows JSON whose objects hold ref, customer; the nearest layout is shop orders, which also needs lines.sku. "
            "Export it again with them; docs/connectors.md lists the exports that are read, and python -m kpi connectors --draft FILE",
        ),
        ('[{"ref": 1', Unreadable, "a.json can't be read: its JSON is cut off: it ends in the middle. Export it again"),
        ("[[[[" * 20_000, Unreadable, "a.json can't be read: what begins on line 1 has lists in lists deeper than any export"),
        ("null", Unreadable, "a.json can't be read: it holds a single value of JSON, and no records"),
        ('["a", "b"]', UnknownLayout, "it holds JSON without any record"),
    ],
)
def test_what_is_refused_is_refused_in_a_sentence(read: Read, content: str, error: type[ImportError_], said: str) -> None:
    with pytest.raises(error) as refused:
        read(content)
    assert str(refused.value).startswith(said)


# Minor and major units

PRICES = Connector(
    "till",
    "Till",
    (
        Layout(
            "payments",
            needs=(("id",), ("amount",)),
            tree=Tree(minor=("object", "livemode")),
            mappings=(
                Mapping(
                    "payment",
                    {
                        "payment_id": required(id_of("till", "id")),
                        "source": constant("till"),
                        "source_id": identifier("id"),
                        "amount": minor("amount", currency=currency("currency")),
                        "fee": minor("fee", currency=currency("currency"), fraction=True),
                        "currency": currency("currency"),
                    },
                ),
            ),
        ),
    ),
)


def payment(number: int, amount: Any, currency: str | None = "usd", **more: Any) -> dict[str, Any]:
    return {"id": number, "amount": amount, "currency": currency, "object": "payment", "livemode": True, **more}


def bare(*records: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key not in ("object", "livemode")} for record in records]


def test_marks_show_minor_units(read: Read) -> None:
    records = [payment(1, 4500), payment(2, 4500, "jpy"), payment(3, 4500, "kwd"), payment(4, -1), payment(5, 0, fee="12.5")]
    rows = read(records, connectors=(PRICES,))
    # 4500 cents; 4500 yen; 4500 fils, thousandths of a dinar; 12.5 cents
    assert rows.of("payment", "source_id", "amount", "fee") == [
        ("1", D("45.0000"), None),
        ("2", D("4500.0000"), None),
        ("3", D("4.5000"), None),
        ("4", D("-0.0100"), None),
        ("5", D("0.0000"), D("0.1250")),
    ]
    assert rows.staged.notes == (
        'amounts are read as the smallest unit of its currency, so that 4500 is 45.00 USD: its records carry "object" and "livemode", '
        "as those of Till's API do, which writes the smallest unit",
    )


def test_a_file_that_does_not_show_its_units_is_held_back_until_somebody_says(read: Read) -> None:
    records = bare(payment(1, 4500), payment(2, 100))
    with pytest.raises(HeldBack) as held:
        read(records, connectors=(PRICES,))
    assert str(held.value) == (
        'a.json is held back: its amounts, such as 4500, can be whole units or cents, and its records lack "object" and "livemode", '
        "which those of Till's API carry. Import it again with --amounts major where 4500 means 4500 of the currency, or with "
        "--amounts minor where it means a hundredth of that"
    )
    rows = read(records, connectors=(PRICES,), amounts="major")
    assert rows.of("payment", "amount") == [(D("100.0000"),), (D("4500.0000"),)]
    assert rows.staged.notes == ("amounts are read as whole units, so that 4500 is 4500.00: --amounts major says so",)
    assert read(records, connectors=(PRICES,), amounts="minor").of("payment", "amount") == [(D("1.0000"),), (D("45.0000"),)]


def test_one_record_without_the_marks_leaves_it_open(read: Read) -> None:
    with pytest.raises(HeldBack, match="can be whole units or cents"):
        read([payment(1, 4500), *bare(payment(2, 100))], connectors=(PRICES,))


def test_decimals_show_major_units(read: Read) -> None:
    rows = read(bare(payment(1, 4500), payment(2, 99.5)), connectors=(PRICES,))
    assert rows.of("payment", "amount") == [(D("99.5000"),), (D("4500.0000"),)]
    assert rows.staged.notes == ("amounts are read as whole units, so that 4500 is 4500.00: 99.5 stands in it",)


def test_marks_and_decimals_contradict_each_other(read: Read) -> None:
    with pytest.raises(HeldBack, match=r"which writes the smallest unit, yet 99\.5 stands in it\. Import it again with --amounts"):
        read([payment(1, 4500), payment(2, 99.5)], connectors=(PRICES,))
    assert read([payment(1, 4500), payment(2, 99.5)], connectors=(PRICES,), amounts="minor").problems() == [
        (1, "amount", "99.5", "not a whole number of the currency's smallest unit (record 2)")
    ]


def test_what_is_said_counts_before_the_marks_and_is_told(read: Read) -> None:
    rows = read([payment(1, 4500)], connectors=(PRICES,), amounts="major")
    assert rows.of("payment", "amount") == [(D("4500.0000"),)]
    assert rows.staged.notes[0].startswith("amounts are read as whole units, so that 4500 is 4500.00: --amounts major says so, though its")


def test_minor_units_of_no_currency_are_set_aside(read: Read) -> None:
    rows = read([payment(1, 4500), payment(2, 100, None)], connectors=(PRICES,))
    assert rows.problems() == [(1, "amount", "100", "in the smallest unit of a currency that isn't named (record 2)")]


def test_nothing_but_zeros_asks_nothing(read: Read) -> None:
    assert read(bare(payment(1, 0)), connectors=(PRICES,)).of("payment", "amount") == [(D("0.0000"),)]


def test_whole_numbers_of_any_length(read: Read) -> None:
    employees = Layout(
        "people", needs=(("id",),), tree=Tree(), mappings=(Mapping("account", {"account_id": text("id"), "employees": whole("n")}),)
    )
    rows = read([{"id": 1, "n": 12}, {"id": 2, "n": 10**30}], connectors=(Connector("hr", "HR", (employees,)),))
    assert rows.of("account", "account_id", "employees") == [("1", 12)]
    assert rows.problems() == [(1, "n", str(10**30), "not a number (record 2)")]
