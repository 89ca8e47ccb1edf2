"""A large file of JSON Lines, as a script that reads Stripe's API writes its charges: 700,000 records, about 500 MB."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

ROWS: Final = 700_000
#: Raised when the records below change, so that a cached file is made again.
EDITION: Final = 1
#: 1 March 2026, in seconds since 1970; one charge a minute before it.
_LAST: Final = 1_772_323_200


def build(folder: Path, rows: int = ROWS) -> Path:
    """The file; one that was made before is used again."""
    path = folder / f"charges-{EDITION}-{rows}.ndjson"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        for number in range(rows):
            file.write(json.dumps(_charge(number), separators=(",", ":")) + "\n")
    part.rename(path)
    return path


def _charge(number: int) -> dict[str, Any]:
    customer = number * 7919 % 40_000
    amount = 500 + number * 104_729 % 100_000
    created = _LAST - number * 60
    return {
        "id": f"ch_3{number:023d}",
        "object": "charge",
        "livemode": True,
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": amount if number % 50 == 0 else 0,
        "captured": True,
        "created": created,
        "currency": "eur",
        "customer": f"cus_{customer:014d}",
        "description": f"Subscription update, invoice EX{number:07d}",
        "disputed": False,
        "failure_message": None,
        "invoice": f"in_1{number:023d}",
        "paid": True,
        "refunded": number % 50 == 0,
        "status": "succeeded",
        "billing_details": {"email": f"ap@customer{customer}.example", "name": f"Customer {customer}", "phone": None},
        "balance_transaction": {
            "id": f"txn_1{number:022d}",
            "object": "balance_transaction",
            "amount": amount,
            "currency": "eur",
            "fee": 25 + amount * 15 // 1000,
        },
        "metadata": {"plan": f"plan-{number % 30}", "region": "emea"},
        "refunds": {"object": "list", "data": _refunds(number, amount, created)},
    }


def _refunds(number: int, amount: int, created: int) -> list[dict[str, Any]]:
    if number % 50:
        return []
    return [{"id": f"re_3{number:023d}", "object": "refund", "amount": amount, "created": created + 86_400, "status": "succeeded"}]
