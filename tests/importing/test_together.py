"""Small files that are read together come to what they come to one by one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kpi.importing import gathering
from kpi.importing.importer import import_paths
from kpi.importing.republish import rebuild
from kpi.settings import Settings
from tests.conftest import new_database

HEADER = "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer ID,Customer Email,Description,Refunded date (UTC),Status"


def _file(folder: Path, name: str, rows: list[str], header: str = HEADER, end: str = "\n") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *rows]) + end)
    return path


def _row(n: int, at: str = "2026-03-01 10:00:00", amount: str = "10.50", refunded: str = "0.00", on: str = "", said: str = "plain") -> str:
    return f"ch_{n},{at},{amount},{refunded},eur,Paid,cus_{n % 2},c{n % 2}@firm.example,{said},{on},Failed"


@pytest.fixture
def mess(tmp_path: Path) -> list[Path]:
    """Files of one layout, in an order in which each comes between others."""
    folder = tmp_path / "mess"
    return [
        _file(folder, "01 newer.csv", [_row(1, refunded="2.00", on="2026-04-02 10:00:00"), _row(2), _row(2, amount="11.50")]),
        _file(folder, "02 older.csv", [_row(1), _row(3, at="2026-03-05 23:30:00")]),
        _file(folder, "03 ragged.csv", [_row(4), "ch_5,2026-03-01 10:00:00,1.00", *[_row(n) for n in range(6, 12)]]),
        _file(folder, "04 day first.csv", [_row(20, at="13/03/2026 10:00"), _row(21, at="05/03/2026 10:00")]),
        _file(folder, "05 month first.csv", [_row(30, at="03/13/2026 10:00"), _row(31, at="05/03/2026 10:00")]),
        _file(folder, "06 nobody knows.csv", [_row(40, at="05/03/2026 10:00")]),
        _file(folder, "07 comma.csv", [_row(50, amount='"1.234,50"', refunded='"0,00"')]),
        _file(folder, "08 day first again.csv", [_row(22, at="14/03/2026 10:00"), _row(21, at="05/03/2026 10:00", amount="12.00")]),
        _file(folder, "09 the first again.csv", [_row(1, refunded="2.00", on="2026-04-02 10:00:00"), _row(2), _row(2, amount="11.50")]),
        _file(folder, "10 broken.csv", [_row(60, amount="ten")]),
        _file(folder, "11 a bad cell.csv", [_row(61, amount="ten"), *[_row(n) for n in range(62, 70)]]),
        _file(folder, "12 no rows.csv", []),
        _file(folder, "13 several lines.csv", [_row(70, said='"one\ntwo"'), _row(71)]),
        _file(folder, "14 two headers.csv", [_row(72), HEADER.replace("Amount,Amount Refunded", "Amount Refunded,Amount"), _row(73)]),
        _file(folder, "15 cut off.csv", [_row(74), _row(75)[:-9]], end=""),
        _file(folder, "16 blanks.csv", [_row(76, said=" padded "), _row(77)]),
        _file(folder, "17 marks.csv", [_row(78, said="'00123"), _row(79)]),
        _file(folder, "18 customers.csv", ["cus_1,Firm One,one@firm.example,2026-01-01 10:00"], "id,Name,Email,Created (UTC)"),
        _file(folder, "19 last.csv", [_row(3, at="2026-03-05 23:30:00", amount="33.00"), _row(80)]),
        _file(folder, "20 last but newer.csv", [_row(80, refunded="1.00", on="2026-04-05 10:00:00"), _row(1)]),
    ]


def _compared(at_once: Settings, one_by_one: Settings, mappings, paths, contents, monkeypatch):
    """Both reports, the parts that were read together, and what the warehouse holds, which is the same in both."""
    parts: list[list[tuple[int, ...]]] = []
    stage = gathering.stage_together

    def watched(*about):
        made = stage(*about)
        parts.append([part.numbers for part in made])
        return made

    words = [str(path) for path in paths]
    with monkeypatch.context() as together_:
        together_.setattr(gathering, "stage_together", watched)
        report = import_paths(at_once, mappings, words)
    with monkeypatch.context() as alone:
        alone.setattr(gathering, "open_member", lambda *about: None)
        other = import_paths(one_by_one, mappings, words)
    assert report.files == other.files
    there = contents(at_once, but=("imported_at",))
    assert there == contents(one_by_one, but=("imported_at",))
    return report, parts, there


@pytest.fixture
def another(settings, tmp_path):
    return dataclasses.replace(settings, home=tmp_path / "another")


def test_files_come_to_what_they_come_to_one_by_one(settings, another, mappings, mess, contents, monkeypatch):
    chosen = [mess[at] for at in (0, 1, 2, 3, 18, 19)]
    report, parts, there = _compared(settings, another, mappings, chosen, contents, monkeypatch)
    assert parts == [[(0, 1), (3,), (4, 5)]]  # the ragged file is read alone, and days first are another decision
    assert [file.rows_rejected for file in report.files] == [0, 0, 1, 0, 0, 0]
    assert 'several columns are called "status": the first is read' in report.files[0].message
    assert [row[0] for row in there["payment"]] == [f"stripe:ch_{n}" for n in (1, 10, 11, 2, 20, 21, 3, 4, 6, 7, 8, 80, 9)]


@pytest.mark.slow
def test_a_folder_comes_to_what_its_files_come_to_one_by_one(settings, another, mappings, mess, contents, monkeypatch):
    report, parts, there = _compared(settings, another, mappings, [mess[0].parent], contents, monkeypatch)
    # up to the same bytes again
    assert parts[0] == [(0, 1), (3,), (4,), (6,), (7,)]
    assert [file.status for file in report.files].count("held back") == 3
    assert [file.status for file in report.files].count("unchanged") == 1
    assert len(there["import_run"]) == 16
    rebuild(settings, mappings)
    assert contents(settings, but=("imported_at",)) == there


@pytest.mark.slow
@pytest.mark.postgres
def test_files_come_to_the_same_on_postgresql(settings, another, mappings, mess, contents, monkeypatch, postgres_server):
    chosen = [mess[at] for at in (0, 1, 2, 3, 18, 19)]
    on = [dataclasses.replace(each, warehouse_url=new_database(postgres_server)) for each in (settings, another)]
    report, parts, _ = _compared(*on, mappings, chosen, contents, monkeypatch)
    assert parts == [[(0, 1), (3,), (4, 5)]]
    assert [file.status for file in report.files] == ["loaded"] * 6
