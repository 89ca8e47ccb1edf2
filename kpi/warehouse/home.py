"""Where things lie under ``KPI_HOME``, and the small CURRENT file that names the published generation.

warehouse-000042.duckdb        a published generation, never written again
warehouse-000043.duckdb.part   one in the making
CURRENT                        which generation counts, and up to which line of the archive's log it goes
archive/                       the raw exports and imports.jsonl, see :mod:`kpi.warehouse.archive`
import.lock                    held by the one import that is running
staging/, spill/               scratch space of running imports and of readers' queries
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from kpi.errors import WarehouseError
from kpi.settings import Settings

_GENERATION = re.compile(r"^warehouse-(\d{6,})\.duckdb$")


@dataclass(frozen=True)
class Current:
    """What CURRENT says.

    Attributes:
        generation: number of the published generation; 0 when nothing was ever published.
        archive_line: how many lines of ``archive/imports.jsonl`` are in it.
        mappings: hash of the parts of metrics.yaml it was published with.
    """

    generation: int = 0
    archive_line: int = 0
    mappings: str = ""


def warehouse_file(home: Path, generation: int) -> Path:
    """The file of a published generation."""
    return home / f"warehouse-{generation:06d}.duckdb"


def generations(home: Path) -> Iterator[tuple[int, Path]]:
    """Every whole generation on disk, oldest first, whether CURRENT names it or not."""
    found = ((int(match[1]), path) for path in home.glob("warehouse-*.duckdb") if (match := _GENERATION.match(path.name)))
    yield from sorted(found)


def read_current(settings: Settings) -> Current:
    """What CURRENT says; all zeros where there is none.

    Raises:
        WarehouseError: the file is there and can't be read.
    """
    path = settings.home / "CURRENT"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Current(int(said["generation"]), int(said["archive_line"]), str(said["mappings"]))
    except FileNotFoundError:
        return Current()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WarehouseError(f"{path} can't be read ({error}); remove it and run python -m kpi rebuild") from error


def swap_current(home: Path, current: Current) -> None:
    """Let CURRENT say ``current`` from one instant to the next, durably."""
    path = home / "CURRENT"
    write_durably(path, (json.dumps(asdict(current)) + "\n").encode())


def write_durably(path: Path, content: bytes) -> None:
    """Replace ``path`` whole: write beside it, fsync, rename, fsync the folder."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Force a finished file's bytes to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Force a folder's names to the disk, so that a rename outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
