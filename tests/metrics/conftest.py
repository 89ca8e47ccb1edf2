"""Warehouses filled by hand, on DuckDB and on a real PostgreSQL, and definitions written in a test."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kpi.metrics import definitions
from kpi.metrics.model import Definitions
from kpi.settings import Settings
from tests.metrics.hand_made import Warehouse


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def warehouse(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Warehouse]:
    """Empty; the test runs on each engine."""
    if request.param == "postgresql":
        settings = dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))
    made = Warehouse(settings)
    yield made
    made.close()


@pytest.fixture
def duck_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """Empty, on DuckDB only: for what no engine can answer differently."""
    made = Warehouse(settings)
    yield made
    made.close()


@pytest.fixture
def defined(tmp_path: Path) -> Callable[[str], Definitions]:
    """Definitions from the text of ``metrics:`` (and other sections, if the text begins with one)."""

    def load(text: str) -> Definitions:
        body = textwrap.dedent(text).strip("\n") + "\n"
        if "metrics:" not in body:
            body = "metrics:\n" + textwrap.indent(body, "  ")
        first = body[body.index("metrics:") :].splitlines()[1].split(":")[0].strip()
        head = "" if "north_star:" in body else f"north_star: {first}\n"
        head += "" if "currency:" in body.split("metrics:")[0] else "currency: EUR\n"
        path = tmp_path / "metrics.yaml"
        path.write_text(head + body, encoding="utf-8")
        return definitions.load(path)

    return load
