"""Rows of a flow -> sign, q and r in units of 1e-8, with the days that each piece lasts.

Empty or equal bounds: the whole amount on the first date that is known, else on the document's date. Each way in
which the bounds may be known is read by itself, so that the dates of each prune what is read; those that no row of the
generation has are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from kpi.metrics import expressions
from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.model import Column, Over
from kpi.metrics.operations import BIG, WHOLE, Element, constant, day_number, decimal, remainder, whole_quotient
from kpi.metrics.rows import Rows
from kpi.metrics.stages import pieces, rates
from kpi.metrics.stages.events import exact
from kpi.metrics.stages.scan import Scan, counted, day_literal, foreign_value, leaf_value, row_filters
from kpi.periods import Calendar

#: Places of a unit; what a flow's value has at most.
UNIT_SCALE: Final = 8
#: Places of a plain amount, of which whole units of 1e-4 fit 64 bits.
MONEY_SCALE: Final = 4
#: Amounts up to this, times 1e4, have 18 digits at 4 places.
_SMALL: Final = 9_000_000_000


@dataclass(frozen=True)
class Spread:
    """Rows of starts, ends, starts_row (day numbers), sign, quotient, finer, rest, the groups and m0, m1, …

    Attributes:
        fine: the quotient counts this many units, and ``finer`` single ones; 1: there is no ``finer``.
        cut: pieces may be shorter than the row, because an account changed.
        masked: for each leaf whether m0, m1, … say which rows are its own (1 or 0), or all are.
    """

    rows: sa.Select[Any]
    fine: int
    cut: bool
    masked: tuple[bool, ...]


def spread(scan: Scan) -> Spread:
    """The rows that touch any window."""
    leaf = scan.leaves[0]
    dated = _dated(scan)
    rows = Rows(scan.table, scan.calendar, source=dated, catalog=scan.catalog, shared=scan.bounds)
    if scan.versions:
        rows.then = pieces.overlapping(dated.c.starts_row, dated.c.ends_row)
    wheres, masks = row_filters(scan, rows)
    shown = rows.element if scan.raw else rows.text
    groups = [shown(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    currency: Element | None = None
    given = None
    if scan.foreign:
        given, currency = foreign_value(scan, leaf, rows, twins=True)
    value = leaf_value(leaf, rows, None, given)
    amount, scale = exact(value.element, value.scale)
    if leaf.aggregate == "count":
        amount, scale = (sa.literal_column("1") if leaf.value is None else sa.case((amount.is_not(None), 1), else_=0)), 0
    owned = [sa.case((mask, constant(1)), else_=constant(0)).label(f"m{place}") for place, mask in enumerate(masks) if mask is not None]
    starts, ends = pieces.cut(rows, dated.c.starts_row, dated.c.ends_row)
    cut = bool(rows.versions)
    if cut:
        wheres += [starts < ends, starts < day_literal(scan.after), ends > day_literal(scan.first)]
    source: Any = rows.source
    missing: list[Any] = []
    if scan.rate is not None and currency is not None:
        source = rates.with_rate(source, scan.rate, currency, day_number(dated.c.document_day))
        missing = [rates.unconverted(amount, currency, scan.currency, scan.rate).label("missing")]
        amount, scale = rates.converted(amount, scale, currency, scan.currency, scan.rate, UNIT_SCALE), UNIT_SCALE
    measured = (
        sa.select(
            *groups,
            *owned,
            *missing,
            day_number(starts).label("starts"),
            day_number(ends).label("ends"),
            day_number(dated.c.starts_row).label("starts_row"),
            (day_number(dated.c.ends_row) - day_number(dated.c.starts_row)).label("days"),
            sa.func.coalesce(_units(amount, scale), constant(0)).label("units"),
        )
        .select_from(source)
        .where(*wheres)
        .subquery(f"{scan.name}_unit")
    )
    fine = 10 ** (UNIT_SCALE - scale) if scale <= MONEY_SCALE else 1
    column = measured.c
    size = sa.func.abs(column.units)
    rest: Element = remainder(size, column.days)
    divided = [whole_quotient(size, column.days).label("quotient")]
    if fine > 1:
        divided.append(whole_quotient(rest * constant(fine), column.days).label("finer"))
        rest = remainder(rest * constant(fine), column.days)
    kept = [name for name in column.keys() if name not in ("days", "units")]  # noqa: SIM118 - a collection of columns is no mapping
    sign = sa.case((column.units < constant(0), constant(-1)), else_=constant(1)).label("sign")
    selected = sa.select(*(column[name] for name in kept), sign, *divided, sa.cast(rest, BIG).label("rest"))
    return Spread(selected, fine, cut, tuple(mask is not None for mask in masks))


def met(found: Spread, spans: sa.CTE) -> tuple[Any, Any, Element]:
    """The rows, what they are joined to the windows that they touch by, and the units that fall into each of those."""
    rows = found.rows.subquery("line_of_flow")
    touch = sa.and_(rows.c.starts < spans.c.ends, rows.c.ends > spans.c.starts)
    return rows, sa.join(rows, spans, touch), within(found, rows, spans)


def within(found: Spread, rows: Any, spans: Any) -> Element:
    """The units of a row that fall into a window which it touches.

    Of |amount| = q·n + r the first k days carry q·k + min(k, r), in units of 1e-8.
    """
    first = sa.func.greatest(rows.c.starts, spans.c.starts) - rows.c.starts_row
    after = sa.func.least(rows.c.ends, spans.c.ends) - rows.c.starts_row
    slope = rows.c.quotient * constant(found.fine) + rows.c.finer if found.fine > 1 else rows.c.quotient
    units = sa.cast(slope, WHOLE) * (after - first) + sa.func.least(after, rows.c.rest) - sa.func.least(first, rows.c.rest)
    return rows.c.sign * units  # type: ignore[no-any-return]


def _units(amount: Element, scale: int) -> Element:
    """The amount in units of its last place (of 1e-8 where it has more than 4), as a whole number."""
    if scale == 0:
        return sa.cast(amount, BIG)
    if scale > MONEY_SCALE:
        return sa.cast(decimal(amount, UNIT_SCALE) * 10**UNIT_SCALE, WHOLE)
    # DuckDB multiplies DECIMAL(18, s) within 18 digits, fast; wider amounts are told apart, for they would overflow.
    factor: Element = sa.literal_column(str(10**scale))
    small = amount.between(sa.literal_column(f"-{_SMALL}"), sa.literal_column(str(_SMALL)))
    return sa.case((small, sa.cast(amount * factor, BIG)), else_=sa.cast(decimal(amount, scale) * factor, BIG))


def ways_of(table: str, time: Over, calendar: Calendar, catalog: Catalog = STANDARD) -> sa.Select[Any]:
    """Of each way in which the bounds of a row may be known (of :func:`_dated`, in its order) whether any row is so."""
    rows = Rows(table, calendar, catalog=catalog)
    start, end = rows.day(time.start), rows.day(time.end)
    known = [start < end, sa.and_(start.is_not(None), sa.or_(end.is_(None), end <= start)), sa.and_(start.is_(None), end.is_not(None))]
    if time.document is not None:
        known.append(sa.and_(start.is_(None), end.is_(None)))
    return sa.select(
        *(sa.func.bool_or(sa.func.coalesce(one, sa.false())).label(f"w{place}") for place, one in enumerate(known))
    ).select_from(rows.source)


def _dated(scan: Scan) -> Any:
    """Columns of the table that are needed, and starts_row, ends_row: the days of the whole row, never empty or equal."""
    time = scan.leaves[0].time
    assert isinstance(time, Over)  # noqa: S101 - the plan sorts scans by time
    rows = Rows(scan.table, scan.calendar, catalog=scan.catalog)
    start, end = rows.day(time.start), rows.day(time.end)
    document = rows.day(time.document) if time.document is not None else None
    first, after = day_literal(scan.first), day_literal(scan.after)
    ways: list[tuple[Element, Element, list[Element]]] = [
        (start, end, [start < end, start < after, end > first]),
        (start, _next(start), [sa.or_(end.is_(None), end <= start), start >= first, start < after]),
        (end, _next(end), [start.is_(None), end >= first, end < after]),
    ]
    if document is not None:
        ways.append((document, _next(document), [start.is_(None), end.is_(None), document >= first, document < after]))
    columns = [rows.table.c[name] for name in _needed(scan)]
    selects = []
    for place, (starts, ends, wheres) in enumerate(ways):
        if scan.ways is not None and place not in scan.ways:
            continue
        day = starts if document is None else sa.func.coalesce(document, starts)
        of_document = [day.label("document_day")] if scan.foreign else []
        selects.append(
            sa.select(*columns, starts.label("starts_row"), ends.label("ends_row"), *of_document)
            .select_from(rows.source)
            .where(*wheres, *counted(scan, rows, day))
        )
    read = sa.union_all(*selects) if len(selects) > 1 else selects[0]
    return read.subquery(f"{scan.name}_row")


def _needed(scan: Scan) -> list[str]:
    """Columns of the table itself that any expression of the scan reads."""
    leaf = scan.leaves[0]
    nodes = [leaf.value, *(one.condition for one in scan.leaves), *scan.by, *scan.filters]
    if scan.foreign and leaf.money is not None:
        nodes += [leaf.money.currency, leaf.money.home_value, leaf.money.home_currency]
    columns: list[Column] = [column for node in nodes if node is not None for column in expressions.columns_of(node)]
    needed = list(dict.fromkeys(column.path[0].column if column.path else column.name for column in columns))
    return needed or [next(iter(scan.catalog.tables[scan.table].columns)).name]


def _next(day: Element) -> Element:
    return day + sa.literal_column("1", sa.Integer())
