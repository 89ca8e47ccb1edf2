"""Saved views of a page, and which of them a team begins with: every line ever written, and what of it stands."""

from __future__ import annotations

import datetime as dt
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal
from urllib.parse import quote

import sqlalchemy as sa

from kpi.errors import NameTaken, NoteChanged, UsageError
from kpi.records.notes import MOST_AUTHOR, after, clean
from kpi.records.opening import PATIENCE_S, records
from kpi.records.schema import view_line
from kpi.settings import Settings

Action = Literal["saved", "changed", "renamed", "withdrawn", "pinned", "unpinned"]
#: Actions on a team's start page; the others are on the view itself.
PINS: Final = ("pinned", "unpinned")

#: Characters: what stands in a list, and what servers and mail programs take as a link.
MOST_NAME: Final = 80
MOST_TEAM: Final = 40
MOST_LINK: Final = 4000


@dataclass(frozen=True)
class Line:
    """One line; a later one of the same view, or of the same team's start page, takes its place.

    Attributes:
        team: whose view it is, may be empty; of ``pinned`` and ``unpinned`` whose start page.
        path, parameters: the page, and what its link says after the question mark.
        line_id, written_at (UTC): given when it is written down.
    """

    view: str
    action: Action
    name: str
    team: str
    path: str
    parameters: str
    author: str
    line_id: int = 0
    written_at: dt.datetime | None = None

    @property
    def link(self) -> str:
        """Its plain link, from any page: ``explore?metric=revenue``."""
        return f"{quote(self.path, safe='')}?{self.parameters}"


@dataclass(frozen=True)
class Views:
    """What stands.

    Attributes:
        lines: the last line of each view that isn't withdrawn, by team and name.
        pins: :func:`key` of a team -> the line that pinned its start page, where that view stands.
    """

    lines: tuple[Line, ...] = ()
    pins: Mapping[str, Line] = field(default_factory=dict)

    @cached_property
    def by_view(self) -> Mapping[str, Line]:
        """View -> its line."""
        return {line.view: line for line in self.lines}

    def start(self, team: str) -> tuple[Line, Line] | None:
        """The view that a team begins with, and the line that pinned it."""
        pin = self.pins.get(key(team))
        return None if pin is None else (self.by_view[pin.view], pin)

    def pins_of(self, view: str) -> list[Line]:
        """Of which teams it is the start page."""
        return [pin for _, pin in sorted(self.pins.items()) if pin.view == view]

    def named(self, name: str, team: str) -> Line | None:
        """The view that has that name in that team."""
        return next((line for line in self.lines if _called(line) == (key(team), key(name))), None)


def key(text: str) -> str:
    """What two names have in common that people take for one: letters large or small, blanks, marks that nobody sees."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", text).casefold() if unicodedata.category(one) != "Cf")
    return " ".join(seen.split())


def _called(line: Line) -> tuple[str, str]:
    return key(line.team), key(line.name)


def new(name: str, team: str, path: str, parameters: str, author: str) -> Line:
    """The first line of a view.

    Raises:
        UsageError: name or author is missing, or something is too long.
    """
    called, whose = _short(name, MOST_NAME, "the view's name"), team_of(team)
    return Line(uuid.uuid4().hex[:16], "saved", called, whose, path, _link(parameters), _author(author))


def team_of(team: str) -> str:
    """A team's name as it is kept; empty stands for none.

    Raises:
        UsageError: it is too long, or nothing of it can be seen.
    """
    return _short(team, MOST_TEAM, "the team's name") if team.strip() else ""


def _short(text: str, most: int, what: str) -> str:
    found = " ".join(clean(text, most, what).split())
    if not key(found):
        raise UsageError(f"{what} is empty")
    return found


def _author(author: str) -> str:
    return _short(author, MOST_AUTHOR, "the author's name")


def _link(parameters: str) -> str:
    if len(parameters) > MOST_LINK:
        raise UsageError(f"this link has {len(parameters):,} characters, and at most {MOST_LINK:,} are kept; choose fewer values")
    return parameters


def save(settings: Settings, line: Line) -> None:
    """Write a new view down.

    Raises:
        NameTaken: there is one of that name; nothing was written.
        RecordsError: it can't be written.
    """
    _append(settings, line, None)


def change(settings: Settings, seen: Line, path: str, parameters: str, author: str) -> None:
    """Another link in place of the one that was seen.

    Raises:
        NoteChanged: somebody else wrote meanwhile; nothing was written.
    """
    _append(settings, replace(seen, action="changed", path=path, parameters=_link(parameters), author=_author(author)), seen)


def rename(settings: Settings, seen: Line, name: str, team: str, author: str) -> None:
    """Another name or team in place of those that were seen; its link stays.

    Raises:
        NoteChanged: somebody else wrote meanwhile; NameTaken: another view is called so. Nothing was written then.
    """
    called = _short(name, MOST_NAME, "the view's name")
    _append(settings, replace(seen, action="renamed", name=called, team=team_of(team), author=_author(author)), seen)


def withdraw(settings: Settings, seen: Line, author: str) -> None:
    """Take a view out of the list, and off every team's start; its history stays.

    Raises:
        NoteChanged: somebody else wrote meanwhile; nothing was written.
    """
    _append(settings, replace(seen, action="withdrawn", author=_author(author)), seen)


def pin(settings: Settings, view: Line, team: str, author: str, seen: Line | None) -> None:
    """Make a view the start page of a team, in place of the pin that was ``seen``; None: of none.

    Raises:
        NoteChanged: somebody else pinned another one, or withdrew this view; nothing was written.
        UsageError: no team is named.
    """
    if not team.strip():
        raise UsageError("the team's name is empty")
    _append(settings, replace(view, action="pinned", team=team_of(team), author=_author(author)), seen)


def unpin(settings: Settings, seen: Line, author: str) -> None:
    """Let a team begin with This week again.

    Raises:
        NoteChanged: somebody else pinned another one meanwhile; nothing was written.
    """
    _append(settings, replace(seen, action="unpinned", author=_author(author)), seen)


def _append(settings: Settings, line: Line, seen: Line | None) -> None:
    """One line, if what it takes the place of is what was seen."""
    with records(settings, write=True) as connection:
        assert connection is not None  # noqa: S101 - asked for writing
        before = _lines(connection)
        stands = standing(before)
        if line.action in PINS:
            now, what = stands.pins.get(key(line.team)), "start page"
            if line.view not in stands.by_view:
                now, what, seen = _last(before, line.view), "view", None
        else:
            now, what = _last(before, line.view), "view"
        if now is not None and (seen is None or now.line_id != seen.line_id):
            raise NoteChanged(what, now.author, now.action, now.name)
        if now is None and seen is not None:
            gone = max((one for one in before if _ends(one, seen)), key=_order)
            raise NoteChanged(what, gone.author, gone.action, "This week")
        taken = None if line.action in (*PINS, "withdrawn") else stands.named(line.name, line.team)
        if taken is not None and taken.view != line.view:
            raise NameTaken(taken.name, taken.team, taken.author)
        connection.execute(sa.insert(view_line), [_row(replace(line, written_at=after(before)))])


def _ends(line: Line, pin: Line) -> bool:
    """Whether a team's start page may have ended by that line."""
    return (line.action in PINS and key(line.team) == key(pin.team)) or (line.action == "withdrawn" and line.view == pin.view)


def _last(lines: Sequence[Line], view: str) -> Line | None:
    return max((one for one in lines if one.view == view and one.action not in PINS), key=_order, default=None)


def write_down(settings: Settings, lines: Sequence[Line]) -> int:
    """Append lines from elsewhere, all or none; how many were new. One that is there already, or of a view that was begun, is none.

    Raises:
        NameTaken: two views would have one name; nothing was written.
    """
    if not lines:
        return 0
    with records(settings, write=True) as connection:
        assert connection is not None  # noqa: S101 - asked for writing
        there = _lines(connection)
        known, begun = {tuple(_row(line).values()) for line in there}, {line.view for line in there}
        added: list[Line] = []
        for line in lines:
            if line.written_at is None and line.view in begun:
                continue
            dated = line if line.written_at is not None else replace(line, written_at=after([*there, *added]))
            if (same := tuple(_row(dated).values())) not in known:
                known.add(same)
                begun.add(dated.view)
                added.append(dated)
        seen: dict[tuple[str, str], Line] = {}
        # those that were there first, so that it is they who have the name
        for line in sorted(standing([*there, *added]).lines, key=lambda one: one.line_id or 1 << 62):
            other = seen.setdefault(_called(line), line)
            if other is not line:
                raise NameTaken(other.name, other.team, other.author)
        if added:
            connection.execute(sa.insert(view_line), [_row(line) for line in added])
    return len(added)


def history(settings: Settings) -> list[Line]:
    """Every line ever written, the first one first."""
    with records(settings) as connection:
        return [] if connection is None else _lines(connection)


def views(settings: Settings, patience_s: int = PATIENCE_S) -> Views:
    """What stands now.

    Raises:
        RecordsError: they can't be read.
    """
    with records(settings, patience_s=patience_s) as connection:
        return Views() if connection is None else standing(_lines(connection))


def standing(lines: Iterable[Line]) -> Views:
    """Of each view and each team's start page the last line. What was imported later may have been written earlier."""
    last: dict[str, Line] = {}
    pins: dict[str, Line] = {}
    for line in sorted(lines, key=_order):
        if line.action in PINS:
            pins[key(line.team)] = line
        else:
            last[line.view] = line
    stand = {name: line for name, line in last.items() if line.action != "withdrawn"}
    kept = {team: line for team, line in pins.items() if line.action == "pinned" and line.view in stand}
    return Views(tuple(sorted(stand.values(), key=lambda line: (*_called(line), line.view))), kept)


def _lines(connection: sa.Connection) -> list[Line]:
    return [Line(**row) for row in connection.execute(sa.select(view_line).order_by(view_line.c.line_id)).mappings()]


def _order(line: Line) -> tuple[dt.datetime, int]:
    """All that are in the records have a time, and those that are on their way get one first."""
    assert line.written_at is not None  # noqa: S101 - see above
    return line.written_at, line.line_id or 1 << 62


def _row(line: Line) -> dict[str, Any]:
    return {name: value for name, value in vars(line).items() if name != "line_id"}
