"""Time to an event of the sample company against a walk through its rows in plain Python: no SQL, fractions, one customer after another."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpi.metrics import definitions, query
from kpi.metrics.curves import curve
from kpi.metrics.model import Query
from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import metadata
from tests.demo import by_hand
from tests.demo.conftest import END

#: What the shipped time_to_profitability is, of the costs that the ledger books with a customer itself.
DIRECT = """
  directly_booked:
    sum: amount
    of: cost_line
    over: [service_from, service_to]
    where: category in ('hosting', 'support', 'onboarding', 'sales', 'marketing')
    unit: money
  direct_payback:
    time_to: {each: account, from: first_paid_term, until: cumulative(revenue - 3 * directly_booked) >= 0, lost: mrr = 0}
  three_quarters:
    time_to: {each: account, from: first_paid_term, until: cumulative(revenue - 3 * directly_booked) >= 0, lost: mrr = 0}
    show: quartile75
  first_quarter:
    time_to: {each: account, from: first_paid_term, until: cumulative(revenue - cost_to_serve - cost_to_win) >= 0, lost: mrr = 0}
    show: quartile25
  won_share:
    conversion: {from: deals_created, to: deals_won, each: account, within: 90 days}
"""
_DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> definitions.Definitions:
    path = tmp_path_factory.mktemp("d") / "metrics.yaml"
    path.write_text((Path(__file__).parents[2] / "metrics.yaml").read_text(encoding="utf-8") + DIRECT, encoding="utf-8")
    return definitions.load(path)


def rows_of(reader: Reader, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = reader.run(sa.select(metadata.tables[table])).to_pylist()
    for row in found:
        stated = row.get("source_account_id")
        row["whose"] = row["account_id"] or (f"?{row['source']}:{stated}" if stated is not None else None)
    return found


def first_of(month: dt.date) -> dt.date:
    return (month.replace(day=1) + 32 * _DAY).replace(day=1)


def by_months(rows: list[dict[str, Any]], document: str, begin: dt.date, ends: list[dt.date]) -> dict[str, list[int]]:
    """For each customer what came in from ``begin`` to before each of ``ends``, in units of 1e-8."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(ends))
    for row in rows:
        first, after = row["service_from"], row["service_to"]
        if first is None or after is None or first >= after:
            first = first or after or row[document]
            after = first + _DAY
        units, days = int(row["amount"] * 10**8), (after - first).days
        sign, (q, r) = (-1 if units < 0 else 1), divmod(abs(units), days)

        def before(day: dt.date, first: dt.date = first, days: int = days, sign: int = sign, q: int = q, r: int = r) -> int:
            k = min(max((day - first).days, 0), days)
            return sign * (q * k + min(k, r))

        if row["whose"] is not None:
            line = found[row["whose"]]
            for place, end in enumerate(ends):
                line[place] += before(end) - before(begin)
    return found


def lives(reader: Reader, begin: dt.date) -> dict[str, tuple[dt.date, dt.date | None, dt.date | None]]:
    """For each customer its first day, the day it was even, and the day it had nothing left."""
    terms = [row for row in rows_of(reader, "subscription_term") if row["status"] in ("active", "past_due") and row["monthly_amount"] > 0]
    starts: dict[str, dt.date] = {}
    for row in terms:
        starts[row["whose"]] = min(row["started_on"], starts.get(row["whose"], dt.date.max))
    ends, month = [], begin
    while first_of(month) <= END + _DAY:
        month = first_of(month)
        ends.append(month)
    lines = [row for row in rows_of(reader, "invoice_line") if row["kind"] != "tax"]
    wanted = ("hosting", "support", "onboarding", "sales", "marketing")
    booked = [row for row in rows_of(reader, "cost_line") if row["category"] in wanted]
    earned, spent = by_months(lines, "invoiced_on", begin, ends), by_months(booked, "booked_on", begin, ends)
    found = {}
    for whose, start in starts.items():
        own = [(row["started_on"], row["ended_on"] or dt.date.max) for row in terms if row["whose"] == whose]
        gone = sorted(after for _, after in own if after > start and not any(first <= after < last for first, last in own))
        revenue, cost = earned[whose], spent[whose]
        even = [end - _DAY for place, end in enumerate(ends) if end > start and revenue[place] >= 3 * cost[place] and revenue[place] > 0]
        found[whose] = (start, even[0] if even else None, gone[0] if gone and gone[0] != dt.date.max else None)
    return found


def cohort_of(of_all: dict[str, tuple[dt.date, dt.date | None, dt.date | None]], begin: dt.date, end: dt.date) -> list[tuple[int, str]]:
    """Of those who started in the two years before ``end``, and not before ``begin``, how long each took, and what became of it by then."""
    cohort = []
    for start, even, gone in of_all.values():
        if end.replace(year=end.year - 2) <= start < end and start >= begin:
            known_by = [(day, how) for day, how in ((even, "reached"), (gone, "lost")) if day is not None and day < end]
            day, how = min(known_by, key=lambda one: one[0]) if known_by else (end - _DAY, "waiting")
            cohort.append(((day - start).days, how))
    return cohort


def shares(cohort: list[tuple[int, str]]) -> list[tuple[int, Fraction]]:
    """Aalen and Johansen's share by each day."""
    stays, share, found = Fraction(1), Fraction(0), []
    for day in sorted({day for day, _ in cohort}):
        n = sum(end >= day for end, _ in cohort)
        r = sum((end, how) == (day, "reached") for end, how in cohort)
        d = r + sum((end, how) == (day, "lost") for end, how in cohort)
        share, stays = share + stays * Fraction(r, n), stays * (1 - Fraction(d, n))
        found.append((day, share))
    return found


@pytest.mark.slow
def test_time_to_profitability_is_what_a_walk_through_the_rows_finds(warehouse: Reader, known: definitions.Definitions) -> None:
    """At the end of each month of 2026: medians, quartiles, and who became what."""
    coverage = query.run(Query(("direct_payback",)), known, warehouse).coverage["direct_payback"]
    assert coverage is not None
    of_all = lives(warehouse, coverage.start)
    result = query.run(
        Query(("direct_payback", "three_quarters"), grain="month", since=dt.date(2026, 1, 1), until=dt.date(2026, 11, 1)), known, warehouse
    )
    assert len(set(result.table.column("direct_payback").to_pylist())) > 1
    for row, end in zip(result.table.to_pylist(), result.ends, strict=True):
        cohort = cohort_of(of_all, coverage.start, end)
        found = shares(cohort)
        for name, part in (("direct_payback", Fraction(1, 2)), ("three_quarters", Fraction(3, 4))):
            assert row[name] == next((day for day, share in found if share >= part), None), (end, name)
        drawn = curve("direct_payback", end - _DAY, known, warehouse)
        assert drawn is not None
        hows = [how for _, how in cohort]
        assert (drawn.reached, drawn.lost, drawn.waiting) == tuple(hows.count(how) for how in ("reached", "lost", "waiting"))
        assert [(step.days, round(step.share, 10)) for step in drawn.steps] == [(day, round(float(share), 10)) for day, share in found]


@pytest.mark.slow
def test_time_to_profitability_is_what_a_statement_by_hand_says(warehouse: Reader, known: definitions.Definitions) -> None:
    """With the costs that are split among customers, at the end of each month of 2025 and 2026."""
    since, until = dt.date(2025, 1, 1), dt.date(2026, 11, 1)
    result = query.run(Query(("time_to_profitability", "first_quarter"), grain="month", since=since, until=until), known, warehouse)
    coverage = result.coverage["time_to_profitability"]
    assert coverage is not None
    asked = by_hand.LIVES.format(begin=coverage.start, end=END + _DAY)
    of_all = {row["who"]: (row["start"], row["even"], row["gone"]) for row in warehouse.run(sa.text(asked)).to_pylist()}
    several = set()
    for row, end in zip(result.table.to_pylist(), result.ends, strict=True):
        cohort = cohort_of(of_all, coverage.start, end)
        found = shares(cohort)
        for name, part in (("time_to_profitability", Fraction(1, 2)), ("first_quarter", Fraction(1, 4))):
            assert row[name] == next((day for day, share in found if share >= part), None), (end, name)
            several.add(row[name])
        drawn = curve("time_to_profitability", end - _DAY, known, warehouse)
        assert drawn is not None
        hows = [how for _, how in cohort]
        assert (drawn.reached, drawn.lost, drawn.waiting) == tuple(hows.count(how) for how in ("reached", "lost", "waiting"))
    assert len(several) > 3


def test_conversions_are_what_a_loop_over_the_deals_counts(warehouse: Reader, known: definitions.Definitions) -> None:
    """Of every month: each deal won goes to the latest one opened before by the account, on its own day."""
    result = query.run(Query(("won_share",), grain="month", since=dt.date(2024, 1, 1), until=dt.date(2026, 8, 1)), known, warehouse)
    deals = rows_of(warehouse, "deal")
    opened: dict[str, list[dt.date]] = defaultdict(list)
    for row in deals:
        opened[row["whose"]].append(row["created_on"])
    taken: dict[dt.date, int] = defaultdict(int)
    for row in deals:
        before = [day for day in opened[row["whose"]] if row["is_won"] and row["whose"] is not None and day <= row["closed_on"]]
        if before and (row["closed_on"] - max(before)).days <= 90:
            taken[max(before).replace(day=1)] += 1
    many = [sum(row["created_on"].replace(day=1) == month for row in deals) for month in result.table.column("period").to_pylist()]
    expected = [
        round(taken[month] / n, 10) if n else None for month, n in zip(result.table.column("period").to_pylist(), many, strict=True)
    ]
    assert result.table.column("won_share").to_pylist() == expected
    assert len(set(expected)) > 10
