"""``demo``: the sample company, as the files its systems would export, imported like anybody's files."""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kpi import settings
from kpi.demo import sample
from kpi.demo.story import COMPANY
from kpi.errors import KpiError, UsageError
from kpi.settings import Settings
from kpi.warehouse.archive import Archive
from kpi.warehouse.home import read_current

#: What was written into a folder, so that it is known again; the dot keeps it from being taken for an export.
_NOTE: Final = ".sample.json"


@dataclass(frozen=True)
class Sample:
    """What a folder of sample files holds: ``files`` maps their names to the SHA-256 of their bytes."""

    seed: int
    end: str
    files: Mapping[str, str]

    def __str__(self) -> str:
        return f"the sample company of seed {self.seed} up to {self.end}"


class HoldsOtherData(KpiError):
    """The warehouse has data that the sample must not be mixed with."""

    def __init__(self, home: Path, held: str) -> None:
        self.home = home
        super().__init__(
            f"{home} already holds {held}; the sample would be mixed with it and nothing was changed. "
            + "Use another folder (KPI_HOME=sample-data python -m kpi demo), or write the files alone with --files-only"
        )


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "demo",
        help="make a sample company and import it",
        description="Write three years of a sample company as exports of Salesforce, Stripe, QuickBooks and Jira, and import them.",
    )
    parser.add_argument("--seed", type=int, default=sample.DEFAULT_SEED, help=f"another company; default: {sample.DEFAULT_SEED}")
    parser.add_argument("--until", metavar="DATE", help="its last day, a Sunday such as 2026-11-15; default: the end of the last full week")
    parser.add_argument("--into", metavar="FOLDER", type=Path, help="where the files go; default: sample in KPI_HOME")
    parser.add_argument("--files-only", action="store_true", help="write the files and import nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write and import; exit code 1 when the warehouse holds other data or a file could not be imported."""
    chosen = settings.load()
    end = _end(options.until)
    folder: Path = options.into or chosen.home / "sample"
    if not options.files_only:
        held, whole = _held(chosen, folder)
        if held is not None and (held.seed, held.end) != (options.seed, end.isoformat()):
            raise HoldsOtherData(chosen.home, str(held))
        if held is not None and whole:
            return _report(options, held, folder, "unchanged", f"{chosen.home} holds {held} already; nothing to do")
    made = _write(options.seed, end, folder)
    if options.files_only:
        return _report(options, made, folder, "written", f"{len(made.files)} files of {made} are in {folder}; nothing was imported")
    return _import(options, chosen, made, folder)


def _import(options: argparse.Namespace, chosen: Settings, made: Sample, folder: Path) -> int:
    # Imported here, not above: a database and its dialects take a second, which "nothing to do" should not wait for.
    from kpi.commands import imports
    from kpi.importing.importer import Options, import_paths
    from kpi.metrics import definitions
    from kpi.metrics.publishing import mappings_of

    loaded = definitions.load(chosen.metrics)
    paths = [str(folder / name) for name in made.files]
    report = import_paths(chosen, mappings_of(loaded), paths, Options(counted=frozenset(loaded.sources)), _say)
    if options.json:
        said = {"status": "loaded", **asdict(made), "folder": str(folder), "import": json.loads(imports.as_json(report))}
        print(json.dumps(said, ensure_ascii=False))
    else:
        print(imports.as_text(report))
    return 1 if any(file.status in ("held back", "unknown") for file in report.files) else 0


def _end(text: str | None) -> dt.date:
    if text is None:
        return sample.default_end(dt.datetime.now().astimezone().date())
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text} is no date; write it like 2026-11-15") from None
    if day.weekday() != 6:
        sunday = sample.default_end(day)
        raise UsageError(f"--until {day} is a {day:%A}; the sample ends with a week, on a Sunday such as {sunday}")
    if not dt.date(2003, 1, 1) <= day <= dt.date(2099, 12, 31):
        raise UsageError(f"--until {day} is out of range; the sample can end from 2003 to 2099")
    return day


def _held(chosen: Settings, folder: Path) -> tuple[Sample | None, bool]:
    """The sample that the warehouse holds, and whether all of it; None where it holds nothing.

    Raises:
        HoldsOtherData: it holds anything else.
    """
    runs = _imported(chosen)
    if not runs:
        return None, False
    note = _read_note(folder) or _read_note(chosen.home / "sample")
    ours = set(note.files.values()) if note else set()
    others = sorted({name for name, sha256 in runs if sha256 not in ours})
    if others or note is None:
        more = f" and {len(others) - 1} other files" if len(others) > 1 else ""
        raise HoldsOtherData(chosen.home, f"data of {others[0]}{more}")
    return note, {sha256 for _, sha256 in runs} == ours


def _imported(chosen: Settings) -> list[tuple[str, str]]:
    """Name and SHA-256 of every file in the warehouse."""
    if chosen.warehouse_url is None:
        return [(entry.name, entry.sha256) for entry in Archive(chosen.home).entries(read_current(chosen).archive_line)]
    from kpi.warehouse.engines import open_reader
    from kpi.warehouse.schema import import_run

    with open_reader(chosen) as reader:
        return [(run["file"], run["sha256"]) for run in reader.run(import_run.select()).to_pylist()]


def _read_note(folder: Path) -> Sample | None:
    try:
        said = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        return Sample(int(said["seed"]), str(said["end"]), dict(said["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(seed: int, end: dt.date, folder: Path) -> Sample:
    """Write the files, and the note of them last.

    Raises:
        UsageError: the folder holds something that is no sample, or can't be written.
    """
    if folder.exists() and _read_note(folder) is None and any(folder.iterdir()):
        raise UsageError(f"{folder} holds files that are no sample; name an empty folder with --into")
    _say(f"Making three years of {COMPANY} up to {end} (seed {seed}) …")
    company = sample.make(seed, end)
    files: dict[str, str] = {}
    try:
        # First, so that a folder that was left half written is known as a sample's.
        folder.mkdir(parents=True, exist_ok=True)
        _note(folder, Sample(seed, end.isoformat(), {}))
        for writer in sample.WRITERS:
            shutil.rmtree(folder / sample.folder_of(writer), ignore_errors=True)
        for path, rows in sample.write(company, folder):
            _say(f"{path}: {rows:,} rows")
            files[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
        made = Sample(seed, end.isoformat(), files)
        _note(folder, made)
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {error.strerror}; name another folder with --into") from error
    return made


def _say(sentence: str) -> None:
    """Progress: on stderr, so that stdout stays what was asked for."""
    print(sentence, file=sys.stderr, flush=True)


def _note(folder: Path, made: Sample) -> None:
    (folder / _NOTE).write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")


def _report(options: argparse.Namespace, made: Sample, folder: Path, status: str, sentence: str) -> int:
    print(json.dumps({"status": status, **asdict(made), "folder": str(folder)}, ensure_ascii=False) if options.json else sentence)
    return 0
