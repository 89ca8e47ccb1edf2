from __future__ import annotations

import time
from pathlib import Path

from kpi import yamlfile


def problems(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    return [str(problem) for problem in yamlfile.parse(content, "m.yaml")[1]]


def test_values_keep_their_text_line_and_path() -> None:
    tree, found = yamlfile.parse(b"a: 65.10\nb:\n  c: [x, 'y']\n", "m.yaml")
    assert found == []
    assert isinstance(tree, yamlfile.Mapping)
    assert tree.get("a") == yamlfile.Scalar(1, "a", "65.10")
    b = tree.get("b")
    assert isinstance(b, yamlfile.Mapping)
    assert b.get("c") == yamlfile.Sequence(3, "b.c", (yamlfile.Scalar(3, "b.c[1]", "x"), yamlfile.Scalar(3, "b.c[2]", "y", quoted=True)))


def test_numbers_and_dates_are_not_read_by_yaml() -> None:
    tree, found = yamlfile.parse(b"a: 0.1\nb: 2026-03-31\nc: 1e400\n", "m.yaml")
    assert found == []
    assert isinstance(tree, yamlfile.Mapping)
    assert [value.text for _, value in tree if isinstance(value, yamlfile.Scalar)] == ["0.1", "2026-03-31", "1e400"]


def test_all_traps_at_once() -> None:
    assert problems("a: no\nb: 1:30\nc: 010\nd: [on, 0x1F]\nNo: 1\n") == [
        "m.yaml:1 a: YAML reads no as false; write 'no' in quotes for the word",
        "m.yaml:2 b: YAML reads 1:30 as a number to base 60; write '1:30' in quotes",
        "m.yaml:3 c: YAML reads 010 as a number to base 8, 16 or 2; write '010' in quotes",
        "m.yaml:4 d[1]: YAML reads on as true; write 'on' in quotes for the word",
        "m.yaml:4 d[2]: YAML reads 0x1F as a number to base 8, 16 or 2; write '0x1F' in quotes",
        "m.yaml:5 No: YAML reads No as false; write 'No' in quotes for the word",
    ]


def test_quoted_traps_are_text() -> None:
    assert problems("a: 'no'\nb: \"1:30\"\nc: '010'\n") == []


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [*{before}, *{before}, *{before}]" for before, name in zip("abcdefg", "bcdefgh", strict=True)]
    began = time.monotonic()
    found = problems("\n".join(lines))
    assert time.monotonic() - began < 1
    assert found[0] == "m.yaml:1 a: &a: anchors are not allowed; write the value out where it is needed"
    assert found[1] == "m.yaml:2 b: &b: anchors are not allowed; write the value out where it is needed"
    assert found[2] == "m.yaml:2 b[1]: *a: aliases are not allowed; write the value out, and text with * in quotes"


def test_repeated_keys_name_the_first_line() -> None:
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "m.yaml:2 b.c: this key is there already, in line 2; keep one of them",
        "m.yaml:3 a: this key is there already, in line 1; keep one of them",
    ]


def test_tabs_are_listed_line_by_line() -> None:
    assert problems("a:\n\tb: 1\n\tc: 2\n") == [
        "m.yaml:2: there is a tab in this line; indent and separate with spaces",
        "m.yaml:3: there is a tab in this line; indent and separate with spaces",
    ]


def test_depth_and_size_have_limits() -> None:
    assert problems("[" * 100_000) == ["m.yaml:1: nested more than 20 levels deep; the language needs six"]
    assert problems("- " * 5000) == ["m.yaml:1: nested more than 20 levels deep; the language needs six"]
    assert problems(b"a" * 1_000_001) == ["m.yaml:1: the file is larger than 1 MB; definitions are far smaller"]


def test_bytes_that_are_no_text() -> None:
    assert problems("a: 1\nb: é\n".encode("latin-1")) == ["m.yaml:2: the file is not UTF-8; save it as UTF-8"]
    assert problems("a: 1\nb: \x01\n") == ["m.yaml:2: there is a control character in this line; remove it"]
    assert problems("a: 1\n".encode("utf-16")) == ["m.yaml:1: the file is not UTF-8; save it as UTF-8"]
    assert problems(b"\xef\xbb\xbfa: 1\n") == []


def test_keys_must_be_words() -> None:
    assert problems("? [a]\n: b\n") == ["m.yaml:1: a key must be a single word or text"]
    assert problems("a: &x {b: 1}\nc:\n  <<: *x\n")[1:] == ["m.yaml:3 c: <<: merge keys are not allowed; write the values out"]


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert [str(problem) for problem in yamlfile.read(missing)[1]] == [
        f"{missing}:1: there is no such file; KPI_METRICS says where it is",
    ]
    assert [str(problem) for problem in yamlfile.read(tmp_path, "m.yaml")[1]] == ["m.yaml:1: this is a folder, not a YAML file"]


def test_an_empty_file_has_no_tree_and_no_problem() -> None:
    assert yamlfile.parse(b"# nothing\n", "m.yaml") == (None, [])
