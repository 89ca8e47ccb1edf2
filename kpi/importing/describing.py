"""The connectors in words: which columns each layout reads and what they become. docs/connectors.md holds the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from connectors import CONNECTORS
from connectors.base import Connector, Layout, Mapping
from kpi.warehouse.casting import cell_names
from kpi.warehouse.cells import Constant, EachCell, EachName

#: What the columns are of which each makes a row, where they are no stages.
_EACH = {"fx_quote": "currencies"}


def describe(connectors: Iterable[Connector] = CONNECTORS) -> str:
    """Markdown: a heading for each connector, a table for each of its layouts."""
    lines: list[str] = []
    for connector in connectors:
        lines += [f"### {connector.label}", "", f"`--as {connector.name}`", ""]
        for layout in connector.layouts:
            lines += [*_layout(layout), ""]
    return "\n".join(lines).rstrip() + "\n"


def _layout(layout: Layout) -> Iterator[str]:
    yield f"#### {layout.name}"
    yield ""
    yield f"How to get it: {layout.export}."
    yield ""
    needs = ", ".join(" or ".join(f"`{name}`" for name in group) for group in layout.needs)
    title = f" below the title `{layout.title}`" if layout.title else ""
    yield f"Recognised by{title}: {needs}." if needs else "Recognised by how its text begins."
    yield ""
    if layout.skips:
        yield f"Left out: {', '.join(skip.words for skip in layout.skips)}."
        yield ""
    yield "| becomes | from |"
    yield "| --- | --- |"
    rows: dict[str, dict[str, None]] = {}
    for mapping in layout.mappings:
        for column, value in mapping.columns.items():
            rows.setdefault(f"{mapping.table}.{column}", {}).update(dict.fromkeys(_sources(value, mapping)))
        if mapping.interval:
            rows[f"{mapping.table}.left_at"] = {"the next entered_at": None}
    for target, sources in rows.items():
        if target.partition(".")[2] != "source":
            yield f"| {target} | {', '.join(sources)} |"


def _sources(value: Any, mapping: Mapping) -> Iterator[str]:
    if isinstance(value, Constant):
        yield f"always {value.value}"
        return
    if isinstance(value, EachCell | EachName):
        yield f"the columns of {_EACH.get(mapping.table, 'stages')}" if isinstance(value, EachCell) else "their headers"
        return
    names = list(dict.fromkeys(cell_names(value)))
    yield from (f"`{name}`".replace("|", "\\|") for name in names)
    if not names and mapping.each:
        yield f"the columns of {_EACH.get(mapping.table, 'stages')}"
