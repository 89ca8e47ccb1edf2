"""``python -m tests.connectors.pollution``: how each pollution is read, as a table; exit code 1 when anything is silently wrong.

``--all`` pollutes every connector's export with each; words choose the pollutions whose names hold one of them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.connectors.pollution.clean import CLEAN
from tests.connectors.pollution.kinds import POLLUTIONS, summary
from tests.connectors.pollution.scoring import Score, score


def main(words: list[str]) -> int:
    """Score all, or those whose names hold a word, with what was said of each."""
    scores: dict[tuple[str, str], Score] = {}
    every = "--all" in words
    words = [word for word in words if word != "--all"]
    for number, pollution in enumerate(POLLUTIONS):
        if words and not any(word in pollution.name for word in words):
            continue
        for connector in pollution.among if every else pollution.cases(number):
            clean = CLEAN[connector]()
            made = pollution.made(clean)
            content, name = made if isinstance(made, tuple) else (made, "a.csv")
            with tempfile.TemporaryDirectory() as folder:
                scored = score(clean, content, name, Path(folder))
            scores[pollution.name, connector] = scored.score
            if words or scored.score != pollution.expected:
                print(f"{pollution.name} ({connector}): {scored.score}, expected {pollution.expected}: {scored.why[:300]}")
    print(summary(scores))
    return 1 if "SILENTLY WRONG" in scores.values() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
