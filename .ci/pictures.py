"""Makes the pictures of the docs anew: ``.venv/bin/python .ci/pictures.py``, with the sample company in a folder of its own.

The sample company is the same each time, so a picture changes when the page does.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
#: The last day of the sample company in pictures and in the README.
UNTIL = "2026-11-15"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def definitions(page: Page, address: str) -> None:
    """The editor with a condition changed, and what that does."""
    page.goto(f"{address}definitions?view=edit")
    text = page.locator(".cm-content")
    text.click()
    page.keyboard.press("Control+f")
    page.keyboard.type("where: kind <> 'tax'")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    page.keyboard.type(" and amount > 0")
    page.get_by_role("button", name="See what changes").click()
    page.wait_for_selector(".comparison", timeout=120_000)
    page.mouse.move(0, 0)
    page.set_viewport_size({"width": 1280, "height": 1240})
    page.wait_for_timeout(1000)
    page.screenshot(path=ROOT / "docs" / "definitions.png")


@contextmanager
def served(home: Path, metrics: Path) -> Iterator[str]:
    """The dashboard's server for a folder; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {**os.environ, "KPI_HOME": str(home), "KPI_METRICS": str(metrics)}
    words = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", port, "--server.address", "127.0.0.1"]
    server = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """Make the company, serve it, and take each picture."""
    with tempfile.TemporaryDirectory() as folder:
        home, metrics = Path(folder) / "data", Path(folder) / "metrics.yaml"
        shutil.copy(ROOT / "metrics.yaml", metrics)
        environment = {**os.environ, "KPI_HOME": str(home), "KPI_METRICS": str(metrics)}
        subprocess.run(
            [sys.executable, "-m", "kpi", "demo", "--until", UNTIL], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        with served(home, metrics) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(60_000)
            for take in (definitions,):
                take(page, address)
            browser.close()


if __name__ == "__main__":
    main()
