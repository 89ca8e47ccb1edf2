"""Which metrics a metric is made of, as its definition names them, and who uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kpi.metrics.model import Definitions, Formula, Leaf, Metric
from kpi.metrics.nodes import metrics_of, pers_of


def made_of(metric: Metric) -> tuple[str, ...]:
    """The metrics that a definition names, each once: parts, what it is allocated by, what it waits for, what it needs."""
    names: list[str] = []
    if isinstance(metric, Formula):
        names += metric.made_of or metrics_of(metric.formula)
    elif isinstance(metric, Leaf):
        names += [about.stock for about in (metric.moved, metric.retained) if about is not None]
        names += metric.lived.made_of if metric.lived else ()
        names += [per.metric for per in pers_of(metric.condition)]
        names += [metric.allocate.basis.name] if metric.allocate else []
        names += [metric.followed.to.name] if metric.followed else []
    if metric.needs is not None:
        names += metrics_of(metric.needs.of)
    return tuple(dict.fromkeys(name for name in names if name and name != metric.name))


def stands_on(name: str, metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """All that a metric comes down to, nearest first, without itself."""
    found = [name]
    for one in found:
        found += [other for other in (made_of(metrics[one]) if one in metrics else ()) if other not in found]
    return tuple(found[1:])


def used_in(name: str, definitions: Definitions) -> tuple[str, ...]:
    """Where a metric stands, in words: the page first, then the metrics that are made of it by their names."""
    return tuple(_places(name, definitions))


def used_by(name: str, definitions: Definitions) -> tuple[str, ...]:
    """The metrics whose definitions name it, in the order of the file."""
    return tuple(other.name for other in definitions.metrics.values() if name in made_of(other))


def _places(name: str, definitions: Definitions) -> Iterator[str]:
    if name == definitions.north_star:
        yield "the North Star"
    if name in definitions.drivers:
        yield "the cards"
    for section in definitions.review:
        if name in section.metrics:
            yield f"the review, {section.title}" if section.title else "the review"
    yield from used_by(name, definitions)
