"""From when to when a table's data reach; January is covered, February is missing, March is covered."""

from __future__ import annotations

import datetime as dt

from kpi.metrics.model import CountedSpan
from kpi.metrics.reach import reach_of
from kpi.periods import Period
from kpi.warehouse.reader import CoverageRow

D = dt.date
FEBRUARY = (D(2026, 2, 1), D(2026, 3, 1))
LEDGER = CoverageRow("cost_line", "quickbooks", D(2026, 1, 1), D(2026, 4, 1), "stated by the file", 10, (FEBRUARY,))
KNOWN = (Period(D(2026, 1, 1), D(2026, 2, 1)), Period(D(2026, 3, 1), D(2026, 4, 1)))


def test_days_of_a_missing_export_are_not_known():
    assert reach_of("cost_line", {}, [LEDGER]).spans == KNOWN


def test_nor_are_they_where_sources_says_who_counts():
    assert reach_of("cost_line", {"cost_line": (CountedSpan("quickbooks", None, None),)}, [LEDGER]).spans == KNOWN
