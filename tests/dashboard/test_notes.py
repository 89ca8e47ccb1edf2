"""What people write beside figures, on the page: shown, escaped, written there, and missed without harm.

The figures are those of conftest.py: in the week of 9 November 2026 the margin is 53.75 %, a signal.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from decimal import Decimal

import pytest

from kpi.analysis.restating import restated
from kpi.dashboard import cards, remarks, weekly
from kpi.dashboard import closing as closing_weeks
from kpi.dashboard import noted as reading
from kpi.dashboard.charts import trend
from kpi.dashboard.closing import Closing
from kpi.dashboard.data import open_desk
from kpi.dashboard.marks import Mark, marks, places, together
from kpi.dashboard.noted import noted
from kpi.dashboard.series import Series
from kpi.dashboard.theme import LIGHT
from kpi.periods import Calendar, Period
from kpi.records import closings, versions
from kpi.records.closings import Closed, Figure
from kpi.records.notes import Notes, edit, new, notes, standing, write_down
from kpi.settings import Settings
from kpi.units import SPACE

from .made import metric
from .test_pages import page, text  # noqa: F401
from .test_weekly import cell, drawing, made, words

WEEK = dt.date(2026, 11, 9)
DAY = dt.timedelta(days=1)
WEEKS = [Period(WEEK + place * 7 * DAY, WEEK + (place + 1) * 7 * DAY) for place in range(-5, 1)]


def noted_as(*lines):
    when = dt.datetime(2026, 11, 16, 8, 30)
    return standing([replace(line, line_id=at, written_at=when) for at, line in enumerate(lines, 1)], len(lines))


def event(name, starts, ends=None, metrics=("margin",)):
    return new("event", metrics, starts, name, "Ann", ends)


def test_events_are_numbered_by_their_first_day_and_only_where_they_concern_a_metric():
    found = noted_as(
        event("Outage", WEEK, WEEK + 2 * DAY),
        event("Price change", WEEK - 20 * DAY, metrics=()),
        event("Elsewhere", WEEK, metrics=("revenue",)),
        event("Long ago", WEEK - 99 * DAY),
    )
    first, second = marks(found, "margin", Period(WEEKS[0].start, WEEKS[-1].end))
    assert (first.number, first.name, first.when) == (1, "Price change", "20 Oct 2026")
    assert (second.number, second.name, second.when) == (2, "Outage", "9–11 Nov 2026")
    assert (places(first, WEEKS), places(second, WEEKS)) == ((2, 2), (5, 5))
    lasting = Mark(3, "Strike", "", Period(WEEK - 8 * DAY, WEEK + DAY))
    assert places(lasting, WEEKS) == (3, 5)
    assert together([second, Mark(3, "", "", Period(WEEK + DAY, WEEK + 2 * DAY))], WEEKS) == {5: "2,3"}


def test_a_panel_shows_what_people_wrote_and_none_of_it_is_markup():
    hostile = '<img src=x onerror="alert(1)"> & so\non'
    found = noted_as(
        new("comment", ["margin"], WEEK + DAY, hostile, "<b>Ann</b>"),
        new("comment", ["margin"], WEEK - DAY, "last week's", "Bob"),
        new("comment", ["revenue"], WEEK, "another metric's", "Bob"),
        event("<i>Price</i>", WEEK),
    )
    html = weekly.panel(made([0.5, 0.531]), None, LIGHT, Calendar(timezone="Europe/Berlin"), found)
    assert "<img src=x" not in html
    assert "<b>Ann</b>" not in html.replace("<b>&lt;b&gt;Ann", "")
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; so\non" in html
    assert "&lt;i&gt;Price&lt;/i&gt;" in html
    assert "&lt;b&gt;Ann&lt;/b&gt; 16 Nov 2026, 09:30" in words(html)  # 08:30 in UTC
    assert "last week's" not in html
    assert "another metric's" not in html
    assert html.count('<i class="event"') == 2  # of the week and of its month
    assert drawing(html).count('stroke-dasharray="2 3"') == 2
    assert "event" not in weekly.panel(made([0.5, 0.531]), None, LIGHT, Calendar(), Notes())


def test_the_trend_marks_events_at_their_week():
    cells = {WEEK - back * 7 * DAY: cell(WEEK - back * 7 * DAY, 0.5) for back in range(13)}
    series = Series(metric(), WEEK, cells, "EUR")
    bare, marked = (
        trend(series, LIGHT, Calendar(), events) for events in ((), [Mark(1, "Outage", "", Period(WEEK - 6 * DAY, WEEK + 2 * DAY))])
    )
    (line, along, number) = [one for one in marked.data if one not in bare.data][:3]
    assert list(line.x) == ["2026-11-02", "2026-11-02"]
    assert list(along.x) == ["2026-11-02", "2026-11-09"]
    assert (list(number.text), list(number.x)) == (["1"], ["2026-11-02"])
    assert marked.layout.margin.t > bare.layout.margin.t  # the number has room


@pytest.fixture
def ours(company, tmp_path):
    """The company in a home of our own, and its settings."""
    home = tmp_path / "home"
    shutil.copytree(company, home)
    shutil.copy(company.parent / "metrics.yaml", tmp_path)
    return Settings(home=home, metrics=tmp_path / "metrics.yaml")


def test_the_page_shows_notes_and_takes_them(page, ours):  # noqa: F811
    write_down(
        ours,
        [
            new("comment", ["revenue"], WEEK, "Acme pays more", "Ann"),
            new("verdict", ["margin"], WEEK, "a bank holiday", "Bob", said="noise"),
            event("Outage", WEEK),
        ],
    )
    shown = (("revenue", "1700", "money"), ("cost", "740", "money"), ("margin", "0.5375", "percent"))
    closings.write_down(
        ours,
        [Figure(WEEK, WEEK + 7 * DAY, name, True, "known", Decimal(value), unit, "EUR", 1, "then", "Ann") for name, value, unit in shown],
    )
    app = page(ours.home)
    said = text(app)
    assert said.count("Restated: week 46 from € 1.70 k") == 1  # 1600 now; cost and margin are what they were
    assert said.count("Restated") == 1
    assert "Acme pays more" in said
    assert said.count("1 Outage 9 Nov 2026") == 2  # on the North Star's chart and in its panel; revenue it doesn't concern
    assert "Signal. Below its mean" in said or "Signal. " in said
    assert "Bob says noise: a bank holiday" in said
    app.button(key="write-note").click().run()
    app.text_area[0].input("Bolt as well")
    next(one for one in app.text_input if one.key == "note-name").input("Cleo")
    app.button(key="note-save").click().run()
    assert not app.exception
    assert [(line.metrics, line.text, line.author) for line in notes(ours).lines if line.author == "Cleo"] == [
        (("margin",), "Bolt as well", "Cleo")
    ]
    assert "Cleo" in text(app)
    assert app.session_state["note-author"] == "Cleo"  # and not asked for again


@pytest.mark.slow
def test_who_is_second_is_told_and_keeps_the_text(page, ours):  # noqa: F811
    write_down(ours, [new("comment", ["margin"], WEEK, "first", "Ann")])
    app = page(ours.home)
    app.button(key="write-note").click().run()
    (seen,) = notes(ours).lines
    which = next(one for one in app.selectbox if (one.key or "").startswith("note-which"))
    which.select(seen.note).run()
    edit(ours, seen, "Bob was faster", "Bob")
    next(one for one in app.text_area).input("mine")
    next(one for one in app.text_input if one.key == "note-name").input("Cleo")
    app.button(key="note-save").click().run()
    assert [line.text for line in notes(ours).lines] == ["Bob was faster"]
    assert "Bob has edited this comment meanwhile, and it says now: Bob was faster" in text(app)
    assert app.text_area[0].value == "mine"
    app.button(key="note-save").click().run()
    assert [line.text for line in notes(ours).lines] == ["mine"]


def test_records_that_are_away_take_no_figure_along(page, ours, monkeypatch, free_port):  # noqa: F811
    monkeypatch.setenv("KPI_RECORDS_URL", f"postgresql://ann:secret@127.0.0.1:{free_port}/nowhere")
    said = text(page(ours.home))
    assert "53.8 %" in said
    assert "be read now, and none can be written; the figures stand. Why: the records in postgresql+psycopg://ann:***@" in said
    assert "secret" not in said


def test_what_another_server_wrote_is_seen_and_a_failure_is_not_asked_for_again(settings, monkeypatch):
    write_down(settings, [new("comment", ["margin"], WEEK, "first", "Ann")])
    assert [line.text for line in noted(settings).notes.lines] == ["first"]
    write_down(settings, [new("comment", ["margin"], WEEK, "second", "Bob")])  # as another process would
    assert [line.text for line in noted(settings).notes.lines] == ["first", "second"]
    (settings.home / "records.db").write_text("this is no database, and long enough to be seen as none" * 99)
    for suffix in ("-wal", "-shm"):
        (settings.home / f"records.db{suffix}").unlink(missing_ok=True)
    broken = noted(settings)
    assert "file is not a database" in broken.problem
    assert [line.text for line in broken.notes.lines] == ["first", "second"]
    monkeypatch.setattr(reading, "latest", None)  # nobody asks
    assert noted(settings).problem == broken.problem


def test_the_server_closes_a_week_that_is_shown_whole(ours, monkeypatch):
    monkeypatch.setattr(closing_weeks, "today", lambda calendar: WEEK + 7 * DAY)
    desk, _ = open_desk(ours)
    ours_closing = Closing()
    ours_closing.want(desk)
    ours_closing.wait()
    assert closings.closed(ours).weeks == []  # it is off until the server has started
    ours_closing.is_on = True
    ours_closing.want(desk)
    ours_closing.wait()
    found = closings.closed(ours)
    assert found.weeks == [WEEK]
    assert (found.first("margin", WEEK).value, found.first("margin", WEEK).closed_by) == (Decimal("0.5375"), "dashboard")
    assert not found.figures["won", WEEK].is_whole  # its export ends on Thursday
    assert versions.text_by_definitions(ours, desk.definitions.hash) == ours.metrics.read_bytes()
    monkeypatch.setattr(closing_weeks, "due", None)  # nobody asks again
    ours_closing.want(desk)
    ours_closing.wait()


def test_only_what_reads_otherwise_is_restated():
    cells = [cell(WEEK, 0.5), cell(WEEK - 7 * DAY, 0.52), None]
    made_of = {
        ("margin", WEEK): Figure(WEEK, WEEK + 7 * DAY, "margin", True, "known", Decimal("0.61"), "percent", "EUR", 1, "then", "Ann"),
        ("margin", WEEK - 7 * DAY): Figure(
            WEEK - 7 * DAY, WEEK, "margin", True, "known", Decimal("0.52001"), "percent", "EUR", 1, "then", "Ann"
        ),
    }
    ((first, was),) = restated(cells, "percent", "EUR", Closed(made_of))  # 52.001 % reads 52.0 %, as 52 % does
    assert (first.week, was) == (WEEK, f"61.0{SPACE}%")
    assert remarks.restated([(first, was)], Calendar()).endswith(f">Restated: week 46 from 61.0{SPACE}%</p>")


def test_the_hero_says_what_was_first_shown_and_its_sign_once():
    cells = {WEEK - back * 7 * DAY: cell(WEEK - back * 7 * DAY, 5000) for back in range(13)}
    series = Series(metric(unit="money"), WEEK, cells, "EUR")
    owner = new("verdict", ["margin"], WEEK, "<i>why</i>", "Bob", said="signal")
    html = cards.hero(series, Calendar(), None, owner, '<p class="restated">Restated: week 46 from € 4.00 k</p>')
    assert words(html) == (
        "€ 5.00 k ±0.0 % on week 45 Restated: week 46 from € 4.00 k "
        "Noise. Within the range that is normal for it: no single week of these asks for a cause. Bob says signal: &lt;i&gt;why&lt;/i&gt;"
    )
