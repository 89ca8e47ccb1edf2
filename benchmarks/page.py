"""From a click on a filter to repainted charts, in headless Chromium on the sample company."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from benchmarks.timing import Line
from kpi.errors import Outdated
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader

LIMIT_S: Final = 0.5

#: Clicks the n-th pill of the open popover and resolves with the milliseconds to the last change inside a chart, once
#: the script has ended and no chart has changed for half a second.
_CLICK: Final = """(number) => new Promise((done, failed) => {
    const pills = document.querySelectorAll('[data-testid="stPopoverBody"] button');
    const began = performance.now();
    let last = 0;
    const watch = new MutationObserver((changes) => {
        if (changes.some((change) => (change.target.closest ?? (() => null)).call(change.target, '[data-testid="stPlotlyChart"]')))
            last = performance.now();
    });
    watch.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
    const look = () => {
        const now = performance.now();
        const ended = document.querySelector('[data-testid="stApp"]').dataset.testScriptState !== "running";
        if (last && ended && now - last > 500) { watch.disconnect(); done(last - began); }
        else if (now - began > 15000) { watch.disconnect(); failed(new Error("no chart changed within 15 s")); }
        else setTimeout(look, 20);
    };
    pills[number].click();
    look();
})"""


def measure(root: Path) -> list[Line]:
    """One line for the report: every click asks for a combination of filters that was not asked before."""
    home = root / "benchmarks" / ".data" / "sample"
    if not _is_readable(home):
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run(
            [sys.executable, "-m", "kpi", "demo"], cwd=root, env=os.environ | {"KPI_HOME": str(home)}, stdout=subprocess.DEVNULL, check=True
        )
    with _served(root, home) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.goto(url)
        page.wait_for_selector('[data-testid="stPlotlyChart"] svg', timeout=60_000)
        page.wait_for_timeout(2000)
        seconds = [took for name in ("segment", "region") for took in _clicks(page, name)]
        browser.close()
    slowest = f"{len(seconds)} clicks, slowest {max(seconds) * 1000:.0f} ms"
    return [Line("filter change to repainted charts", statistics.median(seconds), limit=LIMIT_S, note=slowest)]


def _is_readable(home: Path) -> bool:
    """Whether a sample is there, and of this version's tables."""
    if not (home / "CURRENT").exists():
        return False
    try:
        open_reader(Settings(home=home)).close()
    except Outdated:
        return False
    return True


def _clicks(page: Page, name: str) -> list[float]:
    page.click(f".st-key-popover-{name} button")
    pills = page.locator('[data-testid="stPopoverBody"] button')
    pills.first.wait_for()
    # The last pill stays off: all of them on would be the page as it was.
    seconds = [page.evaluate(_CLICK, number) / 1000 for number in range(pills.count() - 1)]
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    return seconds


@contextmanager
def _served(root: Path, home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true", "--browser.gatherUsageStats=false"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", *options],
        cwd=root,
        env=os.environ | {"KPI_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=10)
