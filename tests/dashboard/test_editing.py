"""Changing metrics.yaml on the page: problems, before and after, saving, two who edit, going back. The figures are conftest.py's."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from decimal import Decimal

import pytest
import streamlit as st

from kpi.dashboard.checking import checking, shapes, words
from kpi.dashboard.editing import KEY
from kpi.dashboard.editor import NAME
from kpi.metrics.saving import Saving, save
from kpi.records import closings, versions
from kpi.records.closings import Figure
from kpi.settings import Settings

from .conftest import METRICS
from .test_definitions import known
from .test_pages import page, text

__all__ = ["page"]

#: Costs only where they are above 200: of the week of 9 November Acme's 600 alone of 740.
OTHER = METRICS.replace("sum: amount, of: cost_line, over", "sum: amount, of: cost_line, where: amount > 200, over")


@pytest.fixture
def ours(company, tmp_path):
    """A copy of the company that a test may change."""
    shutil.copytree(company.parent, tmp_path, dirs_exist_ok=True)
    return Settings(home=tmp_path / company.name, metrics=tmp_path / "metrics.yaml")


@pytest.fixture
def edit(page, ours):
    def opened():
        return page(ours.home, "definitions", view="edit")

    return opened


def type_in(app, words):
    """What the browser sends of the editor."""
    sent = next(element for element in app.main.get("bidi_component"))

    data = json.loads(sent.proto.json or sent.proto.mixed.json)
    draft = {"text": words, "number": 1, "revision": data["revision"], "base": data["base"]}
    app.session_state[KEY] = {"draft": draft}
    return app.run()


def test_the_editor_holds_the_file_and_problems_come_with_their_lines(edit):
    app = edit()
    assert "metrics.yaml, version 1," in text(app)
    assert "No problems." in text(app)
    type_in(app, METRICS.replace("sum: amount, of: cost_line", "sum: amounts, of: cost_line"))
    line = next(place for place, words in enumerate(METRICS.splitlines(), 1) if words.startswith("  cost:"))
    assert f"1 problem line {line}, metrics.cost.sum: no column of cost_line" in text(app)
    assert app.button(key="see-changes").disabled


def test_before_and_after_then_a_reason_then_saved(edit, ours):
    app = edit()
    type_in(app, OTHER)
    assert not [one for one in app.button if one.key == "save-definitions"]  # first what changes
    app.button(key="see-changes").click().run()
    words = text(app)
    assert "2 metrics touched" in words
    assert "Cost: its own definition: where 13 of the last 13 weeks move." in words
    assert "Week 46 · 9–15 Nov 2026 € 740.00 € 600.00 −€ 140.00 (−18.9 %)" in words  # 140 / 740
    assert "Margin: through cost 13 of the last 13 weeks move." in words
    assert "53.8 % 62.5 % +8.8 points" in words  # (1600 - 600) / 1600
    app.button(key="save-definitions").click().run()
    assert "nothing was saved: write your name" in text(app)
    assert ours.metrics.read_text(encoding="utf-8") == METRICS
    app.text_input(key="save-name").set_value("Ann")
    app.text_input(key="save-reason").set_value("small costs are rounding")
    app.button(key="save-definitions").click().run()
    assert "Saved as version 2." in text(app)
    assert app.button(key="see-changes").disabled  # nothing is left to save
    assert ours.metrics.read_text(encoding="utf-8") == OTHER
    last = versions.history(ours)[0]
    assert (last.number, last.author, last.reason, last.origin) == (2, "Ann", "small costs are rounding", "page")


def test_closed_weeks_that_would_be_restated_are_named(edit, ours):
    week = dt.date(2026, 11, 9)
    shown = Figure(week, week + dt.timedelta(days=7), "cost", True, "known", Decimal(735), "money", "EUR", 1, "x", "Ann")
    closings.write_down(ours, [shown])
    app = edit()
    type_in(app, OTHER)
    app.button(key="see-changes").click().run()
    words = text(app)
    assert "13 of the last 13 weeks move; 1 of them is closed and would be restated." in words
    assert "Week 46 · 9–15 Nov 2026 € 735.00 € 740.00 € 600.00" in words  # as it was closed, as it is, as it would be


def test_who_is_second_is_told_and_loses_nothing(edit, ours):
    app = edit()
    type_in(app, OTHER)
    theirs = METRICS.replace("label: Paid,", "label: Money in,")
    save(ours, Saving(theirs.encode(), None, "Bob", "plainer"))
    app.run()
    words = text(app)
    assert "metrics.yaml was changed since you opened it; your text is untouched" in words
    assert "Bob saved version 2" in words
    assert "both can be put together" in words
    assert ours.metrics.read_text(encoding="utf-8") == theirs
    app.button(key="merge").click().run()
    both = OTHER.replace("label: Paid,", "label: Money in,")
    type_in(app, both)
    app.button(key="see-changes").click().run()
    assert "2 metrics touched" in text(app)  # against theirs, so that their label is no change
    app.text_input(key="save-name").set_value("Ann")
    app.text_input(key="save-reason").set_value("small costs are rounding")
    app.button(key="save-definitions").click().run()
    assert ours.metrics.read_text(encoding="utf-8") == both


def test_a_file_changed_elsewhere_is_shown_where_nothing_was_typed(edit, ours):
    app = edit()
    ours.metrics.write_text(OTHER, encoding="utf-8")
    app.run()
    assert "was changed elsewhere; this is the file as it is now" in text(app)


def test_going_back_to_a_version_is_a_new_one(page, ours):
    page(ours.home, "definitions")
    save(ours, Saving(OTHER.encode(), None, "Ann", "small costs are rounding"))
    app = page(ours.home, "definitions", view="versions")
    words = text(app)
    assert "small costs are rounding cost, margin" in words
    assert "removed: " in words
    app.button(key="restore").click().run()
    assert app.query_params["view"] in ("edit", ["edit"])
    app.button(key="see-changes").click().run()
    assert "€ 600.00 € 740.00 +€ 140.00 (+23.3 %)" in text(app)  # 140 / 600
    app.text_input(key="save-name").set_value("Bob")
    app.text_input(key="save-reason").set_value("they are costs")
    app.button(key="save-definitions").click().run()
    assert ours.metrics.read_text(encoding="utf-8") == METRICS
    last = versions.history(ours)[0]
    assert (last.number, last.origin, last.restores) == (3, "restored", 1)


def test_a_broken_file_that_never_was_sound_can_be_mended(page, nothing):
    (nothing.parent / "metrics.yaml").write_text(METRICS.replace("currency: EUR", "currency: euros"), encoding="utf-8")
    st.cache_resource.clear()
    app = page(nothing, "definitions")
    assert "1 problem line 4, currency" in text(app)


def test_a_file_that_cannot_be_saved_is_said(edit, monkeypatch):
    monkeypatch.setattr("kpi.dashboard.editing.why_not", lambda path: f"{path.name} is read-only.")
    app = edit()
    assert "What is changed here can&#x27;t be saved metrics.yaml is read-only." in text(app)
    type_in(app, OTHER)
    app.button(key="see-changes").click().run()
    assert app.button(key="save-definitions").disabled


def test_what_a_browser_sends_is_not_trusted(edit):
    app = edit()
    for sent in ({"draft": "text"}, {"draft": {"text": 1}}, {"draft": {"text": "a" * 1_100_000, "number": 1, "revision": "x"}}, "x"):
        app.session_state[KEY] = sent
        app.run()
        assert not app.exception
    type_in(app, "a: " + "&a [*a, *a]\n")
    assert "anchors are not allowed" in text(app)


def test_systems_are_checked_as_the_command_line_does(ours, monkeypatch):
    content = METRICS.replace("currency: EUR", "currency: EUR\nsources: {deal: salesfroce}").encode()
    monkeypatch.setattr(checking(), "systems", lambda _: ("salesforce", "hubspot"))
    (problem,) = checking().check(content, ours).problems
    assert 'no system is called "salesfroce"; did you mean "salesforce"?' in problem.message


def test_an_editor_knows_keys_and_names():
    metric = next(one for one in shapes()["properties"]["metrics"]["additionalProperties"]["oneOf"] if one["$ref"].endswith("leaf"))
    assert metric == {"$ref": "#/definitions/leaf"}
    assert shapes()["definitions"]["leaf"]["properties"]["better"]["enum"] == ["up", "down"]
    names = words(known())
    assert "revenue" in names["metrics"]
    assert "is_won" in names["tables"]["deal"]
    assert "previous" in names["formulas"]
    assert "days" in names["rows"]
    assert not re.search(r"'maxLength'|'propertyNames'", str(shapes()))
    assert NAME == "north-star.editor"
