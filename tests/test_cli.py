"""What a user sees when something fails that nobody foresaw."""

from __future__ import annotations

import pytest

from kpi import cli
from kpi.commands import show


def fail(*_: object) -> int:
    raise RuntimeError("gone\nand more")


def test_no_traceback_reaches_a_user(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("KPI_DEBUG", raising=False)
    monkeypatch.setattr(show.definitions, "load", fail)
    assert cli.main(["show", "revenue"]) == 1
    assert capsys.readouterr().err == "this failed in a way nobody foresaw (RuntimeError: gone); KPI_DEBUG=1 shows where\n"
