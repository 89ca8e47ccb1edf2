"""What a change of the definitions does, as HTML: every metric touched, its weeks before and after, where the difference lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kpi.analysis import telling
from kpi.analysis.comparing import Comparison, Difference
from kpi.analysis.texts import Line, difference
from kpi.dashboard.cards import escape, notice
from kpi.dashboard.tables import table

#: Metrics that are opened at once; the others are a click away.
_OPEN = 3


def drawn(comparison: Comparison) -> str:
    """All of it; sentences and figures are those of ``python -m kpi compare``."""
    said = comparison.changes
    parts = []
    if comparison.notes:
        parts.append(notice("quiet", "To know", comparison.notes))
    if said.nothing:
        parts.append('<p class="quiet">Both say the same: comments and layout differ, no figure, target or word does.</p>')
        return "".join(parts)
    count = len(said.touched)
    heading = f"{count} metric{'' if count == 1 else 's'} touched" if count else "No metric is touched"
    parts.append(f'<h3 class="part">{heading}</h3>')
    moving = sorted(comparison.differences, key=lambda one: not (one.restates or one.differs or one.refused))
    parts += [_metric(one, comparison, place < _OPEN and _moves(one)) for place, one in enumerate(moving)]
    if comparison.split:
        parts.append('<h3 class="part">Totals stay, groups move</h3>')
        parts += [_metric(one, comparison, False) for one in comparison.split]
    for title, sentences in telling.others(comparison):
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
        parts.append(f'<h3 class="part">{escape(title)}</h3><ul class="said">{items}</ul>')
    return f'<div class="comparison">{"".join(parts)}</div>'


def diff(before: str, after: str) -> str:
    """Two texts line by line; a word says which side a line is of, for those who don't see colours."""
    lines = difference(before, after)
    if not lines:
        return '<p class="quiet">Both texts are the same.</p>'
    return f'<div class="diff" tabindex="0" role="region" aria-label="Difference of two texts">{"".join(map(_line, lines))}</div>'


def facts(rows: Iterable[Sequence[str]]) -> str:
    """Names with what is said of them."""
    lines = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows)
    return f'<table class="facts"><tbody>{lines}</tbody></table>'


def _line(line: Line) -> str:
    sign = {"same": " ", "removed": "−", "added": "+", "place": "…"}[line.kind]
    word = {"removed": '<span class="hidden">removed: </span>', "added": '<span class="hidden">added: </span>'}.get(line.kind, "")
    return f'<div class="{line.kind}"><i>{sign}</i>{word}{escape(line.text)}</div>'


def _moves(one: Difference) -> bool:
    return bool(one.differs or one.refused or one.groups)


def _metric(one: Difference, comparison: Comparison, opened: bool) -> str:
    tables = ""
    if not one.refused and one.weeks and (one.differs or one.touched.how in ("added", "removed")):
        head, rows = telling.weeks(one, comparison)
        tables += table(head, rows, range(1, len(head)))
    if one.groups:
        head, rows = telling.groups(one, comparison)
        tables += table(head, rows, range(1, len(head)))
    kind = "worse" if one.refused or one.restates else "quiet"
    top = f'<b>{escape(telling.heading(one))}</b> <span class="{kind}">{escape(telling.summary(one))}</span>'
    if not tables:
        return f'<p class="touched">{top}</p>'
    return f"<details{' open' if opened else ''}><summary>{top}</summary>{tables}</details>"
