"""Subscription exports, which show only today's state, as terms: a subscription while its price stood still.

From the first export of a subscription its past is assumed: a trial until the trial's end, then in service at today's
price until the end of service. A status that says nothing of the time before (cancelled, unpaid, paused) begins on the
export's day. When a later export shows another price, quantity or status, the open term ends on that export's day and a
new one begins; when it shows the same, only the dates of the end are taken over.

A subscription of several items has a row for each of its prices; each item is followed on its own, and one that is
absent from an export that shows its subscription ends on that export's day.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from kpi.warehouse.merge import Run
from kpi.warehouse.schema import subscription_term
from kpi.warehouse.store import Store

#: What must be the same for a term to go on.
_STANDS: Final = ("monthly_amount", "list_monthly_amount", "currency", "quantity", "plan", "source_product_id", "status")

#: What an export may add to a term that goes on.
_ENDS: Final = ("ended_on", "canceled_on", "past_due_on", "trial_ends_on", "cancel_reason")


#: The subscription, or the item of one, that a term belongs to: its id without what marks a trial or a later beginning.
#: Without a question mark, which stands for a value in statements.
_ITEM: Final = "regexp_replace({}.term_id, '(:trial|)(@[0-9-]*|)$', '')"


def merge_terms(store: Store, relation: str, run: Run, seen: dt.date, newest: dt.date | None = None, full: bool = False) -> list[str]:
    """Bring an export of subscriptions, one row each, into ``subscription_term``.

    Args:
        seen: the export's day.
        newest: the last day on which something happened in an export that doesn't state its own date: one that ends
            before what is covered already is an older export, whenever it is imported.
        full: open terms of subscriptions that the export lacks end on its day.

    Returns:
        sentences on what was left as it is, and on what ended.
    """
    reach = store.run("SELECT covers_to FROM coverage WHERE table_name = 'subscription_term' AND source = ?", [run.source])
    late = newest is not None and bool(reach) and newest < reach[0][0] - dt.timedelta(days=1)
    if late and newest is not None:
        seen = newest
    have = set(store.columns(relation))
    every = [column.name for column in subscription_term.columns]
    chosen = ", ".join(_column(name, have, run) for name in every)
    incoming = store.bring(relation)
    store.run(
        f"CREATE TEMP TABLE seen_now AS SELECT {_list(every)} FROM (SELECT n.*, row_number() OVER "
        f"(PARTITION BY subscription_id, source_product_id ORDER BY nth DESC) AS place FROM "
        f"(SELECT {chosen}, row_number() OVER () AS nth FROM {incoming} i) n) ranked WHERE place = 1"
    )
    several = "SELECT subscription_id FROM seen_now GROUP BY subscription_id HAVING count(*) > 1"
    store.run(f"UPDATE seen_now SET term_id = term_id || '/' || coalesce(source_product_id, '') WHERE subscription_id IN ({several})")
    # Someone whose service has ended, or will, was or is in service until then.
    store.run("UPDATE seen_now SET status = 'active' WHERE status = 'canceled' AND ended_on IS NOT NULL")
    store.run(
        "CREATE TEMP TABLE open_now AS SELECT * FROM (SELECT t.*, row_number() OVER "
        f"(PARTITION BY {_ITEM.format('t')} ORDER BY t.started_on DESC, t.term_id DESC) AS place "
        f"FROM subscription_term t JOIN seen_now s ON s.term_id = {_ITEM.format('t')} AND s.source = t.source) ranked WHERE place = 1"
    )
    notes = _left(store, run, late)
    if not late:
        _gone(store, run, seen)
    _first_seen(store, every, seen)
    if not late:
        _seen_again(store, every, run, seen)
    if full:
        notes += _absent(store, run, seen, late)
    for name in ("seen_now", "open_now"):
        store.run(f"DROP TABLE {name}")
    return notes


def _left(store: Store, run: Run, late: bool) -> list[str]:
    """The sentence on subscriptions of which a newer export is known, whose state stands."""
    older = "r.as_of > CAST(? AS TIMESTAMP)"
    count = store.count(
        "SELECT count(DISTINCT o.subscription_id) FROM open_now o LEFT JOIN import_run r ON r.run_id = o.run_id "
        f"WHERE {'TRUE' if late else older}",
        [] if late else [run.as_of],
    )
    if not count:
        return []
    one, many = "1 subscription is", f"{count:,} subscriptions are"
    why = "nothing in this export happened on the last days that another one covers, so it is taken for an older one: " if late else ""
    return [f"{why}{one if count == 1 else many} known from a newer export, whose state stands"]


def _absent(store: Store, run: Run, seen: dt.date, late: bool) -> list[str]:
    """End what a full export lacks; what is known of the time before stands."""
    if late:
        return ["an older export retires nothing, so --full was left aside"]
    where = (
        f"t.source = ? AND (t.ended_on IS NULL OR t.ended_on > {_day(seen)}) AND t.started_on < {_day(seen)} "
        "AND NOT EXISTS (SELECT 1 FROM seen_now s WHERE s.subscription_id = t.subscription_id) "
        "AND NOT EXISTS (SELECT 1 FROM import_run r WHERE r.run_id = t.run_id AND r.as_of > CAST(? AS TIMESTAMP))"
    )
    values = [run.source, run.as_of]
    count = store.count(f"SELECT count(DISTINCT t.subscription_id) FROM subscription_term t WHERE {where}", values)
    if not count:
        return []
    store.run(f"UPDATE subscription_term AS t SET ended_on = {_day(seen)} WHERE {where}", values)
    one, many = (
        "1 subscription that is absent from this full export ends",
        f"{count:,} subscriptions that are absent from this full export end",
    )
    return [f"{one if count == 1 else many} on its day, {seen}"]


def _gone(store: Store, run: Run, seen: dt.date) -> None:
    """End the open terms of items that their subscription no longer has."""
    here = "SELECT 1 FROM seen_now s WHERE s.subscription_id = t.subscription_id AND s.source = t.source"
    newer = "SELECT 1 FROM import_run r WHERE r.run_id = t.run_id AND r.as_of > CAST(? AS TIMESTAMP)"
    store.run(
        f"UPDATE subscription_term AS t SET ended_on = {_day(seen)} WHERE (t.ended_on IS NULL OR t.ended_on > {_day(seen)}) "
        f"AND t.started_on < {_day(seen)} AND EXISTS ({here}) AND NOT EXISTS ({here} AND s.term_id = {_ITEM.format('t')}) "
        f"AND NOT EXISTS ({newer})",
        [run.as_of],
    )
    # An item that joins a subscription which was seen without it has no past to assume.
    store.run(
        f"UPDATE seen_now AS s SET started_on = {_day(seen)}, is_assumed = FALSE WHERE s.started_on < {_day(seen)} "
        "AND EXISTS (SELECT 1 FROM subscription_term t WHERE t.subscription_id = s.subscription_id AND t.source = s.source) "
        f"AND NOT EXISTS (SELECT 1 FROM open_now o WHERE {_ITEM.format('o')} = s.term_id)"
    )


def _column(name: str, have: set[str], run: Run) -> str:
    if name == "run_id":
        return f'{int(run.run_id)} AS "run_id"'
    if name == "is_assumed":
        return 'TRUE AS "is_assumed"'
    kind = {"id": "VARCHAR", "text": "VARCHAR", "currency": "VARCHAR", "money": "DECIMAL(18, 4)", "number": "DECIMAL(18, 6)", "day": "DATE"}
    unit = subscription_term.columns[name].info["unit"]
    return f'i."{name}"' if name in have else f'CAST(NULL AS {kind.get(unit, "TIMESTAMP")}) AS "{name}"'


def _list(names: list[str], alias: str = "") -> str:
    return ", ".join(f'{alias}"{name}"' for name in names)


def _add(store: Store, every: list[str], changes: dict[str, str], where: str, values: list[object]) -> None:
    """Insert rows of ``seen_now`` with some columns changed."""
    chosen = ", ".join(changes.get(name, f's."{name}"') for name in every)
    store.run(f"INSERT INTO subscription_term ({_list(every)}) SELECT {chosen} FROM seen_now s WHERE {where}", values)


def _first_seen(store: Store, every: list[str], seen: dt.date) -> None:
    new = f"NOT EXISTS (SELECT 1 FROM open_now o WHERE {_ITEM.format('o')} = s.term_id)"
    tried = "s.trial_ends_on > s.started_on AND s.status <> 'trial'"
    served = f"{new} AND (s.ended_on IS NULL OR s.trial_ends_on IS NULL OR s.ended_on > s.trial_ends_on OR NOT ({tried}))"
    start = f"CASE WHEN {tried} THEN s.trial_ends_on ELSE s.started_on END"
    late = f"s.status IN ('unpaid', 'paused', 'canceled') AND s.ended_on IS NULL AND {start} < ?"
    trial = {
        "term_id": "s.term_id || ':trial'",
        "status": "'trial'",
        "ended_on": "least(s.trial_ends_on, coalesce(s.ended_on, s.trial_ends_on))",
    }
    _add(store, every, trial, f"{new} AND {tried}", [])
    _add(store, every, {"started_on": start}, f"{served} AND NOT ({late})", [seen])
    _add(store, every, {"started_on": start, "status": "'active'", "ended_on": _day(seen)}, f"{served} AND {late}", [seen])
    now = {"term_id": f"s.term_id || '@{seen.isoformat()}'", "started_on": _day(seen), "is_assumed": "FALSE"}
    _add(store, every, now, f"{served} AND {late}", [seen])


def _seen_again(store: Store, every: list[str], run: Run, seen: dt.date) -> None:
    newer = "(CAST(? AS TIMESTAMP) IS NULL OR r.as_of IS NULL OR CAST(? AS TIMESTAMP) >= r.as_of)"
    same = " AND ".join(f's."{name}" IS NOT DISTINCT FROM o."{name}"' for name in _STANDS)
    tried = f"o.status = 'trial' AND s.trial_ends_on > o.started_on AND s.trial_ends_on < {_day(seen)}"
    turn = f"CASE WHEN {tried} THEN s.trial_ends_on ELSE {_day(seen)} END"
    goes_on = f"({same} OR coalesce(s.ended_on <= {turn}, FALSE))"
    store.run(
        f"CREATE TEMP TABLE compared AS SELECT o.term_id AS open_id, s.term_id AS item, {goes_on} AS goes_on, {turn} AS turn, "
        f"o.started_on < {turn} AS splits FROM seen_now s JOIN open_now o ON {_ITEM.format('o')} = s.term_id "
        f"LEFT JOIN import_run r ON r.run_id = o.run_id WHERE {newer}",
        [run.as_of, run.as_of],
    )
    take = ", ".join(f'"{name}" = s."{name}"' for name in (*_ENDS, "run_id"))
    both = "subscription_term.term_id = c.open_id AND s.term_id = c.item"
    store.run(f"UPDATE subscription_term SET {take} FROM compared c, seen_now s WHERE {both} AND c.goes_on")
    anew = ", ".join(f'"{name}" = s."{name}"' for name in (*_STANDS, *_ENDS, "run_id"))
    store.run(f"UPDATE subscription_term SET {anew} FROM compared c, seen_now s WHERE {both} AND NOT c.goes_on AND NOT c.splits")
    ends = f"{both} AND NOT c.goes_on AND c.splits"
    store.run(f"UPDATE subscription_term SET ended_on = c.turn FROM compared c, seen_now s WHERE {ends}")
    changes = {"term_id": "s.term_id || '@' || CAST(c.turn AS VARCHAR)", "started_on": "c.turn", "is_assumed": "FALSE"}
    chosen = ", ".join(changes.get(name, f's."{name}"') for name in every)
    store.run(
        f"INSERT INTO subscription_term ({_list(every)}) SELECT {chosen} FROM seen_now s "
        "JOIN compared c ON c.item = s.term_id WHERE NOT c.goes_on AND c.splits"
    )
    store.run("DROP TABLE compared")


def _day(day: dt.date) -> str:
    return f"DATE '{day.isoformat()}'"
