"""From any records to those of this program: fresh, made before there were steps, in a hurry, or by a newer program."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from kpi.errors import NewerRecords
from kpi.records import migrations, opening
from kpi.records.links import Decision, history, write_down
from kpi.records.migrating import version_of
from kpi.records.opening import SCHEMA, latest, records
from kpi.records.schema import metadata
from kpi.settings import Settings
from tests.conftest import ROOT

ONE = Decision("account", "confirmed", "stripe", "cus_1", "salesforce:001A", "ann", "same tax number")
#: What SQLAlchemy's create_all made before there were steps.
BEFORE = """CREATE TABLE {}link_decision (
    decision_id {} NOT NULL PRIMARY KEY {}, kind VARCHAR NOT NULL, decision VARCHAR NOT NULL, source VARCHAR NOT NULL,
    source_id VARCHAR NOT NULL, target VARCHAR, decided_at TIMESTAMP NOT NULL, decided_by VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    CONSTRAINT ck_link_decision_kind CHECK (kind IN ('account', 'product')),
    CONSTRAINT ck_link_decision_decision CHECK (decision IN ('confirmed', 'rejected', 'withdrawn')))"""
OLD_ROW = """INSERT INTO {}link_decision (kind, decision, source, source_id, target, decided_at, decided_by, reason)
    VALUES ('account', 'rejected', 'stripe', 'cus_9', NULL, '2026-01-05 10:00:00', 'bob', 'a test')"""


def by_hand(kept, *statements):
    """Run SQL past the program."""
    kept.home.mkdir(parents=True, exist_ok=True)
    url = sa.make_url(kept.records_url or f"sqlite:///{kept.home / 'records.db'}")
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg") if kept.records_url else url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def prefix(kept):
    return f"{SCHEMA}." if kept.records_url else ""


def make_old(kept):
    made = ("BIGSERIAL", "") if kept.records_url else ("INTEGER", "AUTOINCREMENT")
    begin = [f"CREATE SCHEMA {SCHEMA}"] if kept.records_url else []
    by_hand(kept, *begin, BEFORE.format(prefix(kept), *made), OLD_ROW.format(prefix(kept)))


def test_the_steps_are_one_line_and_all_are_named():
    config = Config()
    config.set_main_option("script_location", str(ROOT / "kpi" / "records" / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert tuple(step.revision for step in script.walk_revisions("base", "head"))[::-1] == migrations.REVISIONS


def test_the_steps_make_what_the_program_reads(kept):
    assert latest(kept) == 0
    write_down(kept, [ONE])
    with records(kept) as connection:
        seen = MigrationContext.configure(connection, opts={"include_schemas": False, "compare_type": True})
        if kept.records_url:
            connection.execute(sa.text(f"SET search_path TO {SCHEMA}"))
        unlike = [one for one in compare_metadata(seen, metadata) if not _is_of_the_version(one)]
        assert unlike == []
        assert version_of(connection, SCHEMA if kept.records_url else None) == migrations.HEAD
    assert (latest(kept), [one.decided_by for one in history(kept)]) == (1, ["ann"])


def _is_of_the_version(difference):
    return difference[0] == "remove_table" and difference[1].name == "alembic_version"


def test_records_made_before_there_were_steps_are_taken_over_whole(kept):
    make_old(kept)
    (old,) = history(kept)
    assert (old.decision_id, old.decided_by, old.decided_at) == (1, "bob", dt.datetime(2026, 1, 5, 10))
    write_down(kept, [ONE])
    assert [one.decided_by for one in history(kept)] == ["bob", "ann"]
    assert latest(kept) == 1


@pytest.mark.parametrize("write", [False, True])
def test_those_of_a_newer_program_are_refused_and_left_alone(kept, write):
    write_down(kept, [ONE])
    by_hand(kept, f"UPDATE {prefix(kept)}alembic_version SET version_num = '9999_future'")
    with pytest.raises(NewerRecords) as refused, records(kept, write=write):
        raise AssertionError("they were opened")
    assert str(refused.value) == (
        f"the records in {opening.place_of(kept)} can't be used: a newer version of this program wrote them (9999_future; this one "
        f"knows {migrations.HEAD} at most), so start that version instead; KPI_RECORDS_URL says where they are, and without it KPI_HOME"
    )
    by_hand(kept, f"UPDATE {prefix(kept)}alembic_version SET version_num = '{migrations.HEAD}'")
    assert len(history(kept)) == 1


def test_a_step_that_fails_leaves_what_was(kept):
    """The second step finds its table there already, and can't make it; then nothing was done at all."""
    make_old(kept)
    by_hand(kept, f"CREATE TABLE {prefix(kept)}records_change (wrong INTEGER)")
    with pytest.raises(opening.RecordsError, match="records_change"):
        write_down(kept, [ONE])
    by_hand(kept, f"DROP TABLE {prefix(kept)}records_change")
    assert [one.decided_by for one in history(kept)] == ["bob"]


def test_many_at_once_lose_nothing(kept):
    """All find old records: one brings them up, and each writes its line."""
    make_old(kept)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda number: write_down(kept, [replace(ONE, source_id=f"cus_{number}")]), range(6)))
    assert sorted(one.source_id for one in history(kept)) == ["cus_0", "cus_1", "cus_2", "cus_3", "cus_4", "cus_5", "cus_9"]
    assert latest(kept) == 6


@pytest.mark.slow
def test_many_processes_lose_nothing(kept):
    make_old(kept)
    words = (
        "import sys; from pathlib import Path; from kpi.settings import Settings; from kpi.records.links import Decision, write_down\n"
        "write_down(Settings(home=Path(sys.argv[1]), records_url=sys.argv[2] or None),"
        " [Decision('account', 'confirmed', 'stripe', sys.argv[3], 'salesforce:1', 'ann')])"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", words, kept.home, kept.records_url or "", f"cus_{number}"], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for number in range(4)
    ]
    for one in running:
        assert one.communicate()[1] == ""
        assert one.returncode == 0
    assert sorted(one.source_id for one in history(kept)) == ["cus_0", "cus_1", "cus_2", "cus_3", "cus_9"]
    assert latest(kept) == 4


def test_a_file_is_in_wal_mode_and_a_reader_does_not_wait(settings):
    write_down(settings, [ONE])
    with records(settings, write=True) as writer:
        assert writer.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        writer.execute(sa.text("DELETE FROM link_decision"))
        assert len(history(settings)) == 1
        with pytest.raises(opening.RecordsError, match="locked"), records(settings, write=True, patience_s=0):
            raise AssertionError("two wrote at once")


def test_what_cannot_be_opened_is_a_sentence(settings, free_port):
    settings.home.mkdir(parents=True)
    (settings.home / "records.db").write_text("this is no database, and long enough to be seen as none" * 99)
    place = f"sqlite:///{settings.home / 'records.db'}"
    for write in (False, True):
        with pytest.raises(opening.RecordsError) as broken, records(settings, write=write):
            raise AssertionError("it was opened")
        assert str(broken.value).startswith(f"the records in {place} can't be used: file is not a database; KPI_RECORDS_URL says")
    away = replace(settings, records_url=f"postgresql://ann:secret@127.0.0.1:{free_port}/nowhere")
    with pytest.raises(opening.RecordsError, match="Connection refused") as refused:
        latest(away)
    assert "secret" not in str(refused.value)


def test_two_folders_that_are_called_alike_are_two(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        write_down(Settings(), [ONE])
        assert len(history(Settings())) == 1
