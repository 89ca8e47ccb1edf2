"""What is said of bookings that moved; what moves is in test_renewal.py, by whole reports."""

from __future__ import annotations

import pytest

from kpi.warehouse.moves import Bookings

A, B, C, D, E = (("5100 Hosting", 1), ("5200 Tools", 1200), ("5300 Travel", 1), ("5400 Rent", 1), ("5500 Fees", 1))


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ((A,), "1 booking of 5100 Hosting counts"),
        ((A, B), "1,201 bookings of 5100 Hosting, 5200 Tools count"),
        ((A, B, C, D), "1,203 bookings of 5100 Hosting, 5200 Tools, 5300 Travel and 1 more account count"),
        ((A, B, C, D, E), "1,204 bookings of 5100 Hosting, 5200 Tools, 5300 Travel and 2 more accounts count"),
    ],
)
def test_bookings_are_counted_and_their_accounts_named(accounts, said):
    assert Bookings(accounts).say("counts", "count") == said
