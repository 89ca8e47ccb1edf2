"""SQL with its values written into it, typed as the bound ones are, for people who want to run it themselves."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler


def literal_dialect(dialect: Dialect) -> Dialect:
    """``dialect``, whose compiler writes values as :func:`literal` does; changed in place and returned."""
    base: type[SQLCompiler] = dialect.statement_compiler
    kind = type(f"Literal{base.__name__}", (_Literals, base), {"brackets": "[{}]" if dialect.name == "duckdb" else "ARRAY[{}]"})
    dialect.statement_compiler = kind
    return dialect


class _Literals:
    """Mixed into a dialect's compiler."""

    brackets = "[{}]"

    def render_literal_value(self, value: Any, type_: Any) -> str:
        return literal(value, self.brackets)

    def render_literal_bindparam(self, bindparam: Any, **kw: Any) -> str:
        """Also for null, about which SQLAlchemy would warn."""
        if "render_literal_value" not in kw and not bindparam.expanding and bindparam.value is None and bindparam.callable is None:
            return "NULL"
        return super().render_literal_bindparam(bindparam, **kw)  # type: ignore[misc,no-any-return]


def literal(value: Any, brackets: str = "[{}]") -> str:
    """One value as SQL: text quoted, days and instants typed, decimals in full, lists in ``brackets``."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dt.datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, list | tuple):
        return brackets.format(", ".join(literal(item, brackets) for item in value))
    return "'" + str(value).replace("'", "''") + "'"
