"""What a page asks its figures of: one generation and one set of definitions, with every answer kept.

A generation never changes, so an answer is kept under (warehouse, generation, definitions, query), needs no expiry
and is never stale.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Final, TypeVar

import streamlit as st

from kpi.dashboard.serving import served
from kpi.errors import Problem, QueryError, QueryTooHeavy, Unreachable
from kpi.keeping import Keeper
from kpi.metrics import query as metrics_query
from kpi.metrics.explain import Explanation, explain
from kpi.metrics.model import Definitions, Query
from kpi.metrics.result import Result
from kpi.settings import Settings
from kpi.warehouse.engines import CoverageRow, Reader, current_generation, open_reader
from kpi.warehouse.given import token

Made = TypeVar("Made")

#: Answers kept: some hundred views of a page, a few kilobytes each.
KEPT_ANSWERS: Final = 1024

#: Explanations kept: opening a figure twice is common, opening hundreds is not.
KEPT_EXPLANATIONS: Final = 64

#: Readers kept open: sessions that are in the middle of a run may still ask the generation before.
KEPT_READERS: Final = 3


#: Statements of a page that run side by side.
STATEMENTS_AT_ONCE: Final = 4

#: A page's filters change all day, so what they are answered from is kept.
_RUN: Final = partial(metrics_query.run, keep=True)
_RUN_ALL: Final = partial(metrics_query.run_together, keep=True)
_PLAN: Final = partial(metrics_query.planned, keep=True)
_PLAN_ALL: Final = partial(metrics_query.planned_together, keep=True)


@dataclass(frozen=True)
class Answer:
    """The answer to one query.

    Attributes:
        result: of the metrics that could be asked that way; None where none could.
        refused: metric -> the sentence why it could not, such as a filter that its table can't reach.
    """

    result: Result | None
    refused: Mapping[str, str]


@dataclass(frozen=True)
class Desk:
    """One run's view of the company: what was published and defined when the run began.

    Attributes:
        token: changes when tables that this program did not make may have; empty where there are none.
        problems: mistakes in metrics.yaml as it stands; the definitions are then the last good ones.
    """

    settings: Settings
    definitions: Definitions
    reader: Reader
    problems: tuple[Problem, ...]
    token: str = ""

    @property
    def shows(self) -> bool:
        """Whether there is anything to show: something was published, or tables of others are named."""
        return bool(self.reader.generation or self.definitions.catalog.given)

    @property
    def coverage(self) -> tuple[CoverageRow, ...]:
        """How far each source reaches, those of others included."""
        return metrics_query.facts_of(self.reader, self.definitions).coverage

    @property
    def key(self) -> tuple[str, int, str]:
        """What everything computed from this desk may be kept under."""
        return _place(self.settings, self.token), self.reader.generation, self.definitions.hash

    def ask(self, query: Query) -> Answer:
        """The answer; metrics that can't be asked this way are left out of it and named.

        Raises:
            QueryTooHeavy, WarehouseError: nothing can be answered.
        """
        return _answers().get((self.key, query), lambda: _answer(query, self))

    def plan(self, queries: Iterable[Query]) -> None:
        """Plan what may be asked: a filter with other values then finds its statement ready."""
        for batch in batches(queries):
            _together(batch, self, _PLAN_ALL, _PLAN)

    def answer(self, queries: Iterable[Query]) -> None:
        """Answer what will be asked, those that differ in their groups by one statement."""
        for batch in batches(queries):
            _answers().fill([(self.key, query) for query in batch], self._answered)

    def expect(self, queries: Iterable[Query]) -> None:
        """Begin to answer so, side by side: a small statement keeps one core busy."""
        for batch in batches(queries):
            _answers().start([(self.key, query) for query in batch], self._answered, _pool())

    def explain(self, query: Query) -> Explanation:
        """What stands behind an answer that was given."""
        return _explanations().get((self.key, query), lambda: explain(query, self.definitions, self.reader, trees=False))

    def _answered(self, keys: Sequence[Hashable]) -> Sequence[Answer]:
        queries = [key[1] for key in keys if isinstance(key, tuple)]
        return [Answer(*found) for found in _together(queries, self, _RUN_ALL, _RUN)]


def open_desk(settings: Settings) -> tuple[Desk | None, tuple[Problem, ...]]:
    """The desk of now and the problems of metrics.yaml; no desk while there are no good definitions.

    Raises:
        WarehouseError: the warehouse can't be opened.
    """
    state = served(settings)
    if state.definitions is None:
        return None, state.problems
    given = bool(state.definitions.catalog.given)
    changed = token(settings) if given else ""  # tables of others have no generation
    reader = _reader(_place(settings, changed), current_generation(settings), given, settings)
    return Desk(settings, state.definitions, reader, state.problems, changed), state.problems


def _place(settings: Settings, token: str) -> str:
    """Which warehouse, and which state of others' tables, so that two in one process don't mix."""
    return f"{settings.warehouse_url or settings.home.absolute()} {token}"


@st.cache_resource(max_entries=KEPT_READERS, show_spinner=False)
def _reader(place: str, generation: int, given: bool, _settings: Settings) -> Reader:
    return open_reader(_settings, given)


@cache
def _answers() -> Keeper[Answer]:
    return Keeper(KEPT_ANSWERS)


@cache
def _explanations() -> Keeper[Explanation]:
    return Keeper(KEPT_EXPLANATIONS)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(STATEMENTS_AT_ONCE, thread_name_prefix="query")


def _answer(query: Query, desk: Desk) -> Answer:
    return Answer(*_of_those_that_can(query, desk, _RUN))


def batches(queries: Iterable[Query]) -> list[list[Query]]:
    """Queries that differ in their groups only, together: what one statement may answer."""
    found: dict[Query, list[Query]] = {}
    for query in queries:
        found.setdefault(replace(query, by=()), []).append(query)
    return list(found.values())


def _together(
    queries: Sequence[Query],
    desk: Desk,
    ask_all: Callable[[Sequence[Query], Definitions, Reader], Sequence[Made]],
    ask: Callable[[Query, Definitions, Reader], Made],
) -> list[tuple[Made | None, dict[str, str]]]:
    """What ``ask_all`` makes of all of them; where any can't be asked so, each by itself."""
    try:
        return [(made, {}) for made in ask_all(queries, desk.definitions, desk.reader)]
    except QueryError:
        return [_of_those_that_can(query, desk, ask) for query in queries]


def _of_those_that_can(query: Query, desk: Desk, ask: Callable[[Query, Definitions, Reader], Made]) -> tuple[Made | None, dict[str, str]]:
    """What ``ask`` makes of the metrics that can be asked this way, and the others with the sentence why not.

    Raises:
        QueryTooHeavy: asked one by one they would take as long again, each.
    """
    metrics, refused = list(query.metrics), dict[str, str]()
    while metrics:
        try:
            return ask(replace(query, metrics=tuple(metrics)), desk.definitions, desk.reader), refused
        except QueryTooHeavy:
            raise
        except Unreachable as error:
            found = {error.metric: str(error)} if error.metric in metrics else _each(query, metrics, desk, ask)
        except QueryError as error:
            found = _each(query, metrics, desk, ask)
            if not found:
                raise error
        if not found:
            break
        refused.update(found)
        metrics = [name for name in metrics if name not in refused]
    return None, refused


def _each(query: Query, metrics: list[str], desk: Desk, ask: Callable[[Query, Definitions, Reader], object]) -> dict[str, str]:
    """Which metrics refuse, asked one by one: a formula's refusal names its part, not the formula."""
    refused = dict[str, str]()
    for name in metrics:
        try:
            ask(replace(query, metrics=(name,)), desk.definitions, desk.reader)
        except QueryTooHeavy:
            raise
        except QueryError as error:
            refused[name] = str(error)
    return refused
