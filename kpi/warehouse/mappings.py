"""The parts of metrics.yaml that are applied when data are published, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    """Rows of a source whose ``field`` is like ``pattern`` (``*`` any text, case ignored) are a product.

    ``field``: class, account, memo, project, component, label, plan, product or price; empty for the row's
    source_product_id.
    """

    field: str
    pattern: str


@dataclass(frozen=True)
class Mappings:
    """What publishing needs to know of metrics.yaml.

    Attributes:
        currency: the company's currency, taken for amounts in files that name none.
        timezone: IANA name of the zone in which instants become business dates.
        products: product name -> source -> rules, in the order of the file: the first product that matches wins.
        costs: category -> patterns of ledger accounts, in the order of the file.
        ranking: systems that know accounts, the one whose word counts first; those not named come after.
        hash: of all this; a generation published with another one is published anew.
    """

    currency: str = "EUR"
    timezone: str = "UTC"
    products: Mapping[str, Mapping[str, tuple[Rule, ...]]] = field(default_factory=dict)
    costs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hash: str = ""
    ranking: tuple[str, ...] = ()
