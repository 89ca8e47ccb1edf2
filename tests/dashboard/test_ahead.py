import threading

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
