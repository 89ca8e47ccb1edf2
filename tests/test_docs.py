"""The docs tell the truth: blocks run, links lead somewhere, and whatever can be named is documented."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from connectors import CONNECTORS
from kpi.cli import COMMANDS
from kpi.metrics.kinds import COMMON, KINDS
from kpi.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])

#: The sample company's last day for whom the README states figures.
README_UNTIL = "2026-11-15"


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


def tracked() -> list[Path]:
    """Every file of the project, as git knows it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


# The README runs


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the README's reader has it: the definitions with its example in them, and the sample company's data."""
    folder = tmp_path_factory.mktemp("readme")
    (definition,) = blocks(text(ROOT / "README.md"), "yaml")
    shutil.copy(ROOT / "metrics.yaml", folder / "metrics.yaml")
    assert kpi(folder, "demo", "--until", README_UNTIL).returncode == 0
    (folder / "exports").symlink_to(folder / "data" / "sample" / "salesforce")
    with (folder / "metrics.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\n{definition}")
    return folder


def kpi(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kpi", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def sessions(page: str) -> list[tuple[str, str]]:
    """Command and output of every ``$`` line in the page's console blocks."""
    found = []
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), sessions(text(ROOT / "README.md")))
def test_readme_runs(desk: Path, command: str, output: str) -> None:
    words = command.split()
    env = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        env[name] = value
    if words[0] == "make":  # what it does is tested in test_make.py
        assert f"\n{words[1]}:" in text(ROOT / "Makefile")
    elif words[0] != "git":
        assert words[:3] == ["python", "-m", "kpi"]
        done = kpi(desk, *words[3:], **env)
        assert done.returncode == 0, done.stderr
        if output:
            assert done.stdout.strip() == output.strip()
        else:
            assert done.stdout


# Everything is named


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"python -m kpi {command}" in text(ROOT / "README.md"), f"README.md: add a row for python -m kpi {command}"


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda connector: connector.name)
def test_every_connector_is_documented(connector: object) -> None:
    page = text(ROOT / "docs" / "connectors.md").casefold()
    for layout in connector.layouts:  # type: ignore[attr-defined]
        words = f"{connector.name} {layout.name}".casefold()  # type: ignore[attr-defined]
        assert all(word in page for word in words.split()), f"docs/connectors.md: add {words}"


@pytest.mark.parametrize("key", sorted({key.name for kind in KINDS for key in (*COMMON, *kind.keys)}))
def test_every_key_of_a_metric_is_documented(key: str) -> None:
    assert f"`{key}`" in text(ROOT / "docs" / "metrics.md"), f"docs/metrics.md: add the key {key}"


@pytest.mark.parametrize("target", re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), flags=re.MULTILINE))
def test_every_target_of_make_is_documented(target: str) -> None:
    inner = target in ("environment", "test-programs", "test-slow")
    assert inner or f"make {target}" in text(ROOT / "README.md"), f"README.md: add make {target}"


# Settings

_FIELD = re.compile(r"^        (\w+): (.*?)\s*\(``(KPI_\w+)``\)", flags=re.MULTILINE | re.DOTALL)


def settings_table() -> str:
    """The table of docs/operations.md, made from the docstring of Settings."""
    defaults = {field.name: field.default for field in fields(Settings)}
    described = _FIELD.findall(Settings.__doc__ or "")
    assert {name for name, _, _ in described} == set(defaults), "every field of Settings names its variable, as (``KPI_X``)"
    rows = ["| variable | meaning | default |", "| --- | --- | --- |"]
    for name, meaning, variable in described:
        default = "" if defaults[name] is None else f"`{defaults[name]}`"
        rows.append(f"| `{variable}` | {' '.join(meaning.split()).rstrip('.').replace('``', '`')} | {default} |")
    return "\n".join(rows)


def test_every_setting_is_documented() -> None:
    page = text(ROOT / "docs" / "operations.md")
    found = re.search(r"<!-- settings -->\n(.*?)\n?<!-- end -->", page, flags=re.DOTALL)
    assert found, "docs/operations.md has lost its <!-- settings --> … <!-- end -->"
    assert found[1].strip() == settings_table(), f"docs/operations.md: the table of settings should be\n\n{settings_table()}\n"


# Links, machines


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for label, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", text(page)):
        where, _, anchor = target.partition("#")
        if where.startswith(("http:", "https:")):
            continue
        path = (page.parent / where).resolve() if where else page
        assert path.exists(), f"{page.name}: [{label}]({target}) leads nowhere"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text(path), flags=re.MULTILINE)
            anchors = [re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-") for heading in headings]
            assert anchor in anchors, f"{page.name}: [{label}]({target}) names no heading of {path.name}"


#: Written in two parts, so that this file is no find of its own.
FORBIDDEN = (
    "/work" + "/main",
    "/work" + "/shared",
    "/root" + "/",
    "/tmp" + "/clone",
    "py" + "pi.org",
    "files.python" + "hosted.org",
    "--index" + "-url",
    "artifact" + "ory",
)


def test_nothing_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked():
        content = path.read_bytes()
        found += [f"{path.relative_to(ROOT)} names {word}" for word in FORBIDDEN if word.encode() in content]
    assert not found, "\n".join(found)
