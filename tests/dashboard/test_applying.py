"""Products and costs that change while the dashboard runs."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from kpi.dashboard.applying import CONTESTED, RUNNING, UNPUBLISHED, Applying, State
from kpi.errors import WarehouseError
from kpi.settings import Settings


def definitions(name: str) -> Any:
    return SimpleNamespace(mappings_hash=name)


def test_a_change_is_applied_once_while_pages_go_on() -> None:
    applying, go, published = Applying(), threading.Event(), []

    def publish(settings: Settings, wanted: Any) -> None:
        assert go.wait(10)
        published.append(wanted.mappings_hash)

    assert applying.want(Settings(), definitions("b"), 1) == State(UNPUBLISHED)  # nobody told it how
    applying.publisher = publish
    assert [applying.want(Settings(), definitions("b"), 1) for _ in range(3)] == [State(RUNNING, True)] * 3
    go.set()
    applying.wait()
    assert published == ["b"]
    assert not applying.is_running
    # somebody else published with other mappings: not to and fro for ever
    assert applying.want(Settings(), definitions("b"), 3) == State(CONTESTED)
    assert applying.want(Settings(), definitions("c"), 3) == State(RUNNING, True)
    applying.wait()
    assert applying.want(Settings(), definitions("b"), 4) == State(RUNNING, True)
    applying.wait()
    assert published == ["b", "c", "b"]


def test_a_failure_is_said_and_tried_again_only_when_something_changed() -> None:
    applying, tried = Applying(), []

    def publish(settings: Settings, wanted: Any) -> None:
        tried.append(wanted.mappings_hash)
        raise WarehouseError("the disk is full")

    applying.publisher = publish
    applying.want(Settings(), definitions("b"), 1)
    applying.wait()
    said = State("It could not be applied, so figures are split as before: the disk is full")
    assert [applying.want(Settings(), definitions("b"), 1) for _ in range(2)] == [said, said]
    assert tried == ["b"]
    assert applying.want(Settings(), definitions("b"), 2).is_running
    applying.wait()
    assert tried == ["b", "b"]
