"""What a page is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kpi.dashboard.data import Desk
from kpi.dashboard.frame import Frame
from kpi.dashboard.theme import Mode


@dataclass(frozen=True)
class Page:
    """A page of the registry.

    Attributes:
        path: in the URL; the first page of the registry is also at the root.
        draw: draws it for a desk, in a mode.
        expect: begins to answer what it will ask, before anything is drawn.
    """

    title: str
    path: str
    draw: Callable[[Desk, Frame, Mode], None]
    expect: Callable[[Desk, Frame], None]
