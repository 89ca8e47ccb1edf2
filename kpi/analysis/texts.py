"""Two texts set beside each other line by line, and two changes of one text put together."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

#: Unchanged lines shown around a changed one.
CONTEXT: Final = 3

Kind = Literal["same", "removed", "added", "place"]


class Line(NamedTuple):
    """A line of a difference; ``place`` names the lines that follow, such as ``lines 40 to 52``."""

    kind: Kind
    text: str


def difference(before: str, after: str) -> list[Line]:
    """What differs, with a few lines around; empty where nothing does."""
    return list(_lines(before.splitlines(), after.splitlines()))


def unified(before: str, after: str, names: tuple[str, str]) -> str:
    """The same as ``diff -u`` prints it; empty where nothing differs."""
    made = difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="", n=CONTEXT)
    return "\n".join(made)


def merged(base: str, ours: str, theirs: str) -> str | None:
    """Both changes of ``base`` in one text; None where they touch the same lines, or lines next to each other, unlike.

    A three-way merge of lines (Khanna, Kunal and Pierce, A Formal Investigation of Diff3, 2007): what only one side changed is taken.
    """
    old, one, other = (text.splitlines(keepends=True) for text in (base, ours, theirs))
    sides = [_changed(old, one), _changed(old, other)]
    made: list[str] = []
    at = 0
    while sides[0] or sides[1]:
        first = min((side[0] for side in sides if side), key=lambda change: (change[0], change[1]))
        both = [side[0] for side in sides if side]
        if len(both) == 2 and _meet(*both):
            if both[0] != both[1]:
                return None
            sides = [side[1:] for side in sides]
        else:
            place = 0 if sides[0] and sides[0][0] is first else 1
            sides[place] = sides[place][1:]
        start, end, lines = first
        made += [*old[at:start], *lines]
        at = end
    return "".join([*made, *old[at:]])


_Change = tuple[int, int, tuple[str, ...]]


def _changed(old: Sequence[str], new: Sequence[str]) -> list[_Change]:
    """From which line to before which of the old text what stands in the new one."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [(i, j, tuple(new[k:end])) for tag, i, j, k, end in matcher.get_opcodes() if tag != "equal"]


def _meet(one: _Change, other: _Change) -> bool:
    """Whether two changes share a line or a border."""
    return one[0] <= other[1] and other[0] <= one[1]


def _lines(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        first, last = group[0][3] + 1, group[-1][4]
        yield Line("place", f"line {first}" if last <= first else f"lines {first} to {last}")
        for tag, i, j, k, end in group:
            if tag == "equal":
                yield from (Line("same", text) for text in before[i:j])
            else:
                yield from (Line("removed", text) for text in before[i:j])
                yield from (Line("added", text) for text in after[k:end])
