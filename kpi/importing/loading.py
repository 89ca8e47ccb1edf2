"""One file into a draft: staged, merged, its run, problems and coverage written down."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from connectors import CONNECTORS
from connectors.base import BASES, ON_BASIS, Connector
from kpi.errors import HeldBack
from kpi.importing.staging import Context, Staged, StagedTable, stage
from kpi.importing.together import Part
from kpi.warehouse.accounts import apply_account_links, copy_decisions, linked_tables, refresh_accounts
from kpi.warehouse.agreement import refresh_disagreements
from kpi.warehouse.batch import ALONE, Runs, merge_together
from kpi.warehouse.bookkeeping import STATED, extend_by_each, extend_coverage, refresh_currencies, refresh_row_counts
from kpi.warehouse.conversations import apply_conversations
from kpi.warehouse.failures import engine_errors, fatal_errors, is_disk_full
from kpi.warehouse.mappings import Mappings
from kpi.warehouse.merge import Run, merge, tidy
from kpi.warehouse.namesakes import drop_namesakes, settle_issues, settle_stages
from kpi.warehouse.products import apply_costs, apply_products, refresh_product_links, refresh_products
from kpi.warehouse.publish import Draft
from kpi.warehouse.rates import refresh_rates
from kpi.warehouse.reasons import refresh_reasons
from kpi.warehouse.schema import facts, metadata
from kpi.warehouse.sightings import apply_sightings, see
from kpi.warehouse.store import Store
from kpi.warehouse.terms import merge_terms
from kpi.warehouse.versions import note_seen, refresh_account_versions

#: Tables of what exports state besides their rows.
SAID: Final = frozenset({"statement", "sayer"})
#: Bytes of a file below which DuckDB compares with each word of a list instead of joining it: it plans a statement of many
#: short lists in a tenth of the time.
_SMALL: Final = 4 << 20


@dataclass(frozen=True)
class Told:
    """What is known of an import beside the bytes, as the archive keeps it.

    Attributes:
        time: UTC, ISO 8601.
        options: as (connector), dates (dmy or mdy), amounts (minor or major), full (the first run of the command), bad_share:
            whatever was in force.
    """

    name: str
    time: str
    imported_by: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Loaded:
    """What became of a file: the staging's counts, the tables it wrote to, and sentences for the user."""

    staged: Staged
    tables: frozenset[str]
    notes: tuple[str, ...]


def load_file(
    draft: Draft, path: Path, told: Told, run_id: int, mappings: Mappings, seal: Callable[[], str], sources: tuple[Connector, ...] = ()
) -> Loaded:
    """Stage ``path`` and merge it into the draft as run ``run_id``.

    Args:
        sources: systems that mappings describe.
        seal: returns the SHA-256 of the bytes that were read, once all are in the archive.

    Raises:
        UnknownLayout, HeldBack, Unreadable: of this file nothing is in the draft.
    """
    context = context_of(told, mappings, sources)
    folder = draft.staging / str(run_id)
    folder.mkdir(exist_ok=True)
    is_small = path.stat().st_size < _SMALL
    try:
        with _or_held_back(told.name):
            if is_small:
                draft.store.scratch.execute("SET disabled_optimizers = 'in_clause'")
            return _load(draft.store, stage(draft.store.scratch, path, told.name, context, folder), run_id, told, mappings, seal)
    finally:
        _tidy(draft.store, folder)


@contextmanager
def _or_held_back(name: str) -> Iterator[None]:
    """What the engine refuses concerns this file alone, unless nothing works any more or the disk is full."""
    try:
        yield
    except fatal_errors():
        raise
    except engine_errors() as error:
        if is_disk_full(error):
            raise
        raise HeldBack(f"{name} can't be loaded: {str(error).splitlines()[0]}") from error


def context_of(told: Told, mappings: Mappings, sources: tuple[Connector, ...] = ()) -> Context:
    """What a file doesn't say of itself."""
    options = told.options
    today = dt.datetime.fromisoformat(told.time).astimezone(ZoneInfo(mappings.timezone)).date()
    said = (options.get("dates"), options.get("as"), options["bad_share"])
    return Context(mappings.currency, mappings.timezone, *said, today, options.get("amounts"), sources)


def _load(store: Store, staged: Staged, run_id: int, told: Told, mappings: Mappings, seal: Callable[[], str]) -> Loaded:
    with store.whole():
        loaded = _merge(store, staged, run_id, told, mappings, seal)
    with store.whole():
        for table in sorted({_table_of(part) for part in staged.tables}):
            tidy(store, metadata.tables[table], Run(run_id, staged.source, staged.as_of))
    return loaded


def load_one_of(draft: Draft, part: Part, number: int, told: Told, run_id: int, mappings: Mappings, seal: Callable[[], str]) -> Loaded:
    """Merge one of the files that were staged together, the ``number``-th of the part, as run ``run_id``.

    Raises:
        HeldBack: of this file nothing is in the draft.
    """
    store, staged = draft.store, part.staged[number]
    tables = []
    for at, one in enumerate(staged.tables):
        name = f"one_of_{at}"
        file = int(part.numbers[number])
        chosen = f'SELECT * EXCLUDE (run_id) FROM "{one.relation}" WHERE run_id = {file}'  # noqa: S608
        store.scratch.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {chosen}")
        tables.append(replace(one, relation=name))
    try:
        with _or_held_back(told.name):
            return _load(store, replace(staged, tables=tuple(tables)), run_id, told, mappings, seal)
    finally:
        store.forget()


def load_part(draft: Draft, part: Part, told: Sequence[Told], first_run: int, sha256: Sequence[str]) -> list[Loaded] | None:
    """Merge all files of a part at once, as runs from ``first_run`` on.

    Args:
        told, sha256: of each file.

    Returns:
        None where they must be merged one by one; then nothing of them is in the draft.
    """
    store, first = draft.store, part.staged[0]
    tables = [(metadata.tables[_table_of(one)], one) for one in first.tables]
    names = [table.name for table, _ in tables]
    if not ALONE.issuperset(names) or len(set(names)) < len(names) or any(each.options.get("full") for each in told):
        return None
    runs = Runs(part.numbers[0], first_run, first.source, tuple(one.as_of for one in part.staged))
    try:
        with store.whole():
            said = extend_by_each(store, first.source, [one.covers for one in part.staged])
            notes = [(*one.notes, *more) for one, more in zip(part.staged, said, strict=True)]
            about = zip(part.staged, told, notes, sha256, strict=True)
            rows = [_run_row(one, first_run + at, each, said_of, digest) for at, (one, each, said_of, digest) in enumerate(about)]
            store.add("import_run", pa.Table.from_pylist(rows))
            for table, one in tables:
                if not merge_together(store, table, one.relation, runs, one.assumed):
                    raise _OneByOne
    except _OneByOne:
        return None
    except fatal_errors():
        raise
    except engine_errors() as error:
        if is_disk_full(error):
            raise
        return None  # one of them is to blame, and will say so
    finally:
        store.forget()
    written = frozenset(one.table for one in first.tables)
    return [Loaded(one, written, said_of) for one, said_of in zip(part.staged, notes, strict=True)]


class _OneByOne(Exception):
    """Files that can't be merged at once."""


def _tidy(store: Store, folder: Path) -> None:
    try:
        store.forget()
        store.scratch.execute("RESET disabled_optimizers")
    except duckdb.Error:  # an invalidated database says so by itself when it is used next
        return
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _first_of_full(told: Told, run_id: int) -> int:
    """The first run of the command that said ``--full``; 0 without it."""
    first = told.options.get("full", 0)
    return run_id if first is True else int(first)


def _newest(staged: Staged) -> dt.date | None:
    """The last day that an export without a date of its own can be told by."""
    covered = staged.covers.get("subscription_term")
    return covered[1] - dt.timedelta(days=1) if covered and staged.as_of is None else None


def _merge(store: Store, staged: Staged, run_id: int, told: Told, mappings: Mappings, seal: Callable[[], str]) -> Loaded:
    run = Run(run_id, staged.source, staged.as_of)
    notes = list(staged.notes)
    imported_at = dt.datetime.fromisoformat(told.time)
    full = _first_of_full(told, run_id)
    same = "SELECT count(*) FROM import_run WHERE run_id >= ? AND connector = ? AND layout = ?"
    alone = not full or not store.count(same, [full, staged.connector, staged.layout])
    whole = False  # whether something is retired by the first file of its layout only
    _refuse_other_basis(store, staged, full)
    zone = ZoneInfo(mappings.timezone)
    as_of = staged.as_of.replace(tzinfo=dt.UTC).astimezone(zone).date() if staged.as_of else None
    for part in staged.tables:
        table = metadata.tables[_table_of(part)]
        if part.table == "subscription_term" and not part.history:
            whole = True
            seen = as_of or imported_at.astimezone(zone).date()
            notes += merge_terms(store, part.relation, run, seen, _newest(staged), bool(full and alone))
            continue
        period = part.replaces is not None and part.replaces.day is not None
        hint = part.hint or part.table in SAID  # other exports of the source state things as well
        whole = whole or not (period or hint)
        retires = full if period or (alone and not hint) else 0
        said = merge(store, table, part.relation, run, part.replaces, retires, part.assumed, staged.rows_loaded)
        notes += [note.replace(table.name, part.table) for note in said]
        see(store, part.table, part.relation, staged.source, run_id, staged.as_of, imported_at.replace(tzinfo=None))
        if table.name == "account_record" and part.replaces is None:
            note_seen(store, part.relation, run, as_of, imported_at.astimezone(zone).date())
    written = {part.table for part in staged.tables}
    notes += drop_namesakes(store, staged.source) if "deal" in written else []
    notes += settle_issues(store, staged.source) if "issue" in written else []
    if "deal_stage" in written:
        settle_stages(store, staged.source, mappings.timezone)
    if full and whole and not alone:
        notes.append(f"only the first {staged.layout} file of this command retired what was absent from it; this one adds to it")
    notes += extend_coverage(store, staged.source, staged.covers)
    store.add("import_run", pa.Table.from_pylist([_run_row(staged, run_id, told, notes, seal())]))
    if staged.rows_rejected or store.scratch.execute(f'SELECT count(*) FROM "{staged.problems}"').fetchall() != [(0,)]:  # noqa: S608
        problems = store.bring(staged.problems)
        store.run(
            "INSERT INTO import_problem (run_id, line, column_name, value, reason) "  # noqa: S608
            f"SELECT {int(run_id)}, p.line, coalesce(p.column_name, ''), p.value, p.reason FROM {problems} p"
        )
    return Loaded(staged, frozenset(part.table for part in staged.tables), tuple(notes))


def _run_row(staged: Staged, run_id: int, told: Told, notes: Sequence[str], sha256: str) -> dict[str, Any]:
    """The row of ``import_run``."""
    stated = [covered for covered in staged.covers.values() if covered[2] == STATED]
    return {
        "run_id": run_id,
        "file": told.name,
        "sha256": sha256,
        "connector": staged.connector,
        "layout": staged.layout,
        "imported_at": dt.datetime.fromisoformat(told.time).replace(tzinfo=None),
        "imported_by": told.imported_by,
        "as_of": staged.as_of,
        "covers_from": min((first for first, _, _ in stated), default=None),
        "covers_to": max((end for _, end, _ in stated), default=None),
        "rows_read": staged.rows_read,
        "rows_loaded": staged.rows_loaded,
        "rows_rejected": staged.rows_rejected,
        "notes": "\n".join(notes),
    }


def _refuse_other_basis(store: Store, staged: Staged, full: int) -> None:
    """Costs on the cash basis and on the accrual basis of the same days add up to neither.

    Raises:
        HeldBack: what is known of the days that the file covers is on another basis, and the file doesn't take its place.
    """
    mine = next((basis for basis in BASES if ON_BASIS.format(basis) in staged.notes), None)
    if mine is None or full or "cost_line" not in staged.covers:
        return
    since, until, _ = staged.covers["cost_line"]
    for other in BASES:
        found = store.run(
            "SELECT min(r.file) FROM cost_line c JOIN import_run r ON r.run_id = c.run_id "
            "WHERE c.source = ? AND c.booked_on >= ? AND c.booked_on < ? AND r.notes LIKE ?",
            [staged.source, since, until, f"%{ON_BASIS.format(other)}%"],
        )[0][0]
        if other != mine and found is not None:
            raise HeldBack(
                f"its figures are on the {mine} basis, those of {found} of the same days on the {other} basis, and together they are "
                f"neither: nothing of it was published. Export it on the {other} basis, or import it with --full to let it take their place"
            )


def _table_of(part: StagedTable) -> str:
    """The table that staged rows go to; who of them is one account is decided when all files are in."""
    if part.table == "account":
        return "account_mention" if part.hint else "account_record"
    return part.table


def settle(
    store: Store, mappings: Mappings, tables: frozenset[str], decisions: Sequence[dict[str, Any]] = (), with_shipped: bool = True
) -> tuple[str, ...]:
    """After all files: links, products, costs, versions, rates and counts, from the rows as they stand.

    Args:
        tables: those that were written to; the others are looked at only where a link moved.
        decisions: rows of ``link_decision``.
        with_shipped: the exchange rates that ship stand in where none was imported.

    Returns:
        sentences on what is missing.
    """
    with store.whole():
        refresh_products(store, mappings)
        decided = copy_decisions(store, decisions)
        ranking = tuple(dict.fromkeys([*mappings.ranking, *(connector.name for connector in CONNECTORS)]))
        known = bool({"account", "source_account", *linked_tables()} & tables) or "account" in decided
        moved = known and refresh_accounts(store, ranking)
        apply_account_links(store, [name for name in linked_tables() if moved or name in tables])
        if moved or {"remark", "conversation", "conversation_speaker"} & tables:
            apply_conversations(store)
        # what an id is called may make other rows a product's, and so may what a person decided
        apply_products(store, mappings, every_fact() if "source_product" in tables or "product" in decided else tables)
        if "cost_line" in tables:
            apply_costs(store, mappings)
        refresh_product_links(store, mappings)
        if known:
            refresh_account_versions(store, ranking)
        tables |= apply_sightings(store, tables, mappings.timezone)
        if moved or {"deal", "subscription_term", "remark", "source_product"} & tables:
            refresh_reasons(store, mappings.timezone)
            tables |= {"remark"}
        refresh_currencies(store, tables)
        refresh_row_counts(store, tables)
        if SAID & tables:
            refresh_disagreements(store)
        return refresh_rates(store, mappings.currency, with_shipped)


def every_fact() -> frozenset[str]:
    """All tables that imports fill."""
    return frozenset(table.name for table in facts()) | {"source_account"}
