"""A large company's warehouse, the same on every machine: made by DuckDB itself, row by row from the row's number.

Five years, 50,000 accounts, 10 M invoice lines, 3.3 M cost lines, 2 M payments, 1 M deals and 0.6 M terms of
subscriptions at ``scale`` 1. Rows stand in the order of their business date, as an import leaves them, and every column
of the schema is there.
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
PAYMENTS: Final = 2_000_000
#: Each has 1 to 4 terms, of which those that would begin after the data are none: 0.6 M terms.
SUBSCRIPTIONS: Final = 240_000

#: Raised when the rows below change, so that a cached warehouse is made again.
EDITION: Final = 2

PRODUCTS: Final = ("Atlas", "Beacon", "Cadence", "Drift", "Ember", "Fathom")


def _pick(number: str, salt: int, among: int) -> str:
    """An evenly spread whole number from 0 to before ``among``, decided by the row's ``number``."""
    return f"(hash({number} * 16 + {salt}) % {among})::int"


def _tables(currency: str, scale: float) -> dict[str, tuple[str, Mapping[str, str]]]:
    """For each table the rows it is made from (``i`` is the row's number) and an expression for each column it fills."""
    counts = (ACCOUNTS, INVOICE_LINES, COST_LINES, DEALS, PAYMENTS, SUBSCRIPTIONS)
    accounts, lines, costs, deals, payments, subscriptions = (max(1, int(count * scale)) for count in counts)
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
    # Some accounts have many subscriptions, many have few.
    subscriber = f"least({', '.join(_pick('i', salt, accounts) for salt in (2, 35, 36, 37, 38, 39))})"
    # Of a term of a subscription (nth), one in fifty being free, and of a payment, one in 33 being given back by half.
    standing = _pick("i * 4 + nth", 21, 100)
    price = f"({_pick('i * 4 + nth', 24, 3_000_00)} + 900)::decimal(18,4) / 100"
    outcome, is_refunded = _pick("i", 26, 100), f"{_pick('i', 28, 100)} < 3"
    paid = f"({_pick('i', 27, 9_000_00)} + 1)::decimal(18,4) / 100"
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
        "subscription_term": (
            _terms(subscriptions),
            {
                "term_id": "'stripe:sub_' || lpad(i::varchar, 9, '0') || ':' || nth",
                "subscription_id": "'stripe:sub_' || lpad(i::varchar, 9, '0')",
                # A hundredth of the customers is not matched.
                "account_id": f"case when {_pick('i', 19, 100)} > 0 then 'salesforce:001' || lpad({subscriber}::varchar, 9, '0') end",
                "source_account_id": f"'cus_' || lpad({subscriber}::varchar, 9, '0')",
                "product_id": product,
                "source_product_id": f"'price_' || lower({product})",
                "plan": f"(['Basic', 'Team', 'Business'])[1 + {_pick('i * 4 + nth', 20, 3)}]",
                "status": f"case when {standing} < 4 then 'past_due' when nth = 0 and {_pick('i', 22, 100)} < 8 then 'trial' "
                f"when {standing} < 7 then 'paused' when {standing} < 9 then 'unpaid' else 'active' end",
                "monthly_amount": f"case when {_pick('i * 4 + nth', 23, 50)} = 0 then 0 else {price} end",
                "currency": f"'{currency}'",
                "quantity": "1",
                "started_on": "starts",
                "ended_on": f"case when ends < DATE '{END}' then ends end",
                **bookkeeping("stripe", "sub_"),
            },
        ),
        "payment": (
            f"range({payments}) t(i)",
            {
                "payment_id": "'stripe:py_' || lpad(i::varchar, 9, '0')",
                "account_id": f"case when {_pick('i', 25, 100)} > 0 then {account} end",
                "source_account_id": f"'cus_' || lpad({_pick('i', 2, accounts)}::varchar, 9, '0')",
                "status": f"case when {outcome} < 4 then 'failed' when {outcome} < 5 then 'pending' else 'paid' end",
                "amount": paid,
                "refunded": f"case when {is_refunded} then {paid} / 2 else 0 end",
                "currency": f"'{currency}'",
                "paid_on": day(payments),
                "refunded_on": f"case when {is_refunded} then {day(payments)} + 1 + {_pick('i', 29, 30)} end",
                **bookkeeping("stripe", "py_"),
            },
        ),
        "import_run": ("range(1) t(i)", {"run_id": "1", "file": "'benchmark'", "connector": "'benchmark'", "rows_read": "0"}),
    }


def _terms(subscriptions: int) -> str:
    """Rows of i (the subscription), nth (which of its terms), starts and ends, in the order of their first days.

    A subscription begins any day of the first four years. Most terms follow the one before at another price, two
    in five after a pause of up to two years; each is the last with a chance of one in twelve.
    """
    days, gap, leaves = _pick("i * 4 + nth", 30, 700), _pick("i * 4 + nth", 31, 700), _pick("i * 4 + nth", 32, 12)
    pauses = f"nth > 0 and {_pick('i * 4 + nth', 33, 5)} < 2"
    before = "(partition by i order by nth rows between unbounded preceding and 1 preceding)"
    return f"""(
        select i, nth, starts, starts + length as ends
        from (
            select
                i, nth, length, coalesce(sum(leaves) over {before}, 0) as left_before,
                DATE '{FIRST_DAY}' + {_pick("i", 34, 1400)}
                    + (coalesce(sum(length) over {before}, 0) + sum(gap) over (partition by i order by nth))::int as starts
            from (
                select i, nth, 30 + {days} as length, case when {pauses} then 20 + {gap} else 0 end as gap, ({leaves} = 0)::int as leaves
                from range({subscriptions}) s(i), range(4) n(nth)
            )
        )
        where left_before = 0 and starts < DATE '{END}'
        order by starts, i, nth
    )"""


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
            ("subscription_term", "stripe", "started_on"),
            ("payment", "stripe", "paid_on"),
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
