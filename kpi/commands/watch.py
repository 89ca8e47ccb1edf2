"""``watch``: import what is new in some places, again and again."""

from __future__ import annotations

import argparse
import time
from typing import Any, Final

from kpi import settings
from kpi.commands import upkeep
from kpi.commands.imports import as_json, as_text, say
from kpi.errors import KpiError, UsageError
from kpi.importing.files import expanded
from kpi.importing.importer import ImportReport, Options, import_inputs
from kpi.importing.watching import SETTLE_S, Watch
from kpi.metrics import definitions
from kpi.metrics.publishing import mappings_of
from kpi.settings import Settings
from kpi.warehouse.publish import landing

_EVERY_S: Final = 60.0


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register ``watch``."""
    parser = subparsers.add_parser(
        "watch",
        help="import what is new in a place, again and again",
        description="Look into places again and again, and import what is new there, each file once and only when it is whole.",
    )
    parser.add_argument(
        "places", nargs="+", metavar="PLACE", help="a folder, a pattern in quotes, or an address such as s3://bucket/exports"
    )
    parser.add_argument("--every", type=float, default=_EVERY_S, metavar="SECONDS", help=f"between two looks (default {_EVERY_S:g})")
    parser.add_argument(
        "--settle", type=float, default=SETTLE_S, metavar="SECONDS", help=f"for which a file must stay the same (default {SETTLE_S:g})"
    )
    parser.add_argument("--once", action="store_true", help="stop when everything that is there now was looked at")
    parser.add_argument("--as", dest="connector", metavar="CONNECTOR", help="the system the files are from")
    parser.add_argument("--dates", choices=("dmy", "mdy"), help="how 12/06/2024 is read where a whole column can't decide")
    parser.add_argument("--json", action="store_true", help="print one JSON object an import")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Watch; ends with --once, or when it is stopped. Exit code 1 when a file of --once was held back or unknown."""
    if not (0.1 <= options.every <= 86_400 and 0 <= options.settle <= 86_400):
        raise UsageError("--every takes 0.1 to 86400 seconds, and --settle 0 to 86400")
    if "-" in options.places:
        raise UsageError("standard input can't be watched; import takes it:  python -m kpi import -")
    chosen = settings.load()
    if options.connector:
        upkeep.require_connector(options.connector, chosen)
    watch = Watch(chosen.home, options.places, options.settle)
    refused = False
    if not options.once:
        say(f"watching {' '.join(options.places)} every {options.every:g} s; Ctrl-C stops it, and nothing half done is kept")
    while True:
        try:
            report = _import_new(watch, chosen, options)
        except KpiError as error:
            if options.once:
                raise
            say(f"{error}; trying again in {options.every:g} s")
            report = None
        if report is not None:
            print(as_json(report) if options.json else as_text(report), flush=True)
            refused |= any(file.status in ("held back", "unknown") for file in report.files)
        if options.once and not watch.waits:
            return 1 if refused else 0
        time.sleep(max(options.settle, 0.1) if options.once else options.every)


def _import_new(watch: Watch, chosen: Settings, options: argparse.Namespace) -> ImportReport | None:
    """One look; None where nothing is new."""
    ready = watch.look(say)
    if not ready:
        return None
    loaded = definitions.load(chosen.metrics)
    told = Options(options.connector, options.dates, counted=frozenset(loaded.sources))
    with landing(chosen) as folder:
        inputs = [member for one in ready for member in expanded(one, folder, say)]
        report = import_inputs(chosen, mappings_of(loaded), inputs, told, say)
    watch.imported(ready)
    return report
