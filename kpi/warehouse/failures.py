"""What DuckDB and PostgreSQL raise. PostgreSQL's driver is loaded when something failed, not by everybody who imports."""

from __future__ import annotations

import errno

import duckdb


def engine_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Everything that an engine raises, and ``others``."""
    import psycopg

    return *others, duckdb.Error, psycopg.Error


def fatal_errors() -> tuple[type[Exception], ...]:
    """Failures of the machine rather than of one file: they end the whole import."""
    import psycopg

    return duckdb.IOException, duckdb.OutOfMemoryException, duckdb.FatalException, duckdb.InternalException, psycopg.OperationalError


def is_disk_full(error: BaseException) -> bool:
    """Whether a failure of the system, DuckDB or PostgreSQL comes from a full disk or a limit of file sizes."""
    import psycopg

    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    words = ("No space left", "File too large", "quota exceeded", "could not extend file")
    return isinstance(error, psycopg.errors.DiskFull) or any(word in str(error) for word in words)
