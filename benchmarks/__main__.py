"""``make bench``: measure what is promised about speed; exit code 1 where a promise is broken.

python -m benchmarks                    everything: some minutes, 2 GB under benchmarks/.data the first time
python -m benchmarks queries            one part: queries, imports or page
python -m benchmarks --scale 0.01       a hundredth of the rows, to see that it works; its ratios say nothing
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.timing import machine, print_table

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run the parts named; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", metavar="queries | imports | page")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=0, help="of each contender (default 15 for queries, 5 for imports)")
    options = parser.parse_args()
    parts = options.parts or ["queries", "imports", "page"]
    if unknown := set(parts) - {"queries", "imports", "page"}:
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are queries, imports and page")
    print(machine(), flush=True)
    holds = True
    if "queries" in parts:
        from benchmarks import queries

        print("\nMaking or opening a warehouse of 10 M invoice lines (the first time about a minute)…", flush=True)
        lines = queries.measure(ROOT, options.scale, options.runs or 15)
        holds &= print_table("Four figures, 65 weeks, one segment", lines)
    if "imports" in parts:
        from benchmarks import imports, stripe_csv

        print("\nImporting a payments export (the first time it is made before)…", flush=True)
        lines = imports.measure(ROOT, max(1000, int(stripe_csv.ROWS * options.scale)), options.runs or 5)
        holds &= print_table("Stripe payments, 21 columns", lines)
    if "page" in parts:
        from benchmarks import page

        print("\nClicking filters on the sample company…", flush=True)
        holds &= print_table("This week", page.measure(ROOT))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
