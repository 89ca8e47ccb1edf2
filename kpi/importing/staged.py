"""What staging a file takes and gives: values that :mod:`kpi.importing.staging` and the merge share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from connectors.base import Connector
from kpi.settings import AmountUnits, DateOrder


@dataclass(frozen=True)
class Context:
    """What a file doesn't say of itself.

    Attributes:
        currency: currency of amounts in a file that names none, three upper-case letters.
        timezone: IANA name of the calendar's zone; instants become business dates in it, and instants that a
            file writes without a zone are read in it.
        dates: how 12/06/2024 is read when a whole column can't decide; None asks.
        connector: the connector named by ``--as``, or None to recognise the file by its header.
        bad_share: share of rejected records, 0 to 1, above which the file is held back whole.
        amounts: whether amounts that could be both are in minor units (cents) or major ones; None asks.
        today: the day of the import in the calendar's zone; None where nobody asks whether a date lies ahead.
        sources: systems that mappings describe, beside those that connectors know.
        numbered: rows carry the line on which they stand, which takes a careful reading of the whole file.
    """

    currency: str
    timezone: str
    dates: DateOrder | None = None
    connector: str | None = None
    bad_share: float = 0.2
    today: date | None = None
    amounts: AmountUnits | None = None
    sources: tuple[Connector, ...] = ()
    numbered: bool = False


@dataclass(frozen=True)
class Replaces:
    """What older rows of the same source go, besides those whose key comes again.

    All rows of the table and source go whose ``columns`` equal a row of the relation ``scope`` and, where ``day``
    names a column, whose day is in ``since`` <= day < ``until``. The scope lists what the file speaks of even
    where it holds no rows of it: an issue without worklogs has none. ``alike`` are columns by which a row is known again
    that moved to another scope. ``partial``: the rows count only on days that no other report covers; see
    :mod:`kpi.warehouse.renewal`. ``whole``: what the scope lists and the file has no rows of is gone; the scope may have a
    ``modified_at`` that says since when.
    """

    scope: str
    columns: tuple[str, ...]
    day: str | None = None
    since: date | None = None
    until: date | None = None
    alike: tuple[str, ...] = ()
    partial: bool = False
    whole: bool = False


@dataclass(frozen=True)
class StagedTable:
    """Rows for one table.

    Attributes:
        table: the table of the schema.
        relation: a temporary view or table in the connection with a subset of the table's columns, typed as there.
            ``source`` and ``source_id`` are filled; ``run_id``, ``account_id``, ``product_id`` and ``category`` are
            not there. A column that is not there keeps its value on a row that is known already: a report may know
            less of a deal than a data export does. Rows may share a key; the later ``modified_at``, else the
            later row, wins.
        replaces: for rows without an id of their own; None to upsert by the table's key.
        hint: it tells of customers or other sides only, so that it is never a full list of them.
        history: rows of subscription_term that say themselves from when to when they held.
        assumed: columns that the file doesn't state, with what is assumed: on a row that is known already its own value stands.
        numbered: rows say in :data:`kpi.warehouse.mapped.STOOD` where they stand: the physical line, or with ``lines`` the number of
            the record, whose line that has.
    """

    table: str
    relation: str
    replaces: Replaces | None = None
    hint: bool = False
    history: bool = False
    assumed: tuple[str, ...] = ()
    numbered: bool = False
    lines: Sequence[int] | None = None


@dataclass(frozen=True)
class Staged:
    """A file, recognised and mapped.

    Attributes:
        connector, layout: which layout it is.
        source: the system, as in the ``source`` columns.
        tables: the relations with the rows; an account hint comes as table ``source_account``.
        problems: relation of ``line, column_name, value, reason`` (BIGINT and three VARCHAR).
        rows_read: records of the file; header, totals and footers are left out.
        rows_loaded: records that contributed to some table.
        rows_rejected: records set aside; read = loaded + rejected + left out on purpose (deleted, drafts).
        covers: table -> first day, first day no longer covered, basis.
        as_of: UTC instant of the export, where the file or its name states one.
        notes: decisions taken on whole columns and what was assumed, a sentence each.
    """

    connector: str
    layout: str
    source: str
    tables: tuple[StagedTable, ...]
    problems: str
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    covers: dict[str, tuple[date, date, str]]
    as_of: datetime | None
    notes: tuple[str, ...]
