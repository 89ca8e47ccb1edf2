"""Foreign amounts, from the files to the figure."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from kpi import cli
from kpi.importing.importer import import_paths
from kpi.importing.republish import rebuild
from kpi.warehouse.engines import open_reader
from kpi.warehouse.schema import fx_rate

PAYMENTS = "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer ID,Customer Description,Customer Email\n"
METRICS = """\
north_star: collected
calendar: {timezone: UTC}
currency: EUR
metrics:
  collected: {label: Collected, means: money taken, sum: amount, of: payment, at: paid_on, unit: money}
"""


def paid(number, day, amount, currency):
    return f"ch_{number},{day} 10:00:00,{amount},0.00,{currency},Paid,cus_1,A,a@b.example\n"


@pytest.fixture
def kpi(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("metrics.yaml").write_text(METRICS)

    def run(*words):
        code = cli.main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def collected(kpi):
    return [row["collected"] for row in json.loads(kpi("show", "collected", "--grain", "all", "--format", "json")[1])["rows"]]


def test_dollars_count_at_the_bank_s_rate_of_their_day_and_on_a_sunday_at_that_of_the_friday_before(kpi):
    """The Bank says 1.0299 on Friday 3 and 1.0426 on Monday 6 January 2025 (1 euro in dollars)."""
    kpi("import", write("p.csv", paid(1, "2025-01-05", "102.99", "usd"), paid(2, "2025-01-06", "50.00", "eur")))
    assert collected(kpi) == ["150.0000000000014900"]  # 102.99 · 0.970968055151 + 50, the rate to 12 places


def test_a_rate_of_one_s_own_comes_first_and_a_rebuild_says_the_same(kpi):
    kpi("import", write("p.csv", paid(1, "2025-01-06", "100.00", "usd"), paid(2, "2025-01-07", "100.00", "usd")))
    before = collected(kpi)
    Path("rates.csv").write_text("Date,From,To,Rate\n2025-01-06,USD,EUR,0.5\n2025-01-07,EUR,USD,4\n")
    assert kpi("import", "rates.csv")[0] == 0
    assert collected(kpi) == ["75.0000000000000000"] != before  # 100 · 0.5 + 100 / 4
    assert kpi("rebuild")[0] == 0
    assert collected(kpi) == ["75.0000000000000000"]


def test_without_the_history_there_is_no_value_and_the_import_says_so(kpi, monkeypatch):
    monkeypatch.setenv("KPI_RATES", "none")
    _, out, _ = kpi("import", write("p.csv", paid(1, "2025-01-06", "100.00", "usd")))
    assert "there are amounts in USD and no rate into EUR, so figures that need one have no value: import the European" in out
    assert collected(kpi) == [None]


def test_data_beyond_the_last_rate_are_told(kpi, monkeypatch):
    monkeypatch.setenv("KPI_RATES", "none")
    Path("rates.csv").write_text("Date,From,To,Rate\n2025-01-06,USD,EUR,0.5\n")
    rows = [paid(1, "2025-01-06", "100.00", "usd"), paid(2, "2025-01-20", "7.00", "usd")]
    _, out, _ = kpi("import", "rates.csv", write("p.csv", *rows))
    assert "the last rate of USD into EUR is of 2025-01-06, and data reach to 2025-01-20: import" in out


@pytest.mark.postgres
def test_rates_are_the_same_on_either_engine(settings, mappings, tmp_path, postgres_url):
    file = tmp_path / "p.csv"
    file.write_text(PAYMENTS + paid(1, "2025-01-06", "100.00", "usd") + paid(2, "2025-01-06", "100.00", "gbp"))
    found = []
    for chosen in (settings, dataclasses.replace(settings, home=tmp_path / "other", warehouse_url=postgres_url)):
        import_paths(chosen, dataclasses.replace(mappings, currency="GBP"), [str(file)])
        rebuild(chosen, dataclasses.replace(mappings, currency="GBP"))
        with open_reader(chosen) as reader:
            found.append(sorted(map(str, reader.run(fx_rate.select()).to_pylist())))
    assert found[0] == found[1]
    assert {row.split("'")[3] for row in found[0]} == {"USD"}  # pounds are what is counted in


def write(name, *rows):
    Path(name).write_text(PAYMENTS + "".join(rows))
    return name
