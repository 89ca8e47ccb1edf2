"""docs/connectors.md says what the connectors do, and its example works."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kpi.importing import recognising
from kpi.importing.describing import describe
from kpi.importing.staging import Context, stage
from kpi.sources.reading import read

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "connectors.md"


def block(language: str, section: str = "## Writing a connector") -> str:
    """The first block of code in a language, in a section."""
    text = DOCS.read_text(encoding="utf-8").partition(section)[2]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_docs_hold_what_the_connectors_read() -> None:
    text = DOCS.read_text(encoding="utf-8")
    generated = text.partition("<!-- generated: connectors -->\n")[2].partition("<!-- end of generated -->")[0]
    assert generated.strip() == describe().strip()


def test_the_example_of_a_mapping(tmp_path: Path) -> None:
    source, problems = read(block("yaml", "## Any other file").encode(), "sources/tills.yaml")
    assert source is not None, problems
    path = tmp_path / "sales.csv"
    path.write_text(block("csv", "## Any other file"), encoding="utf-8")
    (tmp_path / "staging").mkdir()
    with duckdb.connect() as connection:
        context = Context("EUR", "UTC", sources=(source.connector,))
        staged = stage(connection, path, path.name, context, tmp_path / "staging")
        columns = "payment_id, source_account_id, status, amount, CAST(paid_on AS VARCHAR)"
        rows = connection.execute(f"SELECT {columns} FROM {staged.tables[0].relation} ORDER BY 1").fetchall()
    assert rows == [
        ("tills:R-1", "Ada", "paid", Decimal("1234.5000"), "2026-02-01"),
        ("tills:R-2", None, "pending", Decimal("20.0000"), "2026-02-03"),
    ]
    assert (staged.rows_read, staged.rows_loaded, staged.rows_rejected) == (3, 2, 0)
    assert "1 receipts of the training mode left out" in staged.notes


def test_the_example_of_a_connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {}
    exec(block("python"), names)
    monkeypatch.setattr(recognising, "CONNECTORS", (names["TALLY"],))
    path = tmp_path / "sales.csv"
    path.write_text(block("csv"), encoding="utf-8")
    (tmp_path / "staging").mkdir()
    with duckdb.connect() as connection:
        staged = stage(connection, path, path.name, Context("EUR", "UTC", bad_share=0.5), tmp_path / "staging")
        rows = connection.execute(f"SELECT payment_id, amount, currency FROM {staged.tables[0].relation} ORDER BY 1").fetchall()
        problems = connection.execute(f"SELECT * FROM {staged.problems}").fetchall()
    assert rows == [("tally:R-1", Decimal("1234.5000"), "EUR"), ("tally:R-2", Decimal("-20.0000"), "EUR")]
    assert problems == [(5, "Net", "lots", "not an amount")]
    assert (staged.rows_read, staged.rows_loaded, staged.rows_rejected) == (4, 2, 1)
    assert "1 receipts of the training mode left out" in staged.notes
