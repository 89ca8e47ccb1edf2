"""From when to when data reach, as exports add up."""

from __future__ import annotations

import datetime as dt

import pytest

from kpi.warehouse.bookkeeping import STATED, extend_coverage
from kpi.warehouse.memory import MemoryWriter
from kpi.warehouse.store import DuckStore

D = dt.date
ROWS = "dates of its rows"


@pytest.fixture
def writer():
    return MemoryWriter()


def cover(writer, *spans, basis=ROWS):
    return [said for first, end in spans for said in extend_coverage(DuckStore(writer.connection), "q", {"cost_line": (first, end, basis)})]


def test_exports_that_meet_are_one(writer):
    assert cover(writer, (D(2026, 2, 1), D(2026, 3, 1)), (D(2026, 1, 1), D(2026, 2, 1)), basis=STATED) == []
    (row,) = writer.reader().coverage
    assert (row.covers_from, row.covers_to, row.basis, row.gaps) == (D(2026, 1, 1), D(2026, 3, 1), "stated by the file", ())


def test_a_missing_export_is_a_gap_until_it_comes(writer):
    said = cover(writer, (D(2026, 1, 1), D(2026, 2, 1)), (D(2026, 3, 1), D(2026, 4, 1)), basis=STATED)
    assert said == ["no export of q covers cost_line from 2026-02-01 to 2026-02-28, so figures of those days are not known"]
    (row,) = writer.reader().coverage
    assert (row.covers_from, row.covers_to, row.gaps) == (D(2026, 1, 1), D(2026, 4, 1), ((D(2026, 2, 1), D(2026, 3, 1)),))
    assert cover(writer, (D(2026, 2, 1), D(2026, 3, 1)), basis=STATED) == []
    assert writer.reader().coverage[0].gaps == ()


def test_dates_of_rows_leave_no_gap_between_exports(writer):
    """Few things happen at times: without a stated period nothing shows that an export is missing."""
    assert cover(writer, (D(2026, 1, 1), D(2026, 1, 30)), (D(2026, 6, 1), D(2026, 7, 1))) == []
    (row,) = writer.reader().coverage
    assert (row.covers_from, row.covers_to, row.gaps) == (D(2026, 1, 1), D(2026, 7, 1), ())
