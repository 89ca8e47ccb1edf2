"""Which product a row is about, and which category a ledger account is: the rules of ``products:`` and ``costs:``.

What a person confirmed of a source's product counts first. The rules of a product are tried in the order of metrics.yaml and
the first product that matches wins, unless a person said that it isn't that one. Without a matching rule a row whose
source_product_id is a product's very name is that product. What no rule names stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa

from kpi.warehouse.mappings import Mappings, Rule
from kpi.warehouse.schema import facts, metadata
from kpi.warehouse.store import Store

#: Field of a rule -> the column it is matched against. Lists are joined by ', ' and match by any of their items.
_COLUMNS: Final = {
    "": "source_product_id",
    "product": "source_product_id",
    "price": "source_product_id",
    "plan": "plan",
    "class": "class_name",
    "account": "ledger_account",
    "memo": "memo",
    "project": "project",
    "component": "component",
    "label": "labels",
}
_LISTS: Final = frozenset({"component", "labels"})


def like(text: str, pattern: str) -> bool:
    """Whether ``text`` is ``pattern``, in which ``*`` stands for any text; case is ignored."""
    return re.fullmatch(_regular(pattern.casefold(), ".*"), text.casefold(), re.DOTALL) is not None


def _regular(pattern: str, star: str) -> str:
    return star.join(re.escape(part) for part in pattern.split("*"))


def account_names(ledger_account: str) -> tuple[str, ...]:
    """What a rule may call a ledger account: as written, its last part, the number and the name of either, and its path by names.

    >>> account_names('Hosting:5100 · Cloud')
    ('Hosting:5100 · Cloud', '5100 · Cloud', '5100', 'Cloud', 'Hosting:Cloud')
    """
    whole = ledger_account.strip()
    found = [whole]
    leaf = whole.rsplit(":", 1)[-1].strip()
    found.append(leaf)
    for text in (whole, leaf):
        if match := re.fullmatch(r"(\d[\d.\-/]*)\s*(?:[·:–—-]\s*)?(\D.*)", text):
            found += [match[1], match[2].strip()]
        elif match := re.fullmatch(r"(.*\S)\s*\((\d[\d.\-/]*)\)", text):
            found += [match[2], match[1]]
    found.append(":".join(re.sub(r"^\d[\d.\-/]*\s*(?:[·–—-]\s*)?(?=\D)", "", part.strip()) for part in whole.split(":")))
    return tuple(dict.fromkeys(found))


def category_of(ledger_account: str, costs: Iterable[tuple[str, Sequence[str]]]) -> str | None:
    """The category whose pattern names the account; None where no pattern does."""
    names = account_names(ledger_account)
    return next((category for category, patterns in costs if any(like(name, p) for p in patterns for name in names)), None)


@dataclass(frozen=True)
class _Choice:
    """``WHEN sql THEN product``, with the values it binds."""

    sql: str
    values: tuple[str, ...]
    product: str


def _choices(store: Store, table: sa.Table, mappings: Mappings, named: bool) -> Iterator[_Choice]:
    """``named``: the statement joins ``n``, what the row's product id is called in its system."""
    ledger = _ledger_accounts(store) if "ledger_account" in table.columns else ()
    decided = _decisions(store) if "source_product_id" in table.columns else []
    for verdict, source, source_id, target in decided:
        if verdict == "confirmed" and target in mappings.products:
            yield _Choice("t.source = ? AND t.source_product_id = ?", (source, source_id), target)
    for choice in _by_rule(table, ledger, mappings, named):
        about = [(s, i) for verdict, s, i, target in decided if verdict == "rejected" and target in (None, choice.product)]
        unless = "".join(" AND NOT (t.source = ? AND coalesce(t.source_product_id, '') = ?)" for _ in about)
        yield _Choice(f"({choice.sql}){unless}", (*choice.values, *(value for pair in about for value in pair)), choice.product)


def _decisions(store: Store) -> list[tuple[Any, ...]]:
    """Verdict, source, id there and product, in the order in which people decided."""
    return store.run("SELECT decision, source, source_id, target FROM link_decision WHERE kind = 'product' ORDER BY decision_id")


def _by_rule(table: sa.Table, ledger: Sequence[str], mappings: Mappings, named: bool) -> Iterator[_Choice]:
    for product, sources in mappings.products.items():
        for source, rules in sources.items():
            for rule in rules:
                yield from _rule(table, ledger, product, source, rule, named)
    if "source_product_id" in table.columns:
        for product in mappings.products:
            yield _Choice("lower(t.source_product_id) = ?", (product.lower(),), product)
            if named:
                yield _Choice("lower(n.name) = ?", (product.lower(),), product)


def _rule(table: sa.Table, ledger: Sequence[str], product: str, source: str, rule: Rule, named: bool) -> Iterator[_Choice]:
    column = _COLUMNS.get(rule.field, "")
    if column not in table.columns:
        return
    if column == "ledger_account":
        accounts = [name for name in ledger if any(like(called, rule.pattern) for called in account_names(name))]
        if accounts:
            marks = ", ".join("?" * len(accounts))
            yield _Choice(f"t.source = ? AND t.ledger_account IN ({marks})", (source, *accounts), product)
    elif column in _LISTS:
        # DuckDB's ~ matches the whole text, PostgreSQL's any part of it: the anchors make them one.
        items = f"^(.*, )?{_regular(rule.pattern.lower(), '[^,]*')}(, .*)?$"
        yield _Choice(f"t.source = ? AND lower(t.{column}) ~ ?", (source, items), product)
    else:
        pattern = _like_pattern(rule.pattern)
        yield _Choice(f"t.source = ? AND lower(t.{column}) LIKE ? ESCAPE '~'", (source, pattern), product)
        if named and column == "source_product_id":
            names = "t.source = ? AND (lower(n.name) LIKE ? ESCAPE '~' OR lower(n.code) LIKE ? ESCAPE '~')"
            yield _Choice(names, (source, pattern, pattern), product)


def _like_pattern(pattern: str) -> str:
    escaped = pattern.lower().replace("~", "~~").replace("%", "~%").replace("_", "~_")
    return escaped.replace("*", "%")


def _ledger_accounts(store: Store) -> list[str]:
    return [name for (name,) in store.run("SELECT DISTINCT ledger_account FROM cost_line WHERE ledger_account IS NOT NULL ORDER BY 1")]


def refresh_products(store: Store, mappings: Mappings) -> None:
    """Let ``product`` hold the products of the mappings."""
    store.run("DELETE FROM product")
    if mappings.products:
        store.add("product", pa.table({"product_id": list(mappings.products), "name": list(mappings.products)}))


def apply_products(store: Store, mappings: Mappings, tables: Iterable[str]) -> None:
    """Let the rows of ``tables`` point at the products that the rules say; rows that do already are not written."""
    named = bool(store.run("SELECT 1 FROM source_product LIMIT 1"))
    for name in tables:
        if "source_product_id" in metadata.tables[name].columns:
            choices = list(_choices(store, metadata.tables[name], mappings, named))
            sql = f"CASE {' '.join(f'WHEN {choice.sql} THEN ?' for choice in choices)} END" if choices else "CAST(NULL AS VARCHAR)"
            values = [value for choice in choices for value in (*choice.values, choice.product)]
            called = "LEFT JOIN source_product n ON n.source = t.source AND n.source_id = t.source_product_id"
            rows = f"SELECT t.{store.row} AS r, {sql} AS new, t.product_id AS old FROM {name} t {called if named else ''}"
            _rewrite(store, name, "product_id", rows, values)
    if {"issue", "worklog"} & set(tables):
        _rewrite(
            store,
            "worklog",
            "product_id",
            f"SELECT t.{store.row} AS r, i.product_id AS new, t.product_id AS old FROM worklog t "
            "LEFT JOIN issue i ON i.issue_id = t.issue_id",
            [],
        )


def apply_costs(store: Store, mappings: Mappings) -> None:
    """Give each ledger line the category that ``costs:`` says of its account; none where no pattern names it."""
    pairs = [(name, category_of(name, mappings.costs.items())) for name in _ledger_accounts(store)]
    named = [(name, category) for name, category in pairs if category is not None]
    store.run("CREATE TEMP TABLE categories (ledger_account VARCHAR, category VARCHAR)")
    if named:
        store.add("categories", pa.table({"ledger_account": [n for n, _ in named], "category": [c for _, c in named]}))
    _rewrite(
        store,
        "cost_line",
        "category",
        f"SELECT t.{store.row} AS r, c.category AS new, t.category AS old FROM cost_line t "
        "LEFT JOIN categories c ON c.ledger_account = t.ledger_account",
        [],
    )
    store.run("DROP TABLE categories")


def _rewrite(store: Store, table: str, column: str, select: str, values: Sequence[Any]) -> None:
    """Write ``new`` into the rows ``r`` of ``select`` where it is not what stands there."""
    store.run(f"CREATE TEMP TABLE moved AS SELECT r, new FROM ({select}) m WHERE new IS DISTINCT FROM old", values)
    if store.count("SELECT count(*) FROM moved"):
        store.run(f"UPDATE {table} SET {column} = moved.new FROM moved WHERE {table}.{store.row} = moved.r")
    store.run("DROP TABLE moved")


def refresh_product_links(store: Store, mappings: Mappings) -> None:
    """List what each product id that occurs in a source is, for the people who work down the unmatched."""
    tables = [table.name for table in facts() if "source_product_id" in table.columns]
    union = " UNION ".join(f"SELECT source, source_product_id FROM {name} WHERE source_product_id IS NOT NULL" for name in tables)
    links = []
    names = {(source, id_): called for source, id_, *called in store.run("SELECT source, source_id, name, code FROM source_product")}
    decided = _decisions(store)
    for source, source_id in sorted(store.run(union)):
        called = [source_id, *(name for name in names.get((source, source_id), ()) if name)]
        found = _named(source, called, mappings, [(one[0], one[3]) for one in decided if one[1:3] == (source, source_id)])
        if found:
            links.append({"source": source, "source_id": source_id, "product_id": found[0], "method": found[1], "confidence": Decimal(1)})
    store.run("DELETE FROM product_link")
    if links:
        store.add("product_link", pa.Table.from_pylist(links))


def _named(source: str, called: Sequence[str], mappings: Mappings, decided: Sequence[tuple[str, str | None]]) -> tuple[str, str] | None:
    """The product and how it was found; ``called``: the id in the source, and what it is called there."""
    confirmed = [target for verdict, target in decided if verdict == "confirmed" and target in mappings.products]
    if confirmed:
        return str(confirmed[0]), "person"
    gone = {target for verdict, target in decided if verdict == "rejected"}
    if None in gone:
        return None
    for product, sources in mappings.products.items():
        rules = [rule.pattern for rule in sources.get(source, ()) if _COLUMNS.get(rule.field) == "source_product_id"]
        if product not in gone and any(like(name, pattern) for pattern in rules for name in called):
            return product, "rule"
    lower = [name.lower() for name in called]
    return next(((product, "name") for product in mappings.products if product not in gone and product.lower() in lower), None)
