"""Lines of notes: what stands of them, who may change what, and that nobody loses anything."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from kpi.errors import NoteChanged, UsageError
from kpi.records.notes import Notes, edit, history, new, notes, withdraw, write_down

WEEK = dt.date(2026, 11, 9)
END = WEEK + dt.timedelta(days=7)


def comment(text="Acme left", author="Ann", **more):
    return new("comment", ["margin"], WEEK, text, author, **more)


def test_a_later_line_takes_the_place_and_nothing_is_deleted(kept):
    assert notes(kept) == Notes()
    write_down(kept, [comment(), comment("Bolt came", "Bob")])
    first, second = notes(kept).comments("margin", WEEK, END)
    edit(kept, first, "Acme left on Tuesday", "Cleo")
    withdraw(kept, second, "Bob")
    (stands,) = notes(kept).comments("margin", WEEK, END)
    assert (stands.text, stands.author, stands.action) == ("Acme left on Tuesday", "Cleo", "edited")
    assert [(line.action, line.text) for line in history(kept, "comment")] == [
        ("written", "Acme left"),
        ("written", "Bolt came"),
        ("edited", "Acme left on Tuesday"),
        ("withdrawn", "Bolt came"),
    ]
    assert notes(kept).number == 3  # three transactions wrote
    assert notes(kept).comments("revenue", WEEK, END) == notes(kept).comments("margin", END, END + dt.timedelta(days=7)) == []


def test_who_changes_what_another_changed_is_told(kept):
    write_down(kept, [comment()])
    (seen,) = notes(kept).lines
    edit(kept, seen, "Acme left for good", "Bob")
    with pytest.raises(NoteChanged) as told:
        edit(kept, seen, "Acme stays", "Ann")
    assert str(told.value) == "Bob has edited this comment meanwhile, and it says now: Acme left for good; look at it and write again"
    with pytest.raises(NoteChanged):
        withdraw(kept, seen, "Ann")
    assert [line.text for line in notes(kept).lines] == ["Acme left for good"]


def test_many_write_at_once_and_all_of_it_stays(kept):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: write_down(kept, [comment(f"line {number}")]), range(12)))
    assert sorted(line.text for line in notes(kept).lines) == sorted(f"line {number}" for number in range(12))


def test_the_same_line_twice_is_one(kept):
    dated = replace(comment(note="n1"), written_at=dt.datetime(2026, 11, 16, 9))
    undated = comment("no time", note="n2")
    assert write_down(kept, [dated, undated, dated]) == 2
    assert write_down(kept, [dated, undated]) == 0
    assert write_down(kept, [replace(dated, text="another")]) == 1


def test_what_was_written_earlier_does_not_take_the_place_of_what_was_written_later(kept):
    late, early = dt.datetime(2026, 11, 16, 9), dt.datetime(2026, 11, 16, 8)
    write_down(kept, [replace(comment("late", note="n"), written_at=late)])
    write_down(kept, [replace(comment("early", note="n"), written_at=early)])
    assert [line.text for line in notes(kept).lines] == ["late"]
    # a clock that is ahead: who edits comes after it
    write_down(kept, [replace(comment("ahead", note="n"), written_at=dt.datetime(2100, 1, 1))])
    edit(kept, notes(kept).lines[0], "now", "Bob")
    assert [line.text for line in notes(kept).lines] == ["now"]


def test_a_later_verdict_takes_the_place_of_the_one_before(kept):
    noise = new("verdict", ["margin"], WEEK, "a bank holiday", "Ann", said="noise")
    assert write_down(kept, [noise]) == 1
    assert write_down(kept, [noise]) == 0
    assert write_down(kept, [new("verdict", ["margin"], WEEK, "it lasts", "Bob", said="signal")]) == 1
    stands = notes(kept).verdict("margin", WEEK, END)
    assert (stands.said, stands.author) == ("signal", "Bob")
    assert notes(kept).verdict("revenue", WEEK, END) is None


def test_an_event_concerns_its_metrics_or_all():
    some = new("event", ["margin", "revenue"], WEEK, "Price change", "Ann")
    assert (some.concerns("margin"), some.concerns("cost")) == (True, False)
    assert new("event", [], WEEK, "Outage", "Ann").concerns("cost")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: comment(" \x00\u202e\n"), "the comment is empty"),
        (lambda: comment("x" * 2001), "the comment has 2,001 characters, and at most 2,000 are kept; shorten it"),
        (lambda: comment(author=""), "the author's name is empty"),
        (lambda: new("verdict", ["margin"], WEEK, "so", "Ann", said="maybe"), 'a verdict is signal or noise, not "maybe"'),
        (
            lambda: new("event", [], WEEK, "Outage", "Ann", WEEK - dt.timedelta(days=1)),
            "the event ends on 2026-11-08, before it begins on 2026-11-09",
        ),
    ],
)
def test_what_cannot_be_written_down_is_said(make, said):
    with pytest.raises(UsageError) as error:
        make()
    assert str(error.value) == said


def test_what_nobody_sees_is_left_out():
    assert comment("a\x00b\u202ec\r\nd\ud800\te", "Ann\nBo").text == "abc\nd e"
    assert comment(author="Ann\nBo").author == "Ann Bo"
