"""The panel of the weekly review: its box, its labels, and what it writes of names and gaps."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from urllib.parse import unquote

import pytest

from kpi.analysis.limits import chart
from kpi.analysis.review import Boxed, Point, Review
from kpi.dashboard import reviewing, weekly
from kpi.dashboard.reviewing import Reviewed
from kpi.dashboard.theme import LIGHT
from kpi.metrics.result import Cell
from kpi.periods import Calendar, Period
from kpi.units import SPACE, change

from .made import metric

WEEK = dt.timedelta(days=7)
LAST = dt.date(2026, 11, 9)


def cell(day, value, state="known", target=None):
    return Cell(
        "margin",
        day,
        day + WEEK,
        (),
        None if value is None else Decimal(str(value)),
        state,
        None if target is None else Decimal(str(target)),
    )


def made(values, months=(0.5,) * 12, before=0.4, target=None, unit="percent", states=()):
    """A review of weekly values up to the week of 9 November, and of months up to November, the last of them partial."""
    days = [LAST - back * WEEK for back in reversed(range(13))]
    values = [None] * (13 - len(values)) + list(values)
    known = dict(zip(days[-len(states) :], states, strict=True)) if states else {}
    points = tuple(
        Point(
            Period(day, day + WEEK),
            cell(day, value, known.get(day, "known" if value is not None else "unknown"), target),
            cell(day, before),
        )
        for day, value in zip(days, values, strict=True)
    )
    firsts = [dt.date(2025, 12, 1), *(dt.date(2026, month, 1) for month in range(1, 12))]
    of_months = tuple(
        Point(Period(day, day + 30 * WEEK), cell(day, value, "partial" if day.month == 11 else "known"), None)
        for day, value in zip(firsts, months, strict=True)
    )
    now, last = points[-1].cell, points[-2].cell
    box = (
        Boxed("week", points[-1].period, now, change(now.value, last.value, unit), None),
        *(Boxed(name, points[-1].period, None, None, None) for name in ("month", "quarter", "year")),
    )
    sure = chart([point.cell.value if point.cell.state == "known" else None for point in points])
    return Review(metric(unit=unit), "EUR", points, sure, of_months, box)


def panel(review, problem=None):
    return weekly.panel(review, problem, LIGHT, Calendar())


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def drawing(html):
    return unquote(re.search(r'src="data:image/svg\+xml;utf8,([^"]+)"', html).group(1))


def test_the_box_has_nine_figures_and_a_dash_for_what_is_not_known():
    html = panel(made([0.5, 0.531]))
    head, row = re.findall(r"<tr>(.*?)</tr>", html)
    assert re.findall(r">([^<]+)</th>", head) == ["Last wk", "WoW", "YoY", "MTD", "YoY", "QTD", "YoY", "YTD", "YoY"]
    assert re.findall(r">([^<]+)</td>", row) == [f"53.1{SPACE}%", f"+3.1{SPACE}pts", *["–"] * 7]
    assert 'class="better">+3.1' in row


def test_weeks_and_months_have_their_names_and_their_values():
    html = panel(made([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], months=[0.5] * 11 + [None]))
    assert re.findall(r">([^<]+)</span>", html.partition('class="ticks"')[2]) == ["41", "42", "43", "44", "45", "46", *"DJFMAMJJASON"]
    # of the weeks the first and the last; of the months the first and the last that is known
    assert re.findall(r"<b class=[^>]+>([^<]+)</b>", html) == [f"10.0{SPACE}%", f"60.0{SPACE}%", f"50.0{SPACE}%", f"50.0{SPACE}%"]
    alt = re.search(r'alt="([^"]+)"', html).group(1)
    assert alt.startswith(f"Margin. Last 6 weeks, oldest first: 10.0{SPACE}%, 20.0{SPACE}%")


def test_what_is_not_whole_is_hollow_dashed_and_marked():
    sure, partial = panel(made([0.5] * 6, months=[None] * 12)), panel(made([0.5] * 6, months=[None] * 12, states=["partial"]))
    assert drawing(sure).count(LIGHT.panel) == 0
    assert drawing(partial).count(LIGHT.panel) == 1
    assert drawing(partial).count("stroke-dasharray") == 1
    assert f">50.0{SPACE}%*</td>" in partial


def test_a_missing_week_breaks_the_line():
    html = panel(made([0.5, 0.6, None, 0.5, 0.4, 0.5], months=[None] * 12, before=None))
    (line,) = [track for track in re.findall(r'd="([^"]+)"', drawing(html)) if "L" in track]
    assert line.count("M") == 2
    assert line.count("L") == 3


def test_targets_are_marks_of_their_own():
    assert panel(made([0.5] * 6, target=0.6)).count('class="triangle"') == 6
    assert 'class="triangle"' not in panel(made([0.5] * 6))


@pytest.mark.parametrize(("values", "side"), [([0.9, 0.1], "over"), ([0.1, 0.9], "under")])
def test_a_label_lies_where_the_line_does_not_go(values, side):
    html = panel(made([*values, 0.5, 0.5, 0.5, 0.5], before=None))
    assert f'<b class="{side} first"' in html


def test_nothing_leaves_the_drawing():
    html = panel(made([-5, 3, 2, 8, 9, -7], before=12, target=-20, unit="number"))
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", drawing(html))]
    assert min(heights) >= 0
    assert max(heights) <= 118


def test_names_are_escaped_and_a_problem_takes_the_chart_s_place():
    review = made([None])
    review = replace(review, metric=replace(review.metric, label="<b>Margin</b>", owner="<i>"))
    html = panel(review, "Not known: <none>.")
    assert "<b>Margin" not in html
    assert "Not known: &lt;none&gt;." in html
    assert "<img" not in html
    assert "<table>" in html  # the same form for every metric


def test_exceptions_say_signals_targets_and_what_is_not_known():
    # 13 weeks of 0.5 and at last 0.3: mean 6.3 / 13 = 0.4846, mean range 0.2 / 12 = 0.01667, limits ± 0.0443
    star = made([0.5] * 12 + [0.3], target=0.4)
    late = made([0.5] * 12 + [0.5], states=["partial"], target=0.6)
    fine = made([0.5] * 13)
    found = {"margin": star, "late": late, "fine": fine}
    lines = reviewing.exceptions(Reviewed(found, {"late": "The deals of Salesforce end on Thu 12 Nov 2026: week 46 is partial."}))
    assert [(line["word"], line["kind"], line["sentence"]) for line in lines] == [
        ("signal", "worse", f"below its limits; 10.0{SPACE}points under its target"),
        ("partial", "partial", "The deals of Salesforce end on Thu 12 Nov 2026: week 46 is partial"),
    ]


def test_weeks_off_target_in_a_row():
    assert made([0.7] * 10 + [0.5, 0.5, 0.5], target=0.6).weeks_off_target == 3
    assert made([0.5] * 13, target=0.6).weeks_off_target == 13
    assert made([0.5] * 12 + [0.7], target=0.6).off_target is None
