"""Two systems that hold the same kind of rows: which one counts is a question for a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kpi.warehouse.schema import COUNTED, metadata
from kpi.warehouse.store import Store


def questions(store: Store, tables: Collection[str], settled: Collection[str]) -> tuple[str, ...]:
    """A question for each group of systems that overlap in some of ``tables``, where ``sources:`` (``settled``) says nothing."""
    asked: dict[tuple[str, ...], list[str]] = {}
    for name in COUNTED:
        if name in tables and name not in settled:
            rows = store.run("SELECT source, covers_from, covers_to FROM coverage WHERE table_name = ? ORDER BY source", [name])
            overlapping = tuple(sorted({a[0] for a in rows for b in rows if a[0] != b[0] and a[1] < b[2] and b[1] < a[2]}))
            if overlapping:
                asked.setdefault(overlapping, []).append(name)
    return tuple(_question(systems, names) for systems, names in asked.items())


def _question(systems: Sequence[str], names: Sequence[str]) -> str:
    meaning = f"{metadata.tables[names[0]].comment}".split(":")[0]
    lines = "".join(f"\n  {name}: {systems[0]}" for name in names)
    return (
        f"{' and '.join(systems)} hold the same kind of rows over the same days ({names[0]}: {meaning}), and counting all would count "
        f"twice what they share. Which one counts? Until metrics.yaml says it, metrics on {' and '.join(names)} have no value. "
        f"Add this, or with {' or '.join(systems[1:])} in its place:\nsources:{lines}"
    )
