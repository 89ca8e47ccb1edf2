"""Reading on behind a mistake in the YAML itself, so that it hides no other: tabs, indentation, quotes and brackets.

The parser stops at the first line that it can't read. What was meant is guessed here for the sake of the lines behind it
only: the mistake is told all the same, and nothing is computed from a file with any. An entry that can't be made out is
left without a value and known as broken, so that nothing is said of its name either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_KEY: Final = re.compile(r"""(?:[^\s#'"\-\[{&*!|>%@`][^:#]*|'[^']*'|"[^"]*"):(?:\s|\Z)""")
_WORD: Final = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_]*\s*\Z")


class Repair:
    """The lines of a file, mended as far as is needed to read on.

    Attributes:
        broken: numbers of the lines, from 1, whose key has lost its value.
    """

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.broken: set[int] = set()
        self._moved: set[int] = set()

    @property
    def text(self) -> str:
        """The file as it stands now."""
        return "\n".join(self.lines)

    def untab(self) -> None:
        """Each tab a space; those that indent a line as much indentation as the line before asks for."""
        for number, line in enumerate(self.lines):
            if "\t" in line:
                kept = line.lstrip().replace("\t", " ")
                self.lines[number] = kept
                if "\t" in line[: len(line) - len(line.lstrip())]:
                    self.lines[number] = " " * self._asked(number) + kept
                else:
                    self.lines[number] = line.replace("\t", " ")

    def behind(self, number: int, is_indentation: bool, is_key: bool) -> int:
        """Mend what line ``number`` (from 1) can't be read for: the first line that is another now, 0 where nothing can be done.

        Args:
            is_indentation: the line doesn't fit what stands above it.
            is_key: a key lacks its colon.
        """
        place = min(number, len(self.lines)) - 1
        asked = self._asked(place)
        if is_indentation and place not in self._moved and asked != _indent(self.lines[place]):
            self._moved.add(place)
            self.lines[place] = " " * asked + self.lines[place].lstrip()
            return place + 1
        if is_indentation and self.lines[place].lstrip().startswith("- "):  # a list where keys are
            self.lines[place] = self.lines[place].replace("- ", "", 1)
            return place + 1
        if is_key and _WORD.match(self.lines[place]) and _indent(self.lines[place]) == 0:
            self.lines[place] = f"{self.lines[place].rstrip()}:"
            return place + 1
        return self._broken(place)

    def _broken(self, place: int) -> int:
        """Leave the entry that holds a line without a value."""
        head = next((at for at in range(place, -1, -1) if self._is_entry(at) and at + 1 not in self.broken), None)
        if head is None:
            return 0
        indent = _indent(self.lines[head])
        found = _KEY.match(self.lines[head].strip())
        after = next((at for at in range(head + 1, len(self.lines)) if self._stands(at) and _indent(self.lines[at]) <= indent), None)
        if found is None or (after is not None and after <= place):
            return 0
        self.lines[head] = " " * indent + found.group(0).strip()
        self.lines[head + 1 : after] = [""] * len(self.lines[head + 1 : after])
        self.broken.add(head + 1)
        return head + 1

    def _is_entry(self, place: int) -> bool:
        """Whether a line begins a section, or an entry of one: what stands as far out as the section's first line."""
        line = self.lines[place]
        if not self._stands(place) or not _KEY.match(line.strip()):
            return False
        if _indent(line) == 0:
            return True
        section = next((at for at in range(place, -1, -1) if self._stands(at) and _indent(self.lines[at]) == 0), None)
        first = None if section is None else next((at for at in range(section + 1, len(self.lines)) if self._stands(at)), None)
        return first is not None and _indent(line) == _indent(self.lines[first])

    def _stands(self, place: int) -> bool:
        stripped = self.lines[place].strip()
        return bool(stripped) and not stripped.startswith("#")

    def _asked(self, place: int) -> int:
        """The indentation of a line by the one before: as far in, or further below a key without a value."""
        before = next((at for at in range(place - 1, -1, -1) if self._stands(at)), None)
        if before is None:
            return 0
        opens = self.lines[before].rstrip().endswith(":") and before + 1 not in self.broken
        return _indent(self.lines[before]) + (2 if opens else 0)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def lines_with_tabs(text: str) -> Sequence[int]:
    """Numbers of the lines that hold a tab, from 1."""
    return [number for number, line in enumerate(text.split("\n"), start=1) if "\t" in line]
