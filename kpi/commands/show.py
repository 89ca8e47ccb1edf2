"""``show`` and ``explain``."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the commands."""
