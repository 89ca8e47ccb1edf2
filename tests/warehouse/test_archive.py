"""The raw exports and their log."""

from __future__ import annotations

import hashlib

import pytest

from kpi.errors import WarehouseError
from kpi.warehouse.archive import Archive, Entry, stamp


def entry(name, content):
    return Entry("2026-03-01T10:00:00+00:00", name, len(content), hashlib.sha256(content).hexdigest(), "stripe", "ann", {"bad_share": 0.2})


def kept(archive, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    incoming = archive.receive(path)
    incoming.wait()
    archive.keep(incoming)
    assert (incoming.sha256, incoming.size) == (hashlib.sha256(content).hexdigest(), len(content))
    return entry(name, content)


def test_bytes_come_back_as_they_went_in(tmp_path):
    archive = Archive(tmp_path / "home")
    content = bytes(range(256)) * 20_000
    one = kept(archive, tmp_path, "a.csv", content)
    archive.append([one])
    assert archive.entries(1) == (one,)
    assert archive.unpack(one, tmp_path).read_bytes() == content
    assert archive.blob(one.sha256).stat().st_size < len(content) / 10


def test_discarded_bytes_leave_nothing(tmp_path):
    archive = Archive(tmp_path / "home")
    (tmp_path / "a.csv").write_bytes(b"x" * 10_000_000)
    archive.receive(tmp_path / "a.csv").discard()
    assert list(archive.folder.iterdir()) == []


def test_bytes_that_came_ahead_are_those_of_the_file_as_it_is(tmp_path):
    archive = Archive(tmp_path / "home")
    path = tmp_path / "a.csv"
    path.write_bytes(b"one")
    incoming = archive.receive(path)
    assert incoming.is_of(path, stamp(path))
    assert not incoming.is_of(tmp_path / "b.csv", stamp(path))
    path.write_bytes(b"three")
    assert not incoming.is_of(path, stamp(path))


def test_another_import_may_have_removed_bytes_that_came_ahead(tmp_path, monkeypatch):
    archive = Archive(tmp_path / "home")
    path = tmp_path / "a.csv"
    path.write_bytes(b"one")
    incoming = archive.receive(path)
    incoming.wait()
    archive.clean(0)  # its own
    assert incoming.is_of(path, stamp(path))
    monkeypatch.setattr("kpi.warehouse.archive._incoming", lambda: "incoming-another-")
    archive.clean(0)
    assert not incoming.is_of(path, stamp(path))
    assert list(archive.folder.iterdir()) == []


def test_lines_and_bytes_that_were_never_published_are_cut_off(tmp_path):
    archive = Archive(tmp_path / "home")
    counted, other = (kept(archive, tmp_path, name, name.encode()) for name in ("a.csv", "b.csv"))
    archive.append([counted, other, counted])
    with archive.log.open("a") as log:
        log.write('{"time": "2026-')  # killed in mid-write
    archive.clean(1)
    assert archive.log.read_text().count("\n") == 1
    assert archive.entries(1) == (counted,)
    assert archive.blob(counted.sha256).exists()
    assert not archive.blob(other.sha256).exists()


def test_another_home_is_recognised(tmp_path):
    archive = Archive(tmp_path / "home")
    with pytest.raises(WarehouseError) as caught:
        archive.entries(3)
    assert str(caught.value) == (
        f"the warehouse holds 3 imports and {tmp_path}/home/archive/imports.jsonl only 0: use the KPI_HOME in which they were imported"
    )


def test_damaged_bytes_are_not_read_as_if_they_were_whole(tmp_path):
    archive = Archive(tmp_path / "home")
    one, two = (kept(archive, tmp_path, name, name.encode() * 100) for name in ("a.csv", "b.csv"))
    archive.blob(two.sha256).replace(archive.blob(one.sha256))
    with pytest.raises(WarehouseError, match="are not those that were imported"):
        archive.unpack(one, tmp_path)
    archive.blob(one.sha256).write_bytes(b"garbage")
    with pytest.raises(WarehouseError, match="are missing or damaged"):
        archive.unpack(one, tmp_path)
