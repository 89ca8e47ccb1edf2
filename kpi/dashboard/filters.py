"""The filters in the URL: what a link says, what of it holds, and the query it makes.

The URL is the one place they are kept; the controls show it and write it. What a link says and the data don't know
is left out with a sentence, never turned into something else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kpi.errors import nearest
from kpi.metrics.groups import called, condition

#: Dimensions that the pages filter by, where metrics.yaml has them.
DIMENSIONS: Final = ("segment", "product", "region")

#: Sentences shown for one link; a hostile one could ask for thousands.
MOST_SENTENCES: Final = 5

#: Characters of a link's value that are repeated back.
MOST_ECHO: Final = 40

Value = str | None


@dataclass(frozen=True)
class Filters:
    """What is looked at.

    Attributes:
        week: first day of the week, or None for the last whole one.
        chosen: dimension -> its values, any of which a row must have; a dimension left out is not filtered.
    """

    week: dt.date | None = None
    chosen: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)

    def where(self) -> tuple[str, ...]:
        """Conditions in the expression language of metrics.yaml, one a dimension."""
        return tuple(condition(name, values) for name, values in self.chosen.items() if values)

    def choose(self, dimension: str, values: Sequence[Value]) -> Filters:
        """The same with other values of one dimension."""
        chosen = {name: kept for name, kept in self.chosen.items() if name != dimension}
        if values:
            chosen[dimension] = tuple(values)
        return replace(self, chosen=chosen)

    def parameters(self) -> dict[str, list[str]]:
        """The URL's query parameters that :func:`read` turns back into this."""
        parameters = {} if self.week is None else {"week": [self.week.isoformat()]}
        for name in DIMENSIONS:
            if self.chosen.get(name):
                parameters[name] = [called(value) for value in self.chosen[name]]
        return parameters


def read(
    parameters: Mapping[str, Sequence[str]], weeks: Sequence[dt.date], options: Mapping[str, Sequence[Value]]
) -> tuple[Filters, tuple[str, ...]]:
    """The filters of a link, and a sentence for each thing in it that is left out.

    Args:
        parameters: the URL's, each name with all its values.
        weeks: first days of the weeks there are data for.
        options: dimension -> the values it has.
    """
    ignored: list[str] = []
    known = ("week", *options)
    week = _week(parameters.get("week", ()), weeks, ignored)
    chosen = {name: _values(name, parameters.get(name, ()), options[name], ignored) for name in options}
    # A name like none of ours is somebody else's, such as utm_source of a newsletter, and no loss.
    ignored += [
        f"This page has no filter {echo(name)}{perhaps(name, known)}; it was left out."
        for name in parameters
        if name not in known and perhaps(name, known)
    ]
    if len(ignored) > MOST_SENTENCES:
        ignored[MOST_SENTENCES - 1 :] = [f"{len(ignored) - MOST_SENTENCES + 1} more parts of this link were left out."]
    return Filters(week, {name: values for name, values in chosen.items() if values}), tuple(ignored)


def _week(texts: Sequence[str], weeks: Sequence[dt.date], ignored: list[str]) -> dt.date | None:
    if not texts:
        return None
    if len(texts) > 1:
        ignored.append(f"This link names {len(texts)} weeks, and a page shows one; the last whole week is shown.")
        return None
    try:
        week = dt.date.fromisoformat(texts[0])
    except ValueError:
        ignored.append(f"The link's week {echo(texts[0])} is not a date such as 2026-11-09; the last whole week is shown.")
        return None
    if week in weeks:
        return week
    if weeks and weeks[0] < week < weeks[-1] + dt.timedelta(days=7):
        ignored.append(f"The link's week {echo(texts[0])} is not the first day of a week; the last whole week is shown.")
    else:
        reach = f"they reach from {weeks[0]} to {weeks[-1] + dt.timedelta(days=6)}" if weeks else "nothing was imported yet"
        ignored.append(f"There are no data for the link's week {echo(texts[0])}: {reach}; the last whole week is shown.")
    return None


def _values(name: str, texts: Sequence[str], options: Sequence[Value], ignored: list[str]) -> tuple[Value, ...]:
    by_name = {called(value): value for value in options}
    wanted = dict.fromkeys(texts)
    ignored += [
        f"No {name} is called {echo(text)}{perhaps(text, by_name)}; that part of the link was left out."
        for text in wanted
        if text not in by_name
    ]
    return tuple(by_name[text] for text in wanted if text in by_name)


def perhaps(text: str, known: Iterable[str]) -> str:
    """`` (perhaps "…" was meant)`` where a known name is near, else nothing."""
    near = nearest(text[:MOST_ECHO], known)
    return f' (perhaps "{near}" was meant)' if near else ""


def echo(text: str) -> str:
    """A link's text to repeat: short, in quotation marks, without what can't be printed."""
    shown = "".join(character if character.isprintable() else " " for character in text[:MOST_ECHO])
    return f'"{shown}{"…" if len(text) > MOST_ECHO else ""}"'
