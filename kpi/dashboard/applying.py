"""Products and costs of metrics.yaml that changed while the dashboard runs, applied beside the pages.

Publishing anew takes seconds to minutes, so one thread does it while pages go on showing what was published before.
How it is done is told by ``app.py``: a page may not import what writes the warehouse.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from kpi.errors import KpiError
from kpi.metrics.model import Definitions
from kpi.settings import Settings

#: Publishes with the definitions, and returns the generation that counts then.
Publisher = Callable[[Settings, Definitions], int]

#: Seconds after which what failed may be tried again: a disk gets room, a lock is let go.
AGAIN_S: Final = 30.0

UNPUBLISHED: Final = (
    "Figures are still split as before. What changed is applied when the dashboard is started again, or by any python -m kpi show."
)
RUNNING: Final = "It is being applied to all rows; until then figures are split as before. This page follows by itself."
APPLIED: Final = "It was applied to all rows; this page is drawn again with it."
FAILED: Final = f"It could not be applied, so figures are split as before; a page drawn {AGAIN_S:.0f} seconds later tries again:"
CONTESTED: Final = (
    "It was applied here, and another program has published with other products and costs since: let both read the same metrics.yaml."
)


@dataclass(frozen=True)
class State:
    """What to say, and whether the page is to be drawn again once nothing is running."""

    sentence: str
    follows: bool = False


class Applying:
    """One publishing at a time, and each change once."""

    def __init__(self) -> None:
        self.publisher: Publisher | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._done = ("", 0)
        self._failed = ("", 0)
        self._why, self._failed_at = "", 0.0

    def want(self, settings: Settings, definitions: Definitions, generation: int) -> State:
        """Begin to apply ``definitions`` to the published ``generation``, unless that is done, or failed just now."""
        wanted = definitions.mappings_hash
        with self._lock:
            if self.publisher is None:
                return State(UNPUBLISHED)
            if self.is_running:
                return State(RUNNING, True)
            applied, made = self._done
            if applied == wanted and generation < made:  # the page was opened on what was published before
                return State(APPLIED, True)
            if self._failed == (wanted, generation) and time.monotonic() - self._failed_at < AGAIN_S:
                return State(f"{FAILED} {self._why}")
            if applied == wanted:
                return State(CONTESTED)
            self._thread = threading.Thread(
                target=self._apply, args=(self.publisher, settings, definitions, generation), name="publishing", daemon=True
            )
            self._thread.start()
            return State(RUNNING, True)

    @property
    def is_running(self) -> bool:
        """Whether something is being applied now."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Until what is being applied has been; for whoever ends the process, and tests."""
        if self._thread is not None:
            self._thread.join()

    def _apply(self, publisher: Publisher, settings: Settings, definitions: Definitions, generation: int) -> None:
        try:
            self._done = (definitions.mappings_hash, publisher(settings, definitions))
            return
        except KpiError as error:
            self._why = str(error)
        except Exception:
            logging.getLogger("kpi").exception("products and costs could not be applied")
            self._why = "something failed that should not; the server's log says what."
        self._failed, self._failed_at = (definitions.mappings_hash, generation), time.monotonic()


@cache
def applying() -> Applying:
    """The one of this process."""
    return Applying()
