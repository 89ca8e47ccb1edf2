"""Readers: typed values in, Arrow out, hardened, limited in time."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import threading
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import sqlalchemy as sa

from kpi.errors import BadSetting, QueryTooHeavy, WarehouseError
from kpi.settings import Settings
from kpi.warehouse import engines
from kpi.warehouse.engines import CoverageRow, CurrencyRow, create_tables, memory_writer, open_reader
from kpi.warehouse.home import Current, swap_current, warehouse_file
from kpi.warehouse.schema import deal, metadata

D = dt.date


def some_deals():
    return (
        memory_writer()
        .insert(
            "deal",
            [
                {
                    "deal_id": "x:1",
                    "source": "x",
                    "stage": "50% off",
                    "amount": Decimal("10.1234"),
                    "currency": "EUR",
                    "created_on": D(2026, 1, 5),
                },
                {"deal_id": "x:2", "source": "x", "stage": "O'Hara: $1", "amount": Decimal("99999999999999.9999"), "currency": "EUR"},
            ],
        )
        .cover("deal", "x", D(2026, 1, 1), D(2026, 2, 1))
    )


def test_a_memory_warehouse_knows_its_coverage_and_currencies():
    reader = some_deals().reader()
    assert reader.generation == 1
    assert reader.coverage == (CoverageRow("deal", "x", D(2026, 1, 1), D(2026, 2, 1), "dates of its rows", 2),)
    assert reader.currencies == (CurrencyRow("deal", "x", "EUR", "", 2),)


def test_decimals_stay_exact():
    table = some_deals().reader().run(sa.select(deal.c.amount).order_by(deal.c.deal_id))
    assert table.schema.field("amount").type == pa.decimal128(18, 4)
    assert table.column("amount").to_pylist() == [Decimal("10.1234"), Decimal("99999999999999.9999")]


def test_dates_decimals_lists_and_text_bind_and_print():
    writer = some_deals()
    reader = writer.reader()
    days = sa.bindparam("days", [D(2026, 1, 5), D(2026, 1, 6)], sa.ARRAY(sa.Date))
    day = sa.func.unnest(days).table_valued(sa.column("day", sa.Date), name="w")
    statement = (
        sa.select(deal.c.deal_id, sa.literal(None, sa.String).label("nothing"))
        .select_from(deal.join(sa.select(sa.func.unnest(days).label("day")).subquery("w"), sa.column("day") == deal.c.created_on))
        .where(deal.c.stage.in_(["50% off", "O'Hara: $1"]), deal.c.amount > sa.literal(Decimal("10.1233")), deal.c.stage.like("50%"))
    )
    assert day is not None
    assert reader.run(statement).to_pylist() == [{"deal_id": "x:1", "nothing": None}]
    printed = reader.literal(statement)
    assert "DATE '2026-01-06'" in printed
    assert "'O''Hara: $1'" in printed
    assert writer.connection.execute(printed).fetchall() == [("x:1", None)]


def test_parameters_replace_values():
    reader = some_deals().reader()
    statement = sa.select(deal.c.deal_id).where(deal.c.deal_id == sa.bindparam("wanted", "x:1"))
    assert reader.run(statement).column(0).to_pylist() == ["x:1"]
    assert reader.run(statement, {"wanted": "x:2"}).column(0).to_pylist() == ["x:2"]
    assert reader.run(statement).column(0).to_pylist() == ["x:1"]


def test_nothing_published_reads_as_empty_tables(tmp_path: Path):
    with open_reader(Settings(home=tmp_path)) as reader:
        assert reader.generation == 0
        for table in metadata.sorted_tables:
            assert reader.run(sa.select(table)).num_rows == 0
    assert list(tmp_path.iterdir()) == []


def test_a_reader_reaches_no_other_file(tmp_path: Path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with open_reader(Settings(home=tmp_path)) as reader:
        with pytest.raises(duckdb.PermissionException):
            reader.connection.execute(f"FROM read_csv('{tmp_path}/secret.csv')")
        with pytest.raises(duckdb.InvalidInputException):
            reader.connection.execute("SET memory_limit = '8GB'")
        with pytest.raises(duckdb.Error):
            reader.connection.execute("INSTALL httpfs")


def test_a_long_query_is_stopped(tmp_path: Path):
    ranges = [sa.func.range(10**6).table_valued("range", name=f"r{i}") for i in range(3)]
    statement = sa.select(sa.func.sum(ranges[0].c.range * ranges[1].c.range + ranges[2].c.range)).select_from(
        sa.join(ranges[0], sa.join(*ranges[1:], sa.true()), sa.true())
    )
    with open_reader(Settings(home=tmp_path, query_timeout_s=0.2)) as reader, pytest.raises(QueryTooHeavy) as caught:
        reader.run(statement)
    assert str(caught.value) == (
        "the query was stopped at its limit of 0.2 seconds; ask for fewer groups or a shorter range, or raise KPI_QUERY_TIMEOUT_S"
    )


def test_a_large_query_is_stopped(tmp_path: Path):
    many = sa.func.range(3 * 10**6).table_valued("range", name="r")
    statement = sa.select(sa.func.list(sa.func.md5(sa.cast(many.c.range, sa.String))))
    with open_reader(Settings(home=tmp_path, memory_limit_mb=64)) as reader, pytest.raises(QueryTooHeavy) as caught:
        reader.run(statement)
    assert "64 MB" in str(caught.value)


def test_threads_share_a_reader():
    reader = some_deals().reader()
    statement = sa.select(sa.func.sum(deal.c.amount).label("s"))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(reader.run(statement).to_pylist()[0]["s"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Decimal("100000000000010.1233")] * 8


def test_other_engines_are_refused_plainly(tmp_path: Path):
    with pytest.raises(BadSetting) as caught:
        open_reader(dataclasses.replace(Settings(), warehouse_url="mysql://u:secret@h/d"))
    assert str(caught.value) == (
        "KPI_WAREHOUSE_URL='mysql://u:***@h/d' can't be used; accepted is "
        "postgresql://user@host/database, duckdb:///path of a file to read for tables: alone, or nothing: DuckDB under KPI_HOME"
    )


def test_a_generation_of_another_version_says_what_to_do(tmp_path: Path):
    settings = dataclasses.replace(Settings(), home=tmp_path)
    with duckdb.connect(str(warehouse_file(tmp_path, 1))) as connection:
        connection.execute("CREATE TABLE generation (number BIGINT)")
    swap_current(tmp_path, Current(1, 0, ""))
    with pytest.raises(WarehouseError) as caught:
        open_reader(settings)
    assert "was made by another version of this program" in str(caught.value)
    assert str(caught.value).endswith("python -m kpi rebuild makes it anew")


@pytest.mark.parametrize(("small", "threads"), [(1 << 40, 1), (0, None)])
def test_statements_of_a_small_warehouse_stay_on_their_thread(tmp_path, monkeypatch, small, threads):
    monkeypatch.setattr(engines, "SMALL", small)
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    connection = engines._connect(path, Settings(home=tmp_path))
    (found,) = connection.execute("SELECT current_setting('threads')").fetchone()
    connection.close()
    assert found == (threads or os.cpu_count())


def test_ids_are_packed_without_a_dictionary_and_come_back_as_they_were(tmp_path):
    """Long ones, empty ones and none: a row group that can't be packed so is stored as it is."""
    usual = [f"x:{n:027d}" for n in range(3000)]
    ids = {"deal": usual, "payment": [*usual, "x:" + "long" * 5000, "", "ünï"]}
    with duckdb.connect(str(tmp_path / "made.duckdb")) as connection:
        create_tables(connection)
        for table, said in ids.items():
            connection.register("said", pa.table({"id": said}))
            connection.execute(f"INSERT INTO {table} ({table}_id, source_id, source) SELECT id, 'the same', 'x' FROM said")
        connection.execute("CHECKPOINT")
        packed = "SELECT DISTINCT column_name, compression FROM pragma_storage_info('deal') WHERE segment_type = 'VARCHAR'"
        assert {("deal_id", "FSST"), ("source_id", "FSST"), ("source", "Dictionary")} <= set(connection.execute(packed).fetchall())
    with duckdb.connect(str(tmp_path / "made.duckdb"), read_only=True) as connection:
        for table, said in ids.items():
            assert set(connection.execute(f"SELECT {table}_id, source_id FROM {table}").fetchall()) == {(id_, "the same") for id_ in said}
