"""Explore as Streamlit's own test runner sees it, on the company of conftest.py; figures are those that ``show`` prints."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal

import pytest

from kpi import settings
from kpi.dashboard.data import open_desk
from kpi.dashboard.exploring import downloads, plots, tables
from kpi.dashboard.exploring.asking import asked
from kpi.dashboard.exploring.look import of_link
from kpi.dashboard.exploring.seen import see
from kpi.dashboard.frame import frame, values_of
from kpi.dashboard.theme import LIGHT
from kpi.metrics.model import Query
from kpi.metrics.query import run
from tests.dashboard.test_pages import page, text  # noqa: F401


@pytest.fixture
def seen(company, environment):
    """What a link shows: the desk, and the figures put together."""

    def of(**parameters):
        environment(company)
        desk, _ = open_desk(settings.load())
        reach = frame(desk)
        given = {name: [value] if isinstance(value, str) else list(value) for name, value in parameters.items()}
        look, said = of_link(given, desk.definitions, reach, lambda name: values_of(name, desk, reach, ()))
        assert said == ()
        return desk, see(look, asked(look, reach, desk.definitions), desk)

    return of


def test_it_opens_with_the_north_star(page, company):  # noqa: F811
    app = page(company, "explore")
    words = text(app)
    assert "Margin fell to 53.8 %" in words
    assert [box.label for box in app.multiselect if box.key == "explore-metrics"] == ["Metrics"]
    assert not app.dataframe, "a table of Streamlit's own has a download that writes formulas as they are"


def test_a_link_restores_rows_that_add_up(page, company):  # noqa: F811
    app = page(company, "explore", metric="revenue", by="product", figure="revenue", at="2026-11-09", of="Atlas", show="rows")
    words = text(app)
    # Acme 1000 and Cove 100 in that week
    assert "Revenue · Product Atlas · 9–15 Nov 2026: € 1,100.00" in words
    assert "2 rows come to € 1,100.00, which is the figure." in words


def test_a_ratio_shows_the_rows_of_its_parts(page, company):  # noqa: F811
    words = text(page(company, "explore", figure="margin", at="2026-11-09", show="rows"))
    assert "It is made of 2 parts, each with its own rows." in words
    assert "3 rows come to € 1,600.00, which is the figure." in words
    assert "3 rows come to € 740.00, which is the figure." in words


def test_controls_write_the_link(page, company):  # noqa: F811
    app = page(company, "explore", segment="SMB")
    app.multiselect(key="explore-metrics").set_value(["revenue"]).run()
    app.multiselect(key="explore-by").set_value(["product"]).run()
    app.selectbox(key="explore-grain").set_value("month").run()
    assert dict(app.query_params) == {"segment": "SMB", "metric": "revenue", "by": "product", "grain": "month"}
    assert not app.exception
    assert "Beacon has the highest revenue" in text(app)


def test_what_is_no_part_of_a_whole_is_not_stacked(page, company):  # noqa: F811
    words = text(page(company, "explore", by="product", **{"as": "stacked"}))
    assert "Not stacked: Margin can&#x27;t be, because it is a ratio; bars are shown." in words


def test_a_filter_that_a_metric_cannot_have_is_said(page, company):  # noqa: F811
    words = text(page(company, "explore", metric=["won", "paid"], by="product"))
    assert "Paid: paid can&#x27;t be split or filtered by" in words


def test_without_data_the_way_to_begin_is_shown(page, nothing):  # noqa: F811
    assert "Nothing was imported yet" in text(page(nothing, "explore"))


def test_its_figures_are_those_of_show(seen):
    desk, found = seen(metric=["revenue", "margin"], by="product", grain="month", last="12", vs="year")
    first, last = found.periods[0], found.periods[-1]
    again = run(Query(("revenue", "margin"), ("product",), (), "month", first.start, last.end), desk.definitions, desk.reader)
    for name in ("revenue", "margin"):
        shown = {(cell.period, cell.groups): cell.value for line in found.lines[name] for cell in line.now if cell is not None}
        assert shown == {(cell.period, cell.groups): cell.value for cell in again.cells(name)}
    # a year before, where there are data
    (atlas,) = (line for line in found.lines["revenue"] if line.group == ("Atlas",))
    november = next(cell.value for cell in atlas.before if cell is not None and cell.period == dt.date(2025, 11, 1))
    assert float(november) == pytest.approx(1100 * 30 / 7)


def test_shares_are_of_the_total_and_the_rest_adds_up(seen):
    desk, found = seen(metric="revenue", by="region", top="1")
    table = tables.leaderboard("revenue", found, desk.definitions, "light", LIGHT)
    # of 1600: EMEA 1000, and those without a region 100; the rest is AMER with 500
    assert [part in table for part in ("62.5", "31.3", "6.3", "100.0", "(other)", "(none)")] == [True] * 6
    assert tables.parts_and_whole("revenue", found) is None
    assert tables.parts_and_whole("margin", seen(by="region")[1]) == (
        "The groups of Margin don't add up to its total, because it is a ratio: there is no share and no stack."
    )


def test_partial_periods_are_hollow_and_missing_ones_gaps(seen):
    desk, found = seen(metric="won", last="6")
    chart = plots.chart("won", found, "light", LIGHT, desk.definitions.calendar)
    marks = next(trace for trace in chart.data if trace.mode == "markers")
    assert marks.marker.color[-1] == LIGHT.panel  # deals end on Thursday
    assert set(marks.marker.color[:-1]) == {LIGHT.accent}
    assert list(marks.customdata[-1]) == [0, 5, 0]


def test_downloads_run_nothing(seen):
    desk, found = seen(metric="revenue", by="product", last="1")
    groups = {("=1+1",): "Atlas", ("@cmd",): "Beacon"}
    lines = tuple(
        line.__class__(**{**vars(line), "group": next(made for made, name in groups.items() if (name,) == line.group)})
        for line in found.lines["revenue"]
    )
    found = found.__class__(**{**vars(found), "lines": {"revenue": lines}})
    table = list(csv.reader(io.StringIO(downloads.as_csv(found, desk.definitions).decode("utf-8-sig"))))
    assert table == [
        ["from", "to", "Product", "revenue", "revenue is"],
        ["2026-11-09", "2026-11-15", "'=1+1", "1100.00000000", "known"],
        ["2026-11-09", "2026-11-15", "'@cmd", "500.00000000", "known"],
    ]
    with zipfile.ZipFile(io.BytesIO(downloads.as_workbook(found, desk.definitions))) as book:
        sheet, texts = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/sharedStrings.xml").decode()
        about = book.read("xl/worksheets/sheet2.xml").decode()
    assert "<f>" not in sheet + about
    assert "<v>1100</v>" in sheet
    assert "'=1+1" in texts
    assert "unit: EUR" in texts
    assert "9–15 Nov 2026, by week" in texts


def test_a_number_that_a_spreadsheet_would_round_is_text():
    assert [downloads._holds(Decimal(value)) for value in ("123456789012345", "1234567890123456", "0.10", "1E+30")] == [
        True,
        False,
        True,
        True,
    ]


def test_bars_say_nothing_on_them_and_a_key_names_their_colours(seen):
    desk, found = seen(metric="revenue", by="product", **{"as": "stacked"})
    chart = plots.chart("revenue", found, "light", LIGHT, desk.definitions.calendar)
    assert {trace.textposition for trace in chart.data} == {"none"}
    said = plots.key(found.lines["revenue"], found, "light", LIGHT)
    for line in found.lines["revenue"]:
        assert f"background:{plots.colour_of(line, 'light', LIGHT)}></i>{line.name}</span>" in said
    _, alone = seen(metric="revenue", **{"as": "bars"})
    assert plots.key(alone.lines["revenue"], alone, "light", LIGHT) == ""
