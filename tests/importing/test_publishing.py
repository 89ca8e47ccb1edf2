"""What readers may rely on while imports run, meet, run out of space, or are killed."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import filelock
import pytest
import sqlalchemy as sa

from kpi.errors import WarehouseError
from kpi.importing.importer import import_paths
from kpi.importing.republish import rebuild
from kpi.metrics import definitions
from kpi.metrics.publishing import mappings_of
from kpi.warehouse import publish
from kpi.warehouse.engines import current_generation, open_reader
from kpi.warehouse.home import generations, read_current
from kpi.warehouse.schema import import_run, payment

ROOT = Path(__file__).resolve().parent.parent.parent

#: Rows of each file below, so that half a file is told from a whole one.
ROWS = 40


def _state(settings):
    """Payments of each run, as one statement sees them."""
    with open_reader(settings) as reader:
        counts = reader.run(sa.select(payment.c.run_id, sa.func.count().label("n")).group_by(payment.c.run_id)).to_pylist()
        runs = reader.run(sa.select(sa.func.count().label("n")).select_from(import_run)).to_pylist()[0]["n"]
    assert all(row["n"] == ROWS for row in counts), counts
    assert runs == len(counts)
    return runs


_WATCH = """
import sys, pathlib, sqlalchemy as sa
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.schema import import_run, payment
settings = Settings(home=pathlib.Path(sys.argv[1]), warehouse_url=sys.argv[2] or None)
print("ready", flush=True)
while True:
    with open_reader(settings) as reader:
        rows = reader.run(sa.select(sa.func.count()).select_from(payment)).column(0)[0].as_py()
        runs = reader.run(sa.select(sa.func.count()).select_from(import_run)).column(0)[0].as_py()
        print(reader.generation, runs, rows, flush=True)
        if runs == 6:
            break
"""


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request, settings):
    if request.param == "duckdb":
        return settings
    return dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


@pytest.mark.postgres_later
def test_a_reader_sees_the_old_or_the_new_whole(both, mappings, payments):
    files = [str(payments(f"{n}.csv", range(n * ROWS, (n + 1) * ROWS))) for n in range(1, 7)]
    watcher = subprocess.Popen(
        [sys.executable, "-c", _WATCH, str(both.home), both.warehouse_url or ""],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watcher.stdout is not None
    assert watcher.stdout.readline() == "ready\n"
    for path in files:
        import_paths(both, mappings, [path])
    out, error = watcher.communicate(timeout=120)
    assert error == ""
    seen = {tuple(map(int, line.split())) for line in out.splitlines()}
    assert seen <= {(n, n, n * ROWS) for n in range(7)}
    assert (6, 6, 6 * ROWS) in seen


def test_a_reader_keeps_its_generation_while_others_come(settings, mappings, payments):
    settings = dataclasses.replace(settings, keep_generations=2)
    import_paths(settings, mappings, [str(payments("0.csv", range(ROWS)))])
    with open_reader(settings) as old:
        for n in range(1, 5):
            import_paths(settings, mappings, [str(payments(f"{n}.csv", range(n * ROWS, (n + 1) * ROWS)))])
        assert old.generation == 1
        assert old.run(sa.select(sa.func.count()).select_from(payment)).column(0).to_pylist() == [ROWS]
    assert {4, 5} <= {number for number, _ in generations(settings.home)} <= {1, 4, 5}


def test_two_imports_at_once_both_land(both, mappings, payments, command):
    started = [command(both, "import", str(payments(f"{n}.csv", range(n * ROWS, (n + 1) * ROWS)))) for n in range(2)]
    for process in started:
        out, error = process.communicate(timeout=120)
        assert process.returncode == 0, out + error
    assert _state(both) == 2
    assert current_generation(both) == 2


def test_the_second_import_waits_and_says_so(settings, mappings, payments):
    settings.home.mkdir(parents=True)
    said = []
    with filelock.FileLock(settings.home / "import.lock"):
        second = threading.Thread(target=import_paths, args=(settings, mappings, [str(payments("0.csv", range(ROWS)))], None, said.append))
        second.start()
        deadline = time.monotonic() + 30
        while not said and time.monotonic() < deadline:
            time.sleep(0.01)
        assert said == [f"another import into {settings.home} is running; this one waits for it"]
        assert current_generation(settings) == 0
    second.join()
    assert _state(settings) == 1


def _kill_at_random(settings, mappings, payments, times):
    """Imports in processes of their own, each killed after a random part of the time that a whole one takes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kpi.importing.importer"])
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    import_paths(settings, mappings, [str(payments("0.csv", range(ROWS)))])  # so that there is an old generation
    landed, took = 1, 0.0
    for n in range(1, times + 2):
        path = str(payments(f"{n}.csv", range(n * ROWS, (n + 1) * ROWS)))
        process = context.Process(target=import_paths, args=(settings, mappings, [path]))
        began = time.monotonic()
        process.start()
        process.join(None if n == 1 else chance.uniform(0, 1.1 * took))
        took = took or time.monotonic() - began
        acknowledged = process.exitcode == 0
        process.kill()
        process.join()
        now = _state(settings)
        assert now in ({landed + 1} if acknowledged else {landed, landed + 1}), f"seed {seed}, import {n}"
        landed = now
    import_paths(settings, mappings, [str(payments("last.csv", range(10**6, 10**6 + ROWS)))])
    assert _state(settings) == landed + 1
    assert [path.name for path in settings.home.glob("*.part*")] == []
    assert list((settings.home / "archive").glob("*.part")) == []
    assert len((settings.home / "archive" / "imports.jsonl").read_text().splitlines()) == landed + 1


@pytest.mark.slow
def test_a_killed_import_leaves_the_old_or_the_new_whole(settings, mappings, payments, contents):
    _kill_at_random(settings, mappings, payments, 12)
    before = contents(settings)
    rebuild(settings, mappings)
    assert contents(settings) == before


@pytest.mark.slow
def test_a_hundred_killed_imports_leave_the_old_or_the_new_whole(settings, mappings, payments, contents):
    _kill_at_random(settings, mappings, payments, 100)
    before = contents(settings)
    rebuild(settings, mappings)
    assert contents(settings) == before


@pytest.mark.slow
@pytest.mark.postgres
def test_killed_imports_into_postgresql(settings, postgres_url, mappings, payments):
    _kill_at_random(dataclasses.replace(settings, warehouse_url=postgres_url), mappings, payments, 30)


#: Each step of publishing, in its order, with what must be there when a process dies just before and just after it.
_STEPS = (
    ("kpi.warehouse.publish.swap_current", 1, 2),
    ("kpi.warehouse.archive.Archive.keep", 1, 1),
    ("kpi.warehouse.publish.sync_file", 1, 1),
    ("kpi.warehouse.archive.Archive.append", 1, 1),
)

_DIE = """
import importlib, json, os, pathlib, sys
from kpi.importing.importer import import_paths
from kpi.settings import Settings
from kpi.warehouse.mappings import Mappings
home, step, when, path = sys.argv[1:]
owner, name = step.rsplit(".", 1)
try:
    owner = importlib.import_module(owner)
except ModuleNotFoundError:
    module, kind = owner.rsplit(".", 1)
    owner = getattr(importlib.import_module(module), kind)
whole = getattr(owner, name)
def dies(*arguments):
    if when == "after":
        whole(*arguments)
    os._exit(9)
setattr(owner, name, dies)
import_paths(Settings(home=pathlib.Path(home)), Mappings("EUR", "UTC", {}, {}, "m1"), [path])
"""


@pytest.mark.first_only
@pytest.mark.parametrize(("step", "before", "after"), _STEPS, ids=[step[0].rsplit(".", 1)[1] for step in _STEPS])
def test_a_death_at_each_step_of_publishing(settings, mappings, payments, step, before, after):
    import_paths(settings, mappings, [str(payments("0.csv", range(ROWS)))])
    landed = 1
    for n, (when, more) in enumerate((("before", before), ("after", after)), start=1):
        path = payments(f"{n}.csv", range(n * ROWS, (n + 1) * ROWS))
        died = subprocess.run([sys.executable, "-c", _DIE, str(settings.home), step, when, str(path)], cwd=ROOT, check=False)
        assert died.returncode == 9
        landed += more - 1
        assert _state(settings) == landed
        assert len(json.loads((settings.home / "CURRENT").read_text())) == 3
    import_paths(settings, mappings, [str(payments("last.csv", range(9 * ROWS, 10 * ROWS)))])
    assert _state(settings) == landed + 1
    blobs = {path.stem for path in (settings.home / "archive").rglob("*.zst")}
    logged = [json.loads(line)["sha256"] for line in (settings.home / "archive" / "imports.jsonl").read_text().splitlines()]
    assert len(logged) == landed + 1
    assert set(logged) <= blobs


@pytest.mark.slow
@pytest.mark.first_only
@pytest.mark.parametrize("kilobytes", [1024, 1, 64, 4096])
def test_a_full_disk_leaves_the_old_generation(settings, payments, contents, kilobytes):
    mappings = mappings_of(definitions.load(settings.metrics))
    import_paths(settings, mappings, [str(payments("0.csv", range(ROWS)))])
    before = contents(settings)
    big = payments("big.csv", range(10**6, 10**6 + 20_000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    code = (
        "import resource, sys; from kpi.cli import main;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({kilobytes * 1024}, {limits[1]})); sys.exit(main(sys.argv[1:]))"
    )
    env = dict(os.environ, KPI_HOME=str(settings.home), KPI_METRICS=str(settings.metrics))
    done = subprocess.run([sys.executable, "-c", code, "import", str(big)], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"the disk of {settings.home} is full: nothing was imported, and what was there before stands. Free some space and import again"
    )
    assert contents(settings) == before
    assert current_generation(settings) == 1
    assert [path.name for path in settings.home.glob("*.part*")] == []
    import_paths(settings, mappings, [str(big)])
    assert current_generation(settings) == 2


def test_a_full_disk_that_shows_while_a_file_is_staged(settings, mappings, payments, monkeypatch):
    """DuckDB says it in other words then, and of a view."""

    def full(*arguments):
        raise duckdb.TransactionException("Failed to create view: Failed to commit: Could not write file: No space left on device")

    monkeypatch.setattr("kpi.importing.loading.stage", full)
    with pytest.raises(WarehouseError, match=r"^the disk of .* is full: nothing was imported"):
        import_paths(settings, mappings, [str(payments("0.csv", range(ROWS)))])


def test_a_disk_that_fills_while_current_is_swapped(settings, mappings, payments, monkeypatch):
    import_paths(settings, mappings, [str(payments("0.csv", range(ROWS)))])

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(publish, "swap_current", full)
        with pytest.raises(WarehouseError, match=r"^the disk of .* is full"):
            import_paths(settings, mappings, [str(payments("1.csv", range(ROWS, 2 * ROWS)))])
    assert _state(settings) == 1
    import_paths(settings, mappings, [str(payments("1.csv", range(ROWS, 2 * ROWS)))])
    assert _state(settings) == 2
    assert read_current(settings).archive_line == 2
