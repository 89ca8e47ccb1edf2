"""Sentences on files that no connector knows."""

from __future__ import annotations

import pytest

from kpi.errors import UnknownLayout

KNOWN = "docs/connectors.md lists the exports that are read, and python -m kpi connectors --draft FILE begins a mapping of another"


@pytest.mark.parametrize(
    ("found", "nearest", "sentence"),
    [
        (["colour", "", "shape"], "", f"no connector knows a file with the columns colour, shape; {KNOWN}"),
        (
            ["Id", "Name"],
            "salesforce account",
            "no connector knows a file with the columns Id, Name; the nearest layout is salesforce account, which also needs Type. "
            "Export it again with those columns, or see docs/connectors.md for the layouts",
        ),
        (['[{"email": "a@b.example"'], "", f"no row of it looks like the names of columns; {KNOWN}"),
        (["Hello, this is Jane Doe calling about my bill. " * 3], "", f"no row of it looks like the names of columns; {KNOWN}"),
        ([], "", f"no row of it looks like the names of columns; {KNOWN}"),
    ],
)
def test_the_sentence_names_columns_and_repeats_no_content(found, nearest, sentence):
    assert str(UnknownLayout("a.csv", found, nearest, ["Type"])) == sentence
