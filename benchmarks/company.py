"""A large company's warehouse, the same on every machine: made by DuckDB itself, row by row from the row's number.

Five years, 50,000 accounts, 10 M invoice lines, 3.3 M cost lines and 1 M deals at ``scale`` 1. Rows stand in the
order of their business date, as an import leaves them, and every column of the schema is there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from kpi.settings import Settings
from kpi.warehouse import schema
from kpi.warehouse.home import Current, read_current, swap_current, warehouse_file
from kpi.warehouse.mappings import Mappings

FIRST_DAY: Final = dt.date(2021, 11, 15)
#: First day after the data; a Monday, so that the last week is whole.
END: Final = dt.date(2026, 11, 16)
DAYS: Final = (END - FIRST_DAY).days

ACCOUNTS: Final = 50_000
INVOICE_LINES: Final = 10_000_000
COST_LINES: Final = 3_300_000
DEALS: Final = 1_000_000

#: Raised when the rows below change, so that a cached warehouse is made again.
EDITION: Final = 1

PRODUCTS: Final = ("Atlas", "Beacon", "Cadence", "Drift", "Ember", "Fathom")


def _pick(number: str, salt: int, among: int) -> str:
    """An evenly spread whole number from 0 to before ``among``, decided by the row's ``number``."""
    return f"(hash({number} * 16 + {salt}) % {among})::int"


def _tables(currency: str, scale: float) -> dict[str, tuple[str, Mapping[str, str]]]:
    """For each table the rows it is made from (``i`` is the row's number) and an expression for each column it fills."""
    accounts, lines, costs, deals = (max(1, int(count * scale)) for count in (ACCOUNTS, INVOICE_LINES, COST_LINES, DEALS))
    first = f"DATE '{FIRST_DAY}'"
    names = ", ".join(f"'{name}'" for name in PRODUCTS)
    product = f"([{names}])[1 + {_pick('i', 1, 6)}]"
    account = f"'salesforce:001' || lpad({_pick('i', 2, accounts)}::varchar, 9, '0')"

    def day(rows: int) -> str:
        return f"{first} + (i * {DAYS} // {rows})::int"

    def bookkeeping(source: str, prefix: str) -> dict[str, str]:
        return {"source": f"'{source}'", "source_id": f"'{prefix}' || lpad(i::varchar, 9, '0')", "run_id": "1"}

    # 2 % of the accounts have no size, 70 % are small, 22 % medium, 6 % large.
    draw = _pick("i", 3, 100)
    employees = (
        f"case when {draw} < 2 then null when {draw} < 72 then 5 + i % 90 when {draw} < 94 then 100 + i % 900 else 1000 + i % 9000 end"
    )
    region = f"(['EMEA', 'Americas', 'APAC', 'DACH'])[1 + {_pick('i', 4, 4)}]"
    described = {
        "industry": f"(['Software', 'Retail', 'Health', 'Finance'])[1 + {_pick('i', 5, 4)}]",
        "region": region,
        "employees": employees,
    }
    # 85 % of the lines bill a month, 5 % a year, 10 % have no service period.
    spell = _pick("i", 6, 100)
    line_kind = _pick("i", 7, 100)
    amount = f"({_pick('i', 8, 90_000_00)} + 1)::decimal(18,4) / 100"
    closes = f"case when {_pick('i', 9, 10)} < 8 then {day(deals)} + 5 + {_pick('i', 10, 150)} end"
    closed = f"case when {closes} < DATE '{END}' then {closes} end"
    won = f"{_pick('i', 11, 100)} < 27"
    return {
        "account": (
            f"range({accounts}) t(i)",
            {
                "account_id": "'salesforce:001' || lpad(i::varchar, 9, '0')",
                "name": "'Company ' || i",
                "domain": "'company' || i || '.example'",
                "created_on": f"{first} - 30",
                **described,
                **bookkeeping("salesforce", "001"),
            },
        ),
        "account_version": (
            f"range({accounts}) t(i)",
            {"account_id": "'salesforce:001' || lpad(i::varchar, 9, '0')", "valid_from": "DATE '0001-01-01'", **described},
        ),
        "product": (
            f"(select unnest([{names}]) as i)",
            {"product_id": "i", "name": "i"},
        ),
        "invoice_line": (
            f"range({lines}) t(i)",
            {
                "line_id": "'stripe:il_' || lpad(i::varchar, 9, '0')",
                "invoice_id": "'stripe:in_' || lpad((i // 2)::varchar, 9, '0')",
                "account_id": account,
                "source_account_id": f"'cus_' || lpad({_pick('i', 2, accounts)}::varchar, 9, '0')",
                "product_id": product,
                "source_product_id": f"'price_' || lower({product})",
                "kind": f"case when {line_kind} < 88 then 'charge' when {line_kind} < 94 then 'discount' "
                f"when {line_kind} < 96 then 'credit' when {line_kind} < 97 then 'refund' else 'tax' end",
                "quantity": "1",
                "amount": f"case when {line_kind} between 88 and 96 then -({amount}) / 10 else {amount} end",
                "currency": f"'{currency}'",
                "invoiced_on": day(lines),
                "service_from": f"case when {spell} < 90 then {day(lines)} end",
                "service_to": f"case when {spell} < 85 then ({day(lines)} + interval 1 month)::date "
                f"when {spell} < 90 then {day(lines)} + 365 end",
                **bookkeeping("stripe", "il_"),
            },
        ),
        "cost_line": (
            f"range({costs}) t(i)",
            {
                "cost_id": "'quickbooks:' || lpad(i::varchar, 9, '0')",
                "category": f"(['hosting', 'support', 'onboarding', 'sales', 'marketing', 'engineering'])[1 + {_pick('i', 12, 6)}]",
                "account_id": f"case when {_pick('i', 13, 10)} < 6 then {account} end",
                "product_id": product,
                "ledger_account": "'5100 Hosting'",
                "vendor": f"'Vendor ' || {_pick('i', 14, 200)}",
                "amount": f"({_pick('i', 15, 60_000_00)} + 1)::decimal(18,4) / 100",
                "currency": f"'{currency}'",
                "booked_on": day(costs),
                "service_from": f"date_trunc('month', {day(costs)})::date",
                "service_to": f"(date_trunc('month', {day(costs)}) + interval 1 month)::date",
                **bookkeeping("quickbooks", ""),
            },
        ),
        "deal": (
            f"range({deals}) t(i)",
            {
                "deal_id": "'salesforce:006' || lpad(i::varchar, 9, '0')",
                "account_id": account,
                "product_id": product,
                "name": "'Deal ' || i",
                "owner": f"'Seller ' || {_pick('i', 16, 300)}",
                "stage": f"case when ({closed}) is null then 'Negotiation' when {won} then 'Closed Won' else 'Closed Lost' end",
                "kind": f"(['new', 'new', 'new', 'expansion', 'renewal', null])[1 + {_pick('i', 17, 6)}]",
                "amount": f"({_pick('i', 18, 200_000_00)} + 1)::decimal(18,4) / 100",
                "currency": f"'{currency}'",
                "created_on": day(deals),
                "expected_close_on": f"{day(deals)} + 90",
                "closed_on": closed,
                "is_won": f"({closed}) is not null and {won}",
                "is_lost": f"({closed}) is not null and not ({won})",
                **bookkeeping("salesforce", "006"),
            },
        ),
        "import_run": ("range(1) t(i)", {"run_id": "1", "file": "'benchmark'", "connector": "'benchmark'", "rows_read": "0"}),
    }


def _filled(source: str, columns: Mapping[str, str], name: str) -> str:
    """CREATE TABLE with every column of the schema; those without an expression are empty."""
    table = schema.metadata.tables[name]
    unknown = set(columns) - set(table.columns.keys())
    if unknown:
        raise KeyError(f"{name} has no column {', '.join(sorted(unknown))}")
    cells = ", ".join(f"cast({columns.get(column.name, 'null')} as {column.type}) as {column.name}" for column in table.columns)
    return f"create table {name} as select {cells} from {source}"


def build(folder: Path, mappings: Mappings, scale: float = 1) -> Settings:
    """A ``KPI_HOME`` whose first generation holds the company; one that was made before is used again.

    Args:
        folder: where made warehouses are kept.
        mappings: of the definitions: amounts are in their currency, so that nothing is converted.
    """
    currency = mappings.currency
    tables = repr([(table.name, [(column.name, str(column.type)) for column in table.columns]) for table in schema.metadata.sorted_tables])
    made_of = hashlib.sha256(f"{EDITION} {currency} {mappings.timezone} {tables}".encode()).hexdigest()[:12]
    home = folder / f"company-{scale:g}-{made_of}"
    settings = Settings(home=home)
    if read_current(settings).generation == 1:
        swap_current(home, Current(1, 0, mappings.hash))
        return settings
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with duckdb.connect(str(warehouse_file(home, 1))) as connection:
        connection.execute("set preserve_insertion_order = true")
        filled = _tables(currency, scale)
        for table in schema.metadata.sorted_tables:
            source, columns = filled.get(table.name, ("range(0) t(i)", {}))
            connection.execute(_filled(source, columns, table.name))
        for name, source, through in (
            ("deal", "salesforce", "created_on"),
            ("invoice_line", "stripe", "invoiced_on"),
            ("cost_line", "quickbooks", "booked_on"),
            ("account", "salesforce", "created_on"),
        ):
            connection.execute(
                f"insert into coverage select '{name}', '{source}', ?, ?, 'dates of its rows', count({through}) from {name}",
                [FIRST_DAY, END],
            )
            if name != "account":
                connection.execute(f"insert into money_currency select '{name}', '{source}', '{currency}', '', count(*) from {name}")
        connection.execute(
            "insert into generation (number, published_at, archive_line, mappings, currency, timezone) values (1, ?, 0, ?, ?, ?)",
            [dt.datetime.combine(END, dt.time()), mappings.hash, currency, mappings.timezone],
        )
        connection.execute("checkpoint")
    swap_current(home, Current(1, 0, mappings.hash))
    return settings
