"""Asana's CSV export and its sync to Google Sheets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from kpi.errors import HeldBack
from tests.connectors.conftest import Stager

D = Decimal
HEADER = (
    "Task ID,Created At,Completed At,Last Modified,Name,Section/Column,Assignee,Assignee Email,Start Date,Due Date,Tags,Notes,Projects,"
    "Parent task,Blocked By (Dependencies),Blocking (Dependencies),Story Points "
)


def task(number: str, completed: str, section: str) -> str:
    return f'{number},2026-02-15,{completed},2026-02-20,Task,{section},Ada,,,,"a,b",,Atlas,,,,3'


def test_a_sheet_with_an_address_above_the_header_and_rows_of_commas(staged: Stager) -> None:
    result = staged("asana_sheets.csv", timezone="Europe/Berlin")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == ("asana", 2, 2, 0)
    # midnight in Berlin in winter is 23:00 UTC of the day before
    assert result.rows("issue", "issue_id", "status", "status_category", "labels", "points", "created_at", "resolved_at") == [
        ("asana:1211430000000001", "Done", "done", "a, b", D(3), datetime(2026, 2, 14, 23), datetime(2026, 2, 18, 23)),
        ("asana:1211430000000002", "In progress", "doing", None, None, datetime(2026, 2, 14, 23), None),
    ]


@pytest.mark.parametrize(
    ("completed", "section", "category"),
    [
        ("2026-02-19", "Shipping", "done"),
        ("2026-02-19", "Won't do", "dropped"),
        ("", "Backlog", "todo"),
        ("", "Shipping", None),
        ("", "Done", "doing"),  # nobody has completed it
    ],
)
def test_a_section_is_the_status(staged: Stager, completed: str, section: str, category: str | None) -> None:
    result = staged(f"{HEADER}\n{task('1211430000000001', completed, section)}\n")
    assert result.rows("issue", "status", "status_category") == [(section, category)]


def test_ids_that_a_spreadsheet_has_shortened_are_refused(staged: Stager) -> None:
    with pytest.raises(HeldBack, match=r'"Task ID": a spreadsheet has shortened this id.*export the file again'):
        staged(f"{HEADER}\n{task('1.21143E+15', '', 'To Do')}\n")


def test_a_last_row_that_is_cut_off_is_a_problem(staged: Stager) -> None:
    rows = [task(f"12114300000000{at:02d}", "", "Shipping") for at in range(8)]
    cut = rows[-1].replace("12114300000000", "12114300000099")
    result = staged("\n".join([HEADER, *rows, cut[: cut.index("Shipping") + 4]]))
    assert [reason for *_, reason in result.problems()] == ["the file ends in the middle of it"]
    assert len(result.rows("issue", "issue_id")) == 8
