"""A reader of PostgreSQL lets go of its connection, also where nobody says so."""

from __future__ import annotations

import dataclasses
import gc

import psycopg
import pytest

from kpi.warehouse.engines import open_reader


@pytest.mark.postgres
def test_a_reader_that_nobody_holds_ends_its_connection(settings, postgres_url):
    """The page's cache drops the reader before last without closing it; psycopg would warn in whoever runs then."""
    settings = dataclasses.replace(settings, warehouse_url=postgres_url)
    reader = open_reader(settings, True)
    connection = reader.connection
    circle = [reader]
    circle.append(circle)
    del reader
    assert not connection.closed
    del circle
    gc.collect()
    assert connection.closed


@pytest.mark.postgres
def test_a_closed_reader_stays_closed(settings, postgres_url):
    with open_reader(dataclasses.replace(settings, warehouse_url=postgres_url), True) as reader:
        pass
    reader.close()
    with pytest.raises(psycopg.OperationalError):
        reader.connection.execute("SELECT 1")
