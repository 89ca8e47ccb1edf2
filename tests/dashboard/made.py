"""Metrics and Results made by hand: what charts and cards are tested on without a warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import pyarrow as pa

from kpi.metrics.model import Formula, Literal_, Metric, Query, Target, Where
from kpi.metrics.result import LazyText, Result, Span

Group = tuple[str | None, ...]


def metric(name: str = "margin", unit: str = "percent", better: str | None = "up", targets: Sequence[Target] = ()) -> Metric:
    """A metric of which only name, unit and direction matter."""
    return Formula(
        name=name,
        label=name.capitalize(),
        means="",
        owner="finance",
        unit=unit,
        better=better,
        targets=tuple(targets),
        needs=None,
        where=Where("metrics.yaml", 1),
        text={},
        formula=Literal_(Decimal(1), "number"),
    )


def result(
    query: Query,
    weeks: Sequence[dt.date],
    groups: Sequence[Group],
    value: Callable[[str, int, Group], object],
    state: Callable[[str, int], str] = lambda name, place: "known",
    targets: Mapping[str, Mapping[dt.date, Decimal]] | None = None,
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
        units=dict.fromkeys(query.metrics, "percent"),
        currency="EUR",
        generation=1,
        definitions="made",
        data_through=None,
        coverage={name: Span(weeks[0], weeks[-1] + dt.timedelta(days=7)) for name in query.metrics},
        targets=targets or {},
        notes=(),
        statement=LazyText(lambda: "select 1"),
    )
