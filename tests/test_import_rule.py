"""Imports point down. Whoever breaks the rule reads here what to do instead."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LOW = (
    *("kpi.currencies", "kpi.errors", "kpi.keeping", "kpi.settings", "kpi.periods", "kpi.printing", "kpi.units"),
    *("kpi.yamlfile", "kpi.yamlrepair", "kpi.yamlsyntax"),
)

#: A module belongs to the longest name here that it begins with; it may import its own layer and those it names.
LAYERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(LOW, LOW),
    # What metrics.yaml and the mappings of sources/ have in common.
    "kpi.language": LOW,
    "kpi.warehouse": LOW,
    "kpi.records": LOW,
    "connectors.base": (
        *("connectors.amounts", "connectors.headers"),
        *("connectors.fields", "connectors.members", "connectors.months", "connectors.spoken", "connectors.stated", "connectors.states"),
        *("kpi.warehouse", *LOW),
    ),
    "connectors.amounts": ("kpi.warehouse", *LOW),
    "connectors.headers": (),
    "connectors.members": (),
    "connectors.spoken": (),
    "connectors.months": (),
    "connectors.stated": (),
    "connectors.states": (),
    "connectors.fields": ("connectors.base", "kpi.warehouse", *LOW),
    "connectors.documents": ("connectors.base", "connectors.packing", "connectors.reading"),
    # What a system's API answers, beside what its pages export.
    "connectors.gitlab_api": ("connectors.base", "connectors.fields", "connectors.gitlab"),
    "connectors.hubspot_api": ("connectors.base", "connectors.fields", "connectors.hubspot"),
    "connectors.recurly_subscriptions": ("connectors.base", "connectors.fields", "connectors.recurly"),
    "connectors.stripe_billing": ("connectors.base", "connectors.fields", "connectors.stripe_api"),
    **dict.fromkeys(("connectors.foreign", "connectors.scanning", "connectors.tidying"), ()),
    "connectors.packing": ("connectors.base",),
    "connectors.parsing": ("connectors.base",),
    **dict.fromkeys(("connectors.evening", "connectors.markup", "connectors.serials"), ()),
    "connectors.streamed": ("connectors.evening", "connectors.packing", "connectors.serials"),
    "connectors.grids": ("connectors.evening", "connectors.markup", "connectors.packing", "connectors.serials", "connectors.streamed"),
    "connectors.workbook": ("connectors.grids", "connectors.markup", "connectors.packing", "connectors.serials", "connectors.streamed"),
    "connectors.reading": (
        *(
            "connectors.base",
            "connectors.foreign",
            "connectors.packing",
            "connectors.parsing",
            "connectors.scanning",
            "connectors.workbook",
        ),
    ),
    # One file a system, and the registry that lists them.
    "connectors.salesforce": ("connectors.salesforce_reports", "connectors.base", "connectors.fields", "kpi.warehouse.schema"),
    "connectors.salesforce_reports": ("connectors.base", "connectors.fields", "kpi.warehouse.schema"),
    "connectors": ("connectors.base", "connectors.fields", "kpi.warehouse.schema"),
    # The names of connectors are taken, so no mapping may have one; drafts read files as imports do.
    "kpi.sources": ("connectors", "kpi.language", "kpi.warehouse", *LOW),
    "kpi.importing": ("connectors", "kpi.records", "kpi.sources", "kpi.warehouse", *LOW),
    "kpi.metrics": ("kpi.language", "kpi.warehouse", "kpi.records", *LOW),
    "kpi.analysis": ("kpi.metrics", "kpi.warehouse", "kpi.records", *LOW),
    "kpi.dashboard": ("kpi.analysis", "kpi.metrics", "kpi.warehouse", "kpi.records", *LOW),
    # The sample company writes files as their systems do: it must not share a mistake with what reads them.
    "kpi.demo": LOW,
    "kpi.commands": ("kpi", "connectors"),
    "kpi.cli": ("kpi", "connectors"),
    "kpi.__main__": ("kpi.cli",),
    "kpi": (),
    # Besides showing pages it publishes anew when products: or costs: changed, as the commands do.
    "app": ("kpi.dashboard", "kpi.importing", "kpi.metrics", "kpi.records", "kpi.settings", "kpi.errors"),
}

#: Packages of others that only some layers may import, and what to do elsewhere.
OUTSIDE: dict[str, tuple[tuple[str, ...], str]] = {
    "streamlit": (("app", "kpi.dashboard"), "return plain values and let kpi/dashboard show them"),
    "plotly": (("kpi.dashboard",), "return a Result and let kpi/dashboard/charts draw it"),
    "sqlalchemy": (("kpi.warehouse", "kpi.records", "kpi.metrics"), "ask kpi/metrics/query for figures, or kpi/warehouse for rows"),
    "alembic": (("kpi.records",), "records(settings, write=True) of kpi/records/opening brings the tables up to date by itself"),
    "duckdb": (("kpi.warehouse", "kpi.importing", "kpi.metrics"), "open the warehouse through kpi/warehouse/engines"),
    "psycopg": (("kpi.warehouse", "kpi.importing", "kpi.records"), "open the warehouse through kpi/warehouse/engines"),
    "yaml": (("kpi.yamlfile", "kpi.yamlsyntax"), "read YAML with kpi/yamlfile, which keeps lines and refuses traps"),
    "typst": (("kpi.dashboard.printed",), "print what kpi/dashboard/printed/content makes"),
    "rapidfuzz": (("kpi.warehouse",), "ask kpi/warehouse/likeness how like two names are"),
    "sqlglot": (("kpi.language", "kpi.metrics", "kpi.sources"), "resolve expressions with kpi/metrics/expressions"),
}


def modules() -> dict[str, Path]:
    """Every module of the project by its dotted name; ``__init__`` files by their package's."""
    files = [ROOT / "app.py", *(ROOT / "kpi").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(files)}


def imported(source: str, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything ``source`` imports, also inside functions; ``from a import b`` is a.b where that is a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports from the root, such as from kpi.periods import Calendar"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield node.lineno, whole if whole in known else str(node.module)


def at_once(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The imports that run when a module is imported: none of functions, and none for type checkers alone."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test) != "TYPE_CHECKING":
            yield from at_once([*node.body, *node.orelse])
        elif isinstance(node, ast.Try | ast.With | ast.ClassDef):
            yield from at_once(node.body)


def within(name: str, layer: str) -> bool:
    return name == layer or name.startswith(f"{layer}.")


def layer_of(name: str) -> str:
    return max((layer for layer in LAYERS if within(name, layer)), key=len)


def breaches(name: str, source: str, known: frozenset[str]) -> list[str]:
    """A sentence for each import of ``source`` that points up or sideways."""
    layer = layer_of(name)
    found = []
    for line, target in imported(source, known):
        top = target.split(".")[0]
        if top in OUTSIDE:
            homes, instead = OUTSIDE[top]
            if not any(within(name, home) for home in homes):
                found.append(f"{name}:{line} imports {top}, which only {', '.join(homes)} may: {instead}")
        elif top in ("kpi", "connectors", "app"):
            same = layer_of(target) == layer and layer != "connectors"
            registry = name == "connectors"  # it lists the connectors, so it names them all
            if not same and not registry and not any(within(target, below) for below in LAYERS[layer]):
                may = ", ".join(LAYERS[layer]) or "nothing of the project"
                found.append(
                    f"{name}:{line} imports {target}, but {layer} may import {may}: hand the value in, or move what is shared down"
                )
    return found


KNOWN = frozenset(modules())


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_imports_point_down(name: str) -> None:
    found = breaches(name, modules()[name].read_text(encoding="utf-8"), KNOWN)
    assert not found, "\n".join(found)


def test_a_breach_says_what_to_do() -> None:
    assert breaches("kpi.metrics.query", "import streamlit as st", KNOWN) == [
        "kpi.metrics.query:1 imports streamlit, which only app, kpi.dashboard may: return plain values and let kpi/dashboard show them"
    ]
    assert breaches("kpi.warehouse.merge", "\nfrom kpi.metrics import model", KNOWN) == [
        "kpi.warehouse.merge:2 imports kpi.metrics.model, but kpi.warehouse may import "
        f"{', '.join(LOW)}: hand the value in, or move what is shared down"
    ]
    assert breaches("connectors.jira", "def f():\n    from connectors import stripe", KNOWN) == [
        "connectors.jira:2 imports connectors.stripe, but connectors may import "
        "connectors.base, connectors.fields, kpi.warehouse.schema: hand the value in, or move what is shared down"
    ]
    assert breaches("connectors.stripe", "from connectors.base import Layout\nfrom kpi.warehouse import schema", KNOWN) == []


def test_every_module_can_be_imported_first() -> None:
    """Two that wait for each other work from one end and break from the other: whoever imports them first decides."""
    waits_for = {}
    for name, path in modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        source = "\n".join(ast.unparse(node) for node in at_once(tree.body))
        waits_for[name] = {target for _, target in imported(source, KNOWN) if target in KNOWN}
    graphlib.TopologicalSorter(waits_for).prepare()  # a CycleError names them
