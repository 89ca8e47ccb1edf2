"""The page as Streamlit's own test runner sees it. The figures are those of conftest.py, by hand."""

import datetime as dt
import re
import shutil
from decimal import Decimal

import duckdb
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from kpi.dashboard.linking import linking
from kpi.dashboard.pages import data
from kpi.keeping import Keeper
from kpi.warehouse.home import warehouse_file
from kpi.warehouse.waiting import Proposal, Waiting

from .conftest import METRICS, ROOT

SPACE = "\u00a0"


@pytest.fixture
def page(environment):
    def opened(home, path="", **parameters):
        environment(home)
        app = AppTest.from_file(str(ROOT / "kpi" / "dashboard" / "served" / "script.py"), default_timeout=60)
        for name, value in parameters.items():
            app.query_params[name] = value
        app.run()
        if path:
            app._page_hash = calc_hash(path)  # switch_page() takes files, and these pages are functions
            app.run()
        assert not app.exception
        return app

    return opened


def text(app):
    """What the page says, without its tags and its style sheet."""
    words = " ".join(element.value for element in app.html if "<style>" not in element.value)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", words).replace(SPACE, " ")).replace(" ,", ",")


def test_it_shows_the_last_whole_week(page, company):
    words = text(page(company))
    assert "3 sources, complete to Thu 12 Nov 2026, 2 of 6 figures lack data" in words
    assert "53.8 %" in words  # (1600 - 740) / 1600
    assert "−18.8 points on last year" in words  # 53.75 - 72.5 = -18.75
    assert "Target for 2026: 60.0 %, 6.3 points under, week 11 in a row" in words  # since the week of 31 August
    # 319 of 365 days; costs a day are 440 / 7 until 30 August and 740 / 7 since: 1 - (440·242 + 740·77) / (1600·319) = 67.97 %
    assert "2026 to date: 68.0 %, with 87.4 % of it gone; 8.0 points over its target" in words
    assert "€ 1.60 k" in words
    assert "€ 740" in words


def test_the_titles_name_what_fell(page, company):
    words = text(page(company))
    # Atlas: (1100 - 640) / 1100 = 41.8 %, a year before 760 / 1100 = 69.1 %; Acme alone is the Enterprise segment
    assert "Atlas and Enterprise fell most since last year" in words
    assert "Atlas fell most since last year: −27.3 points, to 41.8 %" in words
    assert "Enterprise fell most since last year: −30.0 points, to 40.0 %" in words  # 0.40 - 0.70
    assert "Atlas in Enterprise fell most since last year: −30.0 points, to 40.0 %" in words


def test_a_time_to_an_event_is_a_card_of_its_own(page, company, tmp_path):
    """Each deal is won the day after it was opened; costs never come up to revenue, and a card says so."""
    shutil.copytree(company.parent, tmp_path, dirs_exist_ok=True)
    waits = (
        "  opened: {count: deal, at: created_on}\n"
        "  billed: {count: invoice_line, at: invoiced_on}\n"
        "  pace: {label: Pace, time_to: {each: deal, from: opened, until: won}}\n"
        "  ruin: {label: Ruin, time_to: {each: account, from: billed, until: cumulative(cost - revenue) >= 0}}\n"
    )
    changed = METRICS.replace("drivers: [revenue, cost, won, issues, paid]", "drivers: [pace, ruin]") + waits
    (tmp_path / "metrics.yaml").write_text(changed, encoding="utf-8")
    words = text(page(tmp_path / company.name))
    assert "1 day The deals of Salesforce end on Thu 12 Nov 2026" in words
    assert "— Not reached: too few have come so far for a day to be told." in words


def test_a_group_without_a_name_is_shown(page, company):
    words = text(page(company))
    assert "(none)" in words
    assert "60.0 %" in words  # Cove: (100 - 40) / 100


def test_partial_and_missing_data_are_said_plainly(page, company):
    words = text(page(company))
    assert "The deals of Salesforce end on Thu 12 Nov 2026: week 46 is partial." in words
    assert "Not known: no issues were imported yet." in words


def test_a_card_says_which_systems_hold_the_same_rows(page, company, tmp_path):
    shutil.copytree(company.parent, tmp_path, dirs_exist_ok=True)
    home = tmp_path / company.name
    with duckdb.connect(str(warehouse_file(home, 1))) as connection:
        connection.execute(
            "INSERT INTO coverage SELECT table_name, 'hubspot', * EXCLUDE (table_name, source) FROM coverage WHERE table_name = 'deal'"
        )
    words = text(page(home))
    question = "hubspot and salesforce hold rows of deal over the same days, and counting all of them would count things twice"
    assert words.count(question) == 3  # on the card, as its exception and in its panel, not once more among the notes
    assert f"Deals won {question}" in words


def test_a_deep_link_filters(page, company):
    app = page(company, segment="SMB", week="2026-11-02")
    words = text(app)
    assert "80.0 %" in words  # Bolt: (500 - 100) / 500
    assert "left out" not in words
    assert app.selectbox[0].value == dt.date(2026, 11, 2)


def test_a_link_selects_rows_without_a_value(page, company):
    assert "60.0 %" in text(page(company, segment="(none)"))


def test_several_values_of_a_filter_are_any_of_them(page, company):
    # Bolt and Cove: (600 - 140) / 600 = 76.7 %
    assert "76.7 %" in text(page(company, segment=["SMB", "(none)"]))


def test_what_a_link_asks_in_vain_is_said(page, company):
    words = text(page(company, segment="<b>Mars</b>", week="2031-01-06", sort="up"))
    assert "Part of this link was left out" in words
    assert "No segment is called &quot;&lt;b&gt;Mars&lt;/b&gt;&quot;" in words
    assert "There are no data for the link&#x27;s week &quot;2031-01-06&quot;" in words
    assert "53.8 %" in words


def test_a_metric_that_a_filter_cannot_reach_says_so(page, company):
    words = text(page(company, product="Atlas"))
    assert "41.8 %" in words  # Acme and Cove: (1100 - 640) / 1100
    assert "Not shown: paid can&#x27;t be split or filtered by &quot;product&quot;: table payment has no key that leads there" in words


def test_a_value_of_two_lines_is_chosen_and_linked(page, company, tmp_path):
    shutil.copytree(company.parent, tmp_path, dirs_exist_ok=True)
    home = tmp_path / company.name
    with duckdb.connect(str(warehouse_file(home, 1))) as connection:
        connection.execute("UPDATE account SET region = 'North\nWest' WHERE name = 'Bolt'")
    app = page(home)
    app.get_by_key("filter-region").set_value(["North\nWest"]).run()
    assert not app.exception
    assert app.query_params["region"] == "North\nWest"
    assert "80.0 %" in text(app)  # Bolt: (500 - 100) / 500
    assert "80.0 %" in text(page(home, region="North\nWest"))


def test_another_week_writes_the_url(page, company):
    app = page(company)
    app.button(key="week-before").click().run()
    assert app.query_params["week"] == "2026-11-02"
    app.button(key="week-after").click().run()
    assert "week" not in app.query_params  # the last whole week needs no mention


def test_choosing_a_segment_writes_the_url(page, company):
    app = page(company)
    app.get_by_key("filter-segment").set_value(["SMB"]).run()
    assert app.query_params["segment"] == "SMB"
    assert "80.0 %" in text(app)
    app.button(key="clear-filters").click().run()
    assert "segment" not in app.query_params
    assert "53.8 %" in text(app)


def test_a_figure_opens_what_stands_behind_it(page, company):
    app = page(company)
    app.button(key="explain-star").click().run()
    assert not app.exception
    words = text(app)
    assert f"53.75{SPACE}%".replace(SPACE, " ") in words
    assert "QuickBooks, cost lines" in words
    assert re.search(r"What it is made of .*53\.8 % .*€ 1,600\.00 .*€ 740\.00 .*Sources and freshness", words)  # (1600 - 740) / 1600
    code = [element.value for element in app.code]
    assert "formula: (revenue - cost) / revenue" in code[0]
    assert "sum: amount" in code[0]  # the definitions it is made of as well
    assert code[1] == "python -m kpi show margin --grain week --since 2025-08-18 --until 2026-11-16"
    assert "invoice_line" in code[2]


def test_an_empty_warehouse_says_how_to_begin(page, nothing):
    app = page(nothing)
    words = text(app)
    assert "Nothing was imported yet" in words
    assert "python -m kpi demo" in words
    assert "python -m kpi import FOLDER" in words
    assert "no data yet" in words


def test_with_one_export_what_is_known_is_shown(page, one_export):
    words = text(page(one_export))
    assert "1 source, complete to Thu 12 Nov 2026, 5 of 6 figures lack data" in words
    assert "Not known: no invoice lines and no cost lines were imported yet." in words
    assert "Not known: no issues were imported yet." in words
    assert "±0.0 % on week 44 · ±0.0 % on last year" in words  # a deal a week; week 46 isn't whole, so week 45 is shown


def test_broken_definitions_show_their_problems_and_serve_the_last_good_ones(page, company):
    metrics = company.parent / "metrics.yaml"
    page(company)
    try:
        metrics.write_text(METRICS.replace("(revenue - cost) / revenue", "(revenue - kost) / revenue"), encoding="utf-8")
        words = text(page(company))
        line = next(place for place, words_ in enumerate(METRICS.splitlines(), 1) if words_.startswith("  margin:"))
        assert f"metrics.yaml:{line} metrics.margin.formula" in words
        assert "the last good definitions are served until it is mended" in words
        assert "53.8 %" in words
    finally:
        metrics.write_text(METRICS, encoding="utf-8")
    assert "problem" not in text(page(company))


def test_broken_definitions_without_a_good_copy_show_their_problems_alone(page, nothing):
    (nothing.parent / "metrics.yaml").write_text("north_star: [", encoding="utf-8")
    words = text(page(nothing))
    assert "no good version of it was seen here before" in words
    assert "metrics.yaml:" in words


def test_the_page_of_the_data(page, company):
    app = page(company, "data")
    words = text(app)
    assert "Stripe invoice lines 67 Mon 4 Aug 2025 Sun 15 Nov 2026 newest" in words
    assert "Salesforce deals 67 Mon 4 Aug 2025 Thu 12 Nov 2026 3 days behind the newest" in words
    assert "No row was set aside." in words
    assert "<b>" not in words
    heat = next(element.value for element in app.html if 'class="heat"' in element.value)
    # deals end on the Thursday of week 46: one of them in each week before, and that week in part
    assert 'title="Week 46, 9–15 Nov 2026: 1 row, reached in part"' in heat
    assert 'title="Week 45, 2–8 Nov 2026: 1 row"' in heat


def test_who_a_customer_is_is_decided_on_the_page(page, company, monkeypatch):
    decided = []

    def decide(settings, decisions):
        decided.extend(decisions)
        return len(decisions)

    monkeypatch.setattr(linking(), "decider", decide)
    waits = Waiting("stripe", "cus_9", "Acme *Corp*", None, None, (), (Proposal("salesforce:1", "Acme", Decimal("0.93"), "names alike"),))
    monkeypatch.setattr(data, "waiting", lambda reader: [waits])
    monkeypatch.setattr(data, "_answers", lambda: Keeper(4))
    app = page(company, "data")
    assert "1 not matched, 0 linked but in doubt." in text(app)
    save = next(button for button in app.button if button.label == "Save decisions")
    app.selectbox(key="link stripe:cus_9").select_index(1)
    save.click().run()
    assert "Write your name" in text(app)
    app.text_input(key="links-by").input("Ada")
    next(button for button in app.button if button.label == "Save decisions").click().run()
    assert "1 decision written down and published" in text(app)
    assert [(one.source_id, one.target, one.decided_by) for one in decided] == [("cus_9", "salesforce:1", "Ada")]


def test_without_data_the_page_of_the_data_takes_them_all_the_same(page, tmp_path):
    (tmp_path / "metrics.yaml").write_text(METRICS, encoding="utf-8")
    words = text(page(tmp_path / "home", "data"))
    assert "Add exports" in words
    assert "Nothing was imported yet" not in words
    assert "Sources" not in words
