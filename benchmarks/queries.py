"""Weekly revenue, cost, margin and win rate of one segment over 65 weeks, against the same by hand."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.contest import Contest, opened
from benchmarks.timing import Line, compared, interleaved

FOUR: Final = Contest(
    "four figures of a segment",
    "by_hand.sql",
    1.2,
    ("revenue", "cost_to_serve", "product_margin", "win_rate"),
    where=("segment = 'Mid-market'",),
)
#: Of a plan that is made anew.
NEW_LIMIT: Final = 1.5

BY_HAND: Final = "by hand, the same rules"
PLAIN: Final = "by hand, the plainest"
KNOWN: Final = "query.run, plan known"
NEW: Final = "query.run, plan new"
KEPT: Final = "query.run, cells kept"


def measure(root: Path, scale: float, runs: int) -> list[Line]:
    """Lines for the report.

    Raises:
        AssertionError: the program and the hand-written statement disagree about a figure.
    """
    plain = replace(FOUR, file="plain.sql")
    with opened(root / "benchmarks" / ".data", scale) as ring:
        ring.check(FOUR)
        assert ring.kept(FOUR).equals(ring.new_plan(FOUR)), "kept cells give other figures than rows"
        seconds = interleaved(
            runs,
            {
                BY_HAND: lambda: ring.by_hand(FOUR),
                KNOWN: lambda: ring.ours(FOUR),
                NEW: lambda: ring.new_plan(FOUR),
                KEPT: lambda: ring.kept(FOUR),
            },
        )
        seconds |= interleaved(max(1, runs // 5), {PLAIN: lambda: ring.by_hand(plain)})
    return [
        Line(PLAIN, statistics.median(seconds[PLAIN]), note="a day a row, floats, no rules"),
        Line(BY_HAND, statistics.median(seconds[BY_HAND]), note="benchmarks/by_hand.sql"),
        compared(seconds, KNOWN, BY_HAND, FOUR.limit),
        compared(seconds, NEW, BY_HAND, NEW_LIMIT),
        compared(seconds, KEPT, BY_HAND, FOUR.limit, "as pages ask, another value of the filter"),
    ]
