"""``python -m kpi unmapped``: what the rules of metrics.yaml leave open."""

from __future__ import annotations

import json
import re

import pytest

from kpi.cli import main

LEDGER = """Acme
General Ledger
January 2026

,Date,Transaction Type,Num,Name,Class,Memo/Description,Split,Amount,Balance
5100 Hosting,,,,,,,,,
,01/16/2026,Bill,1,Cloud Co,Atlas,,AP,100.00,
,01/17/2026,Bill,2,Cloud Co,Nobody,,AP,40.00,
Total for 5100 Hosting,,,,,,,,,
7000 Travel,,,,,,,,,
,01/16/2026,Bill,3,Rail,,,AP,30.00,
,01/31/2026,Bill,4,Rail,,,AP,-5.50,
Total for 7000 Travel,,,,,,,,,
"""
METRICS = """north_star: costs
metrics:
  costs: {sum: amount, of: cost_line, at: booked_on, unit: money}
currency: EUR
products:
  Atlas: {quickbooks: {class: Atlas}}
costs:
  hosting: ['5100*']
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    (tmp_path / "ledger.csv").write_text(LEDGER)
    (tmp_path / "metrics.yaml").write_text(METRICS)
    monkeypatch.setenv("KPI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KPI_METRICS", str(tmp_path / "metrics.yaml"))
    assert main(["import", str(tmp_path / "ledger.csv")]) == 0
    return tmp_path


def test_what_is_unmapped_with_its_amounts(desk, capsys):
    capsys.readouterr()
    assert main(["unmapped", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "accounts_without_category": [
            {
                "source": "quickbooks",
                "ledger_account": "7000 Travel",
                "currency": "EUR",
                "rows": 2,
                "amount": "24.5000",
                "first_on": "2026-01-16",
                "last_on": "2026-01-31",
            }
        ],
        "without_product": [
            {
                "table": "cost_line",
                "source": "quickbooks",
                "source_product_id": "Nobody",
                "currency": "EUR",
                "rows": 1,
                "amount": "40.0000",
            }
        ],
        "without_account": [],
    }


def test_rules_that_change_are_applied_first(desk, capsys):
    (desk / "metrics.yaml").write_text(METRICS.replace("['5100*']", "['5100*']\n  other: ['7000*']"))
    capsys.readouterr()
    assert main(["unmapped"]) == 0
    out = capsys.readouterr().out
    assert "ledger accounts without a category: none" in out
    assert re.search(r"cost_line +quickbooks +\(none\) +EUR +2 +24.5000", out)
    assert re.search(r"cost_line +quickbooks +Nobody +EUR +1 +40.0000", out)
    assert "rows whose customer is not matched: none" in out


def test_issues_have_rows_and_no_amounts(desk, capsys):
    (desk / "issues.csv").write_text(
        "Summary,Issue key,Issue id,Issue Type,Status,Project key,Created\nA,OPS-1,1,Bug,Open,OPS,2026-01-15 10:00\n"
    )
    assert main(["import", str(desk / "issues.csv")]) == 0
    capsys.readouterr()
    assert main(["unmapped"]) == 0
    assert re.search(r"issue +jira +OPS +1$", capsys.readouterr().out, re.MULTILINE)
