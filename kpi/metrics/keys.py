"""Which keys of allocated leaves a query asks for, and what its scans split them by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kpi.metrics import splitting
from kpi.metrics.aspect import Aspect
from kpi.metrics.model import Leaf, Node
from kpi.metrics.splitting import Lacks
from kpi.metrics.stages.scan import Scan, Split
from kpi.periods import Calendar, Grain


class Keys:
    """Of one question: what it groups and filters by, at a grain."""

    def __init__(self, aspect: Aspect, grain: Grain, calendar: Calendar, lacks: Iterable[Lacks]) -> None:
        self._aspect = aspect
        self._grain = grain
        self._calendar = calendar
        self._lacks = {found.key: found for found in lacks}
        self._known: dict[tuple[str, tuple[Node, ...]], tuple[int, ...]] = {}

    def touched(self, leaf: Leaf) -> tuple[int, ...]:
        """Places of the keys through which a group or filter sees the leaf, and that any row lacks."""
        key = (leaf.name, leaf.only)
        if key not in self._known:
            groups, filters = self._aspect(leaf.table, leaf.name)
            lacks = self._lacks.get(splitting.key_of(leaf))
            found = splitting.touched(leaf, (*groups, *filters, *leaf.only))
            self._known[key] = tuple(place for place in found if lacks is None or lacks.missing[place])
        return self._known[key]

    def seen(self, leaf: Leaf) -> Leaf:
        """The leaf, without its allocation where that changes nothing."""
        return leaf if leaf.allocate is None or self.touched(leaf) else splitting.plain(leaf)

    def split(self, leaf: Leaf, scan: Scan, is_of_ratio: bool) -> Split:
        """How the rows of an allocated leaf are split.

        Args:
            scan: the leaf's own, with the reach, ways and rates of its basis.
        """
        allocate = leaf.allocate
        assert allocate is not None  # noqa: S101 - the caller asks for no other
        months = splitting.months_of(scan.slots.values(), self._calendar)
        later = sum(lag.at(self._grain) for lag in allocate.lags)
        windows = splitting.basis_windows(months, later, scan.reach.spans, self._calendar)
        basis = None
        if any(windows):
            name, table = f"{scan.name}b", allocate.basis.table
            basis = replace(scan, name=name, table=table, leaves=(allocate.basis,), slots={0: windows}, by=allocate.seen, filters=())
        return Split(self.touched(leaf), self._given(leaf), months, basis, is_of_ratio)

    def _given(self, leaf: Leaf) -> tuple[tuple[bool, ...], ...]:
        """Of rows that lack a key which is asked for, those they have, in each way that occurs."""
        lacks = self._lacks.get(splitting.key_of(leaf))
        ways = splitting.ways_to_lack(leaf) if lacks is None else lacks.given
        found = tuple(way for way in ways if any(not way[place] for place in self.touched(leaf)))
        return found or splitting.ways_to_lack(leaf)[:1]  # no row is so, and one way keeps the statement whole
