"""``unmapped``: ledger accounts without a category, and rows without a product or a customer, with the amounts at stake."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any, Final

from kpi import settings
from kpi.commands.imports import say
from kpi.commands.text import table
from kpi.importing.current import ensure_current
from kpi.metrics import definitions
from kpi.metrics.publishing import mappings_of
from kpi.warehouse.engines import open_reader
from kpi.warehouse.unmapped import accounts_without_category, without_account, without_product

#: Lines of a list that a person reads at once; ``--all`` and ``--json`` have them all.
_SHOWN: Final = 30


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register ``unmapped``."""
    words = "ledger accounts without a category, and rows without a product or a customer, with their amounts"
    parser = subparsers.add_parser("unmapped", help=words, description=f"Print {words}, the largest first.")
    parser.add_argument("--all", action="store_true", help=f"more than the first {_SHOWN} of each")
    parser.add_argument("--json", action="store_true", help="print one JSON object, amounts as strings")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what the rules of metrics.yaml, as they are now, leave open."""
    chosen = settings.load()
    ensure_current(chosen, mappings_of(definitions.load(chosen.metrics)), say)
    with open_reader(chosen) as reader:
        found = {
            "accounts_without_category": accounts_without_category(reader),
            "without_product": without_product(reader),
            "without_account": without_account(reader),
        }
    if options.json:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=str))
        return 0
    parts = [_part(_SAID[name], rows, _SHOWN if not options.all else len(rows)) for name, rows in found.items()]
    print("\n\n".join(parts))
    return 0


_SAID: Final = {
    "accounts_without_category": "ledger accounts without a category; costs: in metrics.yaml names those that are costs",
    "without_product": "rows without a product; products: in metrics.yaml says whose they are",
    "without_account": "rows whose customer is not matched",
}


def _part(said: str, rows: Sequence[dict[str, Any]], most: int) -> str:
    if not rows:
        return f"{said.partition(';')[0]}: none"
    head = [name.replace("_", " ") for name in rows[0]]
    empty = {"amount": "", "currency": ""}
    cells = [[empty.get(name, "(none)") if value is None else _cell(value) for name, value in row.items()] for row in rows[:most]]
    right = [at for at, name in enumerate(rows[0]) if name in ("rows", "amount")]
    rest = f"\nand {len(rows) - most:,} more: --all shows them" if len(rows) > most else ""
    return f"{said}:\n\n{table(head, cells, right)}{rest}"


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
