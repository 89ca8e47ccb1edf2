"""What the server does before its first visitor: import everything, and ask what every page asks."""

from __future__ import annotations

import logging

from kpi import settings
from kpi.dashboard.data import open_desk
from kpi.dashboard.filters import Filters
from kpi.dashboard.frame import frame
from kpi.dashboard.pages.this_week import questions
from kpi.errors import KpiError


def warm() -> None:
    """Open the warehouse and answer the questions that no filter changes. A failure waits for the page to tell it."""
    try:
        desk, _ = open_desk(settings.load())
        if desk is not None and desk.reader.generation:
            reach = frame(desk)
            if reach.last_whole is not None:
                desk.expect(questions(desk.definitions, reach, Filters(), reach.last_whole).values())
    except KpiError as error:
        logging.getLogger(__name__).warning("%s", error)
