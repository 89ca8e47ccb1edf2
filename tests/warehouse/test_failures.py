"""What engines raise, told apart."""

from __future__ import annotations

import errno

import duckdb
import psycopg
import pytest

from kpi.warehouse.failures import engine_errors, fatal_errors, is_disk_full


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EFBIG, "File too large"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (duckdb.IOException('Could not write file "x": No space left on device'), True),
        (duckdb.IOException('Could not read file "x"'), False),
        (psycopg.errors.DiskFull(), True),
        (psycopg.OperationalError("server closed the connection"), False),
    ],
)
def test_a_full_disk(error: Exception, full: bool) -> None:
    assert is_disk_full(error) is full


def test_a_lost_server_ends_the_import_and_a_bad_value_only_its_file() -> None:
    assert isinstance(psycopg.OperationalError(), fatal_errors())
    assert not isinstance(psycopg.DataError(), fatal_errors())
    assert isinstance(psycopg.DataError(), engine_errors())
    assert not isinstance(OSError(), engine_errors())
    assert isinstance(OSError(), engine_errors(OSError))
