"""What a stage is asked for, and the rows it starts from: filtered, joined, with groups and values named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from kpi.metrics import operations
from kpi.metrics.catalog import STANDARD, Catalog
from kpi.metrics.compile import DOUBLE, Typed
from kpi.metrics.model import Call, During, Leaf, Node
from kpi.metrics.operations import Element, decimal
from kpi.metrics.reach import Reach
from kpi.metrics.rows import Rows
from kpi.metrics.windows import KEPT, Window
from kpi.periods import Calendar, Period

#: Aggregates of durations that leave out those which run backwards (SEMANTICS, rule 10).
FORWARD: frozenset[str] = frozenset({"average", "median", "percentile", "min", "max"})


@dataclass(frozen=True)
class Scan:
    """One reading of a table.

    Attributes:
        name: unique in the statement; its columns begin with it.
        slots: for each slot the windows of all periods.
        by, filters: the query's groups and filters, resolved from the table.
        rate: exchange rates, where amounts must be converted into ``currency``; then there is one leaf.
        versions: whether any account has former values.
        catalog: the tables there are.
        reaches: of every table that is read besides.
        bounds: what was made before for any scan of the same statement, by :meth:`probes` and :class:`kpi.metrics.rows.Rows`.
        ways: of the ways in which a flow's bounds may be known those that occur, at least one; None: any may.
        raw: ``by`` are taken with their own types, and not as text.
        split: how rows that lack a key are split; then there is one leaf, a flow.
        row_by_row: flows are met with windows row by row, for groups as many as customers; windows don't overlap.
        among: a table with a column ``entity``, of which the first group is one; others are left out.
    """

    name: str
    table: str
    leaves: tuple[Leaf, ...]
    slots: Mapping[int, tuple[Window | None, ...]]
    by: tuple[Node, ...]
    filters: tuple[Node, ...]
    reach: Reach
    calendar: Calendar
    currency: str
    rate: sa.CTE | None
    versions: bool
    ways: frozenset[int] | None = None
    reaches: Mapping[str, Reach] = field(default_factory=dict)
    bounds: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    raw: bool = False
    split: Split | None = None
    catalog: Catalog = STANDARD
    row_by_row: bool = False
    among: sa.CTE | None = None

    @property
    def groups(self) -> list[str]:
        """Names of the group columns."""
        return [f"g{place}" for place in range(len(self.by))]

    @property
    def foreign(self) -> bool:
        """Whether amounts must be converted."""
        return self.rate is not None

    @property
    def first(self) -> dt.date:
        """First day of any window."""
        return min(window.start for windows in self.slots.values() for window in windows if window)

    @property
    def first_end(self) -> dt.date:
        """First day after the earliest window."""
        return min(window.end for windows in self.slots.values() for window in windows if window)

    @property
    def after(self) -> dt.date:
        """First day after every window."""
        return max(window.end for windows in self.slots.values() for window in windows if window)

    def probes(self, starts: bool) -> sa.CTE:
        """Windows as rows of day numbers; with ``starts`` also their beginnings, with the sign they are taken by."""
        key = (*self.slots.items(), starts)
        if key not in self.bounds:
            slots, places, bounds, signs = _probes(tuple(self.slots.items()), starts)
            self.bounds[key] = operations.rows_of(f"{self.name}_bound", slot=slots, place=places, bound=bounds, sign=signs)
        found: sa.CTE = self.bounds[key]
        return found

    def spans(self) -> sa.CTE:
        """Windows as rows of their first day and the first after, as day numbers; one with holes is several, but of a stock."""
        is_stock = isinstance(self.leaves[0].time, During)
        found = [
            (slot, place, day_number(piece.start), day_number(piece.end))
            for slot, windows in self.slots.items()
            for place, window in enumerate(windows)
            if window
            for piece in ((window,) if is_stock else window.pieces())
        ]
        slots, places, starts, ends = zip(*found, strict=True)
        return operations.rows_of(f"{self.name}_window", slot=slots, place=places, starts=starts, ends=ends)


@dataclass(frozen=True)
class Split:
    """What an allocation hangs on besides its leaf.

    Attributes:
        touched: places of the keys that the query's groups and filters hang on.
        given: of rows that lack one of those, which keys they have; each way that occurs.
        months: of the calendar, those that any window touches.
        basis: groups are its keys, and its windows are those of ``months``, in their order; None: none is covered.
        checked: what lacks a key after all is told apart, for the ratios that would have no meaning.
    """

    touched: tuple[int, ...]
    given: tuple[tuple[bool, ...], ...]
    months: tuple[Period, ...]
    basis: Scan | None
    checked: bool


@dataclass(frozen=True)
class Part:
    """A column of the stack. ``scale``: of its decimals; None: whole numbers counted in units (flows); DOUBLE: a double.

    ``places``: of the decimals of such a unit.
    """

    name: str
    scale: int | None
    places: int = 8

    @property
    def type(self) -> Any:
        """Type of the column; sums may be wider than what is summed."""
        if self.scale is None or self.scale == 0:
            return operations.WHOLE
        if self.scale == DOUBLE:
            return sa.Double()
        return operations.numeric(self.scale)

    def value(self, element: Element) -> Element:
        """The column as a decimal in its own unit."""
        if self.scale is None:
            unit: Element = sa.literal_column(f"0.{'0' * (self.places - 1)}1")
            return decimal(sa.cast(element, operations.numeric(0)) * unit, self.places)
        return decimal(element, self.scale) if self.scale and self.scale != DOUBLE else element


@dataclass(frozen=True)
class LeafParts:
    """The columns of the stack that make up a leaf: its value, the rows an average divides by, rows without a rate.

    ``beside``: of a cohort, how many started, and the share that has reached it by now.
    """

    value: Part
    count: Part | None = None
    missing: Part | None = None
    additive: bool = True
    beside: tuple[Part, ...] = ()

    def columns(self) -> list[Part]:
        """Every column."""
        return [part for part in (self.value, self.count, self.missing, *self.beside) if part is not None]


@dataclass(frozen=True)
class Shared:
    """What is known of an allocation as a whole: a select of slot, place and whole numbers in units of one size.

    ``whole`` and ``allocated`` are of the figure; where the split is checked, ``all`` and ``none0``, ``none1``, … are
    of what there is without the filters on keys: all of it, and what has none of each touched key.

    ``groups``: for each of ``keys`` the groups that are seen through it; None: a filter is, so that it matters to all.
    """

    leaf: str
    select: sa.Select[Any]
    keys: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...] | None]

    @property
    def columns(self) -> list[str]:
        """Their names."""
        return ["whole", "allocated", *(["all", *self.keys] if self.keys else [])]


@dataclass(frozen=True)
class Changes:
    """What happened on days, of which running sums are the values of windows.

    Attributes:
        happened: columns day (a day number), the groups, and each part's change on that day; a day may have several rows.
        alone: makes the running sums of these changes by themselves: slot, place, the groups and the parts.
        of_stock: a window's value is what has come together at its end, and not what came since its beginning.
        of_slopes: changes are of slopes, in a unit a day.
    """

    happened: sa.CTE
    alone: Callable[[], sa.Select[Any]]
    of_stock: bool = False
    of_slopes: bool = False


@dataclass(frozen=True)
class Stage:
    """A stage's own selects for the stack, each of slot, place, the groups and the columns of ``parts``, or its changes.

    ``totals`` are selects of slot, place and columns over all groups, where those of the groups don't add up.
    ``sparse``: a group may be missing in some periods, though its parts add up.
    """

    own: tuple[sa.Select[Any], ...]
    parts: Mapping[str, LeafParts]
    totals: tuple[sa.Select[Any], ...] = ()
    sparse: bool = False
    shared: Shared | None = None
    changes: Changes | None = None

    @property
    def selects(self) -> tuple[sa.Select[Any], ...]:
        """Its selects; changes are summed up for it alone."""
        return self.own if self.changes is None else (self.changes.alone(),)

    def columns(self) -> list[Part]:
        """Every column, in the order of the selects."""
        return [part for parts in self.parts.values() for part in parts.columns()]


@lru_cache(maxsize=KEPT)
def _probes(slots: tuple[tuple[int, tuple[Window | None, ...]], ...], starts: bool) -> tuple[tuple[int, ...], ...]:
    """Slots, places, bounds and signs; most scans of a statement ask for the same."""
    found = [
        (slot, place, day_number(day), sign)
        for slot, windows in slots
        for place, window in enumerate(windows)
        if window
        for day, sign in (_bounds(window) if starts else [(window.end, 1)])
    ]
    return tuple(zip(*found, strict=True))


def _bounds(window: Window) -> list[tuple[dt.date, int]]:
    """Beginnings and ends of what is covered of a window, with the sign they are taken by."""
    return [bound for piece in window.pieces() for bound in ((piece.start, -1), (piece.end, 1))]


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - operations.EPOCH_ORDINAL


def day_literal(day: dt.date) -> Element:
    """A day as a bound value."""
    return sa.literal(day, operations.DAY)


def split_conditions(leaves: Sequence[Leaf]) -> tuple[list[Node], list[list[Node]]]:
    """What all leaves ask of a row, and what each asks besides."""
    asked = [_conjuncts(leaf.condition) for leaf in leaves]
    shared = [part for part in asked[0] if all(part in other for other in asked[1:])]
    return shared, [[part for part in parts if part not in shared] for parts in asked]


def _conjuncts(node: Node | None) -> list[Node]:
    if node is None:
        return []
    if isinstance(node, Call) and node.function == "and":
        return [part for argument in node.arguments for part in _conjuncts(argument)]
    return [node]


def row_filters(scan: Scan, rows: Rows) -> tuple[list[Element], list[Element | None]]:
    """The conditions of the scan, and for each leaf what else its rows must fulfil."""
    shared, own = split_conditions(scan.leaves)
    wheres = [rows.element(node) for node in (*shared, *scan.filters)]
    wheres += of_some(scan, rows)
    masks = [sa.and_(*(rows.element(node) for node in nodes)) if nodes else None for nodes in own]
    if all(mask is not None for mask in masks):
        wheres.append(sa.or_(*(mask for mask in masks if mask is not None)))
        if len(masks) == 1:
            masks = [None]
    return wheres, masks


def of_some(scan: Scan, rows: Rows) -> list[Element]:
    """Only rows of the entities that are asked for."""
    return [] if scan.among is None else [rows.text(scan.by[0]).in_(sa.select(scan.among.c.entity))]


def leaf_value(leaf: Leaf, rows: Rows, mask: Element | None, value: Typed | None = None) -> Typed:
    """What the leaf takes of a row, missing where the row isn't its own; counts of rows take 1."""
    if value is None:
        value = rows.typed(leaf.value) if leaf.value is not None else Typed(sa.literal_column("1"), 0)
    element = value.element
    if leaf.aggregate in FORWARD and is_duration(leaf.value):
        forward = element >= 0
        mask = forward if mask is None else sa.and_(mask, forward)
    return Typed(element if mask is None else sa.case((mask, element)), value.scale)


def is_duration(node: Node | None) -> bool:
    """Whether a value is made by days() or hours()."""
    if isinstance(node, Call):
        return node.function in ("days", "hours") or any(is_duration(argument) for argument in node.arguments)
    return False


def counted(scan: Scan, rows: Rows, day: Element) -> list[Element]:
    """Only rows of the sources that count, on the days they count."""
    if scan.reach.counted is None:
        return []
    source = rows.table.c.source
    spans = []
    for span in scan.reach.counted:
        bounds = [source == span.source]
        bounds += [day >= day_literal(span.start)] if span.start else []
        bounds += [day < day_literal(span.end)] if span.end else []
        spans.append(sa.and_(*bounds))
    return [sa.or_(*spans)]


def foreign_value(scan: Scan, leaf: Leaf, rows: Rows, twins: bool) -> tuple[Typed, Element]:
    """The amount of a row and its currency: the source's own conversion where it is in the currency asked for."""
    assert leaf.money is not None  # noqa: S101 - foreign scans have money
    assert leaf.value is not None  # noqa: S101
    value, money = rows.typed(leaf.value), leaf.money
    currency: Element = sa.func.coalesce(rows.element(money.currency), sa.literal(""))
    if not twins or money.home_value is None or money.home_currency is None:
        return value, currency
    home = sa.literal(scan.currency)
    twin = rows.element(money.home_value)
    # A row in the currency asked for needs no twin, and one without a twin is converted by rate.
    taken = sa.and_(rows.element(money.home_currency) == home, twin.is_not(None), currency != home)
    return Typed(sa.case((taken, twin), else_=value.element), value.scale), sa.case((taken, home), else_=currency)
