"""The names of a report's columns, as its layout spells them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def spelled(header: Sequence[str], known: Iterable[str] = ()) -> list[str]:
    """The names in single blanks, spelled as in ``known`` whatever their case; a name that comes again is left empty.

    So the first of two columns of one name is the one that is read, here as in plain tables.
    """
    spelling = {name.casefold(): name for name in known}
    made: list[str] = []
    for cell in header:
        name = " ".join(cell.split())
        name = spelling.get(name.casefold(), name)
        made.append("" if name.casefold() in {one.casefold() for one in made} else name)
    return made
