"""Warehouses filled by hand, as the metrics' tests have them."""

from __future__ import annotations

from tests.metrics.conftest import defined, duck_warehouse

__all__ = ["defined", "duck_warehouse"]
