"""What a query answers: values with their unit, their period, their state, and where they come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

import pyarrow as pa

from kpi.metrics.model import Query

#: Why a value is as it is. ``known``: whole and sure. ``partial``: the period is covered in part. ``unknown``:
#: outside coverage or never imported. ``empty``: no rows to take an average or a ratio of, or division by zero.
#: ``uncounted``: two systems hold the same thing and sources: doesn't say which counts. ``unconverted``: a rate
#: is missing, of the value or of its ``needs``; there may be a value still, such as what coalesce() puts in its place.
#: ``unallocated``: a ratio by a key of which more than 5 % of a cost has none, even after allocation.
#: ``too few``: below the metric's ``needs``, or they have no value (the metric's own is still there).
#: ``not reached``: of a cohort, fewer than asked for have reached what they wait for, so that no day can be told.
State = Literal["known", "partial", "unknown", "empty", "uncounted", "unconverted", "unallocated", "too few", "not reached"]

#: A sum or count is exact; a quotient is the one float.
Value = Decimal | int | float | None


@dataclass(frozen=True)
class Cell:
    """One value of one metric.

    Attributes:
        period: first day; end: first day after (exclusive), both of the whole period asked for.
        groups: a value for each dimension of the query; None is shown as "(none)".
    """

    metric: str
    period: dt.date
    end: dt.date
    groups: tuple[str | None, ...]
    value: Value
    state: State
    target: Decimal | None


class Note(NamedTuple):
    """A sentence for the reader, the metrics that it is about, and the state of theirs that it explains, if any."""

    text: str
    metrics: tuple[str, ...] = ()
    state: State | None = None


@dataclass(frozen=True)
class Span:
    """Days from <= day < to."""

    start: dt.date
    end: dt.date


class LazyText:
    """A text that is made when somebody reads it; what is pickled is the text."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make: Callable[[], str] | None = make
        self._text = ""

    def __str__(self) -> str:
        if self._make is not None:
            self._text, self._make = self._make(), None
        return self._text

    def __getstate__(self) -> tuple[str]:
        return (str(self),)

    def __setstate__(self, state: tuple[str]) -> None:
        self._make, self._text = None, state[0]


@dataclass(frozen=True)
class Result:
    """The answer to a query.

    Attributes:
        table: Arrow columns ``period`` (date32), one per dimension (string, null for none), one per metric
            (decimal128, int64 or double), and ``partial`` (bool); ordered by period, then by the dimensions.
        states: for each metric an Arrow array of ``State`` as long as ``table``.
        units: metric -> unit, as in the definitions.
        currency: of every money value.
        definitions: hash of the definitions; generation: number of the warehouse.
        data_through: last day covered by every metric asked for, or None.
        coverage: metric -> the days it covers, or None where nothing was imported.
        notes: what the reader must be told; ``warnings`` are its sentences, each once.
        statement: the SQL that was run, made when it is read; ``sql`` is its text.
    """

    query: Query
    table: pa.Table
    states: Mapping[str, pa.Array]
    ends: tuple[dt.date, ...]
    units: Mapping[str, str]
    currency: str
    generation: int
    definitions: str
    data_through: dt.date | None
    coverage: Mapping[str, Span | None]
    targets: Mapping[str, Mapping[dt.date, Decimal]]
    notes: tuple[Note, ...]
    statement: LazyText

    @property
    def warnings(self) -> tuple[str, ...]:
        """Whole sentences for the reader."""
        return tuple(dict.fromkeys(note.text for note in self.notes))

    def reason(self, metric: str, state: State) -> str | None:
        """The sentence that says why values of a metric have a state; None where the state says it all."""
        return next((note.text for note in self.notes if metric in note.metrics and note.state == state), None)

    @property
    def sql(self) -> str:
        """The statement that was run, with its values filled in, runnable as it stands."""
        return str(self.statement)

    def cells(self, metric: str) -> list[Cell]:
        """The values of one metric in the order of the table; no sums, no formatting."""
        columns = [self.table.column(name).to_pylist() for name in self.query.by]
        periods = self.table.column("period").to_pylist()
        values = self.table.column(metric).to_pylist()
        states = self.states[metric].to_pylist()
        targets = self.targets.get(metric, {})
        return [
            Cell(metric, periods[i], self.ends[i], tuple(column[i] for column in columns), values[i], states[i], targets.get(periods[i]))
            for i in range(len(periods))
        ]
