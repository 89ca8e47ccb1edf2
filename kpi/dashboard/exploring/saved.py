"""Saved views as links: what of a link a view keeps, and the list of them. Names are strangers' texts, and escaped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from kpi.dashboard.cards import escape
from kpi.dashboard.exploring.look import Look, of_link, parameter
from kpi.dashboard.filters import Value, echo
from kpi.dashboard.frame import Frame
from kpi.dashboard.remarks import moment
from kpi.errors import UsageError
from kpi.metrics.groups import meant
from kpi.metrics.model import Definitions
from kpi.periods import Calendar
from kpi.records.views import MOST_LINK, Line, Views

#: The page whose views are saved.
PATH: Final = "explore"
#: Views that the page lists; the command lists all.
MOST_LISTED: Final = 100


def parameters(look: Look) -> str:
    """A look as a view keeps it. Metrics are named, also the North Star: another may be it tomorrow."""
    return urlencode(look.parameters(""), doseq=True)


def opened(parameters: str) -> dict[str, list[str]]:
    """The query parameters that a view's link has."""
    return parse_qs(parameters, keep_blank_values=True)


def start_href(team: str) -> str:
    """The link that opens a team's start page, from any page."""
    return f"./?{urlencode({'team': team})}"


def of_text(link: str, definitions: Definitions) -> str:
    """What a view keeps of a link such as ``explore?metric=revenue&by=product``, read as the page reads it.

    Names and bounds are checked against the definitions. Values of dimensions are checked when the view is opened: data come and go.

    Raises:
        UsageError: it is no link to the page, or says something that the page would leave out.
    """
    if len(link) > 2 * MOST_LINK:  # an address before it takes some
        raise UsageError(f"the link has {len(link):,} characters, and at most {MOST_LINK:,} are kept; choose fewer values")
    try:
        parts = urlsplit(link.strip())
        given = opened(parts.query)
    except ValueError:
        parts, given = urlsplit(""), {}
    if parts.path.strip("/").rpartition("/")[2] != PATH:
        raise UsageError(f"{echo(link)} is no link to the page Explore, such as {PATH}?metric={definitions.north_star}")
    frame = Frame((definitions.north_star,), {}, _week(given, definitions.calendar), None, {}, None)
    look, ignored = of_link(given, definitions, frame, lambda dimension: _named(dimension, given))
    if ignored:
        raise UsageError(f"the link can't be kept: {ignored[0].rpartition(';')[0] or ignored[0]}")
    return parameters(look)


def _week(given: Mapping[str, Sequence[str]], calendar: Calendar) -> tuple[dt.date, ...]:
    """The link's own week, as if there were data for it."""
    try:
        return tuple(calendar.week(dt.date.fromisoformat(text)).start for text in given.get("week", ())[:1])
    except (ValueError, OverflowError):
        return ()


def _named(dimension: str, given: Mapping[str, Sequence[str]]) -> tuple[Value, ...]:
    """The values of a dimension that a link names, as if the data had them."""
    against = [text.partition(":") for text in given.get("vs", ())]
    texts = [*given.get(parameter(dimension), ()), *(value for name, _, value in against if name == dimension)]
    return tuple(dict.fromkeys(meant(text) for text in texts))


def listed(views: Views, calendar: Calendar) -> str:
    """The views as links, by team, each with who saved it and whose start page it is."""
    if not views.lines:
        return '<p class="caption">No view was saved yet.</p>'
    made: list[str] = []
    team: str | None = None
    for view in views.lines[:MOST_LISTED]:
        if view.team != team:
            team = view.team
            made.append(f"{'</ul>' if made else ''}<h3>{escape(team) if team else 'Of no team'}</h3><ul>")
        made.append(f"<li>{_row(view, views, calendar)}</li>")
    rest = len(views.lines) - MOST_LISTED
    more = f'<p class="quiet">and {rest} more, which python -m kpi views lists</p>' if rest > 0 else ""
    return f'<div class="views">{"".join(made)}</ul>{more}</div>'


def _row(view: Line, views: Views, calendar: Calendar) -> str:
    pins = "".join(
        f' <a class="pin" href="{escape(start_href(pin.team))}">start page of {escape(pin.team)}</a>' for pin in views.pins_of(view.view)
    )
    who = f"{escape(view.author)}, {moment(view.written_at, calendar)}"
    return f'<a href="{escape(view.link)}">{escape(view.name)}</a>{pins} <span class="quiet">{who}</span>'
