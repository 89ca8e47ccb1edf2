"""Any formula, over any calendar, under any filter: whole queries against the plain Python of plain_figures.py.

Formulas nest previous, rolling, to_date, at_start, only and total in one another and in arithmetic, case and coalesce; rows
are few and awkward: bounds that are missing, empty or backwards, versions of accounts, dollars and days without their rate.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from kpi.metrics.model import Query
from kpi.metrics.query import run
from tests.metrics.plain_figures import LEAVES, Company, Group, Months, Question, Step, rounded

D = dt.date
COVERS = (D(2025, 1, 13), D(2026, 5, 20))
CALENDARS = {
    "{timezone: Europe/Berlin}": Months(),
    "{timezone: UTC, year_starts: february, week_starts: sunday}": Months(6, 2),
    "{timezone: UTC, year_starts: february, pattern: 4-4-5}": Months(0, 2, (4, 4, 5)),
    "{timezone: UTC, week_starts: sunday, pattern: 4-5-4}": Months(6, 1, (4, 5, 4)),
}
CONDITIONS: tuple[tuple[str, Callable[[Group], bool]], ...] = (
    ("segment = 'Large'", lambda group: group["segment"] == "Large"),
    ("segment <> 'Large'", lambda group: group["segment"] != "Large"),
    ("region is null", lambda group: group["region"] is None),
    ("region_now in ('N')", lambda group: group["region_now"] == "N"),
    ("region_now not in ('N', 'S')", lambda group: group["region_now"] is None),
    ("not (segment = 'Small' and region = 'S')", lambda group: not (group["segment"] == "Small" and group["region"] == "S")),
    ("region between 'M' and 'O' or segment is not null", lambda group: group["region"] == "N" or group["segment"] is not None),
)
HEAD = """
north_star: revenue
currency: EUR
calendar: {calendar}
dimensions:
  segment: {{of: account, is: case when employees >= 100 then 'Large' when employees >= 0 then 'Small' end}}
  region: {{of: account, is: region}}
  region_now: {{of: account, is: region, as_of: now}}
metrics:
"""


@dataclass(frozen=True)
class Made:
    """A formula as its author writes it, and its value of a period and group under the steps around it."""

    text: str
    of: Callable[[Any, tuple[Step, ...]], Any]
    is_stock: bool = False


def of_leaf(name: str) -> Made:
    return Made(name, lambda ask, steps: ask(name, steps), LEAVES[name].is_stock)


def of_known(function: Callable[..., Any], *parts: Made) -> Callable[[Any, tuple[Step, ...]], Any]:
    """Nothing where a part is missing; a quotient makes a double of all that meets it."""

    def value(ask: Any, steps: tuple[Step, ...]) -> Any:
        values = [part.of(ask, steps) for part in parts]
        if None in values:
            return None
        return function(*(map(float, values) if any(isinstance(found, float) for found in values) else values))

    return value


def first_known(pick: Callable[[list[Any]], Any], *parts: Made) -> Callable[[Any, tuple[Step, ...]], Any]:
    def value(ask: Any, steps: tuple[Step, ...]) -> Any:
        known = [found for part in parts if (found := part.of(ask, steps)) is not None]
        return pick(known) if known else None

    return value


def case(when: Made, sign: str, least: int, then: Made, otherwise: Made) -> Callable[[Any, tuple[Step, ...]], Any]:
    def value(ask: Any, steps: tuple[Step, ...]) -> Any:
        found, yes, no = when.of(ask, steps), then.of(ask, steps), otherwise.of(ask, steps)
        holds = found != least if sign == "<>" else found is not None and (found > least if sign == ">" else found == least)
        return yes if holds else no

    return value


def formula(dice: random.Random, kind: str, deep: int) -> Made:
    """A formula of money or of counts."""
    if deep <= 0 or dice.random() < 0.1:
        counts = ("won", "buyers", "terms", "customers")
        return of_leaf(dice.choice(counts if kind == "counts" else [name for name in LEAVES if name not in counts]))
    inner = formula(dice, kind, deep - 1)
    if dice.random() < 0.6:
        return around(dice, inner)
    other, count = formula(dice, kind, deep - 1), formula(dice, "counts", deep - 2)
    a, b = inner.text, other.text
    both = {"is_stock": inner.is_stock or other.is_stock}
    return dice.choice(
        [
            Made(f"({a} + {b})", of_known(lambda left, right: left + right, inner, other), **both),
            Made(f"({a} - {b})", of_known(lambda left, right: left - right, inner, other), **both),
            Made(f"coalesce({a}, {b})", first_known(lambda known: known[0], inner, other), **both),
            Made(f"least({a}, {b})", first_known(min, inner, other), **both),
            Made(f"greatest({a}, {b})", first_known(max, inner, other), **both),
            Made(f"coalesce({a}, 0)", first_known(lambda known: known[0], inner, Made("0", lambda *_: Decimal(0))), inner.is_stock),
            Made(f"abs({a} * -3)", of_known(lambda value: abs(value * -3), inner), inner.is_stock),
            Made(f"round({a}, 2)", of_known(lambda value: rounded(Decimal(value), 2), inner), inner.is_stock),
            Made(
                f"({a} / {count.text})",
                of_known(lambda above, below: float(above) / float(below) if below else None, inner, count),
                inner.is_stock or count.is_stock,
            ),
            *(
                Made(
                    f"case when {count.text} {sign} 1 then {a} else {b} end",
                    case(count, sign, 1, inner, other),
                    inner.is_stock or other.is_stock or count.is_stock,
                )
                for sign in ("=", "<>", ">")
            ),
        ]
    )


def around(dice: random.Random, inner: Made) -> Made:
    """previous(), rolling(), to_date(), at_start(), only() or total() of a formula; a stock has no sum over days."""
    name = dice.choice(["previous", "previous", "at_start", "only", "total", *([] if inner.is_stock else ["rolling", "to_date"])])
    if name == "total":
        step: Step = ("total",)
        text = f"total({inner.text})"
    elif name == "only":
        condition, holds = dice.choice(CONDITIONS)
        step, text = ("only", holds), f"only({inner.text}, {condition})"
    elif name in ("at_start", "to_date"):
        unit = dice.choice(["month", "quarter", "year", *(["all"] if name == "to_date" else [])])
        step, text = (name, unit), f"{name}({inner.text}, {unit})"
    else:
        units = ["day", "week", "month", "year", *(["quarter"] if name == "previous" else [])]
        count, unit = dice.randint(1, 3), dice.choice(units)
        step, text = (name, count, unit), f"{name}({inner.text}, {count} {unit})"
    return Made(text, lambda ask, steps: inner.of(ask, (*steps, step)), inner.is_stock)


def company(dice: random.Random) -> Company:
    def day() -> D:
        return D(2024, 11, 1) + dt.timedelta(days=dice.randrange(630))

    def row(**more: Any) -> dict[str, Any]:
        return {"account_id": dice.choice(["a", "b", "c", None, "gone"]), "currency": dice.choice(["EUR", "EUR", "USD"]), **more}

    def amount() -> Decimal:
        return Decimal(dice.randrange(-99_999, 999_999)).scaleb(-2)

    accounts: dict[str, list[Any]] = {}
    for name in "abc":
        bounds = [D.min, *sorted(dice.sample([D(2025, 2, 1), D(2025, 8, 15), D(2026, 1, 1)], dice.randint(0, 2))), None]
        versions = pairwise(bounds)
        accounts[name] = [(*span, {"region": dice.choice(["N", "S", None]), "employees": dice.choice([5, 500, None])}) for span in versions]
    lines, deals, terms = [], [], []
    for _ in range(dice.randint(2, 10)):
        start = dice.choice([None, day(), day()])
        end = (
            start + dt.timedelta(days=dice.choice([-3, 0, 1, 30, 31, 90, 365]))
            if start and dice.random() < 0.8
            else dice.choice([None, day()])
        )
        kind = dice.choice(["charge", "tax", None])
        lines.append(row(amount=amount(), kind=kind, invoiced_on=day(), service_from=start, service_to=end))
        won = dice.choice([None, day(), day()])
        deals.append(row(amount=dice.choice([None, amount(), amount()]), closed_on=won, created_on=day(), is_won=dice.random() < 0.7))
        start = dice.choice([None, day(), day(), D(2025, 3, 31), D(2026, 1, 1)])
        end = start + dt.timedelta(days=dice.choice([-2, 0, 1, 31, 100])) if start and dice.random() < 0.7 else None
        terms.append(row(monthly_amount=abs(amount()), started_on=start, ended_on=end))
    rates, at = {}, D(2024, 10, 1)
    while at < D(2026, 8, 1):
        if not D(2025, 8, 1) <= at < D(2025, 8, 20):  # none for three weeks
            rates[at] = Decimal(dice.randrange(8 * 10**11, 12 * 10**11)).scaleb(-12)
        at += dt.timedelta(days=dice.randint(1, 6))
    return Company(accounts, {"invoice_line": lines, "deal": deals, "subscription_term": terms}, rates, COVERS)


def filled(warehouse: Any, made: Company) -> Any:
    for name, versions in made.accounts.items():
        warehouse.add("account", {"account_id": name, **versions[-1][2]})
        for start, end, known in versions if len(versions) > 1 else ():
            warehouse.add("account_version", {"account_id": name, "valid_from": start, "valid_to": end, **known})
    for table, rows in made.tables.items():
        warehouse.add(table, *rows, covers=tuple(day.isoformat() for day in COVERS))
        warehouse.add("money_currency", {"table_name": table, "source": "test", "currency": "USD", "home_currency": "", "row_count": 1})
    warehouse.add("fx_rate", *({"day": day, "currency": "USD", "into": "EUR", "rate": rate} for day, rate in made.rates.items()))
    return warehouse.reader()


def asked_at_random(dice: random.Random, made: Company, months: Months) -> tuple[Question, tuple[str, ...]]:
    grain = dice.choice(["all", "day", "week", "month", "quarter", "year"])
    since = D(2024, 12, 20) + dt.timedelta(days=dice.randrange(520))
    until = since + dt.timedelta(days=dice.randint(1, {"day": 12, "week": 90}.get(grain, 500)))
    if grain != "all" and dice.random() < 0.5:
        since, until = months.period(since, grain)[0], months.period(until, grain)[1]
    by = dice.sample(["segment", "region", "region_now"], dice.choice([0, 1, 1, 2]))
    where = dice.sample(CONDITIONS, dice.choice([0, 0, 1, 2]))
    question = Question(made, months, grain, since, until, by, [holds for _, holds in where])
    return question, tuple(text for text, _ in where)


@pytest.mark.parametrize("seed", range(20))
def test_whole_queries_are_what_plain_python_says(warehouse, defined, seed):
    dice = random.Random(seed)  # the same ones every time, so that no run fails by chance
    calendar, months = dice.choice(list(CALENDARS.items()))
    formulas = {f"f{place}": formula(dice, dice.choice(["money", "counts"]), dice.randint(1, 4)) for place in range(3)}
    written = {name: f"{{{leaf.text}}}" for name, leaf in LEAVES.items()} | {
        name: f'{{formula: "{made.text}"}}' for name, made in formulas.items()
    }
    known = defined(HEAD.format(calendar=calendar) + "".join(f"  {name}: {text}\n" for name, text in written.items()))
    made = company(dice)
    reader = filled(warehouse, made)
    for _ in range(3):
        question, where = asked_at_random(dice, made, months)
        query = Query(tuple(formulas), tuple(question.by), where, question.grain, question.since, question.until)  # type: ignore[arg-type]
        result = run(query, known, reader)
        shown = result.table.to_pylist()
        starts = {start: (start, end) for start, end in months.periods(question.since, question.until, question.grain)}
        groups = {tuple(row[name] for name in question.by) for row in shown}
        assert {row["period"] for row in shown} <= set(starts)
        assert len(shown) == len(groups) * len(starts) or not shown
        for name, one in formulas.items():
            for row, state in zip(shown, result.states[name].to_pylist(), strict=True):
                agrees(one, row[name], state, question, starts[row["period"]], [row[group] for group in question.by])


def agrees(one: Made, shown: Any, state: str, question: Question, period: tuple[D, D], group: list[Any]) -> None:
    question.whole, question.lacks = True, False
    covered = question.window(period, (), False) is not None
    value = one.of(lambda name, steps: question.leaf(name, period, group, steps), ()) if covered else None
    about = (one.text, question.grain, period, group, state)
    assert (shown is None) == (value is None), (*about, shown, value)
    assert value is None or float(shown) == pytest.approx(float(value), rel=1e-9, abs=1e-6), about
    assert (state == "unconverted") == (covered and question.lacks), about
    if state in ("known", "partial"):
        assert (state == "partial") == (not question.whole), about
