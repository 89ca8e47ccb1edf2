import datetime as dt
import re
from decimal import Decimal
from itertools import pairwise
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kpi.dashboard import charts, drawing
from kpi.dashboard.breakdown import break_down
from kpi.dashboard.series import Series, by_week
from kpi.dashboard.theme import DARK, LIGHT
from kpi.metrics.model import Query
from kpi.periods import Calendar

from .made import metric, result

WEEK = dt.date(2026, 11, 9)
WEEKS = [WEEK - dt.timedelta(weeks=back) for back in reversed(range(65))]
SPACE = "\u00a0"


def series(value, state=lambda name, place: "known", targets=None):
    made = result(Query(("margin",), grain="week"), WEEKS, [()], lambda name, place, group: value(place), state, targets)
    return Series(metric(), WEEK, by_week(made.cells("margin")), "EUR")


def trace(figure, name):
    return next(found for found in figure.data if name in (found.hovertemplate or ""))


def test_a_trend_has_this_year_last_year_and_the_target():
    # place 64 is this week, 12 the same week a year earlier: 52 weeks before
    found = series(lambda place: 0.5 + place / 1000, targets={"margin": dict.fromkeys(WEEKS[52:], Decimal("0.65"))})
    figure = charts.trend(found, LIGHT, Calendar())
    assert [round(value, 3) for value in trace(figure, "last year").y] == [round(0.5 + place / 1000, 3) for place in range(13)]
    assert trace(figure, "target").y == (0.65,) * 13
    (words,) = (drawn for drawn in figure.data if drawn.mode == "text")
    assert list(zip([text.strip() for text in words.text], words.textposition, words.textfont.weight, strict=True)) == [
        (f"target 65.0{SPACE}%", "middle right", 400),
        (f"56.4{SPACE}%", "middle right", 600),
        (f"last year 51.2{SPACE}%", "middle right", 400),
        (f"55.2{SPACE}%", "middle left", 600),
        (f"50.0{SPACE}%", "middle left", 400),
    ]
    assert words.y[0] == pytest.approx(0.65)  # beside its line, where nothing crowds it
    assert list(figure.layout.xaxis.ticktext) == ["wk 34", "wk 38", "wk 42", "wk 46"]


def test_a_week_that_is_not_known_leaves_a_gap():
    found = series(lambda place: None if place == 60 else 0.6, lambda name, place: "unknown" if place == 60 else "known")
    figure = charts.trend(found, LIGHT, Calendar())
    whole = next(drawn for drawn in figure.data if drawn.mode == "lines" and drawn.line.color == LIGHT.accent)
    assert whole.y[8] is None  # 60 - 52
    assert whole.connectgaps is False


def test_a_partial_week_is_hollow_and_dashed():
    figure = charts.trend(series(lambda place: 0.6, lambda name, place: "partial" if place == 64 else "known"), DARK, Calendar())
    marks = trace(figure, "this year")
    marks = next(drawn for drawn in figure.data if drawn.mode == "markers")
    assert marks.marker.color == (DARK.accent,) * 12 + (DARK.panel,)
    assert [drawn.line.color for drawn in figure.data if drawn.line.dash] == [DARK.last_year, DARK.accent]  # the mean, the partial week


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_nothing_is_drawn_in_a_colour_of_plotlys_own(palette):
    figure = charts.trend(series(lambda place: 0.6), palette, Calendar())
    used = {drawn.line.color for drawn in figure.data if drawn.mode == "lines" and drawn.line.width}
    assert {drawn.fillcolor for drawn in figure.data if drawn.fill} == {palette.soft}
    assert used <= {palette.accent, palette.last_year, palette.target}
    assert all(
        set(drawn.textfont.color) <= {palette.accent, palette.quiet, palette.target} for drawn in figure.data if drawn.mode == "text"
    )


@given(some.lists(some.floats(0, 194), max_size=4).map(sorted))
def test_labels_never_touch(positions):
    moved = drawing.spread(positions, 16, 194)
    assert all(second - first >= 16 - 1e-9 for first, second in pairwise(moved))
    assert all(place <= 194 for place in moved)


def spark(found):
    """The paths of a sparkline: where the pen goes, in which colour."""
    drawn = charts.spark(found, LIGHT.accent, LIGHT.panel, 'a "word"')
    assert 'alt="a &quot;word&quot;"' in drawn
    return re.findall(r'd="([^"]*)" fill="none" stroke="([^"]*)"', unquote(drawn))


def test_a_flat_sparkline_lies_in_the_middle():
    line, dot = spark(series(lambda place: 0.6))
    assert line[0].startswith("M0.0 18.0L20.0 18.0")  # half of 36
    assert dot == ("M239.99 18.0h.01", LIGHT.accent)


def test_a_sparkline_lifts_the_pen_where_nothing_is_known_and_is_hollow_where_it_is_partial():
    states = {60: "unknown", 64: "partial"}
    found = series(lambda place: None if place == 60 else place, lambda name, place: states.get(place, "known"))
    line, _, hole = spark(found)
    assert line[0].count("M") == 2
    assert line[0].count("L") == 10  # 13 weeks, one of them not known, in two strokes
    assert hole[1] == LIGHT.panel


def test_a_name_is_no_markup():
    query = Query(("margin",), by=("product",), grain="week")
    made = result(query, [WEEKS[12], WEEK], [("<b>A & B</b>",)], lambda name, place, group: 0.5)
    figure = charts.rows(break_down(made, metric(), None, WEEK), LIGHT)
    texts = {drawn.mode: drawn.text for drawn in figure.data if drawn.text}
    assert texts["text"][0].strip() == "&lt;b&gt;A &amp; B&lt;/b&gt;"
    assert not any("<b>" in text for words in texts.values() for text in words)
    assert texts["markers"][0].startswith("&lt;b&gt;A &amp; B&lt;/b&gt;: ")


def test_rows_write_every_value_out():
    query = Query(("margin",), by=("product",), grain="week")
    values = {"Atlas": (0.6, 0.48), None: (None, 0.5)}
    made = result(query, [WEEKS[12], WEEK], [("Atlas",), (None,)], lambda name, place, group: values[group[0]][place])
    figure = charts.rows(break_down(made, metric(), None, WEEK), LIGHT)
    (words,) = (drawn for drawn in figure.data if drawn.mode == "text")
    names, values, changes = ([text.strip() for text in words.text[place : place + 2]] for place in (0, 2, 4))
    assert (names, values, changes) == (["Atlas", "(none)"], [f"48.0{SPACE}%", f"50.0{SPACE}%"], ["−12.0", ""])
    assert words.textfont.color[4:] == (LIGHT.worse, LIGHT.quiet)
    assert words.y == (0, 1) * 3


def test_a_figure_has_no_template_and_says_when_its_data_are_others():
    """Streamlit draws a figure twice, and Plotly leaves the second time out only where nothing can differ."""
    first, same, other = (charts.trend(series(lambda place, base=base: base + place / 1000), LIGHT, Calendar()) for base in (0.5, 0.5, 0.6))
    assert "template" not in first.to_dict()["layout"]
    assert first.layout.datarevision == same.layout.datarevision != other.layout.datarevision
