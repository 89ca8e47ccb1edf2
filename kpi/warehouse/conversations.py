"""What one file says of a call meets what another file says was said in it.

A transcript knows speakers by their ids and moments from the call's beginning; the call's metadata know who and when
that was, with which account and about which deal. The two may come in any order, and again.
"""

from __future__ import annotations

from typing import Final

from kpi.warehouse.store import Store

_TOLD: Final = """
CREATE TEMP TABLE told AS
SELECT r.{row} AS r,
    c.started_at + r.spoken_ms * INTERVAL '1 millisecond' AS said_at,
    coalesce(s.name, r.speaker_id) AS speaker,
    s.side AS side,
    c.title AS subject,
    c.account_id AS account_id,
    c.source_account_id AS source_account_id,
    c.deal_id AS deal_id
FROM remark r
LEFT JOIN conversation c ON c.conversation_id = r.conversation_id
LEFT JOIN conversation_speaker s ON s.conversation_id = r.conversation_id AND s.speaker_id = r.speaker_id
WHERE r.spoken_ms IS NOT NULL
"""
_COLUMNS: Final = ("said_at", "speaker", "side", "subject", "account_id", "source_account_id", "deal_id")


def apply_conversations(store: Store) -> None:
    """Let remarks of calls say when they were said, by whom, and with whom; rows that do already are not written."""
    store.run(_TOLD.format(row=store.row))
    differs = " OR ".join(f"remark.{name} IS DISTINCT FROM told.{name}" for name in _COLUMNS)
    sets = ", ".join(f"{name} = told.{name}" for name in _COLUMNS)
    store.run(f"UPDATE remark SET {sets} FROM told WHERE remark.{store.row} = told.r AND ({differs})")
    store.run("DROP TABLE told")
