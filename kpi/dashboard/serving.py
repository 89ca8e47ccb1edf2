"""The definitions the pages are served by: the file as it stands, or the last good copy while it is broken.

The copy lies under ``KPI_HOME`` so that a restart in the middle of an edit still has figures to show.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import streamlit as st

from kpi.errors import DefinitionsError, KpiError, Problem, WarehouseError
from kpi.metrics import saving
from kpi.metrics.definitions import load
from kpi.metrics.model import Definitions
from kpi.settings import Settings
from kpi.warehouse.given import look

LAST_GOOD: Final = "metrics.last-good.yaml"
#: Seconds that a page waits for the records when the file has changed; it is drawn without them.
NOTE_PATIENCE_S: Final = 2


@dataclass(frozen=True)
class Served:
    """What the pages compute by.

    Attributes:
        definitions: None when the file is broken and no good one was ever seen here.
        problems: of the file as it stands; empty when it is sound, and then ``definitions`` are its own.
    """

    definitions: Definitions | None
    problems: tuple[Problem, ...]


def served(settings: Settings) -> Served:
    """The definitions to serve now; read again only when the file has changed.

    Raises:
        WarehouseError: the file has ``tables:``, and the warehouse can't be looked at.
    """
    return _served(str(settings.metrics), str(settings.home), (*_signature(settings.metrics), settings.warehouse_url), settings)


@st.cache_resource(max_entries=8, show_spinner=False)
def _served(metrics: str, home: str, signature: tuple[int | str | None, ...], _settings: Settings) -> Served:
    path, last_good = Path(metrics), Path(home) / LAST_GOOD
    try:
        definitions = load(path, partial(look, _settings))
    except DefinitionsError as error:
        return Served(_last_good(last_good, _settings), error.problems)
    except WarehouseError:  # the tables of tables: may be there in a moment, and what is returned is kept
        raise
    except (KpiError, OSError) as error:
        return Served(_last_good(last_good, _settings), (Problem(metrics, 1, "", str(error)),))
    if _signature(path) == signature[:-1]:  # otherwise the file changed while it was read, and the next run reads it again
        _keep(path, last_good)
        _note(_settings)
    return Served(definitions, ())


def _note(settings: Settings) -> None:
    """Record what was changed elsewhere as a version; the page goes on without, and the next look tries again."""
    try:
        saving.note(settings, partial(look, settings), NOTE_PATIENCE_S)
    except KpiError as error:
        logging.getLogger(__name__).warning("no version of %s was recorded: %s", settings.metrics, error)


def _last_good(path: Path, settings: Settings) -> Definitions | None:
    try:
        return load(path, partial(look, settings)) if path.exists() else None
    except (KpiError, OSError):
        return None


def _keep(path: Path, last_good: Path) -> None:
    """Copy the file beside the warehouse, whole or not at all. A home that can't be written keeps no copy."""
    part = last_good.with_name(f"{last_good.name}.{os.getpid()}.part")
    try:
        content = path.read_bytes()
        if last_good.exists() and last_good.read_bytes() == content:
            return
        last_good.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(last_good)
    except OSError:
        with suppress(OSError):
            part.unlink()


def _signature(path: Path) -> tuple[int, ...]:
    """Changes whenever the file does: an editor's save by rename changes the inode, one in place the time or size."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino)
