"""metrics.yaml and its versions: both or neither, and nobody's text is lost."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from kpi.errors import DefinitionsError, FileMoved, NotSaved, RecordsError, UnknownVersion, UsageError
from kpi.metrics import definitions, saving
from kpi.metrics.saving import Saving, Written, note, read, save, why_not
from kpi.records import versions
from kpi.settings import Settings

TEXT = """\
# ours
north_star: win_rate
currency: EUR
metrics:
  won: {count: deal, at: closed_on, where: is_won}
  closed: {count: deal, at: closed_on, where: is_won or is_lost}
  win_rate: {formula: won / closed, unit: percent, target: {2026: 30%}}
"""
OTHER = TEXT.replace("where: is_won}", "where: is_won and amount > 0}")


@pytest.fixture
def chosen(tmp_path):
    (tmp_path / "metrics.yaml").write_text(TEXT, encoding="utf-8")
    return Settings(home=tmp_path / "home", metrics=tmp_path / "metrics.yaml")


def one(text, base, **more):
    return Saving(text.encode(), base, "Ann", "amounts of nothing are no deals", **more)


def test_saving_writes_the_text_and_a_version(chosen):
    kept = save(chosen, one(OTHER, read(chosen.metrics).hash))
    assert chosen.metrics.read_text(encoding="utf-8") == OTHER
    found, first = versions.history(chosen)
    assert found == kept
    assert (found.number, found.origin, found.author, found.reason) == (2, "page", "Ann", "amounts of nothing are no deals")
    assert found.definitions == definitions.load(chosen.metrics).hash  # what figures carry
    assert dict(found.touched) == {"won": "changed", "win_rate": "through"}
    # the file as it was found is the first
    assert (first.number, first.origin, first.author, dict(first.touched)) == (1, "file", "", {})
    assert versions.text_of(chosen, 1) == TEXT.encode()
    assert versions.text_of(chosen, 2) == OTHER.encode()


def test_a_file_changed_elsewhere_is_recorded_as_such_and_once(chosen):
    assert note(chosen).reason == "as it was found"
    assert note(chosen) is None
    chosen.metrics.write_text(TEXT.replace("2026: 30%", "2026: 35%"), encoding="utf-8")
    seen = note(chosen)
    assert (seen.origin, seen.author, seen.reason, dict(seen.touched)) == (
        "file",
        "",
        "changed outside this program",
        {"win_rate": "changed"},
    )
    chosen.metrics.write_text("metrics: [", encoding="utf-8")
    assert note(chosen) is None  # broken: nothing is served by it
    assert len(versions.history(chosen)) == 2


def test_neither_side_overwrites_the_other(chosen):
    base = read(chosen.metrics).hash
    theirs = TEXT.replace("# ours", "# ours, says Bob")
    chosen.metrics.write_text(theirs, encoding="utf-8")
    with pytest.raises(FileMoved) as caught:
        save(chosen, one(OTHER, base))
    assert caught.value.theirs == theirs.encode()
    assert chosen.metrics.read_text(encoding="utf-8") == theirs
    assert versions.history(chosen) == []
    # and what they wrote is a version of its own before it is written over
    save(chosen, one(OTHER, read(chosen.metrics).hash))
    assert [version.origin for version in versions.history(chosen)] == ["page", "file"]
    assert versions.text_of(chosen, 1) == theirs.encode()


def test_a_text_with_problems_is_not_saved(chosen):
    with pytest.raises(DefinitionsError) as caught:
        save(chosen, one(TEXT.replace("count: deal", "count: deals", 1), None))
    assert [problem.line for problem in caught.value.problems] == [5]
    assert chosen.metrics.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize(
    ("author", "reason", "said"), [(" ", "x", "your name"), ("Ann", "", "a reason"), ("Ann", "x" * 501, "500 characters")]
)
def test_who_and_why_are_asked(chosen, author, reason, said):
    with pytest.raises(UsageError, match=said):
        save(chosen, Saving(OTHER.encode(), None, author, reason))
    assert chosen.metrics.read_text(encoding="utf-8") == TEXT


def test_a_restored_version_is_a_new_one(chosen):
    save(chosen, one(OTHER, None))
    kept = save(chosen, one(TEXT, None, origin="restored", restores=1))
    assert (kept.number, kept.restores, dict(kept.touched)) == (3, 1, {"won": "changed", "win_rate": "through"})
    assert chosen.metrics.read_text(encoding="utf-8") == TEXT
    with pytest.raises(UnknownVersion, match="they go from 1 to 3"):
        versions.text_of(chosen, 4)


def test_without_the_records_nothing_is_written(chosen):
    away = replace(chosen, records_url="postgresql://127.0.0.1:1/nowhere")
    with pytest.raises(RecordsError):
        save(away, one(OTHER, None))
    assert chosen.metrics.read_text(encoding="utf-8") == TEXT


def test_a_file_that_cannot_be_written_keeps_no_version(chosen, monkeypatch):
    def busy(self, target):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr("pathlib.Path.replace", busy)
    with pytest.raises(NotSaved, match="Device or resource busy; nothing was saved; change it where it comes from"):
        save(chosen, one(OTHER, None))
    assert chosen.metrics.read_text(encoding="utf-8") == TEXT
    assert versions.history(chosen) == []
    assert [path.name for path in chosen.metrics.parent.iterdir() if path.name.endswith(".part")] == []


def test_a_read_only_file_is_said_before_anybody_types(chosen, monkeypatch):
    assert why_not(chosen.metrics) is None
    assert "is not there" in why_not(chosen.metrics.with_name("nowhere.yaml"))
    monkeypatch.setattr(os, "access", lambda place, mode: not str(place).endswith(".yaml"))  # root may write everything
    assert why_not(chosen.metrics).startswith(f"{chosen.metrics} is read-only for this program; change it where it comes from")
    with pytest.raises(NotSaved, match="it is read-only"):
        save(chosen, one(OTHER, None))


def test_rights_links_and_ends_of_lines_stay(chosen, tmp_path):
    chosen.metrics.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(chosen.metrics)
    linked = replace(chosen, metrics=link)
    was = Written(("\ufeff" + TEXT.replace("\n", "\r\n")).encode())
    chosen.metrics.write_bytes(was.content)
    assert was.text == TEXT
    save(linked, Saving(was.with_text(OTHER), was.hash, "Ann", "why not"))
    assert link.is_symlink()
    assert chosen.metrics.read_bytes() == ("\ufeff" + OTHER.replace("\n", "\r\n")).encode()
    assert chosen.metrics.stat().st_mode & 0o777 == 0o640
    assert versions.text_of(linked, 2) == chosen.metrics.read_bytes()


def test_a_missing_file_is_a_sentence(chosen):
    chosen.metrics.unlink()
    with pytest.raises(NotSaved, match="KPI_METRICS says where"):
        read(chosen.metrics)
    assert saving.MOST_AUTHOR == 80
