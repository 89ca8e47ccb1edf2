"""Exports through ``python -m kpi import``: a large one against DuckDB's own typed load, many small ones, JSON, and a rebuild."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import stripe_csv, stripe_json
from benchmarks.timing import Line, Used, compared, watched

LOAD: Final = "DuckDB, typed load, no index"
IMPORT: Final = "python -m kpi import, everything"
ONE: Final = "one file of as many rows"
MANY: Final = "files of 5,000 rows, imported together"
MEMORY_LIMIT_MB: Final = 1024
_SMALL: Final = 5_000
#: Rows a second that a rebuild must read.
_REBUILT_PER_S: Final = 700_000

#: Run by a Python of its own, so that both sides start, work, close their file and end. argv: CSV files, database, columns.
_TYPED_LOAD: Final = """
import sys, json, duckdb
paths, database, columns = sys.argv[1:-2], sys.argv[-2], json.loads(sys.argv[-1])
with duckdb.connect(database) as connection:
    connection.read_csv(paths, header=True, auto_detect=False, columns=columns).create("payments")
    assert connection.execute("select count(*) from payments").fetchone()[0] > 0
"""


def measure(root: Path, rows: int, runs: int) -> list[Line]:
    """Lines for the report, the last of them the peak memory of the import."""
    path = stripe_csv.build(root / "benchmarks" / ".data", rows)
    path.read_bytes()  # both sides find the file in the page cache
    seconds: dict[str, list[float]] = {LOAD: [], IMPORT: []}
    cpu: dict[str, list[float]] = {LOAD: [], IMPORT: []}
    peaks: list[int] = []
    for _ in range(runs):
        scratch = Path(tempfile.mkdtemp(prefix="kpi-bench-", dir=root / "benchmarks" / ".data"))
        try:
            used = _typed_load(root, [path], scratch)
            seconds[LOAD].append(used.wall_s)
            cpu[LOAD].append(used.cpu_s)
            used = watched([sys.executable, "-m", "kpi", "import", str(path)], root, {"KPI_HOME": str(scratch / "home")})
            seconds[IMPORT].append(used.wall_s)
            cpu[IMPORT].append(used.cpu_s)
            peaks.append(used.peak_mb)
        finally:
            shutil.rmtree(scratch)
    size = path.stat().st_size / 1e6
    peak_mb = max(peaks)
    return [
        Line(LOAD, statistics.median(seconds[LOAD]), note=f"{rows:,} rows, {size:.0f} MB; CPU {statistics.median(cpu[LOAD]):.1f} s"),
        compared(seconds, IMPORT, LOAD, 2.0, f"CPU {statistics.median(cpu[IMPORT]):.1f} s"),
        Line("peak memory of the import", peak_mb, limit=MEMORY_LIMIT_MB, unit="MB"),
    ]


def measure_small(root: Path, rows: int, runs: int) -> list[Line]:
    """Lines for ``rows`` rows in files of 5,000, against the same rows in one file."""
    path = stripe_csv.build(root / "benchmarks" / ".data", rows)
    folder = stripe_csv.cut(path, _SMALL)
    seconds: dict[str, list[float]] = {ONE: [], MANY: []}
    peaks = []
    for _ in range(runs):
        for name, source in ((ONE, path), (MANY, folder)):
            used = _imported(root, [source])
            seconds[name].append(used.wall_s)
            peaks.append(used.peak_mb)
    note = f"{len(list(folder.iterdir()))} files, {rows / statistics.median(seconds[MANY]):,.0f} rows a second"
    return [
        Line(ONE, statistics.median(seconds[ONE]), note=f"{rows:,} rows, {rows / statistics.median(seconds[ONE]):,.0f} rows a second"),
        compared(seconds, MANY, ONE, 2.0, note),
        Line("peak memory of both", max(peaks), limit=MEMORY_LIMIT_MB, unit="MB"),
    ]


def measure_json(root: Path, rows: int) -> list[Line]:
    """Time and peak memory of one import of JSON Lines."""
    path = stripe_json.build(root / "benchmarks" / ".data", rows)
    used = _imported(root, [path])
    return [
        Line("JSON Lines, everything", used.wall_s, note=f"{rows:,} records, {path.stat().st_size / 1e6:.0f} MB; CPU {used.cpu_s:.1f} s"),
        Line("peak memory of it", used.peak_mb, limit=MEMORY_LIMIT_MB, unit="MB"),
    ]


def measure_rebuild(root: Path, rows: int) -> list[Line]:
    """Time and peak memory of ``python -m kpi rebuild`` of five payments exports with ``rows`` rows together.

    What it must reach is a figure of rows a second, so how fast DuckDB loads the same files just now stands beside it.
    """
    data = root / "benchmarks" / ".data"
    files = [stripe_csv.build(data, rows // 5, at * (rows // 5)) for at in range(5)]
    scratch = Path(tempfile.mkdtemp(prefix="kpi-bench-", dir=data))
    try:
        env = {"KPI_HOME": str(scratch / "home")}
        imported = watched([sys.executable, "-m", "kpi", "import", *map(str, files)], root, env)
        loaded = _typed_load(root, files, scratch)
        rebuilt = watched([sys.executable, "-m", "kpi", "rebuild"], root, env)
    finally:
        shutil.rmtree(scratch)
    note = f"{rows:,} rows of 21 columns in 5 files, {rows / rebuilt.wall_s:,.0f} rows a second; CPU {rebuilt.cpu_s:.1f} s"
    return [
        Line("importing them", imported.wall_s, note=f"CPU {imported.cpu_s:.1f} s"),
        Line(LOAD, loaded.wall_s, note=f"{rows / loaded.wall_s:,.0f} rows a second; CPU {loaded.cpu_s:.1f} s"),
        Line("python -m kpi rebuild", rebuilt.wall_s, limit=rows / _REBUILT_PER_S, note=note),
        Line("peak memory of both", max(imported.peak_mb, rebuilt.peak_mb), limit=MEMORY_LIMIT_MB, unit="MB"),
    ]


def _typed_load(root: Path, paths: list[Path], scratch: Path) -> Used:
    """What DuckDB's own load of the files into a new database uses."""
    told = [*map(str, paths), str(scratch / "load.duckdb"), json.dumps(stripe_csv.COLUMNS)]
    return watched([sys.executable, "-c", _TYPED_LOAD, *told], root, {})


def _imported(root: Path, paths: list[Path]) -> Used:
    """What one import into an empty home uses."""
    scratch = Path(tempfile.mkdtemp(prefix="kpi-bench-", dir=root / "benchmarks" / ".data"))
    try:
        return watched([sys.executable, "-m", "kpi", "import", *map(str, paths)], root, {"KPI_HOME": str(scratch / "home")})
    finally:
        shutil.rmtree(scratch)
