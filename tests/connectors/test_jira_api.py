"""What Jira's REST API answers to a search."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_issues_of_both_kinds_of_pages(staged: Stager) -> None:
    result = staged("jira_api_search.json", timezone="Europe/Berlin", bad_share=0.5)
    assert (result.staged.connector, result.staged.layout) == ("jira", "api issues")
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (4, 3, 1)
    assert result.rows("issue", "issue_id", "key", "kind", "status_category", "resolution", "priority", "points", "epic") == [
        ("jira:10001", "ATL-1", "Story", "done", "Done", "High", D("5.000000"), "ATL-9"),
        ("jira:10002", "ATL-2", "Story", "dropped", "Won't Do", None, None, None),
        ("jira:10003", "ATL-3", "Bug", "todo", None, "Low", D("3.000000"), None),
    ]
    # 23:30 at +02:00 is 21:30 UTC
    assert result.rows("issue", "source_id", "created_at", "started_at", "resolved_at") == [
        ("10001", datetime(2026, 1, 5, 21, 30), datetime(2026, 1, 12, 8), datetime(2026, 1, 19, 9)),
        ("10002", datetime(2026, 1, 6, 10), None, datetime(2026, 1, 7, 10)),
        ("10003", datetime(2026, 1, 8, 10), None, None),
    ]
    assert result.rows("issue", "component", "labels", "source_account_id", "deal_id", "assignee")[0] == (
        "search, index", "perf, q1", "First GmbH", "salesforce:0061r00000AAAAAAA", "Ada",
    )  # fmt: skip
    assert result.problems() == [(35, "fields.created", "yesterday", "not a date and time")]


def test_histories_become_statuses(staged: Stager) -> None:
    result = staged("jira_api_search.json", bad_share=0.5)
    assert result.rows("issue_status", "issue_id", "status", "entered_at", "left_at") == [
        ("jira:10001", "Done", datetime(2026, 1, 19, 9), None),
        ("jira:10001", "In Progress", datetime(2026, 1, 12, 8), datetime(2026, 1, 19, 9)),
        ("jira:10001", "To Do", datetime(2026, 1, 5, 21, 30), datetime(2026, 1, 12, 8)),
        # never moved: in its status since it was made; of ATL-2 only half the history is there
        ("jira:10003", "Selected", datetime(2026, 1, 8, 10), None),
    ]
    replaces = next(part.replaces for part in result.staged.tables if part.table == "issue_status")
    assert replaces is not None
    spoken_of = result.connection.execute(f"SELECT issue_id FROM {replaces.scope} ORDER BY 1").fetchall()
    assert spoken_of == [("jira:10001",), ("jira:10003",)]


def test_worklogs(staged: Stager) -> None:
    result = staged("jira_api_search.json", timezone="Europe/Berlin", bad_share=0.5)
    # 23:30 UTC on the 10th is the 11th in Berlin; 5400 s are 1.5 hours
    assert result.rows("worklog", "worklog_id", "issue_id", "person", "worked_on", "hours", "comment") == [
        ("jira:501", "jira:10001", "a1", date(2026, 1, 11), D("1.500000"), "index built"),
        ("jira:502", "jira:10001", "bob", date(2026, 1, 11), D("0.333333"), "review; done"),
    ]
    assert "1 issue has more worklogs than the file holds" in " ".join(result.staged.notes)
    assert "1 issue has a longer history than the file holds" in " ".join(result.staged.notes)


def issue(**fields: Any) -> dict[str, Any]:
    about = {"summary": "x", "status": {"name": "To Do", "statusCategory": {"key": "new"}}, "created": "2026-01-08T10:00:00.000+0000"}
    return {"id": "1", "key": "A-1", "fields": {**about, **fields}}


def test_points_without_the_names_of_fields_are_told(staged: Stager, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([issue(customfield_10016=3)]))
    result = staged(path)
    assert result.rows("issue", "points") == [(D("3.000000"),)]
    assert result.staged.notes == (
        "1 issue has points in customfield_10016, which is taken for story points: ask the API to expand names to be sure",
    )
    # with the names there is nothing to guess
    path.write_text(json.dumps({"issues": [issue(customfield_10016=3)], "names": {"customfield_10016": "Risk"}}))
    assert staged(path).staged.notes == ()


def test_what_a_file_does_not_hold_is_left_as_it_was(staged: Stager, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"issues": [issue()], "names": {}}))
    result = staged(path)
    scopes = [part.replaces.scope for part in result.staged.tables if part.replaces is not None]
    assert len(scopes) == 2
    assert all(result.connection.execute(f"SELECT * FROM {scope}").fetchall() == [] for scope in scopes)
    columns = {row[0] for row in result.connection.execute(f"DESCRIBE {result.staged.tables[0].relation}").fetchall()}
    assert "resolution" not in columns


def test_the_csv_speaks_of_the_same_issue(staged: Stager) -> None:
    by_csv = staged((SAMPLES / "jira_cloud.csv").read_text())
    (key, number) = by_csv.rows("issue", "key", "source_id")[0]
    text = (SAMPLES / "jira_api_search.json").read_text().replace('"10001", "key": "ATL-1"', f'"{number}", "key": "{key}"')
    assert (by_csv.rows("issue", "issue_id")[0][0],) in staged(text, bad_share=0.5).rows("issue", "issue_id")
