import threading
import time

from kpi.dashboard import ahead as module
from kpi.dashboard.ahead import Ahead

WAIT_S = 15


def test_nothing_is_asked_before_it_is_started():
    asked = []
    ahead = Ahead()
    ahead.likely([lambda: asked.append(1)])
    ahead.start()
    ahead.stop()
    assert asked == []


def test_the_likeliest_comes_first_and_the_last_view_before_older_ones():
    asked, done = [], threading.Event()
    ahead = Ahead()
    ahead.start()
    with ahead.drawing():  # nothing begins while a page is drawn
        ahead.likely([lambda: asked.append("old 1"), done.set])
        ahead.likely([lambda: asked.append("new 1"), lambda: asked.append("new 2")])
        assert asked == []
    assert done.wait(WAIT_S)
    ahead.stop()
    assert asked == ["new 1", "new 2", "old 1"]


def test_a_question_that_fails_stops_nobody():
    done = threading.Event()
    ahead = Ahead()
    ahead.start()
    ahead.likely([lambda: 1 / 0, done.set])
    assert done.wait(WAIT_S)
    ahead.stop()


def test_after_a_page_was_drawn_nothing_begins_for_a_while_even_where_a_question_was_under_way(monkeypatch):
    monkeypatch.setattr(module, "PAUSE_S", 0.3)
    ahead, under_way, drawn, next_began, done = Ahead(), threading.Event(), threading.Event(), [], threading.Event()
    ahead.start()
    ahead.likely([lambda: under_way.set() or drawn.wait(WAIT_S), lambda: next_began.append(time.monotonic()), done.set])
    assert under_way.wait(WAIT_S)
    with ahead.drawing():
        pass
    end = time.monotonic()
    drawn.set()
    assert done.wait(WAIT_S)
    ahead.stop()
    assert next_began[0] - end > 0.29
