from __future__ import annotations

import json
from pathlib import Path

import pytest

from kpi.cli import main
from kpi.metrics import jsonschema

SOUND = "north_star: won\ncurrency: EUR\nmetrics:\n  won: {count: deal, at: closed_on}\n  all: {formula: won + won}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.yaml"
    path.write_text(SOUND)
    return path


def test_a_sound_file_is_one_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr().out == (
        f"{file}: no problems; 2 metrics (1 formula), 0 dimensions, 0 products, 0 cost categories; the North Star is won\n"
    )


def test_problems_are_lines_and_exit_code_1(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(SOUND.replace("won + won", "won + lots").replace("EUR", "euro"))
    assert main(["check", str(file)]) == 1
    captured = capsys.readouterr()
    assert captured.out == (
        f'{file}:2 currency: "euro" is no currency of ISO 4217; did you mean "EUR"?\n'
        f'{file}:5 metrics.all.formula: no metric is called "lots"; known are won, all\n'
    )
    assert captured.err == f"2 problems in {file}; correct them and check again\n"


def test_a_system_that_nothing_is_imported_from_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(SOUND + "sources: {deal: salesfroce, payment: [stripe, gocardless], cost_line: xero}\n")
    assert main(["check", str(file)]) == 1
    assert capsys.readouterr().out == f'{file}:6 sources.deal: no system is called "salesfroce"; did you mean "salesforce"?\n'


def test_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(SOUND.replace("won + won", "wonn"))
    assert main(["check", str(file), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "file": str(file),
        "problems": [
            {
                "file": str(file),
                "line": 5,
                "key": "metrics.all.formula",
                "message": 'no metric is called "wonn"; did you mean "won"?',
            }
        ],
        "metrics": [],
        "dimensions": [],
    }
    file.write_text(SOUND)
    assert main(["check", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == ["won", "all"]


def test_the_schema_for_editors_looks_at_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPI_METRICS", str(tmp_path / "nowhere.yaml"))
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--schema"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == jsonschema.made()
    assert captured.err == ""
    assert list(tmp_path.iterdir()) == []


def test_without_a_file_the_setting_counts(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KPI_METRICS", str(file))
    assert main(["check"]) == 0
    assert capsys.readouterr().out.startswith(f"{file}: no problems")


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "no.yaml")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'no.yaml'}: there is no such file\n"
