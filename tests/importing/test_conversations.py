"""What was said in a call meets what is known of the call, in whichever order the two files come."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from kpi.importing.importer import import_paths
from kpi.importing.republish import rebuild
from kpi.warehouse.engines import open_reader
from kpi.warehouse.schema import remark

pytestmark = pytest.mark.first_only

SAMPLES = Path(__file__).parent.parent / "connectors" / "samples"
SAID = SAMPLES / "gong_transcript.json"
KNOWN = SAMPLES / "gong_calls.json"
ACCOUNTS = "Id,Name,OwnerId,BillingCountry,LastModifiedDate,Website\n001A0000001bcdEFG2,First GmbH,005A,Germany,2026-03-01T00:00:00.000Z,\n"


def _remarks(settings):
    names = ("said_at", "speaker", "side", "account_id", "deal_id", "subject", "text")
    with open_reader(settings) as reader:
        rows = reader.run(sa.select(*(remark.c[name] for name in names)).order_by(remark.c.remark_id)).to_pylist()
    return [tuple(row.values()) for row in rows]


EXPECTED = [
    # the call began at 14:02:00.5 in Berlin, 13:02:00.5 UTC, and this was said 0.46 seconds later
    (
        dt.datetime(2026, 3, 5, 13, 2, 0, 960000),
        "Sam",
        "seller",
        "salesforce:001A0000001bcdEFG2",
        "salesforce:006A0000001bcdEFG2",
        "First: pilot review",
        "Hello. How is the pilot going?",
    ),
    (
        dt.datetime(2026, 3, 5, 13, 3, 1, 730000),
        "Ada Byron",
        "customer",
        "salesforce:001A0000001bcdEFG2",
        "salesforce:006A0000001bcdEFG2",
        "First: pilot review",
        "It is too slow for us.",
    ),
]


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    path = tmp_path / "Account.csv"
    path.write_text(ACCOUNTS)
    return path


def test_before_the_call_is_known_only_the_words_are(settings, mappings, accounts):
    import_paths(settings, mappings, [str(accounts), str(SAID)])
    assert _remarks(settings)[0] == (None, "6432345678555530067", None, None, None, None, "Hello. How is the pilot going?")


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_the_order_of_the_files_changes_nothing(settings, mappings, accounts, order):
    files = [str(accounts), str(SAID), str(KNOWN)]
    for at in order:
        import_paths(settings, mappings, [files[at]])
    assert _remarks(settings) == EXPECTED


def test_a_newer_transcript_keeps_what_is_known_of_the_call(settings, mappings, accounts, tmp_path):
    import_paths(settings, mappings, [str(accounts), str(SAID), str(KNOWN)])
    newer = tmp_path / "newer.json"
    newer.write_text(SAID.read_text().replace("too slow for us", "much too slow"))
    import_paths(settings, mappings, [str(newer)])
    assert _remarks(settings) == [EXPECTED[0], (*EXPECTED[1][:-1], "It is much too slow.")]


def test_a_rebuild_gives_the_same(settings, mappings, accounts, contents):
    for file in (SAID, KNOWN, accounts):
        import_paths(settings, mappings, [str(file)])
    before = contents(settings)
    rebuild(settings, mappings)
    assert contents(settings) == before
    assert _remarks(settings) == EXPECTED


@pytest.mark.postgres
def test_postgres_has_the_same(settings, mappings, accounts, postgres_url):
    there = replace(settings, warehouse_url=postgres_url)
    for file in (KNOWN, SAID, accounts):
        import_paths(there, mappings, [str(file)])
    assert _remarks(there) == EXPECTED
