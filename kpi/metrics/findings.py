"""What only the rows can say: amounts without a rate, durations that run backwards. Asked where it can matter only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from kpi.metrics import sentences
from kpi.metrics.model import At, During
from kpi.metrics.operations import decimal
from kpi.metrics.plan import Plan
from kpi.metrics.rows import Rows
from kpi.metrics.stages.scan import FORWARD, Scan, day_literal, foreign_value, is_duration, row_filters
from kpi.metrics.uses import uses_of
from kpi.warehouse.reader import Reader
from kpi.warehouse.schema import fx_rate


def of_rows(made: Plan, answer: pa.Table, reader: Reader) -> list[str]:
    """Sentences for the reader; each costs a small query, and only where a value is without a rate or a duration."""
    said = []
    first = answer.num_columns - len(made.extra)
    without_rate = {
        name for place, (kind, name) in enumerate(made.extra) if kind == "missing" and any(answer.column(first + place).to_pylist())
    }
    for one in made.asked:
        leaves = {use.leaf.name for use in uses_of(one.tree)}
        for scan in made.scans:
            if one.name in without_rate and scan.foreign and scan.leaves[0].name in leaves:
                sentence = _without_rate(one.name, scan, reader)
                said += [sentence] if sentence else []
    for scan in made.scans:
        for leaf in scan.leaves:
            if leaf.aggregate in FORWARD and is_duration(leaf.value):
                rows = _backwards(scan, reader)
                said += [sentences.of_backwards(leaf, rows)] if rows else []
    return list(dict.fromkeys(said))


def _backwards(scan: Scan, reader: Reader) -> int:
    """Rows of the days asked for whose duration is negative."""
    leaf = scan.leaves[0]
    rows = Rows(scan.table, scan.calendar)
    wheres, _ = row_filters(scan, rows)
    assert leaf.value is not None  # noqa: S101 - a duration is a value
    value = rows.element(leaf.value)
    time = leaf.time
    day = rows.day(time.column if isinstance(time, At) else time.start)
    wheres += [value < 0, day < day_literal(scan.after)]
    if isinstance(time, At):
        wheres.append(day >= day_literal(scan.first))
    return int(reader.run(sa.select(sa.func.count().label("n")).select_from(rows.source).where(*wheres)).column(0)[0].as_py())


def _without_rate(name: str, scan: Scan, reader: Reader) -> str | None:
    """Which currencies lack a rate on which days, and how much of each; of the days asked for, as far as rows tell."""
    leaf = scan.leaves[0]
    assert leaf.money is not None  # noqa: S101 - only money is converted
    rows = Rows(scan.table, scan.calendar)
    wheres, _ = row_filters(scan, rows)
    is_stock = isinstance(leaf.time, During)
    value, currency = foreign_value(scan, leaf, rows, twins=not is_stock)
    day: Any = day_literal(scan.after) - sa.literal_column("1") if is_stock else rows.day(leaf.money.document)
    start, end = _days(scan, rows)
    wheres += [start < day_literal(scan.after), sa.or_(end.is_(None), end > day_literal(scan.first)), value.element != 0]
    lines = (
        sa.select(
            currency.label("currency"), sa.cast(day, sa.Date()).label("day"), decimal(value.element, value.scale or 0).label("amount")
        )
        .select_from(rows.source)
        .where(*wheres)
        .subquery("line")
    )
    within = sa.and_(
        fx_rate.c.currency == lines.c.currency,
        fx_rate.c["into"] == sa.literal(scan.currency),
        fx_rate.c.day <= lines.c.day,
        fx_rate.c.day > lines.c.day - sa.literal_column("8"),
    )
    home = lines.c.currency == sa.literal(scan.currency)
    lacking = sa.and_(sa.not_(home), sa.not_(sa.exists(sa.select(fx_rate.c.day).where(within))))
    found = reader.run(
        sa.select(
            lines.c.currency,
            sa.func.min(lines.c.day).label("first"),
            sa.func.max(lines.c.day).label("last"),
            sa.func.count(sa.distinct(lines.c.day)).label("days"),
            sa.func.sum(lines.c.amount).label("amount"),
        )
        .where(lacking)
        .group_by(lines.c.currency)
        .order_by(lines.c.currency)
    ).to_pylist()
    if not found:
        return None
    latest = sa.select(fx_rate.c.rate).where(within).order_by(fx_rate.c.day.desc()).limit(1).scalar_subquery()
    converted = sa.case((home, decimal(lines.c.amount, 8)), else_=decimal(decimal(lines.c.amount, value.scale or 0) * latest, 8))
    known = reader.run(sa.select(sa.func.sum(converted).label("known"))).column(0)[0].as_py() or Decimal(0)
    missing = [(row["currency"], row["first"], row["last"], row["days"], _plain(row["amount"])) for row in found]
    return sentences.of_rates(name, missing, _plain(known), scan.currency)


def _days(scan: Scan, rows: Rows) -> tuple[Any, Any]:
    """The days on which a row counts, for leaving out those before and after what is asked."""
    time = scan.leaves[0].time
    if isinstance(time, At):
        day = rows.day(time.column)
        return day, day + sa.literal_column("1", sa.Integer())
    if isinstance(time, During):
        return rows.day(time.start), rows.day(time.end)
    known = [rows.day(column) for column in (time.start, time.end, time.document) if column is not None]
    start = sa.func.coalesce(*known)
    end = sa.func.greatest(rows.day(time.end), start + sa.literal_column("1", sa.Integer()))
    return start, end


def _plain(amount: Decimal) -> str:
    return f"{amount:,.2f}"
