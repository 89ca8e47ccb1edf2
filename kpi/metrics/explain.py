"""Where a figure comes from: its definition, the metrics it is made of with their values, its SQL, the sources and their files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kpi.errors import QueryError
from kpi.metrics import expressions
from kpi.metrics.curves import curve
from kpi.metrics.figures import conditions_of
from kpi.metrics.kinds import lagging
from kpi.metrics.kinds.switches import sentences
from kpi.metrics.layout import laid_out
from kpi.metrics.model import Cumulated, Definitions, Formula, Leaf, Metric, Node, Query
from kpi.metrics.nodes import pers_of
from kpi.metrics.query import facts_of, planned, run
from kpi.metrics.result import LazyText, Result
from kpi.metrics.tree import Branch, tree
from kpi.metrics.uses import leaves_of
from kpi.periods import MONTHS
from kpi.warehouse.reader import CoverageRow, Reader
from kpi.warehouse.schema import import_run, metadata

#: Days of a curve that are told in words.
_FOLLOWED = (30, 90, 180, 365, 540)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


@dataclass(frozen=True)
class SourceFile:
    """A file that rows of a table came from."""

    name: str
    imported_at: dt.datetime | None
    as_of: dt.datetime | None
    rows: int


@dataclass(frozen=True)
class Source:
    """A system that a table's rows come from: the days from <= day < to it covers, and its files, newest first."""

    table: str
    source: str
    covers_from: dt.date
    covers_to: dt.date
    basis: str
    rows: int
    counts: bool
    files: tuple[SourceFile, ...]


@dataclass(frozen=True)
class Explained:
    """One metric of the query, and what it is made of, with the values of the last period over all groups.

    ``failed``: why that can't be told, in a sentence.
    """

    metric: Metric
    tree: tuple[Branch, ...]
    failed: str = ""


@dataclass(frozen=True)
class Explanation:
    """All there is to say of a query.

    Attributes:
        switches: how time and money are counted, in sentences.
        cohorts: of metrics that wait for something, how many started, got there, were lost, and are waiting, in sentences.
        result: the answer, with its warnings and coverage.
    """

    metrics: tuple[Explained, ...]
    switches: tuple[str, ...]
    cohorts: tuple[str, ...]
    sources: tuple[Source, ...]
    result: Result
    statement: LazyText

    @property
    def sql(self) -> str:
        """The statement that was run, laid out in lines, runnable as it stands."""
        return str(self.statement)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of the result."""
        return self.result.warnings


def explain(query: Query, definitions: Definitions, reader: Reader, trees: bool = True) -> Explanation:
    """Explain a query by running it; raises what :func:`kpi.metrics.query.run` raises.

    Args:
        trees: whether to compute what each metric is made of, which is one more statement each.
    """
    result = run(query, definitions, reader)
    made = planned(result.query, definitions, reader)[0]
    allocations = [scan.leaves[0].allocate for scan in made.scans if scan.split is not None]
    bases = [allocate.basis for allocate in allocations if allocate is not None]
    leaves = leaves_read(result.query.metrics, definitions, [node for scan in made.scans for node in scan.filters], bases)
    return Explanation(
        metrics=tuple(_explained(name, result, definitions, reader, trees) for name in result.query.metrics),
        switches=(
            *switches(definitions),
            *_of_subscriptions(result.query.metrics, definitions),
            *_of_metrics(result.query.metrics, definitions),
        ),
        cohorts=tuple(_cohorts(result, definitions, reader)),
        sources=tuple(_source(row, definitions, reader) for row in _coverage(leaves, definitions, reader)),
        result=result,
        statement=LazyText(lambda: laid_out(result.sql)),
    )


def _explained(name: str, result: Result, definitions: Definitions, reader: Reader, with_tree: bool) -> Explained:
    try:
        return Explained(definitions.metrics[name], tree(name, result, definitions, reader) if with_tree else ())
    except QueryError as error:  # the figure itself is there
        return Explained(definitions.metrics[name], (), str(error))


def leaves_read(
    names: Iterable[str], definitions: Definitions, filters: Iterable[Node] = (), others: Iterable[Leaf] = ()
) -> tuple[Leaf, ...]:
    """The leaves whose rows metrics are read from: their own, ``others``, and those by which a per() chooses rows."""
    read = [leaf for name in names for leaf in leaves_of(name, definitions.metrics)] + [*others]
    read += [leaf for one in read if one.lived for name in one.lived.made_of for leaf in leaves_of(name, definitions.metrics)]
    chosen_by: dict[str, None] = {}
    waiting = [node for leaf in read for node in conditions_of(leaf)] + [*filters]
    while waiting:
        for per in pers_of(waiting.pop(0)):
            if per.metric not in chosen_by:
                chosen_by[per.metric] = None
                found = leaves_of(per.metric, definitions.metrics)
                read += found
                waiting += [node for leaf in found for node in conditions_of(leaf)]
    return tuple(read)


def _coverage(leaves: Sequence[Leaf], definitions: Definitions, reader: Reader) -> list[CoverageRow]:
    """How far the sources of what was asked reach; a table that this program did not make by the dates it is counted by."""
    facts = facts_of(reader, definitions)
    rows: list[CoverageRow] = []
    for table in dict.fromkeys(table for leaf in leaves for table in leaf.tables):
        times = [leaf.time for leaf in leaves if leaf.table == table]
        own = [row for name, time, row in facts.spans if name == table and time in times and row is not None]
        rows += own or [row for row in facts.coverage if row.table_name == table]
    return rows


def switches(definitions: Definitions) -> tuple[str, ...]:
    """How this company counts, where others count otherwise."""
    calendar = definitions.calendar
    said = [
        f"weeks begin on {_WEEKDAYS[calendar.week_starts]}",
        f"the year begins in {_MONTHS[calendar.year_starts - 1]}",
        f"a timestamp counts on its day in {calendar.timezone}",
        f"money is in {definitions.currency}",
    ]
    if calendar.pattern:
        said.append(f"the months of a quarter have {', '.join(map(str, calendar.pattern))} weeks")
    for table, spans in definitions.sources.items():
        words = []
        for span in spans:
            since = f" from {_day(span.start)}" if span.start else ""
            until = f" to {_day(span.end - dt.timedelta(days=1))}" if span.end else ""
            words.append(f"{span.source}{since}{until}")
        said.append(f"of {table} counts what comes from {' and '.join(words)}")
    return tuple(said)


def _of_subscriptions(names: Iterable[str], definitions: Definitions) -> tuple[str, ...]:
    leaves = (leaf for name in names for leaf in leaves_of(name, definitions.metrics))
    return tuple(dict.fromkeys(said for leaf in leaves for said in sentences(leaf)))


def _of_metrics(names: Iterable[str], definitions: Definitions) -> tuple[str, ...]:
    """How the metrics asked for, and those they are made of, split costs and take them earlier."""
    said: dict[str, None] = {}
    for name in names:
        metric = definitions.metrics[name]
        if isinstance(metric, Formula):
            said |= dict.fromkeys((*lagging.said(metric.formula), *_of_metrics(expressions.metrics_of(metric.formula), definitions)))
        elif isinstance(metric, Leaf) and metric.allocate is not None:
            said[f"{name} without {' or '.join(metric.allocate.to)} is split by {metric.allocate.basis.name} of each month"] = None
        elif isinstance(metric, Leaf) and metric.lived is not None and isinstance(metric.lived.until, Cumulated):
            total = metric.lived.until.total
            said |= dict.fromkeys((*lagging.said(total), *_of_metrics(expressions.metrics_of(total), definitions)))
    return tuple(said)


def _cohorts(result: Result, definitions: Definitions, reader: Reader) -> Iterator[str]:
    """The cohort behind each time_to, in the last period that has data: who started, and what became of them."""
    for name in result.query.metrics:
        metric, span = definitions.metrics[name], result.coverage[name]
        if not isinstance(metric, Leaf) or metric.lived is None or span is None or not result.ends:
            continue
        last = min(span.end, result.ends[-1], result.query.until or dt.date.max) - dt.timedelta(days=1)
        try:
            found = curve(name, last, definitions, reader, result.query.where)
        except QueryError as error:
            yield f"{name}: how many started and what became of them is not known: {error}"
            continue
        if found is None:
            continue
        yield (
            f"{name}: {found.started:,} started from {_day(found.started_from)} to {_day(found.day)}; "
            f"{found.reached:,} reached it, {found.lost:,} lost before, {found.waiting:,} waiting"
        )
        followed = [f"{found.at_risk(days):,} after {days} days" for days in _FOLLOWED if found.at_risk(days)]
        if followed:
            yield f"{name}: still followed, and neither there nor lost: {', '.join(followed)}"


def _source(row: CoverageRow, definitions: Definitions, reader: Reader) -> Source:
    stated = definitions.sources.get(row.table_name)
    return Source(
        table=row.table_name,
        source=row.source,
        covers_from=row.covers_from,
        covers_to=row.covers_to,
        basis=row.basis,
        rows=row.row_count,
        counts=stated is None or row.source in {span.source for span in stated},
        files=_files(row, reader),
    )


def _files(row: CoverageRow, reader: Reader) -> tuple[SourceFile, ...]:
    table = metadata.tables.get(row.table_name)
    if table is None or not {"run_id", "source"} <= set(table.columns.keys()):
        return ()
    counts: Any = (
        sa.select(table.c.run_id, sa.func.count().label("rows")).where(table.c.source == row.source).group_by(table.c.run_id).subquery()
    )
    found = reader.run(
        sa.select(import_run.c.file, import_run.c.imported_at, import_run.c.as_of, counts.c.rows)
        .join(counts, counts.c.run_id == import_run.c.run_id)
        .order_by(import_run.c.run_id.desc())
    )
    return tuple(SourceFile(line["file"], line["imported_at"], line["as_of"], int(line["rows"])) for line in found.to_pylist())


def _day(day: dt.date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
