"""Plans are kept, results are whole, SQL is made when it is read."""

from __future__ import annotations

import gc
import pickle
import threading
import weakref

from kpi.metrics import query
from kpi.metrics.model import Query
from tests.metrics.hand_made import ask, column, rows

WON = """
won: {count: deal, at: closed_on, where: is_won}
lost: {count: deal, at: closed_on, where: is_lost}
rate: {formula: won / (won + lost)}
"""


def filled(warehouse):
    return warehouse.add("deal", {"closed_on": "2026-01-05", "is_won": True, "is_lost": False}, covers=("2026-01-01", "2026-02-01"))


def test_a_plan_is_made_once_for_a_generation_and_definitions(warehouse, defined):
    reader, known = filled(warehouse).reader(), defined(WON)
    first = query.planned(Query(("won",)), known, reader)[0]
    assert query.planned(Query(("won",)), known, reader)[0] is first
    assert query.planned(Query(("won",)), defined(WON.replace("is_won", "not is_lost")), reader)[0] is not first
    warehouse.cover("issue", "2026-01-01", "2026-02-01")
    assert query.planned(Query(("won",)), known, warehouse.reader())[0] is not first  # other data


def test_a_kept_plan_keeps_no_reader(duck_warehouse, defined):
    reader = filled(duck_warehouse).reader()
    result = ask(reader, defined(WON), "won")
    gone = weakref.ref(reader)
    del reader
    gc.collect()
    assert gone() is None
    assert "SELECT" in result.sql


def test_a_result_can_be_pickled_with_its_sql(warehouse, defined):
    result = ask(filled(warehouse), defined(WON), "won", grain="month")
    copy = pickle.loads(pickle.dumps(result))
    assert copy.table.equals(result.table)
    assert copy.sql == result.sql
    assert copy.cells("won") == result.cells("won")


def test_cells_carry_period_groups_state_and_target(warehouse, defined):
    known = defined(WON.replace("where: is_won}", "where: is_won, target: {2026: 365}}"))
    result = ask(filled(warehouse), known, "won", by=("deal.stage",), grain="month")
    (cell,) = result.cells("won")
    assert (cell.period.isoformat(), cell.end.isoformat(), cell.groups, cell.value, cell.state) == (
        "2026-01-01",
        "2026-02-01",
        (None,),
        1,
        "known",
    )
    assert cell.target == 31


def test_a_metric_asked_twice_is_answered_once(warehouse, defined):
    result = ask(filled(warehouse), defined(WON), "won", "rate", "won")
    assert result.query.metrics == ("won", "rate")
    assert rows(result) == [("2026-01-01", 1, 1.0)]


def test_many_threads_ask_one_reader(warehouse, defined):
    reader, known = filled(warehouse).reader(), defined(WON)
    found = []

    def work(day):
        found.append(column(ask(reader, known, "won", until=f"2026-01-{day:02d}"), "won"))

    threads = [threading.Thread(target=work, args=(day,)) for day in range(2, 14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [[0]] * 4 + [[1]] * 8  # won on the 5th: in from until = 6th


def test_splits_of_nothing_are_no_rows_and_no_split_is_one(warehouse, defined):
    known = defined(WON + "middle: {median: amount, of: deal, at: closed_on}")
    assert rows(ask(warehouse, known, "won", "middle", by=("deal.stage",), since="2026-01-01", until="2026-02-01")) == []
    filled(warehouse)
    none = ("deal.stage = 'nothing'",)
    assert rows(ask(warehouse, known, "won", "middle", by=("deal.stage",), where=none)) == []
    assert rows(ask(warehouse, known, "won", "middle", "rate", where=none)) == [("2026-01-01", 0, None, None)]
