"""A query that passes its limit of time or memory is one sentence, with what to do, in the terminal and on the page."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from kpi import cli
from kpi.warehouse import engines
from kpi.warehouse.engines import create_tables
from kpi.warehouse.home import Current, swap_current, warehouse_file
from kpi.warehouse.schema import metadata
from tests.conftest import ROOT

TEXT = """\
north_star: won
currency: EUR
metrics:
  won: {count_distinct: deal_id, of: deal, at: closed_on, where: is_won}
"""
#: More than any machine counts in the time, and no byte on its disk.
ENDLESS = 10**12
#: Rows whose distinct texts don't fit into 64 MB.
MANY = 4_000_000


@pytest.fixture
def heavy(tmp_path, monkeypatch):
    """A company of so many deals, published; the limits are in the environment."""

    def make(deals: int, **limits: str) -> Path:
        home = tmp_path / "home"
        (tmp_path / "metrics.yaml").write_text(TEXT, encoding="utf-8")
        monkeypatch.setenv("KPI_HOME", str(home))
        monkeypatch.setenv("KPI_METRICS", str(tmp_path / "metrics.yaml"))
        for name, value in {"KPI_QUERY_TIMEOUT_S": "300", **limits}.items():  # a busy machine takes its time
            monkeypatch.setenv(name, value)
        mappings = _mappings(tmp_path / "metrics.yaml")
        path = warehouse_file(home, 1)
        path.parent.mkdir(parents=True)
        known = {
            "deal_id": "md5(CAST(range AS VARCHAR))",
            "closed_on": "DATE '2026-01-05' + CAST(range % 300 AS INTEGER)",
            "is_won": "true",
        }
        columns = ", ".join(
            f'{known.get(column.name, f"CAST(NULL AS {column.type})")} AS "{column.name}"' for column in metadata.tables["deal"].columns
        )
        with duckdb.connect(str(path)) as connection:
            create_tables(connection)
            connection.execute("DROP TABLE deal")
            connection.execute(f"CREATE VIEW deal AS SELECT {columns} FROM range({deals})")
            connection.execute("INSERT INTO generation (number, mappings) VALUES (1, ?)", [mappings])
            connection.execute("INSERT INTO coverage VALUES ('deal', 'test', DATE '2026-01-01', DATE '2026-11-02', 'stated', 5)")
        swap_current(home, Current(1, 0, mappings))
        return home

    return make


def _mappings(path: Path) -> str:
    from kpi.metrics import definitions

    return definitions.load(path).mappings_hash


TOO_LONG = "the query was stopped at its limit of 0.2 seconds; ask for fewer groups or a shorter range, or raise KPI_QUERY_TIMEOUT_S"


@pytest.mark.parametrize("command", [["show", "won", "--grain", "week"], ["show", "won", "--json"], ["explain", "won"]], ids=" ".join)
def test_the_terminal_says_that_time_is_over(heavy, capsys, command):
    heavy(ENDLESS, KPI_QUERY_TIMEOUT_S="0.2")
    assert cli.main(command) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"{TOO_LONG}\n")


def test_what_does_not_fit_into_memory_is_kept_on_the_disk(heavy, capsys):
    heavy(MANY, KPI_MEMORY_LIMIT_MB="64")
    assert cli.main(["show", "won", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split(",")[1] == str(MANY)


def test_the_terminal_says_that_neither_memory_nor_disk_has_room(heavy, capsys):
    home = heavy(MANY, KPI_MEMORY_LIMIT_MB="64")
    (home / "spill").write_text("no folder", encoding="utf-8")
    assert cli.main(["show", "won"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"the query needs more than 64 MB, and what is more can't be kept under {home / 'spill'} (IO Error: ")
    assert said.err.endswith("; make room there, ask for fewer groups, or raise KPI_MEMORY_LIMIT_MB\n")
    assert said.err.count("\n") == 1


@pytest.fixture
def full_disk(monkeypatch):
    """DuckDB takes for itself what is free on the disk, and here that is a megabyte."""
    set_ = engines.set_

    def limited(connection, name, value):
        set_(connection, name, value)
        if name == "temp_directory":
            set_(connection, "max_temp_directory_size", "1MB")

    monkeypatch.setattr(engines, "set_", limited)


def too_large(home):
    return (
        f"the query was stopped at its limit of 64 MB, with no room for more under {home / 'spill'}; "
        "ask for fewer groups or a shorter range, or raise KPI_MEMORY_LIMIT_MB"
    )


@pytest.mark.parametrize("command", [["show", "won"], ["explain", "won"]], ids=" ".join)
def test_the_terminal_says_that_memory_is_over(heavy, full_disk, capsys, command):
    home = heavy(MANY, KPI_MEMORY_LIMIT_MB="64")
    assert cli.main(command) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"{too_large(home)}\n")


@pytest.mark.parametrize(
    ("deals", "limits"), [(ENDLESS, {"KPI_QUERY_TIMEOUT_S": "0.2"}), (MANY, {"KPI_MEMORY_LIMIT_MB": "64"})], ids=["time", "memory"]
)
def test_the_page_says_it(heavy, full_disk, deals, limits):
    home = heavy(deals, **limits)
    app = AppTest.from_file(str(ROOT / "kpi" / "dashboard" / "served" / "script.py"), default_timeout=60)
    app.run()
    assert not app.exception
    shown = " ".join(element.value for element in (*app.html, *app.error, *app.warning, *app.markdown))
    assert (TOO_LONG if deals == ENDLESS else too_large(home)) in shown
