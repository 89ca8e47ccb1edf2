"""Month names of other languages."""

from __future__ import annotations

import pytest

from connectors import months


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12/Mär/26 4:31 PM", "12/Mar/26 4:31 PM"),
        ("12/aou/26", "12/aou/26"),  # in no list
        ("12/aout/26", "12/Aug/26"),  # the accent was lost
        ("12 september 2026", "12 september 2026"),  # English as well, and read as it stands
        ("2026-03-12", "2026-03-12"),
        ("12/03/2026", "12/03/2026"),
        ("bis 12/Mär/26", "bis 12/Mär/26"),
    ],
)
def test_only_the_month_changes(written: str, read: str) -> None:
    assert months.in_english(written) == read


def test_no_name_means_two_months() -> None:
    meant: dict[str, set[int]] = {}
    for language in months._LANGUAGES.values():
        assert len(language.split()) == 12
        for month, names in enumerate(language.split(), start=1):
            for name in names.split("|"):
                meant.setdefault(months._plain(name), set()).add(month)
    assert {name: of for name, of in meant.items() if len(of) > 1} == {}
