"""What a scan counts beside the encoding."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import scanning
from connectors.scanning import MARKS, scan


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (b"a,b\n1,2\n", False),
        (b"a,b\r\n1,2\r\n", False),
        (b"a,b\r\n1,2\n", True),
        (b"a,b\n1,2", True),
        (b"a\tb\n1\t2\n", False),
        (b"a,b\n1,\x0c\n", True),
        (b"a,b\n1,\x7f\n", True),
        ("a,b\nä,€\n".encode(), False),
        ("a,b\n1,\u00a02\n".encode(), True),
        ("\ufeffa,b\n1,2\n".encode(), False),
        ("\ufeffa,b\n1,\ufeff2\n".encode(), True),
    ],
)
def test_what_asks_for_care(content: bytes, odd: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert scan(path).is_odd is odd


@given(st.lists(st.sampled_from([b"a", b",", b"\n", b"\r\n", b"\t", b'"', b"'", b"=", "ä".encode(), "€".encode(), b"\xe4"]), min_size=1))
def test_marks_and_lines_are_those_of_the_bytes_however_they_are_cut(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    content = b"".join(parts)
    path = tmp_path_factory.mktemp("scan") / "a.csv"
    path.write_bytes(content)
    whole = scan(path)
    assert whole.lines == content.count(b"\n")
    assert set(whole.marks) == {mark for mark in MARKS if mark.encode() in content}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "_CHUNK", 2)
        assert scan(path) == whole or set(scan(path).marks) == set(whole.marks)
