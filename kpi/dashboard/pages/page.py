"""What a page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kpi.dashboard.data import Desk
from kpi.dashboard.theme import Mode
from kpi.settings import Settings


@dataclass(frozen=True)
class Page:
    """A page of the registry.

    Attributes:
        path: in the URL; the first page of the registry is also at the root.
        draw: draws it for a desk, in a mode.
        expect: begins to answer what it will ask, before anything is drawn.
        needs_data: without any, the way to begin is shown in its place; else it gets no frame then.
        mend: draws it where there are no sound definitions, and so no desk.
    """

    title: str
    path: str
    draw: Callable[[Desk, Any, Mode], None]
    expect: Callable[[Desk, Any], None]
    needs_data: bool = True
    mend: Callable[[Settings, Mode], None] | None = None
