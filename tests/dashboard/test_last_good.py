"""The last good definitions outlive a mistake and a restart."""

import streamlit as st

from kpi.dashboard.serving import LAST_GOOD, served
from kpi.settings import Settings

from .conftest import METRICS


def test_a_mistake_after_a_restart_is_served_by_the_copy(tmp_path):
    metrics, home = tmp_path / "metrics.yaml", tmp_path / "home"
    chosen = Settings(home=home, metrics=metrics)
    metrics.write_text(METRICS, encoding="utf-8")
    good = served(chosen)
    assert good.problems == ()
    assert (home / LAST_GOOD).read_text(encoding="utf-8") == METRICS

    metrics.write_text(METRICS.replace("currency: EUR", "currency: euros"), encoding="utf-8")
    st.cache_resource.clear()  # as a new process would begin
    broken = served(chosen)
    assert broken.definitions is not None
    assert broken.definitions.hash == good.definitions.hash
    assert [problem.key for problem in broken.problems] == ["currency"]
    assert (home / LAST_GOOD).read_text(encoding="utf-8") == METRICS

    metrics.write_text(METRICS, encoding="utf-8")
    assert served(chosen).problems == ()


def test_a_missing_file_is_a_problem_and_not_a_failure(tmp_path):
    state = served(Settings(home=tmp_path / "home", metrics=tmp_path / "metrics.yaml"))
    assert state.definitions is None
    assert len(state.problems) == 1


def test_a_home_that_cannot_be_written_keeps_no_copy(tmp_path):
    metrics = tmp_path / "metrics.yaml"
    metrics.write_text(METRICS, encoding="utf-8")
    (tmp_path / "home").write_text("a file, not a folder", encoding="utf-8")
    assert served(Settings(home=tmp_path / "home", metrics=metrics)).definitions is not None
