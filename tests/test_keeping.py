import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kpi.keeping import Keeper


def test_a_thing_is_made_once_for_all_who_ask():
    keeper, made, both = Keeper[int](10), [], threading.Barrier(2)

    def make():
        made.append(1)
        return len(made)

    def ask():
        both.wait()
        return keeper.get("key", make)

    with ThreadPoolExecutor(2) as pool:
        assert [future.result() for future in [pool.submit(ask), pool.submit(ask)]] == [1, 1]
    assert keeper.get("key", make) == 1


def test_what_was_begun_is_waited_for():
    keeper, go = Keeper[str](10), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        keeper.start(["key", "other"], lambda keys: [f"{key} begun" for key in keys] if go.wait(10) else [], pool)
        go.set()
        assert keeper.get("other", lambda: "made again") == "other begun"


def test_what_is_there_is_not_made_again_with_others():
    keeper = Keeper[str](10)
    keeper.get("a", lambda: "first")
    keeper.fill(["a", "b"], lambda keys: [f"{key} of {len(keys)}" for key in keys])
    assert [keeper.get(key, lambda: "made again") for key in "ab"] == ["first", "b of 1"]


def test_of_things_made_at_once_a_failure_is_told_to_all_and_none_is_kept():
    keeper, told = Keeper[int](10), []
    keeper.fill(["a", "b"], lambda keys: [1 // 0 for _ in keys])
    for key in "ab":
        keeper.get(key, lambda key=key: told.append(key) or 2)
    assert told == ["a", "b"]


def test_a_failure_is_told_and_not_kept():
    keeper = Keeper[int](10)
    with pytest.raises(ZeroDivisionError):
        keeper.get("key", lambda: 1 // 0)
    assert keeper.get("key", lambda: 2) == 2


def test_the_longest_unused_goes_first():
    keeper = Keeper[int](2)
    for key in ("a", "b", "a", "c"):
        keeper.get(key, lambda: 1)
    assert keeper.get("a", lambda: 2) == 1
    assert keeper.get("b", lambda: 2) == 2


def test_what_a_closed_pool_does_not_take_keeps_nobody_waiting():
    keeper, pool = Keeper[int](10), ThreadPoolExecutor(1)
    pool.shutdown()
    keeper.start(["key"], lambda keys: [1], pool)
    assert keeper.get("key", lambda: 2) == 2
