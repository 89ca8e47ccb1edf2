"""Interleaved runs, watched processes, medians, and the table that says which promise held."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One line of the report.

    Attributes:
        name: what was measured.
        measured: the median, in ``unit``.
        against: name of the line it is compared with, or empty.
        ratio: measured over that line's, or None.
        limit: what the ratio (or, without ``against``, the figure itself) must not pass, or None.
        note: what else a reader wants to know.
        unit: s or MB.
    """

    name: str
    measured: float
    against: str = ""
    ratio: float | None = None
    limit: float | None = None
    note: str = ""
    unit: str = "s"

    @property
    def holds(self) -> bool:
        """Whether the promise held; lines without one hold."""
        figure = self.ratio if self.against else self.measured
        return self.limit is None or (figure is not None and figure <= self.limit)


def interleaved(runs: int, contenders: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each run; contenders take turns, so that a busy moment of the machine meets all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(runs):
        _say(f"  run {turn + 1} of {runs}")
        for name, run in contenders.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    _say("")
    return seconds


def compared(seconds: Mapping[str, list[float]], name: str, against: str, limit: float, note: str = "") -> Line:
    """A line with the ratio of two medians."""
    median = statistics.median(seconds[name])
    return Line(name, median, against, median / statistics.median(seconds[against]), limit, note)


@dataclass(frozen=True)
class Used:
    """What a process used: wall seconds, seconds of processors, and its largest resident memory in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: int


#: Starts the process that is watched. A child's peak counts from what its parent held when it was forked, so the parent
#: must be small: this one, and not the process that has just made ten million rows.
_LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.run(sys.argv[2:]).returncode
took = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump({"wall_s": took, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss // 1024}, file)
sys.exit(code)
"""


def watched(words: list[str], root: Path, env: Mapping[str, str]) -> Used:
    """Run a process and say what it used.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "used.json"
        launcher = [sys.executable, "-S", "-c", _LAUNCHER, str(told)]
        done = subprocess.run([*launcher, *words], cwd=root, env={**os.environ, **env}, capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words[:4])} failed: {(done.stdout + done.stderr).decode(errors='replace')[-2000:]}")
        return Used(**json.loads(told.read_text()))


def print_table(title: str, lines: list[Line]) -> bool:
    """Print it; returns whether every promise held."""
    print(f"\n{title}")
    print(f"  {'':44} {'median':>9} {'ratio':>7} {'limit':>7}")
    for line in lines:
        ratio = f"{line.ratio:.2f}x" if line.ratio is not None else ""
        limit = "" if line.limit is None else f"{line.limit:g}x" if line.against else _shown(line, line.limit)
        verdict = "" if line.limit is None else "ok" if line.holds else "TOO SLOW"
        print(f"  {line.name:44} {_shown(line, line.measured):>9} {ratio:>7} {limit:>7} {verdict:8} {line.note}".rstrip())
    return all(line.holds for line in lines)


def machine() -> str:
    """How fast this machine is just now, for reading figures that are no ratios."""
    began = time.perf_counter()
    total = 0
    for number in range(10_000_000):
        total += number
    took = time.perf_counter() - began
    return f"This machine, now: ten million additions in Python in {took:.1f} s (a quiet one needs about 0.6 s)."


def _shown(line: Line, figure: float) -> str:
    if line.unit != "s":
        return f"{figure:g} {line.unit}"
    if figure >= 10:
        return f"{figure:.1f} s"
    return f"{figure * 1000:.0f} ms" if figure >= 0.01 else f"{figure * 1000:.1f} ms"


def _say(words: str) -> None:
    """Progress on a terminal; a log needs none."""
    if sys.stderr.isatty():
        print(f"\r{words:30}\r", end="", file=sys.stderr, flush=True)
