"""``comments``, ``events``, ``verdicts``: written, exported, imported twice, and refused by line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kpi import cli

METRICS = """\
north_star: collected
calendar: {timezone: UTC}
currency: EUR
metrics:
  collected: {label: Collected, means: money taken, sum: amount, of: payment, at: paid_on, unit: money}
"""


@pytest.fixture
def kpi(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("metrics.yaml").write_text(METRICS)

    def run(*words):
        code = cli.main(list(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def listed(kpi, name):
    return json.loads(kpi(name, "list", "--json")[1])[name]


def test_what_was_exported_is_known_when_it_comes_back_and_is_all_there_elsewhere(kpi, monkeypatch):
    hostile = '=HYPERLINK("http://x")\nand, "more"'
    assert kpi("comments", "add", "collected", "2026-11-12", hostile, "--author", "Ann")[0] == 0
    note = listed(kpi, "comments")[0]["note"]
    assert kpi("comments", "edit", note, "'-1 of them", "--author", "Bob")[:2] == (0, f"written down as {note}\n")
    assert kpi("events", "add", "Price change", "2026-11-12", "--until", "2026-11-14", "--metrics", "collected")[0] == 0
    assert kpi("verdicts", "add", "collected", "2026-W46", "noise", "a holiday")[0] == 0
    for name in ("comments", "events", "verdicts"):
        assert kpi(name, "export", f"{name}.csv")[0] == 0
        assert kpi(name, "import", f"{name}.csv")[1].startswith("0 lines written down; ")
    written = Path("comments.csv").read_text(encoding="utf-8-sig")
    assert "\"'=HYPERLINK(" in written  # an apostrophe keeps a spreadsheet from running it
    assert ",''-1 of them," in written
    before = {name: listed(kpi, name) for name in ("comments", "events", "verdicts")}
    assert (before["comments"][0]["week"], before["comments"][0]["text"], before["comments"][0]["author"]) == (
        "2026-W46",
        "'-1 of them",
        "Bob",
    )
    assert (before["events"][0]["from"], before["events"][0]["to"], before["events"][0]["metrics"]) == (
        "2026-11-12",
        "2026-11-14",
        "collected",
    )
    monkeypatch.setenv("KPI_HOME", "elsewhere")
    for name, lines in (("comments", 2), ("events", 1), ("verdicts", 1)):
        said = f"{lines} line{'s' if lines > 1 else ''} written down; 0 known already\n"
        assert kpi(name, "import", f"{name}.csv")[:2] == (0, said)
        assert listed(kpi, name) == before[name]
    assert json.loads(kpi("comments", "history", "--json")[1])["comments"][0]["text"] == hostile


def test_rows_written_by_hand_are_added_once(kpi):
    Path("new.csv").write_text("metric;week;text\ncollected;2026-W46;first\ncollected;2026-11-11;second\n\n")
    assert kpi("comments", "import", "new.csv")[1] == "2 lines written down; 0 known already\n"
    assert kpi("comments", "import", "new.csv")[1] == "0 lines written down; 2 known already\n"
    assert [(one["week"], one["text"]) for one in listed(kpi, "comments")] == [("2026-W46", "first"), ("2026-W46", "second")]


def test_bad_rows_are_told_by_line_and_nothing_is_imported(kpi):
    Path("bad.csv").write_text(
        "metric,week,text,action,written_at\ncollected,2026-W46,good,,\ncollectd,2026-W46,x,,\ncollected,2026-W99,x,,\n"
        f"collected,2026-W46,{'x' * 2001},,\ncollected,2026-W46,x,burnt,\ncollected,2026-W46,x,edited,\ncollected,2026-W46,x,,soon\n"
    )
    code, _, err = kpi("comments", "import", "bad.csv")
    assert code == 2
    assert err.splitlines() == [
        'bad.csv:3 no metric is called "collectd"; did you mean "collected"?',
        'bad.csv:4 "2026-W99" is not a week such as 2026-W46, or a day of it',
        "bad.csv:5 the comment has 2,001 characters, and at most 2,000 are kept; shorten it",
        'bad.csv:6 action: "burnt" is none of written, edited, withdrawn',
        "bad.csv:7 action: a row that is edited needs its note and written_at, as export writes them",
        'bad.csv:8 "soon" is not a time such as 2026-11-12T09:30:00Z',
        "nothing was imported",
    ]
    assert kpi("comments")[1] == "there are no comments yet\n"


def test_a_note_is_withdrawn_and_its_history_stays(kpi):
    note = re.search(r"written down as (\w+)", kpi("events", "add", "Outage", "2026-11-12")[1])[1]
    assert kpi("events", "withdraw", note)[1] == f"{note} is withdrawn; events history still shows it\n"
    assert kpi("events")[1] == "there are no events yet\n"
    assert "withdrawn" in kpi("events", "history")[1]
    assert kpi("events", "withdraw", note)[0] == 2
    assert kpi("events", "add", "Outage", "12.11.2026")[2] == '"12.11.2026" is not a day such as 2026-11-12\n'
