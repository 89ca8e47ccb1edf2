"""The errors this program raises on purpose, and the search for the nearest name.

    KpiError                     anything a user can do something about; its text is the whole sentence
    ├── UsageError               the request itself is wrong (exit code 2)
    │   ├── UnknownName          a metric, dimension, column or connector that does not exist
    │   ├── UnknownVersion       a version of metrics.yaml that does not exist
    │   ├── NameTaken            a view of that name and team is there already
    │   └── BadSetting           an environment variable that can't be used
    ├── DefinitionsError         metrics.yaml has problems; carries all of them (exit code 1)
    ├── QueryError               a sound request that these definitions or data can't answer
    │   ├── BadExpression        an expression that can't be read or whose types don't fit
    │   ├── Unreachable          a dimension or filter that a metric's table can't reach
    │   ├── TooLarge             a number on the way to the answer has too many digits
    │   └── QueryTooHeavy        the time or memory limit of a query was passed
    ├── ImportError_             a file that can't be imported (exit code 1)
    │   ├── UnknownLayout        no connector knows its header
    │   ├── HeldBack             too many bad rows, or a question that only a person can answer
    │   └── Unreadable           not a table at all: damaged, encrypted, too large when unpacked
    ├── WarehouseError           the warehouse can't be opened, locked or written
    │   └── Outdated             its tables are those of another version of this program
    ├── NotSaved                 metrics.yaml can't be written; nothing was
    │   └── FileMoved            somebody else changed it meanwhile
    ├── NoteChanged              somebody else changed what one wanted to change
    └── RecordsError             what people wrote down can't be opened, read or written
        └── NewerRecords         a newer version of this program wrote it

Bad data is not an error: rows that can't be used come back as values beside the good ones.
Each class takes facts, keeps them as attributes and writes its own sentence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final


class KpiError(Exception):
    """A failure with a sentence for the user; never shown with a traceback.

    ``exit_code`` is what the command line returns: 1 for a finding, 2 for wrong usage.
    """

    exit_code = 1


class UsageError(KpiError):
    """The request is wrong: an option, a name, a date."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that does not exist, with the nearest that do.

    Args:
        kind: what was looked for, such as ``"metric"``.
        name: the name as written.
        known: all names that would have been accepted.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        super().__init__(f'no {kind} is called "{name}"{did_you_mean(name, self.known) or known_are(name, self.known)}')


class BadSetting(UsageError):
    """An environment variable whose value can't be used."""

    def __init__(self, variable: str, value: str, accepted: str) -> None:
        self.variable = variable
        self.value = value
        self.accepted = accepted
        super().__init__(f"{variable}={value!r} can't be used; accepted is {accepted}")


class UnknownVersion(UsageError):
    """There is no version of metrics.yaml of that number; ``last`` is the newest, 0 without any."""

    def __init__(self, number: int, last: int) -> None:
        self.number = number
        self.last = last
        there = f"they go from 1 to {last}" if last else "none was recorded yet"
        super().__init__(f"metrics.yaml has no version {number}; {there}")


class NameTaken(UsageError):
    """A view of that name and team is there already; nothing of it was touched."""

    def __init__(self, name: str, team: str, author: str) -> None:
        self.name = name
        self.team = team
        self.author = author
        whose = f" of team {team}" if team else ""
        super().__init__(f'{author} has saved a view "{name}"{whose} already; choose another name or team, or replace that view')


class NotSaved(KpiError):
    """metrics.yaml was not written, and neither was a version of it."""


class FileMoved(NotSaved):
    """The file is no longer what the change was made of; ``theirs`` is what it holds now."""

    def __init__(self, file: str, theirs: bytes) -> None:
        self.theirs = theirs
        super().__init__(f"{file} was changed since it was opened here; nothing was saved, and nothing of either side is lost")


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a YAML file.

    Attributes:
        file: the file as the user named it.
        line: 1-based physical line, 1 where the whole file is meant.
        key: dotted path of the key, such as ``metrics.win_rate.formula``; empty for the whole file.
        message: what is wrong, what is accepted, the nearest spelling.
    """

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where} {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class DefinitionsError(KpiError):
    """The YAML has problems; all of them are in ``problems``, in the order of their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ProblemsFound(KpiError):
    """Some problems were printed; the sentence is the number of them."""

    def __init__(self, count: int, file: str) -> None:
        super().__init__(f"{count} problem{'' if count == 1 else 's'} in {file}; correct them and check again")


class QueryError(KpiError):
    """A request that can't be answered as it stands; the sentence says why."""


class BadExpression(QueryError):
    """An expression of the YAML, the URL or a filter that can't be read, is not allowed, or whose types don't fit."""

    exit_code = 2


class Unreachable(QueryError):
    """A dimension or column that a metric's table can't reach over many-to-one keys."""

    exit_code = 2

    def __init__(self, metric: str, table: str, name: str, reachable: Iterable[str]) -> None:
        self.metric = metric
        self.table = table
        self.name = name
        self.reachable = tuple(sorted(reachable))
        can = ", ".join(self.reachable) or "none"
        super().__init__(f'{metric} can\'t be split or filtered by "{name}": table {table} has no key that leads there; it reaches {can}')


class TooLarge(QueryError):
    """A number that a query reckons with has more digits than a decimal holds."""

    def __init__(self) -> None:
        super().__init__(
            "a number on the way to this answer has more digits than the 38 that a decimal holds; "
            "look for a product or a quotient in its definition or filter that grows so large"
        )


class QueryTooHeavy(QueryError):
    """A query passed its limit of time or memory."""

    def __init__(self, limit: str, setting: str) -> None:
        self.limit = limit
        self.setting = setting
        super().__init__(f"the query was stopped at its limit of {limit}; ask for fewer groups or a shorter range, or raise {setting}")


class ImportError_(KpiError):
    """A file that can't be imported. The trailing underscore keeps Python's own name free."""

    status = "held back"


#: Longer than any column's name in an export seen; longer cells are content.
_NAME_LENGTH: Final = 80


class UnknownLayout(ImportError_):
    """No connector knows the header of this file.

    Args:
        file: the file's name.
        found: the header's cells as read.
        nearest: name of the most similar layout, or empty.
        missing: the columns which that layout needs and the file lacks.
        is_json: what was found are keys of objects.
    """

    status = "unknown"

    def __init__(self, file: str, found: Sequence[str], nearest: str, missing: Sequence[str], is_json: bool = False) -> None:
        self.file = file
        self.found = tuple(found)
        self.nearest = nearest
        self.missing = tuple(missing)
        known = "docs/connectors.md lists the exports that are read, and python -m kpi connectors --draft FILE begins a mapping of another"
        named = [cell for cell in self.found if cell]
        if is_json and not named:
            sentence = f"it holds JSON without any record, an object, so that nothing tells what it is; {known}"
        elif not named or any(len(cell) > _NAME_LENGTH for cell in named) or named[0].lstrip("\ufeff ")[:1] in ("{", "["):
            # what stands there is content, perhaps somebody's: it isn't repeated
            sentence = f"no row of it looks like the names of columns; {known}"
        else:
            more = f" and {len(self.found) - 8} more" if len(self.found) > 8 else ""
            columns = ", ".join(name for name in self.found[:8] if name)
            holds = "JSON whose objects hold" if is_json else "a file with the columns"
            sentence = f"no connector knows {holds} {columns}{more}"
            if nearest:
                sentence += f"; the nearest layout is {nearest}, which also needs {', '.join(self.missing)}. "
                sentence += f"Export it again with {'them' if is_json else 'those columns'}; {known}"
            else:
                sentence += f"; {known}"
        super().__init__(sentence)


class HeldBack(ImportError_):
    """A file of a known layout of which nothing was published; the sentence says what to look at."""


class Unreadable(ImportError_):
    """A file that can't be read as a table at all."""


class WarehouseError(KpiError):
    """The warehouse can't be opened, locked or written."""


class Outdated(WarehouseError):
    """The tables lack columns that this version of the program knows."""

    def __init__(self, place: str, lacks: str) -> None:
        self.place = place
        self.lacks = lacks
        super().__init__(
            f"{place} was made by another version of this program (it has no {lacks}); "
            "the next import or python -m kpi rebuild makes it anew"
        )


class RecordsError(KpiError):
    """The records can't be opened, read or written."""

    def __init__(self, place: str, why: str) -> None:
        self.place = place
        self.why = why
        super().__init__(f"the records in {place} can't be used: {why}; KPI_RECORDS_URL says where they are, and without it KPI_HOME")


class NoteChanged(KpiError):
    """Somebody else wrote meanwhile; nothing is lost on either side."""

    def __init__(self, kind: str, author: str, action: str, text: str) -> None:
        self.kind = kind
        self.author = author
        self.action = action
        self.text = text
        now = "it is withdrawn" if action == "withdrawn" else f"it says now: {text}"
        super().__init__(f"{author} has {action} this {kind} meanwhile, and {now}; look at it and write again")


class NewerRecords(RecordsError):
    """The records have tables of a version of this program that is newer."""

    def __init__(self, place: str, found: str, known: str) -> None:
        self.found = found
        self.known = known
        super().__init__(
            place, f"a newer version of this program wrote them ({found}; this one knows {known} at most), so start that version instead"
        )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like ``name``, or None when nothing is close."""
    folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` for the nearest known name, or an empty string."""
    match = nearest(name, known)
    return f'; did you mean "{match}"?' if match else ""


#: Names that a sentence lists; more are no help.
_MOST_NAMES: Final = 8


def known_are(name: str, known: Iterable[str]) -> str:
    """``; known are x, y and 3 more``: those most like ``name`` first, or an empty string where there are none."""
    by_likeness = sorted(dict.fromkeys(known), key=lambda other: -difflib.SequenceMatcher(None, name.casefold(), other.casefold()).ratio())
    shown, more = by_likeness[:_MOST_NAMES], len(by_likeness) - _MOST_NAMES
    return f"; known are {', '.join(shown)}{f' and {more} more' if more > 0 else ''}" if shown else ""
