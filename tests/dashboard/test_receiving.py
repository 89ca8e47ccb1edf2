"""Uploads: what a file may be called, one at a time, and the same report as the command line's."""

from __future__ import annotations

import io
import threading

import pytest

import app
from kpi.dashboard.receiving import BUSY, FAILED, MOST_FILES, NOT_HERE, Asked, Received, Receiving, safe_name
from kpi.errors import WarehouseError
from kpi.settings import Settings

from .conftest import METRICS

RATES = "Date,From,To,Rate\n2026-11-02,USD,EUR,0.9\n"


def file(name: str, text: str = RATES) -> io.BytesIO:
    made = io.BytesIO(text.encode())
    made.name = name
    return made


@pytest.fixture
def chosen(tmp_path):
    (tmp_path / "metrics.yaml").write_text(METRICS, encoding="utf-8")
    return Settings(home=tmp_path / "home", metrics=tmp_path / "metrics.yaml", sources=tmp_path / "sources")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Account.csv", "Account.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\Bericht Q1 (neu).csv", "Bericht Q1 (neu).csv"),
        (".htaccess", "htaccess"),
        ("-rf.csv", "rf.csv"),
        ("s3://bucket/[ab]*?.csv", "_ab___.csv"),
        ("a\x00\nb.csv", "a__b.csv"),
        ("", "file"),
        ("..", "file"),
        ("Umsätze.csv", "Umsätze.csv"),
        ("x" * 300 + ".csv.gz", "x" * 108 + "xxxxx.csv.gz"),
    ],
)
def test_names(sent, kept):
    assert safe_name(sent) == kept


def test_an_upload_is_imported_and_reported_and_its_folder_goes(chosen):
    receiving = Receiving()
    receiving.importer = app.receive
    assert receiving.start(chosen, [file("rates.csv"), file("rates.csv", "nothing,known\n1,2\n")], Asked()) == ""
    receiving.wait()
    state = receiving.state
    assert state.failure == ""
    first, second = state.received.lines
    assert (first.file, first.recognised, first.status, first.loaded) == ("rates (2).csv", "", "unknown", 0)
    assert (second.file, second.recognised, second.status, second.read, second.loaded) == ("rates.csv", "rates rate table", "loaded", 1, 1)
    assert any("rates.csv" in sentence and str(chosen.home) not in sentence for sentence in state.said)
    assert state.received.generation == 1
    assert list((chosen.home / "uploads").iterdir()) == []
    receiving.forget()
    assert receiving.state.received is None


def test_one_at_a_time_and_failures_are_sentences(chosen):
    receiving, go = Receiving(), threading.Event()
    assert receiving.start(chosen, [file("a.csv")], Asked()) == NOT_HERE
    failures = [WarehouseError("the disk is full"), ValueError("hm")]

    def fails(settings, folder, asked, say):
        assert go.wait(10)
        raise failures.pop(0)

    receiving.importer = fails
    assert receiving.start(chosen, [file("a.csv")], Asked()) == ""
    assert receiving.state.running
    assert receiving.start(chosen, [file("b.csv")], Asked()) == BUSY
    go.set()
    receiving.wait()
    assert receiving.state.failure == "the disk is full"
    receiving.start(chosen, [file("a.csv")], Asked())
    receiving.wait()
    assert receiving.state.failure == FAILED
    assert list((chosen.home / "uploads").iterdir()) == []


def test_what_the_user_says_of_dates_and_amounts_is_asked_of_the_import(chosen):
    receiving, seen = Receiving(), []
    receiving.importer = lambda settings, folder, asked, say: seen.append(asked) or Received((), (), 1)
    receiving.start(chosen, [file("a.csv")], Asked("dmy", "minor"))
    receiving.wait()
    assert seen == [Asked("dmy", "minor")]


def test_too_many_files_are_refused(chosen):
    receiving = Receiving()
    receiving.importer = lambda *all_: Received((), (), 1)
    said = receiving.start(chosen, [file("a.csv")] * (MOST_FILES + 1), Asked())
    assert said == f"{MOST_FILES + 1} files are more than one upload takes; it takes 50, and python -m kpi import FOLDER any number."
    assert not receiving.state.running
