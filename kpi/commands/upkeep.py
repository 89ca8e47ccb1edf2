"""What keeps the warehouse: ``problems``, ``rebuild``, ``doctor``, ``tables``, ``connectors``."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from connectors import CONNECTORS
from kpi import settings
from kpi.commands.records import said
from kpi.commands.text import table
from kpi.errors import KpiError, UnknownName, UsageError
from kpi.importing.recognising import as_tree, fits, fits_tree
from kpi.importing.republish import rebuild
from kpi.metrics import definitions
from kpi.metrics.asking import given_counts, given_descriptions
from kpi.metrics.catalog import STANDARD
from kpi.metrics.publishing import mappings_of
from kpi.records.standing import holding
from kpi.settings import Settings
from kpi.sources import folder
from kpi.sources.drafting import draft
from kpi.sources.profiling import look
from kpi.warehouse import given
from kpi.warehouse.agreement import listed
from kpi.warehouse.archive import Archive
from kpi.warehouse.casting import folded
from kpi.warehouse.engines import current_state, open_reader
from kpi.warehouse.holdings import descriptions, rejected_rows, row_counts


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the commands."""
    for name, run, words, has_json in (
        ("problems", _problems, "every rejected row, with file, line and reason", True),
        ("rebuild", _rebuild, "make the warehouse again from the archive", False),
        ("doctor", _doctor, "look for what is wrong with this installation", False),
        ("tables", _tables, "every table with its columns, their meaning and unit, and its rows", True),
        ("connectors", _connectors, "the systems and exports that can be imported", True),
    ):
        parser = subparsers.add_parser(name, help=words, description=f"Print {words}." if has_json else words.capitalize() + ".")
        if has_json:
            parser.add_argument("--json", action="store_true", help="print one JSON object")
        if name == "connectors":
            parser.add_argument("--draft", type=Path, metavar="FILE", help="print the first draft of a mapping for a file nobody knows yet")
        parser.set_defaults(run=run)


def require_connector(name: str, chosen: Settings) -> None:
    """Refuse a connector or a mapping that doesn't exist, with the nearest that does."""
    known = folder.names(chosen.sources)
    if name not in known:
        raise UnknownName("connector", name, known)


def _problems(options: argparse.Namespace) -> int:
    with open_reader(settings.load()) as reader:
        rows = rejected_rows(reader)
        contradictions = listed(reader)
    if options.json:
        print(json.dumps({"problems": rows, "disagreements": contradictions}, ensure_ascii=False, indent=1))
        return 0
    if rows:
        head = ("file", "line", "column", "value", "reason")
        cells = [(row["file"], str(row["line"]), row["column_name"] or "", _short(row["value"] or ""), row["reason"]) for row in rows]
        print(table(head, cells, right=(1,)))
    else:
        print("no row was rejected")
    if contradictions:
        print("\n" + table(("system", "fact", "of", "says yes", "says no"), [tuple(map(str, one.values())) for one in contradictions]))
    return 0


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else flat[:39] + "…"


def _rebuild(options: argparse.Namespace) -> int:
    chosen = settings.load()
    before = current_state(chosen)
    if before.generation == 0:
        print("nothing was ever imported, so there is nothing to rebuild")
        return 0
    number = rebuild(chosen, mappings_of(definitions.load(chosen.metrics)), lambda sentence: print(sentence, file=sys.stderr, flush=True))
    print(f"generation {number} was made from {before.archive_line} archived files")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    wrong = 0
    for good, sentence in _findings(settings.load()):
        print(("ok    " if good else "WRONG ") + sentence)
        wrong += not good
    return 1 if wrong else 0


def _findings(chosen: Settings) -> Iterator[tuple[bool, str]]:
    home = chosen.home
    yield True, f"KPI_HOME is {home.absolute()}" + ("" if home.exists() else ", which the first import will make")
    if home.exists():
        free = shutil.disk_usage(home).free
        yield free > 1 << 30, f"{free / (1 << 30):,.1f} GB are free there; an import needs as much as the warehouse and the files together"
    try:
        definitions.load(chosen.metrics)
        yield True, f"{chosen.metrics} has no problems"
    except KpiError as error:
        yield False, f"{chosen.metrics}: {len(str(error).splitlines())} problems; python -m kpi check lists them"
    described = folder.load(chosen.sources)
    if described.sources or described.problems:
        wrong = f" and {len(described.problems)} problems; python -m kpi check lists them" if described.problems else ""
        yield not described.problems, f"{chosen.sources} has {len(described.sources)} mappings without problems{wrong}"
    try:
        yield True, said(holding(chosen))
    except KpiError as error:
        yield False, str(error)
    try:
        state = current_state(chosen)
        with open_reader(chosen) as reader:
            runs = row_counts(reader)["import_run"]
    except KpiError as error:
        yield False, str(error)
        return
    where = "DuckDB" if not chosen.warehouse_url or chosen.warehouse_url.startswith("duckdb:") else "PostgreSQL"
    yield runs == state.archive_line, f"generation {state.generation} on {where} opens and holds {runs} of {state.archive_line} imports"
    try:
        archive = Archive(home)
        entries = archive.entries(state.archive_line)
        missing = [entry.name for entry in entries if not archive.blob(entry.sha256).exists()]
        texts = {entry.connector: entry.options["mapping"] for entry in entries if "mapping" in entry.options}
        missing += [f"the mapping of {name}" for name, sha256 in texts.items() if not archive.blob(sha256).exists()]
        yield not missing, f"the archive holds the bytes of every import{'' if not missing else ' but ' + ', '.join(missing)}"
    except KpiError as error:
        yield False, str(error)
    left = sorted(path.name for path in home.glob("*.part"))
    yield True, "no import is running or was cut off" if not left else f"{', '.join(left)}: an import is running, or the next one cleans up"


def _tables(options: argparse.Namespace) -> int:
    chosen = settings.load()
    loaded = definitions.load(chosen.metrics, partial(given.look, chosen)) if chosen.warehouse_url else None
    catalog = STANDARD if loaded is None else loaded.catalog
    with open_reader(chosen, bool(catalog.given)) as reader:
        counts = row_counts(reader) | given_counts(catalog, reader)
    described = [*descriptions(), *given_descriptions(catalog)]
    if options.json:
        print(json.dumps({"tables": [one | {"rows": counts[one["name"]]} for one in described]}, ensure_ascii=False, indent=1))
        return 0
    for one in described:
        rows = "1 row" if counts[one["name"]] == 1 else f"{counts[one['name']]:,} rows"
        print(f"{one['name']}: {one['meaning']}; {rows}")
        cells = [(f"  {column['name']}", column["unit"], column["meaning"]) for column in one["columns"]]
        print(table(("  column", "unit", "meaning"), cells) + "\n")
    return 0


def _connectors(options: argparse.Namespace) -> int:
    if options.draft is not None:
        print(drafted(options.draft, settings.load()), end="")
        return 0
    listed = [
        {"connector": connector.name, "label": connector.label, "layout": layout.name, "export": layout.export}
        for connector in (*CONNECTORS, *folder.load(settings.load().sources).connectors)
        for layout in connector.layouts
    ]
    if options.json:
        print(json.dumps({"connectors": listed}, ensure_ascii=False, indent=1))
    else:
        print(table(("connector", "system", "layout", "how to get it"), [tuple(one.values()) for one in listed]))
    return 0


def drafted(path: Path, chosen: Settings) -> str:
    """The first draft of a mapping for a file.

    Raises:
        UsageError: there is no such file.
        Unreadable: it is no table.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    known = folder.load(chosen.sources)
    with tempfile.TemporaryDirectory(prefix="kpi-draft-") as made:
        sheet = look(path, Path(made))
    names = {folded(cell) for cell in sheet.header}
    fitting = (
        f"{connector.name} {layout.name}"
        for connector in (*CONNECTORS, *known.connectors)
        for layout in connector.layouts
        if (
            (layout.tree is None and fits(layout, names, ()))
            if sheet.sample is None
            else fits_tree(as_tree(layout, sheet.sample) or layout if connector in known.connectors else layout, sheet.sample)
        )
    )
    return draft(sheet, path.name, folder.names(chosen.sources), next(fitting, ""))
