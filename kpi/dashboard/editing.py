"""Where finance changes metrics.yaml: the editor, its problems, what the change does, and saving with a reason.

The text that is typed belongs to the browser. What this side knows is the file that it was made of, so that neither of two who
edit, nor an editor beside a Git checkout, overwrites the other.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import streamlit as st

from kpi.analysis.comparing import Comparison, closed_figures, compare
from kpi.analysis.texts import merged
from kpi.dashboard import comparison as shown
from kpi.dashboard.cards import escape, notice
from kpi.dashboard.checking import Checked, checking, shapes, words
from kpi.dashboard.data import Desk
from kpi.dashboard.editor import Draft, draft, editor
from kpi.errors import FileMoved, KpiError, RecordsError
from kpi.metrics.saving import MOST_AUTHOR, MOST_REASON, Saving, Written, read, save, why_not
from kpi.records.versions import hash_of, history, text_by_hash
from kpi.settings import Settings
from kpi.warehouse.given import look

#: Of the component, and of what this session knows beside it.
KEY: Final = "definitions-editor"
_STATE: Final = "definitions-editing"
_SEEN: Final = "definitions-comparison"
_SAVED: Final = "definitions-saved"
#: The name under which a session's reader signs, shared with comments.
_AUTHOR: Final = "note-author"
#: Seconds after which the page looks whether somebody else changed the file.
_LOOK_S: Final = 10
#: Problems listed below the editor; all are marked in it.
_MOST: Final = 12


@dataclass(frozen=True)
class Editing:
    """What a session edits.

    Attributes:
        base: the file that the change is made of.
        text: what the editor was given, under ``revision``; ``replaces``: though the tab kept another draft.
        restores: the version that the text is of, and its text.
        past: hashes of what was the base before this session saved; a draft that was sent before still names them.
    """

    base: Written
    text: str
    revision: str
    replaces: bool = False
    restores: tuple[int, str] | None = None
    past: tuple[str, ...] = ()


def draw(settings: Settings, desk: Desk | None) -> None:
    """The whole view; ``desk`` is None where no sound definitions were ever seen here."""
    try:
        editing = _editing(settings)
    except KpiError as error:
        st.html(notice("warning", "The definitions can't be opened", [str(error)]))
        return
    st.html(_about(settings, editing))
    reason = why_not(settings.metrics)
    if reason:
        st.html(notice("quiet", "What is changed here can't be saved", [reason, "What it would do can be seen, and the text downloaded."]))
    _edit(settings, desk, reason is not None)


def begin(settings: Settings, text: str, restores: int) -> None:
    """Have the editor hold the text of a version."""
    st.session_state[_STATE] = Editing(read(settings.metrics), text, _new(), True, (restores, text))


def _editing(settings: Settings) -> Editing:
    if _STATE not in st.session_state:
        base = read(settings.metrics)
        st.session_state[_STATE] = Editing(base, base.text, _new())
    found: Editing = st.session_state[_STATE]
    return found


def _about(settings: Settings, editing: Editing) -> str:
    try:
        known = next((one for one in history(settings) if one.content_hash == editing.base.hash), None)
    except RecordsError as error:
        return notice("warning", "Versions can't be read, and so nothing can be saved", [str(error)])
    said = "not recorded as a version yet"
    if known is not None:
        by = f" by {known.author}" if known.author else ""
        said = f"version {known.number}{by}, {known.written_at:%Y-%m-%d %H:%M} UTC"
    return f'<p class="caption">{escape(settings.metrics.name)}, {escape(said)}</p>'


@st.fragment(run_every=_LOOK_S)
def _edit(settings: Settings, desk: Desk | None, read_only: bool) -> None:
    """The editor and all that hangs on what is typed; it alone is drawn again for each change."""
    if saved := st.session_state.pop(_SAVED, None):
        st.html(notice("quiet", saved, []))
    editing, typed = _typed(settings)
    text = editing.text if typed is None else typed.text
    content = editing.base.with_text(text)
    found = checking().check(content, settings)
    _told_of_others(settings, editing, text)
    editor(
        KEY,
        text=editing.text,
        revision=editing.revision,
        base=editing.base.hash,
        replaces=editing.replaces,
        checked=0 if typed is None else typed.number,
        problems=[{"line": one.line, "key": one.key, "message": one.message} for one in found.problems],
        schema=shapes(),
        words=words(found.definitions or (desk.definitions if desk else None)),
        label=f"{settings.metrics.name}, the definitions",
        changed=_nothing,
    )
    st.html(_problems(found))
    changed = content != editing.base.content
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        look_at = st.button("See what changes", type="primary", key="see-changes", disabled=not changed or bool(found.problems))
        st.download_button("Download this text", content, settings.metrics.name, "application/yaml", key="download-text", on_click="ignore")
        if changed:
            st.button("Take back all changes", key="take-back", type="tertiary", on_click=_replaced, args=(editing, editing.base.text))
    if not changed or found.problems:
        return
    if look_at and desk is not None:
        _compare(editing, found, desk, content)
    _before_saving(settings, editing, desk, content, read_only)


def _nothing() -> None:
    """A component's state is kept only where somebody listens."""


def _typed(settings: Settings) -> tuple[Editing, Draft | None]:
    """What is edited, and the draft of it that the browser sent; one of before a reload keeps the file that it was made of."""
    editing = _editing(settings)
    found = draft(KEY)
    if found is None or found.revision != editing.revision:
        return editing, None
    if found.base not in ("", editing.base.hash, *editing.past):
        try:
            older = text_by_hash(settings, found.base)
        except RecordsError:
            older = None
        if older is not None:
            editing = replace(editing, base=Written(older))
            st.session_state[_STATE] = editing
    return editing, found


def _problems(found: Checked) -> str:
    note = f'<p class="note">{escape(found.note)}</p>' if found.note else ""
    if not found.problems:
        return f'<p class="caption" role="status">No problems.</p>{note}'
    count = len(found.problems)
    lines = [f"line {one.line}{f', {one.key}' if one.key else ''}: {one.message}" for one in found.problems[:_MOST]]
    more = [f"and {count - _MOST} more, marked in the text"] if count > _MOST else []
    return notice("warning", f"{count} problem{'' if count == 1 else 's'}", [*lines, *more]) + note


def _told_of_others(settings: Settings, editing: Editing, text: str) -> None:
    """Say that the file was changed meanwhile, with both differences and ways on that lose nothing."""
    try:
        theirs = read(settings.metrics)
    except KpiError as error:
        st.html(notice("warning", "The file can't be read any more; your text is still here", [str(error)]))
        return
    if theirs.hash == editing.base.hash:
        return
    if text == editing.base.text:  # nothing was typed: there is nothing to lose
        st.session_state[_STATE] = Editing(theirs, theirs.text, _new(), True)
        st.session_state[_SAVED] = f"{settings.metrics.name} was changed elsewhere; this is the file as it is now."
        st.rerun()
    st.html(notice("warning", f"{settings.metrics.name} was changed since you opened it; your text is untouched", _who(settings, theirs)))
    with st.expander("What they changed"):
        st.html(shown.diff(editing.base.text, theirs.text))
    with st.expander("What you changed"):
        st.html(shown.diff(editing.base.text, text))
    both = merged(editing.base.text, text, theirs.text)
    with st.container(horizontal=True, gap="small"):
        if both is not None:
            st.button("Put both together", key="merge", on_click=_based, args=(theirs, both))
        st.button("Go on with my text, in place of theirs", key="mine", on_click=_based, args=(theirs, text))
        st.button("Go on with theirs", key="theirs", on_click=_based, args=(theirs, theirs.text))
    said = (
        "They touch different lines, so both can be put together."
        if both is not None
        else "Both touch the same lines, so one of you decides."
    )
    st.html(f'<p class="caption">{said} Nothing is saved by this; their text is kept as a version, and yours can be downloaded.</p>')


def _who(settings: Settings, theirs: Written) -> list[str]:
    try:
        known = next((one for one in history(settings) if one.content_hash == theirs.hash), None)
    except RecordsError:
        known = None
    if known is None or not known.author:
        return ["It was changed outside this page, in Git or an editor."]
    return [f"{known.author} saved version {known.number} at {known.written_at:%H:%M} UTC: {known.reason}"]


def _replaced(editing: Editing, text: str) -> None:
    st.session_state[_STATE] = replace(editing, text=text, revision=_new(), replaces=True, restores=None)


def _based(theirs: Written, text: str) -> None:
    """Go on from the file as it is now, with a text."""
    st.session_state[_STATE] = Editing(theirs, text, _new(), True)


def _compare(editing: Editing, found: Checked, desk: Desk, content: bytes) -> None:
    before = checking().check(editing.base.content, desk.settings).definitions or desk.definitions
    assert found.definitions is not None  # noqa: S101 - it has no problems
    with st.spinner("Asking for the last 13 weeks, as they are and as they would be…"):
        try:
            made: Comparison | str = compare(before, found.definitions, desk.reader, closed_figures(desk.settings))
        except KpiError as error:
            made = str(error)
    st.session_state[_SEEN] = (editing.base.hash, hash_of(content), made)


def _before_saving(settings: Settings, editing: Editing, desk: Desk | None, content: bytes, read_only: bool) -> None:
    """What changes, and then who, why and saving."""
    base, of, made = st.session_state.get(_SEEN, ("", "", None))
    if desk is None:
        st.html('<p class="quiet">No sound definitions were seen here before, so there is nothing to compare with.</p>')
    elif (base, of) != (editing.base.hash, hash_of(content)):
        if made is not None:
            st.html('<p class="quiet">The text was changed since; see again what changes.</p>')
        return
    elif isinstance(made, str):
        st.html(notice("warning", "What changes can't be told", [made]))
    else:
        with st.container(key="panel-comparison"):
            st.html(shown.drawn(made))
    with st.container(key="panel-save"):
        st.html('<h2 class="section first">Save</h2>')
        author = st.text_input("Your name", value=st.session_state.get(_AUTHOR, ""), max_chars=MOST_AUTHOR, key="save-name")
        why = st.text_input("Reason, for those who read it later", max_chars=MOST_REASON, key="save-reason")
        if st.button("Save", type="primary", key="save-definitions", disabled=read_only):
            st.session_state[_AUTHOR] = author
            _save(settings, editing, content, author, why)


def _save(settings: Settings, editing: Editing, content: bytes, author: str, why: str) -> None:
    text = Written(content).text
    restores = editing.restores[0] if editing.restores is not None and editing.restores[1] == text else None
    change = Saving(content, editing.base.hash, author, why, "restored" if restores else "page", restores)
    try:
        kept = save(settings, change, partial(look, settings), checking().systems(settings))
    except FileMoved:
        st.rerun()  # it is told above, with both differences
    except KpiError as error:
        st.html(notice("warning", "Not saved; your text is still here", [str(error)]))
        return
    st.session_state[_STATE] = replace(
        editing, base=Written(content), text=text, replaces=False, restores=None, past=(*editing.past, editing.base.hash)
    )
    st.session_state.pop(_SEEN, None)
    st.session_state[_SAVED] = f"Saved as version {kept.number}. Pages show it from now on."
    st.rerun()


def _new() -> str:
    return uuid.uuid4().hex
