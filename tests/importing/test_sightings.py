"""Successive exports of the same issues and deals, on both engines: their histories."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from kpi.importing.importer import import_paths
from kpi.importing.republish import rebuild
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.schema import coverage, deal_stage, issue, issue_status, worklog

pytestmark = pytest.mark.first_only

T = dt.datetime
HEADER = "Summary,Issue key,Issue id,Issue Type,Status,Resolution,Created,Updated,Resolved"

#: The same issue as four exports show it, and what they make of it.
STATES = (
    "To Do,,2026-03-01 09:00,2026-03-01 10:00,",
    "In Progress,,2026-03-01 09:00,2026-03-05 10:00,",
    "Done,Fixed,2026-03-01 09:00,2026-03-09 10:00,2026-03-09 10:00",
    "Reopened,,2026-03-01 09:00,2026-03-12 10:00,",
)
HISTORY = [
    ("To Do", T(2026, 3, 1, 10), T(2026, 3, 5, 10)),
    ("In Progress", T(2026, 3, 5, 10), T(2026, 3, 9, 10)),
    ("Done", T(2026, 3, 9, 10), T(2026, 3, 12, 10)),
    ("Reopened", T(2026, 3, 12, 10), None),
]


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if request.param == "duckdb":
        return settings
    return dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def export(tmp_path):
    """``export("a.csv", state)`` writes an export of one issue."""

    def write(name, state, extra=""):
        path = tmp_path / name
        path.write_text(f"{HEADER}\nExport,ATL-1,1,Story,{state}\n{extra}")
        return str(path)

    return write


def rows(settings, table, *columns, order):
    with open_reader(settings) as reader:
        found = reader.run(sa.select(*(table.c[name] for name in columns)).order_by(table.c[order])).to_pylist()
    return [tuple(row.values()) for row in found]


def history(settings, table=issue_status, state="status"):
    return rows(settings, table, state, "entered_at", "left_at", order="entered_at")


def test_a_reopened_issue_is_open_again_and_its_history_keeps_both(both, mappings, export, contents):
    for number, state in enumerate(STATES):
        import_paths(both, mappings, [export(f"{number}.csv", state)])
    assert rows(both, issue, "status", "status_category", "resolved_at", order="issue_id") == [("Reopened", "todo", None)]
    assert history(both) == HISTORY
    found = rows(both, coverage, "table_name", "covers_from", "covers_to", "basis", order="table_name")
    assert ("issue_status", dt.date(2026, 3, 1), dt.date(2026, 3, 13), "seen in successive exports") in found

    before = contents(both)
    import_paths(both, mappings, [export("again.csv", STATES[3])])  # the same bytes
    assert contents(both) == before
    import_paths(both, mappings, [export("other.csv", STATES[3], "\n")])  # the same of other bytes
    assert history(both) == HISTORY
    before = contents(both)
    rebuild(both, mappings)
    assert contents(both) == before


@pytest.mark.parametrize("order", [(3, 1, 0, 2), (1, 3, 2, 0)])
def test_the_order_of_the_exports_does_not_matter(settings, mappings, export, order):
    for number in order:
        import_paths(settings, mappings, [export(f"{number}.csv", STATES[number])])
    assert history(settings) == HISTORY
    assert rows(settings, issue, "status", order="issue_id") == [("Reopened",)]


def test_an_export_that_says_no_times_counts_when_it_was_imported(settings, mappings, tmp_path):
    header = "Record ID,Deal Name,Deal Stage,Pipeline,Amount,Close Date,Create Date,Is Closed Won"
    for stage in ("Demo", "Demo", "Offer"):
        path = tmp_path / f"deals-{stage}.csv"
        path.write_text(f"{header}\n7,Atlas,{stage},Sales,100.00,2026-09-01,2026-03-01,false\n" + ("\n" if path.exists() else ""))
        import_paths(settings, mappings, [str(path)])
    (first, second) = history(settings, deal_stage, "stage")
    assert (first[0], second[0]) == ("Demo", "Offer")
    assert first[1] < first[2] == second[1]
    assert second[2] is None


def test_two_states_at_one_time_follow_each_other(settings, mappings, export):
    """A source that counts in days may show another status without a later time: it came after."""
    import_paths(settings, mappings, [export("a.csv", STATES[0])])
    import_paths(settings, mappings, [export("b.csv", STATES[0].replace("To Do", "Blocked"))])
    (first, second) = history(settings)
    assert (first[:2], second[0], second[2]) == (("To Do", T(2026, 3, 1, 10)), "Blocked", None)
    assert first[2] == second[1] > first[1]


OPPORTUNITY = (
    "Id,IsDeleted,AccountId,Name,StageName,Amount,CloseDate,Type,LeadSource,IsClosed,IsWon,OwnerId,CreatedDate,LastModifiedDate\n"
    "006A,0,001A,Atlas,{stage},100,2026-09-22,New,Web,0,0,005A,2026-01-01 10:00:00,{changed}\n"
)
STAGES = (
    "Id,OpportunityId,CreatedDate,StageName,SystemModstamp,IsDeleted\n"
    "008A,006A,2026-01-01 10:00:00,Discovery,2026-01-01 10:00:00,0\n008B,006A,2026-02-01 10:00:00,Offer,2026-02-01 10:00:00,0\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("last", ["history", "snapshot"])
def test_a_history_wins_over_what_exports_showed(both, mappings, tmp_path, contents, last):
    files = {}
    for name, text in (
        ("first", OPPORTUNITY.format(stage="Discovery", changed="2026-01-05 10:00:00")),
        ("snapshot", OPPORTUNITY.format(stage="Offer", changed="2026-02-09 10:00:00")),
        ("history", STAGES),
    ):
        (tmp_path / f"{name}.csv").write_text(text)
        files[name] = str(tmp_path / f"{name}.csv")
    order = ["first", "history", "snapshot"] if last == "snapshot" else ["first", "snapshot", "history"]
    import_paths(both, mappings, [files[order[0]]])
    assert history(both, deal_stage, "stage") == [("Discovery", T(2026, 1, 5, 10), None)]
    for name in order[1:]:
        import_paths(both, mappings, [files[name]])
    assert history(both, deal_stage, "stage") == [
        ("Discovery", T(2026, 1, 1, 10), T(2026, 2, 1, 10)),
        ("Offer", T(2026, 2, 1, 10), None),
    ]
    found = [
        row for row in rows(both, coverage, "table_name", "covers_from", "covers_to", "basis", order="table_name") if row[0] == "deal_stage"
    ]
    assert found == [("deal_stage", dt.date(2026, 1, 1), dt.date(2026, 2, 2), "dates of its rows")]
    before = contents(both)
    rebuild(both, mappings)
    assert contents(both) == before


def test_states_within_a_minute_keep_their_order(settings, mappings, tmp_path):
    head = "ID,Team,Title,Status,Creator,Created,Updated,Completed,Canceled\n"
    for name, status, second in (("b", "Done", "20"), ("a", "Todo", "05")):  # the older one comes later
        (tmp_path / f"{name}.csv").write_text(f"{head}E-1,Eng,A,{status},x,2026-03-01T09:00:00Z,2026-03-01T10:00:{second}Z,,\n")
        import_paths(settings, mappings, [str(tmp_path / f"{name}.csv")])
    assert history(settings) == [
        ("Todo", T(2026, 3, 1, 10, 0, 5), T(2026, 3, 1, 10, 0, 20)),
        ("Done", T(2026, 3, 1, 10, 0, 20), None),
    ]


@pytest.mark.parametrize("first", ["with ids", "without"])
def test_an_issue_exported_with_its_id_and_without_is_one(both, mappings, tmp_path, contents, first):
    """Jira's view of current fields may lack the column of ids. Whichever comes first, the key says that it is the same issue."""
    logged = HEADER + ",Log Work\nExport,ATL-1,1,Story,To Do,,2026-03-01 09:00,2026-03-01 10:00,,;2026-03-01 9:30;ada;3600\n"
    later = HEADER.replace("Issue id,", "") + ",Log Work\nExport,ATL-1,Story,Done,Fixed,2026-03-01 09:00,2026-03-09 10:00,2026-03-09 10:00,"
    files = {"with ids": logged, "without": later + ";2026-03-08 9:30;ada;7200\n"}
    for name in (first, *(name for name in files if name != first)):
        (tmp_path / f"{name}.csv").write_text(files[name])
        import_paths(both, mappings, [str(tmp_path / f"{name}.csv")])
    assert rows(both, issue, "issue_id", "status", "resolved_at", order="issue_id") == [("jira:1", "Done", T(2026, 3, 9, 10))]
    assert history(both) == [("To Do", T(2026, 3, 1, 10), T(2026, 3, 9, 10)), ("Done", T(2026, 3, 9, 10), None)]
    assert [tuple(map(str, row)) for row in rows(both, worklog, "issue_id", "hours", order="worklog_id")] == [("jira:1", "2.000000")]
    before = contents(both)
    rebuild(both, mappings)
    assert contents(both) == before
