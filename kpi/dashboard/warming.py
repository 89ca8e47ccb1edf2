"""What the server does before its first visitor: import everything, and ask what every page asks."""

from __future__ import annotations

from kpi import settings
from kpi.dashboard.ahead import ahead
from kpi.dashboard.data import open_desk
from kpi.dashboard.filters import Filters
from kpi.dashboard.frame import frame
from kpi.dashboard.looking import questions
from kpi.dashboard.pages.this_week import first_filters, first_shapes


def warm() -> None:
    """Open the warehouse and answer what is asked before anybody filters.

    Raises:
        KpiError: the page tells it as well.
    """
    desk, _ = open_desk(settings.load())
    if desk is None or not desk.shows:
        return
    reach = frame(desk)
    if reach.last_whole is not None:
        desk.expect(questions(desk.definitions, reach, Filters(), reach.last_whole).values())
        ahead().likely(first_shapes(desk, reach, reach.last_whole) + first_filters(desk, reach, reach.last_whole))
