"""What is read on behind a mistake in the YAML itself: the lines as they were meant, and no more than that."""

from __future__ import annotations

import pytest

from kpi import yamlfile
from kpi.yamlrepair import Repair

BEFORE = "a:\n  one: {x: 1}\n"
AFTER = "  last: {z: 26}\nb: 2\n"


def read(text):
    """The tree as plain values, broken ones as "?", and lines with the first word of what is said of them."""
    tree, problems = yamlfile.parse((BEFORE + text + AFTER).encode(), "m.yaml")
    return plain(tree), [problem.line for problem in problems]


def plain(value):
    if isinstance(value, yamlfile.Mapping):
        return {name: plain(inner) for name, inner in value}
    if isinstance(value, yamlfile.Sequence):
        return [plain(item) for item in value.items]
    return "?" if isinstance(value, yamlfile.Broken) else None if value is None or value.is_null else value.text


@pytest.mark.parametrize(
    ("text", "two", "lines"),
    [
        ("  two: {x: 1\n", "?", [3]),
        ("  two: [1, 2\n", "?", [3]),
        ('  two: {x: "1}\n', "?", [3]),
        ("  two: {x: it's: here}\n", "?", [3]),
        ("  two: @home\n", "?", [3]),
        ("  two: {x: 1}}\n", "?", [3]),
        ("   two: {x: 1}\n", {"x": "1"}, [3]),
        (" two: {x: 1}\n", {"x": "1"}, [3]),
        ("  - two: {x: 1}\n", {"x": "1"}, [3]),
        ("\ttwo: {x: 1}\n", {"x": "1"}, [3]),
        ("  two:\t{x: 1}\n", {"x": "1"}, [3]),
        ("  two:\n\tx: 1\n\ty: 2\n", {"x": "1", "y": "2"}, [4, 5]),
        ("  two:\n    x: 1\n   y: 2\n", {"x": "1", "y": "2"}, [5]),
        ("  two:\n    x: 1\n     y: 2\n", {"x": "1", "y": "2"}, [5]),
        ("  two:\n    x: 1\n    y\n    z: 3\n", "?", [5]),
        ("  two: {\n    x: 1,\n    y: 2\n", "?", [5]),
        ("  two: {x: 1\n  two: {x: 2\n", "?", [3, 4, 4]),  # a mistake each, and a key twice
    ],
)
def test_the_lines_behind_a_mistake_are_read(text, two, lines):
    assert read(text) == ({"a": {"one": {"x": "1"}, "two": two, "last": {"z": "26"}}, "b": "2"}, lines)


def test_a_section_without_its_colon_is_one():
    tree, problems = yamlfile.parse(b"a: 1\nmetrics\n  x: 1\n", "m.yaml")
    assert plain(tree) == {"a": "1", "metrics": {"x": "1"}}
    assert [str(problem) for problem in problems] == ['m.yaml:2: a key without ":"; write "key: value"']


def test_where_nothing_can_be_made_out_the_mistake_stays():
    tree, problems = yamlfile.parse(b"} nothing\n", "m.yaml")
    assert tree is None
    assert len(problems) == 1


def test_entries_may_be_indented_by_four():
    repair = Repair("a:\n    one: {x: 1\n    two: 2\n")
    assert repair.behind(2, False, False)
    assert repair.text == "a:\n    one:\n    two: 2\n"
    assert repair.broken == {2}


def test_a_file_of_nothing_but_mistakes_is_given_up():
    text = "a:\n" + "".join(f"  k{place}: {{x: 1\n" for place in range(60))
    tree, problems = yamlfile.parse(text.encode(), "m.yaml")
    assert tree is None
    assert [problem.line for problem in problems] == list(range(2, 2 + yamlfile.MAX_REPAIRS + 1))
