"""A query and the statement that an expert would write for it: they must give the same figures before anything is timed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from benchmarks import company
from kpi.metrics import definitions, query
from kpi.metrics.model import Definitions, Query
from kpi.metrics.publishing import mappings_of
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.home import warehouse_file
from kpi.warehouse.reader import Reader

FOLDER: Final = Path(__file__).parent
WEEKS: Final = 65
SINCE: Final = company.END - dt.timedelta(weeks=WEEKS)
#: Ten times the rows on a busy machine shall be measured, and not stopped.
TIMEOUT_S: Final = 900


@dataclass(frozen=True)
class Contest:
    """What is asked of both.

    Attributes:
        name: of the line in the report; ``file``: the statement by hand, in this folder.
        limit: how many times its time the program may need.
    """

    name: str
    file: str
    limit: float
    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    @property
    def query(self) -> Query:
        """The query, of 65 weeks."""
        return Query(self.metrics, by=self.by, where=self.where, grain="week", since=SINCE, until=company.END)


@dataclass(frozen=True)
class Ring:
    """An open warehouse: the program's reader with the definitions it answers by, and a connection for statements by hand."""

    definitions: Definitions
    reader: Reader
    connection: duckdb.DuckDBPyConnection

    def ours(self, contest: Contest) -> pa.Table:
        """The program's answer."""
        return query.run(contest.query, self.definitions, self.reader).table

    def kept(self, contest: Contest) -> pa.Table:
        """The program's answer as pages ask for it: from cells by the filter's dimensions, once these are made."""
        return query.run(contest.query, self.definitions, self.reader, keep=True).table

    def by_hand(self, contest: Contest) -> pa.Table:
        """The statement's answer."""
        return self.connection.execute((FOLDER / contest.file).read_text(encoding="utf-8")).to_arrow_table()

    def new_plan(self, contest: Contest) -> pa.Table:
        """The program's answer as after a change of the definitions, or for a filter never asked before."""
        query.forget_plans()
        return self.ours(contest)

    def check(self, contest: Contest) -> None:
        """Both must hold the same figures, to the last digit shown, or the comparison is of different things.

        Raises:
            AssertionError: they disagree about a figure, or about which there are.
        """
        ours, theirs = _rows(contest, self.ours(contest)), _rows(contest, self.by_hand(contest))
        assert ours.keys() == theirs.keys(), f"{contest.name}: only one of both has {sorted(ours.keys() ^ theirs.keys())[:3]}"
        assert len({key[0] for key in ours}) == WEEKS, f"{contest.name}: there are no {WEEKS} weeks"
        for key, row in ours.items():
            for name in contest.metrics:
                assert _same(row[name], theirs[key][name]), f"{contest.name}, {key}: {name} is {row[name]}, and {theirs[key][name]} by hand"


@contextmanager
def opened(folder: Path, scale: float) -> Iterator[Ring]:
    """The company of a scale, made under ``folder`` the first time, with this folder's definitions."""
    known = definitions.load(FOLDER / "metrics.yaml")
    settings = Settings(home=company.build(folder, mappings_of(known), scale).home, query_timeout_s=TIMEOUT_S)
    with open_reader(settings) as reader, duckdb.connect(str(warehouse_file(settings.home, 1)), read_only=True) as connection:
        connection.execute(f"set variable since = DATE '{SINCE}'")
        connection.execute(f"set variable until = DATE '{company.END}'")
        yield Ring(known, reader, connection)


def _rows(contest: Contest, table: pa.Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows by period and groups; those without one are "(none)"."""
    names = ("period", *contest.by)
    rows = table.to_pylist()
    found = {tuple("(none)" if row[name] is None else row[name] for name in names): row for row in rows}
    assert len(found) == len(rows), f"{contest.name}: a group stands there twice"
    return found


def _same(mine: Any, other: Any) -> bool:
    """Amounts and counts to the last digit; quotients, whose last digit hangs on how they are rounded, to the one before."""
    if isinstance(mine, float) and other is not None:
        return bool(abs(mine - other) < 1e-9)
    return bool(mine == other)
