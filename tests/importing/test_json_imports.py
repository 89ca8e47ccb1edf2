"""JSON in the warehouse: it updates what other exports of the same system said, and nothing is counted twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpi.importing.importer import Options, import_paths
from kpi.importing.republish import rebuild
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.schema import import_problem, payment

pytestmark = pytest.mark.first_only

D = Decimal
Payments = Callable[..., Path]


def charge(number: int, amount: int, **more: Any) -> dict[str, Any]:
    """A charge of the API on 1 March 2026, 10:00 UTC."""
    about = {"currency": "eur", "created": 1772359200, "status": "succeeded", "paid": True, "refunded": False, "amount_refunded": 0}
    return {"id": f"ch_{number}", "object": "charge", "livemode": True, "amount": amount, "customer": "cus_1", **about, **more}


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """The same promises on either engine."""
    return settings if request.param == "duckdb" else replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def charges(tmp_path: Path) -> Callable[..., str]:
    """``charges("a.json", charge(1, 1000), …)`` writes a file; its path."""

    def write(name: str, *records: dict[str, Any]) -> str:
        path = tmp_path / name
        path.write_text("\n".join(json.dumps(record) for record in records) + "\n")
        return str(path)

    return write


def amounts(settings: Settings, *columns: str) -> list[tuple[Any, ...]]:
    names = ("payment_id", "amount", *columns)
    with open_reader(settings) as reader:
        found = reader.run(sa.select(*(payment.c[name] for name in names)).order_by(payment.c.payment_id))
    return [tuple(row.values()) for row in found.to_pylist()]


def test_the_api_updates_what_the_dashboard_said_and_is_kept(
    both: Settings, mappings: Mappings, payments: Payments, charges: Callable[..., str], contents: Callable[..., Any]
) -> None:
    import_paths(both, mappings, [str(payments("a.csv", [1, 2]))])
    assert amounts(both, "fee") == [("stripe:ch_1", D("10.0000"), D("0.5000")), ("stripe:ch_2", D("20.0000"), D("0.5000"))]
    file = charges("b.json", charge(2, 2050), charge(3, 3000))
    (report,) = import_paths(both, mappings, [file]).files
    assert (report.status, report.rows_read, report.rows_loaded, report.rows_rejected) == ("loaded", 2, 2, 0)
    # the API didn't expand the fees, so the one that is known stays
    assert amounts(both, "fee") == [
        ("stripe:ch_1", D("10.0000"), D("0.5000")),
        ("stripe:ch_2", D("20.5000"), D("0.5000")),
        ("stripe:ch_3", D("30.0000"), None),
    ]
    before = contents(both)
    assert [each.status for each in import_paths(both, mappings, [file]).files] == ["unchanged"]
    assert contents(both) == before
    rebuild(both, mappings)
    assert contents(both) == before


def test_what_was_said_of_the_amounts_is_kept_for_the_rebuild_and_can_be_corrected(
    settings: Settings, mappings: Mappings, charges: Callable[..., str]
) -> None:
    bare = {key: value for key, value in charge(1, 4500).items() if key not in ("object", "livemode")}
    file = charges("a.json", bare)
    (report,) = import_paths(settings, mappings, [file]).files
    assert report.status == "held back"
    assert "--amounts major" in report.message
    import_paths(settings, mappings, [file], Options(amounts="minor"))
    assert amounts(settings) == [("stripe:ch_1", D("45.0000"))]
    # the same bytes, read otherwise, are no repetition
    assert [each.status for each in import_paths(settings, mappings, [file], Options(amounts="major")).files] == ["loaded"]
    assert amounts(settings) == [("stripe:ch_1", D("4500.0000"))]
    rebuild(settings, mappings)
    assert amounts(settings) == [("stripe:ch_1", D("4500.0000"))]
    assert [each.status for each in import_paths(settings, mappings, [file]).files] == ["unchanged"]


def test_bad_records_are_listed(both: Settings, mappings: Mappings, charges: Callable[..., str]) -> None:
    records = [*(charge(number, 1000) for number in range(1, 9)), charge(9, 1000, created="yesterday")]
    (report,) = import_paths(both, mappings, [charges("a.json", *records)]).files
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (9, 8, 1)
    with open_reader(both) as reader:
        (problem,) = reader.run(sa.select(import_problem)).to_pylist()
    assert (problem["line"], problem["column_name"], problem["value"]) == (9, "created", "yesterday")
