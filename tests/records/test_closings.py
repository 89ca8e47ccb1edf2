"""Closed figures on both engines: kept once, never changed, every digit of them."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

from kpi.records.closings import Closed, Figure, closed, write_down

WEEK = dt.date(2026, 11, 9)
ONE = Figure(
    WEEK, WEEK + dt.timedelta(days=7), "margin", True, "known", Decimal("0.61079257330000000000001"), "percent", "EUR", 7, "hash", "ann"
)


def test_what_is_kept_is_never_changed(kept):
    assert closed(kept) == Closed()
    with ThreadPoolExecutor(4) as pool:  # several servers see the same week due
        assert sum(pool.map(lambda number: write_down(kept, [replace(ONE, generation=number)]), range(4))) == 1
    before = closed(kept)
    assert before.first("margin", WEEK).value == ONE.value
    assert write_down(kept, [replace(ONE, value=Decimal(1)), replace(ONE, is_whole=False, state="partial")]) == 0
    assert closed(kept) == before
    assert (before.weeks, before.first("margin", WEEK + dt.timedelta(days=7)), before.first("cost", WEEK)) == ([WEEK], None, None)


def test_what_was_partial_is_kept_once_more(kept):
    partial = replace(ONE, is_whole=False, state="partial", value=None)
    assert write_down(kept, [partial, partial]) == 1
    assert (closed(kept).first("margin", WEEK), closed(kept).figures["margin", WEEK].state) == (None, "partial")
    assert write_down(kept, [ONE]) == 1
    assert closed(kept).first("margin", WEEK).value == ONE.value
