"""``records``: where what people wrote down is, of which version, and how much of it there is."""

from __future__ import annotations

import argparse
import json
from typing import Any

from kpi import settings
from kpi.commands.text import table
from kpi.records.standing import Holding, holding


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the command."""
    words = "where what people wrote down is kept, of which version its tables are, and how much they hold"
    parser = subparsers.add_parser("records", help=words, description=f"Print {words}. Tables of an older version are brought up to date.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    found = holding(settings.load())
    if options.json:
        print(json.dumps({"place": found.place, "version": found.version, "changes": found.changes, "rows": dict(found.rows)}))
        return 0
    print(said(found))
    if found.version is not None:
        print(
            "\n"
            + table(("table", "lines", "holds"), [(name, f"{n:,}", found.meanings[name]) for name, n in found.rows.items()], right=(1,))
        )
    return 0


def said(found: Holding) -> str:
    """One sentence."""
    if found.version is None:
        return f"nothing was written down yet; it will be in {found.place}"
    return f"what people wrote down is in {found.place}, version {found.version}, written to {found.changes:,} times"
