"""Small exports in Stripe's native layout, and what a warehouse holds, table by table."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.schema import metadata

HEADER = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,Converted Currency,"
    "Description,Fee,Statement Descriptor,Status,Seller Message,Taxes On Fee,Card ID,Customer ID,Customer Description,Customer Email,"
    "Invoice ID,Transfer"
)

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def mappings() -> Mappings:
    return Mappings("EUR", "UTC", {}, {}, "m1")


@pytest.fixture
def payments(tmp_path: Path) -> Callable[..., Path]:
    """``payments("a.csv", [1, 2])`` writes a file with payments ch_1 and ch_2 of 10 and 20 euros on 1 and 2 March 2026."""

    def write(name: str, numbers: Iterable[int], cents: str = "00", extra: Sequence[str] = ()) -> Path:
        rows = [
            f"ch_{n},2026-03-{1 + (n - 1) % 28:02d} 10:00:00,{n * 10}.{cents},0.00,eur,true,{n * 10}.{cents},0.00,eur,"
            f"Invoice {n},0.50,EXAMPLE,Paid,Payment complete.,0.00,card_{n},cus_{n % 7},Customer {n % 7},c{n % 7}@firm{n % 7}.example,,"
            for n in numbers
        ]
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([HEADER, *rows, *extra]) + "\n")
        return path

    return write


@pytest.fixture
def contents() -> Callable[..., dict[str, list[tuple[Any, ...]]]]:
    """Every table's rows in a fixed order; without the generation itself, and with ``but`` without those columns."""

    def read(settings: Settings, but: Sequence[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        with open_reader(settings) as reader:
            for table in metadata.sorted_tables:
                columns = [column for column in table.columns if column.name not in but]
                if table.name != "generation" and columns:
                    rows = [tuple(row.values()) for row in reader.run(sa.select(*columns)).to_pylist()]
                    found[table.name] = sorted(rows, key=repr)
        return found

    return read


@pytest.fixture
def command() -> Callable[..., subprocess.Popen[str]]:
    """``python -m kpi`` in a process of its own."""

    def start(settings: Settings, *words: str, stdin: Any = None, **environment: str) -> subprocess.Popen[str]:
        env = dict(os.environ, KPI_HOME=str(settings.home), KPI_METRICS=str(settings.metrics), **environment)
        if settings.warehouse_url:
            env["KPI_WAREHOUSE_URL"] = settings.warehouse_url
        return subprocess.Popen(
            [sys.executable, "-m", "kpi", *words],
            # shells start what runs behind them deaf to Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            cwd=ROOT,
            env=env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
