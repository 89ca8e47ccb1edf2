"""Local days by a zone's offsets, against DuckDB's own conversion."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest
import sqlalchemy as sa

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
