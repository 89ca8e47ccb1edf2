"""What imports leave behind: scratch space of killed ones, and generations that nobody reads any more."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from kpi.settings import Settings
from kpi.warehouse.archive import Archive
from kpi.warehouse.engines import current_state
from kpi.warehouse.home import Current, generations, read_current


def clean(settings: Settings) -> Current:
    """Remove what killed imports left; what counts now."""
    home = settings.home
    current = current_state(settings)
    for left in [*home.glob("*.part"), *home.glob("*.part.wal")]:
        left.unlink(missing_ok=True)
    for folder in (home / "staging").glob("import-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (home / "staging").glob("landing-*"):
        if not _runs(folder.name.split("-")[1]):
            shutil.rmtree(folder, ignore_errors=True)
    for spilled in (home / "spill").glob("*"):
        if not _runs(spilled.name):
            shutil.rmtree(spilled, ignore_errors=True)
    if not settings.warehouse_url:
        for number, path in generations(home):
            if number > current.generation:
                path.unlink(missing_ok=True)
    archive = Archive(home)
    archive.clean(current.archive_line)
    archive.entries(current.archive_line)
    return current


def _runs(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OSError):
        return True
    return True


def remove_old(settings: Settings) -> None:
    """Remove generations before the last few that no reader has open."""
    current = read_current(settings)
    for number, path in generations(settings.home):
        if number <= current.generation - settings.keep_generations and not _is_read(path):
            path.unlink(missing_ok=True)


def _is_read(path: Path) -> bool:
    """DuckDB locks a file that it reads; asking is free of side effects because the lock is never held."""
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
