"""What a statement works out once: the layers below it, and that its rows are those of the statement without layers."""

from __future__ import annotations

import duckdb
import sqlalchemy as sa

from kpi.warehouse.mapped import sql
from kpi.warehouse.once import Once, layered

TEXT = sa.column("c0", sa.String)
FILE = sa.table("file")


def number() -> Once:
    return Once(sa.try_cast(TEXT, sa.BigInteger))


def test_each_expression_stands_once_in_the_layer_that_it_needs() -> None:
    # the kind is made of the number, so it lies one layer above it
    kind = Once(sa.case((number() > 5, "large"), else_="small"))
    written = sql(layered(FILE, [number().label("n"), kind.label("kind"), number().is_(None).label("bad")], number().is_not(None)))
    assert written == (
        "SELECT once0 AS n, once1 AS kind, once0 IS NULL AS bad \n"
        "FROM (SELECT *, CASE WHEN (once0 > 5) THEN 'large' ELSE 'small' END AS once1 \n"
        "FROM (SELECT *, TRY_CAST(c0 AS BIGINT) AS once0 \n"
        "FROM file) AS anon_2) AS anon_1 \n"
        "WHERE once0 IS NOT NULL"
    )


def test_expressions_that_differ_in_a_value_only_are_two() -> None:
    columns = [Once(sa.func.replace(TEXT, "a", "b")).label("x"), Once(sa.func.replace(TEXT, "a", "c")).label("y")]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE file AS SELECT 'a' AS c0")
        assert connection.execute(sql(layered(FILE, columns))).fetchall() == [("b", "c")]


def test_outside_of_layers_it_is_its_expression() -> None:
    doubled = Once(TEXT + "!") + "?"
    assert sql(sa.select(doubled).select_from(FILE)) == "SELECT c0 || '!' || '?' AS anon_1 \nFROM file"
    product = Once(sa.column("a", sa.Integer) + 1) * 2
    assert sql(sa.select(product.label("p"))) == "SELECT (a + 1) * 2 AS p"


def test_rows_are_those_of_the_statement_without_layers() -> None:
    # 7 and 3 are numbers, x is none
    kind = Once(sa.case((number() > 5, "large"), else_="small"))
    columns = [number().label("n"), kind.label("kind"), sa.and_(TEXT.is_not(None), number().is_(None)).label("bad")]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE file AS SELECT * FROM (VALUES ('7'), ('3'), ('x')) t(c0)")
        plain = connection.execute(sql(sa.select(*columns).select_from(FILE))).fetchall()
        assert (
            connection.execute(sql(layered(FILE, columns))).fetchall()
            == plain
            == [(7, "large", False), (3, "small", False), (None, "small", True)]
        )
