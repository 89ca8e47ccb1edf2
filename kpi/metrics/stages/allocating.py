"""Allocation: rows that lack a key, split by the shares that another metric has in their month.

A share is a decimal of 14 places, rounded down, and what is left to 1 goes to the largest, so the shares of a month
add up to 1 exactly. Each day's slice of a cost times the shares of its month is exact as well (in units of 1e-22), and
so weeks, months, groups and filters add up to what was not split, to the last decimal.

A row that has some of the keys is split among the pairs that have the same; where nothing is in the basis it stays as
it is. The work grows with rows that lack a key by day, with pairs by month, and with windows by group: a row is never
met with a pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from kpi.metrics import expressions, operations, splitting
from kpi.metrics.catalog import Catalog
from kpi.metrics.model import Allocate, At, Call, During, Leaf, Literal_, Node, Over, Snapshot
from kpi.metrics.operations import Element, Whole, day_number, decimal, whole_quotient
from kpi.metrics.rows import Rows
from kpi.metrics.stages import pieces
from kpi.metrics.stages.events import events, leaf_names
from kpi.metrics.stages.flows import changes, flows
from kpi.metrics.stages.movements import movements
from kpi.metrics.stages.running import running
from kpi.metrics.stages.scan import LeafParts, Part, Scan, Shared, Split, Stage, of_some
from kpi.metrics.stages.scan import day_number as number_of
from kpi.metrics.stages.snapshots import snapshots
from kpi.metrics.stages.spreading import UNIT_SCALE, met, spread
from kpi.metrics.stages.stocks import stocks
from kpi.periods import Calendar

#: Places of a share. A hundred thousand customers leave 1e-9 of a month's cost to the largest, below a cent of a million;
#: with the 8 of a flow they leave 16 digits before the point.
SHARE_PLACES: Final = 14
_WHOLE_SHARE: Final[Element] = sa.literal_column(str(10**SHARE_PLACES))
#: Places of a basis of many decimals (converted amounts), so that its products with shares have at most 38 digits.
_BASIS_PLACES: Final = 8


def allocated(scan: Scan) -> Stage:
    """The stage of one flow whose rows are split."""
    _, on_keys = splitting.apart(scan.leaves[0], scan.filters)
    found = _cells_of(scan, on_keys)
    mine = found.rows.c[found.marks["mine"]] == "yes" if "mine" in found.marks else None
    return _stage(scan, found, mine, on_keys)


@dataclass(frozen=True)
class Cells:
    """What allocation makes of the rows: slot, place, groups, the columns of ``part``, ``split`` (what of it was allocated).

    ``marks``: name -> the column that is "yes" where it holds: ``mine`` what the filters on keys keep, ``none0``, … what
    has none of a touched key.
    """

    rows: Any
    part: LeafParts
    marks: Mapping[str, str]


def cells(scan: Scan) -> Cells:
    """Those of a scan without filters on keys, each once: they add up to its figure."""
    found = _cells_of(scan, ())
    column = found.rows.c
    keys = [column.slot, column.place, *(column[group] for group in (*scan.groups, *found.marks.values()))]
    names = [*(part.name for part in (found.part.value, found.part.missing) if part is not None), "split"]
    sums = [sa.cast(sa.func.sum(column[name]), Whole()).label(name) for name in names]
    return replace(found, rows=sa.select(*keys, *sums).group_by(*keys))


def of_cells(scan: Scan, found: Cells, own: Element | None, on_keys: Element | None) -> Stage:
    """The stage of ``scan`` from cells whose groups hold all that it asks for.

    Args:
        found: its rows have the scan's own groups under their names.
        own: what filters keep that are on no key; ``on_keys``: what those on keys keep. None: everything.
    """
    leaf, split, _ = _parts(scan)
    seen = sa.select(found.rows) if own is None else sa.select(found.rows).where(own)
    if on_keys is not None and not split.checked:
        seen, on_keys = seen.where(on_keys), None
    if on_keys is not None:
        seen = seen.add_columns(on_keys.label("mine"))
    rows = seen.cte(f"{scan.name}_all")
    return _stage(scan, replace(found, rows=rows), None if on_keys is None else rows.c.mine, splitting.apart(leaf, scan.filters)[1])


def _cells_of(scan: Scan, on_keys: tuple[Node, ...]) -> Cells:
    leaf, split, allocate = _parts(scan)
    names = leaf_names(scan, 0)
    lacking = scan.foreign or (split.basis is not None and split.basis.foreign)
    part = LeafParts(Part(names[0], None, UNIT_SCALE + SHARE_PLACES), missing=Part(names[2], 0) if lacking else None)
    own, _ = splitting.apart(leaf, scan.filters)
    lacks = splitting.lacking(leaf, split.touched, scan.catalog)
    marks: list[tuple[str, Node]] = []
    if split.checked:
        marks = [(f"none{place}", splitting.is_missing(allocate.keys[place])) for place in split.touched]
        marks += [("mine", Call("and", on_keys, "flag"))] if on_keys else []
    wide = replace(
        scan,
        by=(*scan.by, *(_marked(node) for _, node in marks)),
        filters=own if split.checked else (*own, *on_keys),
        split=None,
    )
    direct = flows(replace(wide, name=f"{scan.name}d", filters=(*wide.filters, Call("not", (lacks,), "flag"))))
    shared = _shared(scan, wide, replace(wide, name=f"{scan.name}l", filters=(*own, lacks)), () if split.checked else on_keys)
    everything = sa.union_all(_direct(direct, wide, part), shared).cte(f"{scan.name}_all")
    return Cells(everything, part, dict(zip((name for name, _ in marks), wide.groups[len(scan.by) :], strict=True)))


def _stage(scan: Scan, found: Cells, mine: Element | None, on_keys: tuple[Node, ...]) -> Stage:
    """The stage of cells; ``mine``: which of them the filters on keys keep, None: all."""
    leaf, split, _ = _parts(scan)
    column, part = found.rows.c, found.part
    groups = [column[group] for group in scan.groups]
    select = sa.select(column.slot, column.place, *groups, *(column[one.name] for one in Stage((), {leaf.name: part}).columns()))
    keys = tuple(name for name in found.marks if name != "mine")
    return Stage(
        (select if mine is None else select.where(mine),),
        {leaf.name: part},
        sparse=True,
        shared=Shared(
            leaf.name,
            _summary(column, part.value.name, mine, {key: column[found.marks[key]] == "yes" for key in keys}),
            keys,
            {f"none{place}": _seen_by(scan, place, on_keys) for place in split.touched},
        ),
    )


def _seen_by(scan: Scan, place: int, on_keys: tuple[Node, ...]) -> tuple[str, ...] | None:
    """The groups that are seen through a key; None where a filter is."""
    leaf = scan.leaves[0]
    if place in splitting.touched(leaf, on_keys):
        return None
    return tuple(group for node, group in zip(scan.by, scan.groups, strict=True) if place in splitting.touched(leaf, [node]))


def occurring(leaf: Leaf, calendar: Calendar, catalog: Catalog) -> sa.Select[Any]:
    """Of each way to lack keys (of :func:`splitting.ways_to_lack`) whether any row does, then of each key whether any lacks it."""
    allocate = leaf.allocate
    assert allocate is not None  # noqa: S101 - asked of allocated leaves only
    rows = Rows(leaf.table, calendar, catalog=catalog)
    # What per() chooses hangs on the days asked for; without it there are more ways than needed at most, and none is missed.
    asked = [] if leaf.condition is None else splitting.conjuncts(leaf.condition)
    wheres = [rows.element(node) for node in asked if not expressions.pers_of(node)]
    told = []
    for ways in splitting.ways_to_lack(leaf):
        absent = [place for place, there in enumerate(ways) if not there]
        each: list[Node] = [splitting.lacking(leaf, [place], catalog) for place in absent]
        each += [Call("not", (splitting.is_missing(key),), "flag") for key, there in zip(allocate.keys, ways, strict=True) if there]
        told.append(sa.and_(*(rows.element(node) for node in each)))
    told += [rows.element(key).is_(None) for key in allocate.keys]
    ever = (sa.func.bool_or(sa.func.coalesce(one, sa.false())).label(f"w{place}") for place, one in enumerate(told))
    return sa.select(*ever).select_from(rows.source).where(*wheres)


def _parts(scan: Scan) -> tuple[Leaf, Split, Allocate]:
    leaf = scan.leaves[0]
    assert scan.split is not None  # noqa: S101 - the plan sorts scans by it
    assert leaf.allocate is not None  # noqa: S101 - what is split says how
    return leaf, scan.split, leaf.allocate


def _marked(condition: Node) -> Node:
    return Call("case", (condition, Literal_("yes", "text")), "text")


def _direct(stage: Stage, wide: Scan, part: LeafParts) -> sa.Select[Any]:
    """What has its keys, in the units of what is split."""
    (inner,) = (select.subquery("direct") for select in stage.selects)
    (found,) = stage.parts.values()
    missing: Element = inner.c[found.missing.name] if found.missing else sa.literal_column("0")
    return sa.select(
        inner.c.slot,
        inner.c.place,
        *(inner.c[group] for group in wide.groups),
        (sa.cast(inner.c[found.value.name], Whole()) * _WHOLE_SHARE).label(part.value.name),
        sa.cast(sa.literal_column("0"), Whole()).label("split"),
        *([missing.label(part.missing.name)] if part.missing else []),
    )


def _summary(column: Any, value: str, mine: Element | None, none: dict[str, Element]) -> sa.Select[Any]:
    def total(amount: Element, where: Element | None, name: str) -> Any:
        return sa.cast(sa.func.sum(amount if where is None else sa.case((where, amount))), Whole()).label(name)

    sums = [total(column[value], mine, "whole"), total(column.split, mine, "allocated")]
    if none:
        sums += [total(column[value], None, "all"), *(total(column[value], where, key) for key, where in none.items())]
    return sa.select(column.slot, column.place, *sums).group_by(column.slot, column.place)


def _shared(scan: Scan, wide: Scan, lacking: Scan, on_keys: tuple[Node, ...]) -> sa.Select[Any]:
    """Rows of slot, place, the groups of ``wide``, the value, ``split`` (what of it was allocated) and what has no rate."""
    leaf, split, allocate = _parts(scan)
    used = [name for node in (*wide.by, *on_keys) for name in splitting.own_columns(node)]
    carried = [name for name in dict.fromkeys(used) if name not in {key.name for key in allocate.keys}]
    columns = (*allocate.keys, *(expressions.column(scan.table, name, catalog=scan.catalog) for name in carried))
    lacking = replace(lacking, by=columns, raw=True, among=None)
    amount = Part("amount", None)
    unrated = Part("unrated", 0) if scan.foreign else None
    happened = changes(lacking, spread(lacking), {leaf.name: LeafParts(amount, missing=unrated)})
    ident = sa.func.dense_rank().over(order_by=[happened.c[group] for group in lacking.groups])
    known = sa.select(*happened.c, ident.label("id")).cte(f"{scan.name}_known")
    owners = sa.select(known.c.id, *(known.c[group] for group in lacking.groups)).distinct().cte(f"{scan.name}_owner")
    basis = None if split.basis is None else _basis(split.basis).cte(f"{scan.name}_basis")
    names = [*(key.name for key in allocate.keys), *carried]
    months = operations.rows_of(
        f"{scan.name}_month",
        month=list(range(len(split.months))),
        starts=[number_of(month.start) for month in split.months],
        ends=[number_of(month.end) for month in split.months],
    )
    cells = [_cells(scan, owners, months, dict(zip(names, lacking.groups, strict=True)), basis, given) for given in split.given]
    source = (sa.union_all(*cells) if len(cells) > 1 else cells[0]).subquery(f"{scan.name}_cell")
    shares, moving = _grouped(scan, wide, source, on_keys)
    parts = [amount, *([unrated] if unrated else [])]
    return _valued(scan, wide, shares, moving, known, parts)


def _basis(scan: Scan) -> sa.Select[Any]:
    """Rows of month (its place), the keys, w (whole units of the basis) and unrated (how many of its amounts have no rate)."""
    leaf = scan.leaves[0]
    if isinstance(leaf.time, Over) and leaf.moved is None:
        spans = scan.spans()
        rows, source, amount = met(spread(scan), spans)
        place = spans.c.place
        units: Element = sa.cast(sa.func.sum(amount), Whole())
        unrated: Element = sa.func.sum(rows.c.missing) if scan.foreign else sa.literal_column("0")
    else:
        of_time = {At: events, Snapshot: snapshots, During: stocks}
        stage = movements(scan) if leaf.moved else of_time[type(leaf.time)](scan)
        found = stage.parts[leaf.name]
        source = rows = stage.selects[0].subquery("measured")
        place = rows.c.place
        value, scale = found.value.value(sa.func.sum(rows.c[found.value.name])), min(found.value.scale or 0, _BASIS_PLACES)
        units = sa.cast(decimal(value, scale) * sa.literal_column(str(10**scale)), Whole())
        unrated = sa.func.sum(rows.c[found.missing.name]) if found.missing else sa.literal_column("0")
    keys = [rows.c[group] for group in scan.groups]
    return sa.select(place.label("month"), *keys, units.label("w"), unrated.label("unrated")).select_from(source).group_by(place, *keys)


def _cells(
    scan: Scan, owners: sa.CTE, months: sa.CTE, names: dict[str, str], basis: sa.CTE | None, given: tuple[bool, ...]
) -> sa.Select[Any]:
    """For each owner with the ``given`` keys, month and pair of keys its share; for one without a basis itself, whole.

    Args:
        names: column of the table -> column of ``owners``.
    """
    column = owners.c
    keys = list(names)[: len(given)]
    mask = [column[names[key]].is_not(None) if there else column[names[key]].is_(None) for key, there in zip(keys, given, strict=True)]
    source: Any = sa.join(owners, months, sa.and_(*mask))
    found: dict[str, Element] = {key: column[names[key]] for key in keys}
    share: Element = _WHOLE_SHARE
    taken: Element = sa.literal_column("0")
    unrated: Element = sa.literal_column("0")
    if basis is not None:
        name = f"{scan.name}_share_{''.join('1' if there else '0' for there in given)}"
        shares = _shares(basis, given, name).subquery(name)
        kinds = [scan.catalog.tables[scan.table].columns[key].type for key in keys]
        # A basis is grouped by texts; tables of others may have numbers for keys.
        seen = [
            shares.c[f"g{place}"] if isinstance(kind, sa.String) else sa.cast(shares.c[f"g{place}"], kind)
            for place, kind in enumerate(kinds)
        ]
        alike = [mine == column[names[key]] for mine, key, there in zip(seen, keys, given, strict=True) if there]
        source = source.outerjoin(shares, sa.and_(shares.c.month == months.c.month, *alike))
        found |= {key: mine for mine, key, there in zip(seen, keys, given, strict=True) if not there}
        share = sa.func.coalesce(shares.c.share, _WHOLE_SHARE)
        taken = sa.func.coalesce(shares.c.share, 0)
        if scan.split is not None and scan.split.basis is not None and scan.split.basis.foreign:
            lost = sa.select(basis.c.month, sa.func.sum(basis.c.unrated).label("unrated")).group_by(basis.c.month).subquery("lost")
            source = source.outerjoin(lost, lost.c.month == months.c.month)
            unrated = sa.func.coalesce(lost.c.unrated, 0)
    return sa.select(
        column.id,
        months.c.month,
        operations.day_of(months.c.starts).label("starts"),
        operations.day_of(months.c.ends).label("ends"),
        *(element.label(key) for key, element in found.items()),
        *(column[group].label(name) for name, group in names.items() if name not in found),
        sa.cast(share, Whole()).label("share"),
        sa.cast(taken, Whole()).label("taken"),
        sa.cast(unrated, sa.BigInteger()).label("unrated"),
    ).select_from(source)


def _shares(basis: sa.CTE, given: tuple[bool, ...], name: str) -> sa.CompoundSelect[Any]:
    """The share of each pair of keys among those of its month that have the same ``given`` keys; 1e-14 each.

    Shares rounded down, and what they leave to 1 once more as a row of the largest pair; of several that are as large,
    of the first by its keys. Sums of a month are joined to its pairs: windows would sort all pairs for each of them.
    """
    names = [f"g{place}" for place in range(len(given))]
    alike = ["month", *(key for key, there in zip(names, given, strict=True) if there)]
    totals = (
        sa.select(
            *(basis.c[key] for key in alike), sa.cast(sa.func.sum(basis.c.w), Whole()).label("total"), sa.func.max(basis.c.w).label("most")
        )
        .where(basis.c.w > 0)
        .group_by(*(basis.c[key] for key in alike))
        .subquery("totals")
    )
    floors = (
        sa.select(
            basis.c.month,
            *(basis.c[key] for key in names),
            whole_quotient(basis.c.w * _WHOLE_SHARE, totals.c.total).label("share"),
            sa.case((basis.c.w == totals.c.most, 1), else_=0).label("largest"),
        )
        .select_from(sa.join(basis, totals, sa.and_(*(basis.c[key] == totals.c[key] for key in alike))))
        .where(basis.c.w > 0)
        .cte(f"{name}_floor")
    )
    rests = (
        sa.select(*(floors.c[key] for key in alike), (_WHOLE_SHARE - sa.func.sum(floors.c.share)).label("rest"))
        .group_by(*(floors.c[key] for key in alike))
        .subquery("rests")
    )
    first = sa.func.row_number().over(
        partition_by=[floors.c[key] for key in alike],
        order_by=[operations.byte_order(floors.c[key]).asc().nulls_last() for key in names],
    )
    largest = (
        sa.select(floors.c.month, *(floors.c[key] for key in names), first.label("rank")).where(floors.c.largest == 1).subquery("largest")
    )
    of_largest = sa.and_(largest.c.rank == 1, *(largest.c[key] == rests.c[key] for key in alike))
    return sa.union_all(
        sa.select(floors.c.month, *(floors.c[key] for key in names), floors.c.share),
        sa.select(largest.c.month, *(largest.c[key] for key in names), rests.c.rest).select_from(sa.join(largest, rests, of_largest)),
    )


def _grouped(scan: Scan, wide: Scan, cells: Any, on_keys: tuple[Node, ...]) -> tuple[sa.CTE, bool]:
    """Shares of owners by month and group, and the days on which they hold; whether these are other than the month's."""
    rows = Rows(scan.table, scan.calendar, source=cells, catalog=scan.catalog)
    if scan.versions:
        rows.then = pieces.overlapping(cells.c.starts, cells.c.ends)
    wheres = [*(rows.element(node) for node in on_keys), *of_some(wide, rows)]
    groups = [rows.text(node).label(group) for node, group in zip(wide.by, wide.groups, strict=True)]
    starts, ends = pieces.cut(rows, cells.c.starts, cells.c.ends)
    moving = bool(rows.versions)
    wheres += [starts < ends] if moving else []
    lines = (
        sa.select(
            cells.c.id,
            cells.c.month,
            day_number(starts).label("starts"),
            day_number(ends).label("ends"),
            *groups,
            *(cells.c[name] for name in ("share", "taken", "unrated")),
        )
        .select_from(rows.source)
        .where(*wheres)
        .subquery(f"{scan.name}_line")
    )
    by = [lines.c[name] for name in ("id", "month", "starts", "ends", *wide.groups)]
    sums = [sa.cast(sa.func.sum(lines.c[name]), Whole()).label(name) for name in ("share", "taken")]
    return sa.select(*by, *sums, sa.func.max(lines.c.unrated).label("unrated")).group_by(*by).cte(f"{scan.name}_share"), moving


def _valued(scan: Scan, wide: Scan, shares: sa.CTE, moving: bool, known: sa.CTE, parts: list[Part]) -> sa.Select[Any]:
    """Each owner's amount on the days of a window in a month, times the shares of that month."""
    split = scan.split
    assert split is not None  # noqa: S101 - the caller has it
    found = [
        (slot, place, month, number_of(part.start), number_of(part.end))
        for slot, windows in scan.slots.items()
        for place, window in enumerate(windows)
        if window
        for piece in window.pieces()
        for month, days in enumerate(split.months)
        if days.start < piece.end and piece.start < days.end
        for part in (piece.cut(days.start, days.end),)
    ]
    slots, places, months, starts, ends = zip(*found, strict=True)
    piece = operations.rows_of(f"{scan.name}_piece", slot=slots, place=places, month=months, starts=starts, ends=ends)
    days = sorted({*starts, *ends})
    zero, one = [0] * len(days), [1] * len(days)
    bound = operations.rows_of(f"{scan.name}_bound", slot=zero, place=zero, bound=days, sign=one)
    if moving:
        nothing: Element = sa.literal_column("0")
        cuts = [sa.select(nothing, nothing, shares.c[name], sa.literal_column("1")) for name in ("starts", "ends")]
        bound = sa.union(sa.select(*bound.c), *cuts).cte(f"{scan.name}_bounds")
    until = running(known, bound, ["id"], parts, True, f"{scan.name}_until").cte(f"{scan.name}_until")
    own: Element = sa.literal_column("0")
    if moving:
        low, high = until.alias(f"{scan.name}_low"), until.alias(f"{scan.name}_high")
        first: Element = sa.func.greatest(piece.c.starts, shares.c.starts)
        after: Element = sa.func.least(piece.c.ends, shares.c.ends)
        source: Any = sa.join(piece, shares, sa.and_(shares.c.month == piece.c.month, first < after))
        source = source.join(low, sa.and_(low.c.id == shares.c.id, low.c.bound == first))
        source = source.join(high, sa.and_(high.c.id == shares.c.id, high.c.bound == after))
        amount = high.c.amount - low.c.amount
        own = high.c.unrated - low.c.unrated if len(parts) > 1 else own
    else:
        piece = _measured(scan, found, until, parts)
        source = sa.join(piece, shares, sa.and_(shares.c.month == piece.c.month, shares.c.id == piece.c.id))
        amount = piece.c.amount
        own = piece.c.unrated if len(parts) > 1 else own
    names = leaf_names(scan, 0)
    columns = [(amount * shares.c.share).label(names[0]), (amount * shares.c.taken).label("split")]
    something = amount != 0
    if len(parts) > 1 or (split.basis is not None and split.basis.foreign):
        columns.append((own + shares.c.unrated).label(names[2]))
        something = sa.or_(something, own != 0)
    groups = [shares.c[group] for group in wide.groups]
    return sa.select(piece.c.slot, piece.c.place, *groups, *columns).select_from(source).where(something)


def _measured(scan: Scan, found: list[tuple[int, int, int, int, int]], until: sa.CTE, parts: list[Part]) -> Any:
    """Rows of slot, place, month, id and the parts: what an owner has on the days of a window in a month.

    The bounds of a piece are rows of their own: joined to the owners twice, a planner that doesn't see how few days
    match multiplies all bounds with one another.
    """
    bounds = [(slot, place, month, day, sign) for slot, place, month, first, after in found for day, sign in ((first, -1), (after, 1))]
    slots, places, months, days, signs = zip(*bounds, strict=True)
    bound = operations.rows_of(f"{scan.name}_side", slot=slots, place=places, month=months, bound=days, sign=signs)
    by = [bound.c.slot, bound.c.place, bound.c.month, until.c.id]
    sums = [sa.cast(sa.func.sum(until.c[part.name] * bound.c.sign), part.type).label(part.name) for part in parts]
    return sa.select(*by, *sums).select_from(sa.join(bound, until, until.c.bound == bound.c.bound)).group_by(*by).subquery("measured")
