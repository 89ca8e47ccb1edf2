"""Saved views: what stands of them, who has a name, where teams begin, and that nobody loses anything."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from kpi.errors import NameTaken, NoteChanged, UsageError
from kpi.records.views import Views, change, history, new, pin, rename, save, unpin, views, withdraw, write_down

LINK = "metric=revenue&by=product"


def view(name="Weekly", team="Sales", parameters=LINK, author="Ann"):
    return new(name, team, "explore", parameters, author)


def test_later_lines_take_the_place_and_nothing_is_deleted(kept):
    assert views(kept) == Views()
    save(kept, view())
    save(kept, view("Churn", "", author="Bob"))
    (churn, weekly) = views(kept).lines  # by team, those of no team first
    change(kept, weekly, "explore", "metric=margin", "Cleo")
    rename(kept, views(kept).named("weekly", "SALES"), "Margin", "Finance", "Dan")
    withdraw(kept, churn, "Bob")
    (stands,) = views(kept).lines
    assert (stands.name, stands.team, stands.link, stands.author) == ("Margin", "Finance", "explore?metric=margin", "Dan")
    assert [(line.action, line.name, line.team, line.parameters) for line in history(kept)] == [
        ("saved", "Weekly", "Sales", LINK),
        ("saved", "Churn", "", LINK),
        ("changed", "Weekly", "Sales", "metric=margin"),
        ("renamed", "Margin", "Finance", "metric=margin"),
        ("withdrawn", "Churn", "", LINK),
    ]


def test_who_is_second_is_told_and_nothing_is_overwritten(kept):
    save(kept, view())
    with pytest.raises(NameTaken) as told:
        save(kept, view("  weekly\u200b ", "SALES", "metric=cost", "Bob"))
    assert str(told.value) == ('Ann has saved a view "Weekly" of team Sales already; choose another name or team, or replace that view')
    save(kept, view(team="Finance"))  # another team may have the name
    (finance, seen) = views(kept).lines
    with pytest.raises(NameTaken):
        rename(kept, finance, "WEEKLY", "sales", "Bob")
    rename(kept, seen, "Weekly", "Sales", "Bob")  # its own name is no other's
    for again in (lambda: change(kept, seen, "explore", "metric=cost", "Ann"), lambda: withdraw(kept, seen, "Ann")):
        with pytest.raises(NoteChanged) as told:
            again()
        assert str(told.value) == "Bob has renamed this view meanwhile, and it says now: Weekly; look at it and write again"
    assert {line.parameters for line in views(kept).lines} == {LINK}


def test_a_team_begins_with_what_it_pinned_last(kept):
    save(kept, view())
    save(kept, view("Churn"))
    churn, weekly = views(kept).lines
    assert views(kept).start("Sales") is None
    pin(kept, weekly, "Sales", "Ann", None)
    first = views(kept).pins["sales"]
    assert [line.name for line in views(kept).start(" SALES ")] == ["Weekly", "Weekly"]
    with pytest.raises(NoteChanged) as told:
        pin(kept, churn, "sales", "Bob", None)  # who saw no start page when Ann pinned one
    assert str(told.value) == "Ann has pinned this start page meanwhile, and it says now: Weekly; look at it and write again"
    pin(kept, churn, "sales", "Bob", first)
    assert views(kept).start("Sales")[0].view == churn.view
    assert [line.team for line in views(kept).pins_of(churn.view)] == ["sales"]
    second = views(kept).pins["sales"]
    unpin(kept, second, "Cleo")
    with pytest.raises(NoteChanged) as told:
        unpin(kept, second, "Ann")
    assert str(told.value) == "Cleo has unpinned this start page meanwhile, and it says now: This week; look at it and write again"
    pin(kept, churn, "sales", "Bob", None)
    withdraw(kept, churn, "Ann")
    assert views(kept).start("Sales") is None
    with pytest.raises(NoteChanged, match=r"^Ann has withdrawn this view meanwhile"):
        pin(kept, churn, "Sales", "Bob", None)
    assert views(kept).by_view[weekly.view] == weekly  # a pin is no change of the view


def test_lines_from_elsewhere_are_added_once_and_take_no_name(kept):
    dated = replace(view(), written_at=dt.datetime(2026, 11, 16, 9))
    later = replace(dated, action="renamed", name="Monday", written_at=dt.datetime(2026, 11, 16, 10))
    undated = view("Churn")
    assert write_down(kept, [later, dated, undated, dated]) == 3
    assert write_down(kept, [later, dated, undated]) == 0
    assert sorted(line.name for line in views(kept).lines) == ["Churn", "Monday"]
    with pytest.raises(NameTaken, match=r'^Ann has saved a view "Monday" of team Sales already'):
        write_down(kept, [view("Costs"), view("monday", author="Bob")])
    assert len(history(kept)) == 3


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: view(" \x00\u202e\u200b\n"), "the view's name is empty"),
        (lambda: view("x" * 81), "the view's name has 81 characters, and at most 80 are kept; shorten it"),
        (lambda: view(team="x" * 41), "the team's name has 41 characters, and at most 40 are kept; shorten it"),
        (lambda: view(author=""), "the author's name is empty"),
        (lambda: view(parameters="x" * 4001), "this link has 4,001 characters, and at most 4,000 are kept; choose fewer values"),
        (lambda: pin(None, view(), " ", "Ann", None), "the team's name is empty"),
    ],
)
def test_what_cannot_be_kept_is_said(make, said):
    with pytest.raises(UsageError) as error:
        make()
    assert str(error.value) == said
