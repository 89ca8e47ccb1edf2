"""The catalogue of metrics: which match what is looked for, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from kpi.dashboard.cards import escape
from kpi.metrics.dependants import used_in
from kpi.metrics.model import Definitions, Metric

#: Places of use that a row names; a metric's own page names all.
_MOST_PLACES = 3


def matching(metrics: Iterable[Metric], words: str, owner: str | None, unit: str | None) -> list[Metric]:
    """Those in which every word occurs somewhere (name, label, meaning, owner), in the order of the file."""
    wanted = words.casefold().split()
    found = []
    for metric in metrics:
        text = " ".join((metric.name, metric.label, metric.means, metric.owner)).casefold()
        if all(word in text for word in wanted) and owner in (None, metric.owner) and unit in (None, metric.unit):
            found.append(metric)
    return found


def link(name: str) -> str:
    """Address of a metric's own page, from any page."""
    return f"definitions?{urlencode({'metric': name})}"


def anchor(metric: Metric) -> str:
    """A metric's label as a link to its page."""
    return f'<a href="{escape(link(metric.name))}">{escape(metric.label)}</a>'


def table(metrics: Iterable[Metric], definitions: Definitions, changed: Mapping[str, str]) -> str:
    """A row a metric; ``changed``: metric -> when it changed last and who did it, in words."""
    head = ("metric", "what it means", "owner", "unit", "where it is used", "last change")
    rows = []
    for metric in metrics:
        places = used_in(metric.name, definitions)
        shown = [_place(place, definitions) for place in places[:_MOST_PLACES]]
        shown += [f"{len(places) - _MOST_PLACES} more"] if len(places) > _MOST_PLACES else []
        rows.append(
            f'<tr><th scope="row">{anchor(metric)}<code>{escape(metric.name)}</code></th><td>{escape(metric.means)}</td>'
            f"<td>{escape(metric.owner or '–')}</td><td>{escape(metric.unit)}</td><td>{', '.join(shown) or 'nowhere yet'}</td>"
            f"<td>{escape(changed.get(metric.name, '–'))}</td></tr>"
        )
    top = "".join(f'<th scope="col">{word}</th>' for word in head)
    return f'<div class="rows catalogue" tabindex="0"><table><thead><tr>{top}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _place(place: str, definitions: Definitions) -> str:
    """A page as it is called, a metric as a link."""
    return anchor(definitions.metrics[place]) if place in definitions.metrics else escape(place)


def places(name: str, definitions: Definitions) -> str:
    """All places of use, as HTML."""
    return ", ".join(_place(place, definitions) for place in used_in(name, definitions)) or "nowhere yet"
