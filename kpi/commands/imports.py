"""``import``: exports in, a table of what became of each file out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kpi import settings
from kpi.commands.text import table
from kpi.settings import Settings
from kpi.warehouse.archive import Archive, Incoming

if TYPE_CHECKING:
    from kpi.importing.importer import FileReport, ImportReport

#: Bytes of a file that takes longer to pack than to come to it.
_WORTHWHILE: Final = 8 << 20
_FIELDS = ("file", "connector", "status", "rows_read", "rows_loaded", "rows_rejected", "message")


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register ``import``."""
    parser = subparsers.add_parser(
        "import",
        help="read exports: files, folders, zips, addresses such as s3://bucket/exports",
        description="Read exports. A file is recognised by its header, not by its name; one bad file harms no other.",
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a file, a folder, a zip, a pattern in quotes, an address (s3, gs, sftp, https), or - for standard input",
    )
    parser.add_argument(
        "--as", dest="connector", metavar="CONNECTOR", help="the system the files are from; default: what their headers say"
    )
    parser.add_argument("--dates", choices=("dmy", "mdy"), help="how 12/06/2024 is read where a whole column can't decide")
    parser.add_argument(
        "--amounts",
        choices=("minor", "major"),
        help="whether 4500 is 45.00 or 4500.00 where a file of JSON can't tell; default: what it shows",
    )
    parser.add_argument("--full", action="store_true", help="the files are complete: rows of their systems that they lack are retired")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Import and report; exit code 1 when a file was held back or unknown."""
    chosen = settings.load()
    ahead = _ahead(chosen, options.paths)
    try:
        report = _import(options, chosen, ahead)
    finally:
        if ahead is not None:
            ahead.discard()
    print(as_json(report) if options.json else as_text(report))
    return 1 if any(file.status in ("held back", "unknown") for file in report.files) else 0


def _import(options: argparse.Namespace, chosen: Settings, ahead: Incoming | None) -> ImportReport:
    # a second of loading, in which the first file is packed already
    from kpi.commands import upkeep
    from kpi.importing.importer import Options, import_paths
    from kpi.metrics import definitions
    from kpi.metrics.publishing import mappings_of

    loaded = definitions.load(chosen.metrics)
    if options.connector:
        upkeep.require_connector(options.connector, chosen)
    told = Options(options.connector, options.dates, options.full, frozenset(loaded.sources), options.amounts)
    return import_paths(chosen, mappings_of(loaded), options.paths, told, say, ahead)


def _ahead(chosen: Settings, words: Sequence[str]) -> Incoming | None:
    """The first file on its way into the archive, if it is worth a thread and lies here; None where that can't be, which is no matter."""
    path = Path(words[0])
    try:
        if path.suffix.lower() != ".zip" and path.is_file() and path.stat().st_size > _WORTHWHILE:
            return Archive(chosen.home).receive(path)
    except (OSError, ValueError):  # the import says what is wrong
        pass
    return None


def say(sentence: str) -> None:
    """Progress: on stderr, so that stdout stays what was asked for."""
    print(sentence, file=sys.stderr, flush=True)


def as_json(report: ImportReport) -> str:
    """One object; questions that concern several files stand in ``questions`` and in the last loaded file's message."""
    files = [{name: asdict(file)[name] for name in _FIELDS} for file in report.files]
    asked = [file for file in files if file["status"] == "loaded"]
    if asked and report.questions:
        asked[-1]["message"] = "\n".join(filter(None, [asked[-1]["message"], *report.questions]))
    return json.dumps({"files": files, "generation": report.generation, "questions": list(report.questions)}, ensure_ascii=False, indent=1)


def as_text(report: ImportReport) -> str:
    """The table, then what concerns several files."""
    head = ("file", "recognised as", "read", "loaded", "rejected", "what to do next")
    rows = [(file.file, _recognised(file), *_counts(file), _next(file)) for file in report.files]
    return "\n\n".join([table(head, rows, right=(2, 3, 4)), *report.questions])


def _recognised(file: FileReport) -> str:
    if file.status == "unknown":
        return "unknown"
    name = f"{file.connector} {file.layout}".strip()
    return name if file.status == "loaded" else f"{name or 'nothing'} ({file.status})"


def _counts(file: FileReport) -> tuple[str, str, str]:
    if file.status != "loaded":
        return ("", "", "")
    return (f"{file.rows_read:,}", f"{file.rows_loaded:,}", f"{file.rows_rejected:,}")


def _next(file: FileReport) -> str:
    return file.message or "nothing"
