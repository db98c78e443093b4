"""Publishing a million labels, against an UPDATE per customer on the same server in the same run.

The peer is what a script does: a table of customers with the primary key customer_id and a column for the segment, one
UPDATE statement per customer in the order of the key, one commit at the end. It keeps no history and no names.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pandas as pd
import psycopg
import pymysql
import pytest

from aisle.database import MySQL, PostgreSQL, publish_segments
from aisle.database.address import Address
from aisle.publication import Publication

CUSTOMERS = 1_000_000
ONE_BY_ONE = 20_000
"""Customers updated one at a time, of all that are in the table; the time is multiplied up to all of them."""
LONGEST_SECONDS = 30
TIMES_FASTER = 20


def result(seed: int) -> Publication:
    """A million customers in five lifestages of four segments."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer_id": [f"customer {number:07d}" for number in range(CUSTOMERS)],
            "lifestage": np.array(["YA", "OA", "YF", "OF", "PE"])[np.arange(CUSTOMERS) % 5],
            "segment": rng.integers(0, 4, CUSTOMERS),
        }
    )
    keys = dict.fromkeys(["YA", "OA", "YF", "OF", "PE"], "k" * 32)
    return Publication(labels=frame, candidates=keys, evidence={}, names={}, data_digest="d" * 64)


def _statement(kind: str, url: str, sql: str) -> None:
    if kind == "postgresql":
        with psycopg.connect(url, autocommit=True) as raw:
            raw.execute(sql.encode())
        return
    place = Address.of(url, scheme="mysql", port=3306)
    given = {"host": place.host, "port": place.port, "user": place.user, "password": place.password}
    with closing(pymysql.connect(**given, database=place.database)) as connection:
        connection.cursor().execute(sql)


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[PostgreSQL | MySQL]:
    """A server with a database of its own, dropped afterwards."""
    kind = request.param
    url = os.environ.get(f"AISLE_TEST_{kind.upper()}_URL")
    if not url:
        pytest.skip(f"AISLE_TEST_{kind.upper()}_URL names no server to measure")
    name = f"aisle_bench_{secrets.token_hex(6)}"
    _statement(kind, url, f"CREATE DATABASE {name}{' CHARACTER SET utf8mb4' if kind == 'mysql' else ''}")
    own = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    try:
        yield {"postgresql": PostgreSQL, "mysql": MySQL}[kind](read=own, publish=own)
    finally:
        _statement(kind, url, f"DROP DATABASE {name}")


def one_by_one(server: PostgreSQL | MySQL, publication: Publication) -> float:
    """Seconds that the peer takes for all customers."""
    customers = publication.segmented().select(["customer_id"])
    with server.writing() as session:
        kind = "varchar(32)" if session.dialect == "mysql" else "text"
        session.execute(f"CREATE TABLE shoppers (customer_id {kind} PRIMARY KEY, segment integer)")
        session.insert("shoppers", customers)
    asked = customers["customer_id"].slice(0, ONE_BY_ONE).to_pylist()
    started = time.monotonic()
    with server.writing() as session:
        for customer in asked:
            session.execute("UPDATE shoppers SET segment = %s WHERE customer_id = %s", (1, customer))
    return (time.monotonic() - started) / ONE_BY_ONE * CUSTOMERS


def test_a_million_labels(server: PostgreSQL | MySQL, benchmark: object) -> None:
    publication = result(1)

    def publish() -> float:
        started = time.monotonic()
        with server.writing() as session:
            publish_segments(session, publication, at=datetime(2026, 1, 31))
        return time.monotonic() - started

    seconds = benchmark.pedantic(publish, rounds=1)  # type: ignore[attr-defined]
    peer = one_by_one(server, publication)
    told = f"{type(server).__name__}: {seconds:.1f} s; one by one {peer:.0f} s (of {ONE_BY_ONE}), {peer / seconds:.0f}x"
    print(told)
    benchmark.extra_info["told"] = told  # type: ignore[attr-defined]
    assert seconds < LONGEST_SECONDS, told
    assert peer >= TIMES_FASTER * seconds, told
