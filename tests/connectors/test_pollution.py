"""What people and programs do to exports, and that every one is read right or refused aloud.

``python -m tests.connectors.pollution`` prints the table of all scores.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.pollution.clean import CLEAN
from tests.connectors.pollution.kinds import POLLUTIONS, Pollution
from tests.connectors.pollution.scoring import score

CASES = [(pollution, connector) for number, pollution in enumerate(POLLUTIONS) for connector in pollution.cases(number)]


@pytest.mark.parametrize(("pollution", "connector"), CASES, ids=lambda part: part.name if isinstance(part, Pollution) else part)
def test_it_is_read_right_or_refused_aloud(pollution: Pollution, connector: str, tmp_path: Path) -> None:
    clean = CLEAN[connector]()
    made = pollution.made(clean)
    content, name = made if isinstance(made, tuple) else (made, "a.csv")
    scored = score(clean, content, name, tmp_path)
    assert scored.score == pollution.expected, scored.why


def test_there_are_enough_kinds() -> None:
    assert len({pollution.name for pollution in POLLUTIONS}) == len(POLLUTIONS) >= 60
