"""What two exports of one CRM say of the same thing in different precision counts once.

A report without ids knows a deal by its name, account and day of creation; one that writes dates without times knows of a
stage only the day it was entered. Where another export of the same system knows the deal by its id, or the instant, that
one counts. Done with each file, so that the archive replayed gives the same.
"""

from __future__ import annotations

from typing import Final

from kpi.warehouse.literals import literal
from kpi.warehouse.store import Store

#: How ids of deals begin that are made of names; see connectors.base.BY_NAME.
_BY_NAME: Final = ":name-"


def drop_namesakes(store: Store, source: str) -> list[str]:
    """Let deals that are known by name only give way to those that are known by their ids; a sentence on how many did."""
    marked = literal(f"{source}{_BY_NAME}%")
    same = (
        f"SELECT 1 FROM deal o WHERE o.source = d.source AND o.deal_id NOT LIKE {marked} AND lower(o.name) = lower(d.name) "
        "AND o.created_on = d.created_on"
    )
    where = f"d.source = ? AND d.deal_id LIKE {marked} AND EXISTS ({same})"
    count = store.count(f"SELECT count(*) FROM deal d WHERE {where}", [source])
    if not count:
        return []
    store.run(f"DELETE FROM deal AS d WHERE {where}", [source])
    deals = "1 deal of a report without ids is" if count == 1 else f"{count:,} deals of reports without ids are"
    return [f"{deals} known by id from another export, which counts (same name, same day of creation)"]


def settle_stages(store: Store, source: str, timezone: str) -> None:
    """Drop stages that are known to the day only where the instant is known, and let each last until the next.

    Of what exports say themselves: what was seen in successive ones is made anew from the sightings.

    ``timezone``: the calendar's, in which a day without a time begins.
    """
    several = (
        "SELECT deal_id FROM deal_stage WHERE source = ? AND is_observed IS NOT TRUE GROUP BY deal_id HAVING count(DISTINCT run_id) > 1"
    )
    local = f"timezone({literal(timezone)}, timezone('UTC', {{}}.entered_at))"
    store.run(
        f"CREATE TEMP TABLE vague AS SELECT t.{store.row} AS r FROM deal_stage t WHERE t.deal_id IN ({several}) AND EXISTS "
        "(SELECT 1 FROM deal_stage o WHERE o.deal_id = t.deal_id AND o.stage = t.stage AND o.source = t.source "
        "AND o.is_observed IS NOT TRUE AND t.is_observed IS NOT TRUE "
        f"AND o.entered_at > t.entered_at AND {local.format('t')} = date_trunc('day', {local.format('o')}))",
        [source],
    )
    if store.count("SELECT count(*) FROM vague"):
        store.run(f"DELETE FROM deal_stage WHERE {store.row} IN (SELECT r FROM vague)")
    store.run("DROP TABLE vague")
    store.run(
        f"CREATE TEMP TABLE lasting AS SELECT r, left_now FROM (SELECT t.{store.row} AS r, t.left_at, lead(t.entered_at) OVER "
        "(PARTITION BY t.deal_id ORDER BY t.entered_at, t.left_at NULLS LAST, t.stage) AS left_now FROM deal_stage t "
        f"WHERE t.deal_id IN ({several}) AND t.is_observed IS NOT TRUE) s WHERE left_now IS DISTINCT FROM left_at",
        [source],
    )
    if store.count("SELECT count(*) FROM lasting"):
        store.run(f"UPDATE deal_stage SET left_at = lasting.left_now FROM lasting WHERE deal_stage.{store.row} = lasting.r")
    store.run("DROP TABLE lasting")
