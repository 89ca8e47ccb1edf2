"""How the groups of an answer are called: values as they are, "(none)" for a missing one, "(other)" for the rest.

A value that is spelt like one of these two is told from them by a backslash before it, in tables and in links alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

#: Rows without a value.
NONE: Final = "(none)"
#: In an answer, the group of all that are not among the top; no source writes this letter (it is of private use).
OTHER: Final = "\ue001other"

_OTHER: Final = "(other)"


def called(value: str | None) -> str:
    """A group's name as people read it; :func:`meant` turns it back."""
    if value is None:
        return NONE
    if value == OTHER:
        return _OTHER
    return f"\\{value}" if value.lstrip("\\") in (NONE, _OTHER) else value


def meant(name: str) -> str | None:
    """The value of a group that :func:`called` gave this name."""
    if name == NONE:
        return None
    if name == _OTHER:
        return OTHER
    return name[1:] if name.startswith("\\") and name.lstrip("\\") in (NONE, _OTHER) else name


def condition(name: str, values: Sequence[str | None]) -> str:
    """``segment in ('SMB', 'Mid-market')``; with rows that have no value, ``(… or segment is null)``.

    Values are written as the language's text literals; the parser makes bound values of them.
    """
    parts = []
    named = [value for value in values if value is not None]
    if named:
        quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in named)
        parts.append(f"{name} in ({quoted})")
    if len(named) < len(values):
        parts.append(f"{name} is null")
    return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"
