"""``make bench``: measure what is promised about speed; exit code 1 where a promise is broken.

python -m benchmarks                    everything: some minutes, 2 GB under benchmarks/.data the first time
python -m benchmarks queries            one part: queries, layer, imports, sheets, identity or page
python -m benchmarks layer --large      also ten times the rows: 100 M invoice lines, some 20 GB
python -m benchmarks --scale 0.01       a hundredth of the rows, to see that it works; its ratios say nothing
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.timing import machine, print_table

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("queries", "layer", "imports", "sheets", "identity", "page")


def main() -> int:
    """Run the parts named; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", metavar=" | ".join(PARTS))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument(
        "--runs", type=int, default=0, help="of each contender (default 15 for queries and layer, 5 for imports and sheets)"
    )
    parser.add_argument("--large", action="store_true", help="of the layer's growth, also ten times the scale")
    options = parser.parse_args()
    parts = options.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    print(machine(), flush=True)
    holds = True
    if "queries" in parts:
        from benchmarks import queries

        print("\nMaking or opening a warehouse of 10 M invoice lines (the first time about a minute)…", flush=True)
        lines = queries.measure(ROOT, options.scale, options.runs or 15)
        holds &= print_table("Four figures, 65 weeks, one segment", lines)
    if "layer" in parts:
        from benchmarks import layer

        print("\nAsking for twenty metrics, movements and retention…", flush=True)
        holds &= print_table("The metrics layer, 65 weeks", layer.measure(ROOT, options.scale, options.runs or 15))
        scales = [options.scale / 10, options.scale, *([options.scale * 10] if options.large else [])]
        holds &= print_table("Growth", layer.growth(ROOT, scales, options.runs or 15))
    if "imports" in parts:
        from benchmarks import imports, stripe_csv, stripe_json

        print("\nImporting a payments export (the first time it is made before)…", flush=True)
        lines = imports.measure(ROOT, max(1000, int(stripe_csv.ROWS * options.scale)), options.runs or 5)
        holds &= print_table("Stripe payments, 21 columns", lines)
        lines = imports.measure_small(ROOT, max(10_000, int(stripe_csv.ROWS // 2 * options.scale)), min(options.runs or 3, 3))
        holds &= print_table("The same in many small files", lines)
        lines = imports.measure_json(ROOT, max(1000, int(stripe_json.ROWS * options.scale)))
        holds &= print_table("Stripe charges as JSON Lines", lines)
        lines = imports.measure_rebuild(ROOT, max(5000, int(5 * stripe_csv.ROWS * options.scale)))
        holds &= print_table("The warehouse made again from the archive", lines)
    if "sheets" in parts:
        from benchmarks import sheets

        print("\nReading a payments export saved as .xlsx (the first time it is made before)…", flush=True)
        lines = sheets.measure(ROOT, max(1000, int(sheets.ROWS * options.scale)), options.runs or 5)
        holds &= print_table("Stripe payments as a workbook, 21 columns", lines)
    if "identity" in parts:
        from benchmarks import identity

        print("\nMatching customers of three systems…", flush=True)
        holds &= print_table("One customer is one customer, 5,000 companies", identity.measure(options.scale))
    if "page" in parts:
        from benchmarks import page

        print("\nClicking filters on the sample company…", flush=True)
        holds &= print_table("This week", page.measure(ROOT))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
