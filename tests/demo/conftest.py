"""The sample company up to END: made, imported and opened once for all tests that read it."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kpi.cli import main
from kpi.demo import sample
from kpi.demo.company import Company
from kpi.metrics import definitions
from kpi.metrics.model import Definitions
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.reader import Reader

REPOSITORY = Path(__file__).parents[2]
#: A Sunday; the sample ends there, whatever today is.
END = dt.date(2026, 11, 15)


@pytest.fixture(scope="session")
def company() -> Company:
    return sample.make(sample.DEFAULT_SEED, END)


@pytest.fixture(scope="session")
def shared() -> Definitions:
    return definitions.load(REPOSITORY / "metrics.yaml")


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Path, dict[str, Any]]:
    """A KPI_HOME that ``demo`` filled, and what ``demo --json`` printed: one of all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "sample company"
    folder.mkdir(exist_ok=True)
    home, said = folder / "data", folder / "said.json"
    with (folder / "lock").open("w") as lock, pytest.MonkeyPatch.context() as environment:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            environment.setenv("KPI_HOME", str(home))
            environment.setenv("KPI_METRICS", str(REPOSITORY / "metrics.yaml"))
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
                assert main(["demo", "--until", END.isoformat(), "--json"]) == 0
            said.write_text(out.getvalue(), encoding="utf-8")
    return home, json.loads(said.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def warehouse(filled: tuple[Path, dict[str, Any]]) -> Iterator[Reader]:
    with open_reader(Settings(home=filled[0])) as reader:
        yield reader
