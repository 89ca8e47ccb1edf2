"""The dashboard's server: ``streamlit run app.py``. What it draws is in kpi/dashboard.

Everything is imported and warmed before the first visitor comes, and then left out of garbage collection, which would
walk pandas and Plotly in the middle of somebody's page.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from kpi.dashboard.receiving import Asked, Received
    from kpi.metrics.behind import Row
    from kpi.metrics.model import Definitions
    from kpi.records.links import Decision
    from kpi.settings import Settings


def publish() -> None:
    """Apply products: and costs: of metrics.yaml to the data, if they changed since the data were published."""
    from kpi import settings
    from kpi.importing.current import ensure_current
    from kpi.metrics.definitions import load
    from kpi.metrics.publishing import mappings_of

    chosen = settings.load()
    ensure_current(chosen, mappings_of(load(chosen.metrics)), lambda sentence: print(sentence, flush=True))


def apply(chosen: Settings, definitions: Definitions) -> int:
    """As :func:`publish`, for what changes while the dashboard runs; the generation that counts then."""
    from kpi.importing.current import ensure_current
    from kpi.metrics.publishing import mappings_of

    return ensure_current(chosen, mappings_of(definitions), lambda sentence: print(sentence, flush=True))


def receive(chosen: Settings, folder: Path, asked: Asked, say: Callable[[str], None]) -> Received:
    """Import the files of ``folder``, as ``python -m kpi import`` would."""
    from kpi.dashboard.receiving import Line, Received
    from kpi.importing.importer import Options, import_folder
    from kpi.metrics.definitions import load
    from kpi.metrics.publishing import mappings_of

    loaded = load(chosen.metrics)
    options = Options(None, asked.dates, False, frozenset(loaded.sources), asked.amounts)
    report = import_folder(chosen, mappings_of(loaded), folder, options, say)
    lines = [
        Line(one.file, f"{one.connector} {one.layout}".strip(), one.status, one.rows_read, one.rows_loaded, one.rows_rejected, one.message)
        for one in report.files
    ]
    return Received(tuple(lines), report.questions, report.generation)


def decide(chosen: Settings, decisions: Sequence[Decision]) -> int:
    """Write down who customers are, and publish it, as ``python -m kpi link`` does: how many decisions were new."""
    from kpi.importing.linking import decide as written_down
    from kpi.metrics.definitions import load
    from kpi.metrics.publishing import mappings_of

    return written_down(chosen, mappings_of(load(chosen.metrics)), decisions).new


def systems(chosen: Settings) -> Collection[str]:
    """The systems that definitions may name, as ``python -m kpi check`` knows them."""
    from kpi.importing.systems import known

    return known(chosen.sources)


def find(chosen: Settings, table: str, rows: Sequence[Row]) -> Mapping[tuple[int, tuple[str | None, ...]], int]:
    """The lines on which rows stand in their files."""
    from kpi.importing.tracing import lines_of
    from kpi.metrics.definitions import load
    from kpi.metrics.publishing import mappings_of

    sought = [(row.run_id, row.key, row.source_id) for row in rows if row.run_id is not None]
    return lines_of(chosen, mappings_of(load(chosen.metrics)), table, sought)


def failed(error: Exception) -> bool:
    """A failure that nobody foresaw: a sentence on the page, the whole of it in the server's log."""
    from kpi.dashboard.cards import notice

    logging.getLogger("kpi").error("a page failed", exc_info=error)
    st.html(notice("warning", "This page can't be shown", ["Something failed that should not; the server's log says what."]))
    return True


@asynccontextmanager
async def warmed(_app: st.App) -> AsyncIterator[None]:
    """Load the pages and what they import."""
    from kpi.dashboard.ahead import ahead
    from kpi.dashboard.applying import applying
    from kpi.dashboard.checking import checking
    from kpi.dashboard.closing import closing
    from kpi.dashboard.exploring.rows import finding
    from kpi.dashboard.linking import linking
    from kpi.dashboard.receiving import receiving
    from kpi.dashboard.warming import warm
    from kpi.errors import KpiError

    ahead().start()
    applying().publisher = apply
    receiving().importer = receive
    finding().finder = find
    closing().is_on = True
    linking().decider = decide
    checking().systems = systems
    for step in (publish, warm):
        try:
            step()
        except KpiError as error:  # the page says it to whoever opens it
            print(error, flush=True)
        except Exception:  # a server that doesn't start could tell nobody anything
            logging.getLogger("kpi").exception("the dashboard starts without %s", step.__name__)
    gc.collect()
    gc.freeze()
    yield
    ahead().stop()


app = st.App(Path(__file__).parent / "kpi" / "dashboard" / "served" / "script.py", lifespan=warmed, on_script_error=failed)
