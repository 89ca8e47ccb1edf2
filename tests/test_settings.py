"""What the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpi import settings
from kpi.errors import BadSetting


def test_a_home_that_is_a_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.write_text("somebody's", encoding="utf-8")
    with pytest.raises(BadSetting, match=r"KPI_HOME=.* can't be used; accepted is a folder, which is made where there is none"):
        settings.load({"KPI_HOME": str(file)})
    assert settings.load({"KPI_HOME": str(tmp_path / "new")}).home == tmp_path / "new"
    assert not (tmp_path / "new").exists()
