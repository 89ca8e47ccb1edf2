"""Tables for people who read terminals."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Collection, Sequence

#: Narrower columns of sentences are harder to read than a line that wraps.
_NARROWEST = 40


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Aligned columns, two spaces apart; the last one is broken into lines that fit the terminal.

    Where the columns before it leave too little room it stands below each row, indented.
    """
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    before = sum(widths[:-1]) + 2 * (len(widths) - 1)
    terminal = shutil.get_terminal_size((140, 24)).columns
    if terminal - before < min(_NARROWEST, widths[-1]):
        return _below(head, widths, rows, right, terminal)
    last = terminal - before
    lines = [_line(head, widths, right), _line(["-" * min(width, last) for width in widths], widths, right)]
    for row in rows:
        broken = [part for text in row[-1].splitlines() or [""] for part in textwrap.wrap(text, last) or [""]]
        lines.append(_line([*row[:-1], broken[0]], widths, right))
        lines += [" " * before + part for part in broken[1:]]
    return "\n".join(lines)


def _below(head: Sequence[str], widths: Sequence[int], rows: Sequence[Sequence[str]], right: Collection[int], terminal: int) -> str:
    lines = [_line(head, widths, right), "-" * min(terminal, sum(widths[:-1]) + 2 * (len(widths) - 1))]
    for row in rows:
        lines.append(_line(row[:-1], widths[:-1], right))
        for text in row[-1].splitlines():
            lines += textwrap.wrap(text, max(_NARROWEST, terminal), initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    padded = [
        cell.rjust(width) if index in right else cell.ljust(width) for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
