"""A payments export of 2 M rows through ``python -m kpi import``, against DuckDB's own typed load of the same columns."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import stripe_csv
from benchmarks.timing import Line, compared, watched

LOAD: Final = "DuckDB, typed load, no index"
IMPORT: Final = "python -m kpi import, everything"
MEMORY_LIMIT_MB: Final = 1024

#: Run by a Python of its own, so that both sides start, work, close their file and end. argv: CSV, database, columns.
_TYPED_LOAD: Final = """
import sys, json, duckdb
path, database, columns = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
with duckdb.connect(database) as connection:
    connection.read_csv(path, header=True, auto_detect=False, columns=columns).create("payments")
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
            used = watched(
                [sys.executable, "-c", _TYPED_LOAD, str(path), str(scratch / "load.duckdb"), json.dumps(stripe_csv.COLUMNS)], root, {}
            )
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
        compared(seconds, IMPORT, LOAD, 2.5, f"CPU {statistics.median(cpu[IMPORT]):.1f} s"),
        Line("peak memory of the import", peak_mb, limit=MEMORY_LIMIT_MB, unit="MB"),
    ]
