"""Weekly revenue, cost, margin and win rate of one segment over 65 weeks, against the same by hand."""

from __future__ import annotations

import datetime as dt
import statistics
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from benchmarks import company
from benchmarks.timing import Line, compared, interleaved
from kpi.metrics import definitions, query
from kpi.metrics.model import Definitions, Leaf, Query
from kpi.metrics.publishing import mappings_of
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.home import warehouse_file

METRICS: Final = ("revenue", "cost_to_serve", "product_margin", "win_rate")
WEEKS: Final = 65
SINCE: Final = company.END - dt.timedelta(weeks=WEEKS)

BY_HAND: Final = "by hand, the same rules"
PLAIN: Final = "by hand, the plainest"
KNOWN: Final = "query.run, plan known"
NEW: Final = "query.run, plan new"


def measure(root: Path, scale: float, runs: int) -> list[Line]:
    """Lines for the report.

    Raises:
        AssertionError: the program and the hand-written statement disagree about a figure.
    """
    known = _without_allocation(definitions.load(root / "metrics.yaml"))
    made = company.build(root / "benchmarks" / ".data", mappings_of(known), scale)
    settings = Settings(home=made.home, metrics=root / "metrics.yaml")
    asked = Query(METRICS, where=("segment = 'Mid-market'",), grain="week", since=SINCE, until=company.END)
    folder = Path(__file__).parent
    careful, plain = (folder / name for name in ("by_hand.sql", "plain.sql"))

    with open_reader(settings) as reader, _by_hand(settings) as connection:

        def run(path: Path) -> pa.Table:
            return connection.execute(path.read_text(encoding="utf-8")).to_arrow_table()

        def new_plan() -> object:
            # As after a change of metrics.yaml, or for a filter never asked before.
            query.forget_plans()
            return query.run(asked, known, reader)

        _agree(query.run(asked, known, reader).table, run(careful))
        new_plan()
        seconds = interleaved(
            runs,
            {
                BY_HAND: lambda: run(careful),
                KNOWN: lambda: query.run(asked, known, reader),
                NEW: new_plan,
            },
        )
        seconds |= interleaved(max(1, runs // 5), {PLAIN: lambda: run(plain)})
    return [
        Line(PLAIN, statistics.median(seconds[PLAIN]), note="a day a row, floats, no rules"),
        Line(BY_HAND, statistics.median(seconds[BY_HAND]), note="benchmarks/by_hand.sql"),
        compared(seconds, KNOWN, BY_HAND, 1.2),
        compared(seconds, NEW, BY_HAND, 1.5),
    ]


def _without_allocation(known: Definitions) -> Definitions:
    """The catalogue with costs as the ledger books them: nobody writes their allocation by hand, so it is not compared."""
    metrics = {name: replace(metric, allocate=None) if isinstance(metric, Leaf) else metric for name, metric in known.metrics.items()}
    return replace(known, metrics=metrics, hash=f"{known.hash} without allocation")


def _by_hand(settings: Settings) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(warehouse_file(settings.home, 1)), read_only=True)
    connection.execute(f"set variable since = DATE '{SINCE}'")
    connection.execute(f"set variable until = DATE '{company.END}'")
    return connection


def _agree(ours: pa.Table, theirs: pa.Table) -> None:
    """Both must hold the same figures, to the last digit shown, or the comparison is of different things."""
    assert ours.num_rows == theirs.num_rows == WEEKS, f"{ours.num_rows} and {theirs.num_rows} rows instead of {WEEKS}"
    for name in ("period", *METRICS):
        for mine, other in zip(ours[name].to_pylist(), theirs[name].to_pylist(), strict=True):
            assert _same(mine, other), f"{name} is {mine}, and {other} by hand"


def _same(mine: Any, other: Any) -> bool:
    if isinstance(mine, Decimal | float) and other is not None:
        return round(Decimal(str(mine)), 8) == round(Decimal(str(other)), 8)
    return bool(mine == other)
