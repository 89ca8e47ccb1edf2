"""``make run``: the sample company where there are no data yet, then the dashboard, and one line that says where it is.

Run by the environment's Python from the project's root: ``python .ci/dashboard.py PORT``.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

ADDRESS = "127.0.0.1"
#: A cold start on a slow machine took 6 s; past this something is wrong.
STARTS_WITHIN_S = 60


def main(word: str) -> int:
    """Returns the exit code of the server, or 1 after one sentence."""
    if not word.isdigit() or not 0 < int(word) < 65536:
        return _fail(f"PORT={word} is not a port: a number from 1 to 65535 is.")
    port = int(word)
    if _taken(port):
        return _fail(f"Port {port} of {ADDRESS} is taken: choose another, such as make run PORT={port + 1 if port < 65535 else 8502}.")
    if not _has_data():
        print("No data yet: making the sample company (once, a minute at most)…", flush=True)
        made = subprocess.run([sys.executable, "-m", "kpi", "demo"], check=False)
        if made.returncode != 0:
            return _fail("The sample company could not be made; the sentence above says why.")
    return _serve(port)


def _has_data() -> bool:
    """Whether a warehouse was published, or one is named by URL, which is not ours to fill with samples."""
    home = Path(os.environ.get("KPI_HOME") or "data")
    return bool(os.environ.get("KPI_WAREHOUSE_URL")) or (home / "CURRENT").exists()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        # As the server does, so that a port whose last connections are just closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return True
    return False


def _serve(port: int) -> int:
    url = f"http://{ADDRESS}:{port}"
    print("Starting the dashboard…", flush=True)
    options = {"server.address": ADDRESS, "server.port": port, "server.headless": "true", "browser.gatherUsageStats": "false"}
    words = [f"--{name}={value}" for name, value in options.items()]
    # Streamlit's own banner would be a second line that says where it is; what goes wrong comes on stderr.
    server = subprocess.Popen([sys.executable, "-m", "streamlit", "run", "app.py", *words], stdout=subprocess.DEVNULL)

    def stop(number: int, frame: FrameType | None) -> None:
        server.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        if not _answers(url, server):
            return _fail("The dashboard did not start; what it printed above says why.")
        print(f"North Star is open at {url} (Ctrl-C stops it)", flush=True)
        _show(url)
        return 0 if server.wait() in (0, -signal.SIGTERM, -signal.SIGINT) else 1
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait(timeout=10)


def _answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def _show(url: str) -> None:
    """Open it in the desktop's browser where there is a desktop; never wait for one."""
    opener = shutil.which("xdg-open")
    if opener and sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        subprocess.Popen([opener, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
