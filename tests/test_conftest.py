"""The ground that other tests stand on."""

from __future__ import annotations

import os
import time

import psycopg
import pytest


def plain(url: str) -> str:
    """psycopg's own form of a SQLAlchemy URL."""
    return url.replace("postgresql+psycopg", "postgresql")


@pytest.mark.postgres
@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(postgres_url: str, turn: int) -> None:
    with psycopg.connect(plain(postgres_url)) as connection:
        connection.execute("CREATE SCHEMA kpi")  # the second turn would fail if it met the first one's


def test_time_zone_and_settings_are_fixed() -> None:
    assert time.tzname == ("EST", "EDT")
    assert os.environ["TZ"] == "America/New_York"
    assert not [name for name in os.environ if name.startswith("KPI_") and name != "KPI_REQUIRE_ALL"]
