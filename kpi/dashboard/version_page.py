"""The versions of metrics.yaml: who changed it when and why, any two beside each other, and going back to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from kpi.dashboard import comparison as shown
from kpi.dashboard import editing
from kpi.dashboard.cards import escape, notice
from kpi.errors import KpiError
from kpi.metrics.saving import Written
from kpi.records.versions import Version, history, text_of
from kpi.settings import Settings

#: Metrics that a row names.
_MOST: Final = 6
_ORIGINS: Final = {"page": "saved here", "command": "command line", "file": "changed elsewhere", "restored": "restored"}


def draw(settings: Settings) -> None:
    """All of them, and the two that the link names."""
    try:
        found = history(settings)
    except KpiError as error:
        st.html(notice("warning", "The versions can't be read", [str(error)]))
        return
    if not found:
        st.html('<p class="quiet">No version was recorded yet.</p>')
        return
    second = _asked("to", found) or found[0].number
    first = _asked("from", found) or max(1, second - 1)
    st.html(_listed(found))
    numbers = [one.number for one in found]
    with st.container(key="filters", horizontal=True, gap="small", vertical_alignment="bottom"):
        left = st.selectbox("From version", numbers, index=numbers.index(first), key="version-from", width=190)
        right = st.selectbox("To version", numbers, index=numbers.index(second), key="version-to", width=190)
        if (left, right) != (first, second):
            st.query_params.from_dict({"view": "versions", "from": str(left), "to": str(right)})
        st.button(f"Restore version {left}…", key="restore", on_click=_restore, args=(settings, left), disabled=left == numbers[0])
    try:
        st.html(shown.diff(Written(text_of(settings, left)).text, Written(text_of(settings, right)).text))
    except KpiError as error:
        st.html(notice("warning", "These versions can't be compared", [str(error)]))


def changed(settings: Settings) -> dict[str, str]:
    """Metric -> its last change in words; nothing where the records can't be read."""
    try:
        found = history(settings)
    except KpiError:
        return {}
    last: dict[str, str] = {}
    for one in found:
        for name in one.touched:
            last.setdefault(name, f"{one.written_at:%Y-%m-%d}{f', {one.author}' if one.author else ''}")
    return last


def of_metric(settings: Settings, name: str) -> str:
    """The versions that touched a metric, as HTML."""
    try:
        found = [one for one in history(settings) if name in one.touched]
    except KpiError as error:
        return f'<p class="quiet">{escape(str(error))}</p>'
    if not found:
        return '<p class="quiet">No recorded version touched it.</p>'
    return _listed(found)


def _restore(settings: Settings, number: int) -> None:
    """Into the editor, where the same before and after is shown, and saving asks for a reason."""
    try:
        editing.begin(settings, Written(text_of(settings, number)).text, number)
    except KpiError:
        return  # the page says it, drawn anew
    st.query_params.from_dict({"view": "edit"})


def _asked(name: str, found: Sequence[Version]) -> int | None:
    text = st.query_params.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return number if any(one.number == number for one in found) else None


def _listed(found: Sequence[Version]) -> str:
    head = "".join(f'<th scope="col">{word}</th>' for word in ("version", "when (UTC)", "by", "why", "touched"))
    rows = []
    for one in found:
        link = f"definitions?{urlencode({'view': 'versions', 'from': max(1, one.number - 1), 'to': one.number})}"
        names = list(one.touched)
        touched = ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
        by = one.author or f"({_ORIGINS[one.origin]})"
        why = f"restores version {one.restores}: {one.reason}" if one.restores else one.reason
        cells = (f"{one.written_at:%Y-%m-%d %H:%M}", by, why, touched or "no figure")
        number = f'<th scope="row"><a href="{escape(link)}">{one.number}</a></th>'
        rows.append(f"<tr>{number}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    return f'<div class="rows catalogue" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
