"""The records of a plain table with a key each, for rows without an id of their own."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.base import Part, Report, Trouble, period
from kpi.sources.values import ROW_KEY
from kpi.warehouse.casting import folded


@dataclass(frozen=True)
class Numbering:
    """A layout's ``reshape``: every record as it stands, with a digest of what it says, counted where several say the same.

    A value, and not a function, so that two readings of the same mapping are equal.

    Attributes:
        names: the headers that the mapping speaks of.
        totals: regular expression for the first cell of total rows and footers.
    """

    names: tuple[str, ...]
    totals: str = ""

    def __call__(self, report: Report) -> Iterator[Part | Trouble]:
        """See :data:`connectors.base.Reshape`."""
        report.period = period(" ".join(record.cells) for record in report.before)
        written = {folded(name): name for name in self.names}
        header = [folded(cell) for cell in report.header]
        seen: Counter[str] = Counter()
        for record in report.records:
            cells = [cell.strip() for cell in record.cells]
            first = next((cell for cell in cells[:4] if cell), "")
            if not any(cells) or (self.totals and re.search(self.totals, first)):
                continue
            if any(cells[len(header) :]) or len(cells) < len(header):
                reason = f"it has {len(cells)} cells where the header has {len(header)}"
                yield Trouble(record.line, "", ",".join(record.cells), reason)
                continue
            report.counted += 1
            pairs = list(zip(header, cells, strict=False))
            said = "\x1f".join(f"{name}={cell}" for name, cell in sorted(pairs))
            digest = hashlib.sha256(said.encode()).hexdigest()[:24]
            seen[digest] += 1
            # of columns with one name the first is read
            read = {written[name]: cell for name, cell in reversed(pairs) if name in written}
            yield Part(record.line, "", {**read, ROW_KEY: f"{digest}-{seen[digest]}"})
