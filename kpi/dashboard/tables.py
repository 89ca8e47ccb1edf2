"""Rows of texts as an HTML table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from kpi.dashboard import cards


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Rows as HTML, every cell escaped; ``right``: columns of numbers."""

    def cell(tag: Literal["td", "th"], at: int, text: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        number = ' class="number"' if at in right else ""
        return f"<{tag}{scope}{number}>{cards.escape(text)}</{tag}>"

    top = "".join(cell("th", at, text) for at, text in enumerate(head))
    body = "".join(f"<tr>{''.join(cell('td', at, text) for at, text in enumerate(row))}</tr>" for row in rows)
    return f'<div class="rows" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
