"""The metrics layer as a whole: twenty metrics at once, what follows customers, what planning costs, how time grows."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.contest import Contest, Ring, opened
from benchmarks.timing import Line, compared, interleaved, watched
from kpi.metrics import query
from kpi.settings import Settings

#: Of five tables, each at its own times.
TWENTY: Final = (
    "deals_created",
    "deals_won",
    "deals_lost",
    "bookings",
    "average_deal",
    "win_rate",
    "open_pipeline",
    "invoiced",
    "revenue",
    "cost_to_serve",
    "cost_to_win",
    "engineering_cost",
    "product_margin",
    "margin_after_engineering",
    "mrr",
    "arr",
    "accounts_active",
    "collected",
    "refunds",
    "payment_failures",
)
#: Payments know no product.
OF_PRODUCT: Final = TWENTY[:-3]
MOVEMENTS: Final = ("new_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr", "reactivated_mrr")

PAGE: Final = Contest("twenty metrics of a segment", "twenty.sql", 1.3, TWENTY, where=("segment = 'Mid-market'",))
CONTESTS: Final = (
    PAGE,
    Contest("by product and segment", "by_product.sql", 1.3, OF_PRODUCT, by=("product", "segment")),
    Contest("movements by segment", "movement.sql", 2, MOVEMENTS, by=("segment",)),
    Contest("retention by segment", "retention.sql", 2, ("nrr",), by=("segment",)),
    Contest("time to profitability by segment", "survival.sql", 2, ("time_to_profitability",), by=("segment",)),
)

NEW_PLAN_LIMIT_S: Final = 0.030
KNOWN_PLAN_LIMIT_S: Final = 0.001
#: Of time growth to row growth: no faster than the rows, with a fifth for what wanders.
GROWTH_LIMIT: Final = 1.2

#: One query in a Python of its own, so that its peak is its own. argv: folder of warehouses, scale.
_ONCE: Final = """
import sys
from pathlib import Path
from benchmarks.contest import opened
from benchmarks.layer import PAGE
with opened(Path(sys.argv[1]), float(sys.argv[2])) as ring:
    ring.ours(PAGE)
"""


def measure(root: Path, scale: float, runs: int) -> list[Line]:
    """A pair of lines for each contest, then what planning costs.

    Raises:
        AssertionError: the program and a statement by hand disagree about a figure.
    """
    lines: list[Line] = []
    with opened(root / "benchmarks" / ".data", scale) as ring:
        for contest in CONTESTS:
            ring.check(contest)
        for contest in CONTESTS:
            by_hand = f"{contest.name}, by hand"
            known = f"{contest.name}, query.run"
            seconds = interleaved(runs, {by_hand: _of(ring.by_hand, contest), known: _of(ring.ours, contest)})
            lines.append(Line(by_hand, statistics.median(seconds[by_hand]), note=f"benchmarks/{contest.file}"))
            lines.append(compared(seconds, known, by_hand, contest.limit))
        lines += planning(ring, runs)
    return lines


def planning(ring: Ring, runs: int) -> list[Line]:
    """What planning and compiling twenty metrics takes of the processor, new and when seen before.

    What is in memory by now is set aside from Python's collector of garbage first, as app.py does when it has started.
    """
    gc.collect()
    gc.freeze()

    def plan() -> None:
        query.planned(PAGE.query, ring.definitions, ring.reader)

    def new() -> None:
        query.forget_plans()
        plan()

    limits: dict[str, tuple[Callable[[], None], float]] = {
        "planning twenty metrics, new": (new, NEW_PLAN_LIMIT_S),
        "planning twenty metrics, seen before": (plan, KNOWN_PLAN_LIMIT_S),
    }
    return [
        Line(name, statistics.median(_cpu(work) for _ in range(runs)), limit=limit, note="CPU") for name, (work, limit) in limits.items()
    ]


def growth(root: Path, scales: list[float], runs: int) -> list[Line]:
    """How the time of twenty metrics grows from each scale to the next, and the peak memory at the largest."""
    folder = root / "benchmarks" / ".data"
    names = [f"twenty metrics at scale {scale:g}" for scale in scales]
    lines: list[Line] = []
    for name, before, scale in zip(names, (None, *scales), scales, strict=False):
        with opened(folder, scale) as ring:
            ring.ours(PAGE)
            seconds = interleaved(runs, {name: _of(ring.ours, PAGE)})
        median = statistics.median(seconds[name])
        if before is None:
            lines.append(Line(name, median))
        else:
            grown = (median / lines[-1].measured) / (scale / before)
            lines.append(Line(name, median, lines[-1].name, grown, GROWTH_LIMIT, "time growth by row growth"))
    peak = _peak_mb(root, folder, scales[-1])
    return [*lines, Line(f"peak memory at scale {scales[-1]:g}", peak, limit=Settings().memory_limit_mb, unit="MB")]


def _of(run: Callable[[Contest], object], contest: Contest) -> Callable[[], object]:
    return lambda: run(contest)


def _cpu(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _peak_mb(root: Path, folder: Path, scale: float) -> int:
    return watched([sys.executable, "-c", _ONCE, str(folder), str(scale)], root, {}).peak_mb
