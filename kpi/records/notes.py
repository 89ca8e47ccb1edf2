"""Comments on metrics and weeks, events, and owners' verdicts: every line ever written, and what of it stands."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal, Protocol

import sqlalchemy as sa

from kpi.errors import NoteChanged, UsageError
from kpi.records.opening import PATIENCE_S, records
from kpi.records.schema import note_line, records_change
from kpi.settings import Settings

Kind = Literal["comment", "event", "verdict"]
Action = Literal["written", "edited", "withdrawn"]

#: Characters: what is read beside a chart, not a document.
MOST: Final[Mapping[Kind, int]] = {"comment": 2000, "event": 80, "verdict": 500}
MOST_AUTHOR: Final = 80
#: What turns the direction of writing, so that a text would read as another one.
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Written(Protocol):
    """Any line, of notes or of something else."""

    @property
    def written_at(self) -> dt.datetime | None:
        """In UTC; None while it is on its way."""


@dataclass(frozen=True)
class Line:
    """One line; a later one of the same note takes its place.

    Attributes:
        metrics: of a comment or verdict one; of an event those it concerns, none for all.
        starts: any day of the week that it is about, or an event's first day; ``ends``: an event's last day, None for one day.
        said: ``signal`` or ``noise`` of a verdict, else empty.
        text: the comment, the event's name, or the reason.
        line_id, written_at (UTC): given when it is written down.
    """

    kind: Kind
    note: str
    action: Action
    metrics: tuple[str, ...]
    starts: dt.date
    text: str
    author: str
    ends: dt.date | None = None
    said: str = ""
    line_id: int = 0
    written_at: dt.datetime | None = None

    def concerns(self, metric: str) -> bool:
        """Whether it is about that metric."""
        return not self.metrics or metric in self.metrics


@dataclass(frozen=True)
class Notes:
    """What stands.

    Attributes:
        number: of the records' last change, so that what is made of these may be kept under it.
        lines: the last line of each note that isn't withdrawn, in the order in which notes were begun.
        first: note -> when it was begun.
    """

    number: int = 0
    lines: tuple[Line, ...] = ()
    first: Mapping[str, dt.datetime | None] = field(default_factory=dict)

    @cached_property
    def events(self) -> tuple[Line, ...]:
        """By their first day."""
        return tuple(sorted((line for line in self.lines if line.kind == "event"), key=lambda line: line.starts))

    @cached_property
    def _by_metric(self) -> Mapping[tuple[Kind, str], list[Line]]:
        found: dict[tuple[Kind, str], list[Line]] = {}
        for line in self.lines:
            for metric in line.metrics:
                found.setdefault((line.kind, metric), []).append(line)
        return found

    def comments(self, metric: str, start: dt.date, end: dt.date) -> list[Line]:
        """On a metric and the week from ``start`` to before ``end``, the first one first."""
        return [line for line in self._by_metric.get(("comment", metric), ()) if start <= line.starts < end]

    def verdict(self, metric: str, start: dt.date, end: dt.date) -> Line | None:
        """The owner's, where there is one; the last where there are several."""
        found = [line for line in self._by_metric.get(("verdict", metric), ()) if start <= line.starts < end]
        return max(found, key=lambda line: line.line_id, default=None)


def new(
    kind: Kind,
    metrics: Sequence[str],
    starts: dt.date,
    text: str,
    author: str,
    ends: dt.date | None = None,
    said: str = "",
    note: str = "",
) -> Line:
    """The first line of a note. Verdicts on one metric and week are one note, so that a later one takes the place of the one before.

    Raises:
        UsageError: a text is missing or too long, an event ends before it begins, a verdict is neither signal nor noise.
    """
    if ends is not None and ends < starts:
        raise UsageError(f"the event ends on {ends}, before it begins on {starts}")
    if kind == "verdict" and said not in ("signal", "noise"):
        raise UsageError(f'a verdict is signal or noise, not "{said}"')
    words = {"comment": "the comment", "event": "the event's name", "verdict": "the reason"}[kind]
    if kind == "verdict":
        note = name_of(kind, *metrics, starts.isoformat())
    return Line(
        kind=kind,
        note=note or uuid.uuid4().hex[:16],
        action="written",
        metrics=tuple(sorted(dict.fromkeys(metrics))),
        starts=starts,
        text=clean(text, MOST[kind], words),
        author=clean(author, MOST_AUTHOR, "the author's name").replace("\n", " "),
        ends=None if ends == starts else ends,
        said=said,
    )


def name_of(*parts: str) -> str:
    """A note's name that follows from what it says, so that the same thing said again is the same note."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def clean(text: str, most: int, what: str) -> str:
    """The text without what nobody sees: control characters, turned writing, blanks around it.

    Raises:
        UsageError: nothing is left, or more than ``most`` characters.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    kept = "".join(one for one in lines if one == "\n" or (unicodedata.category(one) not in ("Cc", "Cs") and one not in _TURNS)).strip()
    if not kept:
        raise UsageError(f"{what} is empty")
    if len(kept) > most:
        raise UsageError(f"{what} has {len(kept):,} characters, and at most {most:,} are kept; shorten it")
    return kept


def write_down(settings: Settings, lines: Sequence[Line], patience_s: int = PATIENCE_S) -> int:
    """Append the lines, all or none; how many were new. One that says the same at the same time as one that is there is none.

    Raises:
        RecordsError: they can't be written.
    """
    if not lines:
        return 0
    with records(settings, write=True, patience_s=patience_s) as connection:
        assert connection is not None  # noqa: S101 - asked for writing
        there = _of(connection, {line.note for line in lines})
        known = {_same(line) for line in there}
        rows = []
        for line in lines:
            before = [one for one in there if one.note == line.note]
            dated = line if line.written_at is not None else replace(line, written_at=after(before))
            if _same(dated) in known or (line.written_at is None and _says_nothing_new(line, before)):
                continue
            known.add(_same(dated))
            there.append(dated)
            rows.append(_row(dated))
        if rows:
            connection.execute(sa.insert(note_line), rows)
    return len(rows)


def _says_nothing_new(line: Line, before: Sequence[Line]) -> bool:
    """Of a line without a time: whether its note was begun already; of a verdict, whether it is the one that stands."""
    if not before or line.action != "written":
        return False
    last = max(before, key=_order)
    return line.kind != "verdict" or (last.action, last.said, last.text, last.author) == ("written", line.said, line.text, line.author)


def edit(settings: Settings, seen: Line, text: str, author: str) -> None:
    """Another text in place of the one that was seen.

    Raises:
        NoteChanged: somebody else wrote meanwhile; nothing was written.
    """
    words = {"comment": "the comment", "event": "the event's name", "verdict": "the reason"}[seen.kind]
    _follow(settings, replace(seen, action="edited", text=clean(text, MOST[seen.kind], words), author=_name(author)), seen)


def withdraw(settings: Settings, seen: Line, author: str) -> None:
    """Take a note back; what was written stays in its history.

    Raises:
        NoteChanged: somebody else wrote meanwhile; nothing was written.
    """
    _follow(settings, replace(seen, action="withdrawn", author=_name(author)), seen)


def _name(author: str) -> str:
    return clean(author, MOST_AUTHOR, "the author's name").replace("\n", " ")


def _follow(settings: Settings, line: Line, seen: Line) -> None:
    with records(settings, write=True) as connection:
        assert connection is not None  # noqa: S101 - asked for writing
        before = _of(connection, {seen.note})
        last = max(before, key=_order)
        if last.line_id != seen.line_id:
            raise NoteChanged(seen.kind, last.author, last.action, last.text)
        connection.execute(sa.insert(note_line), [_row(replace(line, written_at=after(before)))])


def history(settings: Settings, kind: Kind | None = None) -> list[Line]:
    """Every line ever written, the first one first."""
    with records(settings) as connection:
        return [] if connection is None else _lines(connection, kind)


def notes(settings: Settings, patience_s: int = PATIENCE_S) -> Notes:
    """What stands now."""
    with records(settings, patience_s=patience_s) as connection:
        if connection is None:
            return Notes()
        number = connection.scalars(sa.select(records_change.c.number)).one()
        return standing(_lines(connection, None), number)


def standing(lines: Iterable[Line], number: int = 0) -> Notes:
    """Of each note its last line, unless that withdraws it. What was imported later may have been written earlier."""
    last: dict[str, Line] = {}
    first: dict[str, dt.datetime | None] = {}
    for line in sorted(lines, key=_order):
        last[line.note] = line
        first.setdefault(line.note, line.written_at)
    return Notes(number, tuple(line for line in last.values() if line.action != "withdrawn"), first)


def _lines(connection: sa.Connection, kind: Kind | None) -> list[Line]:
    statement = sa.select(note_line).order_by(note_line.c.line_id)
    if kind is not None:
        statement = statement.where(note_line.c.kind == kind)
    return [_line(row) for row in connection.execute(statement).mappings()]


def _line(row: Mapping[Any, Any]) -> Line:
    return Line(**{**row, "metrics": tuple(row["metrics"].split())})


def _of(connection: sa.Connection, notes: Collection[str]) -> list[Line]:
    """All lines of some notes."""
    found: list[Line] = []
    names = sorted(notes)
    for at in range(0, len(names), 500):  # SQLite binds some ten thousand values at most
        statement = sa.select(note_line).where(note_line.c.note.in_(names[at : at + 500]))
        found += [_line(row) for row in connection.execute(statement).mappings()]
    return found


def _order(line: Line) -> tuple[dt.datetime, int]:
    """All that are in the records have a time, and those that are on their way get one first."""
    assert line.written_at is not None  # noqa: S101 - see above
    return line.written_at, line.line_id or 1 << 62


def _same(line: Line) -> tuple[Any, ...]:
    """What two lines have in common that are one."""
    return tuple(value for name, value in vars(line).items() if name != "line_id")


def after(before: Iterable[Written]) -> dt.datetime:
    """Now, or just after the last of these: clocks of two machines differ."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    return max([now, *(line.written_at + dt.timedelta(microseconds=1) for line in before if line.written_at is not None)])


def _row(line: Line) -> dict[str, Any]:
    row = {**vars(line), "metrics": " ".join(line.metrics)}
    del row["line_id"]
    return row
