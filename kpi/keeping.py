"""Keeping what was computed: each thing is made once, whoever asks, and those who come meanwhile wait for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
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

    def start(self, keys: Sequence[Hashable], make: Callable[[Sequence[Hashable]], Sequence[Value]], pool: ThreadPoolExecutor) -> None:
        """Begin making those of ``keys`` in ``pool`` that are neither there nor on their way; ``make`` gets them all at once."""
        ours = self._ours(keys)
        if not ours:
            return
        try:
            pool.submit(self._fill_all, ours, make)
        except RuntimeError as error:  # the pool is shut down: who asks for it waits for nothing
            for key, future in ours.items():
                self._failed(key, future, error)

    def fill(self, keys: Sequence[Hashable], make: Callable[[Sequence[Hashable]], Sequence[Value]]) -> None:
        """As :meth:`start`, here and now."""
        ours = self._ours(keys)
        if ours:
            self._fill_all(ours, make)

    def _ours(self, keys: Sequence[Hashable]) -> dict[Hashable, Future[Value]]:
        placed = {key: self._place(key) for key in dict.fromkeys(keys)}  # a key twice would wait for itself
        return {key: future for key, (future, ours) in placed.items() if ours}

    def _fill_all(self, ours: Mapping[Hashable, Future[Value]], make: Callable[[Sequence[Hashable]], Sequence[Value]]) -> None:
        try:
            made = make(tuple(ours))
            for future, value in zip(ours.values(), made, strict=True):
                future.set_result(value)
        except BaseException as error:
            for key, future in ours.items():
                if not future.done():
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
