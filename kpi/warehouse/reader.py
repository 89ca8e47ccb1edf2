"""Reading one generation: one statement in, one Arrow table out, within a limit of time and memory."""

from __future__ import annotations

import datetime as dt
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from kpi.warehouse.schema import coverage, coverage_gap, generation, money_currency

#: Compiled statements kept for one reader: more than the distinct statements of all pages together.
_KEPT_STATEMENTS = 64


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


class Reader(ABC):
    """One open, read-only, hardened connection to one generation; a context manager, safe to share among threads.

    Attributes:
        generation: number of the generation; 0 when nothing was ever published: every table is there and empty.
        dialect: of the engine, for compiling.
        mappings: hash of the parts of metrics.yaml the generation was published with.
        coverage, currencies: the rows of the tables of those names.
        before: what :meth:`literal` writes before a statement, so that it runs as it stands.
    """

    before = ""

    def __init__(self, dialect: Dialect, literals: Dialect) -> None:
        self.dialect = dialect
        self._literals = literals
        self._compiled: OrderedDict[int, tuple[sa.Select[Any], SQLCompiler]] = OrderedDict()
        self._compiling = threading.Lock()
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

    def run(self, statement: sa.Select[Any] | sa.CompoundSelect[Any], parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The statement's rows, decimals kept. ``parameters`` replace values of its named binds.

        A statement that is run again as the same object is not compiled again.

        Raises:
            QueryTooHeavy: the limit of time or memory was passed.
        """
        compiled = self._compile(statement)
        state = compiled.construct_expanded_state(dict(parameters or {}))
        return self._fetch(state.statement, state.parameters, state.positiontup)

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
    def _fetch(self, sql: str, values: Mapping[str, Any], order: Sequence[str] | None) -> pa.Table: ...

    def _compile(self, statement: Any) -> SQLCompiler:
        with self._compiling:
            kept = self._compiled.get(id(statement))
            if kept is not None:
                self._compiled.move_to_end(id(statement))
                return kept[1]
        compiled = statement.compile(dialect=self.dialect)
        with self._compiling:
            self._compiled[id(statement)] = (statement, compiled)  # holding the statement keeps its id its own
            while len(self._compiled) > _KEPT_STATEMENTS:
                self._compiled.popitem(last=False)
        return compiled  # type: ignore[no-any-return]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
