"""``views``: listed, exported, imported twice, and refused by line."""

from __future__ import annotations

import json
from pathlib import Path

from kpi.records.views import change, new, pin, save, views
from kpi.settings import load

from .test_notes import kpi  # noqa: F401


def listed(kpi):  # noqa: F811
    return json.loads(kpi("views", "list", "--json")[1])["views"]


def test_what_was_exported_is_known_when_it_comes_back_and_is_all_there_elsewhere(kpi, monkeypatch):  # noqa: F811
    assert kpi("views")[:2] == (0, "there are no views yet; Explore saves them\n")
    here = load()
    save(here, new('=HYPERLINK("x")', "Sales", "explore", "metric=collected&grain=month", "Ann"))
    (view,) = views(here).lines
    pin(here, view, "Ops", "Bob", None)
    change(here, view, "explore", "metric=collected", "Cleo")
    assert kpi("views", "export", "views.csv")[:2] == (0, "3 lines written to views.csv\n")
    assert "\"'=HYPERLINK(" in Path("views.csv").read_text(encoding="utf-8-sig")
    assert kpi("views", "import", "views.csv")[:2] == (0, "0 lines written down; 3 known already\n")
    (before,) = listed(kpi)
    assert (before["name"], before["team"], before["link"], before["start page of"], before["author"]) == (
        '=HYPERLINK("x")',
        "Sales",
        "explore?metric=collected",
        "Ops",
        "Cleo",
    )
    monkeypatch.setenv("KPI_HOME", "elsewhere")
    assert kpi("views", "import", "views.csv")[:2] == (0, "3 lines written down; 0 known already\n")
    assert listed(kpi) == [before]
    assert json.loads(kpi("views", "history", "--json")[1])["views"][0]["link"] == "explore?metric=collected&grain=month"


def test_rows_written_by_hand_are_added_once_and_bad_ones_told_by_line(kpi):  # noqa: F811
    Path("new.csv").write_text("name;link;team\nWeekly;http://kpi/explore?grain=week;Sales\nMonthly;explore?grain=month;\n")
    assert kpi("views", "import", "new.csv")[1] == "2 lines written down; 0 known already\n"
    assert kpi("views", "import", "new.csv")[1] == "0 lines written down; 2 known already\n"
    assert [(one["name"], one["link"]) for one in listed(kpi)] == [
        ("Monthly", "explore?metric=collected&grain=month"),
        ("Weekly", "explore?metric=collected"),
    ]
    Path("bad.csv").write_text(
        "name,link,team,action,written_at\nGood,explore,,,\n,explore,,,\nx,explore?metric=collectd,,,\nx,javascript:x,,,\n"
        "x,explore,,burnt,\nx,explore,,pinned,\nx,explore,,,soon\n"
    )
    code, _, err = kpi("views", "import", "bad.csv")
    assert code == 2
    assert err.splitlines() == [
        "bad.csv:3 the view's name is empty",
        'bad.csv:4 the link can\'t be kept: No metric is called "collectd" (perhaps "collected" was meant)',
        'bad.csv:5 "javascript:x" is no link to the page Explore, such as explore?metric=collected',
        'bad.csv:6 action: "burnt" is none of saved, changed, renamed, withdrawn, pinned, unpinned',
        "bad.csv:7 action: a row that is pinned needs its view and written_at, as export writes them",
        'bad.csv:8 "soon" is not a time such as 2026-11-12T09:30:00Z',
        "nothing was imported",
    ]
    Path("taken.csv").write_text("name,link,team\nWEEKLY,explore?grain=year,sales\n")
    code, _, err = kpi("views", "import", "taken.csv")
    assert (code, err.split(";")[0][-48:]) == (2, ' has saved a view "Weekly" of team Sales already')
    assert len(listed(kpi)) == 2
