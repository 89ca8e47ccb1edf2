"""``close`` and ``restatements``: figures as they were first shown, and what became of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from kpi import settings, units
from kpi.analysis.closing import due, taken
from kpi.analysis.restating import Restatement, is_same, restatements
from kpi.commands.imports import say
from kpi.commands.text import table
from kpi.errors import DefinitionsError, UnknownName, UsageError
from kpi.importing.current import ensure_current
from kpi.metrics import definitions, saving
from kpi.metrics.model import Definitions
from kpi.metrics.publishing import mappings_of
from kpi.periods import Period, parse_period, span_label
from kpi.records import closings
from kpi.records.versions import text_by_definitions
from kpi.settings import Settings
from kpi.warehouse.engines import open_reader
from kpi.warehouse.given import look

_CAUSES = {
    "none": "",
    "data": "data",
    "definition": "definition",
    "both": "data and definition",
    "unknown": "can't be told",
}


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register both."""
    words = "keep what a week shows now, so that later changes of it are told"
    parser = subparsers.add_parser("close", help=words, description=words.capitalize() + ". What was kept before stays as it was.")
    parser.add_argument("weeks", nargs="*", metavar="WEEK", help="such as 2026-W46; default: what is due")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_close)
    words = "closed weeks whose figures are others now, and whether data or definitions moved them"
    parser = subparsers.add_parser("restatements", help=words, description=f"Print {words}.")
    parser.add_argument("metrics", nargs="*", metavar="METRIC", help="default: all that were closed")
    parser.add_argument("--all", action="store_true", help="figures that stayed what they were as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with all of them")
    parser.set_defaults(run=_restatements)


def _loaded() -> tuple[Settings, Definitions]:
    chosen = settings.load()
    loaded = definitions.load(chosen.metrics, partial(look, chosen))
    ensure_current(chosen, mappings_of(loaded), say)
    return chosen, loaded


def _close(options: argparse.Namespace) -> int:
    chosen, loaded = _loaded()
    with open_reader(chosen, bool(loaded.catalog.given)) as reader:
        asked = [_week(text, loaded) for text in options.weeks]
        weeks = asked or due(closings.closed(chosen), loaded, reader)
        found = taken(weeks, loaded, reader, settings.user())
    if asked and not found:
        raise UsageError("there are no figures of that week: nothing was imported for it")
    saving.note(chosen, partial(look, chosen))  # so that the week can be computed by these definitions later
    new = closings.write_down(chosen, found)
    calendar = loaded.calendar
    named = [f"{calendar.week_number(week.start)[0]}-W{calendar.week_number(week.start)[1]:02}" for week in weeks]
    if options.json:
        print(json.dumps({"weeks": named, "new": new, "known": len(found) - new}))
    elif not weeks:
        print("no week is due: the last whole one is closed")
    else:
        print(f"{', '.join(named)} closed: {new} figure{'' if new == 1 else 's'} kept, {len(found) - new} kept before")
    return 0


def _week(text: str, loaded: Definitions) -> Period:
    try:
        day = parse_period(text, loaded.calendar).start
    except ValueError as error:
        raise UsageError(f'"{text}" is no week; accepted are 2026-W46 and a day of it, such as 2026-11-09') from error
    return loaded.calendar.week(day)


def kept(chosen: Settings) -> Callable[[str], Definitions | None]:
    """Definitions by their hash, from the records' versions."""

    @cache
    def find(hash_: str) -> Definitions | None:
        text = text_by_definitions(chosen, hash_)
        if text is None:
            return None
        made, problems = definitions.checked(text, "the metrics.yaml of that time", partial(look, chosen))
        if made is None:
            raise DefinitionsError(problems)
        return made

    return find


def _restatements(options: argparse.Namespace) -> int:
    chosen, loaded = _loaded()
    closed = closings.closed(chosen)
    known = {metric for metric, _ in closed.figures}
    for name in options.metrics:
        if name not in known and name not in loaded.metrics:
            raise UnknownName("metric", name, {*known, *loaded.metrics})
    with open_reader(chosen, bool(loaded.catalog.given)) as reader:
        found = restatements(closed, options.metrics, loaded, reader, kept(chosen))
    moved = [one for one in found if not is_same(one)]
    if options.json:
        print(json.dumps({"figures": [_plain(one) for one in found]}, ensure_ascii=False, indent=1))
        return 0
    if not found:
        print("no week is closed yet; python -m kpi close 2026-W46 closes one, and the dashboard does so by itself")
        return 0
    shown = found if options.all else moved
    if shown:
        head = ("week", "metric", "first shown", "now", "moved by", "closed (UTC)")
        print(table(head, [_row(one) for one in shown], right=(2, 3)) + "\n")
    weeks = len({one.first.week for one in found})
    print(f"{len(moved)} of {len(found)} figures of {weeks} closed week{'' if weeks == 1 else 's'} are others now")
    for why in dict.fromkeys(one.why for one in moved if one.why):
        print(f"can't be told: {why}")
    return 0


def _row(one: Restatement) -> tuple[str, ...]:
    first = one.first
    now = "no longer there" if one.now is None else units.show_in_full(one.now.value, one.unit, one.currency)
    if one.now is not None and one.now.state != "known":
        now += f" ({one.now.state})"
    return (
        span_label(Period(first.week, first.week_end)),
        first.metric,
        units.show_in_full(first.value, first.unit, first.currency),
        now,
        _CAUSES[one.cause],
        "" if first.closed_at is None else f"{first.closed_at:%Y-%m-%d %H:%M}",
    )


def _plain(one: Restatement) -> dict[str, Any]:
    first = one.first
    value = None if one.now is None or one.now.value is None else str(units.exact(one.now.value))
    return {
        "week": first.week.isoformat(),
        "metric": first.metric,
        "first": {
            "value": None if first.value is None else str(first.value),
            "unit": first.unit,
            "currency": first.currency,
            "generation": first.generation,
            "definitions": first.definitions,
            "closed_at": None if first.closed_at is None else f"{first.closed_at.isoformat()}Z",
            "closed_by": first.closed_by,
        },
        "now": {"value": value, "state": None if one.now is None else one.now.state, "unit": one.unit, "currency": one.currency},
        "same": is_same(one),
        "moved_by": one.cause,
        "by_definitions_of_then": None if one.then is None else str(one.then),
        "why": one.why,
    }
