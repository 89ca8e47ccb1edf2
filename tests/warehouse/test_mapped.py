"""One reading of a file that counts its records and makes its few rows of customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import duckdb
import pytest
import sqlalchemy as sa

from kpi.warehouse import mapped
from kpi.warehouse.casting import Scope, compile_value
from kpi.warehouse.cells import Cell, Constant, Day, Domain, Filled, Instant, Lower
from kpi.warehouse.once import layered

#: c0 the customer, c1 the name, c2 the address, c3 the day, c4 what becomes of the record
RECORDS = [
    ("cus_1", "Old name", "ap@old.example", "2026-01-01", ""),
    ("cus_1", "New name", "AP@mail.New.example", "2026-01-03", ""),
    ("cus_1", "Newer, but bad", "x@bad.example", "2026-01-09", "bad"),
    ("cus_2", "B", None, "2026-01-02", ""),
    ("cus_2", "A", None, "2026-01-02", ""),  # as late as B: the greater name stays
    ("cus_3", "A draft", None, "2026-01-08", "left out"),
    (None, "Nobody", None, "2026-01-04", ""),
]
CUSTOMER, EMAIL = Cell(("customer",)), Lower(Cell(("email",)))
ROWS = mapped.Rows(
    Scope({"customer": (0, "customer"), "name": (1, "name"), "email": (2, "email"), "day": (3, "day")}, "EUR", "UTC"),
    "file",
    {
        "source": Constant("x"),
        "source_id": CUSTOMER,
        "name": Cell(("name",)),
        "email": EMAIL,
        "domain": Domain(EMAIL),
        "modified_at": Instant(Cell(("day",)), "utc"),
    },
    Filled(CUSTOMER),
)
DAY = sa.cast(sa.column("c3", sa.String), sa.DateTime)
CHECK = mapped.Check(
    {"left_out": sa.column("c4", sa.String) == "left out", "bad": sa.column("c4", sa.String) == "bad"},
    {"span": (mapped.ALWAYS, [DAY], [DAY])},
)
KEYS = ("source", "source_id")


def warehouse(records: Sequence[tuple[str | None, ...]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE file (c0 VARCHAR, c1 VARCHAR, c2 VARCHAR, c3 VARCHAR, c4 VARCHAR)")
    if records:
        connection.executemany("INSERT INTO file VALUES (?, ?, ?, ?, ?)", records)
    connection.execute(mapped.grouped_check("grouped", CHECK, "source_account", ROWS, KEYS))
    return connection


def test_the_counts_are_those_of_all_records() -> None:
    # 7 records, 1 left out, 1 bad; usable days reach from the 1st to the 4th, since the 8th is left out and the 9th bad
    with warehouse(RECORDS) as connection:
        counts = connection.execute(mapped.grouped_totals("grouped", CHECK)).fetchall()
        assert counts == [(7, 1, 1, dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 4))]
        assert counts == connection.execute(mapped.check_query("file", CHECK)).fetchall()


def test_of_the_usable_records_the_latest_makes_the_row() -> None:
    with warehouse(RECORDS) as connection:
        connection.execute(mapped.grouped_view("customers", "grouped", "source_account", ROWS))
        assert connection.execute("SELECT source, source_id, name, email, domain FROM customers ORDER BY 2").fetchall() == [
            ("x", "cus_1", "New name", "ap@mail.new.example", "mail.new.example"),
            ("x", "cus_2", "B", None, None),
        ]


def test_the_rows_are_those_of_a_reading_of_their_own() -> None:
    usable = [record for record in RECORDS if not record[4]]
    with warehouse(usable) as connection:
        connection.execute(mapped.grouped_view("grouped_rows", "grouped", "source_account", ROWS))
        connection.execute(mapped.rows_view("own_rows", "source_account", [ROWS], KEYS, ()))
        columns = [name for name, *_ in connection.execute("DESCRIBE own_rows").fetchall()]
        assert columns == [name for name, *_ in connection.execute("DESCRIBE grouped_rows").fetchall()]
        own = connection.execute("SELECT * FROM own_rows ORDER BY source_id").fetchall()
        assert len(own) == 2
        assert own == connection.execute("SELECT * FROM grouped_rows ORDER BY source_id").fetchall()


def test_a_file_without_records_counts_none() -> None:
    with warehouse([]) as connection:
        assert connection.execute(mapped.grouped_totals("grouped", CHECK)).fetchall() == [(0, 0, 0, None, None)]


def test_the_day_of_a_record_is_worked_out_once_for_its_row_and_for_what_the_file_covers() -> None:
    """22:30 in UTC on 31 March is 1 April in Berlin; the zone's tree of offsets, thousands of letters, stands in the statement once."""
    scope = Scope({"day": (0, "day")}, "EUR", "Europe/Berlin")
    day, instant = Day(Cell(("day",)), "utc"), Instant(Cell(("day",)), "utc")
    alone = compile_value(day, scope).value
    covered = mapped.compile_dates([instant], scope)[0]
    source = sa.table("said")
    query = mapped.sql(layered(source, [alone.label("day"), covered.label("covered")]))
    assert query.count("to_minutes") == mapped.sql(layered(source, [alone.label("day")])).count("to_minutes")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE said AS SELECT '2026-03-31 22:30:00' AS c0")
        assert connection.execute(query).fetchall() == [(dt.date(2026, 4, 1), dt.datetime(2026, 4, 1))]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("12.34", "99.99"),
        ("100.05", "999.99"),
        ("999999999.99", "999999999.99"),
        ("1234567890.00", "9999999999.99"),
        ("0.00", "Z.99"),
        ("0.50", "Z.99"),
        ("-0,5", "-Z,9"),
        ("10.0", "99.9"),
        ("1,200.50 EUR", "9,999.99 EUR"),
        ("", None),
    ],
)
def test_the_pattern_of_an_amount_is_its_digits_and_marks(text, pattern):
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 0 AS file, $text AS c0", {"text": text})
        ((found,),) = connection.execute(mapped.shapes_query("t", [], [0])).fetchall()
    assert (found or {}) == ({pattern: 1} if pattern else {})
