"""What every test stands on: a fixed time zone, no settings from outside, a PostgreSQL of its own, Chromium.

Where a program or folder is missing the test is skipped with the sentence that says how to get it; with
``KPI_REQUIRE_ALL=1``, as in CI, a missing program is a failure.

Fixtures for others:
    postgres_url     SQLAlchemy URL of a fresh, empty database (function scope)
    postgres_server  the server's URL without a database name (session scope, one server a worker)
    chromium         path of the browser's program
    shared_data      folder of real exports beside the repository
    free_port        a port of 127.0.0.1 that nothing listens on
    settings         Settings with a fresh home under tmp_path
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import psycopg
import pytest
from psycopg import sql

from kpi.records import opening
from kpi.settings import Settings

ROOT = Path(__file__).resolve().parent.parent

#: Neither UTC nor the sample calendar's zone, so that a test which leans on the machine's clock fails.
TIME_ZONE = "America/New_York"


def pytest_configure(config: pytest.Config) -> None:
    """Fix what a machine would otherwise decide, before any test module is imported."""
    os.environ["TZ"] = TIME_ZONE
    time.tzset()
    # A change is judged by what it does, not by what a generator drew that day: the same examples each time. A search for new
    # ones is --hypothesis-profile=searching, as the slow tests are run.
    hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
    hypothesis.settings.register_profile("searching", deadline=None)
    hypothesis.settings.load_profile(config.getoption("--hypothesis-profile") or "same")
    for variable in [name for name in os.environ if name.startswith("KPI_") and name != "KPI_REQUIRE_ALL"]:
        del os.environ[variable]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test marked ``first_only`` every case but the first is slow, by the order in which they are written; of one marked
    ``postgres_later`` those on PostgreSQL."""
    met: set[str] = set()
    for item in items:
        if item.get_closest_marker("postgres_later") is not None and item.get_closest_marker("postgres") is not None:
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("first_only") is not None:
            name = item.nodeid.partition("[")[0]
            if name in met:
                item.add_marker(pytest.mark.slow)
            met.add(name)


def _missing(sentence: str) -> NoReturn:
    """Skip, or fail where everything must be there."""
    if os.environ.get("KPI_REQUIRE_ALL") == "1":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty home; the definitions are the ones that ship."""
    return Settings(home=tmp_path / "home", metrics=ROOT / "metrics.yaml")


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    return _free_port()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real exports that are kept beside the repository, not in it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/data with real exports isn't beside this repository")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's Chromium, for Playwright's ``executable_path``."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return found or _missing("Chromium is missing: make test installs it, or apt-get install chromium")


def _postgres_programs() -> Path:
    """Debian keeps initdb and postgres out of PATH, in a folder for each version; the newest is taken."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    if folders:
        return folders[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else _missing("PostgreSQL is missing: make test installs it, or apt-get install postgresql")


#: A language's order of letters, in which a comes before B, and without accents first: a company's own server has one.
_LANGUAGE = ("--locale=C", "--locale-provider=icu", "--icu-locale=de")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server on a free port, with its data in a folder that goes away; yields its URL without a database."""
    programs = _postgres_programs()
    # PostgreSQL refuses to run as root, so root lends it to the user that Debian's package made.
    user = "postgres" if os.geteuid() == 0 else None
    # Not under tmp_path: pytest's folders are closed to other users.
    home = Path(tempfile.mkdtemp(prefix="kpi-postgres-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        if user:
            shutil.chown(home, user)
        data, log = home / "data", home / "log"
        settled = {"user": user, "group": user, "extra_groups": [], "cwd": home, "stdin": subprocess.DEVNULL} if user else {"cwd": home}
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", *_LANGUAGE, "--no-sync"],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            check=False,
            **settled,
        )
        if made.returncode != 0:
            pytest.fail(f"initdb failed: {made.stderr.strip()}", pytrace=False)
        port = _free_port()
        options = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "listen_addresses": "127.0.0.1"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with log.open("wb") as out:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-p", str(port), "-k", home, *words],
                stdout=out,
                stderr=out,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                **settled,
            )
        _wait_until_it_answers(server, port, log)
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}"
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # "fast shutdown": open connections are closed
            server.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start: {log.read_text(errors='replace')[-1000:]}", pytrace=False)
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a database that is fresh and empty for this test."""
    url = new_database(postgres_server)
    yield url
    opening.close()
    with _admin(postgres_server) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(url.rsplit("/", 1)[1])))


def new_database(server: str) -> str:
    """Make a database on the server; its URL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with _admin(server) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{server}/{name}"


def _admin(server: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host="127.0.0.1", port=int(server.rsplit(":", 1)[1]), user="postgres", dbname="postgres", autocommit=True)
