"""Coverage and currencies: what a query must know before it trusts a table, kept as rows change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa

from kpi.warehouse.schema import facts, metadata
from kpi.warehouse.store import Store

#: The basis of a coverage that the file states rather than its rows' dates.
STATED: Final = "stated by the file"
#: The basis of a history made of what successive exports showed; any export of a history takes its place.
SEEN: Final = "seen in successive exports"
_MIXED: Final = "stated by the file and dates of its rows"

#: The first day that a file covers, the first it no longer does, and what shows it.
Covered = tuple[dt.date, dt.date, str]

#: Stated periods must meet. The dates of rows say from when to when an export reaches, not that it holds no quiet times:
#: between two such exports nothing shows that one is missing.
_APART: Final = dt.timedelta(0)


def currency_tables() -> list[sa.Table]:
    """The tables whose rows carry a currency, a twin and a source."""
    return [table for table in facts() if {"currency", "home_currency", "source"} <= set(table.columns.keys())]


def refresh_currencies(store: Store, tables: Iterable[str] | None = None) -> None:
    """Count the currencies of ``tables`` (default: all) anew."""
    wanted = None if tables is None else set(tables)
    for table in currency_tables():
        if wanted is None or table.name in wanted:
            store.run("DELETE FROM money_currency WHERE table_name = ?", [table.name])
            store.run(
                "INSERT INTO money_currency (table_name, source, currency, home_currency, row_count) "
                f"SELECT '{table.name}', source, coalesce(currency, ''), coalesce(home_currency, ''), count(*) FROM {table.name} "
                "GROUP BY source, coalesce(currency, ''), coalesce(home_currency, '')"
            )


def extend_coverage(store: Store, source: str, covers: Mapping[str, Covered]) -> list[str]:
    """Let the coverage of ``source`` reach over what a file covers as well; a sentence for each gap that is left."""
    return extend_by_each(store, source, [covers])[0]


def extend_by_each(store: Store, source: str, several: Sequence[Mapping[str, Covered]]) -> list[list[str]]:
    """As :func:`extend_coverage`, of one file after the other; the sentences of each."""
    said: list[list[str]] = [[] for _ in several]
    for table in sorted({table for covers in several for table in covers}):
        key = [table, source]
        known = store.run(
            "SELECT covers_from, covers_to, basis FROM coverage WHERE table_name = ? AND source = ? AND basis <> ?", [*key, SEEN]
        )
        gaps = store.run("SELECT gap_from, gap_to FROM coverage_gap WHERE table_name = ? AND source = ?", key)
        spans = _without(known[0][0], known[0][1], gaps) if known else []
        basis = known[0][2] if known else ""
        missing: list[tuple[dt.date, dt.date]] = []
        for at, covers in enumerate(several):
            if table not in covers:
                continue
            first, end, mine = covers[table]
            basis = mine if basis in ("", mine) else _MIXED
            spans = _joined([*spans, (first, end)], _APART if basis == STATED else None)
            missing = [(left[1], right[0]) for left, right in pairwise(spans)]
            said[at] += [
                f"no export of {source} covers {table} from {since} to {until - dt.timedelta(1)}, so figures of those days are not known"
                for since, until in missing
            ]
        store.run("DELETE FROM coverage WHERE table_name = ? AND source = ?", key)
        store.run("DELETE FROM coverage_gap WHERE table_name = ? AND source = ?", key)
        names: dict[str, Any] = {"table_name": table, "source": source}
        row = names | {"covers_from": spans[0][0], "covers_to": spans[-1][1], "basis": basis, "row_count": 0}
        store.add("coverage", pa.Table.from_pylist([row]))
        if missing:
            store.add("coverage_gap", pa.Table.from_pylist([names | {"gap_from": since, "gap_to": until} for since, until in missing]))
    return said


def _without(first: dt.date, end: dt.date, gaps: Iterable[tuple[Any, ...]]) -> list[tuple[dt.date, dt.date]]:
    """What is left of the days from ``first`` to before ``end``."""
    spans = []
    for since, until in sorted(gaps):
        spans.append((first, since))
        first = until
    return [*spans, (first, end)]


def _joined(spans: Iterable[tuple[dt.date, dt.date]], apart: dt.timedelta | None) -> list[tuple[dt.date, dt.date]]:
    """Spans in order, those joined that are at most ``apart`` from each other (None: all)."""
    result: list[tuple[dt.date, dt.date]] = []
    for first, end in sorted(spans):
        if result and (apart is None or first - result[-1][1] <= apart):
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((first, end))
    return result


def refresh_row_counts(store: Store, tables: Iterable[str]) -> None:
    """Count the rows of each covered source anew."""
    for name in tables:
        if "source" in metadata.tables[name].columns:
            store.run(
                f"UPDATE coverage SET row_count = (SELECT count(*) FROM {name} WHERE {name}.source = coverage.source) WHERE table_name = ?",
                [name],
            )
