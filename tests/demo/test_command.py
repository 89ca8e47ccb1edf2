"""``demo``, as far as it goes without importing the sample: see test_truth.py for the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kpi.cli import main
from kpi.importing.importer import import_paths
from kpi.settings import Settings
from kpi.warehouse.mappings import Mappings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.slow
def test_files_only_imports_nothing(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "files"
    assert main(["demo", "--until", "2026-11-15", "--into", str(folder), "--files-only", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.csv"))
    assert (said["status"], said["seed"], said["end"], sorted(said["files"])) == ("written", 2026, "2026-11-15", written)
    assert len(written) == 17
    assert not home.exists()
    # Again, with another seed: a sample may be written over a sample.
    assert main(["demo", "--until", "2026-11-15", "--seed", "8", "--into", str(folder), "--files-only"]) == 0
    assert capsys.readouterr().out == f"17 files of the sample company of seed 8 up to 2026-11-15 are in {folder}; nothing was imported\n"


def test_a_day_that_ends_no_week_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--until", "2026-11-14"]) == 2
    assert capsys.readouterr().err == "--until 2026-11-14 is a Saturday; the sample ends with a week, on a Sunday such as 2026-11-08\n"
    assert main(["demo", "--until", "soon"]) == 2
    assert capsys.readouterr().err == "--until soon is no date; write it like 2026-11-15\n"


def test_a_folder_with_other_files_is_left_alone(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    assert main(["demo", "--until", "2026-11-15", "--into", str(tmp_path), "--files-only"]) == 2
    assert capsys.readouterr().err == f"{tmp_path} holds files that are no sample; name an empty folder with --into\n"


def test_other_data_are_not_mixed_with_the_sample(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = tmp_path / "payments.csv"
    export.write_text(
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Status\nch_1,2026-11-02 10:00:00,12.00,0.00,eur,Paid\n", encoding="utf-8"
    )
    assert [file.status for file in import_paths(Settings(home=home), Mappings(), [str(export)]).files] == ["loaded"]
    assert main(["demo", "--until", "2026-11-15"]) == 1
    assert capsys.readouterr().err == (
        f"{home} already holds data of {export}; the sample would be mixed with it and nothing was changed. "
        "Use another folder (KPI_HOME=sample-data python -m kpi demo), or write the files alone with --files-only\n"
    )
    assert not (home / "sample").exists()
