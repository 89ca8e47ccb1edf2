"""A large payments export as Stripe's Dashboard writes it: 2 M rows of the 21 default columns, about 550 MB.

Newest first, text quoted only where it must be, one row in a thousand twice, as in exports that overlap.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Final

import duckdb

ROWS: Final = 2_000_000
#: Raised when the rows below change, so that a cached file is made again.
EDITION: Final = 1

#: The native header with the type each column has in a hand-written load.
COLUMNS: Final = {
    "id": "VARCHAR",
    "Created date (UTC)": "TIMESTAMP",
    "Amount": "DECIMAL(18,4)",
    "Amount Refunded": "DECIMAL(18,4)",
    "Currency": "VARCHAR",
    "Captured": "BOOLEAN",
    "Converted Amount": "DECIMAL(18,4)",
    "Converted Amount Refunded": "DECIMAL(18,4)",
    "Converted Currency": "VARCHAR",
    "Description": "VARCHAR",
    "Fee": "DECIMAL(18,4)",
    "Statement Descriptor": "VARCHAR",
    "Status": "VARCHAR",
    "Seller Message": "VARCHAR",
    "Taxes On Fee": "DECIMAL(18,4)",
    "Card ID": "VARCHAR",
    "Customer ID": "VARCHAR",
    "Customer Description": "VARCHAR",
    "Customer Email": "VARCHAR",
    "Invoice ID": "VARCHAR",
    "Transfer": "VARCHAR",
}

_CELLS: Final = {
    "id": "'ch_3' || md5(n::varchar)[:23]",
    "Created date (UTC)": "strftime(TIMESTAMP '2026-11-15 23:59:07' - to_seconds(i * 78), '%Y-%m-%d %H:%M:%S')",
    "Amount": "amount",
    "Amount Refunded": "refunded",
    "Currency": "'eur'",
    "Captured": "case when failed then 'false' else 'true' end",
    "Converted Amount": "amount",
    "Converted Amount Refunded": "refunded",
    "Converted Currency": "'eur'",
    "Description": "case when n % 7 = 0 then 'Subscription update, invoice ' || number else 'Invoice ' || number end",
    "Fee": "case when failed then 0 else round(amount * 0.015 + 0.25, 2) end",
    "Statement Descriptor": "'EXAMPLE GMBH'",
    "Status": "case when failed then 'Failed' when refunded > 0 then 'Refunded' else 'Paid' end",
    "Seller Message": "case when failed then 'The bank did not return any further details with this decline.' else 'Payment complete.' end",
    "Taxes On Fee": "'0.00'",
    "Card ID": "'pm_1' || md5((customer * 3)::varchar)[:23]",
    "Customer ID": "'cus_' || md5(customer::varchar)[:14]",
    "Customer Description": "'Customer ' || customer",
    "Customer Email": "'ap@customer' || customer || '.example'",
    "Invoice ID": "'in_1' || md5((n * 5)::varchar)[:23]",
    "Transfer": "null",
}


def build(folder: Path, rows: int = ROWS, first: int = 0) -> Path:
    """The file; one that was made before is used again. ``first``: the number of its first payment, older ones follow."""
    path = folder / f"payments-{EDITION}-{rows}{f'-from-{first}' if first else ''}.csv"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    cells = ", ".join(f'({_CELLS[name]})::varchar as "{name}"' for name in COLUMNS)
    part = path.with_suffix(".part")
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = true")
        connection.execute(
            f"""copy (
                select {cells}
                from (
                    select
                        *,
                        case when n % 50 = 0 and not failed then amount else 0.00 end::decimal(18,2) as refunded,
                        'EX' || lpad((n // 40)::varchar, 5, '0') || '-' || lpad((n % 40)::varchar, 4, '0') as number
                    from (
                        select
                            i, n,
                            (hash(n) % 40000)::int as customer,
                            (hash(n * 16 + 1) % 100000)::decimal(18,2) / 100 + 5 as cents,
                            cents::decimal(18,2) as amount,
                            hash(n * 16 + 2) % 100 < 3 as failed
                        from (
                            select i, case when i % 1000 = 999 then i - 1 else i end as n
                            from range({int(first)}, {int(first + rows)}) t(i)
                        )
                    )
                )
                order by i
            ) to '{part}' (header, delimiter ',', quote '"')"""
        )
    part.rename(path)
    return path


def cut(path: Path, rows: int) -> Path:
    """A folder of the same payments in files of ``rows`` each, every one with the header. No cell of them holds a line end."""
    folder = path.with_name(f"{path.stem}-by-{rows}")
    if folder.exists():
        return folder
    part = path.with_name(f"{folder.name}.part")
    part.mkdir(exist_ok=True)
    with path.open("rb") as whole:
        header = whole.readline()
        for number in itertools.count():
            lines = list(itertools.islice(whole, rows))
            if not lines:
                break
            (part / f"payments-{number:04d}.csv").write_bytes(header + b"".join(lines))
    part.rename(folder)
    return folder
