"""Packed files within their limits; hostile ones are in test_limits.py."""

from __future__ import annotations

import gzip
import zipfile

import pytest

from connectors.packing import MOST_RATIO, NotATable, directory_size, gunzip, opened, refuse_growth, unzip


def test_gzip_is_unpacked_and_a_cut_one_is_refused(tmp_path):
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert gunzip(packed, tmp_path / "a.csv").read_bytes() == b"a,b\n1,2\n"
    packed.write_bytes(gzip.compress(b"a,b\n" * 10_000)[:-20])
    with pytest.raises(NotATable, match="damaged or cut off"):
        gunzip(packed, tmp_path / "b.csv")


def test_a_member_is_unpacked_whatever_its_name(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../above.csv", "a\n1\n")
    with opened(path) as archive:
        (member,) = archive.infolist()
        assert unzip(archive, member, tmp_path / "out").read_text() == "a\n1\n"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.zip", "out"]


def test_a_damaged_zip_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(NotATable, match="damaged, cut off or encrypted"), opened(path):
        pass


def test_a_file_without_an_end_has_no_directory(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04" + b"x" * 100)
    assert directory_size(path) == 0


def test_a_short_file_may_pack_well_and_a_long_one_may_not():
    refuse_growth(4096 * MOST_RATIO, 10)
    refuse_growth(8192 * MOST_RATIO, 8192)
    with pytest.raises(NotATable):
        refuse_growth(8192 * MOST_RATIO + 1, 8192)
