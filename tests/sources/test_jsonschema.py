"""The schema of mappings for editors: what ships passes, what is misshapen doesn't, and it knows every table and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from kpi.sources import jsonschema, reading, rows, saying, values
from kpi.sources.reading import read
from kpi.sources.tables import TARGETS

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "sources").glob("*.yaml"))
SCHEMA = jsonschema.made()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_fit(path):
    Draft7Validator.check_schema(SCHEMA)
    errors = list(Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(path.read_text())))
    assert not errors, errors[0]


SOUND = """
source: x
exports:
  e:
    columns: [a, b]
    rows:
      account: {account_id: a, name: b}
"""


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("source: x", "source: X y"),
        ("exports:", "export:"),
        ("columns: [a, b]", "column: [a, b]"),
        ("account:", "acount:"),
        ("account_id: a, ", ""),
        ("name: b", "nam: b"),
        ("name: b", "name: {col: b}"),
        ("name: b", "name: {column: b, otherwise: maybe}"),
    ],
)
def test_what_is_misshapen_fits_neither_the_schema_nor_check(good, bad):
    assert not list(Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(SOUND)))
    assert read(SOUND.encode(), "m.yaml")[1] == []
    text = SOUND.replace(good, bad)
    assert list(Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(text)))
    assert read(text.encode(), "m.yaml")[1]


def test_every_key_is_in_it():
    text = str(SCHEMA)
    keys = (
        *reading.FILE,
        *reading.EXPORT,
        *reading.LEFT_OUT,
        *reading.COVERS,
        *reading.HOLDS,
        *saying.SAYS,
        *rows.SETTINGS,
        *rows.REPLACES,
        *values.KEYS,
    )
    assert [key.name for key in keys if f"'{key.name}'" not in text] == []
    assert [name for name in TARGETS if f"'{name}'" not in text] == []
