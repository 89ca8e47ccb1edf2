"""What stands behind the words of ``import``: peculiar names, archives, folders."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from kpi.errors import UsageError
from kpi.importing.files import find
from kpi.importing.importer import import_paths

NONE = "holds no exports; their names end in .csv, .gz, .json, .jsonl, .ndjson, .srt, .tsv, .txt, .vtt, .xls, .xlsm, .xlsx, .zip"


def _reported(report):
    return [(Path(file.file).name, file.status) for file in report.files]


def test_a_name_that_means_several_files_or_is_no_text_names_one_file(settings, mappings, payments, tmp_path):
    folder = tmp_path / "in"
    for number, name in enumerate(["a[1].csv", "b*.csv", "c?.csv", "d'e\"%s{}.csv", "f\\g.csv"]):
        payments(f"in/{name}", [number])
    (folder / "bait1.csv").write_text("a,b\n1,2\n")  # what b*.csv would name as well
    payments("in/x.csv", [9]).rename(os.fsdecode(os.fsencode(folder) + b"/h\xff\n.csv"))
    report = import_paths(settings, mappings, [str(folder)])
    assert _reported(report) == [
        ("a[1].csv", "loaded"),
        ("b*.csv", "loaded"),
        ("bait1.csv", "unknown"),
        ("c?.csv", "loaded"),
        ("d'e\"%s{}.csv", "loaded"),
        ("f\\g.csv", "loaded"),
        ("h\\udcff\\n.csv", "loaded"),
    ]
    assert [file.rows_loaded for file in report.files] == [1, 1, 0, 1, 1, 1, 1]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_every_member_of_an_archive_has_a_line(settings, mappings, payments, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(payments("1.csv", [1]), "same.csv")
        packed.write(payments("2.csv", [2]), "same.csv")
        packed.writestr("inner.zip", b"PK\x05\x06" + b"\0" * 18)
        packed.writestr("bomb.csv", "id\n" + "0" * 30_000_000)
    with zipfile.ZipFile(folder / "b.zip", "w") as packed:
        packed.writestr("readme.md", "hello")
    report = import_paths(settings, mappings, [str(folder)])
    assert _reported(report) == [
        ("bomb.csv", "held back"),
        ("inner.zip", "held back"),
        ("same.csv", "loaded"),
        ("same.csv", "loaded"),
        ("b.zip", "held back"),
    ]
    said = [file.message.removeprefix(file.file) for file in report.files]
    assert said[0] == " can't be read: unpacked it is more than 8 GB or 250 times its size, which no export is"
    assert said[1] == " can't be read: it is an archive inside an archive; unpack the outer one"
    assert said[4] == f" can't be read: the archive {NONE}"
    assert sum(file.rows_loaded for file in report.files) == 2
    assert list((settings.home / "staging").iterdir()) == []


def test_a_folder_without_exports_is_said(settings, mappings, payments, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match=f"^{empty} {NONE}$"):
        find([str(empty)])
    report = import_paths(settings, mappings, [str(empty), str(payments("a.csv", [1]))])
    assert _reported(report) == [("empty", "held back"), ("a.csv", "loaded")]


def test_what_is_no_file_has_a_line_with_the_reason_and_links_in_circles_end(tmp_path, payments):
    payments("in/a.csv", [1])
    folder = tmp_path / "in"
    (folder / "up").symlink_to("..")
    (folder / "self.csv").symlink_to("self.csv")
    (folder / "gone.csv").symlink_to("nowhere.csv")
    os.mkfifo(folder / "pipe.csv")
    assert [(Path(one.name).name, one.refused) for one in find([str(folder)])] == [
        ("a.csv", ""),
        ("gone.csv", "it is a link to nothing"),
        ("pipe.csv", "it is no file"),
        ("self.csv", "it is a link to nothing"),
        ("up", "it is a link to a folder, which may lead in a circle; name that folder itself"),
    ]


def test_a_folder_that_cannot_be_opened_has_a_line_of_its_own(settings, mappings, payments, tmp_path, monkeypatch):
    payments("in/a.csv", [1])
    for name in ("closed", ".hidden"):
        (tmp_path / "in" / name).mkdir()
    opened = os.scandir

    def scandir(path="."):
        if not isinstance(path, int) and Path(path).name in ("closed", ".hidden"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(os, "scandir", scandir)  # whoever runs the tests may be allowed to open everything
    report = import_paths(settings, mappings, [str(tmp_path / "in")])
    assert _reported(report) == [("a.csv", "loaded"), ("closed", "held back")]
    assert report.files[1].message == (
        f"{tmp_path}/in/closed can't be read: the folder can't be opened (Permission denied), so nothing in it was imported; "
        "let yourself read it and import it again"
    )
