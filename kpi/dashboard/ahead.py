"""Answering what is likely to be asked next, while nobody waits for anything else.

Most clicks are a step away from what is on the screen: the week before, one segment, one product. Their answers are
made by one thread that stops for every page that is being drawn. Without it every answer is still right, only later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

#: Questions that wait. When more views are open than that, those looked at last come first.
MOST_WAITING: Final = 256

#: Seconds after a page was drawn before the thread goes on: the browser paints for half a second, often on the same
#: machine, and its reader's next click shall find it idle.
PAUSE_S: Final = 2.0


class Ahead:
    """A thread of low claims; it does nothing until it is started."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], object]] = deque(maxlen=MOST_WAITING)
        self._drawing = 0
        self._drawn = -PAUSE_S
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work; once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered and no more."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def likely(self, questions: Iterable[Callable[[], object]]) -> None:
        """What may be asked next, the likeliest first; before all that waited already."""
        if self._thread is None:
            return
        with self._changed:
            self._waiting.extendleft(reversed(list(questions)))
            self._changed.notify_all()

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """While a page is drawn the thread begins nothing."""
        with self._changed:
            self._drawing += 1
        try:
            yield
        finally:
            with self._changed:
                self._drawing -= 1
                self._drawn = time.monotonic()
                self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:  # asked within the lock: a stop in between would wake nobody
                if self._stopped.is_set():
                    return
                pause = self._drawn + PAUSE_S - time.monotonic()
                if not self._waiting or self._drawing:
                    self._changed.wait()
                    continue
                if pause > 0:
                    self._changed.wait(pause)
                    continue
                question = self._waiting.popleft()
            try:
                question()
            except Exception:  # who asks it in earnest gets the sentence
                logging.getLogger(__name__).debug("not answered ahead", exc_info=True)


@cache
def ahead() -> Ahead:
    """The one of this process."""
    return Ahead()
