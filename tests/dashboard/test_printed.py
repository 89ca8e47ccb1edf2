"""This week on paper: the figures of conftest.py by hand, and what typst makes of them."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from PIL import Image

from kpi import cli, settings
from kpi.dashboard.data import Desk
from kpi.dashboard.filters import Filters
from kpi.dashboard.frame import frame
from kpi.dashboard.looking import Look
from kpi.dashboard.printed.asked import asked
from kpi.dashboard.printed.content import content
from kpi.dashboard.printed.setting import printed, set_in_type
from kpi.dashboard.printed.shares import TREND_HEIGHT
from kpi.dashboard.theme import palette
from kpi.errors import UsageError
from kpi.metrics.definitions import load
from kpi.records.notes import Line, standing
from kpi.units import SPACE
from kpi.warehouse.engines import open_reader

WEEK = dt.date(2026, 11, 2)  # the week of 9 November is partial for deals


@pytest.fixture
def desk(company, environment):
    environment(company)
    chosen = settings.load()
    with open_reader(chosen) as reader:
        yield Desk(chosen, load(chosen.metrics), reader, ())


def look(desk, week=WEEK, **chosen):
    return Look(desk, frame(desk), Filters(None, chosen), week, palette("light"))


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def pages(pdf: bytes) -> int:
    return int(re.search(rb"/Count (\d+)", pdf)[1])


def test_the_first_page_says_what_the_page_says(desk):
    made = content(look(desk, dt.date(2026, 11, 9)))
    assert made["star"]["figure"] == ["", "53.8", "%"]  # (1600 - 740) / 1600
    words = "".join(part["text"] for part in made["star"]["target"])
    assert plain(words) == "Target for 2026: 60.0 %, 6.3 points under, week 11 in a row"
    assert [plain(driver["figure"]) for driver in made["drivers"]][:2] == ["€ 1.60 k", "€ 740"]
    atlas = next(row for row in made["groups"][0]["rows"] if row["name"] == "Atlas")
    assert plain(atlas["text"]) == "41.8 %"  # (1100 - 640) / 1100


def test_every_metric_has_a_panel_with_the_figures_of_the_review(desk):
    made = content(look(desk))
    assert [panel["label"] for panel in made["panels"]] == ["Margin", "Revenue", "Cost", "Deals won", "Issues", "Paid"]
    box = made["panels"][1]["box"]
    # 1600 a week: 8 days of November, 39 of the quarter, 312 of the year
    assert [plain(cell["figure"]) for cell in box] == ["€ 1.60 k", "€ 1.83 k", "€ 8.91 k", "€ 71.3 k"]
    issues = made["panels"][4]
    assert issues["plot"] is None
    assert "nothing was ever imported for issue" in issues["problem"]
    assert {cell["figure"] for cell in issues["box"]} == {"–"}


def test_a_filter_is_named_and_counts(desk):
    made = content(look(desk, region=(None,)))
    assert made["filters"] == "Region: (none)"
    assert made["star"]["figure"] == ["", "60.0", "%"]  # Cove: (100 - 40) / 100


def test_what_people_wrote_is_printed(desk):
    def line(kind, metrics, starts, text, said=""):
        return Line(kind, text, "written", metrics, starts, text, "Ada", said=said, written_at=dt.datetime(2026, 11, 9, 8, 30))

    written = [
        line("comment", ("revenue",), WEEK, "Two\nlines"),
        line("comment", ("revenue",), WEEK - dt.timedelta(days=7), "Of the week before"),
        line("event", (), WEEK - dt.timedelta(days=21), "Price change"),
        line("verdict", ("margin",), WEEK, "hosting was migrated", "noise"),
    ]
    made = content(look(desk), standing(written))
    assert [(one["metric"], one["text"], one["author"], one["when"]) for one in made["comments"]] == [
        ("Revenue", "Two lines", "Ada", "9 Nov 2026, 09:30")
    ]
    assert [(one["name"], one["when"]) for one in made["events"]] == [("Price change", "12 Oct 2026")]
    assert made["star"]["overruled"] == "Ada says noise: hosting was migrated"
    assert made["star"]["trend"]["events"] == [[9 / 12, "1"]]  # the tenth of thirteen weeks
    assert len(made["panels"][1]["plot"]["halves"][0]["events"]) == 1
    assert pages(set_in_type(made, "pdf", dt.datetime(2026, 11, 9, tzinfo=dt.UTC))) == 2


def test_points_lie_within_their_plots(desk):
    made = content(look(desk))
    trend = made["star"]["trend"]
    assert trend["height"] == TREND_HEIGHT
    for run in (*trend["now"], *trend["before"], *trend["aims"]):
        assert all(0 <= x <= 1 and 0 < y < 1 for x, y in run)
    # a target steps from week to week: it never goes sideways and up at once
    assert all(x == after or y == below for run in trend["aims"] for (x, y), (after, below) in pairwise(run))


def test_two_pages_the_same_bytes_each_time(desk):
    made = look(desk)
    pdf = printed(made, "pdf")
    assert pdf.startswith(b"%PDF-")
    assert pages(pdf) == 2
    assert pdf == printed(made, "pdf")


def test_forty_metrics_stay_on_two_pages(desk):
    made = content(look(desk))
    made["panels"] = made["panels"][:4] * 10
    assert pages(set_in_type(made, "pdf", dt.datetime(2026, 11, 9, tzinfo=dt.UTC))) == 2


def test_one_picture_holds_both_pages(desk, tmp_path):
    (tmp_path / "review.png").write_bytes(printed(look(desk), "png"))
    with Image.open(tmp_path / "review.png") as picture:
        assert picture.width == 2382
        assert picture.height > 1400


def test_names_are_never_markup(desk):
    made = look(desk)
    star = desk.definitions.metrics["margin"]
    hostile = '#panic("x") $1/0$ *b* _i_ \\ ] [ // #import "@preview/x:1.0.0" <a> @b `c'
    made.series = {**made.series, "margin": replace(made.series["margin"], metric=replace(star, label=hostile))}
    found = content(made)
    found["exceptions"] = [{"metric": hostile, "owner": hostile, "sentence": hostile, "word": hostile, "kind": "worse"}]
    found["notes"] = [hostile]
    assert found["star"]["label"] == hostile
    assert pages(set_in_type(found, "pdf", dt.datetime(2026, 11, 9, tzinfo=dt.UTC))) == 2


def test_what_is_asked_in_vain_is_said(desk):
    with pytest.raises(UsageError, match="There are no data for the week"):
        asked(desk, dt.date(2031, 1, 6), {}, "pdf", "light")
    with pytest.raises(UsageError, match='No region is called "EMAE" \\(perhaps "EMEA" was meant\\)'):
        asked(desk, None, {"region": ["EMAE"]}, "pdf", "light")
    with pytest.raises(UsageError, match="can't be filtered by industry"):
        asked(desk, None, {"industry": ["x"]}, "pdf", "light")


def test_the_command_writes_the_file_and_says_where(company, environment, tmp_path, capsys):
    environment(company)
    out = tmp_path / "review.pdf"
    assert cli.main(["report", "--week", "2026-W45", "--filter", "segment=Enterprise", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert out.read_bytes().startswith(b"%PDF-")
    assert [path.name for path in tmp_path.iterdir()] == ["review.pdf"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--week", "2026-W60"], "--week 2026-W60: write a week such as 2026-W46"),
        (["--week", "2026-11"], "write a week such as 2026-W46"),
        (["--out", "review.doc"], "write a name that ends with .pdf or .png"),
        (["--out", "/nowhere/review.pdf"], "there is no folder /nowhere"),
        (["--filter", "margin"], "write a dimension and one of its values"),
        (["--filter", "colour=red"], "dimensions are segment, product, region"),
    ],
)
def test_a_wrong_request_is_said_before_anything_is_computed(company, environment, capsys, words, said):
    environment(company)
    assert cli.main(["report", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_content_is_plain_json(desk):
    json.dumps(content(look(desk)))
