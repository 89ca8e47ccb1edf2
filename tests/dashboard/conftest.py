"""A company small enough to reckon by hand, in warehouses on disk, and the dashboard's server.

Every week from 4 August 2025 (Monday) to 15 November 2026, invoiced and booked for that week alone:

    account   employees  region  product  revenue  hosting
    Acme      2000       EMEA    Atlas    1000     300, from 31 August 2026 on 600
    Bolt      20         AMER    Beacon    500     100
    Cove      unknown    none    Atlas     100      40

In the week of 9 November 2026: revenue 1600, cost 740, margin (1600 - 740) / 1600 = 53.75 %.
A year before, in the week of 10 November 2025: cost 440, margin 1160 / 1600 = 72.5 %.
One deal is won every Tuesday; the export of deals ends on Thursday 12 November 2026. Issues and payments were never imported;
payments have no product, so that a filter by product can't reach them.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from kpi.metrics.definitions import load
from kpi.warehouse.engines import create_tables
from kpi.warehouse.home import Current, swap_current, warehouse_file

ROOT = Path(__file__).resolve().parents[2]

FIRST, LAST, END = dt.date(2025, 8, 4), dt.date(2026, 11, 9), dt.date(2026, 11, 16)

METRICS = """\
north_star: margin
drivers: [revenue, cost, won, issues, paid]
calendar: {week_starts: monday, year_starts: january, timezone: Europe/Berlin}
currency: EUR
dimensions:
  segment:
    label: Segment
    of: account
    is: case when employees is null then null when employees >= 1000 then 'Enterprise' else 'SMB' end
  product: {label: Product, of: product, is: name}
  region: {label: Region, of: account, is: region}
metrics:
  revenue: {label: Revenue, means: what was invoiced, owner: finance, sum: amount, of: invoice_line, over: [service_from, service_to],
    unit: money, better: up}
  cost: {label: Cost, means: what hosting costs, owner: product, sum: amount, of: cost_line, over: [service_from, service_to],
    unit: money, better: down}
  margin: {label: Margin, means: what is left of revenue, owner: finance, formula: (revenue - cost) / revenue, unit: percent, better: up,
    target: {2023: 60%, 2024: 60%, 2025: 60%, 2026: 60%}}
  won: {label: Deals won, means: deals that were won, owner: sales, count: deal, at: closed_on, where: is_won, unit: number, better: up}
  paid: {label: Paid, means: money taken, owner: finance, sum: amount, of: payment, at: paid_on, unit: money}
  issues: {label: Issues, means: issues created, owner: product, count: issue, at: created_at, unit: number}
"""


def _company(home: Path, only_deals: bool = False) -> Path:
    """Publish the company as generation 1 under ``home``."""
    home.mkdir(parents=True)
    connection = duckdb.connect(str(warehouse_file(home, 1)))
    create_tables(connection)
    run = connection.execute
    mappings = load(home.parent / "metrics.yaml").mappings_hash  # as an import would have left it: nothing is published anew
    run(
        "INSERT INTO generation (number, published_at, archive_line, mappings, currency, timezone)"
        " VALUES (1, TIMESTAMP '2026-11-16', 0, ?, 'EUR', 'Europe/Berlin')",
        [mappings],
    )
    run("""INSERT INTO account (account_id, name, employees, region, created_on) VALUES
        ('a', 'Acme', 2000, 'EMEA', '2025-01-01'), ('b', 'Bolt', 20, 'AMER', '2025-01-01'), ('c', 'Cove', NULL, NULL, '2025-01-01')""")
    run("INSERT INTO product (product_id, name) VALUES ('Atlas', 'Atlas'), ('Beacon', 'Beacon')")
    for place in range((LAST - FIRST).days // 7 + 1):
        week = FIRST + dt.timedelta(weeks=place)
        tuesday = week + dt.timedelta(days=1)
        run(
            "INSERT INTO deal (deal_id, source, account_id, product_id, created_on, closed_on, is_won, is_lost)"
            " VALUES (?, 'salesforce', 'a', 'Atlas', ?, ?, true, false)",
            [f"d{place}", week, tuesday],
        )
        if only_deals:
            continue
        hosting = 600 if week >= dt.date(2026, 8, 31) else 300
        for account, product, amount, cost in (("a", "Atlas", 1000, hosting), ("b", "Beacon", 500, 100), ("c", "Atlas", 100, 40)):
            key, span = f"{account}{place}", [week, week, week + dt.timedelta(weeks=1)]
            run(
                "INSERT INTO invoice_line (line_id, source, account_id, product_id, kind, amount, currency, invoiced_on,"
                " service_from, service_to) VALUES (?, 'stripe', ?, ?, 'charge', ?, 'EUR', ?, ?, ?)",
                [key, account, product, amount, *span],
            )
            run(
                "INSERT INTO cost_line (cost_id, source, account_id, product_id, category, amount, currency, booked_on,"
                " service_from, service_to) VALUES (?, 'quickbooks', ?, ?, 'hosting', ?, 'EUR', ?, ?, ?)",
                [key, account, product, cost, *span],
            )
    reach = [("deal", "salesforce", dt.date(2026, 11, 13))]
    if not only_deals:
        reach += [("invoice_line", "stripe", END), ("cost_line", "quickbooks", END)]
    for table, source, end in reach:
        run("INSERT INTO coverage VALUES (?, ?, ?, ?, 'dates of its rows', 67)", [table, source, FIRST, end])
        if table != "deal":
            run("INSERT INTO money_currency VALUES (?, ?, 'EUR', '', 201)", [table, source])
    connection.close()
    swap_current(home, Current(1, 0, mappings))
    return home


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """KPI_HOME of the company above; beside it lies its metrics.yaml."""
    folder = tmp_path_factory.mktemp("company")
    (folder / "metrics.yaml").write_text(METRICS, encoding="utf-8")
    return _company(folder / "home")


@pytest.fixture(scope="session")
def one_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same when only Salesforce's deals were imported."""
    folder = tmp_path_factory.mktemp("one_export")
    (folder / "metrics.yaml").write_text(METRICS, encoding="utf-8")
    return _company(folder / "home", only_deals=True)


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    """A home in which nothing was ever imported."""
    (tmp_path / "metrics.yaml").write_text(METRICS, encoding="utf-8")
    return tmp_path / "home"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Point this process at a home and the metrics.yaml beside it."""

    def point(home: Path) -> None:
        monkeypatch.setenv("KPI_HOME", str(home))
        monkeypatch.setenv("KPI_METRICS", str(home.parent / "metrics.yaml"))

    return point


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """Start ``streamlit run app.py`` for a home, once; the address, when it answers. Stopped at the end by their own ids."""
    started: dict[Path, tuple[subprocess.Popen[bytes], str]] = {}

    def start(home: Path) -> str:
        if home not in started:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = str(probe.getsockname()[1])
            environment = {**os.environ, "KPI_HOME": str(home), "KPI_METRICS": str(home.parent / "metrics.yaml")}
            words = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", port, "--server.address", "127.0.0.1"]
            with (home.parent / "server.log").open("wb") as log:
                server = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=log)
            started[home] = (server, f"http://127.0.0.1:{port}/")
            _wait(f"http://127.0.0.1:{port}/_stcore/health", server)
        return started[home][1]

    yield start
    for server, _ in started.values():
        server.terminate()
        server.wait(timeout=20)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
    pytest.fail("the dashboard's server did not start", pytrace=False)
