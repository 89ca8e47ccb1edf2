"""The dashboard's server: ``streamlit run app.py``. What it draws is in kpi/dashboard.

Everything is imported and warmed before the first visitor comes, and then left out of garbage collection: Streamlit
collects in full after every run, and would walk pandas and Plotly each time.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st


@asynccontextmanager
async def warmed(_app: st.App) -> AsyncIterator[None]:
    """Load the pages and what they import."""
    from kpi.dashboard.warming import warm

    warm()
    gc.collect()
    gc.freeze()
    yield


app = st.App(Path(__file__).parent / "kpi" / "dashboard" / "script.py", lifespan=warmed)
