from __future__ import annotations

import re
from pathlib import Path

import pytest

from kpi.metrics import definitions, given, reference
from kpi.metrics.functions import FUNCTIONS
from kpi.metrics.kinds import COMMON, KINDS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_the_generated_parts_are_what_the_program_checks() -> None:
    assert reference.filled(DOCUMENT) == DOCUMENT, "write it anew: python -m kpi.metrics.reference docs/metrics.md"


def test_every_key_and_function_is_documented() -> None:
    keys = [*definitions.SECTIONS, *definitions.DIMENSION, *given.TABLE, *COMMON, *(key for kind in KINDS for key in kind.keys)]
    assert all(f"| `{key.name}`" in DOCUMENT for key in keys)
    assert all(f"| `{function.written}` |" in DOCUMENT for function in FUNCTIONS)


def test_an_unknown_part_is_an_error() -> None:
    with pytest.raises(KeyError):
        reference.filled("<!-- generated: nonsense -->\n<!-- end -->")


def test_the_yaml_in_the_document_is_sound(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(blocks) == 2
    path = tmp_path / "m.yaml"
    for block in blocks:
        path.write_text("north_star: won\ncurrency: EUR\nmetrics: {won: {count: deal, at: closed_on}}\n" + block)
        assert definitions.check(path) == []
