"""A payments export of 200,000 rows saved as .xlsx: importing it against what python-calamine takes to read it alone.

Reading ends on our side with the sheet's rows as text for DuckDB, numbers as a person sees them, every limit on bombs in
force; calamine's with a list of Python values. The import begins with an empty warehouse and ends with a published one. What an
import of a few rows takes as well is no matter of workbooks: it is measured beside and taken off in a line of its own.
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
FEW: Final = "the same of 1,000 rows"
FURTHER: Final = "everything without what 1,000 rows take"

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
    """Lines for the report; that of the whole import with its fixed costs promises nothing."""
    data = root / "benchmarks" / ".data"
    path, few = (_workbook(data, count) for count in (rows, 1_000))
    seconds: dict[str, list[float]] = {name: [] for name in (CALAMINE, READING, IMPORT, FEW)}
    cpu: dict[str, list[float]] = {name: [] for name in seconds}
    peaks: dict[str, int] = {}
    for _ in range(runs):
        scratch = Path(tempfile.mkdtemp(prefix="kpi-bench-", dir=data))
        try:
            ways = {
                CALAMINE: ["-c", _CALAMINE, str(path)],
                READING: ["-c", _READING, str(path), str(scratch)],
                IMPORT: ["-m", "kpi", "import", str(path)],
                FEW: ["-m", "kpi", "import", str(few)],
            }
            for at, (name, words) in enumerate(ways.items()):
                used = watched([sys.executable, *words], root, {"KPI_HOME": str(scratch / f"home{at}")})
                seconds[name].append(used.wall_s)
                cpu[name].append(used.cpu_s)
                peaks[name] = max(peaks.get(name, 0), used.peak_mb)
        finally:
            shutil.rmtree(scratch)
    usual = {name: statistics.median(cpu[name]) for name in cpu}

    def note(name: str) -> str:
        return f"CPU {usual[name]:.1f} s; {peaks[name]} MB"

    about = f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB; {note(CALAMINE)}"
    alone = statistics.median(seconds[CALAMINE])
    whole, fixed = statistics.median(seconds[IMPORT]), statistics.median(seconds[FEW])
    return [
        Line(CALAMINE, alone, note=about),
        compared(seconds, READING, CALAMINE, 1.3, note(READING)),
        Line(IMPORT, whole, CALAMINE, whole / alone, note=note(IMPORT)),
        Line(FEW, fixed, note=note(FEW)),
        Line(FURTHER, whole - fixed, CALAMINE, (whole - fixed) / alone, 1.3, f"CPU {usual[IMPORT] - usual[FEW]:.1f} s"),
    ]


def _workbook(data: Path, rows: int) -> Path:
    """The workbook, in the page cache, so that all sides find it there."""
    path = workbooks.build(stripe_csv.build(data, rows), data / f"payments-{stripe_csv.EDITION}-{workbooks.EDITION}-{rows}.xlsx")
    path.read_bytes()
    return path
