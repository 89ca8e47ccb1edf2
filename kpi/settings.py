"""Every setting, read from the environment in one place, each with its meaning.

Nothing is read at import: callers ask for :func:`load` once, at the top, and hand the result down.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kpi.errors import BadSetting

DateOrder = Literal["dmy", "mdy"]
AmountUnits = Literal["minor", "major"]
Rates = Literal["ecb", "none"]


@dataclass(frozen=True)
class Settings:
    """What the environment says; the default of each field is what an empty environment means.

    Attributes:
        home: folder of the warehouse generations, the archive and the records (``KPI_HOME``).
        metrics: the definitions that finance edits (``KPI_METRICS``).
        sources: folder of the mappings of files that no connector knows (``KPI_SOURCES``).
        warehouse_url: SQLAlchemy URL of the warehouse; without one, DuckDB generations under ``home``
            (``KPI_WAREHOUSE_URL``).
        records_url: SQLAlchemy URL of what people decide, SQLite or PostgreSQL; without one, records.db under ``home``
            (``KPI_RECORDS_URL``).
        dates: how 12/06/2024 is read when a whole column can't decide, dmy or mdy; without it the import asks
            (``KPI_DATES``).
        rates: ecb, or none: whether the European Central Bank's rates that ship with the program stand in on days without an imported
            one; a change counts from the next import or rebuild on (``KPI_RATES``).
        bad_share: share of rejected rows, 0 to 1, above which a file is held back whole (``KPI_BAD_SHARE``).
        query_timeout_s: seconds after which a reader's query is interrupted (``KPI_QUERY_TIMEOUT_S``).
        memory_limit_mb: memory of one database process, in MB (``KPI_MEMORY_LIMIT_MB``).
        keep_generations: how many published generations stay on disk (``KPI_KEEP_GENERATIONS``).
    """

    home: Path = Path("data")
    metrics: Path = Path("metrics.yaml")
    sources: Path = Path("sources")
    warehouse_url: str | None = None
    records_url: str | None = None
    dates: DateOrder | None = None
    rates: Rates = "ecb"
    bad_share: float = 0.2
    query_timeout_s: float = 30.0
    memory_limit_mb: int = 2048
    keep_generations: int = 3


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environment`` (default: the process's own).

    Raises:
        BadSetting: a value that can't be used, with what is accepted.
    """
    env = os.environ if environment is None else environment
    default = Settings()
    home = Path(env.get("KPI_HOME") or default.home)
    if home.exists() and not home.is_dir():
        raise BadSetting("KPI_HOME", str(home), "a folder, which is made where there is none")
    return Settings(
        home=home,
        metrics=Path(env.get("KPI_METRICS") or default.metrics),
        sources=Path(env.get("KPI_SOURCES") or default.sources),
        warehouse_url=env.get("KPI_WAREHOUSE_URL") or None,
        records_url=env.get("KPI_RECORDS_URL") or None,
        dates=_date_order(env.get("KPI_DATES") or ""),
        rates=_rates(env.get("KPI_RATES") or default.rates),
        bad_share=_number(env, "KPI_BAD_SHARE", default.bad_share, 0, 1),
        query_timeout_s=_number(env, "KPI_QUERY_TIMEOUT_S", default.query_timeout_s, 0.1, 3600),
        memory_limit_mb=int(_number(env, "KPI_MEMORY_LIMIT_MB", default.memory_limit_mb, 64, 1 << 20)),
        keep_generations=int(_number(env, "KPI_KEEP_GENERATIONS", default.keep_generations, 1, 1000)),
    )


def user() -> str:
    """Who runs this program, as the operating system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


def _date_order(text: str) -> DateOrder | None:
    if text == "":
        return None
    if text == "dmy":
        return "dmy"
    if text == "mdy":
        return "mdy"
    raise BadSetting("KPI_DATES", text, "dmy or mdy")


def _rates(text: str) -> Rates:
    if text == "ecb":
        return "ecb"
    if text == "none":
        return "none"
    raise BadSetting("KPI_RATES", text, "ecb or none")


def _number(env: Mapping[str, str], variable: str, default: float, low: float, high: float) -> float:
    text = env.get(variable) or ""
    if text == "":
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise BadSetting(variable, text, f"a number from {low:g} to {high:g}")
    return value
