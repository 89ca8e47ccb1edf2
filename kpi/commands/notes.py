"""``comments``, ``events`` and ``verdicts``: what people write beside figures; listed, added, taken back, exported and imported."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from kpi import settings
from kpi.commands.sheets import from_csv, put, time, to_csv
from kpi.commands.text import table
from kpi.errors import UnknownName, UsageError
from kpi.metrics import definitions
from kpi.metrics.model import Definitions
from kpi.periods import Calendar, parse_period
from kpi.printing import printable
from kpi.records.notes import Action, Kind, Line, edit, history, name_of, new, notes, withdraw, write_down

#: Kind -> what it is called, its columns in CSV beside those of every line, and those that a row can't do without.
_KINDS: Final[Mapping[str, tuple[Kind, str, tuple[str, ...], tuple[str, ...]]]] = {
    "comments": ("comment", "comments on a metric's week", ("metric", "week", "text"), ("metric", "week", "text")),
    "events": ("event", "events, such as a price change, that charts mark", ("event", "from", "to", "metrics"), ("event", "from")),
    "verdicts": (
        "verdict",
        "what owners say is signal or noise, over what the chart says",
        ("metric", "week", "verdict", "reason"),
        ("metric", "week", "verdict", "reason"),
    ),
}
Made = TypeVar("Made")
_EVERY: Final = ("note", "action", "author", "written_at")
_ACTIONS: Final[Mapping[str, Action]] = {"": "written", "written": "written", "edited": "edited", "withdrawn": "withdrawn"}


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the three."""
    for name, (kind, words, columns, _) in _KINDS.items():
        parser = subparsers.add_parser(name, help=words, description=f"List {words}; add, edit, withdraw, export or import them.")
        parser.set_defaults(run=_list, kind=kind, name=name, json=False)
        actions = parser.add_subparsers(dest="action", metavar="list | add | edit | withdraw | history | export | import")
        made: list[argparse.ArgumentParser] = []
        for word, run, says in (
            ("list", _list, "what stands (the default)"),
            ("history", _history, "every line ever written"),
        ):
            made.append(actions.add_parser(word, help=says, description=f"Print {says}."))
            made[-1].set_defaults(run=run)
        made.append(actions.add_parser("add", help=f"write a {kind}", description=f"Write a {kind} down."))
        _says(kind, made[-1])
        made[-1].set_defaults(run=_add)
        made.append(actions.add_parser("edit", help="put another text in its place", description="Put another text in its place."))
        made[-1].add_argument("note", metavar="NOTE", help="as list shows it")
        made[-1].add_argument("text", metavar="TEXT")
        made[-1].set_defaults(run=_edit)
        made.append(actions.add_parser("withdraw", help="take it back; its history stays", description="Take it back; its history stays."))
        made[-1].add_argument("note", metavar="NOTE", help="as list shows it")
        made[-1].set_defaults(run=_withdraw)
        for word, run, says in (
            ("export", _export, "write every line as CSV"),
            ("import", _import, f"read such CSV; of new rows the columns {', '.join(columns)} are enough"),
        ):
            made.append(actions.add_parser(word, help=says, description=says.capitalize() + "."))
            made[-1].add_argument("file", metavar="FILE", help="- is stdout" if word == "export" else "")
            made[-1].set_defaults(run=run)
        for one in made:
            one.add_argument("--json", action="store_true", help="print one JSON object")
        for one in made[2:5]:
            one.add_argument("--author", default="", help="who writes; default: who is logged in")


def _says(kind: Kind, parser: argparse.ArgumentParser) -> None:
    if kind == "event":
        parser.add_argument("text", metavar="NAME", help='such as "Price change"')
        parser.add_argument("starts", metavar="DATE", help="such as 2026-11-12")
        parser.add_argument("--until", metavar="DATE", help="its last day, where it lasts")
        parser.add_argument("--metrics", nargs="+", default=[], metavar="METRIC", help="those that it concerns; default: all")
        return
    parser.add_argument("metric", metavar="METRIC")
    parser.add_argument("starts", metavar="WEEK", help="such as 2026-W46, or a day of it")
    if kind == "verdict":
        parser.add_argument("said", metavar="VERDICT", choices=("signal", "noise"), help="signal or noise")
    parser.add_argument("text", metavar="REASON" if kind == "verdict" else "TEXT")


def _loaded() -> tuple[settings.Settings, Definitions]:
    chosen = settings.load()
    return chosen, definitions.load(chosen.metrics)


def _list(options: argparse.Namespace) -> int:
    chosen, loaded = _loaded()
    lines = [line for line in notes(chosen).lines if line.kind == options.kind]
    return _printed(options, lines, loaded.calendar, f"there are no {options.name} yet")


def _history(options: argparse.Namespace) -> int:
    chosen, loaded = _loaded()
    return _printed(options, history(chosen, options.kind), loaded.calendar, f"there are no {options.name} yet")


def _printed(options: argparse.Namespace, lines: Sequence[Line], calendar: Calendar, none: str) -> int:
    head = (*_KINDS[options.name][2], *_EVERY)
    rows = [_cells(line, calendar) for line in lines]
    if options.json:
        print(json.dumps({options.name: [dict(zip(head, row, strict=True)) for row in rows]}, ensure_ascii=False, indent=1))
    elif not rows:
        print(none)
    else:
        print(table(head, [[printable(" ".join(cell.split())) for cell in row] for row in rows]))
    return 0


def _cells(line: Line, calendar: Calendar) -> list[str]:
    when = "" if line.written_at is None else f"{line.written_at.isoformat()}Z"
    every = [line.note, line.action, line.author, when]
    if line.kind == "event":
        return [line.text, line.starts.isoformat(), "" if line.ends is None else line.ends.isoformat(), " ".join(line.metrics), *every]
    year, number = calendar.week_number(line.starts)
    own = [line.text] if line.kind == "comment" else [line.said, line.text]
    return [*line.metrics, f"{year}-W{number:02}", *own, *every]


def _add(options: argparse.Namespace) -> int:
    chosen, loaded = _loaded()
    author = options.author or settings.user()
    if options.kind == "event":
        ends = None if options.until is None else _day(options.until)
        line = new("event", _known(options.metrics, loaded), _day(options.starts), options.text, author, ends)
    else:
        said = options.said if options.kind == "verdict" else ""
        week = _week(options.starts, loaded.calendar)
        line = new(options.kind, _known([options.metric], loaded), week, options.text, author, said=said)
    _report(options, write_down(chosen, [line]), line.note)
    return 0


def _report(options: argparse.Namespace, added: int, note: str = "", read: int | None = None) -> None:
    if options.json:
        print(json.dumps({"new": added} | ({"note": note} if note else {}) | ({} if read is None else {"known": read - added})))
    elif read is not None:
        print(f"{added} line{'' if added == 1 else 's'} written down; {read - added} known already")
    else:
        print(f"written down as {note}" if added else f"{note} says so already")


def _one(options: argparse.Namespace, chosen: settings.Settings) -> Line:
    found = {line.note: line for line in notes(chosen).lines if line.kind == options.kind}
    if options.note not in found:
        raise UnknownName(options.kind, options.note, found)
    return found[options.note]


def _edit(options: argparse.Namespace) -> int:
    chosen = settings.load()
    edit(chosen, _one(options, chosen), options.text, options.author or settings.user())
    _report(options, 1, options.note)
    return 0


def _withdraw(options: argparse.Namespace) -> int:
    chosen = settings.load()
    withdraw(chosen, _one(options, chosen), options.author or settings.user())
    print(
        json.dumps({"withdrawn": options.note}) if options.json else f"{options.note} is withdrawn; {options.name} history still shows it"
    )
    return 0


def _export(options: argparse.Namespace) -> int:
    chosen, loaded = _loaded()
    lines = history(chosen, options.kind)
    text = to_csv((*_KINDS[options.name][2], *_EVERY), [_cells(line, loaded.calendar) for line in lines])
    if put(options.file, text):
        said = f"{len(lines):,} lines written to {options.file}"
        print(json.dumps({"file": options.file, "lines": len(lines)}) if options.json else said)
    return 0


def _import(options: argparse.Namespace) -> int:
    chosen, loaded = _loaded()
    path, lines, wrong = Path(options.file), list[Line](), list[str]()
    for number, row in from_csv(path, _KINDS[options.name][3]):
        if any(row.values()):
            try:
                lines.append(_read(options.kind, row, loaded))
            except UsageError as error:
                wrong.append(f"{path}:{number} {error}")
    if wrong:
        raise UsageError("\n".join([*wrong, "nothing was imported"]))
    _report(options, write_down(chosen, lines), read=len(lines))
    return 0


def _read(kind: Kind, row: Mapping[str, str], loaded: Definitions) -> Line:
    """A row as a line.

    Raises:
        UsageError: what is wrong with it.
    """
    action = row.get("action", "").casefold()
    if action not in _ACTIONS:
        raise UsageError(f'action: "{action}" is none of written, edited, withdrawn')
    author, written = row.get("author", "") or settings.user(), row.get("written_at", "")
    if _ACTIONS[action] != "written" and not (written and row.get("note")):
        raise UsageError(f"action: a row that is {action} needs its note and written_at, as export writes them")
    if kind == "event":
        metrics = _known(row.get("metrics", "").replace(",", " ").split(), loaded)
        starts, ends = _day(row["from"]), _day(row["to"]) if row.get("to") else None
        text, said = row["event"], ""
    else:
        metrics, starts, ends = _known([row["metric"]], loaded), _week(row["week"], loaded.calendar), None
        text, said = (row["text"], "") if kind == "comment" else (row["reason"], row["verdict"].casefold())
    # what has no name yet gets one that follows from what it says, so that the same file read again adds nothing
    note = row.get("note", "") or name_of(kind, *metrics, starts.isoformat(), str(ends), text, author, written)
    made = new(kind, metrics, starts, text, author, ends, said, note)
    return Line(**{**vars(made), "action": _ACTIONS[action], "written_at": time(written) if written else None})


def _known(names: Sequence[str], loaded: Definitions) -> list[str]:
    for name in names:
        if name not in loaded.metrics:
            raise UnknownName("metric", name, loaded.metrics)
    return list(names)


def _day(text: str) -> dt.date:
    return _parsed(text, dt.date.fromisoformat, "a day such as 2026-11-12")


def _week(text: str, calendar: Calendar) -> dt.date:
    return calendar.week(_parsed(text, lambda one: parse_period(one, calendar).start, "a week such as 2026-W46, or a day of it")).start


def _parsed(text: str, parse: Callable[[str], Made], accepted: str) -> Made:
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f'"{text}" is not {accepted}') from error
