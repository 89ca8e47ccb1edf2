"""What the records hold, for who looks after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from kpi.records.migrations import HEAD
from kpi.records.opening import place_of, records
from kpi.records.schema import metadata, records_change
from kpi.settings import Settings


@dataclass(frozen=True)
class Holding:
    """Where they are, and how much is there.

    Attributes:
        version: of their tables; None where nothing was ever written.
        changes: transactions that wrote.
        rows, meanings: table -> its lines, and what a line is.
    """

    place: str
    version: str | None
    changes: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)


def holding(settings: Settings) -> Holding:
    """Look, and bring tables of an older version up to date.

    Raises:
        RecordsError: they can't be opened or read.
    """
    place = place_of(settings)
    tables = {name: table for name, table in metadata.tables.items() if table is not records_change}
    with records(settings) as connection:
        if connection is None:
            return Holding(place, None)
        rows = {name: connection.scalars(sa.select(sa.func.count()).select_from(table)).one() for name, table in tables.items()}
        changes = connection.scalars(sa.select(records_change.c.number)).one()
    return Holding(place, HEAD, changes, rows, {name: table.comment or "" for name, table in tables.items()})
