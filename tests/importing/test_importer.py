"""``import``: files in, one generation out."""

from __future__ import annotations

import dataclasses
import zipfile
from decimal import Decimal

import duckdb
import psycopg
import pytest
import sqlalchemy as sa

from kpi.errors import Outdated, UsageError, WarehouseError
from kpi.importing import bulk
from kpi.importing.current import ensure_current
from kpi.importing.importer import Options, import_paths
from kpi.importing.republish import rebuild
from kpi.warehouse import merge as merging
from kpi.warehouse.engines import current_generation, open_reader
from kpi.warehouse.home import read_current, warehouse_file
from kpi.warehouse.mappings import Mappings, Rule
from kpi.warehouse.schema import import_problem, import_run, payment


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request, settings):
    """The same promises on either engine."""
    if request.param == "duckdb":
        return settings
    return dataclasses.replace(settings, warehouse_url=request.getfixturevalue("postgres_url"))


def _amounts(settings):
    with open_reader(settings) as reader:
        return {row["payment_id"]: row["amount"] for row in reader.run(sa.select(payment.c.payment_id, payment.c.amount)).to_pylist()}


def test_files_of_one_command_are_one_generation_and_a_run_each(both, mappings, payments):
    report = import_paths(both, mappings, [str(payments("a.csv", [1, 2])), str(payments("b.csv", [3]))])
    assert [(file.status, file.connector, file.rows_read, file.rows_loaded, file.rows_rejected) for file in report.files] == [
        ("loaded", "stripe", 2, 2, 0),
        ("loaded", "stripe", 1, 1, 0),
    ]
    assert report.generation == current_generation(both) == 1
    assert _amounts(both) == {"stripe:ch_1": Decimal("10.0000"), "stripe:ch_2": Decimal("20.0000"), "stripe:ch_3": Decimal("30.0000")}
    with open_reader(both) as reader:
        assert [row["run_id"] for row in reader.run(sa.select(import_run).order_by(import_run.c.run_id)).to_pylist()] == [1, 2]
        assert reader.generation == 1
        assert reader.mappings == "m1"
        (covered,) = [row for row in reader.coverage if row.table_name == "payment"]
        assert (str(covered.covers_from), str(covered.covers_to), covered.row_count) == ("2026-03-01", "2026-03-04", 3)
        assert [(row.table_name, row.currency, row.home_currency, row.row_count) for row in reader.currencies] == [
            ("payment", "EUR", "EUR", 3)
        ]


def test_the_same_bytes_twice_change_nothing(both, mappings, payments, contents):
    first = payments("a.csv", [1, 2])
    import_paths(both, mappings, [str(first)])
    before = contents(both)
    again = first.with_name("renamed.csv")
    again.write_bytes(first.read_bytes())
    report = import_paths(both, mappings, [str(again), str(first)])
    assert [file.status for file in report.files] == ["unchanged", "unchanged"]
    assert report.generation == 1
    assert contents(both) == before


def test_the_same_bytes_twice_in_one_command_count_once(settings, mappings, payments):
    one, two = payments("a.csv", [1]), payments("b.csv", [1])
    assert [file.status for file in import_paths(settings, mappings, [str(one), str(two)]).files] == ["loaded", "unchanged"]
    assert read_current(settings).archive_line == 1


def test_a_later_export_updates_what_it_repeats(both, mappings, payments):
    import_paths(both, mappings, [str(payments("a.csv", [1, 2]))])
    import_paths(both, mappings, [str(payments("b.csv", [2, 3], cents="55"))])
    assert _amounts(both) == {"stripe:ch_1": Decimal("10.0000"), "stripe:ch_2": Decimal("20.5500"), "stripe:ch_3": Decimal("30.5500")}


def test_rows_of_one_file_with_the_same_key_count_once(both, mappings, payments):
    twice = payments("a.csv", [1, 2])
    twice.write_text(twice.read_text() + payments("b.csv", [2], cents="99").read_text().split("\n", 1)[1])
    import_paths(both, mappings, [str(twice)])
    assert _amounts(both) == {"stripe:ch_1": Decimal("10.0000"), "stripe:ch_2": Decimal("20.9900")}


def test_the_order_of_disjoint_files_does_not_matter(settings, mappings, payments, contents):
    files = [str(payments("a.csv", [1, 2, 3])), str(payments("b.csv", [4, 5])), str(payments("c.csv", [6]))]
    other = dataclasses.replace(settings, home=settings.home.with_name("other"))
    for path in files:
        import_paths(settings, mappings, [path])
    import_paths(other, mappings, files[::-1])
    one, two = (contents(which, but=("run_id", "imported_at")) for which in (settings, other))
    assert one["payment"] == two["payment"]
    assert {name: rows for name, rows in one.items() if name != "import_run"} == {n: r for n, r in two.items() if n != "import_run"}


def test_a_rebuilt_warehouse_equals_the_imported_one(both, mappings, payments, contents):
    for name, numbers in (("a.csv", [1, 2]), ("b.csv", [2, 3]), ("c.csv", [9])):
        import_paths(both, mappings, [str(payments(name, numbers, cents=f"{len(numbers)}0"))])
    before = contents(both)
    assert rebuild(both, mappings) == 4
    assert contents(both) == before
    assert before["payment"] != []


@pytest.mark.slow
def test_large_files_come_to_the_same_as_small_ones_and_are_rebuilt_alike(settings, mappings, payments, contents, monkeypatch):
    """b.csv begins with a payment that is new and has two that a.csv has, one of them twice, with other amounts."""
    files = [str(payments("a.csv", [1, 2, 3])), str(payments("b.csv", [4, 3, 2, 3], cents="50")), str(payments("c.csv", [5, 6]))]
    small = dataclasses.replace(settings, home=settings.home.with_name("small"))
    import_paths(small, mappings, files)
    monkeypatch.setattr(bulk, "LARGE", 0)
    monkeypatch.setattr(merging, "_MANY", 1)
    monkeypatch.setattr(merging, "_FIRST", 1)
    for path in files:
        import_paths(settings, mappings, [path])
    before = contents(settings)
    once = contents(small, but=("imported_at",))
    assert {name: rows for name, rows in contents(settings, but=("imported_at",)).items() if name != "import_run"} == {
        name: rows for name, rows in once.items() if name != "import_run"
    }
    amounts = sorted((row[0], str(row[7])) for row in before["payment"])
    assert amounts == [
        (f"stripe:ch_{n}", f"{n * 10}.{cents}00") for n, cents in zip(range(1, 7), ("00", "50", "50", "50", "00", "00"), strict=True)
    ]
    rebuild(settings, mappings)
    assert contents(settings) == before


def test_a_file_that_nobody_knows_harms_no_other(settings, mappings, payments, tmp_path):
    unknown = tmp_path / "unknown.csv"
    unknown.write_text("colour,shape\nred,round\n")
    report = import_paths(settings, mappings, [str(unknown), str(payments("a.csv", [1]))])
    assert [file.status for file in report.files] == ["unknown", "loaded"]
    assert "no connector knows a file with the columns colour, shape" in report.files[0].message
    assert len(_amounts(settings)) == 1
    assert read_current(settings).archive_line == 1


def test_a_rejected_row_is_kept_with_its_line_and_reason(both, mappings, payments):
    bad = "ch_9,someday,12.00,0.00,eur,true,12.00,0.00,eur,x,0.5,E,Paid,ok,0.00,card,cus_1,C,c@x.example,,"
    report = import_paths(both, mappings, [str(payments("a.csv", range(1, 11), extra=[bad]))])
    assert (report.files[0].rows_read, report.files[0].rows_loaded, report.files[0].rows_rejected) == (11, 10, 1)
    assert "1 row can't be used: python -m kpi problems shows it with its reason" in report.files[0].message
    with open_reader(both) as reader:
        (row,) = reader.run(sa.select(import_problem)).to_pylist()
    assert (row["run_id"], row["line"], row["column_name"], row["value"]) == (1, 12, "Created date (UTC)", "someday")


def test_too_many_bad_rows_hold_a_file_back_whole(settings, mappings, payments):
    bad = [f"ch_{n},someday,12.00,0.00,eur,true,12.00,0.00,eur,x,0.5,E,Paid,ok,0.00,card,cus_1,C,c@x.example,," for n in range(90, 95)]
    report = import_paths(settings, mappings, [str(payments("a.csv", [1, 2], extra=bad))])
    assert [file.status for file in report.files] == ["held back"]
    assert report.generation == 0
    assert list((settings.home / "archive").rglob("*.zst")) == []
    assert list((settings.home / "archive").glob("*.part")) == []


def test_folders_and_zips_are_opened(settings, mappings, payments, tmp_path):
    folder = tmp_path / "exports"
    payments("exports/a.csv", [1])
    (folder / "notes.md").write_text("not an export")
    with zipfile.ZipFile(folder / "b.zip", "w") as packed:
        packed.write(payments("b.csv", [2]), "inner/b.csv")
        packed.write(payments("c.csv", [3]), "__MACOSX/c.csv")
    report = import_paths(settings, mappings, [str(folder)])
    assert [(file.file, file.status) for file in report.files] == [
        (f"{folder}/a.csv", "loaded"),
        (f"{folder}/b.zip/inner/b.csv", "loaded"),
    ]
    assert set(_amounts(settings)) == {"stripe:ch_1", "stripe:ch_2"}
    assert list((settings.home / "staging").iterdir()) == []


def test_a_path_that_names_nothing_is_wrong_usage(settings, mappings, tmp_path):
    with pytest.raises(UsageError) as caught:
        import_paths(settings, mappings, [str(tmp_path / "missing.csv")])
    assert str(caught.value) == f"there is no file or folder {tmp_path}/missing.csv"
    assert not settings.home.exists()


def test_full_retires_what_is_absent_and_says_so(both, mappings, payments):
    import_paths(both, mappings, [str(payments("a.csv", [1, 2, 3]))])
    report = import_paths(both, mappings, [str(payments("b.csv", [1, 2], cents="10"))], Options(full=True))
    assert set(_amounts(both)) == {"stripe:ch_1", "stripe:ch_2"}
    assert "1 row of payment that is absent from this full export was retired" in report.files[0].message
    with open_reader(both) as reader:
        notes = reader.run(sa.select(import_run.c.notes).where(import_run.c.run_id == 2)).to_pylist()
    assert "retired" in notes[0]["notes"]


def test_other_mappings_publish_anew_and_the_same_do_not(both, mappings, payments, contents):
    import_paths(both, mappings, [str(payments("a.csv", [1, 2]))])
    assert ensure_current(both, mappings) == 1
    other = dataclasses.replace(mappings, products={"Atlas": {"stripe": (Rule("", "price_*"),)}}, hash="m2")
    assert ensure_current(both, other) == 2
    assert ensure_current(both, other) == 2
    assert contents(both)["product"] == [("Atlas", "Atlas", None, None)]
    with open_reader(both) as reader:
        assert reader.mappings == "m2"


def _age(settings):
    """Make the published tables those of an older version: one column is not there yet."""
    if settings.warehouse_url:
        with psycopg.connect(settings.warehouse_url.replace("+psycopg", "")) as connection:
            connection.execute("ALTER TABLE kpi.payment DROP COLUMN fee")
    else:
        with duckdb.connect(str(warehouse_file(settings.home, current_generation(settings)))) as connection:
            connection.execute("ALTER TABLE payment DROP COLUMN fee")


def test_a_warehouse_of_an_older_version_is_made_anew_by_the_next_import(both, mappings, payments, contents):
    import_paths(both, mappings, [str(payments("a.csv", [1, 2]))])
    before = contents(both)
    _age(both)
    with pytest.raises(
        Outdated, match=r"was made by another version of this program \(it has no payment.fee\); the next import or python -m kpi rebuild"
    ):
        open_reader(both)
    said = []
    report = import_paths(both, mappings, [str(payments("b.csv", [3]))], say=said.append)
    assert said[0].startswith("the warehouse was made by another version of this program (it has no payment.fee): every archived file")
    assert (report.files[0].status, report.generation) == ("loaded", 3)
    assert len(_amounts(both)) == 3
    _age(both)
    assert rebuild(both, mappings) == 4
    assert contents(both, but=("run_id",))["account"] == before["account"]
    assert len(_amounts(both)) == 3


@pytest.mark.postgres
def test_tables_that_somebody_reads_are_not_made_anew(settings, postgres_url, mappings, payments, monkeypatch):
    settings = dataclasses.replace(settings, warehouse_url=postgres_url)
    monkeypatch.setattr("kpi.warehouse.pgstore._PATIENCE_MS", 100)
    import_paths(settings, mappings, [str(payments("a.csv", [1, 2]))])
    _age(settings)
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as reading:
        reading.execute("SELECT count(*) FROM kpi.payment")
        with pytest.raises(WarehouseError, match="a dashboard or another program is reading them: stop it and try again"):
            rebuild(settings, mappings)
    assert rebuild(settings, mappings) == 2


def test_another_time_zone_reads_the_archive_again(both, mappings, payments):
    late = payments("a.csv", [1])
    late.write_text(late.read_text().replace("2026-03-01 10:00:00", "2026-03-01 23:30:00"))
    import_paths(both, mappings, [str(late)])
    ensure_current(both, Mappings("EUR", "Europe/Berlin", {}, {}, "m2"))
    with open_reader(both) as reader:
        assert [str(row["paid_on"]) for row in reader.run(sa.select(payment.c.paid_on)).to_pylist()] == ["2026-03-02"]
