"""Who started when and what became of them: first events, what is waited for, and what comes before it for good.

An entity starts with its first event, once, before any filter. It ends when it reaches what is waited for, or is lost,
whichever comes first; on one day it has reached.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.entities import entity
from kpi.metrics.model import At, Call, During, Leaf, Literal_, Lived, Node
from kpi.metrics.operations import Element, day_number
from kpi.metrics.rows import Rows
from kpi.metrics.stages import pieces
from kpi.metrics.stages.scan import Scan, counted, day_literal
from kpi.metrics.stages.scan import day_number as number_of

_ZERO: Final = Literal_(Decimal(0), "number")


class Reaching(NamedTuple):
    """Rows of entity and day (a day number) on which it may have reached what is waited for.

    ``unknown``: rows whose ``lacks`` is 1 are days on which nobody can tell, for want of an exchange rate.
    """

    rows: Any
    unknown: bool = False


class Life(NamedTuple):
    """Rows of start, ended (empty: not yet), reached (1 where that is how it ended), the groups, and lacks."""

    rows: Any
    unknown: bool


def life(scan: Scan, start: sa.CTE, reaching: Reaching | None) -> Life:
    """What became of each entity that started (:func:`starts`), as known at last."""
    leaf = scan.leaves[0]
    lived = leaf.lived
    assert lived is not None  # noqa: S101 - the plan sorts scans by it
    begun = start.c
    columns: list[Any] = [*(begun[name] for name in ("entity", "start", *scan.groups))]
    source: Any = start
    if reaching is None:
        assert isinstance(lived.until, Leaf)  # noqa: S101 - else the plan gave the days
        reaching = Reaching(_days(scan, lived.until, lived))
        same = (lived.until.table, lived.until.time) == (leaf.table, leaf.time)
        after = reaching.rows.c.day > begun.start if same else reaching.rows.c.day >= begun.start
    else:
        after = reaching.rows.c.day >= begun.start
    rows = reaching.rows.c
    known = [sa.func.min(sa.case((rows.lacks == 0, rows.day)) if reaching.unknown else rows.day).label("day")]
    known += [sa.func.min(sa.case((rows.lacks == 1, rows.day))).label("lacks")] if reaching.unknown else []
    reached = (
        sa.select(begun.entity, *known)
        .select_from(sa.join(start, reaching.rows, sa.and_(rows.entity == begun.entity, after)))
        .group_by(begun.entity)
        .subquery(f"{scan.name}_reached")
    )
    source = source.outerjoin(reached, reached.c.entity == begun.entity)
    ended: Element = reached.c.day
    how: Element = sa.case((ended.is_not(None), 1), else_=0)
    if lived.lost is not None:
        gone = _days(scan, lived.lost, lived, ends=True)
        later = gone.c.day > begun.start if isinstance(lived.lost.time, During) else gone.c.day >= begun.start
        lost = (
            sa.select(begun.entity, sa.func.min(gone.c.day).label("day"))
            .select_from(sa.join(start, gone, sa.and_(gone.c.entity == begun.entity, later)))
            .group_by(begun.entity)
            .subquery(f"{scan.name}_lost")
        )
        source = source.outerjoin(lost, lost.c.entity == begun.entity)
        ended = sa.func.least(reached.c.day, lost.c.day)
        how = sa.case((sa.and_(reached.c.day.is_not(None), reached.c.day == ended), 1), else_=0)
    columns += [ended.label("ended"), how.label("reached")]
    columns += [reached.c.lacks] if reaching.unknown else []
    return Life(sa.select(*columns).select_from(source).cte(f"{scan.name}_life"), reaching.unknown)


def starts(scan: Scan) -> sa.CTE:
    """Rows of entity, start and the groups: the first event of each entity, where it is in a window and the filters hold."""
    leaf, lived = scan.leaves[0], scan.leaves[0].lived
    assert lived is not None  # noqa: S101 - the plan sorts scans by it
    rows, day, wheres = _happenings(scan, leaf)
    if scan.versions:
        rows.then = pieces.on_day(day)
    mine = sa.and_(sa.true(), *(rows.element(node) for node in scan.filters))
    groups = [rows.text(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    owner = rows.element(entity(lived.each, scan.table, scan.catalog))
    keys = [sa.cast(rows.table.c[column.name], sa.String()) for column in scan.catalog.tables[scan.table].primary_key]
    first = sa.func.row_number().over(partition_by=owner, order_by=[day, *(operations.byte_order(key) for key in keys)])
    every = (
        sa.select(
            owner.label("entity"), day_number(day).label("start"), *groups, sa.case((mine, 1), else_=0).label("mine"), first.label("nth")
        )
        .select_from(rows.source)
        .where(*wheres, owner.is_not(None), day.is_not(None))
        .subquery(f"{scan.name}_event")
    )
    return (
        sa.select(*(every.c[name] for name in ("entity", "start", *scan.groups)))
        .where(every.c.nth == 1, every.c.mine == 1, every.c.start >= number_of(scan.first), every.c.start < number_of(scan.after))
        .cte(f"{scan.name}_start")
    )


def _days(scan: Scan, leaf: Leaf, lived: Lived, ends: bool = False) -> Any:
    """Rows of entity and day (a day number): of events their days, of a stock those on which it begins; with ``ends``
    those after which none of it is left."""
    if ends and isinstance(leaf.time, During):
        return _emptied(scan, leaf, lived)
    rows, day, wheres = _happenings(scan, leaf)
    owner = rows.element(entity(lived.each, leaf.table, scan.catalog))
    return (
        sa.select(owner.label("entity"), day_number(day).label("day"))
        .select_from(rows.source)
        .where(*wheres, owner.is_not(None), day.is_not(None))
        .subquery(f"{scan.name}_{'gone' if ends else 'until'}")
    )


def _happenings(scan: Scan, leaf: Leaf) -> tuple[Rows, Element, list[Element]]:
    """The rows of a metric, each on its day: of an event the day it is at, of a stock its first day, where it has any."""
    reach = scan.reaches[leaf.table]
    seen = scan_of(scan, leaf)
    rows = Rows(leaf.table, scan.calendar, catalog=scan.catalog)
    wheres = [rows.element(node) for node in (leaf.condition, *_positive(leaf)) if node is not None]
    if isinstance(leaf.time, During):
        start, end = rows.day(leaf.time.start), rows.day(leaf.time.end)
        first, after, of_sources = pieces.source_cut(seen, rows, start, end)
        return rows, first, [*wheres, *of_sources, sa.or_(after.is_(None), after > first), first < day_literal(scan.after)]
    assert isinstance(leaf.time, At)  # noqa: S101 - definitions take no flows
    day = rows.day(leaf.time.column)
    # Those before the data begin are read as well: who was there then is no new one.
    holes = [sa.not_(sa.and_(day >= day_literal(before.end), day < day_literal(after.start))) for before, after in pairwise(reach.spans)]
    return rows, day, [*wheres, *counted(seen, rows, day), *holes, day < day_literal(scan.after)]


def _positive(leaf: Leaf) -> list[Node]:
    """Of a stock only what there is any of; an event happens whatever its amount."""
    if leaf.value is None:
        return []
    if leaf.aggregate == "sum" and isinstance(leaf.time, During):
        return [Call(">", (leaf.value, _ZERO), "flag")]
    return [Call("not", (Call("is_null", (leaf.value,), "flag"),), "flag")] if leaf.aggregate in ("count", "count_distinct") else []


def _emptied(scan: Scan, leaf: Leaf, lived: Lived) -> Any:
    """Rows of entity and the day from which on nothing of a stock is left, having had some the day before."""
    assert isinstance(leaf.time, During)  # noqa: S101 - asked by the caller
    rows = Rows(leaf.table, scan.calendar, catalog=scan.catalog)
    start, end = rows.day(leaf.time.start), rows.day(leaf.time.end)
    first, after, of_sources = pieces.source_cut(scan_of(scan, leaf), rows, start, end)
    owner = rows.element(entity(lived.each, leaf.table, scan.catalog))
    # Amounts of several currencies: nothing is left when nothing of any is, whatever they are worth.
    amount = sa.literal_column("1") if leaf.value is None or leaf.aggregate == "count" else rows.element(leaf.value)
    wheres = [rows.element(node) for node in (leaf.condition, *_positive(leaf)) if node is not None]
    lines = (
        sa.select(owner.label("entity"), day_number(first).label("starts"), day_number(after).label("ends"), amount.label("amount"))
        .select_from(rows.source)
        .where(*wheres, *of_sources, owner.is_not(None), first < day_literal(scan.after), sa.or_(after.is_(None), after > first))
        .cte(f"{scan.name}_line")
    )
    both = sa.union_all(
        sa.select(lines.c.entity, lines.c.starts.label("day"), lines.c.amount),
        sa.select(lines.c.entity, lines.c.ends, -lines.c.amount).where(lines.c.ends.is_not(None)),
    ).subquery(f"{scan.name}_change")
    by = [both.c.entity, both.c.day]
    net = sa.select(*by, sa.func.sum(both.c.amount).label("net")).group_by(*by).subquery(f"{scan.name}_net")
    left = sa.func.sum(net.c.net).over(partition_by=net.c.entity, order_by=net.c.day, rows=(None, 0))
    stock = sa.select(net.c.entity, net.c.day, net.c.net, left.label("left")).subquery(f"{scan.name}_left")
    return sa.select(stock.c.entity, stock.c.day).where(stock.c.left <= 0, stock.c.left - stock.c.net > 0).subquery(f"{scan.name}_gone")


def scan_of(scan: Scan, leaf: Leaf) -> Scan:
    """The same question of the table of another leaf."""
    return replace(scan, table=leaf.table, reach=scan.reaches[leaf.table])
