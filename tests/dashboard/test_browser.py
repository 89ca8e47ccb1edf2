"""The dashboard in headless Chromium, served as users serve it. The figures are those of conftest.py, by hand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from .conftest import METRICS, ROOT

pytestmark = pytest.mark.browser

#: A machine that runs all tests at once is slow; a page that doesn't come at all fails all the same.
WAIT_MS = 25_000


@pytest.fixture(scope="session")
def browser(chromium):
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        expect.set_options(timeout=WAIT_MS)
        started = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    yield opened
    context.close()


def figure(page: Page, text: str) -> None:
    """Wait until the North Star says ``text``."""
    expect(page.locator(".hero .figure")).to_have_text(re.compile(re.escape(text).replace("\\ ", r"\s*")))


def shown(home: Path, *words: str) -> list[dict[str, str]]:
    """Rows of ``python -m kpi show``."""
    environment = {**os.environ, "KPI_HOME": str(home), "KPI_METRICS": str(home.parent / "metrics.yaml")}
    command = [sys.executable, "-m", "kpi", "show", *words, "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    rows: list[dict[str, str]] = json.loads(done.stdout)["rows"]
    return rows


def test_it_opens_filters_and_shows_what_show_prints(page, serve, company):
    outside: list[str] = []
    page.on(
        "request",
        lambda request: outside.append(request.url) if not re.match(r"(https?|ws)://127\.0\.0\.1|data:|blob:", request.url) else None,
    )
    page.goto(serve(company))
    figure(page, "53.8 %")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page).to_have_title("North Star")

    # the same figures on the command line
    since = ("--grain", "week", "--since", "2026-11-09", "--until", "2026-11-16")
    (row,) = shown(company, "margin", "cost", *since)
    percent = (Decimal(str(row["margin"])) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    figure(page, f"{percent} %")
    assert Decimal(row["cost"]) == 740
    expect(page.locator(".st-key-card-cost .figure")).to_have_text(re.compile(r"€\s740"))

    # filtering repaints the figure and is in the URL
    page.get_by_role("button", name=re.compile("Segment")).click()
    page.get_by_role("button", name="SMB", exact=True).click()
    figure(page, "80.0 %")
    expect(page).to_have_url(re.compile(r"\?segment=SMB$"))

    # and the link, opened by somebody else, shows the same
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    figure(page, "80.0 %")
    assert outside == [], "a page that reads figures must not fetch anything from elsewhere"


def test_keys_alone_open_what_stands_behind_a_figure(page, serve, company):
    page.goto(serve(company))
    figure(page, "53.8 %")
    control = page.get_by_role("button", name="Margin", exact=True)
    control.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Sources and freshness")
    expect(dialog).to_contain_text("invoice_line")
    expect(dialog).to_contain_text("formula: (revenue - cost) / revenue")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.slow
def test_the_week_before_and_the_browsers_way_back(page, serve, company):
    page.goto(serve(company))
    figure(page, "53.8 %")
    page.get_by_role("button", name="Week before").click()
    expect(page).to_have_url(re.compile(r"week=2026-11-02"))
    week = page.get_by_role("combobox", name="Week")
    expect(week).to_have_value(re.compile("Week 45"))
    page.go_back()
    expect(week).to_have_value(re.compile("Week 46"))


@pytest.mark.slow
def test_a_stale_link_says_what_it_leaves_out(page, serve, company):
    page.goto(serve(company) + "?product=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&week=2026-11-11")
    figure(page, "53.8 %")
    expect(page.locator(".notice")).to_contain_text("No product is called")
    expect(page.locator(".notice")).to_contain_text("is not the first day of a week")
    assert page.locator(".notice img").count() == 0


@pytest.mark.slow
def test_a_click_on_a_point_leads_to_rows_that_add_up(page, serve, company):
    page.goto(serve(company) + "explore?metric=revenue&product=Atlas")
    expect(page.locator(".js-plotly-plot .points path").last).to_be_visible(timeout=3 * WAIT_MS)
    for _ in range(8):  # a chart listens some time after it is seen, and on a busy machine nobody can tell when
        page.wait_for_timeout(1500)
        box = page.locator(".js-plotly-plot .points path").last.bounding_box()
        page.mouse.move(box["x"] - 20, box["y"])
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
        page.wait_for_timeout(300)
        page.mouse.down()
        page.wait_for_timeout(60)
        page.mouse.up()
        if "figure=" in page.url:
            break
    expect(page).to_have_url(re.compile(r"figure=revenue&at=2026-11-09"))
    page.get_by_role("button", name="Source rows").click()
    # Acme 1000 and Cove 100
    expect(page.locator(".sum")).to_have_text(re.compile(r"2 rows come to €\s1,100\.00, which is the figure\."))
    # the filter goes along to another page
    page.get_by_role("link", name="This week").click()
    expect(page).to_have_url(re.compile(r"\?product=Atlas$"))
    figure(page, "41.8 %")


def test_an_empty_warehouse_says_how_to_begin(page, serve, nothing):
    page.goto(serve(nothing))
    expect(page.locator(".begin")).to_contain_text("python -m kpi demo")
    expect(page.locator(".begin")).to_contain_text("python -m kpi import FOLDER")


@pytest.mark.slow
def test_with_one_export_what_is_known_is_shown(page, serve, one_export):
    page.goto(serve(one_export))
    expect(page.locator(".hero")).to_contain_text("no invoice lines and no cost lines were imported yet")
    expect(page.locator(".st-key-card-won .figure")).to_have_text("1")


def test_broken_definitions_keep_the_last_good_ones_in_service(page, serve, company):
    metrics = company.parent / "metrics.yaml"
    address = serve(company)
    page.goto(address)
    figure(page, "53.8 %")
    try:
        metrics.write_text(METRICS.replace("sum: amount, of: cost_line", "summ: amount, of: cost_line"), encoding="utf-8")
        page.reload()
        line = next(place for place, words in enumerate(METRICS.splitlines(), 1) if words.startswith("  cost:"))
        expect(page.locator(".notice")).to_contain_text(f"metrics.yaml:{line} metrics.cost")
        figure(page, "53.8 %")
    finally:
        metrics.write_text(METRICS, encoding="utf-8")


@pytest.mark.first_only
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_is_wider_than_the_window(browser, serve, company, width, mode):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(serve(company))
    figure(page, "53.8 %")
    expect(page.locator(".st-key-rows-segment .js-plotly-plot")).to_be_visible()
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert ground == {"light": "rgb(251, 250, 247)", "dark": "rgb(15, 20, 24)"}[mode]
    assert page.evaluate("document.fonts.check('16px Inter')")
    # every label of every chart lies within its panel
    clipped = page.evaluate(
        """() => [...document.querySelectorAll('[class*="st-key-panel"] .js-plotly-plot')].flatMap(plot => {
            const panel = plot.closest('[class*="st-key-panel"]').getBoundingClientRect();
            return [...plot.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect();
                return box.width && (box.left < panel.left || box.right > panel.right);
            }).map(text => text.textContent);
        })"""
    )
    assert clipped == []
    context.close()


#: Pages, and what is on them when they are drawn.
VIEWS = {
    "": ".reviews",
    "explore?metric=revenue&by=segment": ".js-plotly-plot",
    "explore?metric=revenue&by=segment&as=leaderboard": ".explored",
    "explore?metric=revenue&metric=cost&as=table": ".explored",
    "explore?metric=revenue&figure=revenue&at=2026-11-09&show=rows": ".sum",
    "definitions": ".catalogue",
    "definitions?metric=margin": ".tree",
    "definitions?view=edit": ".cm-content",
    "definitions?view=versions": ".tabs",
    "data": ".heat",
}
#: What axe finds in parts of Streamlit that no page can reach: a rule, and what its element is known by.
STREAMLITS = (
    ("scrollable-region-focusable", "<pre"),  # long code; browsers themselves give what scrolls the focus
    ("scrollable-region-focusable", "cm-scroller"),  # CodeMirror's: what is in it is edited, and so has the focus
)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, serve, company, mode):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=mode)
    page = context.new_page()
    page.set_default_timeout(3 * WAIT_MS)
    found = []
    for view, drawn in VIEWS.items():
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(serve(company) + view)
            page.locator(drawn).first.wait_for()
            page.wait_for_timeout(1500)
            expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
            for broken in Axe().run(page).response["violations"]:
                if broken["impact"] in ("serious", "critical"):
                    found += [
                        f"{view or 'this-week'}, {width}: {broken['id']}, {node['target']}: {node['html'][:160]}"
                        for node in broken["nodes"]
                        if not any(broken["id"] == rule and known in node["html"] for rule, known in STREAMLITS)
                    ]
    context.close()
    assert not found, "\n".join(dict.fromkeys(found))


def test_finance_types_sees_its_mistake_completes_and_saves(browser, serve, company, tmp_path):
    shutil.copytree(company.parent, tmp_path, dirs_exist_ok=True)
    home = tmp_path / company.name
    outside: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.on(
        "request",
        lambda request: outside.append(request.url) if not re.match(r"(https?|ws)://127\.0\.0\.1|data:|blob:", request.url) else None,
    )
    page.goto(serve(home) + "definitions")
    page.get_by_role("link", name="Edit", exact=True).click()
    text = page.get_by_role("textbox", name="metrics.yaml, the definitions")
    line = next(place for place, words in enumerate(METRICS.splitlines(), 1) if words.startswith("  cost:"))
    text.click()
    page.keyboard.press("Control+Home")
    for _ in range(line - 1):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")  # the line that says unit and better, with the brace that ends the metric
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")

    # a mistake is marked at its line, in the words of python -m kpi check
    page.keyboard.type(", ownr: me")
    expect(page.locator(".notice")).to_contain_text(f"line {line + 1}, metrics.cost.ownr:")
    expect(page.locator(".cm-lint-marker-error")).to_be_visible()
    for _ in ", ownr: me":
        page.keyboard.press("Backspace")
    expect(page.get_by_text("No problems.")).to_be_visible()
    expect(page.locator(".cm-lint-marker-error")).to_have_count(0)

    # keys by the schema, columns by the warehouse
    page.keyboard.type(", whe")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("where")
    page.wait_for_timeout(200)  # a completion that opens under a typing hand takes no key for a moment
    page.keyboard.press("Enter")
    page.keyboard.type("amou")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("amount")
    page.wait_for_timeout(200)
    page.keyboard.press("Enter")
    page.keyboard.type(" > 200")

    # Tab indents; Escape, then Tab leaves
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(text).not_to_be_focused()

    page.get_by_role("button", name="See what changes").click()
    expect(page.locator(".comparison")).to_contain_text("2 metrics touched")
    expect(page.locator(".comparison")).to_contain_text("Cost: its own definition: where")
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("Reason, for those who read it later").fill("small costs are rounding")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    assert "where: amount > 200}" in (tmp_path / "metrics.yaml").read_text(encoding="utf-8")

    # what isn't saved outlives a reload
    expect(page.get_by_role("button", name="Take back all changes")).to_have_count(0)
    text.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("# a thought")
    expect(page.get_by_role("button", name="Take back all changes")).to_be_visible()
    page.reload()
    expect(text).to_contain_text("# a thought")
    expect(page.get_by_role("button", name="Take back all changes")).to_be_visible()
    assert outside == []
    context.close()
