"""The schema for editors: what ships passes, what is misshapen doesn't, and every key of the registries is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from kpi.language.problems import Key
from kpi.metrics import definitions, jsonschema, sections
from kpi.metrics.kinds import COMMON, KINDS
from kpi.metrics.kinds.base import NEEDS

SHIPPED = Path(__file__).parents[2] / "metrics.yaml"
BAD = Path(__file__).parent / "bad"
SOUND = """
north_star: won
currency: EUR
dimensions: {segment: {of: account, is: country}}
metrics:
  won: {count: deal, at: closed_on}
"""
#: One of each shape that the reader takes.
WHOLE = """
north_star: rate
drivers: won
calendar: {week_starts: sunday, year_starts: april, timezone: Europe/Berlin, pattern: 4-4-5}
currency: EUR
sources:
  deal: salesforce
  payment: [stripe, gocardless]
  cost_line: {quickbooks: {until: 2026-03-31}, xero: {from: 2026-04-01}}
products:
  Atlas: {stripe: [price_atlas_*], quickbooks: {class: Atlas}, jira: {project: [ATL, 7]}}
  Beacon:
costs: {hosting: ['5100*'], support: 5200}
dimensions:
  country: {label: 49, of: account, is: country, as_of: now}
metrics:
  rate:
    formula: won / won
    unit: percent
    better: up
    target: {2026: 62%, 2026-q4: 65.5 %, 2026-11-02: 61%}
    needs: {at_least: 20, of: won}
  won: {count: deal, at: closed_on, where: true, target: {2026: 2.85 M, 2026-W46: 850}}
  revenue: {sum: amount, of: invoice_line, over: [service_from, service_to]}
  cycle: {percentile: 'days(created_at, resolved_at)', at_percent: 90, of: issue, at: resolved_at}
"""

#: Bad files whose mistake is one of shape.
MISSHAPEN = """
unknown_key_at_top unknown_key_of_calendar unknown_key_of_dimension unknown_key_of_metric unknown_key_of_needs
unknown_cost_category unknown_direction unknown_month unknown_pattern unknown_product_field
unknown_table_of_sources unknown_unit unknown_weekday missing_currency
missing_is_of_dimension missing_metrics missing_north_star missing_table missing_time currency_in_words driver_twice
file_is_a_list label_is_a_list label_is_empty metric_is_text metrics_is_a_list misspelt_kind name_with_capitals
needs_is_no_number nothing_to_compute one_bound percentile_out_of_range reserved_name source_in_capitals
source_without_system target_without_period target_with_separators two_aggregates two_kinds two_times
snapshot_misshapen expression_too_long
"""


class _Editor(yaml.SafeLoader):
    """YAML as editors read it: a day is text."""


_Editor.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def edited(text: str) -> Any:
    return with_text_keys(yaml.load(text, Loader=_Editor))


def with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    return [with_text_keys(item) for item in value] if isinstance(value, list) else value


def mistakes(text: str) -> list[str]:
    return [error.message for error in Draft7Validator(jsonschema.made()).iter_errors(edited(text))]


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(jsonschema.made())


def test_what_ships_passes() -> None:
    assert mistakes(SHIPPED.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", [SOUND, WHOLE])
def test_what_the_reader_takes_passes(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")
    assert [problem.message for problem in definitions.check(path) if "no metric reaches" not in problem.message] == []
    assert mistakes(text) == []


@pytest.mark.parametrize(
    "name",
    MISSHAPEN.split(),
)
def test_a_misshapen_file_fails(name: str) -> None:
    assert mistakes((BAD / f"{name}.yaml").read_text(encoding="utf-8"))


def test_every_key_is_in_it_with_its_meaning() -> None:
    whole = jsonschema.made()
    kept = whole["definitions"]
    places: list[tuple[dict[str, Any], tuple[Key, ...]]] = [
        (whole, definitions.SECTIONS),
        (whole["properties"]["calendar"], sections.CALENDAR),
        (kept["dimension"], definitions.DIMENSION),
        *((kept[kind.name], (*COMMON, *kind.keys)) for kind in KINDS),
        *((kept[kind.name]["properties"]["needs"], NEEDS) for kind in KINDS),
    ]
    for place, keys in places:
        assert place["additionalProperties"] is False
        assert list(place["properties"]) == [key.name for key in keys]
        for key in keys:
            assert key.meaning in place["properties"][key.name]["description"]
            assert key.accepts in place["properties"][key.name]["description"]
    branches = whole["properties"]["metrics"]["additionalProperties"]["oneOf"]
    assert branches == [{"$ref": f"#/definitions/{kind.name}"} for kind in KINDS]


def test_every_key_of_today_says_what_it_accepts() -> None:
    """A key that takes any value is only described: nobody is warned of a wrong one."""
    whole = jsonschema.made()
    objects = [whole, whole["properties"]["calendar"], *whole["definitions"].values()]
    assert [name for found in objects for name, shape in found["properties"].items() if set(shape) == {"description"}] == []


@dataclass(frozen=True)
class _Movement:
    """A kind that doesn't exist."""

    name: str = "survival"
    meaning: str = "how a stock changed"
    marks: tuple[str, ...] = ("survival",)
    keys: tuple[Key, ...] = (Key("survival", "a part", "which part", required=True), Key("window", "a length", "how long"))

    def read(self, about: Any, context: Any) -> None:
        return None


def test_a_new_kind_is_a_branch_by_itself() -> None:
    validator = Draft7Validator(jsonschema.made((*KINDS, _Movement())))
    text = SOUND + "  new: {survival: new, window: 1 year, label: New}\n"
    assert list(validator.iter_errors(edited(text))) == []
    assert len(list(validator.iter_errors(edited(text.replace("window", "widnow"))))) == 1
    assert mistakes(text)
