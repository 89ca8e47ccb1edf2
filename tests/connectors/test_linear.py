"""Linear's CSV export."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.connectors.conftest import SAMPLES, Stager

D = Decimal
HEADER = (SAMPLES / "linear_30_short_rows.csv").read_text().splitlines()[0]


def test_issues_of_34_columns(staged: Stager) -> None:
    result = staged("linear_34.csv")
    assert (result.staged.connector, result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == ("linear", 3, 3, 0)
    assert result.rows(
        "issue", "issue_id", "status", "status_category", "priority", "project", "component", "labels", "epic", "points"
    ) == [
        ("linear:ENG-1", "Done", "done", "High", "Atlas", "Engine", "api, web", "ENG-9", D(3)),
        ("linear:ENG-2", "Duplicate", "dropped", None, None, "Engine", None, None, None),
        ("linear:ENG-3", "Soaking", "doing", "Low", "Atlas", "Engine", None, None, D(1)),  # begun and not over
    ]
    assert result.rows("issue", "key", "created_at", "started_at", "resolved_at") == [
        ("ENG-1", datetime(2026, 2, 15, 10, 0, 0, 123000), datetime(2026, 2, 16, 9), datetime(2026, 2, 19, 11, 30)),
        ("ENG-2", datetime(2026, 2, 15, 10, 5), None, datetime(2026, 2, 17, 8)),
        ("ENG-3", datetime(2026, 2, 18, 10), datetime(2026, 2, 19, 10), None),
    ]
    assert result.staged.covers == {"issue": (date(2026, 2, 15), date(2026, 2, 22), "dates of its rows")}


def test_30_columns_dates_of_javascript_and_rows_one_field_short(staged: Stager) -> None:
    result = staged("linear_30_short_rows.csv")
    assert (result.staged.rows_read, result.staged.rows_rejected) == (2, 0)
    # 08:53:33 at +02:00 is 06:53:33 UTC
    assert result.rows("issue", "key", "status_category", "created_at", "resolved_at") == [
        ("OPS-1", "done", datetime(2024, 5, 14, 6, 53, 33), datetime(2024, 5, 15, 9)),
        ("OPS-2", "todo", datetime(2024, 5, 14, 10), None),
    ]


@pytest.mark.parametrize("cells", [28, 31])
def test_a_row_of_another_width_is_set_aside(staged: Stager, cells: int) -> None:
    good = "OPS-1,Ops,Renew,,Done,2,Low,,,a,,,,,,,2024-05-14T08:53:33.000Z,2024-05-14T08:53:33.000Z" + "," * 12
    bad = ",".join(["x"] * cells)
    result = staged(f"{HEADER}\n{good}\n{bad}\n", bad_share=0.6)
    assert (result.staged.rows_read, result.staged.rows_loaded, result.staged.rows_rejected) == (2, 1, 1)
    assert result.problems()[0][3] == f"it has {cells} cells where the header has 30"


def test_a_row_that_lacks_a_field_before_its_dates_is_set_aside(staged: Stager) -> None:
    row = "OPS-1,Ops,Renew,Done,2,Low,,,a,,,,,,,2024-05-14T08:53:33.000Z,yesterday" + "," * 12
    result = staged(f"{HEADER}\n{row}\n", bad_share=1.0)
    assert (result.staged.rows_loaded, result.staged.rows_rejected) == (0, 1)
