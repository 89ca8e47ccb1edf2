"""Warehouses filled by hand, on DuckDB and on a real PostgreSQL, and definitions written in a test."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kpi.metrics import definitions
from kpi.metrics.model import Definitions
from kpi.settings import Settings
from tests.conftest import ROOT, new_database
from tests.metrics.hand_made import Team, Warehouse


@pytest.fixture(scope="session")
def team(postgres_server: str) -> Iterator[Team]:
    """The database of all tests that run on PostgreSQL."""
    made = Team(new_database(postgres_server))
    yield made
    made.close()


@pytest.fixture(scope="session", params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Team | None:
    """What makes every test that asks for a warehouse two: DuckDB (None) and PostgreSQL."""
    return request.getfixturevalue("team") if request.param == "postgresql" else None


@pytest.fixture(scope="module")
def fresh(engine: Team | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Warehouse]]:
    """Makes empty warehouses, for tests that need many; readers of one stay what they were when the next is filled."""
    settings = Settings(home=tmp_path_factory.getbasetemp() / "no home", metrics=ROOT / "metrics.yaml")
    made: list[Warehouse] = []

    def make() -> Warehouse:
        made.append(Warehouse(settings, engine))
        return made[-1]

    yield make
    for warehouse in made:
        warehouse.close()


@pytest.fixture
def warehouse(fresh: Callable[[], Warehouse]) -> Iterator[Warehouse]:
    """Empty; the test runs on each engine."""
    made = fresh()
    yield made
    made.close()


@pytest.fixture
def duck_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """Empty, on DuckDB only: for what is refused before any engine is asked, or is about DuckDB."""
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
