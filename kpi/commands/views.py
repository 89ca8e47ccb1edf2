"""``views``: saved views of Explore and the start pages of teams; listed, exported and imported."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args

from kpi import settings
from kpi.commands.sheets import from_csv, put, time, to_csv
from kpi.commands.text import table
from kpi.errors import UsageError
from kpi.metrics import definitions
from kpi.metrics.model import Definitions
from kpi.printing import printable
from kpi.records.notes import clean, name_of
from kpi.records.views import MOST_NAME, PINS, Action, Line, Views, history, new, team_of, views, write_down

_HEAD: Final = ("name", "team", "link", "view", "action", "author", "written_at")
_NEEDS: Final = ("name", "link")


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register it."""
    words = "saved views of the page Explore, and which of them teams begin with"
    parser = subparsers.add_parser("views", help=words, description=f"List {words}; export or import them.")
    parser.set_defaults(run=_list, json=False)
    actions = parser.add_subparsers(dest="action", metavar="list | history | export | import")
    made: list[argparse.ArgumentParser] = []
    for word, run, says in (
        ("list", _list, "what stands (the default)"),
        ("history", _history, "every line ever written"),
        ("export", _export, "write every line as CSV"),
        ("import", _import, f"read such CSV; of new rows the columns {', '.join(_NEEDS)} are enough"),
    ):
        made.append(actions.add_parser(word, help=says, description=says.capitalize() + "."))
        made[-1].set_defaults(run=run)
        made[-1].add_argument("--json", action="store_true", help="print one JSON object")
    made[2].add_argument("file", metavar="FILE", help="- is stdout")
    made[3].add_argument("file", metavar="FILE")


def _list(options: argparse.Namespace) -> int:
    found = views(settings.load())
    head = ("name", "team", "link", "start page of", "view", "author", "written_at")
    rows = [_standing(line, found) for line in found.lines]
    return _printed(options, head, rows)


def _standing(line: Line, found: Views) -> list[str]:
    name, team, link, view, _, author, written = _cells(line)
    return [name, team, link, ", ".join(pin.team for pin in found.pins_of(line.view)), view, author, written]


def _history(options: argparse.Namespace) -> int:
    return _printed(options, _HEAD, [_cells(line) for line in history(settings.load())])


def _printed(options: argparse.Namespace, head: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    if options.json:
        print(json.dumps({"views": [dict(zip(head, row, strict=True)) for row in rows]}, ensure_ascii=False, indent=1))
    elif not rows:
        print("there are no views yet; Explore saves them")
    else:
        print(table(head, [[printable(cell) for cell in row] for row in rows]))
    return 0


def _cells(line: Line) -> list[str]:
    when = "" if line.written_at is None else f"{line.written_at.isoformat()}Z"
    return [line.name, line.team, line.link, line.view, line.action, line.author, when]


def _export(options: argparse.Namespace) -> int:
    lines = history(settings.load())
    if put(options.file, to_csv(_HEAD, [_cells(line) for line in lines])):
        said = f"{len(lines):,} lines written to {options.file}"
        print(json.dumps({"file": options.file, "lines": len(lines)}) if options.json else said)
    return 0


def _import(options: argparse.Namespace) -> int:
    chosen = settings.load()
    loaded = definitions.load(chosen.metrics)
    there = {tuple(_cells(line)) for line in history(chosen)}
    path, lines, wrong, known = Path(options.file), list[Line](), list[str](), 0
    for number, row in from_csv(path, _NEEDS):
        if tuple(row.get(name, "") for name in _HEAD) in there:
            known += 1  # not read again: it may name a metric that is no more
        elif any(row.values()):
            try:
                lines.append(_read(row, loaded))
            except UsageError as error:
                wrong.append(f"{path}:{number} {error}")
    if wrong:
        raise UsageError("\n".join([*wrong, "nothing was imported"]))
    added = write_down(chosen, lines)
    known += len(lines) - added
    if options.json:
        print(json.dumps({"new": added, "known": known}))
    else:
        print(f"{added} line{'' if added == 1 else 's'} written down; {known} known already")
    return 0


def _read(row: Mapping[str, str], loaded: Definitions) -> Line:
    """A row as a line.

    Raises:
        UsageError: what is wrong with it.
    """
    from kpi.dashboard.exploring import saved  # imported here: only a new row needs the page's reader, and with it Streamlit

    action = row.get("action", "").casefold() or "saved"
    if action not in get_args(Action):
        raise UsageError(f'action: "{action}" is none of {", ".join(get_args(Action))}')
    author, written, view = row.get("author", "") or settings.user(), row.get("written_at", ""), row.get("view", "")
    if action != "saved" and not (written and view):
        raise UsageError(f"action: a row that is {action} needs its view and written_at, as export writes them")
    line = new(row["name"], row.get("team", ""), saved.PATH, saved.of_text(row["link"], loaded), author)
    if action in PINS and not team_of(line.team):
        raise UsageError(f"team: a row that is {action} needs its team")
    # what has no name yet gets one that follows from what it says, so that the same file read again adds nothing
    view = clean(view, MOST_NAME, "the view") if view else name_of("view", line.team, line.name, line.parameters)
    return replace(line, view=view, action=action, written_at=time(written) if written else None)  # type: ignore[arg-type]
