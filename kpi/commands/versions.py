"""``versions``: who changed metrics.yaml when and why; any two set beside each other, any restored."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from typing import Any

from kpi import settings
from kpi.analysis import texts
from kpi.analysis.comparing import closed_figures, compare
from kpi.commands.compare import printable_text
from kpi.commands.text import table
from kpi.errors import DefinitionsError, UsageError
from kpi.importing import systems
from kpi.metrics import saving
from kpi.metrics.definitions import checked
from kpi.metrics.saving import Saving, Written
from kpi.printing import printable
from kpi.records import versions
from kpi.records.versions import Version
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.given import look


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register ``versions``."""
    words = "print the versions of metrics.yaml, set two beside each other, or restore one"
    parser = subparsers.add_parser("versions", help=words, description=words.capitalize() + ".")
    parser.set_defaults(run=listed, json=False)
    parts = parser.add_subparsers(dest="part", metavar="list | show | diff | restore")
    one = parts.add_parser("list", help="all of them, the newest first; the default")
    one.add_argument("--json", action="store_true", help="print one JSON object a line")
    one.set_defaults(run=listed)
    one = parts.add_parser("show", help="the text of one")
    one.add_argument("number", type=int)
    one.set_defaults(run=show)
    one = parts.add_parser("diff", help="what differs from one to another, as diff -u prints it")
    one.add_argument("first", type=int)
    one.add_argument("second", type=int, nargs="?", help="default: the file as it stands")
    one.set_defaults(run=diff)
    one = parts.add_parser("restore", help="say what restoring one would change; with --reason do it")
    one.add_argument("number", type=int)
    one.add_argument("--reason", help="why, for those who read it later")
    one.add_argument("--author", help="your name; default: the user of this machine")
    one.set_defaults(run=restore)


def listed(options: argparse.Namespace) -> int:
    """A line a version; a change made elsewhere since the last one is recorded first."""
    chosen = settings.load()
    saving.note(chosen, partial(look, chosen))
    found = versions.history(chosen)
    if options.json:
        for one in found:
            when = one.written_at.isoformat() if one.written_at else None
            print(json.dumps({**vars(one), "touched": dict(one.touched), "written_at": when}, ensure_ascii=False))
        return 0
    rows = [[str(one.number), f"{one.written_at:%Y-%m-%d %H:%M}", _who(one), printable(said(one)), _touched(one)] for one in found]
    print(table(["version", "when (UTC)", "by", "why", "touched"], rows, right=(0,)) if rows else "no version was recorded yet")
    return 0


def show(options: argparse.Namespace) -> int:
    """The text, to the last byte."""
    sys.stdout.buffer.write(versions.text_of(settings.load(), options.number))
    sys.stdout.flush()
    return 0


def diff(options: argparse.Namespace) -> int:
    """Nothing is printed where both say the same."""
    chosen = settings.load()
    first = Written(versions.text_of(chosen, options.first)).text
    if options.second is None:
        second, name = saving.read(chosen.metrics).text, str(chosen.metrics)
    else:
        second, name = Written(versions.text_of(chosen, options.second)).text, f"version {options.second}"
    made = texts.unified(first, second, (f"version {options.first}", name))
    if made:
        print("\n".join(printable(line) for line in made.splitlines()))
    return 0


def restore(options: argparse.Namespace) -> int:
    """Before and after, and with a reason the file and a new version."""
    chosen = settings.load()
    now = saving.read(chosen.metrics)
    content = versions.text_of(chosen, options.number)
    if content == now.content:
        raise UsageError(f"version {options.number} is what {chosen.metrics} holds; nothing is to be restored")
    _said_before(chosen, now.content, content, f"version {options.number}")
    if not options.reason:
        print(f'\nnothing was changed; to restore it: python -m kpi versions restore {options.number} --reason "…"')
        return 0
    author = options.author or settings.user()
    change = Saving(content, now.hash, author, options.reason, "restored", options.number)
    kept = saving.save(chosen, change, partial(look, chosen), systems.known(chosen.sources))
    print(f"\n{chosen.metrics} is version {options.number} again, as version {kept.number}")
    return 0


def _said_before(chosen: Settings, before: bytes, after: bytes, name: str) -> None:
    old, _ = checked(before, str(chosen.metrics), partial(look, chosen))
    new, problems = checked(after, name, partial(look, chosen), systems.known(chosen.sources))
    if new is None or problems:
        raise DefinitionsError(problems)
    if old is None:
        print(f"{chosen.metrics} has problems, so there are no figures to compare with")
        return
    with open_reader(chosen, bool(old.catalog.given or new.catalog.given)) as reader:
        print(printable_text(compare(old, new, reader, closed_figures(chosen))))


def said(one: Version) -> str:
    """The reason, and what it restores."""
    return f"restores version {one.restores}: {one.reason}" if one.restores else one.reason


def _who(one: Version) -> str:
    return printable(one.author) if one.author else "(not known)"


def _touched(one: Version) -> str:
    names = list(one.touched)
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5} more"
