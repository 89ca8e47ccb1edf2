"""Keeping what was computed: each thing is made once, whoever asks, and those who come meanwhile wait for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Keeper(Generic[Value]):
    """The last ``most`` things by their keys. A failure is told to those who waited for it and not kept.

    Streamlit's own caches hash every argument anew and can't be filled from a thread that no session runs in.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Future[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What is kept under ``key``, or what ``make`` makes now."""
        future, ours = self._place(key)
        if ours:
            self._fill(key, future, make)
        return future.result()

    def start(self, key: Hashable, make: Callable[[], Value], pool: ThreadPoolExecutor) -> None:
        """Begin making it in ``pool``, unless it is there or on its way."""
        future, ours = self._place(key)
        if not ours:
            return
        try:
            pool.submit(self._fill, key, future, make)
        except RuntimeError as error:  # the pool is shut down: who asks for it waits for nothing
            self._failed(key, future, error)

    def _place(self, key: Hashable) -> tuple[Future[Value], bool]:
        with self._lock:
            future = self._kept.get(key)
            if future is not None:
                self._kept.move_to_end(key)
                return future, False
            future = self._kept[key] = Future()
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return future, True

    def _fill(self, key: Hashable, future: Future[Value], make: Callable[[], Value]) -> None:
        try:
            future.set_result(make())
        except BaseException as error:
            self._failed(key, future, error)

    def _failed(self, key: Hashable, future: Future[Value], error: BaseException) -> None:
        with self._lock:
            if self._kept.get(key) is future:
                del self._kept[key]
        future.set_exception(error)
