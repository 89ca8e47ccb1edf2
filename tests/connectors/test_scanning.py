"""What the bytes of a file show of it."""

from __future__ import annotations

import pytest

from connectors.scanning import BY_BYTE, is_binary, scan


def _scan(tmp_path, content: bytes):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    return scan(path)


@pytest.mark.parametrize(
    ("content", "encoding", "errors"),
    [
        (b"a,b\n1,2\n", "utf-8", "replace"),
        ("\ufeffa\nü\n".encode(), "utf-8-sig", "replace"),
        ("a\nü\n".encode("utf-16"), "utf-16", "replace"),
        ("a,b,c\n1,2,3\n".encode("utf-16-le"), "utf-16-le", "replace"),
        ("a\nM\xfcller\n".encode("cp1252"), "cp1252", "replace"),
        ("Zoë\n".encode() + "M\xfcller\n".encode("cp1252"), "utf-8", BY_BYTE),
    ],
    ids=["plain", "mark of byte order", "utf-16", "utf-16 without a mark", "windows", "both"],
)
def test_the_encoding_is_seen(tmp_path, content, encoding, errors):
    seen = _scan(tmp_path, content)
    assert (seen.encoding, seen.errors) == (encoding, errors)


def test_bytes_that_are_not_utf_8_beside_those_that_are_become_letters_all_the_same(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("Zoë\n".encode() + "M\xfcller\n".encode("cp1252"))
    seen = scan(path)
    assert path.read_text(seen.encoding, seen.errors) == "Zoë\nMüller\n"
    assert seen.note == "1 byte in it is not UTF-8 and read as Windows-1252"


@pytest.mark.parametrize(
    "content",
    [b"a\r\nb\nc\n", b"a\nb", b"a\x00b\n", b"a\x7f\n", "a\u00a0b\n".encode(), "１２\n".encode(), b"a\rb\r"],
    ids=["two line ends", "no last one", "nul", "delete", "a blank that is none", "wide digits", "returns alone"],
)
def test_what_asks_for_care_is_odd(tmp_path, content):
    assert _scan(tmp_path, content).is_odd


@pytest.mark.parametrize("content", [b"a\tb\n", b"a\r\nb\r\n", "Zoë €\n".encode()], ids=["tabs", "returns and feeds", "letters"])
def test_what_is_usual_is_not_odd(tmp_path, content):
    assert not _scan(tmp_path, content).is_odd


def test_marks_and_lines_are_told_of_the_whole_file(tmp_path):
    seen = _scan(tmp_path, b"a,b\n" * 100_000 + b"=1,'2\n")
    assert (set(seen.marks), seen.lines, seen.has_quotes) == ({"=", "'"}, 100_001, False)
    assert _scan(tmp_path, b'"a"\n').has_quotes


def test_letters_and_line_ends_that_two_blocks_share_are_whole(tmp_path):
    for filler in ((1 << 18) - 1, (1 << 18) - 2):
        seen = _scan(tmp_path, b"x" * filler + "€\r\n".encode())
        assert (seen.encoding, seen.is_odd) == ("utf-8", False)
        seen = _scan(tmp_path, b"x" * filler + b"\r\n")
        assert not seen.is_odd


def test_a_picture_is_binary_and_text_with_one_control_character_is_not():
    assert is_binary(bytes(range(32)) * 10)
    assert not is_binary(b"plain,text\x0c\n" * 10)
