"""Reading one generation: one statement in, one Arrow table out, within a limit of time and memory."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from kpi.warehouse.schema import coverage, coverage_gap, generation, money_currency


@dataclass(frozen=True)
class CoverageRow:
    """From when to when the rows of a source reach in a table: the days from <= day < to, without those of ``gaps``.

    Attributes:
        gaps: days from <= day < to in between that no import covers, in order.
    """

    table_name: str
    source: str
    covers_from: dt.date
    covers_to: dt.date
    basis: str
    row_count: int
    gaps: tuple[tuple[dt.date, dt.date], ...] = ()


@dataclass(frozen=True)
class CurrencyRow:
    """A currency, with the currency of its twin (empty for none), that occurs among a source's rows of a table."""

    table_name: str
    source: str
    currency: str
    home_currency: str
    row_count: int


@dataclass(frozen=True)
class Prepared:
    """A statement as text, the values of its binds by name, and their order where they are positional.

    ``tables``: rows that it names besides the warehouse's tables; for readers that have ``takes_tables``.
    """

    sql: str
    values: Mapping[str, Any]
    order: tuple[str, ...] | None
    tables: Mapping[str, pa.Table] = field(default_factory=dict)


class Reader(ABC):
    """One open, read-only, hardened connection to one generation; a context manager, safe to share among threads.

    Attributes:
        generation: number of the generation; 0 when nothing was ever published: every table is there and empty.
        dialect: of the engine, for compiling.
        mappings: hash of the parts of metrics.yaml the generation was published with.
        coverage, currencies: the rows of the tables of those names.
        before: what :meth:`literal` writes before a statement, so that it runs as it stands.
        takes_tables: whether statements may name rows that this program holds.
    """

    before = ""
    takes_tables = False

    def __init__(self, dialect: Dialect, literals: Dialect) -> None:
        self.dialect = dialect
        self._literals = literals
        head = self.run(sa.select(generation.c.number, generation.c.mappings)).to_pylist()
        self.generation = int(head[0]["number"]) if head else 0
        self.mappings = str(head[0]["mappings"] or "") if head else ""
        reach = sa.select(coverage).order_by(coverage.c.table_name, coverage.c.source)
        missing: dict[tuple[str, str], list[tuple[dt.date, dt.date]]] = {}
        for gap in self.run(sa.select(coverage_gap).order_by(coverage_gap.c.gap_from)).to_pylist():
            missing.setdefault((gap["table_name"], gap["source"]), []).append((gap["gap_from"], gap["gap_to"]))
        self.coverage = tuple(
            CoverageRow(**row, gaps=tuple(missing.get((row["table_name"], row["source"]), ()))) for row in self.run(reach).to_pylist()
        )
        moneys = sa.select(money_currency).order_by(*money_currency.columns)
        self.currencies = tuple(CurrencyRow(**row) for row in self.run(moneys).to_pylist())

    def prepare(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> Prepared:
        """The statement's SQL and values, to be run as often as wanted; it takes as long as a small query."""
        compiled = statement.compile(dialect=self.dialect)
        state = compiled.construct_expanded_state()
        return Prepared(state.statement, dict(state.parameters), tuple(state.positiontup) if state.positiontup is not None else None)

    def run(self, statement: Prepared | sa.Select[Any] | sa.CompoundSelect[Any], parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The statement's rows, decimals kept. ``parameters`` replace values of its named binds.

        Raises:
            QueryTooHeavy: the limit of time or memory was passed.
        """
        ready = statement if isinstance(statement, Prepared) else self.prepare(statement)
        return self._fetch(ready, {**ready.values, **parameters} if parameters else ready.values)

    def literal(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> str:
        """The statement's SQL with its values filled in, runnable as it stands."""
        return self.writer(statement)

    @property
    def writer(self) -> Callable[[sa.Select[Any] | sa.CompoundSelect[Any]], str]:
        """:meth:`literal` without a hold on the connection, for who keeps it longer than the reader."""
        dialect, before = self._literals, self.before
        return lambda statement: before + str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

    @abstractmethod
    def close(self) -> None:
        """Let go of the generation."""

    @abstractmethod
    def _fetch(self, ready: Prepared, values: Mapping[str, Any]) -> pa.Table: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
