"""Data: what feeds the figures, from upload to what is still open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar, cast

import streamlit as st

from kpi.analysis.feeding import LEAST, Rhythm, last_weeks, rhythms, strips
from kpi.dashboard import cards, confirming
from kpi.dashboard.data import Desk
from kpi.dashboard.frame import Frame
from kpi.dashboard.heat import heat
from kpi.dashboard.pages.page import Page
from kpi.dashboard.receiving import Asked, Line, State, Uploaded, receiving
from kpi.dashboard.sources import day, rows_of, system
from kpi.dashboard.tables import table
from kpi.dashboard.theme import Mode
from kpi.keeping import Keeper
from kpi.settings import AmountUnits, DateOrder
from kpi.units import show_in_full
from kpi.warehouse.filled import exports, rows_by_day
from kpi.warehouse.holdings import latest_runs, problem_groups
from kpi.warehouse.unmapped import accounts_without_category, without_account, without_product
from kpi.warehouse.waiting import waiting

Kept = TypeVar("Kept")

#: Rows of a table that a person reads at once.
MOST: Final = 25
#: Weeks of the map of what is covered: half a year.
HEAT_WEEKS: Final = 26
#: Lists kept, a few a generation.
KEPT: Final = 16
#: Seconds after which the page looks how far an upload has come.
_FOLLOW_S: Final = 1.0
_ENDINGS: Final = ["csv", "tsv", "txt", "xlsx", "json", "jsonl", "ndjson", "vtt", "srt", "gz", "zip"]
_DATES: Final[Mapping[str, DateOrder | None]] = {
    "as the file shows": None,
    "day first: 31/12/2026": "dmy",
    "month first: 12/31/2026": "mdy",
}
_AMOUNTS: Final[Mapping[str, AmountUnits | None]] = {
    "as the file shows": None,
    "whole units: 45.00": "major",
    "smallest units: 4500": "minor",
}
_OPEN: Final = {
    "accounts": ("Ledger accounts without a category", "costs: in metrics.yaml names those that are costs."),
    "products": ("Rows without a product", "products: in metrics.yaml says whose they are."),
    "customers": ("Rows whose customer is not matched", "Above are those who may be an account; python -m kpi link lists all of them."),
}


def draw(desk: Desk, frame: Frame | None, mode: Mode) -> None:
    """The whole page; without any data the upload alone."""
    with st.container(key="panel-upload"):
        _upload(desk)
    if not desk.reader.generation:
        return
    _sources(desk)
    _weeks(desk)
    _imports(desk)
    _problems(desk)
    found = _kept(desk, "waiting", lambda: waiting(desk.reader))
    _heading("Customers to confirm", confirming.said(found))
    if found:
        confirming.form(desk, found)
    _open(desk)


def expect(desk: Desk, frame: Frame | None) -> None:
    """Nothing: the page reads small tables."""


def _upload(desk: Desk) -> None:
    st.html(
        '<h2 class="section first">Add exports</h2><p class="quiet">Files of any system, or a zip of them. The same file twice changes '
        "nothing, a newer export updates what an older one said. Above 200 MB: <code>python -m kpi import FILE</code></p>"
    )
    files = st.file_uploader("Exports", type=_ENDINGS, accept_multiple_files=True, key="uploads", label_visibility="collapsed")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        dates = st.selectbox("Dates such as 06/12/2026", list(_DATES), key="upload-dates", width=236)
        amounts = st.selectbox("Amounts without decimals", list(_AMOUNTS), key="upload-amounts", width=236)
        asked = Asked(_DATES[dates], _AMOUNTS[amounts])
        state = receiving().state
        pressed = st.button("Import", key="upload-import", type="primary", disabled=not files or state.running)
    if pressed and files:
        refused = receiving().start(desk.settings, cast("Sequence[Uploaded]", files), asked)
        if refused:
            st.html(cards.notice("warning", "Not imported", [refused]))
        state = receiving().state
    _progress(state, desk.reader.generation)


def _progress(state: State, generation: int) -> None:
    if state.running:
        _follow()
    elif state.failure:
        st.html(cards.notice("warning", "Nothing was imported", [state.failure]))
    elif state.received is not None:
        if state.received.generation > generation:  # the page was opened on what was published before
            st.rerun()
        st.html(_report(state.received.lines))
        if state.received.questions:
            st.html(cards.notice("warning", "To decide", state.received.questions))


@st.fragment(run_every=_FOLLOW_S)
def _follow() -> None:
    """What goes on, until it is over; then the page is drawn again."""
    state = receiving().state
    if not state.running:
        st.rerun()
    # not as "with": a status that was left would say that it is complete
    shown = st.status("Importing…", state="running", expanded=True)
    shown.html("".join(f'<p class="quiet">{cards.escape(sentence)}</p>' for sentence in state.said[-8:]) or '<p class="quiet">…</p>')


def _report(lines: Sequence[Line]) -> str:
    rows = []
    for line in lines:
        name = line.recognised or "unknown"
        counts = [f"{line.read:,}", f"{line.loaded:,}", f"{line.rejected:,}"] if line.status == "loaded" else ["", "", ""]
        word = name if line.status == "loaded" else line.status if line.status == "unknown" else f"{name} ({line.status})"
        rows.append([line.file, word, *counts, line.message or "nothing"])
    return table(["file", "recognised as", "read", "loaded", "rejected", "what to do next"], rows, right=(2, 3, 4))


def _sources(desk: Desk) -> None:
    through = max((row.covers_to for row in desk.coverage), default=None)
    found = rhythms(_kept(desk, "exports", lambda: exports(desk.reader)))
    today = dt.datetime.now(dt.UTC).date()
    rows = []
    for row in sorted(desk.coverage, key=lambda row: (row.source, row.table_name)):
        last = row.covers_to - dt.timedelta(days=1)
        behind = (through - row.covers_to).days if through else 0
        late = "newest" if behind == 0 else f"{behind:,} day{'' if behind == 1 else 's'} behind the newest"
        rows.append(
            [
                *(system(row.source), rows_of(row.table_name), f"{row.row_count:,}", day(row.covers_from), day(last), late),
                said_rhythm(found.get(row.source), today),
            ]
        )
    head = ["system", "rows of", "rows", "from", "to", "freshness", "next export"]
    said = "How far each system reaches, how far behind the newest one, and when its next export is due by the rhythm of those before."
    _section("Sources", said, head, rows, (2,))


def said_rhythm(rhythm: Rhythm | None, today: dt.date) -> str:
    """``due Mon 30 Nov 2026, as every 7 days``, or by how much it is overdue."""
    if rhythm is None or rhythm.due is None or rhythm.every is None:
        return f"known after {LEAST} exports"
    overdue = rhythm.overdue(today)
    often = "every day" if rhythm.every == 1 else f"every {rhythm.every} days"
    return f"overdue by {overdue:,} day{'' if overdue == 1 else 's'}; came {often}" if overdue else f"due {day(rhythm.due)}, came {often}"


def _weeks(desk: Desk) -> None:
    if not desk.coverage:
        return
    calendar = desk.definitions.calendar
    until = max(row.covers_to for row in desk.coverage)
    weeks = last_weeks(until, HEAT_WEEKS, calendar)
    filled = _kept(desk, "weeks", lambda: rows_by_day(desk.reader, weeks[0].start, weeks[-1].end))
    _heading("Weeks covered", f"The last {HEAT_WEEKS} weeks of each system's rows; point at a week to read it.")
    st.html(heat(strips(desk.coverage, filled, weeks), calendar))


def _imports(desk: Desk) -> None:
    runs = latest_runs(desk.reader, MOST)
    rows = [
        [
            f"{run['imported_at']:%Y-%m-%d %H:%M}",
            str(run["file"]).rpartition("/")[2],
            f"{run['connector']} {run['layout'] or ''}".strip(),
            *(f"{run[name]:,}" for name in ("rows_read", "rows_loaded", "rows_rejected")),
            run["imported_by"] or "",
            "; ".join((run["notes"] or "").splitlines()),
        ]
        for run in runs
    ]
    head = ["when (UTC)", "file", "recognised as", "read", "loaded", "rejected", "by", "decided and assumed"]
    _section("Imports", f"The last {len(rows)}, newest first.", head, rows, (3, 4, 5))


def _problems(desk: Desk) -> None:
    groups = problem_groups(desk.reader, MOST)
    rows = [
        [
            f"{group['rows']:,}",
            group["reason"] or "",
            str(group["connector"]),
            group["column_name"] or "",
            f"{str(group['file']).rpartition('/')[2]}, line {group['line']:,}",
            (group["value"] or "")[:60],
        ]
        for group in groups
    ]
    said = "By reason, each with its latest example. Mend the file and import it again; python -m kpi problems lists every row."
    _section(
        "Rows that can't be used", said, ["rows", "reason", "system", "column", "example", "value"], rows, (0,), "No row was set aside."
    )


def _kept(desk: Desk, what: str, ask: Callable[[], list[Kept]]) -> list[Kept]:
    """What a generation holds is asked of it once."""
    return cast("list[Kept]", _answers().get((desk.key, what), ask))


@cache
def _answers() -> Keeper[list[Any]]:
    return Keeper(KEPT)


def _heading(title: str, said: str) -> None:
    st.html(f'<h2 class="section">{cards.escape(title)}</h2><p class="quiet">{cards.escape(said)}</p>')


def _open(desk: Desk) -> None:
    reader = desk.reader
    kinds: tuple[tuple[str, list[dict[str, Any]]], ...] = (
        ("accounts", accounts_without_category(reader)),
        ("products", without_product(reader)),
        ("customers", without_account(reader)),
    )
    for kind, found in kinds:
        title, said = _OPEN[kind]
        if not found:
            _section(title, "", [], [], (), "None.")
            continue
        shown = ("table", "source", "ledger_account", "source_product_id", "rows", "amount")
        names = [name for name in found[0] if name in shown]
        rows = [[_cell(name, row) for name in names] for row in found[:MOST]]
        more = f" The first {MOST} of {len(found):,} are shown; python -m kpi unmapped --all lists them." if len(found) > MOST else ""
        right = [at for at, name in enumerate(names) if name in ("rows", "amount")]
        _section(title, said + more, [name.replace("_", " ") for name in names], rows, right)


def _cell(name: str, row: Mapping[str, Any]) -> str:
    value = row[name]
    if name == "amount":
        return show_in_full(value, "money", row.get("currency") or "") if value is not None else ""
    if value is None:
        return "(none)"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _section(title: str, said: str, head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int], none: str = "") -> None:
    words = none if not rows else said
    body = table(head, rows, right) if rows else ""
    st.html(f'<h2 class="section">{cards.escape(title)}</h2><p class="quiet">{cards.escape(words)}</p>{body}')


PAGE: Final = Page("Data", "data", draw, expect, needs_data=False)
