"""Results made by hand: what charts and cards are tested on without a warehouse."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping

import pyarrow as pa

from kpi.metrics.model import Definitions, Query
from kpi.metrics.result import Result, Span

Values = Mapping[tuple[str | None, ...], float | int | None]


def result(
    query: Query,
    currency: str,
    units: Mapping[str, str],
    weeks: list[dt.date],
    groups: list[tuple[str | None, ...]],
    value: Callable[[str, int, tuple[str | None, ...]], object],
    state: Callable[[str, int], str] = lambda name, place: "known",
    targets: Mapping[str, Mapping[dt.date, object]] | None = None,
    coverage: Mapping[str, Span | None] | None = None,
    warnings: tuple[str, ...] = (),
) -> Result:
    """A Result of ``groups`` in ``weeks``; ``value(metric, place of the week, group)``."""
    rows = [(place, week, group) for place, week in enumerate(weeks) for group in groups]
    columns: dict[str, pa.Array] = {"period": pa.array([week for _, week, _ in rows], pa.date32())}
    for at, name in enumerate(query.by):
        columns[name] = pa.array([group[at] for _, _, group in rows], pa.string())
    for name in query.metrics:
        columns[name] = pa.array([value(name, place, group) for place, _, group in rows])
    columns["partial"] = pa.array([any(state(name, place) == "partial" for name in query.metrics) for place, _, _ in rows])
    return Result(
        query=query,
        table=pa.table(columns),
        states={name: pa.array([state(name, place) for place, _, _ in rows]) for name in query.metrics},
        ends=tuple(week + dt.timedelta(days=7) for _, week, _ in rows),
        units=units,
        currency=currency,
        generation=1,
        definitions="made",
        data_through=None,
        coverage=coverage or {name: Span(weeks[0], weeks[-1] + dt.timedelta(days=7)) for name in query.metrics},
        targets=targets or {},
        warnings=warnings,
        sql="select 1",
    )
