"""No file hangs the import, fills the memory or shows a traceback: what is a bomb is refused before it is unpacked.

Times are printed by ``make bench``; here counts what was read. The slow tests import every file of :mod:`tests.connectors.nasty`,
a process for each group, whose memory is that of its largest file.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.documents import Document
from connectors.packing import NotATable
from connectors.parsing import parse
from connectors.reading import open_texts
from tests.conftest import ROOT
from tests.connectors import nasty
from tests.connectors.pollution.books import gzip_bomb, overlapping_zip, zipped

MOST_MB = 300
#: Starts the process that is measured: a child's peak counts from what its parent held, and this one is small.
LAUNCHER = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump({"code": code, "peak_mb": used.ru_maxrss // 1024}, file)
"""

Group = Callable[[], Iterator[tuple[str, nasty.Made]]]


def imported(folder: Path, home: Path) -> tuple[str, int, int]:
    """What is said of a folder, the exit code, and the peak memory in MB."""
    told = home.with_suffix(".json")
    words = [sys.executable, "-m", "kpi", "import", "--amounts", "minor", str(folder)]
    env = {**os.environ, "KPI_HOME": str(home), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, str(told), *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=1800,
        check=True,
    )
    used = json.loads(told.read_text())
    return done.stdout + done.stderr, used["code"], used["peak_mb"]


@pytest.mark.slow
@pytest.mark.parametrize("group", [nasty.archives, nasty.workbooks, nasty.documents, nasty.texts])
def test_nasty_files_are_refused_in_little_memory(group: Group, tmp_path: Path) -> None:
    folder = tmp_path / "nasty"
    folder.mkdir()
    names = []
    for name, made in group():
        content = made()
        assert len(content) < 10_000_000, name
        (folder / name).write_bytes(content)
        names.append(name)
    said, code, peak_mb = imported(folder, tmp_path / "home")
    assert "Traceback" not in said
    assert code in (0, 1)
    assert [name for name in names if name not in said] == []
    assert peak_mb < MOST_MB


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in nasty.good()])
def test_good_files_need_little_memory(name: str, tmp_path: Path) -> None:
    content = dict(nasty.good())[name]()
    assert 8_000_000 < len(content) < 10_000_000
    (tmp_path / name).write_bytes(content)
    said, code, peak_mb = imported(tmp_path / name, tmp_path / "home")
    assert code == 0, said
    assert peak_mb < MOST_MB


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many bytes came out of zips and gzips so far."""
    sizes: list[int] = []

    def counting(read: Callable[..., bytes]) -> Callable[..., bytes]:
        def counted(*args: Any) -> bytes:
            content = read(*args)
            sizes.append(len(content))
            return content

        return counted

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counting(zipfile.ZipExtFile.read))
    monkeypatch.setattr(gzip.GzipFile, "read", counting(gzip.GzipFile.read))
    return lambda: sum(sizes)


MB = 1 << 20
#: What is a bomb, how many bytes may come out of it before it is refused, and what is said.
BOMBS: dict[str, tuple[nasty.Made, int, str]] = {
    "a zip": (lambda: zipped([("a.csv", bytes(40 * MB))]), 0, "which no export is"),
    "a zip that lies": (lambda: nasty.lying_zip(40 * MB), 1000, "damaged, cut off or encrypted"),
    "a zip whose members overlap": (lambda: overlapping_zip(100, MB), 0, "share their bytes"),
    "a zip in a zip": (lambda: zipped([("a.zip", zipped([("a.csv", bytes(40 * MB))]))]), MB, "packed twice"),
    "a gzip": (lambda: gzip_bomb(40 * MB), 4 * MB, "which no export is"),
    "a gzip of a gzip": (lambda: gzip.compress(gzip_bomb(40 * MB)), MB, "packed twice"),
    "a sheet": (lambda: nasty.packed(nasty.book(nasty.grid(" " * 40 * MB))), 0, "as only a bomb's does"),
    "shared texts": (lambda: nasty.packed(nasty.book(shared="<si/>" * 8 * MB)), 0, "as only a bomb's does"),
    "one long text in all cells": (
        lambda: nasty.packed(nasty.book(nasty.grid(nasty.cells(3000)), nasty.shared("a" * 100_000 + nasty.noisy(200_000)))),
        2 * MB,
        "many times what the workbook does",
    ),
    "two cells far apart": (
        lambda: nasty.packed(nasty.book(nasty.grid('<row r="1048576"><c r="XFE1048576"><v>1</v></c></row>'))),
        MB,
        "a workbook that can't be read",
    ),
    "tags in tags": (lambda: nasty.packed(nasty.book(nasty.grid("<a>" * 500_000))), 4 * MB, "no spreadsheet writes"),
    "one endless tag": (lambda: nasty.packed(nasty.book(nasty.grid('<row a="' + nasty.noisy(9 * MB)))), 6 * MB, "no spreadsheet writes"),
    "more and more names": (
        lambda: nasty.packed(nasty.book(nasty.grid("".join(f"<n{at}/>" for at in range(200_000))))),
        4 * MB,
        "no spreadsheet writes",
    ),
    "more and more attributes": (
        lambda: nasty.packed(nasty.book(nasty.grid("".join(f'<row a{at}="1"/>' for at in range(200_000))))),
        5 * MB,
        "no spreadsheet writes",
    ),
    "entities": (lambda: nasty.packed(nasty.book(nasty.laughing())), MB, "declares a document type"),
    "one sheet many times": (lambda: nasty.packed(nasty.book(workbook=nasty.repeating(50))), MB, "no spreadsheet writes"),
    "very many sheets": (lambda: nasty.packed(nasty.book(workbook=nasty.repeating(101))), MB, "more than 100 sheets"),
    "very many styles": (
        lambda: nasty.packed(nasty.book(styles=f'<styleSheet xmlns="{nasty.MAIN}"><cellXfs>{"<xf/>" * 100_001}</cellXfs></styleSheet>')),
        2 * MB,
        "no spreadsheet writes",
    ),
}


@pytest.mark.parametrize(("made", "most", "said"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_it_unfolds(made: nasty.Made, most: int, said: str, tmp_path: Path, unpacked: Callable[[], int]) -> None:
    (tmp_path / "bomb").write_bytes(made())
    with pytest.raises(NotATable, match=said):
        open_texts(tmp_path / "bomb", tmp_path)
    assert unpacked() <= most
    written = sum(file.stat().st_size for file in tmp_path.iterdir() if file.name != "bomb")
    assert written <= most + 100 * MB * (said == "many times what the workbook does")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"id": "a", "x": [' + '{"a":1},' * 400_000 + "{}]}]", "holds more objects and values"),
        ('[{"id": "a"},{"id": "b", "x": [' + "12," * 2_000_000 + "1]}]", "holds more objects and values"),
        ("[{" + ",".join(f'"k{at}":1' for at in range(30_000)) + "}]", "more than 20,000 keys"),
        ("[" * 200_000, "deeper than any export"),
    ],
    ids=["objects", "values", "keys", "lists"],
)
def test_json_that_only_fills_memory(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    document = Document(open_texts(tmp_path / "a.json", tmp_path)[0])
    with pytest.raises(NotATable, match=said):
        [document.samples(), *document.records(())]


def test_a_line_of_json_that_fills_memory_is_one_bad_record(tmp_path: Path) -> None:
    full = '{"id": "b", "x": [' + '{"a":1},' * 400_000 + "{}]}"
    (tmp_path / "a.ndjson").write_text(f'{{"id": "a"}}\n{{"id": "c"}}\n{full}\n{{"id": "d"}}\n')
    found = list(Document(open_texts(tmp_path / "a.ndjson", tmp_path)[0]).records(()))
    assert [getattr(each, "reason", "") for each in found] == ["", "", "it holds more objects and values than any export's record has", ""]


def test_a_line_of_a_million_cells_is_never_taken_apart() -> None:
    made = list(parse(["a,b\n", ",;" * 300_000 + "\n", "c,d\n"], ",", 1, 2))
    assert [type(each).__name__ for each in made] == ["Record", "Broken", "Record"]
    assert getattr(made[1], "reason", "") == "it has more cells than any table has columns"
