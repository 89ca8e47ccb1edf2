"""``report``: This week as a PDF of two pages or as a PNG, for those who read it on paper or in a mail."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any, Literal

from kpi import settings
from kpi.errors import UsageError
from kpi.importing.current import ensure_current
from kpi.metrics import definitions
from kpi.metrics.model import Definitions
from kpi.metrics.publishing import mappings_of
from kpi.periods import Calendar, parse_period
from kpi.warehouse.engines import open_reader
from kpi.warehouse.given import look, token


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the command."""
    words = "write This week as a PDF of two pages, or as a PNG"
    parser = subparsers.add_parser("report", help=words, description=words.capitalize() + ".")
    parser.add_argument("--week", metavar="WEEK", help="such as 2026-W46, or a day in it; default: the last whole one")
    parser.add_argument("--out", type=Path, metavar="FILE", help="ends with .pdf or .png; default: review-2026-W46.pdf")
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help='as in a link: segment=SMB, or "region=(none)"; may be given again',
    )
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="default: light, for paper")
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """Write the file and say where; the figures are those of the page, to the last digit."""
    form = _form(options.out)
    chosen = settings.load()
    loaded = definitions.load(chosen.metrics, partial(look, chosen))
    week = None if options.week is None else week_of(options.week, loaded.calendar)
    parameters = _parameters(options.filter, loaded)
    ensure_current(chosen, mappings_of(loaded), lambda sentence: print(sentence, file=sys.stderr, flush=True))
    # Streamlit comes with the pages and takes a second: after what may be wrong with the request
    from kpi.dashboard.data import Desk
    from kpi.dashboard.printed.asked import asked

    given = bool(loaded.catalog.given)
    with open_reader(chosen, given) as reader:
        desk = Desk(chosen, loaded, reader, (), token(chosen) if given else "")
        name, data = asked(desk, week, parameters, form, options.theme)
    out = options.out or Path(f"{name}.pdf")
    _write(out, data)
    print(out)
    return 0


def week_of(text: str, calendar: Calendar) -> dt.date:
    """First day of the week that ``2026-W46`` or a day in it names.

    Raises:
        UsageError: no such week.
    """
    try:
        period = parse_period(text, calendar)
    except ValueError:
        period = None
    if period is None or (period.end - period.start).days not in (1, 7) or calendar.week(period.start).end < period.end:
        raise UsageError(f"--week {text}: write a week such as 2026-W46, or a day in it such as 2026-11-09")
    return calendar.week(period.start).start


def _parameters(filters: list[str], loaded: Definitions) -> dict[str, list[str]]:
    parameters: dict[str, list[str]] = {}
    for text in filters:
        name, separator, value = text.partition("=")
        if not separator or name not in loaded.dimensions:
            names = ", ".join(loaded.dimensions)
            raise UsageError(f"--filter {text}: write a dimension and one of its values, such as segment=SMB; dimensions are {names}")
        parameters.setdefault(name, []).append(value)
    return parameters


def _form(out: Path | None) -> Literal["pdf", "png"]:
    """By the name's ending; said at once, since the figures take a while."""
    if out is not None and not out.parent.is_dir():
        raise UsageError(f"{out} can't be written: there is no folder {out.parent}")
    ending = ".pdf" if out is None else out.suffix.lower()
    if ending not in (".pdf", ".png"):
        raise UsageError(f"--out {out}: write a name that ends with .pdf or .png")
    return "png" if ending == ".png" else "pdf"


def _write(out: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        try:
            part.write_bytes(data)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{out} can't be written: {error.strerror}") from error
