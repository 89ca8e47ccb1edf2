"""``compare``: what the terminal says of a changed file."""

from __future__ import annotations

import io
import json
import sys

import pytest

from kpi import cli
from tests.commands.test_show import DEFINITIONS, home

__all__ = ["home"]


@pytest.fixture
def draft(home, tmp_path):
    """Deals that were lost are won as well."""
    path = tmp_path / "draft.yaml"
    path.write_text(DEFINITIONS.replace("at: closed_on, where: is_won}", "at: closed_on}"), encoding="utf-8")
    return path


def test_it_prints_weeks_before_and_after(draft, capsys):
    assert cli.main(["compare", str(draft)]) == 0
    said = capsys.readouterr().out
    assert "won: Won: its own definition: where" in said
    assert "win_rate: Win rate: through won" in said
    assert "as it would be" in said


def test_json_and_standard_input(draft, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DEFINITIONS.encode())))
    assert cli.main(["compare", str(draft), "--with", "-", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["how"], one["because"]) for one in said["metrics"]] == [
        ("won", "changed", ["where"]),
        ("win_rate", "through", ["won"]),
    ]
    assert said["publishes"] is False


def test_the_same_file_is_the_same(home, tmp_path, capsys):
    assert cli.main(["compare", str(tmp_path / "metrics.yaml")]) == 0
    assert "Both say the same; no figure, target or word differs." in capsys.readouterr().out


def test_what_cannot_be_compared(home, tmp_path, capsys):
    assert cli.main(["compare", str(tmp_path / "nowhere.yaml")]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'nowhere.yaml'}: there is no such file\n"
    broken = tmp_path / "broken.yaml"
    broken.write_text(DEFINITIONS.replace("count: deal", "counts: deal", 1), encoding="utf-8")
    assert cli.main(["compare", str(broken)]) == 1
    assert f"{broken}:8 metrics.won" in capsys.readouterr().err
    assert cli.main(["compare", "-", "--with", "-"]) == 2
