"""When rows lie and when exports came: what tells whether a source is fed as it usually is."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import facts, import_run


class Filled(NamedTuple):
    """How many rows of a source's table lie on a day (of an instant: the day in UTC)."""

    table: str
    source: str
    day: dt.date
    rows: int


class Export(NamedTuple):
    """A day on which an export of a system was made, as it says itself, else on which it was imported; and how many came."""

    connector: str
    day: dt.date
    files: int


def tables_with_a_day() -> list[sa.Table]:
    """The facts whose rows have a business date."""
    return [table for table in facts() if table.info["day"]]


def rows_by_day(reader: Reader, since: dt.date, until: dt.date) -> list[Filled]:
    """Of every table with a business date, for since <= day < until."""
    parts = []
    for table in tables_with_a_day():
        stamp = table.c[table.info["day"]]
        day = sa.cast(stamp, sa.Date)
        parts.append(
            sa.select(sa.literal(table.name).label("table"), table.c.source, day.label("day"), sa.func.count().label("rows"))
            .where(stamp >= since, stamp < until)
            .group_by(table.c.source, day)
        )
    rows = reader.run(sa.union_all(*parts)).to_pylist()
    return [Filled(row["table"], row["source"], row["day"], row["rows"]) for row in rows]


def exports(reader: Reader) -> list[Export]:
    """By system and day, oldest first."""
    day = sa.cast(sa.func.coalesce(import_run.c.as_of, import_run.c.imported_at), sa.Date).label("day")
    keys = (import_run.c.connector, day)
    statement = sa.select(*keys, sa.func.count().label("files")).group_by(*keys).order_by("connector", "day")
    return [Export(row["connector"], row["day"], row["files"]) for row in reader.run(statement).to_pylist()]
