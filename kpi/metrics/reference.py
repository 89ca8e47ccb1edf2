"""The tables of docs/metrics.md, made from the registries that check the file, so that they can't disagree.

``python -m kpi.metrics.reference docs/metrics.md`` writes them anew; a test compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from kpi.language.problems import Key
from kpi.metrics import definitions, functions, given, graph, sections
from kpi.metrics.kinds import COMMON, KINDS
from kpi.metrics.kinds.allocation import ALLOCATE
from kpi.metrics.kinds.base import NEEDS
from kpi.metrics.kinds.conversion import CONVERSION_KEYS
from kpi.metrics.kinds.lagging import LAG
from kpi.metrics.kinds.time_to import TIME_TO_KEYS
from kpi.metrics.kinds.times import SNAPSHOT
from kpi.warehouse import schema

_MARKED: Final = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(name: str) -> str:
    """One generated part by its name, as Markdown."""
    needs = (key._replace(name=f"needs.{key.name}") for key in NEEDS)
    keys = {
        "sections": definitions.SECTIONS,
        "common": (*COMMON, *needs),
        "dimension": definitions.DIMENSION,
        "given": given.TABLE,
        "calendar": sections.CALENDAR,
        **{kind.name: (*kind.keys, *_within(kind.name)) for kind in KINDS},
        "allocate": ALLOCATE,
        "snapshot": SNAPSHOT,
        "lag": LAG,
    }
    if name in keys:
        return _keys(keys[name])
    others = {"functions": _functions, "tables": _tables}
    return others[name]()


def _within(kind: str) -> Iterable[Key]:
    """The keys within a kind's own key."""
    inner = {"conversion": CONVERSION_KEYS, "time_to": TIME_TO_KEYS}
    return (key._replace(name=f"{kind}.{key.name}") for key in inner.get(kind, ()))


def filled(text: str) -> str:
    """A document with every marked part made anew."""
    return _MARKED.sub(lambda found: f"{found.group(1)}{table(found.group(2))}{found.group(3)}", text)


def _keys(keys: Iterable[Key]) -> str:
    rows = [(f"`{key.name}`" + (" (needed)" if key.required else ""), key.accepts, key.meaning) for key in keys]
    return _markdown(("key", "accepts", "meaning"), rows)


def _functions() -> str:
    places = {"row": "rows", "formula": "formulas", "both": "rows and formulas", "until": "`until` of `time_to`"}
    return _markdown(
        ("function", "where", "meaning"), [(f"`{found.written}`", places[found.place], found.meaning) for found in functions.FUNCTIONS]
    )


def _tables() -> str:
    rows = []
    for found in schema.facts():
        if found.name != "account_version":  # it is what account was, and stands behind it
            reached = ", ".join(f"`{name}`" for name in graph.reachable(found.name)[1:])
            rows.append((f"`{found.name}`", found.comment or "", reached or "–"))
    return _markdown(("table", "one row is", "reaches"), rows)


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
