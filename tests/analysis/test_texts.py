"""Differences of texts, and two changes put together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpi.analysis.texts import Line, difference, merged, unified

BASE = "a\nb\nc\nd\ne\nf\ng\nh\ni\n"


def test_what_differs_stands_between_lines_that_do_not():
    assert difference(BASE, BASE.replace("h\n", "H\n")) == [
        Line("place", "lines 5 to 9"),
        *(Line("same", text) for text in "efg"),
        Line("removed", "h"),
        Line("added", "H"),
        Line("same", "i"),
    ]
    assert difference(BASE, BASE) == []
    assert unified(BASE, BASE.replace("a\n", ""), ("old", "new")) == "--- old\n+++ new\n@@ -1,4 +1,3 @@\n-a\n b\n c\n d"


def test_changes_of_both_sides_are_put_together():
    assert merged(BASE, BASE.replace("b\n", "B\n"), BASE.replace("h\n", "")) == BASE.replace("b\n", "B\n").replace("h\n", "")
    assert merged(BASE, BASE + "j\n", "z\n" + BASE) == "z\n" + BASE + "j\n"


def test_changes_of_the_same_lines_are_nobodys_to_decide():
    assert merged(BASE, BASE.replace("b\n", "B\n"), BASE.replace("b\n", "bb\n")) is None
    assert merged(BASE, BASE.replace("b\n", "B\n"), BASE.replace("c\n", "C\n")) is None  # next to each other
    assert merged(BASE, BASE.replace("b\n", "B\n"), BASE.replace("b\n", "B\n")) == BASE.replace("b\n", "B\n")


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), max_size=8).map("".join)


@given(LINES, LINES, LINES)
def test_laws_of_merging(base, ours, theirs):
    assert merged(base, ours, base) == ours
    assert merged(base, base, theirs) == theirs
    assert merged(base, ours, ours) == ours
    assert merged(base, ours, theirs) == merged(base, theirs, ours)
