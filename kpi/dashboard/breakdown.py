"""A metric by groups: where each stands, how it moved, and the sentence that says which one to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from kpi import units
from kpi.dashboard.series import COMPARABLE, WEEK, YEAR, by_group
from kpi.metrics.groups import called
from kpi.metrics.model import Metric
from kpi.metrics.result import Cell, Result

#: What a group is compared with, the first that any group has both ends of: its length, and its name.
BASES: Final = ((YEAR, "last year"), (12 * WEEK, "12 weeks ago"), (WEEK, "the week before"))


@dataclass(frozen=True)
class Row:
    """One group.

    Attributes:
        weight: the money that stands behind it this week, for choosing which group to name; 0 where not known.
    """

    group: tuple[str | None, ...]
    now: Cell | None
    before: Cell | None
    change: units.Change | None
    verdict: Literal["better", "worse", "neutral"]
    now_text: str
    before_text: str
    weight: Decimal

    @property
    def now_value(self) -> float | None:
        """For drawing."""
        return None if self.now is None or self.now.value is None else float(self.now.value)

    @property
    def before_value(self) -> float | None:
        """For drawing."""
        return None if self.before is None or self.before.value is None else float(self.before.value)

    @property
    def change_text(self) -> str:
        """Without its unit where that is points: the column says it."""
        return "" if self.change is None else self.change.text.replace(f"{units.SPACE}points", "")

    @property
    def name(self) -> str:
        """``Atlas``, or ``Atlas in Enterprise`` for a pair."""
        return " in ".join(called(value) for value in self.group)

    @property
    def pull(self) -> Decimal:
        """How much the change means in money: the change times the money behind it. Negative pulls down."""
        if self.now is None or self.before is None or self.now.value is None or self.before.value is None or self.change is None:
            return Decimal(0)
        return (units.exact(self.now.value) - units.exact(self.before.value)) * self.weight


@dataclass(frozen=True)
class Breakdown:
    """All groups of one Result, in the order of their names, "(none)" last.

    Attributes:
        earlier: what they are compared with, such as ``last year``; empty where there is nothing to compare.
        target: the metric's target of the week.
    """

    metric: Metric
    rows: tuple[Row, ...]
    earlier: str
    target: Decimal | None

    @property
    def worst(self) -> Row | None:
        """The group whose change did most harm; None where none got worse."""
        worse = [row for row in self.rows if row.verdict == "worse"]
        return max(worse, key=lambda row: abs(row.pull)) if worse else None

    def title(self) -> str:
        """What the chart says: ``Atlas fell most since last year: −12.3 points, to 41.2 %``."""
        worst = self.worst
        if worst is not None and worst.change is not None:
            verb = "fell" if worst.change.direction < 0 else "rose"
            return f"{worst.name} {verb} most since {self.earlier}: {worst.change.text}, to {worst.now_text}"
        if not self.earlier:
            return f"{self.metric.label}, with nothing earlier to compare it with"
        return f"No group got worse since {self.earlier}"


def break_down(result: Result, metric: Metric, weight: str | None, week: dt.date) -> Breakdown:
    """The groups of ``result`` in ``week``, against the earliest base that any of them has.

    Args:
        weight: name of the money metric in ``result`` that says how much stands behind a group, or None.
    """
    groups = by_group(result.cells(metric.name))
    weights = by_group(result.cells(weight)) if weight else {}
    back, earlier = _base(groups, week)
    rows = [_row(group, cells, weights.get(group, {}), metric, week, back, result.currency) for group, cells in groups.items()]
    rows = [row for row in rows if row.now_value is not None or row.before_value is not None]
    rows.sort(key=lambda row: tuple((value is None, value or "") for value in row.group))
    target = next((row.now.target for row in rows if row.now is not None and row.now.target is not None), None)
    return Breakdown(metric, tuple(rows), earlier, target)


def headline(found: Sequence[Breakdown]) -> str:
    """The title over several breakdowns of one metric: ``Atlas and Enterprise fell most since last year``."""
    worst = [row for row in (breakdown.worst for breakdown in found) if row is not None and row.change is not None]
    if not worst:
        return f"{found[0].metric.label} by group"
    down = all(row.change is not None and row.change.direction < 0 for row in worst)
    return f"{' and '.join(row.name for row in worst)} {'fell' if down else 'worsened'} most since {found[0].earlier}"


def _base(groups: Mapping[tuple[str | None, ...], Mapping[dt.date, Cell]], week: dt.date) -> tuple[dt.timedelta | None, str]:
    for back, name in BASES:
        for cells in groups.values():
            if all(_comparable(cells.get(day)) for day in (week, week - back)):
                return back, name
    return None, ""


def _row(
    group: tuple[str | None, ...],
    cells: Mapping[dt.date, Cell],
    weights: Mapping[dt.date, Cell],
    metric: Metric,
    week: dt.date,
    back: dt.timedelta | None,
    currency: str,
) -> Row:
    now = cells.get(week)
    before = cells.get(week - back) if back else None
    change = None
    if now is not None and before is not None and _comparable(now) and _comparable(before):
        change = units.change(now.value, before.value, metric.unit)
    money = weights.get(week)
    known = money is not None and money.value is not None
    return Row(
        group,
        now,
        before,
        change,
        change.verdict(metric.better) if change else "neutral",
        str(units.show(now.value if now else None, metric.unit, currency)),
        str(units.show(before.value if before else None, metric.unit, currency)),
        units.exact(money.value) if known and money is not None and money.value is not None else Decimal(1 if not weights else 0),
    )


def _comparable(cell: Cell | None) -> bool:
    return cell is not None and cell.state in COMPARABLE and cell.value is not None


def pairs(breakdown: Breakdown) -> tuple[Sequence[str | None], Sequence[str | None], Mapping[tuple[str | None, ...], Row]]:
    """Row names, column names and cells of a breakdown by two dimensions, "(none)" last in each."""
    by_pair = {row.group: row for row in breakdown.rows}
    first, second = (
        sorted({row.group[place] for row in breakdown.rows}, key=lambda value: (value is None, value or "")) for place in (0, 1)
    )
    return first, second, by_pair
