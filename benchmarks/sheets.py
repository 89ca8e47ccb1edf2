"""A payments export of 200,000 rows saved as .xlsx: reading it as text against what python-calamine takes to read it alone.

Our side ends with the sheet's rows as text for DuckDB, numbers as a person sees them, every limit on bombs in force;
calamine's with a list of Python values.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import stripe_csv, workbooks
from benchmarks.timing import Line, compared, watched

ROWS: Final = 200_000
CALAMINE: Final = "python-calamine, to_python()"
READING: Final = "connectors, the sheet as text"
IMPORT: Final = "python -m kpi import, everything"

_CALAMINE: Final = """
import sys
from python_calamine import CalamineWorkbook
assert len(CalamineWorkbook.from_path(sys.argv[1]).get_sheet_by_index(0).to_python()) > 1
"""
_READING: Final = """
import sys
from pathlib import Path
from connectors.reading import open_texts
assert open_texts(Path(sys.argv[1]), Path(sys.argv[2]))[0].path.stat().st_size > 1
"""


def measure(root: Path, rows: int, runs: int) -> list[Line]:
    """Lines for the report; that of the whole import promises nothing."""
    data = root / "benchmarks" / ".data"
    source = stripe_csv.build(data, rows)
    path = workbooks.build(source, data / f"payments-{stripe_csv.EDITION}-{workbooks.EDITION}-{rows}.xlsx")
    path.read_bytes()  # all sides find the file in the page cache
    seconds: dict[str, list[float]] = {CALAMINE: [], READING: [], IMPORT: []}
    cpu: dict[str, list[float]] = {CALAMINE: [], READING: [], IMPORT: []}
    peaks: dict[str, int] = {}
    for _ in range(runs):
        scratch = Path(tempfile.mkdtemp(prefix="kpi-bench-", dir=data))
        try:
            ways = {
                CALAMINE: ["-c", _CALAMINE, str(path)],
                READING: ["-c", _READING, str(path), str(scratch)],
                IMPORT: ["-m", "kpi", "import", str(path)],
            }
            for name, words in ways.items():
                used = watched([sys.executable, *words], root, {"KPI_HOME": str(scratch / "home")})
                seconds[name].append(used.wall_s)
                cpu[name].append(used.cpu_s)
                peaks[name] = max(peaks.get(name, 0), used.peak_mb)
        finally:
            shutil.rmtree(scratch)

    def note(name: str) -> str:
        return f"CPU {statistics.median(cpu[name]):.1f} s; {peaks[name]} MB"

    about = f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB; {note(CALAMINE)}"
    whole = statistics.median(seconds[IMPORT])
    return [
        Line(CALAMINE, statistics.median(seconds[CALAMINE]), note=about),
        compared(seconds, READING, CALAMINE, 1.3, note(READING)),
        Line(IMPORT, whole, CALAMINE, whole / statistics.median(seconds[CALAMINE]), note=note(IMPORT)),
    ]
