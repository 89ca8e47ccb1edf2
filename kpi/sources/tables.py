"""What a mapping may fill: each table's columns in the words of a mapping, what a row can't do without, how far it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kpi.warehouse.schema import WORDS, metadata

#: Columns that imports decide, and where else the file's own word for them goes.
_DECIDED: Final = frozenset({"source", "source_id", "run_id", "account_id", "product_id", "category", "is_assumed"})

#: What a mapping calls the customer and the product, and the columns that they become.
CALLED: Final[Mapping[str, str]] = {"customer": "source_account_id", "product": "source_product_id"}


@dataclass(frozen=True)
class Target:
    """A table as a mapping sees it.

    Attributes:
        name: of the table.
        key: the column that knows a row again.
        needs: columns without which a row can't be used.
        first, last: columns whose dates say from when to when rows reach; ``entered`` are typed in and may lie ahead.
        state: the table holds intervals: the thing whose states follow one another.
    """

    name: str
    key: str
    needs: tuple[str, ...]
    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()
    state: str = ""

    def columns(self) -> dict[str, str]:
        """Every column a mapping may fill, as it calls them -> the table's column."""
        table = metadata.tables[self.name]
        called = {column: word for word, column in CALLED.items()}
        free = {column.name for column in table.columns} - _DECIDED | {self.key}
        free -= {"left_at"} if not self.state else set()
        names = {called.get(column.name, column.name): column.name for column in table.columns if column.name in free}
        return names | ({"other_id": "other_id", "email": "email"} if self.name == "account" else {})

    def unit(self, column: str) -> str:
        """The unit of one of the table's columns; texts that only tell who an account is are none of its columns."""
        found = metadata.tables[self.name].columns.get(column)
        return "text" if found is None else str(found.info["unit"])

    def words(self, column: str) -> tuple[str, ...]:
        """What may stand in a column of a closed list; empty for any text."""
        return WORDS.get(f"{self.name}.{column}", ())


TARGETS: Final = {
    target.name: target
    for target in (
        Target("account", "account_id", ("account_id",), ("created_on",), ("created_on", "churned_on", "modified_at")),
        Target("source_account", "source_id", ("source_id",)),
        Target(
            "deal",
            "deal_id",
            ("deal_id", "created_on"),
            ("created_on", "closed_on"),
            ("created_on", "modified_at"),
            entered=("closed_on",),
        ),
        Target("deal_line", "deal_line_id", ("deal_line_id", "deal_id", "amount")),
        Target("deal_stage", "deal_id", ("deal_id", "stage", "entered_at"), ("entered_at",), state="deal_id"),
        Target(
            "subscription_term",
            "term_id",
            ("term_id", "status", "monthly_amount", "started_on"),
            ("started_on",),
            ("started_on",),
            entered=("canceled_on",),
        ),
        Target("invoice_line", "line_id", ("line_id", "kind", "amount", "invoiced_on"), ("invoiced_on",), ("invoiced_on", "modified_at")),
        Target("payment", "payment_id", ("payment_id", "status", "amount", "paid_on"), ("paid_on",), ("paid_on", "refunded_on")),
        Target("cost_line", "cost_id", ("cost_id", "ledger_account", "amount", "booked_on"), ("booked_on",), ("booked_on", "modified_at")),
        Target("issue", "issue_id", ("issue_id", "created_at"), ("created_at",), ("created_at", "resolved_at", "modified_at")),
        Target("issue_status", "issue_id", ("issue_id", "status", "entered_at"), ("entered_at",), state="issue_id"),
        Target("worklog", "worklog_id", ("worklog_id", "issue_id", "worked_on", "hours"), ("worked_on",)),
        Target("remark", "remark_id", ("remark_id", "kind", "said_at"), ("said_at",), ("said_at", "modified_at")),
    )
}
