"""Files read by mappings: imported, made again from the archive, and read anew when a mapping changed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from kpi.errors import WarehouseError
from kpi.importing.current import ensure_current
from kpi.importing.importer import Options, import_paths
from kpi.importing.republish import rebuild
from kpi.warehouse.engines import current_generation, open_reader
from kpi.warehouse.schema import cost_line, import_run, payment, subscription_term

pytestmark = pytest.mark.first_only

TILLS = """
# how the tills write their sales
source: tills
exports:
  sales:
    columns: [Receipt, Sold on, Net]
    rows:
      payment: {payment_id: Receipt, status: {value: paid}, amount: Net, currency: {value: EUR}, paid_on: Sold on}
"""
SALES = "Receipt;Sold on;Net\nR-1;2026-03-01;10,50\nR-2;2026-03-02;20,00\n"


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request, settings, tmp_path):
    """Settings with a folder of mappings, on either engine."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "tills.yaml").write_text(TILLS)
    settings = dataclasses.replace(settings, sources=folder)
    if request.param == "duckdb":
        return settings
    return dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


def _written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def _amounts(settings):
    with open_reader(settings) as reader:
        return {row["payment_id"]: row["amount"] for row in reader.run(sa.select(payment.c.payment_id, payment.c.amount)).to_pylist()}


BOTH = {"tills:R-1": Decimal("10.5000"), "tills:R-2": Decimal("20.0000")}


def test_a_rebuild_equals_the_import_whatever_became_of_the_mapping(desk, mappings, tmp_path, payments, contents):
    files = [_written(tmp_path, "sales.csv", SALES), str(payments("stripe.csv", [1, 2]))]
    report = import_paths(desk, mappings, files)
    assert [(file.connector, file.layout, file.status, file.rows_loaded) for file in report.files] == [
        ("tills", "sales", "loaded", 2),
        ("stripe", "unified payments", "loaded", 2),
    ]
    before = contents(desk)
    rebuild(desk, mappings)
    assert contents(desk) == before
    (desk.sources / "tills.yaml").unlink()  # the archive keeps it
    rebuild(desk, mappings)
    assert contents(desk) == before
    # another mapping that would take both files, written since
    (desk.sources / "greedy.yaml").write_text(TILLS.replace("source: tills", "source: greedy"))
    rebuild(desk, mappings)
    assert contents(desk) == before


def test_a_mapping_that_is_corrected_counts_for_what_was_imported_before(desk, mappings, tmp_path, contents):
    import_paths(desk, mappings, [_written(tmp_path, "sales.csv", SALES)])
    assert _amounts(desk) == BOTH
    file = desk.sources / "tills.yaml"
    file.write_text(TILLS.replace("how the tills", "this is how the tills"))  # reads as it did
    assert ensure_current(desk, mappings) == 1
    file.write_text(TILLS.replace("amount: Net", "amount: {column: Net, unit: cents}"))
    said: list[str] = []
    assert ensure_current(desk, mappings, said.append) == 2
    assert said[0] == f"{file} changed: every archived file is read again"
    cents = {"tills:R-1": Decimal("0.1050"), "tills:R-2": Decimal("0.2000")}
    assert _amounts(desk) == cents
    assert ensure_current(desk, mappings) == 2
    # what counts now is kept as well, though no import has used it
    before = contents(desk)
    file.unlink()
    assert ensure_current(desk, mappings) == 2
    rebuild(desk, mappings)
    assert contents(desk) == before


def test_other_mappings_of_metrics_leave_the_mapping_of_files_known(desk, mappings, tmp_path):
    import_paths(desk, mappings, [_written(tmp_path, "sales.csv", SALES)])
    other = dataclasses.replace(mappings, hash="m2")
    assert ensure_current(desk, other) == 2
    (desk.sources / "tills.yaml").write_text(TILLS.replace("amount: Net", "amount: {column: Net, unit: cents}"))
    assert ensure_current(desk, other) == 3


def test_a_mapping_that_reads_its_file_no_more_publishes_nothing(desk, mappings, tmp_path):
    import_paths(desk, mappings, [_written(tmp_path, "sales.csv", SALES)])
    file = desk.sources / "tills.yaml"
    file.write_text(TILLS.replace("columns: [Receipt,", "columns: [Shop, Receipt,"))
    with pytest.raises(WarehouseError, match=f"line 1 of the archive can't be imported any more with {file}; nothing was published: "):
        ensure_current(desk, mappings)
    assert current_generation(desk) == 1
    file.write_text("source: tills\n")  # in the middle of being written
    assert ensure_current(desk, mappings) == 1
    assert _amounts(desk) == BOTH


def test_the_archive_says_what_described_a_file(desk, mappings, tmp_path):
    import_paths(desk, mappings, [_written(tmp_path, "sales.csv", SALES)])
    line = json.loads((desk.home / "archive" / "imports.jsonl").read_text())
    assert line["connector"] == "tills"
    assert (desk.home / "archive" / line["options"]["mapping"][:2] / f"{line['options']['mapping']}.zst").exists()


def test_a_broken_mapping_is_said_and_harms_no_other(settings, mappings, tmp_path, payments):
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "tills.yaml").write_text(TILLS.replace("amount", "amonut"))
    settings = dataclasses.replace(settings, sources=folder)
    said: list[str] = []
    report = import_paths(settings, mappings, [_written(tmp_path, "sales.csv", SALES), str(payments("a.csv", [1]))], say=said.append)
    assert [file.status for file in report.files] == ["unknown", "loaded"]
    file = folder / "tills.yaml"
    assert f"{file} has 1 problem and reads nothing: python -m kpi check {file} lists them" in said


COSTS = """
source: books
exports:
  costs:
    columns: [Account, Day, Amount]
    rows:
      cost_line:
        cost_id: {made_of: row}
        ledger_account: Account
        booked_on: Day
        amount: Amount
        currency: {value: EUR}
        replaces: {of: ledger_account, during: booked_on}
  everything:
    columns: [Konto, Day, Amount]
    rows:
      cost_line:
        cost_id: {made_of: row}
        ledger_account: Konto
        booked_on: Day
        amount: Amount
        currency: {value: EUR}
        replaces: {during: booked_on}
"""


def test_rows_without_an_id_take_the_place_of_what_their_file_covers(desk, mappings, tmp_path, contents):
    (desk.sources / "books.yaml").write_text(COSTS)
    first = "Account,Day,Amount\n4000,2026-01-05,10\n4000,2026-01-05,10\n4000,2026-01-20,7\n4100,2026-01-06,5\n"
    import_paths(desk, mappings, [_written(tmp_path, "a.csv", first)])
    second = "Account,Day,Amount\n4000,2026-01-05,10\n4000,2026-01-21,1\n"  # of 5 to 21 January in account 4000 this is all
    import_paths(desk, mappings, [_written(tmp_path, "b.csv", second)])

    def lines():
        with open_reader(desk) as reader:
            rows = reader.run(sa.select(cost_line.c.ledger_account, cost_line.c.booked_on, cost_line.c.amount)).to_pylist()
        return sorted((row["ledger_account"], row["booked_on"].day, int(row["amount"])) for row in rows)

    assert lines() == [("4000", 5, 10), ("4000", 21, 1), ("4100", 6, 5)]
    before = contents(desk)
    rebuild(desk, mappings)
    assert contents(desk) == before
    third = "Konto,Day,Amount\n5000,2026-01-06,9\n5000,2026-01-10,1\n"  # of 6 to 10 January this is all that the source has
    import_paths(desk, mappings, [_written(tmp_path, "c.csv", third)])
    assert lines() == [("4000", 5, 10), ("4000", 21, 1), ("5000", 6, 9), ("5000", 10, 1)]


TERMS = """
source: plans
exports:
  terms:
    columns: [Term, Sub, Price, From, To]
    rows:
      subscription_term:
        history: true
        term_id: Term
        subscription_id: Sub
        status: {value: active}
        monthly_amount: Price
        currency: {value: EUR}
        started_on: From
        ended_on: To
"""


def test_terms_that_say_when_they_held_are_taken_as_they_are(desk, mappings, tmp_path):
    (desk.sources / "plans.yaml").write_text(TERMS)
    rows = "Term,Sub,Price,From,To\n1,S,10,2025-01-01,2025-07-01\n2,S,15,2025-07-01,\n"
    import_paths(desk, mappings, [_written(tmp_path, "t.csv", rows)])
    later = "Term,Sub,Price,From,To\n2,S,15,2025-07-01,2026-01-01\n3,S,20,2026-01-01,\n"
    import_paths(desk, mappings, [_written(tmp_path, "u.csv", later)])
    columns = subscription_term.c.term_id, subscription_term.c.monthly_amount, subscription_term.c.ended_on, subscription_term.c.is_assumed
    with open_reader(desk) as reader:
        rows = reader.run(sa.select(*columns).order_by(columns[0])).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("plans:1", Decimal(10), dt.date(2025, 7, 1), None),
        ("plans:2", Decimal(15), dt.date(2026, 1, 1), None),
        ("plans:3", Decimal(20), None, None),
    ]


def test_as_names_a_mapping(desk, mappings, tmp_path):
    report = import_paths(desk, mappings, [_written(tmp_path, "sales.csv", SALES)], Options(connector="tills"))
    assert report.files[0].status == "loaded"
    with open_reader(desk) as reader:
        assert reader.run(sa.select(import_run.c.connector, import_run.c.layout)).to_pylist() == [{"connector": "tills", "layout": "sales"}]
