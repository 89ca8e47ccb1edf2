"""What is set aside: packed while it waits, and all of it in the table when somebody looks."""

from __future__ import annotations

import tracemalloc

import duckdb

from kpi.importing.setaside import Problems, SetAside


def rows(aside: SetAside) -> list[tuple[object, ...]]:
    return aside.connection.execute(f"SELECT * FROM {aside.relation} ORDER BY ALL").fetchall()


def test_all_that_was_added_is_in_the_table() -> None:
    aside = SetAside(duckdb.connect(), "aside")
    aside.add([(3, "Amount", "x", "not an amount")])
    assert rows(aside) == [(3, "Amount", "x", "not an amount")]
    aside.add(Problems((at, "", "", "short") for at in range(10, 12)))
    aside.add([(1, "", "\ud800", "odd")])
    assert rows(aside) == [(1, "", "?", "odd"), (3, "Amount", "x", "not an amount"), (10, "", "", "short"), (11, "", "", "short")]
    assert aside.first_reason() == "first on line 1: odd"


def test_a_line_counts_once() -> None:
    aside = SetAside(duckdb.connect(), "aside")
    aside.add([(3, "a", "", "one"), (3, "b", "", "two"), (4, "", "", "one")], main=True)
    aside.add(Problems([(4, "", "", "again"), (5, "", "", "one")]), main=True)
    aside.add([(9, "", "", "of another part")])
    assert (aside.main_records, len(rows(aside))) == (3, 6)


def test_many_problems_take_little_memory() -> None:
    tracemalloc.start()
    problems = Problems((at, "", f"value {at}", "it has 1 cell where the header has 9") for at in range(50_000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 << 20  # as tuples they would take 11 MB, and ten thousand of them at a time are
    assert problems.first == (0, "", "value 0", "it has 1 cell where the header has 9")
    assert list(problems.lines()) == list(range(50_000))
