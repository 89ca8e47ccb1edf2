"""Staged rows into a table. Dates of exports: A made on 1 March, B on 1 April."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pytest

from kpi.warehouse import merge as merging
from kpi.warehouse.memory import MemoryWriter
from kpi.warehouse.merge import Run, merge, tidy
from kpi.warehouse.schema import cost_line, deal, issue_status, worklog
from kpi.warehouse.store import DuckStore

MARCH, APRIL = dt.datetime(2026, 3, 1), dt.datetime(2026, 4, 1)


@dataclass(frozen=True)
class Replacing:
    scope: str
    columns: tuple[str, ...]
    day: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    alike: tuple[str, ...] = ()
    partial: bool = False
    whole: bool = False


@pytest.fixture
def store():
    return DuckStore(MemoryWriter().connection)


def bring(store, table, run_id, rows, as_of=None, source="x", replaces=None, full=0, covers=(None, None), schema=None, many=0):
    """One file: rows under the name ``staged``, its run written down."""
    rows = [{"source": source, **row} for row in rows]
    relation = f"staged_{run_id}"
    schema = schema or {}
    found = pa.Table.from_pylist(rows) if rows else pa.table({"source": pa.array([], pa.string()), **schema})
    store.scratch.register(relation, found)
    run = Run(run_id, source, as_of)
    retired = merge(store, table, relation, run, replaces, full, rows=many)
    made = {"run_id": run_id, "as_of": as_of, "covers_from": covers[0], "covers_to": covers[1]}
    store.add("import_run", pa.Table.from_pylist([made]))
    tidy(store, table, run)
    return retired


def deals(store):
    return store.run("SELECT deal_id, stage, modified_at, run_id FROM deal ORDER BY deal_id, run_id")


def test_the_later_modified_time_wins_in_either_order(store):
    new, old = {"deal_id": "x:1", "stage": "won", "modified_at": APRIL}, {"deal_id": "x:1", "stage": "open", "modified_at": MARCH}
    bring(store, deal, 1, [new])
    bring(store, deal, 2, [old])
    assert deals(store) == [("x:1", "won", APRIL, 1)]
    bring(store, deal, 3, [{**new, "stage": "lost", "modified_at": APRIL + dt.timedelta(1)}])
    assert deals(store) == [("x:1", "lost", APRIL + dt.timedelta(1), 3)]


def test_without_a_modified_time_the_export_s_own_date_decides(store):
    bring(store, deal, 1, [{"deal_id": "x:1", "stage": "won"}], as_of=APRIL)
    bring(store, deal, 2, [{"deal_id": "x:1", "stage": "open"}, {"deal_id": "x:2", "stage": "open"}], as_of=MARCH)
    assert deals(store) == [("x:1", "won", None, 1), ("x:2", "open", None, 2)]


def test_without_any_date_the_archive_s_order_decides(store):
    bring(store, deal, 1, [{"deal_id": "x:1", "stage": "open"}])
    bring(store, deal, 2, [{"deal_id": "x:1", "stage": "won"}])
    assert deals(store) == [("x:1", "won", None, 2)]


def test_a_column_that_a_file_lacks_keeps_its_value_and_one_it_empties_does_not(store):
    bring(store, deal, 1, [{"deal_id": "x:1", "stage": "open", "owner": "Ann", "lost_reason": "price"}])
    bring(store, deal, 2, [{"deal_id": "x:1", "stage": "won", "lost_reason": None}])
    assert store.run("SELECT stage, owner, lost_reason FROM deal") == [("won", "Ann", None)]


def test_of_rows_of_one_file_with_the_same_key_the_newest_or_else_the_last_stays(store):
    rows = [
        {"deal_id": "x:1", "stage": "won", "modified_at": APRIL},
        {"deal_id": "x:1", "stage": "open", "modified_at": MARCH},
        {"deal_id": "x:2", "stage": "first", "modified_at": None},
        {"deal_id": "x:2", "stage": "last", "modified_at": None},
    ]
    bring(store, deal, 1, rows)
    assert [row[:2] for row in deals(store)] == [("x:1", "won"), ("x:2", "last")]
    bring(store, deal, 2, [{**row, "stage": row["stage"] + " again"} for row in rows])  # the source is known already
    assert [row[:2] for row in deals(store)] == [("x:1", "won again"), ("x:2", "last again")]


def test_systems_do_not_touch_each_other(store):
    bring(store, deal, 1, [{"deal_id": "x:1", "stage": "open"}])
    bring(store, deal, 2, [{"deal_id": "y:1", "stage": "won"}], source="y", full=2)
    assert [row[:2] for row in deals(store)] == [("x:1", "open"), ("y:1", "won")]


def test_full_retires_what_is_absent(store):
    bring(store, deal, 1, [{"deal_id": "x:1", "stage": "open"}, {"deal_id": "x:2", "stage": "open"}])
    assert bring(store, deal, 2, [{"deal_id": "x:2", "stage": "won"}], full=2) == (
        "1 row of deal that is absent from this full export was retired",
    )
    assert [row[:2] for row in deals(store)] == [("x:2", "won")]


def test_an_issue_s_worklogs_are_replaced_and_none_may_be_left(store):
    def logs(run_id, hours, issues, as_of=None):
        store.scratch.register(f"scope_{run_id}", pa.table({"issue_id": issues}))
        rows = [{"worklog_id": f"x:{issue}-{n}", "issue_id": issue, "hours": Decimal(h)} for issue, n, h in hours]
        empty = {"worklog_id": pa.array([], pa.string()), "issue_id": pa.array([], pa.string())}
        bring(store, worklog, run_id, rows, as_of, replaces=Replacing(f"scope_{run_id}", ("issue_id",)), schema=empty)

    logs(1, [("i1", 1, 2), ("i1", 2, 2), ("i2", 1, 5)], ["i1", "i2"])
    assert store.run("SELECT sum(hours) FROM worklog") == [(Decimal(9),)]  # 2 + 2 + 5: equal rows all count
    logs(2, [("i1", 3, 1)], ["i1"])
    assert store.run("SELECT sum(hours) FROM worklog") == [(Decimal(6),)]  # 1 + 5
    logs(3, [], ["i2"])
    assert store.run("SELECT sum(hours) FROM worklog") == [(Decimal(1),)]


def test_an_older_ledger_export_does_not_undo_a_newer_one(store):
    """B covers January to March and was made in April; A covers February to April, was made before, and comes later."""

    def ledger(run_id, lines, as_of, first, end):
        store.scratch.register(f"scope_{run_id}", pa.table({"ledger_account": ["Hosting"]}))
        rows = [
            {"cost_id": f"x:{run_id}-{day}", "ledger_account": "Hosting", "amount": Decimal(amount), "booked_on": dt.date(2026, *day)}
            for day, amount in lines
        ]
        replaces = Replacing(f"scope_{run_id}", ("ledger_account",), "booked_on", first, end)
        bring(store, cost_line, run_id, rows, as_of, replaces=replaces, covers=(first, end))

    ledger(1, [((1, 5), 100), ((3, 5), 300)], APRIL, dt.date(2026, 1, 1), dt.date(2026, 4, 1))
    ledger(2, [((2, 5), 77), ((3, 5), 299), ((4, 5), 400)], MARCH, dt.date(2026, 2, 1), dt.date(2026, 5, 1))
    # of the older one only April counts: February and March are covered by the newer, which had nothing in February
    assert store.run("SELECT amount FROM cost_line ORDER BY booked_on") == [(Decimal(100),), (Decimal(300),), (Decimal(400),)]


def test_a_file_that_shares_no_key_goes_in_at_once_with_its_twins_told_apart(store, monkeypatch):
    """As files of successive months do; the temporary table in which rows are compared is not made."""
    bring(store, deal, 1, [{"deal_id": "x:1", "stage": "open", "modified_at": MARCH}])
    ran = []
    run = store.run
    monkeypatch.setattr(store, "run", lambda sql, values=(): ran.append(sql) or run(sql, values))
    twins = [{"deal_id": "x:2", "stage": stage, "modified_at": day} for stage, day in (("lost", APRIL), ("open", MARCH), ("won", APRIL))]
    bring(store, deal, 2, twins)
    assert deals(store) == [("x:1", "open", MARCH, 1), ("x:2", "won", APRIL, 2)]
    assert not any("fresh" in sql for sql in ran)
    assert not store.rewrites
    bring(
        store,
        deal,
        3,
        [{"deal_id": "x:3", "stage": "open", "modified_at": MARCH}, {"deal_id": "x:2", "stage": "lost", "modified_at": MARCH}],
    )
    assert deals(store) == [("x:1", "open", MARCH, 1), ("x:2", "won", APRIL, 2), ("x:3", "open", MARCH, 3)]
    assert any("fresh" in sql for sql in ran)
    assert store.rewrites


def test_keys_are_compared_as_the_table_has_them(store):
    """A day as an instant is the same key."""
    row = {"issue_id": "x:1", "status": "open", "left_at": None}
    bring(store, issue_status, 1, [{**row, "entered_at": MARCH}])
    bring(store, issue_status, 2, [{**row, "entered_at": MARCH.date()}])
    assert store.run("SELECT count(*) FROM issue_status") == [(1,)]


def test_a_large_file_is_read_once_and_compared_when_its_rows_are_in_the_table(store, monkeypatch):
    """Its first row is new; of the others one is newer than what is known, one older, one twice, and one names no owner."""
    monkeypatch.setattr(merging, "_FIRST", 1)
    known = [{"deal_id": f"x:{n}", "stage": "open", "owner": "Ann", "modified_at": MARCH} for n in (1, 2, 3)]
    later, sooner = MARCH + dt.timedelta(1), MARCH - dt.timedelta(1)
    said = [
        ("9", "open", MARCH),
        ("1", "won", later),
        ("2", "lost", sooner),
        ("3", "lost", MARCH),
        ("3", "won", MARCH),
        ("8", "open", MARCH),
    ]
    file = [{"deal_id": f"x:{n}", "stage": stage, "modified_at": day} for n, stage, day in said]
    bring(store, deal, 1, known)
    ran = []
    run = store.run
    monkeypatch.setattr(store, "run", lambda sql, values=(): ran.append(sql) or run(sql, values))
    bring(store, deal, 2, file, many=10**6)
    assert sum("FROM staged_2" in sql and "LIMIT 1)" not in sql for sql in ran) == 1
    assert store.run("SELECT deal_id, stage, owner, run_id FROM deal ORDER BY deal_id") == [
        ("x:1", "won", "Ann", 2),
        ("x:2", "open", "Ann", 1),
        ("x:3", "won", "Ann", 2),
        ("x:8", "open", None, 2),
        ("x:9", "open", None, 2),
    ]
    assert store.rewrites
    other = DuckStore(MemoryWriter().connection)
    bring(other, deal, 1, known)
    bring(other, deal, 2, file)  # as a small file is brought
    every = "SELECT * FROM deal ORDER BY deal_id"
    assert store.run(every) == other.run(every)


def test_a_large_file_of_what_is_known_already_is_compared_at_once(store, monkeypatch):
    bring(store, deal, 1, [{"deal_id": "x:1", "stage": "open"}, {"deal_id": "x:2", "stage": "open"}])
    ran = []
    run = store.run
    monkeypatch.setattr(store, "run", lambda sql, values=(): ran.append(sql) or run(sql, values))
    bring(store, deal, 2, [{"deal_id": "x:1", "stage": "won"}, {"deal_id": "x:3", "stage": "open"}], many=10**6)
    assert not any("TABLE met" in sql for sql in ran)
    assert [row[:2] for row in deals(store)] == [("x:1", "won"), ("x:2", "open"), ("x:3", "open")]
