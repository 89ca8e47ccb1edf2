"""``check`` of mappings, ``connectors`` with them, and ``connectors --draft``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kpi.cli import main

MAPPING = """\
source: tills
exports:
  sales:
    columns: [Receipt, Sold on, Net]
    rows:
      payment: {payment_id: Receipt, status: {value: paid}, amount: Net, currency: {value: EUR}, paid_on: Sold on}
"""
DEFINITIONS = "north_star: won\ncurrency: EUR\nsources: {payment: tills}\nmetrics:\n  won: {count: deal, at: closed_on}\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with definitions and a mapping; the settings say so."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "tills.yaml").write_text(MAPPING)
    (tmp_path / "metrics.yaml").write_text(DEFINITIONS)
    for name, value in (("HOME", "home"), ("METRICS", "metrics.yaml"), ("SOURCES", "sources")):
        monkeypatch.setenv(f"KPI_{name}", str(tmp_path / value))
    return tmp_path


def test_check_looks_at_every_mapping(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0  # and metrics.yaml may name the mapping's system
    assert f"{desk / 'sources' / 'tills.yaml'}: no problems; 1 export of tills into payment" in capsys.readouterr().out
    broken = desk / "sources" / "other.yaml"
    broken.write_text(MAPPING.replace("amount: Net", "amuont: Net"))
    assert main(["check"]) == 1
    captured = capsys.readouterr()
    assert f'{broken}:6 exports.sales.rows.payment.amuont: payment has no key "amuont"; did you mean "amount"?' in captured.out
    assert captured.err == f"1 problem in {broken}; correct them and check again\n"
    assert main(["check", str(broken), "--json"]) == 1
    assert [problem["line"] for problem in json.loads(capsys.readouterr().out)["problems"]] == [6]


def test_two_mappings_of_one_name_are_a_problem(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "sources" / "zweite.yaml").write_text(MAPPING)
    assert main(["check"]) == 1
    assert 'zweite.yaml:1 source: "tills" is a system that is known already' in capsys.readouterr().out


def test_the_schema_of_mappings(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema", "sources"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "sources/*.yaml"
    assert main(["check", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "metrics.yaml"


def test_connectors_list_mappings(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["connectors", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["connectors"]
    assert listed[-1] == {"connector": "tills", "label": "tills", "layout": "sales", "export": f"see {desk / 'sources' / 'tills.yaml'}"}


def test_a_draft_goes_to_stdout(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = desk / "club_members.csv"
    file.write_text("member_id,name,sign_up\n1,Ada,2026-01-01\n2,Bob,2026-01-02\n")
    assert main(["connectors", "--draft", str(file)]) == 0
    text = capsys.readouterr().out
    assert "source: club " in text
    assert "- member_id    # number, such as 1, 2" in text
    assert main(["connectors", "--draft", str(desk / "none.csv")]) == 2
    assert capsys.readouterr().err == f"there is no file {desk / 'none.csv'}\n"
    sales = desk / "sales.csv"
    sales.write_text("Receipt,Sold on,Net\nR-1,2026-01-01,5.00\n")
    assert main(["connectors", "--draft", str(sales)]) == 0
    assert "# ? tills sales reads this file already" in capsys.readouterr().out
