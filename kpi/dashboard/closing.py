"""Weeks closed by the server: when a page is first shown on new data, beside it, so that nobody waits."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Hashable
from functools import cache, partial
from typing import Final

from kpi.analysis.closing import due, taken, today
from kpi.dashboard.data import Desk
from kpi.errors import KpiError
from kpi.metrics import saving
from kpi.records import closings
from kpi.warehouse.given import look

#: Seconds after which what failed may be tried again.
AGAIN_S: Final = 60.0
#: Who closed them, in the records.
WHO: Final = "dashboard"


class Closing:
    """At most once for each state of data, definitions and calendar; off until the server has started."""

    def __init__(self) -> None:
        self.is_on = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._done: tuple[Hashable, dt.date] | None = None
        self._until = 0.0

    def want(self, desk: Desk) -> None:
        """Begin to close what is due, unless that is done."""
        now = today(desk.definitions.calendar)
        key = (desk.key, now)
        with self._lock:
            if not self.is_on or key == self._done or time.monotonic() < self._until or (self._thread and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._close, args=(desk, now), name="closing", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until what was begun is done; for tests."""
        if self._thread is not None:
            self._thread.join()

    def _close(self, desk: Desk, now: dt.date) -> None:
        try:
            weeks = due(closings.closed(desk.settings), desk.definitions, desk.reader, now)
            found = taken(weeks, desk.definitions, desk.reader, WHO, now)
            if found:
                # first the version: a week whose definitions nobody kept could never be told
                saving.note(desk.settings, partial(look, desk.settings))
                closings.write_down(desk.settings, found)
            self._done = (desk.key, now)
            return
        except KpiError as error:
            logging.getLogger("kpi").warning("weeks could not be closed: %s", error)
        except Exception:
            logging.getLogger("kpi").exception("weeks could not be closed")
        self._until = time.monotonic() + AGAIN_S


@cache
def closing() -> Closing:
    """The one of this process."""
    return Closing()
