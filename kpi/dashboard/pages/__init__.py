"""The pages, in the order of the navigation. A new page is a file here and a line in PAGES."""

from __future__ import annotations

from typing import Final

from kpi.dashboard.pages import data, definitions, explore, this_week
from kpi.dashboard.pages.page import Page

PAGES: Final[tuple[Page, ...]] = (this_week.PAGE, explore.PAGE, definitions.PAGE, data.PAGE)
