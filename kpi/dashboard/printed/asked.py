"""A review that somebody asks for by week and filters, outside of a page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from kpi.dashboard.data import Desk
from kpi.dashboard.filters import read
from kpi.dashboard.frame import frame
from kpi.dashboard.looking import Look
from kpi.dashboard.printed.setting import Format, printed
from kpi.dashboard.theme import Mode, palette
from kpi.errors import UsageError
from kpi.periods import Calendar


def asked(desk: Desk, week: dt.date | None, parameters: Mapping[str, Sequence[str]], form: Format, mode: Mode) -> tuple[str, bytes]:
    """Its name, such as ``review-2026-W46``, and the file.

    Args:
        parameters: filters, as the URL of a page has them.

    Raises:
        UsageError: there are no data, none for the week, or no such value of a filter.
    """
    reach = frame(desk) if desk.shows else None
    if reach is None or reach.last_whole is None:
        raise UsageError("there is nothing to report: no data were imported yet; python -m kpi import FOLDER, or python -m kpi demo")
    wanted = {name: list(values) for name, values in parameters.items()}
    if week is not None:
        wanted["week"] = [week.isoformat()]
    unknown = [name for name in parameters if name not in reach.options]
    if unknown:
        raise UsageError(f"the review can't be filtered by {', '.join(unknown)}; it can by {', '.join(reach.options) or 'nothing yet'}")
    filters, ignored = read(wanted, reach.weeks, reach.options)
    if ignored:
        raise UsageError(ignored[0].split(";")[0].replace("The link's", "the").replace("the link's", "the"))
    at = filters.week or reach.last_whole
    return named(at, desk.definitions.calendar), printed(Look(desk, reach, filters, at, palette(mode)), form)


def named(week: dt.date, calendar: Calendar) -> str:
    """What the file of a week is called."""
    year, number = calendar.week_number(week)
    return f"review-{year}-W{number:02}"
