"""Stages -> the statement: stacked, added up by period and groups, formulas over that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.compile import DOUBLE, Compiler, Typed
from kpi.metrics.groups import OTHER
from kpi.metrics.model import Query
from kpi.metrics.operations import Element, decimal, safe_quotient
from kpi.metrics.stages.scan import LeafParts, Part, Shared, Stage, day_number
from kpi.metrics.stages.windowed import windowed
from kpi.metrics.uses import Tree, Use, divided, uses_of
from kpi.metrics.windows import Frame, Window
from kpi.periods import Calendar

if TYPE_CHECKING:
    from kpi.metrics.slots import Asked, UseKey


#: A ratio by a key has no value where more than a twentieth of its cost, 5 %, has none (SEMANTICS, ``allocate``).
MOST_LACKING: Final = 20


class Assembly:
    """Puts the stages of a plan together.

    Args:
        slots: windows of each slot; ``of_use``: the slot of each use.
        sets: groupings, each some of the query's dimensions, that are answered side by side (all parts add up);
            none: by all the dimensions.
        within: begins the names of the statement's parts; ``top``: the groups shown, by rank.
        spare: one more group, without any rows.
        so_far: each period has what it and all before it hold together; all parts add up, and are asked for in every period.
    """

    def __init__(
        self,
        frame: Frame,
        query: Query,
        calendar: Calendar,
        stages: Mapping[str, Stage],
        slots: Sequence[tuple[Window | None, ...]],
        of_use: Mapping[UseKey, tuple[Use, int, set[bool]]],
        sets: Sequence[Sequence[str]] = (),
        within: str = "",
        top: sa.CTE | None = None,
        spare: bool = False,
        so_far: bool = False,
    ) -> None:
        self._frame = frame
        self._query = query
        self._calendar = calendar
        self._stages = stages
        self._slots = slots
        self._of_use = of_use
        self._within = within
        self._top = top
        self._spare = spare
        self._so_far = so_far
        self._groups = [f"g{place}" for place in range(len(query.by))]
        self._sets = [[group for group, name in zip(self._groups, query.by, strict=True) if name in names] for names in sets]
        self._parts: dict[str, LeafParts] = {name: parts for stage in stages.values() for name, parts in stage.parts.items()}
        self._place: Any = None
        self._summed: Any = None
        self._totals: dict[str, Any] = {}
        self._shared: dict[str, tuple[Shared, Any]] = {}
        self._used: dict[tuple[str, int, bool], Typed] = {}

    def statement(self, asked: Sequence[Asked]) -> tuple[sa.Select[Any], tuple[tuple[str, str], ...]]:
        """The statement, and what its columns after the metrics are: ("needs", "missing", "started", …; metric).

        Where there are sets of groups, a last column tells them apart (:func:`set_number`).
        """
        starts = [day_number(period.start) for period in self._frame.periods]
        period = operations.rows_of(f"{self._within}period", place=list(range(len(starts))), day=starts)
        self._place = period.c.place
        self._summed = self._added_up(period)
        if self._sets:
            self._summed = self._rolled_up(self._summed)
        if self._so_far:
            self._summed = self._run_up(self._summed)
        summed, source = self._summed, period
        joined: Any = sa.join(source, summed, summed.c.place == period.c.place, isouter=not self._groups)
        for stage in self._stages.values():
            for select in stage.totals:
                total = self._total(stage, select)
                joined = joined.outerjoin(total, total.c.place == period.c.place)
            if stage.shared is not None:
                known = self._of_split(stage.shared)
                self._shared[stage.shared.leaf] = (stage.shared, known)
                joined = joined.outerjoin(known, known.c.place == period.c.place)
        columns: list[Any] = [
            operations.day_of(period.c.day).label("period"),
            *(summed.c[group].label(name) for group, name in zip(self._groups, self._query.by, strict=True)),
        ]
        extra: list[tuple[str, str]] = []
        beside: list[Any] = []
        for one in asked:
            columns.append(_final(self._value(one, one.tree)).label(one.name))
            if one.needs is not None:
                extra.append(("needs", one.name))
                beside.append(_final(self._value(one, one.needs)).label(f"needs of {one.name}"))
                lacking = self._missing(one, one.needs)
                if lacking is not None:
                    extra.append(("needs missing", one.name))
                    beside.append(sa.cast(lacking, operations.BIG).label(f"without a rate in needs of {one.name}"))
            missing = self._missing(one, one.tree)
            if missing is not None:
                extra.append(("missing", one.name))
                beside.append(sa.cast(missing, operations.BIG).label(f"without a rate in {one.name}"))
            for name, element in self._splits(one):
                if (name, one.name) not in extra:
                    extra.append((name, one.name))
                    beside.append(element.label(f"{name} in {one.name}"))
            for kind, found in zip(("started", "share"), self._unreached(one), strict=False):
                extra.append((kind, one.name))
                beside.append(found.label(f"{kind} of {one.name}"))
        if self._sets:
            beside.append(sa.cast(summed.c.set, operations.BIG).label("set of groups"))
        ranks: list[Any] = []
        if self._top is not None:
            shown = self._top
            joined = joined.outerjoin(shown, sa.and_(*(shown.c[f"k{at}"] == summed.c[group] for at, group in enumerate(self._groups))))
            ranks = [shown.c.rank.asc().nulls_last(), sa.case((summed.c[self._groups[0]] == sa.literal(OTHER), 0), else_=1)]
        if self._query.limit is not None:
            extra.append(("rows", ""))
            beside.append(sa.func.count().over().label("rows in all"))
        answer = sa.select(*columns, *beside).select_from(joined).order_by(*self._order(columns, ranks))
        return answer if self._query.limit is None else answer.limit(self._query.limit), tuple(extra)

    def _order(self, columns: Sequence[Any], ranks: Sequence[Any]) -> list[Any]:
        """As asked for; then by period, and groups by their rank or their names. The rest of the groups is last."""
        by_name = [operations.byte_order(self._summed.c[group]) for group in self._groups]
        usual = [self._place, *ranks, *(name.asc().nulls_last() for name in by_name)]
        asked = []
        for order in self._query.order:
            if order.name == "period":
                element: Any = self._place
            elif order.name in self._query.by:
                element = by_name[self._query.by.index(order.name)]
            else:
                element = columns[1 + len(self._groups) + self._query.metrics.index(order.name)]
            asked.append((element.desc() if order.descending else element.asc()).nulls_last())
        return [*(ranks[1].desc() for _ in asked[:1] if ranks), *asked, *usual]

    def _added_up(self, period: sa.CTE) -> Any:
        """One row for each place and group: a column for each part and slot."""
        branches = self._branches(period)
        if not branches:
            nothing: list[Any] = [period.c.place, *(sa.cast(sa.null(), operations.TEXT).label(group) for group in self._groups)]
            return sa.select(*nothing).where(sa.false()).cte(f"{self._within}summed")
        columns: dict[str, Any] = {"place": operations.BIG, "slot": operations.BIG, **dict.fromkeys(self._groups, operations.TEXT)}
        columns |= {part.name: part.type for stage in self._stages.values() for part in stage.columns()}
        stack: Any = operations.stacked(branches, columns).cte(f"{self._within}stack") if len(branches) > 1 else branches[0]
        if self._groups and not self._dense():
            # Groups that no additive stage fills over all periods: once more for every period, with nothing in them.
            distinct = sa.select(*(stack.c[group] for group in self._groups)).distinct().subquery("every_group")
            every = sa.select(period.c.place, sa.literal_column("-1").label("slot"), *(distinct.c[group] for group in self._groups))
            filling = every.select_from(sa.join(period, distinct, sa.true())).cte(f"{self._within}filling")
            stack = operations.stacked([stack, filling], columns).subquery("filled")
        keys = [stack.c.place, *(stack.c[group] for group in self._groups)]
        sums: list[Any] = []
        for stage in self._stages.values():
            for leaf, found in stage.parts.items():
                function = sa.func.sum if found.additive else sa.func.max
                sums += [
                    function(self._seen_in(slot, stack.c[part.name], stack)).label(_in_slot(part, slot))
                    for slot in self._slots_of(leaf)
                    for part in found.columns()
                ]
        return sa.select(*keys, *sums).group_by(*keys).cte(f"{self._within}summed")

    def _seen_in(self, slot: int, column: Element, rows: Any) -> Element:
        """A column of the rows of a slot."""
        return column if len(self._slots) == 1 else sa.case((rows.c.slot == sa.literal_column(str(slot)), column))

    def _rolled_up(self, summed: Any) -> Any:
        """The rows of every set of groups, from those by all groups."""
        keys = [summed.c[group] for group in self._groups]
        sets = [sa.tuple_(summed.c.place, *(summed.c[group] for group in names)) for names in self._sets]
        sums = [sa.func.sum(column).label(column.name) for column in summed.c if column.name not in ("place", *self._groups)]
        marker = sa.func.grouping(*keys).label("set")
        return sa.select(summed.c.place, *keys, marker, *sums).group_by(sa.func.grouping_sets(*sets)).cte("rolled_up")

    def _run_up(self, summed: Any) -> Any:
        """The rows with running sums over the periods of each group."""
        over: dict[str, Any] = {
            "partition_by": [summed.c[group] for group in self._groups] or None,
            "order_by": summed.c.place,
            "rows": (None, 0),
        }
        sums = [
            sa.cast(sa.func.sum(summed.c[name]).over(**over), part.type).label(name)
            for leaf, parts in self._parts.items()
            for slot in self._slots_of(leaf)
            for part in parts.columns()
            for name in (_in_slot(part, slot),)
        ]
        return sa.select(summed.c.place, *(summed.c[group] for group in self._groups), *sums).cte(f"{self._within}so_far")

    def _branches(self, period: sa.CTE) -> list[sa.FromClause]:
        """What is stacked: rows of place, the groups, slot and some of the parts."""
        changing = [stage for stage in self._stages.values() if stage.changes is not None]
        branches: list[sa.FromClause] = []
        if changing:
            seen = sorted({slot for stage in changing for name in stage.parts for slot in self._slots_of(name)})
            branches.append(windowed(changing, tuple((slot, self._slots[slot]) for slot in seen), self._groups, self._within))
        for name, stage in self._stages.items():
            for place, select in enumerate(stage.own):
                rows = select.subquery()
                cells = [sa.cast(rows.c[part.name], part.type).label(part.name) for part in stage.columns()]
                keys = (rows.c[key] for key in ("place", "slot", *self._groups))
                branches.append(sa.select(*keys, *cells).cte(f"{name}_value{place or ''}"))
        if branches and self._spare:
            others = (sa.literal(OTHER).label(group) for group in self._groups)
            branches.append(sa.select(period.c.place, sa.literal_column("-1").label("slot"), *others).cte(f"{self._within}spare"))
        return branches

    def _dense(self) -> bool:
        """Whether every stage yields every group in every period."""
        return all(
            not stage.totals
            and not stage.sparse
            and all(
                parts.additive
                and all(any(self._slots[slot][place] for slot in self._slots_of(name)) for place in range(len(self._frame.periods)))
                for name, parts in stage.parts.items()
            )
            for stage in self._stages.values()
        )

    def _total(self, stage: Stage, select: sa.Select[Any]) -> Any:
        rows = select.subquery()
        columns = [
            sa.func.max(self._seen_in(slot, rows.c[part.name], rows)).label(_in_slot(part, slot))
            for name, parts in stage.parts.items()
            for slot in self._slots_of(name)
            for part in parts.columns()
        ]
        first = next(iter(stage.parts.values()))
        total = sa.select(rows.c.place, *columns).group_by(rows.c.place).subquery(f"total_{first.value.name}")
        self._totals |= dict.fromkeys(stage.parts, total)
        return total

    def _of_split(self, shared: Shared) -> Any:
        """What is known of an allocation in each period: a column for each slot."""
        rows = shared.select.subquery()
        columns = [
            sa.func.sum(sa.case((rows.c.slot == sa.literal_column(str(slot)), rows.c[name]))).label(f"{name}_in{slot}")
            for slot in self._slots_of(shared.leaf)
            for name in shared.columns
        ]
        return sa.select(rows.c.place, *columns).group_by(rows.c.place).subquery(f"split_{len(self._shared)}")

    def _splits(self, one: Asked) -> list[tuple[str, Element]]:
        """For each allocated leaf of a metric what was allocated, and of a ratio whether too much lacks a key, by name."""
        found: list[tuple[str, Element]] = []
        for use in uses_of(one.tree):
            slot = self._of_use[(use.leaf.name, use.steps, one.covered)][1]
            if use.leaf.name in self._shared and any(self._slots[slot]):
                shared, known = self._shared[use.leaf.name]
                shares = [(f"{name} of {use.leaf.name}", known.c[f"{name}_in{slot}"]) for name in shared.columns]
                found += [(name, sa.cast(share, operations.DOUBLE)) for name, share in shares]
        unsure = self._unallocated(one)
        return found if unsure is None else [*found, ("unallocated", sa.case((unsure, 1), else_=0))]

    def _unallocated(self, one: Asked) -> Element | None:
        """Whether more than 5 % of any cost that a ratio divides has none of a key; None where that can't be."""
        lacks: list[Element] = []
        for use in divided(one.tree):
            slot = self._of_use[(use.leaf.name, use.steps, one.covered)][1]
            if use.leaf.name in self._shared and any(self._slots[slot]):
                shared, known = self._shared[use.leaf.name]
                whole = sa.func.abs(known.c[f"all_in{slot}"])
                for key in shared.keys:
                    too_much = sa.func.coalesce(sa.func.abs(known.c[f"{key}_in{slot}"]) * MOST_LACKING > whole, sa.false())
                    lacks.append(self._where_seen(too_much, shared.groups[key]))
        return sa.or_(*lacks) if lacks else None

    def _where_seen(self, condition: Element, groups: Sequence[str] | None) -> Element:
        """The condition on the rows of the sets that have any of these groups; None: on all rows."""
        if not self._sets or groups is None:
            return condition
        numbers = [set_number(self._groups, names) for names in self._sets if any(group in names for group in groups)]
        of_sets = (self._summed.c.set == sa.literal_column(str(number)) for number in numbers)
        return sa.and_(condition, sa.or_(sa.false(), *of_sets))

    def _slots_of(self, leaf: str) -> list[int]:
        return sorted({slot for use, slot, _ in self._of_use.values() if use.leaf.name == leaf and any(self._slots[slot])})

    def _value(self, one: Asked, tree: Tree) -> Typed:
        """A metric's formula; no value outside its coverage, or where nothing says whose rows count."""
        typed = Compiler(lambda use: self._use(one, use), self._calendar, in_rows=False).typed(tree)  # type: ignore[arg-type]
        if one.uncounted or not one.covered:
            return Typed(sa.cast(sa.null(), operations.numeric(4)), 4)
        unsure = self._unallocated(one)
        element = typed.element if unsure is None else sa.case((sa.not_(unsure), typed.element))
        return Typed(self._where_known(element, one.base), typed.scale)

    def _use(self, one: Asked, node: Any) -> Typed:
        assert isinstance(node, Use)  # noqa: S101 - the tree holds nothing else
        slot = self._of_use[(node.leaf.name, node.steps, one.covered)][1]
        key = (node.leaf.name, slot, node.total)
        if key not in self._used:
            self._used[key] = self._taken(node, slot)
        return self._used[key]

    def _taken(self, node: Use, slot: int) -> Typed:
        parts = self._parts.get(node.leaf.name)
        if parts is None or not any(self._slots[slot]):
            return Typed(sa.cast(sa.null(), operations.numeric(4)), 4)
        value = self._column(node, parts, parts.value, slot)
        typed = Typed(parts.value.value(value), parts.value.places if parts.value.scale is None else parts.value.scale)
        if parts.count is not None:
            typed = Typed(safe_quotient(typed.element, self._column(node, parts, parts.count, slot)), DOUBLE)
        elif parts.additive or node.leaf.aggregate == "count_distinct":
            zero = sa.func.coalesce(typed.element, sa.literal_column("0"))
            typed = Typed(self._where_known(zero, self._slots[slot]), typed.scale)
        elif node.leaf.lived is not None and node.leaf.aggregate == "count":
            typed = Typed(self._where_known(sa.func.coalesce(typed.element, sa.literal_column("0")), self._slots[slot]), typed.scale)
        if parts.missing is not None:
            missing = self._column(node, parts, parts.missing, slot)
            typed = Typed(sa.case((sa.func.coalesce(missing, 0) == 0, typed.element)), typed.scale)
        return typed

    def _column(self, use: Use, parts: LeafParts, part: Part, slot: int) -> Element:
        name = _in_slot(part, slot)
        if not use.total or not self._groups:
            return self._summed.c[name]  # type: ignore[no-any-return]
        if not parts.additive:
            return self._totals[use.leaf.name].c[name]  # type: ignore[no-any-return]
        of_one = [self._summed.c.place, *([self._summed.c.set] if self._sets else [])]
        return sa.func.sum(self._summed.c[name]).over(partition_by=of_one)

    def _missing(self, one: Asked, tree: Tree) -> Element | None:
        """How many rate-less rows stand behind a metric's formula, or None where nothing is converted."""
        counts: list[Element] = []
        for use in uses_of(tree):
            parts = self._parts.get(use.leaf.name)
            slot = self._of_use[(use.leaf.name, use.steps, one.covered)][1]
            if parts is not None and parts.missing is not None and any(self._slots[slot]):
                counts.append(sa.func.coalesce(self._column(use, parts, parts.missing, slot), 0))
        counts += [figure.lacking for figure in one.figures if figure.lacking is not None]
        total: Any = None
        for count in counts:
            total = count if total is None else total + count
        return total  # type: ignore[no-any-return]

    def _unreached(self, one: Asked) -> list[Element]:
        """Of the first cohort in a metric's formula whose figure has no value: how many started, and the share that has reached it."""
        found: list[list[Any]] = [[], []]
        for use in uses_of(one.tree):
            parts = self._parts.get(use.leaf.name)
            slot = self._of_use[(use.leaf.name, use.steps, one.covered)][1]
            if parts is None or not parts.beside or not any(self._slots[slot]):
                continue
            lacks = self._column(use, parts, parts.value, slot).is_(None)
            for part, values in zip(parts.beside, found, strict=True):
                values.append(sa.case((lacks, self._column(use, parts, part, slot))))
        return [values[0] if len(values) == 1 else sa.func.coalesce(*values) for values in found if values]

    def _where_known(self, element: Element, windows: Sequence[Window | None]) -> Element:
        """The element on the places that have a window, else nothing."""
        if windows and None not in windows:
            return element
        ranges: list[list[int]] = []
        for place, window in enumerate(windows):
            if window is None:
                continue
            if ranges and ranges[-1][1] == place - 1:
                ranges[-1][1] = place
            else:
                ranges.append([place, place])
        return sa.case((sa.or_(*(self._place.between(first, last) for first, last in ranges)), element)) if ranges else sa.null()


def set_number(by: Sequence[str], names: Sequence[str]) -> int:
    """What the last column of a statement with sets of groups says of one: SQL's GROUPING(), a bit for each that is left out."""
    return sum(1 << (len(by) - 1 - place) for place, name in enumerate(by) if name not in names)


def _in_slot(part: Part, slot: int) -> str:
    return f"{part.name}_in{slot}"


def _final(typed: Typed) -> Element:
    """With the type that leaves: whole numbers, decimals, or the double of a quotient."""
    if typed.scale == DOUBLE:
        return sa.cast(typed.element, operations.DOUBLE)
    if typed.scale == 0:
        return sa.cast(typed.element, operations.BIG)
    return decimal(typed.element, 4 if typed.scale is None else typed.scale)
