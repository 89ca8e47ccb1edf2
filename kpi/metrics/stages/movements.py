"""Movements of a stock: what each customer's stock changed by on each day, told apart and summed over windows.

An account is compared by day ends over its whole stock, before the query's filters. From nothing to something is new
or, where it left no longer ago than the window, a reactivation; from something to nothing is churn; in between the
sign of the day's net change tells expansion from contraction. What opposes the net change of the account's day (a
switch of plan seen by product, a move between segments) is a transfer, and so is as much of what goes along with it,
in proportion, its rest with the largest: transfers are zero in sum for each account and day (SEMANTICS, "Kinds that
follow one thing through time").
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from kpi.metrics import expressions
from kpi.metrics.model import During
from kpi.metrics.operations import Element, Whole, byte_order, day_number, decimal, whole_quotient
from kpi.metrics.stages import pieces
from kpi.metrics.stages.customers import customer
from kpi.metrics.stages.events import exact, leaf_names
from kpi.metrics.stages.exchange import RATE_SCALE, changes_in_one_currency, revaluation
from kpi.metrics.stages.running import changing
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Stage, day_literal, foreign_value, leaf_value, split_conditions
from kpi.metrics.stages.subscriptions import rows_of_stock

_BILLION: Final[Element] = sa.literal_column("1000000000")


def movements(scan: Scan) -> Stage:
    """The stage of the parts of one stock's change."""
    rows, scale = _terms(scan)
    native = _changes(scan, rows.cte(f"{scan.name}_term"))
    if scan.foreign:
        changes, stock = changes_in_one_currency(scan, native)
        shared, scale = _shared(scan, changes, _kinds(scan, stock)), scale + RATE_SCALE
    elif _of_customers(scan):
        shared = _unshared(scan, native)
    else:
        shared = _shared(scan, native, _kinds(scan, _stock(scan, native)))
    parts: dict[str, LeafParts] = {}
    for place, leaf in enumerate(scan.leaves):
        names = leaf_names(scan, place)
        parts[leaf.name] = LeafParts(Part(names[0], scale), missing=Part(names[2], 0) if scan.foreign else None)
    found = [_moved(scan, shared, parts, scale)]
    if scan.foreign and any(leaf.moved is not None and leaf.moved.part == "currency" for leaf in scan.leaves):
        found.append(_revalued(scan, native, parts, scale))
    happened = (sa.union_all(*found) if len(found) > 1 else found[0]).cte(f"{scan.name}_day")
    return changing(scan, happened, parts)


def _moved(scan: Scan, shared: Any, parts: dict[str, LeafParts], scale: int) -> sa.Select[Any]:
    """Rows of day, the groups and each leaf's columns."""
    columns: list[Any] = []
    for leaf in scan.leaves:
        assert leaf.moved is not None  # noqa: S101 - the plan sorts scans by it
        part, mine = leaf.moved.part, parts[leaf.name]
        if part == "transfer":
            amount: Element = shared.c.transfer
        else:
            amount = sa.case((shared.c.kind == sa.literal(part), shared.c.moved), else_=0)
        columns.append(_amount(sa.func.sum(amount), scale).label(mine.value.name))
        if mine.missing is not None:
            # Of several currencies none of the parts can be told where a rate lacks; of one it is known which part it is.
            own = shared.c.opposed > 0 if part == "transfer" else shared.c.kind == sa.literal(part)
            untold = sa.or_(shared.c.several > 1, own)
            lacks = sa.and_(shared.c.lacks > 0, untold) if part != "currency" else sa.false()
            columns.append(sa.func.sum(sa.case((lacks, 1), else_=0)).label(mine.missing.name))
    keys = [shared.c[group] for group in scan.groups]
    return sa.select(shared.c.day, *keys, *columns).where(shared.c.mine == 1).group_by(shared.c.day, *keys)


def _revalued(scan: Scan, native: sa.CTE, parts: dict[str, LeafParts], scale: int) -> sa.Select[Any]:
    """The same of what only changed its worth."""
    revalued = revaluation(scan, native)
    columns: list[Any] = []
    for leaf in scan.leaves:
        assert leaf.moved is not None  # noqa: S101 - the plan sorts scans by it
        here = leaf.moved.part == "currency"
        columns.append(_amount(revalued.c.amount if here else sa.literal_column("0"), scale))
        columns.append(revalued.c.lacks if here else sa.literal_column("0"))
    return sa.select(revalued.c.day, *(revalued.c[group] for group in scan.groups), *columns)


def _amount(units: Element, scale: int) -> Element:
    return decimal(sa.cast(units, sa.Numeric(38, 0)) * sa.literal_column(_unit(scale)), scale)


def _terms(scan: Scan) -> tuple[sa.Select[Any], int]:
    """Rows of account, starts, ends (empty: open), the groups, mine (1 where the query's filters hold) and units; their scale.

    Of foreign amounts also currency.
    """
    leaf = scan.leaves[0]
    time = leaf.time
    assert isinstance(time, During)  # noqa: S101 - a movement is of a stock
    rows = rows_of_stock(scan)
    start, end = rows.day(time.start), rows.day(time.end)
    if scan.versions:
        rows.then = pieces.overlapping(start, end)
    shared, _ = split_conditions(scan.leaves)
    wheres = [rows.element(node) for node in shared]
    mine = sa.and_(sa.true(), *(rows.element(node) for node in scan.filters))
    groups = [rows.text(node).label(group) for node, group in zip(scan.by, scan.groups, strict=True)]
    typed, currency = leaf_value(leaf, rows, None), None
    if scan.foreign:
        given, currency = foreign_value(scan, leaf, rows, twins=False)
        typed = leaf_value(leaf, rows, None, given)
    value, scale = exact(typed.element, typed.scale)
    if leaf.aggregate == "count":
        value, scale = sa.literal_column("1") if leaf.value is None else sa.case((value.is_not(None), 1), else_=0), 0
    first, after = pieces.cut(rows, start, end)
    first, after, of_sources = pieces.source_cut(scan, rows, first, after)
    wheres += [start.is_not(None), *of_sources, first < day_literal(scan.after), sa.or_(after.is_(None), after > first)]
    units = sa.cast(decimal(sa.func.coalesce(value, 0), scale) * sa.literal_column(str(10**scale)), Whole())
    selected = sa.select(
        customer(rows, scan.table).label("account"),
        first.label("starts"),
        after.label("ends"),
        *groups,
        sa.case((mine, 1), else_=0).label("mine"),
        *([] if currency is None else [currency.label("currency")]),
        units.label("units"),
    )
    return selected.select_from(rows.source).where(*wheres), scale


def _changes(scan: Scan, term: sa.CTE) -> sa.CTE:
    """What each account's stock changed by on each day, in each group (and currency), inside or outside the filters; no zeros."""
    names = [*scan.groups, *(["currency"] if scan.foreign else [])]
    keys = [term.c[name] for name in names]
    both = sa.union_all(
        sa.select(term.c.account, day_number(term.c.starts).label("day"), *keys, term.c.mine, term.c.units),
        sa.select(term.c.account, day_number(term.c.ends), *keys, term.c.mine, -term.c.units).where(term.c.ends < day_literal(scan.after)),
    ).subquery(f"{scan.name}_both")
    by = [both.c.account, both.c.day, *(both.c[name] for name in names), both.c.mine]
    total = sa.func.sum(both.c.units)
    return sa.select(*by, sa.cast(total, Whole()).label("delta")).group_by(*by).having(total != 0).cte(f"{scan.name}_delta")


def _stock(scan: Scan, changes: sa.CTE) -> Any:
    """For each account and day on which it changes its net change, and what it closes with."""
    net = (
        sa.select(changes.c.account, changes.c.day, sa.cast(sa.func.sum(changes.c.delta), Whole()).label("net"))
        .group_by(changes.c.account, changes.c.day)
        .subquery(f"{scan.name}_net")
    )
    running_: dict[str, Any] = {"partition_by": net.c.account, "order_by": net.c.day}
    return sa.select(*net.c, sa.cast(sa.func.sum(net.c.net).over(**running_), Whole()).label("closes")).subquery(f"{scan.name}_stock")


def _of_customers(scan: Scan) -> bool:
    """Whether all that a customer has is in one group, ever, and inside the filters or outside: then nothing changes places."""
    columns = [column for node in (*scan.by, *scan.filters) for column in expressions.columns_of(node)]
    return not scan.versions and all((column.path[0].column if column.path else column.name) == "account_id" for column in columns)


def _unshared(scan: Scan, changes: sa.CTE) -> Any:
    """What :func:`_shared` makes, of customers that are each in one group: the change of the group is the account's own."""
    running_: dict[str, Any] = {"partition_by": changes.c.account, "order_by": changes.c.day}
    columns = [changes.c[name] for name in ("account", "day", *scan.groups, "mine")]
    closes = sa.cast(sa.func.sum(changes.c.delta).over(**running_), Whole()).label("closes")
    days = _kinds(scan, sa.select(*columns, changes.c.delta.label("net"), closes).subquery(f"{scan.name}_stock"))
    return sa.select(*days.c, days.c.net.label("moved"), sa.literal_column("0").label("transfer")).subquery(f"{scan.name}_moved")


def _kinds(scan: Scan, stock: Any) -> Any:
    """The same with what the change of the day is called."""
    moved = scan.leaves[0].moved
    assert moved is not None  # noqa: S101 - the plan sorts scans by it
    left = sa.and_(stock.c.closes <= 0, stock.c.closes - stock.c.net > 0)
    earlier: dict[str, Any] = {"partition_by": stock.c.account, "order_by": stock.c.day, "rows": (None, -1)}
    seen: Any = sa.select(*stock.c, sa.func.max(sa.case((left, stock.c.day))).over(**earlier).label("left_on")).subquery(
        f"{scan.name}_seen"
    )
    opens = seen.c.closes - seen.c.net
    back = seen.c.day - seen.c.left_on <= sa.literal_column(str(int(moved.within_days)))
    kind = sa.case(
        (sa.and_(opens <= 0, seen.c.closes > 0, back), "reactivation"),
        (sa.and_(opens <= 0, seen.c.closes > 0), "new"),
        (sa.and_(opens > 0, seen.c.closes <= 0), "churn"),
        (seen.c.net > 0, "expansion"),
        else_="contraction",
    )
    return sa.select(*seen.c, kind.label("kind")).subquery(f"{scan.name}_kind")


def _shared(scan: Scan, changes: sa.CTE, days: Any) -> Any:
    """Each change of a group as what was moved with the account's net change, and what only changed places."""
    same = sa.or_(sa.and_(days.c.net > 0, changes.c.delta > 0), sa.and_(days.c.net < 0, changes.c.delta < 0))
    size = sa.func.abs(changes.c.delta)
    source = sa.join(changes, days, sa.and_(changes.c.account == days.c.account, changes.c.day == days.c.day))
    of_day = [changes.c.account, changes.c.day]
    along = sa.case((same, size), else_=0)
    against = sa.case((same, 0), else_=size)
    order = [along.desc(), *(byte_order(changes.c[group]).asc().nulls_last() for group in scan.groups), changes.c.mine.desc()]
    sized = (
        sa.select(
            *changes.c,
            days.c.net,
            days.c.kind,
            *([days.c.several, days.c.lacks] if scan.foreign else []),
            along.label("along"),
            sa.cast(sa.func.sum(along).over(partition_by=of_day), Whole()).label("all_along"),
            sa.cast(sa.func.sum(against).over(partition_by=of_day), Whole()).label("opposed"),
            sa.func.row_number().over(partition_by=of_day, order_by=order).label("place"),
        )
        .select_from(source)
        .subquery(f"{scan.name}_sized")
    )
    row = sized.c
    if scan.foreign:  # units so small that a product of two amounts has too many digits: the share in billionths
        billionth = sa.func.greatest(whole_quotient(row.all_along, _BILLION), 1)
        quotient = whole_quotient(row.along * whole_quotient(row.opposed, billionth), _BILLION)
    else:
        quotient = whole_quotient(row.along * row.opposed, sa.func.nullif(row.all_along, 0))
    part = sa.case((sa.and_(row.all_along > 0, row.opposed > 0), quotient), else_=0)
    given = sa.select(*sized.c, sa.cast(part, Whole()).label("given")).subquery(f"{scan.name}_given")
    row = given.c
    rest = row.opposed - sa.func.sum(row.given).over(partition_by=[row.account, row.day])
    taken = row.given + sa.case((row.place == 1, rest), else_=0)
    transfer = sa.case((sa.or_(row.net == 0, row.along == 0), row.delta), (row.delta > 0, taken), else_=-taken)
    split = sa.select(*given.c, sa.cast(transfer, Whole()).label("transfer")).subquery(f"{scan.name}_split")
    return sa.select(*split.c, (split.c.delta - split.c.transfer).label("moved")).subquery(f"{scan.name}_moved")


def _unit(scale: int) -> str:
    return "1" if scale == 0 else f"0.{'0' * (scale - 1)}1"
