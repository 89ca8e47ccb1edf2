"""Products and costs that change while the dashboard runs."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from kpi.dashboard.applying import AGAIN_S, APPLIED, CONTESTED, FAILED, RUNNING, UNPUBLISHED, Applying, State
from kpi.errors import WarehouseError
from kpi.settings import Settings


def definitions(name: str) -> Any:
    return SimpleNamespace(mappings_hash=name)


def test_a_change_is_applied_once_while_pages_go_on() -> None:
    applying, go, published = Applying(), threading.Event(), []

    def publish(settings: Settings, wanted: Any) -> int:
        assert go.wait(10)
        published.append(wanted.mappings_hash)
        return len(published) + 2  # 3, 4, 5: another program published 2 meanwhile

    assert applying.want(Settings(), definitions("b"), 1) == State(UNPUBLISHED)  # nobody told it how
    applying.publisher = publish
    assert [applying.want(Settings(), definitions("b"), 1) for _ in range(3)] == [State(RUNNING, True)] * 3
    go.set()
    applying.wait()
    assert published == ["b"]
    assert not applying.is_running
    # pages that were opened before it was published: they are drawn again, and nobody is accused
    assert [applying.want(Settings(), definitions("b"), before) for before in (1, 2)] == [State(APPLIED, True)] * 2
    # somebody else published with other mappings: not to and fro for ever
    assert applying.want(Settings(), definitions("b"), 3) == State(CONTESTED)
    assert applying.want(Settings(), definitions("c"), 3) == State(RUNNING, True)
    applying.wait()
    assert applying.want(Settings(), definitions("b"), 4) == State(RUNNING, True)
    applying.wait()
    assert published == ["b", "c", "b"]


def test_a_failure_is_said_and_tried_again_when_something_changed_or_some_time_later(monkeypatch: pytest.MonkeyPatch) -> None:
    applying, tried, now = Applying(), [], [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def publish(settings: Settings, wanted: Any) -> int:
        tried.append(wanted.mappings_hash)
        if len(tried) < 3:
            raise WarehouseError("the disk is full")
        return 3

    applying.publisher = publish
    applying.want(Settings(), definitions("b"), 1)
    applying.wait()
    said = State(f"{FAILED} the disk is full")
    assert "a page drawn 30 seconds later tries again" in said.sentence
    now[0] += AGAIN_S - 0.5
    assert [applying.want(Settings(), definitions("b"), 1) for _ in range(2)] == [said, said]
    assert tried == ["b"]
    assert applying.want(Settings(), definitions("b"), 2) == State(RUNNING, True)
    applying.wait()
    assert tried == ["b", "b"]
    assert applying.want(Settings(), definitions("b"), 2) == said
    now[0] += AGAIN_S
    assert applying.want(Settings(), definitions("b"), 2) == State(RUNNING, True)
    applying.wait()
    assert applying.want(Settings(), definitions("b"), 2) == State(APPLIED, True)
    assert len(tried) == 3
