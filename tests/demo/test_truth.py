"""The sample's own arithmetic against the metrics layer, to the cent: every week, product and segment.

The files are imported by the very connectors, so this holds the whole way from an export to a figure.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpi.cli import main
from kpi.demo import truth
from kpi.demo.company import Company
from kpi.demo.truth import Figures, Group, Sums
from kpi.metrics import query
from kpi.metrics.model import Definitions, Query
from kpi.warehouse.reader import Reader
from tests.demo import by_hand
from tests.demo.conftest import END, REPOSITORY

#: Enough to see a pattern.
MOST = 10
METRICS = ("revenue", "cost_to_serve", "cost_to_win", "product_margin", "mrr", "new_deals_won", "new_deals_lost", "win_rate")
SPLITS: tuple[tuple[str, ...], ...] = ((), ("product",), ("segment",), ("product", "segment"))


@pytest.fixture
def home(filled: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A KPI_HOME that ``demo`` filled; the environment names it."""
    monkeypatch.setenv("KPI_HOME", str(filled[0]))
    monkeypatch.setenv("KPI_METRICS", str(REPOSITORY / "metrics.yaml"))
    return filled[0]


def test_every_file_is_read_whole(filled: tuple[Path, dict[str, Any]]) -> None:
    imported = filled[1]
    files = imported["import"]["files"]
    assert (imported["status"], len(files), len(imported["files"])) == ("loaded", 17, 17)
    assert [file for file in files if file["status"] != "loaded" or file["rows_rejected"]] == []


def test_again_says_that_it_is_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--until", END.isoformat()]) == 0
    assert capsys.readouterr().out == f"{home} holds the sample company of seed 2026 up to 2026-11-15 already; nothing to do\n"


def test_another_sample_is_not_mixed_in(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--until", END.isoformat(), "--seed", "7"]) == 1
    assert capsys.readouterr().err == (
        f"{home} already holds the sample company of seed 2026 up to 2026-11-15; the sample would be mixed with it "
        "and nothing was changed. Use another folder (KPI_HOME=sample-data python -m kpi demo), "
        "or write the files alone with --files-only\n"
    )


@pytest.fixture(scope="module")
def weekly(company: Company) -> list[Figures]:
    return truth.figures(company, truth.weeks(company))


@pytest.mark.parametrize("by", SPLITS, ids=lambda by: "×".join(by) or "total")
def test_every_week(company: Company, weekly: list[Figures], shared: Definitions, warehouse: Reader, by: tuple[str, ...]) -> None:
    weeks = truth.weeks(company)
    result = query.run(Query(METRICS, by=by, grain="week", since=weeks[0][0], until=weeks[-1][1]), shared, warehouse)
    shown = _rows(result.table.to_pylist(), by)
    expected = {(week[0], group): figures for week, one in zip(weeks, weekly, strict=True) for group, figures in _split(one, by).items()}
    assert [note.partition(" was ")[2] for note in result.warnings] == _splits(by)
    assert not any(row["partial"] for row in shown.values())
    assert _differences(shown, expected) == []
    assert {day for day, _ in shown} == {week[0] for week in weeks}


@pytest.mark.slow
def test_the_whole_time_and_every_quarter(company: Company, shared: Definitions, warehouse: Reader) -> None:
    """Quarters that begin in the sample, and the sample as one period: the same flows, cut elsewhere."""
    quarters = [
        (dt.date(year, month, 1), dt.date(year + month // 10, (month + 2) % 12 + 1, 1))
        for year in range(2024, 2027)
        for month in (1, 4, 7, 10)
    ][:-1]
    for grain, periods in (("quarter", quarters), ("all", [(company.start, END + dt.timedelta(days=1))])):
        figures = truth.figures(company, periods)
        asked = Query(METRICS, by=("product",), grain=grain, since=periods[0][0], until=periods[-1][1])  # type: ignore[arg-type]
        shown = _rows(query.run(asked, shared, warehouse).table.to_pylist(), ("product",))
        expected = {
            (period[0], group): values
            for period, one in zip(periods, figures, strict=True)
            for group, values in _split(one, ("product",)).items()
        }
        assert _differences(shown, expected) == []


def test_the_nones_are_there(weekly: list[Figures]) -> None:
    """Strays in billing, accounts without employees and invoices without product are in every figure; costs follow them."""
    last = weekly[-1]
    assert last.revenue[("Atlas", None)] > 0 or truth.by(last.revenue, 1)[None] > 0
    assert truth.by(last.cost_to_serve, 0)[None] > 0
    assert truth.by(last.cost_to_serve, 1)[None] > 0
    assert truth.by(last.mrr, 1)[None] > 0


@pytest.mark.parametrize(("by", "group"), [((), "null"), (("product",), "product.name"), (("segment",), "segment")], ids=str)
def test_retention_is_what_sql_by_hand_gives(shared: Definitions, warehouse: Reader, by: tuple[str, ...], group: str) -> None:
    """Every week that can look back a year."""
    since, until = dt.date(2025, 1, 6), END + dt.timedelta(days=1)
    names = ("nrr", "grr", "accounts_kept", "account_churn")
    shown = query.run(Query(names, by=by, grain="week", since=since, until=until), shared, warehouse)
    found = {(row["period"], *(row[name] for name in by)): row for row in shown.table.to_pylist() if row["nrr"] is not None}
    text = by_hand.RETENTION.format(since=since, until=until, by=group)
    lines = warehouse.run(sa.select(sa.literal_column("*")).select_from(sa.text(f"({text}) q"))).to_pylist()
    assert {(line["day"], *([line["g"]] if by else [])) for line in lines} == found.keys()
    assert len(lines) > 90
    for line in lines:
        row = found[(line["day"], *([line["g"]] if by else []))]
        expected = {name: line[name] for name in names[:3]} | {"account_churn": 1 - line["accounts_kept"]}
        assert {name: row[name] for name in names} == pytest.approx(expected, abs=1e-9)


def test_the_cost_to_win_a_customer_and_its_payback_are_what_sql_by_hand_gives(shared: Definitions, warehouse: Reader) -> None:
    """Every month with new customers, by segment: lagged, allocated, and over three other metrics."""
    since, until = dt.date(2024, 1, 1), dt.date(2026, 11, 1)
    shown = query.run(Query(("cac", "cac_payback"), by=("segment",), grain="month", since=since, until=until), shared, warehouse)
    found = {(row["period"], row["segment"]): row for row in shown.table.to_pylist() if row["cac"] is not None}
    text = by_hand.CAC.format(since=since, until=until)
    lines = warehouse.run(sa.select(sa.literal_column("*")).select_from(sa.text(f"({text}) q"))).to_pylist()
    assert {(line["day"], line["g"]) for line in lines} == found.keys()
    assert len(lines) > 60
    for line in lines:
        row = found[(line["day"], line["g"])]
        assert row["cac"] == pytest.approx(line["cac"], rel=1e-9)
        # A deal that was won this month may be billed in the next: nothing comes in yet, and there is no payback.
        assert row["cac_payback"] == (None if line["payback"] is None else pytest.approx(line["payback"], rel=1e-9))
    assert sum(line["payback"] is not None for line in lines) > 50


def test_the_last_week_is_whole(shared: Definitions, warehouse: Reader) -> None:
    """Every system's export reaches to the last day, so that no figure of the last week is partial."""
    tables = {"account", "deal", "deal_stage", "remark", "payment", "invoice_line", "subscription_term", "cost_line", "issue", "worklog"}
    reached = {row.table_name: row.covers_to for row in warehouse.coverage}
    assert {table: reached.get(table) for table in tables} == dict.fromkeys(tables, END + dt.timedelta(days=1))


def _splits(by: tuple[str, ...]) -> list[str]:
    """What is told of allocation: cost_to_win has its product from the ledger, and is split where customers are asked for."""
    if not by:
        return []
    return ["allocated by revenue", *(["allocated by new_deals_won"] if "segment" in by else [])]


def _split(figures: Figures, by: tuple[str, ...]) -> dict[tuple[str | None, ...], Figures]:
    """The figures of one period by the dimensions asked for."""

    def keep(group: Group) -> tuple[str | None, ...]:
        return tuple(group[("product", "segment").index(name)] for name in by)

    groups = {keep(group) for sums in vars(figures).values() for group in sums}

    def of(sums: Sums, kept: tuple[str | None, ...]) -> Sums:
        return {group: value for group, value in sums.items() if keep(group) == kept}

    return {kept: Figures(**{name: of(sums, kept) for name, sums in vars(figures).items()}) for kept in groups}


def _rows(rows: list[dict[str, Any]], by: tuple[str, ...]) -> dict[tuple[dt.date, tuple[str | None, ...]], dict[str, Any]]:
    return {(row["period"], tuple(row[name] for name in by)): row for row in rows}


def _differences(
    shown: dict[tuple[dt.date, tuple[str | None, ...]], dict[str, Any]], expected: dict[tuple[dt.date, tuple[str | None, ...]], Figures]
) -> list[str]:
    """A sentence for each figure that differs; money to the cent, ratios to 1e-8: parts of a split cost are rounded. At most ten."""
    zero = Figures({}, {}, {}, {}, {}, {})
    found: list[str] = []
    for key in sorted(shown.keys() | expected.keys(), key=str):
        figures = expected.get(key, zero)
        revenue, cost = truth.total(figures.revenue), truth.total(figures.cost_to_serve)
        won, lost = truth.total(figures.won), truth.total(figures.lost)
        exact = {"revenue": revenue, "cost_to_serve": cost, "mrr": truth.total(figures.mrr), "new_deals_won": won, "new_deals_lost": lost}
        exact["cost_to_win"] = truth.total(figures.cost_to_win)
        row = shown.get(key, dict.fromkeys(METRICS))
        for name, value in exact.items():
            if abs(Decimal(row[name] or 0) - value) >= Decimal("0.005"):
                found.append(f"{name} of {key} is {row[name]}, not {value}")
        for name, ratio in (("product_margin", truth.margin(revenue, cost)), ("win_rate", truth.win_rate(won, lost))):
            value = row[name]
            if (value is None) != (ratio is None) or (ratio is not None and abs(value - float(ratio)) > 1e-8):
                found.append(f"{name} of {key} is {value}, not {ratio}")
    return found[:MOST]
