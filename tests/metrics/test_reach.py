"""From when to when data reach, and which systems count."""

from __future__ import annotations

import datetime as dt

from kpi.metrics.model import CountedSpan
from kpi.metrics.reach import common, joined, reach_of
from kpi.periods import Period
from kpi.warehouse.reader import CoverageRow


def day(number):
    return dt.date(2026, 1, number)


def row(source, first, after, table="deal", count=1, gaps=()):
    return CoverageRow(table, source, day(first), day(after), "dates of its rows", count, tuple((day(a), day(b)) for a, b in gaps))


def spans(*pairs):
    return tuple(Period(day(first), day(after)) for first, after in pairs)


def test_one_source_reaches_as_far_as_it_says_without_its_gaps():
    assert reach_of("deal", {}, [row("a", 1, 20, gaps=[(5, 7)])]).spans == spans((1, 5), (7, 20))


def test_a_source_without_rows_is_no_second_system():
    reach = reach_of("deal", {}, [row("a", 1, 20), row("b", 1, 20, count=0)])
    assert (reach.spans, reach.uncounted) == (spans((1, 20)), ())


def test_overlapping_sources_count_where_rows_cannot_be_held_twice_over_their_common_days():
    assert reach_of("issue", {}, [row("a", 1, 20, "issue"), row("b", 5, 25, "issue")]).spans == spans((5, 20))
    assert reach_of("deal", {}, [row("a", 1, 20), row("b", 5, 25)]).uncounted == ("a", "b")


def test_touching_sources_follow_each_other():
    assert reach_of("deal", {}, [row("a", 1, 10), row("b", 10, 25)]).spans == spans((1, 25))


def test_every_source_that_counts_on_a_day_must_cover_it():
    rows = [row("a", 1, 20), row("b", 5, 25), row("c", 1, 31)]
    both = reach_of("deal", {"deal": (CountedSpan("a", None, None), CountedSpan("b", None, None))}, rows)
    assert both.spans == spans((5, 20))
    assert both.counted is not None  # rows of c are left out
    turn = reach_of("deal", {"deal": (CountedSpan("a", None, day(8)), CountedSpan("b", day(8), None))}, rows)
    assert turn.spans == spans((1, 25))


def test_a_named_source_that_was_never_imported_is_missing():
    reach = reach_of("deal", {"deal": (CountedSpan("a", None, None),)}, [row("b", 1, 20)])
    assert (reach.spans, reach.missing) == ((), ("a",))


def test_common_and_joined_spans():
    assert common([spans((1, 10), (20, 30)), spans((5, 25))]) == spans((5, 10), (20, 25))
    assert common([]) == ()
    assert joined(spans((5, 5), (10, 12), (1, 5), (4, 8))) == spans((1, 8), (10, 12))
