"""Customers who are not matched, with the accounts they may be: decided on the page, published at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from kpi.dashboard import cards
from kpi.dashboard.data import Desk
from kpi.dashboard.linking import at_stake, choices, decided, linking, named
from kpi.warehouse.waiting import Waiting

#: Customers that are offered to be confirmed at once.
MOST_LINKS: Final = 10
#: What came of the last decisions, to be read once.
_SAID: Final = "links-said"


def said(found: Sequence[Waiting]) -> str:
    """How many wait."""
    if not found:
        return "Every customer is matched."
    more = f" The {MOST_LINKS} with the most money are shown." if len(found) > MOST_LINKS else ""
    unmatched = sum(one.account_id is None for one in found)
    return f"{unmatched:,} not matched, {len(found) - unmatched:,} linked but in doubt.{more} What you decide is kept for good."


def form(desk: Desk, found: Sequence[Waiting]) -> None:
    """The first of them, each with the accounts it may be."""
    if _SAID in st.session_state:
        st.html(cards.notice("quiet", "Decisions", [st.session_state.pop(_SAID)]))
    shown = found[:MOST_LINKS]
    with st.form("links", border=False):
        chosen = {}
        for place, one in enumerate(shown):
            with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key=f"link-{place}"):
                doubt = f", linked to {one.account_id}" if one.account_id else ""
                st.html(f'<p><b>{cards.escape(named(one))}</b><br><span class="quiet">{cards.escape(at_stake(one) + doubt)}</span></p>')
                label = f"Who {named(one)} is"
                key = f"link {one.source}:{one.source_id}"
                chosen[place] = st.selectbox(cards.plain(label), choices(one), key=key, label_visibility="collapsed", width=520)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            by = st.text_input("Your name", key="links-by", max_chars=80, width=236)
            reason = st.text_input("Why", key="links-reason", max_chars=500, width=480)
            pressed = st.form_submit_button("Save decisions", type="primary")
    if pressed:
        _decide(desk, shown, chosen, by.strip(), reason.strip())


def _decide(desk: Desk, shown: Sequence[Waiting], chosen: Mapping[int, str], by: str, reason: str) -> None:
    decisions = decided(shown, chosen, by, reason)
    if not decisions:
        st.html(cards.notice("quiet", "Nothing was chosen", ["Choose an account, or that it is none of them, for at least one customer."]))
        return
    if not by:
        st.html(cards.notice("warning", "Nothing was saved", ["Write your name: a decision is kept with who took it."]))
        return
    with st.spinner("Writing down and publishing…"):
        st.session_state[_SAID] = linking().decide(desk.settings, decisions)
    st.rerun()  # on what was published
