"""The editor of metrics.yaml: CodeMirror 6 as a Streamlit component, made ready in ``frontend`` and fetched from this server alone.

``npm ci && npm run build`` in ``frontend`` makes ``assets`` anew. A Streamlit component with files of its own is declared by a manifest
that an installed package brings; this program is run where it lies and installs nothing, so it hands the same manifest in itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

_PACKAGE: Final = "north-star"
NAME: Final = f"{_PACKAGE}.editor"
#: Pixels.
HEIGHT: Final = 520

_HTML: Final = """<div class="frame"><div class="editor"></div>
<p id="editor-keys">Ctrl-Space completes, F8 goes to the next problem, Ctrl-F searches. Tab indents; Escape, then Tab leaves the editor.</p>
</div>"""
_CSS: Final = """
.frame { --editor-panel: var(--st-secondary-background-color);
  --editor-quiet: color-mix(in srgb, var(--st-text-color) 76%, var(--st-background-color)); font-family: var(--st-font); }
.editor { height: 520px; border: 1px solid var(--st-border-color); border-radius: 12px; overflow: hidden; }
.editor:focus-within { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
#editor-keys { margin: 6px 0 0; font-size: 12.5px; color: var(--editor-quiet); }
"""


@dataclass(frozen=True)
class Draft:
    """What stands in the editor.

    Attributes:
        number: how often it was changed; 0 for the text that was handed in.
        revision: of that text. base: hash of the file that it was made of.
    """

    text: str
    number: int
    revision: str
    base: str


def draft(key: str) -> Draft | None:
    """What a browser sent of the editor ``key``, if anything; from a browser, so nothing about it is taken for granted."""
    state = st.session_state.get(key)
    found = state.get("draft") if state is not None and hasattr(state, "get") else None
    if not isinstance(found, Mapping):
        return None
    text, number = found.get("text"), found.get("number")
    if not isinstance(text, str) or not isinstance(number, int):
        return None
    return Draft(text, number, str(found.get("revision")), str(found.get("base")))


def editor(
    key: str,
    *,
    text: str,
    revision: str,
    base: str,
    replaces: bool,
    checked: int,
    problems: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any],
    words: Mapping[str, Any],
    label: str,
    changed: Callable[[], None],
) -> None:
    """Draw it.

    Args:
        text: what it holds from the beginning; another ``revision`` puts it in the place of what is there.
        base: hash of the file that the text is of. replaces: it comes in the place of a draft that the browser's tab kept.
        problems: of the draft of number ``checked``, each with line, key and message.
        schema: of what may be written (JSON Schema); words: the names that may be.
    """
    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(NAME) is None:
        manager.register_from_manifest(ComponentManifest(_PACKAGE, "1", [ComponentConfig("editor", "assets")]), Path(__file__).parent)
    data = {
        "text": text,
        "revision": revision,
        "base": base,
        "replaces": replaces,
        "checked": checked,
        "problems": list(problems),
        "schema": schema,
        "words": words,
        "label": label,
    }
    _renderer()(key=key, data=data, on_draft_change=changed)


@cache
def _renderer() -> Any:
    return st.components.v2.component(NAME, html=_HTML, css=_CSS, js="editor-*.js")
