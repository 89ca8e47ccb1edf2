"""The sample company in DuckDB and in PostgreSQL: every metric of the catalogue, by week, product and segment, is the same."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kpi.cli import main
from kpi.errors import QueryError
from kpi.importing.importer import import_paths
from kpi.metrics import definitions, query
from kpi.metrics.model import Definitions, Query
from kpi.metrics.publishing import mappings_of
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.reader import Reader
from tests.conftest import new_database

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

END = dt.date(2026, 11, 15)
SINCE = dt.date(2026, 8, 3)
METRICS_FILE = Path(__file__).parents[2] / "metrics.yaml"
SPLITS: tuple[tuple[str, ...], ...] = ((), ("product",), ("segment",), ("product", "segment"))


@pytest.fixture(scope="module")
def shared() -> Definitions:
    return definitions.load(METRICS_FILE)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory, postgres_server: str, shared: Definitions) -> Iterator[tuple[Reader, Reader]]:
    """The same files, imported into each."""
    folder = tmp_path_factory.mktemp("sample")
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["demo", "--until", END.isoformat(), "--into", str(folder / "files"), "--files-only"]) == 0
    places = (Settings(home=folder / "duckdb"), Settings(home=folder / "postgres", warehouse_url=new_database(postgres_server)))
    for settings in places:
        report = import_paths(settings, mappings_of(shared), [str(folder / "files")])
        assert {file.status for file in report.files} == {"loaded"}
    with open_reader(places[0]) as duckdb, open_reader(places[1]) as postgres:
        yield duckdb, postgres


def _asked(shared: Definitions, reader: Reader, by: tuple[str, ...], grain: Any) -> dict[str, list[dict[str, Any]] | str]:
    """The rows of each metric; of one that can't be split so, the sentence that says why."""
    found: dict[str, list[dict[str, Any]] | str] = {}
    for name in shared.metrics:
        try:
            result = query.run(Query((name,), by=by, grain=grain, since=SINCE, until=END + dt.timedelta(days=1)), shared, reader)
        except QueryError as error:
            found[name] = str(error)
            continue
        rows = result.table.to_pylist()
        found[name] = sorted(rows, key=lambda row: [str(row["period"]), *(str(row[one]) for one in by)])
    return found


@pytest.mark.parametrize("by", SPLITS, ids=lambda by: "×".join(by) or "total")
@pytest.mark.parametrize("grain", ["week", "month"])
def test_every_metric_is_the_same(shared: Definitions, readers: tuple[Reader, Reader], by: tuple[str, ...], grain: str) -> None:
    here, there = (_asked(shared, reader, by, grain) for reader in readers)
    assert {name for name, rows in here.items() if isinstance(rows, list) and rows}  # something was compared
    for name, rows in here.items():
        assert there[name] == rows, name
