"""Jira's CSV export."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from kpi.errors import HeldBack
from tests.connectors.conftest import SAMPLES, Stager

D = Decimal


def test_issues(staged: Stager) -> None:
    result = staged("jira_cloud.csv", timezone="Europe/Berlin")
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (3, 3, 0)
    assert result.rows("issue", "issue_id", "key", "title", "status_category", "component", "labels", "epic", "points") == [
        ("jira:10001", "ATL-1", "Export as CSV", "done", "api, web", "a, b", "ATL-9", D("3.000000")),
        ("jira:10002", "ATL-2", "A title\nof two lines", "dropped", None, None, None, None),
        ("jira:10003", "ATL-3", "Open one", "doing", None, None, None, None),
    ]
    # 16:37 in Berlin in winter is 15:37 UTC
    assert result.rows("issue", "key", "created_at", "resolved_at")[0] == (
        "ATL-1",
        datetime(2026, 2, 15, 15, 37),
        datetime(2026, 2, 19, 10, 15),
    )


def test_worklogs_of_cells(staged: Stager) -> None:
    result = staged("jira_cloud.csv")
    # 5400 s; the comment holds a semicolon
    assert result.rows("worklog", "worklog_id", "worked_on", "person", "hours", "comment") == [
        ("jira:10001:1", date(2026, 2, 16), "ada", D("1.500000"), "first; then second"),
        ("jira:10001:2", date(2026, 2, 17), "bob", D("1.000000"), None),
    ]
    assert result.problems() == [(5, "Log Work", "oops", "not comment;date;person;seconds")]
    replaces = next(part.replaces for part in result.staged.tables if part.table == "worklog")
    assert replaces is not None
    assert result.connection.execute(f"SELECT count(*) FROM {replaces.scope}").fetchall() == [(3,)]


def test_worklogs_reach_as_far_as_the_issues(staged: Stager) -> None:
    covers = staged("jira_cloud.csv").staged.covers
    assert covers["worklog"] == covers["issue"] == (date(2026, 2, 15), date(2026, 2, 21), "dates of its rows")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("14/May/26 4:07 PM", datetime(2026, 5, 14, 16, 7)),
        ("14/May/26 16:07", datetime(2026, 5, 14, 16, 7)),
        ("2026-05-14 16:07", datetime(2026, 5, 14, 16, 7)),
        ("14/May/2026 4:07 PM", datetime(2026, 5, 14, 16, 7)),
        ("2026-05-14 16:07:08", datetime(2026, 5, 14, 16, 7, 8)),
        ("May/14/26 4:07 PM", datetime(2026, 5, 14, 16, 7)),
        ("2026-05-14", datetime(2026, 5, 14)),
        ("14-05-2026 16:07", datetime(2026, 5, 14, 16, 7)),
        ("5/14/2026 16:07", datetime(2026, 5, 14, 16, 7)),
        ("14/05/2026", datetime(2026, 5, 14)),
    ],
)
def test_every_shape_of_a_date(staged: Stager, written: str, meant: datetime) -> None:
    text = f"Summary,Issue key,Issue id,Issue Type,Status,Created\nA,A-1,1,Bug,Open,{written}\n"
    assert staged(text).rows("issue", "created_at") == [(meant,)]


def test_rows_wider_than_the_header(staged: Stager) -> None:
    lines = (SAMPLES / "jira_cloud.csv").read_text().splitlines()
    lines[-1] += ",,"
    result = staged("\n".join([*lines, "Wide,ATL-4,10004,Bug,Open,ATL,Low,,,17/Feb/26 8:00 AM,,,,,,,,,,,To Do,more"]) + "\n", bad_share=0.5)
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (4, 3, 1)
    assert result.problems()[-1][3] == "it has 22 cells where the header has 21"


def test_the_real_exports(staged: Stager, shared_data: Path) -> None:
    big = staged(shared_data / "jira" / "jira_cloud_native_CS4483.csv")
    assert len(big.rows("issue", "key")) == 68
    assert sum(hours for (hours,) in big.rows("worklog", "hours")) == D("3.5")  # 1 + 0.5 + 2
    assert len(staged(shared_data / "jira" / "jira_cloud_native_SCRUM.csv").rows("issue", "key")) == 5


@pytest.mark.parametrize(
    ("written", "month"),
    [
        *[
            ("12/Mär/26 4:31 PM", 3),
            ("12/März/26 4:31 PM", 3),
            ("12/Mrz/26 4:31 PM", 3),
            ("12/Dez./26 4:31 PM", 12),
            ("12 Oktober 2026", 10),
        ],
        *[("12/mars/26 4:31 PM", 3), ("12/févr./26 4:31 PM", 2), ("12/août/26 16:31", 8), ("12/juil./26 16:31", 7), ("12-déc.-26", 12)],
        *[("12/ene/26 16:31", 1), ("12/ago/26 16:31", 8), ("12 diciembre 2026", 12)],
        *[("12/gen/26 16:31", 1), ("12/mag/26 16:31", 5), ("12/set/26 16:31", 9), ("12/ott/26 16:31", 10), ("12 luglio 2026", 7)],
        *[("12/mrt/26 16:31", 3), ("12/mei/26 16:31", 5), ("12 augustus 2026", 8)],
        *[("12/fev/26 16:31", 2), ("12/out/26 16:31", 10), ("12 março 2026", 3)],
        ("12/Sept/26 16:31", 9),
    ],
)
def test_months_in_the_language_of_whoever_exported(staged: Stager, written: str, month: int) -> None:
    result = staged(f"Summary,Issue key,Issue id,Issue Type,Status,Created,Log Work\nA,A-1,1,Bug,Open,{written},x;{written};me;3600\n")
    assert [moment.date() for (moment,) in result.rows("issue", "created_at")] == [date(2026, month, 12)]
    assert result.rows("worklog", "worked_on") == [(date(2026, month, 12),)]


def test_a_month_that_nobody_knows_is_not_guessed(staged: Stager) -> None:
    with pytest.raises(HeldBack, match=r'"Created": not a date and time .*such as 12/Mäz/26 16:31'):
        staged("Summary,Issue key,Issue id,Issue Type,Status,Created\nA,A-1,1,Bug,Open,12/Mäz/26 16:31\n")


def test_server_names_some_columns_otherwise(staged: Stager) -> None:
    result = staged("jira_server.csv")
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (2, 2, 0)
    assert result.rows("issue", "issue_id", "status_category", "component", "labels", "epic", "points", "resolved_at") == [
        ("jira:20001", "done", "api, web", "a, b", "ATL-9", D(3), datetime(2026, 2, 19, 11, 15)),
        ("jira:20002", "todo", None, None, None, None, None),
    ]
    assert result.rows("worklog", "issue_id", "hours") == [("jira:20001", D("1.5"))]


def test_version_6_with_its_footer_and_without_ids(staged: Stager) -> None:
    result = staged("jira_old.csv")
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (3, 3, 0)
    assert result.staged.as_of == datetime(2014, 3, 22, 10, 53)
    assert result.rows("issue", "issue_id", "status_category", "resolution", "created_at", "resolved_at") == [
        ("jira:OLD-7", "done", "Fixed", datetime(2014, 3, 12, 9, 15), None),
        ("jira:OLD-8", "dropped", "Won't Fix", datetime(2014, 3, 12, 9, 20), None),
        ("jira:OLD-9", "todo", None, datetime(2014, 3, 13, 9, 20), None),
    ]
    assert "2 resolved issues don't say when: they count as done, and on no day as resolved" in result.staged.notes


@pytest.mark.parametrize(
    ("status", "category", "resolution", "meant"),
    [
        ("Closed", "Done", "Duplicate", "dropped"),
        ("Won't Do", "Done", "", "dropped"),
        ("Rejected", "In Progress", "", "doing"),  # a step back to work
        ("Abgebrochen", "Fertig", "", "dropped"),
        ("Soaking", "In Arbeit", "", "doing"),
        ("Soaking", "", "Fixed", "done"),
        ("Soaking", "", "", None),
        ("Reopened", "To Do", "", "todo"),
    ],
)
def test_what_a_status_means(staged: Stager, status: str, category: str, resolution: str, meant: str | None) -> None:
    header = "Summary,Issue key,Issue id,Issue Type,Status,Status Category,Resolution,Created"
    result = staged(f"{header}\nA,A-1,1,Bug,{status},{category},{resolution},14/May/26 4:07 PM\n")
    assert result.rows("issue", "status_category") == [(meant,)]
