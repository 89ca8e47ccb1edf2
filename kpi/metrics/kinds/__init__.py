"""The kinds of metrics, one file each; a new one is a line here."""

from __future__ import annotations

from typing import Final

from kpi.metrics.kinds.base import COMMON, Kind
from kpi.metrics.kinds.conversion import CONVERSION
from kpi.metrics.kinds.formula import FORMULA
from kpi.metrics.kinds.leaf import LEAF
from kpi.metrics.kinds.movement import MOVEMENT
from kpi.metrics.kinds.retention import RETENTION
from kpi.metrics.kinds.time_to import TIME_TO

KINDS: Final[tuple[Kind, ...]] = (LEAF, FORMULA, MOVEMENT, RETENTION, CONVERSION, TIME_TO)

__all__ = ["COMMON", "KINDS"]
