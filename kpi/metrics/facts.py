"""What plans hang on besides the query and the definitions."""

from __future__ import annotations

from dataclasses import dataclass

from kpi.metrics.model import Over, Time
from kpi.metrics.splitting import Lacks
from kpi.warehouse.reader import CoverageRow, CurrencyRow


@dataclass(frozen=True)
class Facts:
    """What the plan hangs on besides the query and the definitions: the same for a generation's whole life.

    Attributes:
        versions: whether any account, or a history of ``tables:``, has former values.
        spans, doubled: of tables that this program did not make, see :class:`kpi.metrics.asking.Answers`.
        ways: for tables of flows and their times, in which ways the bounds of rows are known.
        lacks: of allocated leaves, which keys their rows lack.
    """

    coverage: tuple[CoverageRow, ...]
    currencies: tuple[CurrencyRow, ...]
    versions: bool
    ways: tuple[tuple[str, Over, frozenset[int]], ...] = ()
    lacks: tuple[Lacks, ...] = ()
    spans: tuple[tuple[str, Time, CoverageRow | None], ...] = ()
    doubled: tuple[tuple[str, str], ...] = ()
