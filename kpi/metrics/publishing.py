"""What publishing needs to know of the definitions: see :class:`kpi.warehouse.mappings.Mappings`."""

from __future__ import annotations

from kpi.metrics.model import Definitions
from kpi.warehouse.mappings import Mappings, Rule


def mappings_of(definitions: Definitions) -> Mappings:
    """The parts of metrics.yaml that are applied to rows when they are published."""
    products = {
        product: {source: tuple(Rule(rule.field, rule.pattern) for rule in rules) for source, rules in sources.items()}
        for product, sources in definitions.products.items()
    }
    return Mappings(
        definitions.currency,
        definitions.calendar.timezone,
        products,
        dict(definitions.costs),
        definitions.mappings_hash,
        tuple(dict.fromkeys(span.source for span in definitions.sources.get("account", ()))),
    )
