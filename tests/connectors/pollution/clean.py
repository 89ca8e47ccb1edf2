"""Three clean exports made of values that are known, so that what is read of a polluted one can be told right or wrong.

Nothing here asks the program what is true: the truth of a row is made of the same Python values as its cells.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

Row = list[str]
Truth = dict[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Clean:
    """An export and what it says.

    Attributes:
        name: of the connector.
        header, rows: its cells.
        before, after: rows above the header and below the last row.
        truth: key -> what the warehouse must hold of the row.
        table, key, columns: where that is read from; the columns are those of ``truth``.
        amounts, dates, stamps: positions of cells that hold amounts, dates and instants.
        ids, names: positions of ids, the row's own first, and of free text.
        quoting: as :mod:`csv` says it.
    """

    name: str
    header: Row
    rows: list[Row]
    truth: Truth
    table: str
    key: str
    columns: tuple[str, ...]
    amounts: tuple[int, ...]
    dates: tuple[int, ...]
    stamps: tuple[int, ...]
    ids: tuple[int, ...]
    names: tuple[int, ...]
    before: list[Row] = field(default_factory=list)
    after: list[Row] = field(default_factory=list)
    quoting: Any = csv.QUOTE_MINIMAL

    @property
    def records(self) -> list[int]:
        """Positions in ``rows`` of the rows that ``truth`` tells of."""
        return [at for at, row in enumerate(self.rows) if self.key_of(row) in self.truth]

    def key_of(self, row: Sequence[str]) -> str:
        """The text by which ``truth`` knows a row."""
        return row[self.ids[0]] if len(row) > self.ids[0] else ""

    def cells(self, change: Callable[[str], str], columns: Sequence[int], only: Sequence[int] | None = None) -> Clean:
        """With ``change`` made to the filled cells of ``columns``, in all records or those of number ``only``."""
        chosen = self.records if only is None else [self.records[at] for at in only]
        rows = [
            [change(cell) if at in chosen and place in columns and cell else cell for place, cell in enumerate(row)]
            for at, row in enumerate(self.rows)
        ]
        return replace(self, rows=rows)

    def row(self, number: int, change: Callable[[Row], Row]) -> Clean:
        """With ``change`` made to the record of this number."""
        rows = list(self.rows)
        rows[self.records[number]] = change(list(rows[self.records[number]]))
        return replace(self, rows=rows)

    def add(self, number: int, *extra: Row) -> Clean:
        """With rows in front of the record of this number."""
        at = self.records[number]
        return replace(self, rows=[*self.rows[:at], *extra, *self.rows[at:]])

    def text(self, delimiter: str = ",", newline: str = "\n", quoting: Any = None) -> str:
        """The file."""
        made = io.StringIO(newline="")
        how = self.quoting if quoting is None else quoting
        writer = csv.writer(made, delimiter=delimiter, lineterminator=newline, quoting=how)
        writer.writerows([*self.before, self.header, *self.rows, *self.after])
        return made.getvalue()

    def bytes(self, encoding: str = "utf-8", **how: Any) -> bytes:
        """The file, encoded."""
        return self.text(**how).encode(encoding)


_STRIPE_HEADER: Final = [
    "id",
    "Created date (UTC)",
    "Amount",
    "Amount Refunded",
    "Currency",
    "Captured",
    "Converted Amount",
    "Converted Amount Refunded",
    "Converted Currency",
    "Description",
    "Fee",
    "Refunded date (UTC)",
    "Status",
    "Customer ID",
    "Customer Description",
    "Invoice ID",
    "Transfer",
]
_PLACES: Final = ("Zürich", "Łódź", "São Paulo", "Berlin", "Kraków")


def stripe() -> Clean:
    """Thirty payments: 1,234.56 and the like, every fifth refunded in part."""
    rows: list[Row] = []
    truth: Truth = {}
    for n in range(30):
        amount = Decimal(f"{37 * n * n + 13}.{(n * 7) % 100:02d}")
        refunded = Decimal("5.25") if n % 5 == 0 else Decimal("0.00")
        made = dt.datetime(2026, 1 + n % 12, 1 + (n * 7) % 28, 9, 30, n)
        back = made + dt.timedelta(days=3)
        key, customer, said = f"ch_{n:04d}", f"cus_{n % 7:03d}", f"Plan for {_PLACES[n % 5].replace('Ł', 'L').replace('ź', 'z')}, seat {n}"
        rows.append(
            [
                key,
                f"{made}",
                f"{amount}",
                f"{refunded}",
                "eur",
                "true",
                f"{amount}",
                f"{refunded}",
                "eur",
                said,
                "0.35",
                f"{back}" if refunded else "",
                "Paid",
                customer,
                f"Customer {n % 7}",
                f"in_{n:04d}",
                "",
            ]
        )
        truth[key] = (amount, refunded, "EUR", made.date(), back.date() if refunded else None, "paid", customer, said)
    return Clean(
        name="stripe",
        header=list(_STRIPE_HEADER),
        rows=rows,
        truth=truth,
        table="payment",
        key="source_id",
        columns=("amount", "refunded", "currency", "paid_on", "refunded_on", "status", "source_account_id", "description"),
        amounts=(2, 3, 6, 7, 10),
        dates=(),
        stamps=(1, 11),
        ids=(0, 13, 15),
        names=(9,),
    )


_SALESFORCE_HEADER: Final = [
    "Id",
    "IsDeleted",
    "AccountId",
    "Name",
    "StageName",
    "Amount",
    "CloseDate",
    "Type",
    "LeadSource",
    "IsClosed",
    "IsWon",
    "OwnerId",
    "CreatedDate",
    "LastModifiedDate",
    "CurrencyIsoCode",
    "List_Amount__c",
]


def salesforce() -> Clean:
    """Thirty opportunities, every cell in quotes, two thirds of them closed."""
    rows: list[Row] = []
    truth: Truth = {}
    for n in range(30):
        key, account = f"0064600000J5S{chr(65 + n % 26)}{n % 10}AAV", f"0014600001TvgfW{'ABC'[n % 3]}AR"
        amount = Decimal(f"{1500 + 731 * n}.{(n * 13) % 100:02d}")
        listed = amount + Decimal("250.75")
        close, made = dt.date(2026, 2 + n % 11, 1 + (n * 5) % 28), dt.date(2025, 1 + n % 12, 1 + (n * 11) % 28)
        closed, won = n % 3 != 0, n % 3 == 1
        stage = "Closed Won" if won else "Closed Lost" if closed else "Negotiation"
        name = f"Atlas for {_PLACES[n % 5].replace('Ł', 'L').replace('ź', 'z')}; {n} seats"
        rows.append(
            [
                key,
                "0",
                account,
                name,
                stage,
                f"{amount}",
                f"{close}",
                "New Customer",
                "Web",
                f"{closed:d}",
                f"{won:d}",
                "005A",
                f"{made} 10:00:00",
                f"{close} 11:00:00",
                "EUR",
                f"{listed}",
            ]
        )
        truth[key] = (amount, listed, "EUR", made, close if closed else None, None if closed else close, stage, won, account, name)
    return Clean(
        name="salesforce",
        header=list(_SALESFORCE_HEADER),
        rows=rows,
        truth=truth,
        table="deal",
        key="source_id",
        columns=(
            "amount",
            "list_amount",
            "currency",
            "created_on",
            "closed_on",
            "expected_close_on",
            "stage",
            "is_won",
            "source_account_id",
            "name",
        ),
        amounts=(5, 15),
        dates=(6,),
        stamps=(12, 13),
        ids=(0, 2),
        names=(3,),
        quoting=csv.QUOTE_ALL,
    )


_LEDGER_HEADER: Final = ["", "Date", "Transaction Type", "Num", "Name", "Memo/Description", "Split", "Amount", "Balance"]


def quickbooks() -> Clean:
    """Thirty bookings in three accounts, with titles, balances, totals and a footer."""
    width = len(_LEDGER_HEADER)

    def line(*cells: str) -> Row:
        return [*cells, *[""] * (width - len(cells))]

    rows: list[Row] = []
    truth: Truth = {}
    for at, account in enumerate(("5100 Hosting", "6200 Travel", "6400 Licences")):
        rows += [line(account), ["", "Beginning Balance", *[""] * (width - 3), "100.00"]]
        total = Decimal(0)
        for n in range(at * 10, at * 10 + 10):
            amount = Decimal(f"{-1 if n % 4 == 3 else 1}") * Decimal(f"{217 * n + 19}.{(n * 17) % 100:02d}")
            total += amount
            booked = dt.date(2026, 1 + n % 12, 1 + (n * 9) % 28)
            shown = f"{abs(amount):,.2f}"
            shown = f"({shown})" if amount < 0 else shown
            key, vendor, memo = f"B-{n:04d}", f"Vendor {n % 4}", f"{_PLACES[n % 5].replace('Ł', 'L').replace('ź', 'z')}, part {n}"
            rows.append(["", f"{booked:%m/%d/%Y}", "Bill", key, vendor, memo, "2000 AP", shown, f"{total:,.2f}"])
            truth[key] = (account, amount, "EUR", booked, vendor, memo)
        rows.append(["Total for " + account, *[""] * (width - 3), f"{total:,.2f}", ""])
    return Clean(
        name="quickbooks",
        header=list(_LEDGER_HEADER),
        rows=rows,
        truth=truth,
        table="cost_line",
        key="document",
        columns=("ledger_account", "amount", "currency", "booked_on", "vendor", "memo"),
        amounts=(7, 8),
        dates=(1,),
        stamps=(),
        ids=(3,),
        names=(5,),
        before=[line("Acme GmbH"), line("General Ledger"), line("January 1 - December 31, 2026"), line()],
        after=[line(), line("Accrual Basis Friday, January 8, 2027 10:15 AM GMT+02:00")],
    )


CLEAN: Final[dict[str, Callable[[], Clean]]] = {"stripe": stripe, "salesforce": salesforce, "quickbooks": quickbooks}
