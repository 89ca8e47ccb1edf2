"""From when to when a metric's data reach, and which systems' rows count (SEMANTICS, rules 1 and 2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kpi.metrics.model import CountedSpan
from kpi.periods import Period
from kpi.warehouse.reader import CoverageRow
from kpi.warehouse.schema import COUNTED


@dataclass(frozen=True)
class Reach:
    """What is known of a table.

    Attributes:
        spans: covered days, without overlap, in order; empty where nothing is known.
        counted: which sources' rows count, and on which days; None: every row.
        uncounted: systems that hold the same thing, so that nothing counts until ``sources:`` says which.
        missing: sources that count and were never imported.
    """

    spans: tuple[Period, ...]
    counted: tuple[CountedSpan, ...] | None = None
    uncounted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def reach_of(table: str, sources: Mapping[str, Sequence[CountedSpan]], coverage: Iterable[CoverageRow]) -> Reach:
    """The reach of a table under the definitions' ``sources:``."""
    rows = {row.source: row for row in coverage if row.table_name == table}
    stated = sources.get(table)
    if stated is not None:
        return _stated(tuple(stated), rows)
    # A source that was imported and holds no such rows is no second system that holds the same thing.
    holding = [row for row in rows.values() if row.row_count > 0] or list(rows.values())
    clusters = _clusters(holding)
    if table in COUNTED:
        doubled = [cluster for cluster in clusters if len(cluster) > 1]
        if doubled:
            return Reach((), uncounted=tuple(sorted({row.source for cluster in doubled for row in cluster})))
    # Systems that follow each other reach over all their days; of those that run side by side, over their common ones.
    return Reach(joined(span for cluster in clusters for span in common(known(row) for row in cluster)))


def known(row: CoverageRow) -> tuple[Period, ...]:
    """The days that a source covers: from its first to its last without those of missing exports."""
    bounds = [row.covers_from, *(day for gap in row.gaps for day in gap), row.covers_to]
    return tuple(Period(start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=True))


def common(reaches: Iterable[Sequence[Period]]) -> tuple[Period, ...]:
    """The days that all of them cover."""
    result: tuple[Period, ...] | None = None
    for spans in reaches:
        if result is None:
            result = tuple(spans)
        else:
            cuts = (one.cut(other.start, other.end) for one in result for other in spans)
            result = joined(cut for cut in cuts)
    return result or ()


def joined(spans: Iterable[Period]) -> tuple[Period, ...]:
    """The same days as spans without overlap, in order; empty ones left out."""
    result: list[Period] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if result and span.start <= result[-1].end:
            result[-1] = Period(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return tuple(result)


def _clusters(rows: Iterable[CoverageRow]) -> list[list[CoverageRow]]:
    """Rows grouped so that those of different groups share no day."""
    clusters: list[list[CoverageRow]] = []
    end = dt.date.min
    for row in sorted(rows, key=lambda row: (row.covers_from, row.covers_to)):
        if clusters and row.covers_from < end:
            clusters[-1].append(row)
            end = max(end, row.covers_to)
        else:
            clusters.append([row])
            end = row.covers_to
    return clusters


def _stated(counted: tuple[CountedSpan, ...], rows: Mapping[str, CoverageRow]) -> Reach:
    """A day is covered when a source counts on it, and every source that counts on it covers it."""
    missing = tuple(dict.fromkeys(span.source for span in counted if span.source not in rows))
    bounds = {dt.date.min, dt.date.max}
    for span in counted:
        bounds |= {span.start or dt.date.min, span.end or dt.date.max}
    for row in rows.values():
        bounds |= {day for span in known(row) for day in (span.start, span.end)}
    covered = []
    for start, end in pairwise(sorted(bounds)):
        here = [span.source for span in counted if (span.start or dt.date.min) <= start and end <= (span.end or dt.date.max)]
        if here and all(source in rows and _holds(known(rows[source]), start, end) for source in here):
            covered.append(Period(start, end))
    only = {span.source for span in counted} >= set(rows) and all(span.start is None and span.end is None for span in counted)
    return Reach(joined(covered), None if only else counted, missing=missing)


def _holds(spans: Sequence[Period], start: dt.date, end: dt.date) -> bool:
    return any(span.start <= start and end <= span.end for span in spans)
