"""How the columns of a file write their dates and amounts, read off a sample or off all of them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import duckdb

from kpi.settings import DateOrder
from kpi.warehouse import mapped
from kpi.warehouse.casting import Scope, cells_of, minor_amounts, typed_cells
from kpi.warehouse.cells import Currency
from kpi.warehouse.shapes import Undecided, amount_shape, date_shape

#: Records from which the writing of dates and amounts is first read off; later ones are checked against it.
SAMPLE: Final = 20_000


#: Values and conditions, each with the scope it finds its cells in.
Values = Sequence[tuple[Scope, tuple[Any, ...]]]


def decide(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    scope: Scope,
    values: Values,
    setting: DateOrder | None,
    sample: Callable[[Iterable[int]], str] | None,
    mark: str | None = None,
) -> None:
    """Fill ``scope.dates`` and ``scope.amounts`` for every cell that ``values`` read as a date or an amount.

    Args:
        connection, relation: where the columns of text are.
        scope: the file's columns.
        setting: day or month first where a column can't decide.
        sample: gives a relation of some columns of the first records, which are looked at first; None for all at once.
        mark: what begins the decimals where a column shows none; None asks, where both would be readings.

    Raises:
        Undecided: a question that only a person can answer.
    """
    dates, amounts = columns_of(values)
    first = relation if sample is None else sample(sorted({*dates, *amounts}))
    texts = _written(connection, first, dates, amounts)
    if sample is not None:
        # a column that shows no decimals in the sample may show them, or thousand marks, further down
        unproved = [at for at in amounts if not _proved(dict(texts[at] or {}))]
        texts |= _written(connection, relation, [], unproved)

    def quote(at: int, pattern: str) -> str:
        found = connection.execute(mapped.cell_query(relation, at, pattern)).fetchall()
        return str(found[0][0])

    try:
        decide_by(texts, scope, values, setting, quote, mark)
    except Undecided:
        if sample is None:
            raise
        decide(connection, relation, scope, values, setting, None, mark)


def columns_of(values: Values) -> tuple[list[int], list[int]]:
    """Positions of the columns that are read as dates, and of those that are read as amounts."""
    dates, amounts = _named(values)
    return list(dates), list(amounts)


def decide_by(
    texts: Mapping[int, Any],
    scope: Scope,
    values: Values,
    setting: DateOrder | None,
    quote: Callable[[int, str], str],
    mark: str | None = None,
) -> None:
    """As :func:`decide`, where it is known what the columns hold.

    Args:
        texts: for each column that is read as a date its distinct texts, for each that is read as an amount how many cells have a
            pattern; see :func:`kpi.warehouse.mapped.shapes_query`.
        quote: a cell of a column that has a pattern.

    Raises:
        Undecided: a question that only a person can answer.
    """
    dates, amounts = _named(values)
    _decide_dates(scope, {at: (column, sorted(text for text in texts[at] or () if text)) for at, column in dates.items()}, setting)
    currency = None if any(_names_currency(within, part) for within, parts in values for part in parts) else scope.currency
    _decide_amounts(scope, {at: (*about, dict(texts[at] or {})) for at, about in amounts.items()}, quote, mark, currency)


def _named(values: Values) -> tuple[dict[int, str], dict[int, tuple[str, str]]]:
    """The columns that are read as dates with their names, and those that are read as amounts with their names and kinds."""
    dates: dict[int, str] = {}
    amounts: dict[int, tuple[str, str]] = {}
    for within, parts in values:
        for kind, cell in (pair for part in parts for pair in typed_cells(part)):
            found = within.find(cell)
            if found and kind == "date":
                dates[found[0]] = found[1]
            elif found:
                amounts.setdefault(found[0], (found[1], kind))
        for cell in (cell for amount in minor_amounts(parts) for cell in cells_of(amount.of)):
            if (found := within.find(cell)) is not None:
                amounts.setdefault(found[0], (found[1], "amount"))
    return dates, amounts


def _written(connection: duckdb.DuckDBPyConnection, relation: str, dates: list[int], amounts: list[int]) -> dict[int, Any]:
    """For each column its distinct dates, or the patterns of its amounts."""
    if not dates and not amounts:
        return {}
    query = mapped.shapes_query(relation, dates, amounts)
    return dict(zip([*dates, *amounts], connection.execute(query).fetchall()[0], strict=True))


def _decide_dates(scope: Scope, columns: dict[int, tuple[str, list[str]]], setting: DateOrder | None) -> None:
    """Each column for itself; one that can't decide is asked about, with what the others of the file show."""
    asked: Undecided | None = None
    shown: list[str] = []
    for at, (column, texts) in columns.items():
        try:
            scope.dates[at] = date_shape(column, texts, setting, scope.since_1904)
            shown += [scope.dates[at].words] if scope.dates[at].words else []
        except Undecided as undecided:
            asked = asked or undecided
    if asked is not None:
        raise Undecided(asked.question + (f" ({shown[0]})" if shown else ""))


def _names_currency(scope: Scope, value: Any) -> bool:
    """Whether a value reads a currency from a column that the file has."""
    if isinstance(value, Currency):
        return any(scope.find(cell) is not None for cell in cells_of(value))
    if isinstance(value, tuple):
        return any(_names_currency(scope, item) for item in value)
    return dataclasses.is_dataclass(value) and any(_names_currency(scope, getattr(value, part.name)) for part in dataclasses.fields(value))


def _decide_amounts(
    scope: Scope,
    columns: dict[int, tuple[str, str, dict[str, int]]],
    quote: Callable[[int, str], str],
    mark: str | None,
    currency: str | None,
) -> None:
    """Columns that prove their decimal mark first; they tell of those that don't. ``quote``: a cell of a column by its pattern."""
    usual = mark
    waiting: list[int] = []
    for at, (column, kind, patterns) in columns.items():
        try:
            shape = amount_shape(column, patterns, None, partial(quote, at), kind == "number", scope.delimiter, currency)
            if mark is not None:  # numbers of JSON have no thousands
                shape = replace(shape, is_doubtful=False)
        except Undecided:
            waiting.append(at)
            continue
        scope.amounts[at] = shape
        if _proved(patterns) or shape.decimal == ",":
            usual = usual or shape.decimal
        elif any("," in pattern for pattern in patterns):
            waiting.append(at)
    for at in waiting:
        column, kind, patterns = columns[at]
        scope.amounts[at] = amount_shape(column, patterns, usual, partial(quote, at), kind == "number", scope.delimiter, currency)


def _proved(patterns: dict[str, int]) -> bool:
    """Whether a column shows which mark begins its decimals."""
    return any(re.search(r"[.,][9Z]{1,2}$|[.,][9Z]{4,}$", re.sub(r"[^9Z.,]", "", pattern)) for pattern in patterns)
