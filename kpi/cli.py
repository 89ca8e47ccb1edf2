"""``python -m kpi``: the answers of the pages for scripts, checks and people who like terminals.

Exit codes: 0 success, 1 a finding (problems in the YAML, a file held back or unknown), 2 wrong usage. Errors go
to stderr as one sentence, without a traceback.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from kpi.errors import KpiError

#: Modules of ``kpi.commands`` in the order of ``--help``; each has ``add(subparsers)`` and sets ``run`` as a default.
#: They are imported when named, so that ``check`` does not wait for a database driver.
COMMANDS: Final = {
    "import": "imports",
    "watch": "watch",
    "check": "metrics",
    "compare": "compare",
    "versions": "versions",
    "show": "metrics",
    "explain": "metrics",
    "rows": "rows",
    "report": "report",
    "link": "link",
    "comments": "notes",
    "events": "notes",
    "verdicts": "notes",
    "views": "views",
    "close": "closing",
    "restatements": "closing",
    "records": "records",
    "problems": "upkeep",
    "unmapped": "unmapped",
    "rebuild": "upkeep",
    "doctor": "upkeep",
    "demo": "demo",
    "tables": "upkeep",
    "connectors": "upkeep",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m kpi", description="North Star: figures that every team shares.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = COMMANDS.get(words[0]) if words else None
    for module in dict.fromkeys(COMMANDS.values()):
        if wanted is None or module == wanted:
            importlib.import_module(f"kpi.commands.{module}").add(subparsers)
    try:
        options = parser.parse_args(words)
    except SystemExit as stop:  # argparse has printed its sentence already
        return int(stop.code or 0)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except KpiError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped; nothing half done was kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except Exception as error:  # the last resort: a user gets a sentence, and whoever mends it asks for the traceback
        if os.environ.get("KPI_DEBUG"):
            raise
        said = (str(error).splitlines() or [""])[0]
        print(f"this failed in a way nobody foresaw ({type(error).__name__}: {said}); KPI_DEBUG=1 shows where", file=sys.stderr)
        return 1
