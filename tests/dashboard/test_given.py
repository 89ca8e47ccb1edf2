"""This week over tables of somebody else, with a North Star of theirs, and nothing imported."""

from __future__ import annotations

import duckdb
import psycopg
import pytest

from .test_pages import page, text

__all__ = ["page"]

TEXT = """
north_star: seats
currency: EUR
tables: {usage: {from: usage, key: [account_id, day]}}
metrics:
  seats: {label: Seats, sum: seats, of: usage, at: day}
  users: {label: Users, count_distinct: account_id, of: usage, at: day}
"""
#: 3 seats a day, for 140 days from 5 January to 24 May 2026, a Sunday.
MADE = "CREATE TABLE usage AS SELECT 'a' AS account_id, DATE '2026-01-05' + CAST(i AS INTEGER) AS day, 3 AS seats FROM {} AS r(i)"


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_the_page_shows_them_and_is_never_stale(page, request, tmp_path, monkeypatch, engine):
    (tmp_path / "metrics.yaml").write_text(TEXT, encoding="utf-8")
    if engine == "duckdb":
        url = f"duckdb:///{tmp_path / 'theirs.duckdb'}"
        with duckdb.connect(str(tmp_path / "theirs.duckdb")) as connection:
            connection.execute(MADE.format("range(140)"))
    else:
        url = request.getfixturevalue("postgres_url")
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute(MADE.format("generate_series(0, 139)"))
    shown = opened(page, tmp_path, monkeypatch, url)
    assert "1 source, complete to Sun 24 May 2026 21 ±0.0 % on week 20" in shown
    if engine == "duckdb":  # a new file takes the old one's place, as an export writes it
        other = tmp_path / "new.duckdb"
        with duckdb.connect(str(other)) as connection:
            connection.execute(MADE.format("range(140)").replace("3 AS", "4 AS"))
        other.replace(tmp_path / "theirs.duckdb")
    else:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("UPDATE usage SET seats = 4")
    assert "28 ±0.0 % on week 20" in opened(page, tmp_path, monkeypatch, url)


def opened(page, folder, monkeypatch, url):
    monkeypatch.setenv("KPI_WAREHOUSE_URL", url)
    return text(page(folder / "home"))
