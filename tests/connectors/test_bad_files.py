"""One small bad file a mistake, found by looking into bad/; beside each stands everything that is said about it.

``<file>.txt`` holds the error's class and message, or the counts and the problems of a file that is loaded all the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kpi.errors import ImportError_
from tests.connectors.conftest import Stager

BAD = Path(__file__).parent / "bad"
FILES = sorted(path for path in BAD.iterdir() if path.suffix != ".txt")


def said_of(staged: Stager, path: Path) -> str:
    """What a user is told."""
    try:
        result = staged(path)
    except ImportError_ as error:
        return f"{type(error).__name__}\n{error}\n"
    counts = f"read {result.staged.rows_read}, loaded {result.staged.rows_loaded}, rejected {result.staged.rows_rejected}"
    problems = [f"line {line}, {column or 'row'}, {value!r}: {reason}" for line, column, value, reason in result.problems()]
    return "\n".join([counts, *problems, *result.staged.notes]) + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_said(staged: Stager, path: Path) -> None:
    expected = path.with_name(path.name + ".txt")
    assert said_of(staged, path) == expected.read_text(encoding="utf-8")


def test_there_is_a_file_for_each_message() -> None:
    assert {path.name.removesuffix(".txt") for path in BAD.glob("*.txt")} == {path.name for path in FILES}
