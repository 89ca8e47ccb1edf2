"""Cells as a careful person reads them."""

from __future__ import annotations

import pytest

from connectors.tidying import tidy


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("  padded\t", "padded"),
        ("\u00a0a\u00a0b\u00a0", "a\u00a0b"),
        ("\ufeffid", "id"),
        ("a\u200bb", "ab"),
        ('="00123"', "00123"),
        ('=" 7 "', "7"),
        ('="a"&"b"', '="a"&"b"'),
        ("=1+1", "=1+1"),
        ("'00123", "00123"),
        ("'(1,234.50)", "(1,234.50)"),
        ("'tis", "'tis"),
        ("O'Brien", "O'Brien"),
        ("１２．５０", "12.50"),
        ("ＡＢ１", "ＡＢ１"),
        ("\u200d👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_what_nobody_sees_goes_and_what_it_says_stays(cell, text):
    assert tidy(cell) == text


@pytest.mark.parametrize("cell", ["plain", " x ", '="1"', "'5", "\u200ba", "１"])
def test_a_tidy_cell_stays_as_it_is(cell):
    assert tidy(tidy(cell)) == tidy(cell)
