"""What the server does before its first visitor: import everything, and ask what every page asks."""

from __future__ import annotations

import logging

from kpi import settings
from kpi.dashboard.data import open_desk
from kpi.dashboard.frame import frame
from kpi.dashboard.pages import PAGES
from kpi.errors import KpiError


def warm() -> None:
    """Open the warehouse and answer the questions that no filter changes. A failure waits for the page to tell it."""
    logging.getLogger(__name__).debug("loaded %d pages", len(PAGES))
    try:
        desk, _ = open_desk(settings.load())
        if desk is not None and desk.reader.generation:
            frame(desk)
    except KpiError as error:
        logging.getLogger(__name__).warning("%s", error)
