"""Several files into a table at once, against one after the other."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.warehouse.batch import Runs, merge_together
from kpi.warehouse.memory import MemoryWriter
from kpi.warehouse.merge import Run, merge, tidy
from kpi.warehouse.schema import payment
from kpi.warehouse.store import DuckStore

DAYS = [None, dt.datetime(2026, 3, 1), dt.datetime(2026, 4, 1)]
SCHEMA = pa.schema(
    [
        ("payment_id", pa.string()),
        ("source", pa.string()),
        ("amount", pa.decimal128(18, 4)),
        ("modified_at", pa.timestamp("us")),
        ("run_id", pa.int64()),
    ]
)


@pytest.fixture(scope="module")
def stores():
    return DuckStore(MemoryWriter().connection), DuckStore(MemoryWriter().connection)


def _emptied(store):
    for table in ("payment", "import_run", "retired"):
        store.run(f"DELETE FROM {table}")
    return store


def _rows(files):
    """``files``: lists of (id, amount, modified_at); the number of each file stands beside its rows."""
    made = [
        {"payment_id": f"x:{key}", "source": "x", "amount": Decimal(amount), "modified_at": at, "run_id": number}
        for number, rows in enumerate(files)
        for key, amount, at in rows
    ]
    return pa.Table.from_pylist(made, schema=SCHEMA)


def _one_by_one(store, files, dates, first=1):
    for number, (rows, as_of) in enumerate(zip(files, dates, strict=True)):
        store.scratch.register("staged", _rows([rows]).drop_columns("run_id"))
        run = Run(first + number, "x", as_of)
        merge(store, payment, "staged", run)
        store.add("import_run", pa.Table.from_pylist([{"run_id": run.run_id, "as_of": as_of}]))
        tidy(store, payment, run)


def _at_once(store, files, dates, first, assumed=()):
    runs = [{"run_id": first + number, "as_of": as_of} for number, as_of in enumerate(dates)]
    store.add("import_run", pa.Table.from_pylist(runs))
    store.scratch.register("staged", _rows(files))
    return merge_together(store, payment, "staged", Runs(0, first, "x", tuple(dates)), assumed)


def _held(store):
    return store.run("SELECT payment_id, amount, modified_at, run_id FROM payment ORDER BY ALL")


_FILES = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(1, 3), st.integers(1, 9), st.sampled_from(DAYS)), max_size=3),
        st.sampled_from(DAYS),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=12, deadline=None)
@given(_FILES, st.integers(0, 2))
def test_at_once_gives_what_one_after_the_other_gives_or_says_that_it_can_not(stores, files, before):
    rows, dates = [rows for rows, _ in files], [as_of for _, as_of in files]
    before = min(before, len(files) - 1)
    one, other = map(_emptied, stores)
    _one_by_one(one, rows, dates)
    _one_by_one(other, rows[:before], dates[:before])
    was = _held(other)
    if _at_once(other, rows[before:], dates[before:], before + 1):
        assert _held(other) == _held(one)
    else:
        assert _held(other) == was


def test_the_newest_of_several_files_stands_whatever_their_order(stores):
    store = _emptied(stores[0])
    _, march, april = DAYS
    _one_by_one(store, [[(1, 5, march), (4, 1, april)]], [None])
    assert _at_once(
        store, [[(1, 10, april), (2, 20, march)], [(1, 11, march), (3, 30, march), (4, 2, march)], [(2, 22, march)]], [None] * 3, 2
    )
    assert _held(store) == [
        ("x:1", Decimal(10), april, 2),
        ("x:2", Decimal(22), march, 4),
        ("x:3", Decimal(30), march, 3),
        ("x:4", Decimal(1), april, 1),
    ]


def test_what_can_not_be_ordered_is_left_as_it_was(stores):
    store = _emptied(stores[0])
    march = DAYS[1]
    assert not _at_once(store, [[(1, 10, march)], [(1, 11, None)]], [None, None], 1)
    assert not _at_once(store, [[(1, 10, march)], [(1, 11, march)]], [None, march], 3)
    assert not _at_once(store, [[(1, 10, march)], [(1, 11, march)]], [None, None], 5, assumed=("currency",))
    assert _held(store) == []
    assert _at_once(store, [[(1, 10, march)], [(2, 11, None)]], [None, march], 7, assumed=("currency",))  # no key twice


def test_rows_that_a_newer_export_says_are_gone_are_not_brought_at_once(stores):
    store = _emptied(stores[0])
    store.add(
        "retired",
        pa.Table.from_pylist([{"table_name": "payment", "source": "x", "column_name": "payment_id", "row_id": "x:1", "run_id": 1}]),
    )
    assert not _at_once(store, [[(1, 10, DAYS[1])], [(2, 10, DAYS[1])]], [None, None], 1)


def test_without_any_date_the_last_file_wins_over_what_was_there(stores):
    store = _emptied(stores[0])
    _one_by_one(store, [[(1, 5, None)]], [None])
    assert _at_once(store, [[(1, 6, None)], [(1, 7, None)]], [None, None], 2)
    assert _held(store) == [("x:1", Decimal(7), None, 3)]
