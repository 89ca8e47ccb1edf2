"""UTC instants -> local ones, by the zone's offsets written into the SQL.

DuckDB's own conversion costs more than reading and casting the whole row (1.3 µs against 0.2 µs for a cast), and a
zone has two offsets a year: a balanced tree of comparisons finds the right one in eight steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.visitors import InternalTraversal

#: Nothing that companies export is older; and what lies further ahead is only planned.
_FIRST_YEAR: Final = 1990
_LAST_YEAR: Final = 2050


class _Local(sa.ColumnElement[Any]):
    """The wall clock at an instant, one node however large its tree: SQLAlchemy copies and writes out every node of a statement."""

    __visit_name__ = "local"
    inherit_cache = False
    _traverse_internals = [("moment", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - as SQLAlchemy has it
    type = sa.DateTime()

    def __init__(self, moment: sa.ColumnElement[Any], timezone: str) -> None:
        self.moment = moment
        self.timezone = timezone

    def self_group(self, against: Any = None) -> sa.ColumnElement[Any]:
        """It brings its own parentheses."""
        return self


@compiles(_Local)
def _write(element: _Local, compiler: Any, **how: Any) -> str:
    moment = compiler.process(element.moment.self_group(operators.add), **how)
    return f"({moment} + {_tree(moment, transitions(element.timezone))})"


def to_local(moment: sa.ColumnElement[Any], timezone: str) -> sa.ColumnElement[Any]:
    """The wall clock of ``timezone`` at UTC instants."""
    offsets = transitions(timezone)
    if len(offsets) == 1 and not offsets[0][1]:
        return moment
    return _Local(moment, timezone)


@cache  # 40 ms a time, and every value of a date asks
def transitions(timezone: str) -> tuple[tuple[datetime, timedelta], ...]:
    """From which UTC instant on which offset holds; the first one reaches back."""
    zone = ZoneInfo(timezone)
    at = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    found = [(at.replace(tzinfo=None), _offset(at, zone))]
    end = datetime(_LAST_YEAR, 1, 1, tzinfo=UTC)
    while at < end:
        following = at + timedelta(days=7)
        if _offset(following, zone) != found[-1][1]:
            low, high = at, following
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
                low, high = (middle, high) if _offset(middle, zone) == found[-1][1] else (low, middle)
            found.append((high.replace(tzinfo=None), _offset(high, zone)))
        at = following
    return tuple(found)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _tree(moment: str, offsets: Sequence[tuple[datetime, timedelta]]) -> str:
    if len(offsets) == 1:
        return f"to_minutes({offsets[0][1] // timedelta(minutes=1)})"
    half = len(offsets) // 2
    before, since = _tree(moment, offsets[:half]), _tree(moment, offsets[half:])
    return f"CASE WHEN {moment} < TIMESTAMP '{offsets[half][0]}' THEN {before} ELSE {since} END"
