"""Two systems that hold the same kind of rows: which one counts is a question for a person."""

from __future__ import annotations

from collections.abc import Collection

from kpi.warehouse.schema import COUNTED, metadata
from kpi.warehouse.store import Store


def questions(store: Store, tables: Collection[str], settled: Collection[str]) -> tuple[str, ...]:
    """A question for each of ``tables`` in which several systems overlap and ``sources:`` (``settled``) says nothing."""
    asked = []
    for name in COUNTED:
        if name not in tables or name in settled:
            continue
        rows = store.run("SELECT source, covers_from, covers_to FROM coverage WHERE table_name = ? ORDER BY source", [name])
        overlapping = sorted({a[0] for a in rows for b in rows if a[0] != b[0] and a[1] < b[2] and b[1] < a[2]})
        if overlapping:
            meaning = str(metadata.tables[name].comment)
            asked.append(
                f"{' and '.join(overlapping)} both hold rows of {name} ({meaning}) over the same days, "
                "which would count twice what they share. "
                f"Until metrics.yaml says which one counts, metrics on {name} have no value. Add, with the system that counts:\n"
                f"sources:\n  {name}: {overlapping[0]}"
            )
    return tuple(asked)
