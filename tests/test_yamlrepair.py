"""What is read on behind a mistake in the YAML itself: the lines as they were meant, and no more than that."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    text = "a:\n" + "".join(f"  k{place}: {{x: 1\n" for place in range(yamlfile.MAX_REPAIRS + 40))
    tree, problems = yamlfile.parse(text.encode(), "m.yaml")
    assert tree is None
    assert [problem.line for problem in problems] == list(range(2, 2 + yamlfile.MAX_REPAIRS + 1))


def test_each_mistake_is_read_behind_from_its_own_entry_on(monkeypatch):
    """A hundred mistakes in five hundred entries: what is read twice is a hundred entries and the ones before them, not the file."""
    read = []
    parse = yaml.parse

    def counted(stream, Loader):
        last = 0
        try:
            for event in parse(stream, Loader=Loader):
                last = event.end_mark.index
                yield event
        except yaml.MarkedYAMLError as error:
            last = error.problem_mark.index
            raise
        finally:
            read.append(last)

    monkeypatch.setattr(yaml, "parse", counted)
    entries = [f"  m{number}: {{x: {number}\n" if number % 5 == 4 else f"  m{number}: {{x: {number}}}\n" for number in range(500)]
    text = "a:\n" + "".join(entries)
    tree, problems = yamlfile.parse(text.encode(), "m.yaml")
    assert tree is not None
    assert [problem.line for problem in problems] == list(range(6, 502, 5))
    assert len(read) == 101
    assert sum(read) < 2 * len(text)


LINES = (
    "a:",
    "b: 2",
    "c: [1, 2]",
    "  one: {x: 1}",
    "  two:",
    "    x: 1",
    "    - 3",
    "  'three': {",
    "    y: 2, z: [4",
    "  }",
    "  one: again",
    "   odd: 1",
    ' "four: {x',
    "  five: 'it''s'",
    "\tsix: 1",
    "? seven",
    ": 8",
    "---",
    "word",
    "# note",
    "",
    "  <<: *a",
    "  &b eight: !!str 8",
    "  nine: |",
    "      long",
    "  no: yes",
    "}",
    "- 1",
)


@given(st.lists(st.sampled_from(LINES), max_size=24))
@example(["b: 2", "  &b eight: !!str 8", "  one: {x: 1}"])
@example(["  'three': {", "a:", "  'three': {"])
@settings(deadline=None, max_examples=400)
def test_reading_on_from_an_entry_is_reading_the_file_anew(lines):
    text = "\n".join(lines).encode()
    on = yamlfile.parse(text, "m.yaml")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(yamlfile._Reader, "_mark", lambda *_: None)
        assert on == yamlfile.parse(text, "m.yaml")
