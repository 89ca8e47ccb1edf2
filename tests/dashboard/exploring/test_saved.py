"""What a view keeps of a link, the list of views, and both on the page. Names are hostile throughout."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from kpi.dashboard import starting
from kpi.dashboard.exploring import saved
from kpi.errors import UsageError
from kpi.periods import Calendar
from kpi.records.views import new, pin, save, standing, views
from kpi.settings import Settings
from tests.dashboard.exploring.test_look import definitions  # noqa: F401
from tests.dashboard.test_pages import page, text  # noqa: F401

HOSTILE = '<img src=x onerror="alert(1)"> & "Co"'


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("explore", "metric=won"),  # the North Star by its name: another may be it tomorrow
        ("explore?by=segment&utm_source=mail&grain=week", "metric=won&by=segment"),
        (
            "https://kpi.example/figures/explore/?metric=amount&in.by=Ann%26Co&week=2026-03-02",
            "metric=amount&in.by=Ann%26Co&week=2026-03-02",
        ),
        (
            "explore?segment=(none)&segment=%5C(none)&vs=segment:Gone",
            "metric=won&segment=%28none%29&segment=%5C%28none%29&vs=segment%3AGone",
        ),
        ("explore?figure=won&at=2026-02-02&show=rows", "metric=won&figure=won&at=2026-02-02&show=rows"),
    ],
)
def test_a_view_keeps_what_the_page_reads_and_nothing_else(definitions, link, kept):  # noqa: F811
    assert saved.of_text(link, definitions) == kept
    assert saved.of_text(f"explore?{kept}", definitions) == kept


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("javascript:alert(1)", '"javascript:alert(1)" is no link to the page Explore, such as explore?metric=won'),
        ("http://[", '"http://[" is no link to the page Explore, such as explore?metric=won'),
        ("data?metric=won", '"data?metric=won" is no link to the page Explore, such as explore?metric=won'),
        (
            "explore?metric=wom",
            'the link can\'t be kept: No metric is called "wom" (perhaps "won" was meant)',
        ),
        (
            "explore?week=99999-01-01",
            "the link can't be kept: The link's week \"99999-01-01\" is not a date such as 2026-11-09",
        ),
        (f"explore?segment={'x' * 9999}", "the link has 10,015 characters, and at most 4,000 are kept; choose fewer values"),
    ],
)
def test_what_the_page_would_leave_out_is_refused(definitions, link, said):  # noqa: F811
    with pytest.raises(UsageError) as error:
        saved.of_text(link, definitions)
    assert str(error.value) == said


def test_the_list_has_links_and_no_markup_of_strangers():
    lines = [
        replace(
            new(HOSTILE, team, "explore", "metric=revenue&by=product", "<b>Ann</b>"),
            line_id=at,
            written_at=dt.datetime(2026, 11, 16, 8, 30),
        )
        for at, team in enumerate(("", "<i>Sales</i>"), 1)
    ]
    pinned = replace(lines[0], action="pinned", team="<u>R&D</u>", line_id=9)
    html = saved.listed(standing([*lines, pinned]), Calendar(timezone="Europe/Berlin"))
    assert not any(tag in html for tag in ("<img", "<b>", "<i>", "<u>"))
    assert (
        html.count(
            '<a href="explore?metric=revenue&amp;by=product">&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &quot;Co&quot;</a>'
        )
        == 2
    )
    assert '<a class="pin" href="./?team=%3Cu%3ER%26D%3C%2Fu%3E">start page of &lt;u&gt;R&amp;D&lt;/u&gt;</a>' in html
    assert "<h3>Of no team</h3>" in html
    assert "<h3>&lt;i&gt;Sales&lt;/i&gt;</h3>" in html
    assert "&lt;b&gt;Ann&lt;/b&gt;, 16 Nov 2026, 09:30" in html  # 08:30 in UTC
    many = [replace(lines[0], view=str(at), name=str(at)) for at in range(saved.MOST_LISTED + 3)]
    assert "and 3 more, which python -m kpi views lists" in saved.listed(standing(many), Calendar())
    assert saved.listed(standing([]), Calendar()) == '<p class="caption">No view was saved yet.</p>'


@pytest.fixture
def ours(company, tmp_path):
    """The company in a home of our own, and its settings."""
    shutil.copytree(company, tmp_path / "home")
    shutil.copy(company.parent / "metrics.yaml", tmp_path)
    return Settings(home=tmp_path / "home", metrics=tmp_path / "metrics.yaml")


def field(app, key):
    return next(one for one in app.text_input if (one.key or "").startswith(key))


def saved_view(app, name):
    """Save what is shown, as far as the button."""
    app.button(key="view-save-open").click().run()
    field(app, "view-name").input(name)
    return app.button(key="view-save")


def test_what_is_shown_is_saved_and_a_team_begins_with_it(page, ours):  # noqa: F811
    app = page(ours.home, "explore", metric="revenue", by="product", nothing="of ours")
    button = saved_view(app, HOSTILE)
    field(app, "view-team").input("R&D")
    field(app, "view-author").input("Ann")
    button.click().run()
    assert not app.exception
    (view,) = views(ours).lines
    assert (view.name, view.team, view.link, view.author) == (HOSTILE, "R&D", "explore?metric=revenue&by=product", "Ann")
    (listed,) = [one.value for one in app.html if 'class="views"' in one.value]
    assert "&lt;img" in listed
    assert "<img" not in listed
    pin(ours, view, "R&D", "Bob", None)
    app = page(ours.home, team="r&d")
    assert dict(app.query_params) == {"metric": "revenue", "by": "product"}
    assert "Start page of team R&amp;D : the view &lt;img" in text(app)
    assert "Atlas has the highest revenue" in text(app)


@pytest.mark.slow
def test_who_is_second_is_told_and_a_view_is_pinned_and_renamed(page, ours):  # noqa: F811
    save(ours, new("Weekly", "Sales", "explore", "metric=revenue&by=product", "Ann"))
    (view,) = views(ours).lines
    app = page(ours.home, "explore", metric="revenue", by="region")
    button = saved_view(app, "WEEKLY")
    field(app, "view-team").input("sales")
    field(app, "view-author").input("Bob")
    button.click().run()
    assert "Ann has saved a view &quot;Weekly&quot; of team Sales already; choose another name" in text(app)
    assert [field(app, f"view-{one}").value for one in ("name", "team", "author")] == ["WEEKLY", "sales", "Bob"]  # nothing typed is lost
    assert views(ours).lines == (view,)
    app.button(key="view-replace").click().run()
    (view,) = views(ours).lines
    assert (view.action, view.name, view.parameters, view.author) == ("changed", "Weekly", "metric=revenue&by=region", "Bob")
    app.button(key="view-change-open").click().run()
    assert (field(app, "view-start").value, field(app, "view-changer").value) == ("Sales", "Bob")  # not asked for again
    app.button(key="view-pin").click().run()
    assert "start page of Sales" in text(app)
    app.button(key="view-change-open").click().run()
    field(app, "view-name").input("Monday")
    app.button(key="view-rename").click().run()
    assert not app.exception
    assert [line.name for line in views(ours).start("Sales")] == ["Monday", "Weekly"]
    # from the team's start page, and away from it
    app = page(ours.home, team="Sales")
    assert "Start page of team Sales : the view Monday" in text(app)
    app.multiselect(key="explore-by").set_value([]).run()
    assert "Start page of team" not in text(app)


@pytest.fixture
def away(ours):
    """The same with records that can't be read."""
    (ours.home / "records.db").write_text("this is no database, and long enough to be seen as none" * 99)
    return ours


def test_only_a_link_to_a_team_alone_asks_for_its_start_page(tmp_path, monkeypatch):
    kept = Settings(home=tmp_path)
    desk = SimpleNamespace(settings=kept, definitions=SimpleNamespace(calendar=Calendar()))
    given, went = {}, []
    monkeypatch.setattr(starting.controls, "parameters", lambda: given)
    monkeypatch.setattr(starting.st, "switch_page", lambda to, query_params: went.append((to, query_params)))
    save(kept, new("Weekly", "Sales", "explore", "metric=revenue", "Ann"))
    pin(kept, views(kept).lines[0], "Sales", "Ann", None)

    def begin(**parameters):
        given.clear()
        given.update(parameters)
        return starting.begin(desk, {"explore": "the page"})

    for other in ({}, {"team": ["Sales"], "week": ["2026-11-09"]}, {"team": ["Sales", "Ops"]}, {"team": [" "]}):
        assert begin(**other) is None
    assert went == []
    begin(team=["Sales"])
    assert went == [("the page", {"metric": ["revenue"]})]
    assert begin(team=["<b>Ops</b>"]) == (
        '<div class="notice quiet" role="status"><p>Team &quot;&lt;b&gt;Ops&lt;/b&gt;&quot; has no start page here; this is This week</p>'
        "<ul><li>On Explore, a saved view is pinned as one under Views.</li></ul></div>"
    )


def test_with_the_records_away_figures_are_shown(page, away):  # noqa: F811
    app = page(away.home, "explore", metric="revenue")
    assert "Saved views can&#x27;t be read now, and none can be saved; the figures stand" in text(app)
    assert "€ 1.60 k" in text(app)
    assert "view-save-open" not in [one.key for one in app.button]


@pytest.mark.slow
def test_a_team_whose_start_page_cannot_be_read_gets_this_week(page, away):  # noqa: F811
    words = text(page(away.home, team="Sales"))
    assert "It can&#x27;t be read now: the records in" in words
    assert "53.8 %" in words
