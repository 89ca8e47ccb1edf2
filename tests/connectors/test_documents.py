"""Files of JSON as records, whatever stands around them."""

from __future__ import annotations

import codecs
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Trouble
from connectors.documents import Document, Found, is_json, is_scalar
from connectors.packing import NotATable
from connectors.reading import Text, open_texts

ONE = {"id": "a", "amount": 1}
TWO = {"id": "b", "amount": 2}


def document(tmp_path: Path, content: str | bytes) -> Document:
    path = tmp_path / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (tmp_path / "staging").mkdir(exist_ok=True)
    return Document(open_texts(path, tmp_path / "staging")[0])


def read(tmp_path: Path, content: str | bytes, path: tuple[str, ...] = ()) -> list[Any]:
    """Line and object of each record; of what is none the line, column, value and reason."""
    found = document(tmp_path, content).records(path)
    return [
        (each.line, each.value) if isinstance(each, Found) else (each.line, each.column, each.value, each.reason)
        for each in found
        if isinstance(each, Found | Trouble)
    ]


def page(*records: dict[str, Any], **beside: Any) -> str:
    return json.dumps({**beside, "results": list(records), "paging": {"next": {"after": "2"}}})


#: Every way in which the same two records come, the path of them, and the lines on which they begin.
SHAPES = {
    "array": (json.dumps([ONE, TWO]), (), [1, 1]),
    "pretty array": (json.dumps([ONE, TWO], indent=2), (), [2, 6]),
    "lines": (f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n", (), [1, 2]),
    "lines with blank ones and other ends": (f"{json.dumps(ONE)}\r\n\r\n{json.dumps(TWO)}", (), [1, 3]),
    "lines that end in commas": (f"{json.dumps(ONE)},\n{json.dumps(TWO)},\n", (), [1, 2]),
    "pretty, one after another": (json.dumps(ONE, indent=1) + "\n" + json.dumps(TWO, indent=1), (), [1, 5]),
    "text sequence": (f"\x1e{json.dumps(ONE)}\n\x1e{json.dumps(TWO)}\n", (), [1, 2]),
    "page": (page(ONE, TWO), ("results",), [1, 1]),
    "pretty page": (json.dumps({"total": 2, "results": [ONE, TWO]}, indent=1), ("results",), [4, 8]),
    "pages of lines": (f"{page(ONE)}\n{page(TWO)}\n", ("results",), [1, 2]),
    "pages one after another": (json.dumps({"results": [ONE]}, indent=1) + json.dumps({"results": [TWO]}), ("results",), [3, 8]),
    "array of pages": (f"[{page(ONE)},\n{page()},\n{page(TWO)}]", ("results",), [1, 3]),
    "page without records": (f'{page(ONE, TWO)}{{"results": null}}', ("results",), [1, 1]),
    "pages within": (json.dumps({"data": {"issues": {"nodes": [ONE, TWO]}}}), ("data", "issues", "nodes"), [1, 1]),
    "arrays one after another": (f"{json.dumps([ONE])}\n{json.dumps([TWO])}", (), [1, 2]),
    "array of arrays": (json.dumps([[ONE], [TWO]]), (), [1, 1]),
}


@pytest.mark.parametrize(("content", "path", "lines"), SHAPES.values(), ids=SHAPES)
def test_every_shape_gives_the_same_records(tmp_path: Path, content: str, path: tuple[str, ...], lines: list[int]) -> None:
    expected = [{"id": "a", "amount": "1"}, {"id": "b", "amount": "2"}]
    assert read(tmp_path, content, path) == list(zip(lines, expected, strict=True))
    samples = document(tmp_path, content).samples()
    assert {"id", "amount"} <= set(next(sample for sample in samples if sample.path == path).names)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("shape", ["pretty array", "lines"])
def test_encodings(tmp_path: Path, encoding: str, shape: str) -> None:
    content = SHAPES[shape][0].replace('"a"', '"ä🙂"')
    made = document(tmp_path, content.encode(encoding))
    assert is_json(made.text)
    assert [each.value["id"] for each in made.records(()) if isinstance(each, Found)] == ["ä🙂", "b"]


def test_files_put_together_keep_their_marks(tmp_path: Path) -> None:
    mark = codecs.BOM_UTF8
    assert len(read(tmp_path, mark + json.dumps([ONE]).encode() + b"\n" + mark + json.dumps([TWO]).encode())) == 2


def test_numbers_keep_what_the_file_writes(tmp_path: Path) -> None:
    written = '[{"a": 0.1000000000000000055, "b": 90071992547409931, "c": 1.5e3, "d": -2E-3, "e": 1e999999999, "f": NaN, "g": -Infinity}]'
    (found,) = read(tmp_path, written)
    assert found[1] == {
        "a": "0.1000000000000000055",
        "b": "90071992547409931",  # a float would make 90071992547409936 of it
        "c": "1500",
        "d": "-0.002",
        "e": "1e999999999",
        "f": "NaN",
        "g": "-Infinity",
    }


@settings(deadline=None, max_examples=50)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**13), max_value=10**13))
def test_no_decimal_passes_through_a_float(tmp_path_factory: pytest.TempPathFactory, amount: Any) -> None:
    (found,) = read(tmp_path_factory.mktemp("file"), f'[{{"amount": {amount:f}}}]')
    assert found[1]["amount"] == f"{amount:f}"


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    content = '[{"id": "a", "x": {"n": 1, "n": 2}}, {"id": "b", "n": 3, "n": 3}, {"id": "c"}]'
    assert read(tmp_path, content) == [
        (1, "x.n", "", 'the key "x.n" stands in it twice, with different values'),
        (1, {"id": "b", "n": "3"}),
        (1, {"id": "c"}),
    ]


def test_what_is_no_object_is_set_aside(tmp_path: Path) -> None:
    assert read(tmp_path, '[\n{"id": "a"},\n5,\n"text",\nnull\n]') == [
        (2, {"id": "a"}),
        (3, "", "5", "it is no object"),
        (4, "", "text", "it is no object"),
        (5, "", "", "it is no object"),
    ]


def test_a_page_without_the_list_is_set_aside(tmp_path: Path) -> None:
    content = '[{"results": [{"id": "a"}]},\n{"errorMessages": ["too many requests"]}]'
    assert read(tmp_path, content, ("results",))[1:] == [
        (2, "results", "", 'it has no "results", in which the other pages hold their records')
    ]


def test_a_damaged_line_harms_no_other(tmp_path: Path) -> None:
    content = '{"id": "a"}\n{"id": "b"\n{"id": "c"}\n{"id": "d"} {"id": "e"}\n{"id": "f"}\n{"id": "g'
    assert read(tmp_path, content) == [
        (1, {"id": "a"}),
        (2, "", '{"id": "b"', "its JSON is damaged at character 11: expecting ',' delimiter"),
        (3, {"id": "c"}),
        (4, "", '{"id": "d"} {"id": "e"}', "its JSON is damaged at character 12: more stands behind the object"),
        (5, {"id": "f"}),
        (6, "", '{"id": "g', "its JSON is damaged at character 8: unterminated string starting at"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"id": "a"}, {"id": "b"', "its JSON is cut off: what begins on line 1 never ends. Export it again"),
        ('[{"id": "a"},\n {"id": "b', "its JSON is cut off: what begins on line 2 never ends. Export it again"),
        ('[{"id": "a"},\n', "its JSON is cut off: it ends in the middle. Export it again"),
        ('[{"id": "a"}', "its JSON is cut off: it ends in the middle. Export it again"),
        ('[{"id": "a"}\n {"id": "b"}]', "its JSON is damaged on line 2, character 2: a comma or the end of a list is missing"),
        ('[{"id": "a"},\n {"id": b}]', "its JSON is damaged on line 2, character 9: expecting value"),
        ("[" * 100_000, "what begins on line 1 has lists in lists deeper than any export"),
    ],
)
def test_what_can_not_be_read_is_refused_in_a_sentence(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(NotATable) as refused:
        read(tmp_path, content)
    assert str(refused.value) == said


@pytest.mark.parametrize("content", ['{"results": [{"id": "a"}]', '{"results": [{"id": "a"}], "paging"', '{"results"', "{"])
def test_a_page_that_is_cut_off(tmp_path: Path, content: str) -> None:
    with pytest.raises(NotATable, match="its JSON is cut off"):
        read(tmp_path, content, ("results",))


def test_deep_nesting_in_a_line_is_one_bad_record(tmp_path: Path) -> None:
    content = '{"id": "a"}\n{"id": ' + "[" * 100_000 + "]" * 100_000 + '}\n{"id": "c"}\n'
    assert [row[-1] for row in read(tmp_path, content)] == [{"id": "a"}, "it has lists in lists deeper than any export", {"id": "c"}]


def test_long_values_cross_every_border(tmp_path: Path) -> None:
    # longer than one reading of the file, so that texts, numbers and escapes are cut
    records = [{"id": f"{n}", "text": 'ü\\\n"' * 90_000 + str(n), "n": 12345678901234567890 + n} for n in range(12)]
    expected = [{**record, "n": str(record["n"])} for record in records]
    assert [value for _, value in read(tmp_path, json.dumps(records))] == expected
    assert [
        value for _, value in read(tmp_path, json.dumps({"a": 1, "data": records}, indent=1, ensure_ascii=False), ("data",))
    ] == expected


def test_members_beside_the_records(tmp_path: Path) -> None:
    content = json.dumps({"issues": [ONE], "names": {"customfield_1": "Points"}}) + "\n" + json.dumps({"issues": [], "names": {"c2": "x"}})
    for pages in (content, f"[{content.replace(chr(10), ',')}]", content.replace("\n", " ")):
        assert document(tmp_path, pages).page(("issues",), ("names",)) == {"names": {"customfield_1": "Points", "c2": "x"}}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('{"a": 1}', True),
        (' [ {"a": 1}]', True),
        ("[[", True),
        ("[", True),
        ("[1] Name,Amount\n", False),
        ("{Name},Amount\n", False),
        ("Name,Amount\n", False),
        ("", False),
    ],
)
def test_what_is_taken_for_json(head: str, expected: bool) -> None:
    assert is_json(Text(Path("x"), "utf-8", head)) is expected


@pytest.mark.parametrize("head", ["42", ' "text" ', "null\n", "-1.5e3", "true"])
def test_a_single_value(head: str) -> None:
    assert is_scalar(Text(Path("x"), "utf-8", head))
    assert not is_scalar(Text(Path("x"), "utf-8", "Name"))


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["array", "page", "lines"])
def test_a_file_is_never_held_whole(tmp_path: Path, shape: str) -> None:
    record = {"id": "x" * 100, "lines": {"data": [{"amount": n} for n in range(20)]}}
    records = [record] * 7_000  # 3 MB of text, 20 MB as objects
    if shape == "lines":
        content = "\n".join(json.dumps(each) for each in records)
    else:
        content = json.dumps(records if shape == "array" else {"results": records})
    made = document(tmp_path, content)
    del content
    path = ("results",) if shape == "page" else ()
    tracemalloc.start()
    assert made.samples()
    assert sum(1 for _ in made.records(path)) == 7_000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 9 << 20
