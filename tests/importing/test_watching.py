"""``watch``: what is new, once, and whole files only."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from kpi.cli import main
from kpi.importing.watching import Watch


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


@pytest.fixture
def watch(tmp_path: Path, folder: Path, clock: _Clock) -> Watch:
    return Watch(tmp_path / "home", [str(folder)], settle_s=10, clock=clock)


def _write(path: Path, text: str, at: float) -> None:
    path.write_text(text)
    os.utime(path, (at, at))


def _look(watch: Watch) -> list[str]:
    return [Path(one.name).name for one in watch.look(lambda _: None)]


def test_a_file_that_lay_there_is_taken_at_once_and_once(watch, folder, clock):
    _write(folder / "a.csv", "x", clock.now - 60)
    ready = watch.look(lambda _: None)
    assert [Path(one.name).name for one in ready] == ["a.csv"]
    watch.imported(ready)
    assert _look(watch) == []
    assert not watch.waits


def test_a_file_that_grows_is_left_until_it_stays_the_same(watch, folder, clock):
    _write(folder / "a.csv", "x", clock.now)
    assert _look(watch) == []
    assert watch.waits
    clock.now += 9
    _write(folder / "a.csv", "xy", clock.now)
    assert _look(watch) == []
    clock.now += 9  # eighteen seconds after the first look, nine after the last change
    assert _look(watch) == []
    clock.now += 1
    assert _look(watch) == ["a.csv"]


def test_a_file_whose_time_lies_ahead_is_taken_when_two_looks_find_it_the_same(watch, folder, clock):
    _write(folder / "a.csv", "x", clock.now + 86_400)
    assert _look(watch) == []
    clock.now += 10
    assert _look(watch) == ["a.csv"]


def test_a_file_that_changed_is_taken_again(watch, folder, clock):
    _write(folder / "a.csv", "x", clock.now - 60)
    watch.imported(watch.look(lambda _: None))
    _write(folder / "a.csv", "xyz", clock.now - 30)
    assert _look(watch) == ["a.csv"]


def test_what_was_not_imported_is_found_again(watch, folder, clock):
    _write(folder / "a.csv", "x", clock.now - 60)
    assert _look(watch) == ["a.csv"]
    assert _look(watch) == ["a.csv"]


def test_a_watch_goes_on_where_another_was_stopped(watch, folder, clock, tmp_path):
    _write(folder / "a.csv", "x", clock.now - 60)
    watch.imported(watch.look(lambda _: None))
    _write(folder / "b.csv", "x", clock.now - 60)
    assert _look(Watch(tmp_path / "home", [str(folder)], clock=clock)) == ["b.csv"]


def test_what_it_remembers_may_be_damaged(watch, folder, clock, tmp_path):
    _write(folder / "a.csv", "x", clock.now - 60)
    watch.imported(watch.look(lambda _: None))
    for damage in ("{", "[1]", '{"a": 3}', ""):
        (tmp_path / "home" / "watched.json").write_text(damage)
        assert _look(Watch(tmp_path / "home", [str(folder)], clock=clock)) == ["a.csv"], damage


def test_a_place_that_is_away_is_told_and_harms_no_other(folder, clock, tmp_path):
    _write(folder / "a.csv", "x", clock.now - 60)
    told: list[str] = []
    watch = Watch(tmp_path / "home", [str(tmp_path / "gone"), str(folder)], clock=clock)
    assert [Path(one.name).name for one in watch.look(told.append)] == ["a.csv"]
    assert told == [f"there is no file or folder {tmp_path / 'gone'}"]


def test_once_imports_what_is_there_and_ends(settings, payments, command, tmp_path):
    old = payments("in/a.csv", [1, 2])
    os.utime(old, (time.time() - 60,) * 2)
    (tmp_path / "in" / "b.csv").write_text("what,is,this\n1,2,3\n")
    process = command(settings, "watch", str(tmp_path / "in"), "--once", "--settle", "0.5", "--json")
    out, err = process.communicate()
    assert process.returncode == 1, err
    imports = [json.loads(text) for text in out.replace("}\n{", "}\0{").split("\0")]
    assert [(Path(file["file"]).name, file["status"]) for one in imports for file in one["files"]] == [
        ("a.csv", "loaded"),
        ("b.csv", "unknown"),
    ]
    process = command(settings, "watch", str(tmp_path / "in"), "--once", "--settle", "0.5", "--json")
    out, err = process.communicate()
    assert (process.returncode, out) == (0, ""), err


def test_a_watch_takes_up_a_new_file_and_ends_when_stopped(settings, payments, command, tmp_path):
    (tmp_path / "in").mkdir()
    process = command(settings, "watch", str(tmp_path / "in"), "--every", "0.2", "--settle", "0.3", "--json")
    assert process.stderr is not None
    assert "watching" in process.stderr.readline()
    payments("in/a.csv", [1])
    ends = time.monotonic() + 60
    while not (settings.home / "watched.json").exists() and time.monotonic() < ends:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert [(file["status"], file["rows_loaded"]) for file in json.loads(out)["files"]] == [("loaded", 1)]
    assert process.returncode == 130
    assert "nothing half done was kept" in err


def test_standard_input_and_odd_intervals_are_refused(settings, monkeypatch, capsys):
    monkeypatch.setenv("KPI_HOME", str(settings.home))
    for words, said in (
        (["-"], "standard input can't be watched"),
        ([".", "--every", "0"], "--every takes"),
        ([".", "--settle", "nan"], "--every takes"),
    ):
        assert main(["watch", *words]) == 2, words
        assert said in capsys.readouterr().err
