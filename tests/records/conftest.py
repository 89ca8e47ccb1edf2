"""Records in a file and on a server: what holds of one holds of the other."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kept(request, settings):
    """Settings of records that nobody ever wrote to."""
    if request.param == "sqlite":
        return settings
    return replace(settings, records_url=request.getfixturevalue("postgres_url"))
