"""Lines -> records; a broken quotation mark costs its own line."""

from __future__ import annotations

import pytest

from connectors.base import Record
from connectors.parsing import LONGEST, MISPLACED, TOO_LONG, parse


def _parsed(text: str, width: int = 2, first: int = 2):
    made = parse(text.splitlines(keepends=True), ",", first, width)
    return [(one.line, one.cells) if isinstance(one, Record) else (one.line, one.reason) for one in made]


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("a,b\n\nc,d\n", [(2, ["a", "b"]), (4, ["c", "d"])]),
        ('a,"b\nc"\nd,e\n', [(2, ["a", "b\nc"]), (4, ["d", "e"])]),
        ('a,"b ""c"" d"\n', [(2, ["a", 'b "c" d'])]),
        ('a,5" disk\n', [(2, ["a", '5" disk'])]),
        ('a,"5" disk"\nc,d\n', [(2, ["a", '5" disk']), (3, ["c", "d"])]),
        ('a,"b\\"c"\n', [(2, ["a", 'b"c'])]),
        ('a,"open\nc,d\n', [(2, MISPLACED), (3, ["c", "d"])]),
        ('a,"open\nc,shut"\ne,f\n', [(2, MISPLACED), (3, MISPLACED), (4, ["e", "f"])]),
        ('a, "b"\n', [(2, ["a", "b"])]),
        ('a,="007"\n', [(2, ["a", '="007"'])]),
    ],
    ids=["blank line", "lines", "doubled", "inside", "not doubled", "backslash", "open", "swallows", "blank before", "formula"],
)
def test_each_record_stands_where_it_begins(text, records):
    assert _parsed(text) == records


def test_nothing_is_repaired_where_the_width_is_not_known():
    assert _parsed('a,"5" disk"\n', width=0) == [(2, MISPLACED)]


def test_a_line_longer_than_any_record_is_refused_and_the_next_is_read():
    assert _parsed("a," + "x" * (LONGEST + 1) + "\nc,d\n") == [(2, TOO_LONG), (3, ["c", "d"])]
