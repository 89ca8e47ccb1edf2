"""Local days by a zone's offsets, against DuckDB's own conversion."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.sql import visitors

from kpi.warehouse.mapped import sql
from kpi.warehouse.zones import to_local, transitions


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_every_hour_of_three_years(zone: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT unnest(range(TIMESTAMP '2024-01-01', TIMESTAMP '2027-01-01', INTERVAL 30 MINUTE)) AS moment"
        )
        select = sql(
            sa.select(to_local(sa.column("moment", sa.DateTime), zone).label("local"), sa.column("moment")).select_from(sa.table("t"))
        )
        wrong = connection.execute(
            f"SELECT count(*) FROM ({select}) WHERE local <> timezone(?, timezone('UTC', moment))", [zone]
        ).fetchall()
    assert wrong == [(0,)]


def test_the_last_sunday_of_march_at_one() -> None:
    assert datetime(2026, 3, 29, 1) in [at for at, _ in transitions("Europe/Berlin")]


def test_one_node_however_many_offsets_a_zone_had() -> None:
    # SQLAlchemy copies and writes out node by node, and every date of a file has such a tree.
    assert len(list(visitors.iterate(to_local(sa.column("moment", sa.DateTime), "Europe/Berlin")))) == 2


def test_an_instant_that_is_worked_out_is_compared_and_added_to_whole() -> None:
    later = sa.column("a", sa.DateTime) - sa.column("b", sa.Interval)
    assert "((a - b) + CASE WHEN (a - b) < TIMESTAMP" in sql(sa.select(to_local(later, "Europe/Berlin")))
