"""Publishing a million labels, against an UPDATE per customer on the same server in the same run.

The peer is what a script does: a table of customers with the primary key customer_id and a column for the segment, one
UPDATE statement per customer in the order of the key, one commit at the end. It keeps no history and no names.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pandas as pd
import psycopg
import pymysql
import pytest
from benchmarks.measuring import Measurement, measure
from benchmarks.results import Report, Row

from aisle.database import MySQL, PostgreSQL, publish_segments
from aisle.database.address import Address
from aisle.publication import Publication

Ours = Callable[..., Measurement]
CUSTOMERS = 1_000_000
ONE_BY_ONE = 20_000
"""Customers updated one at a time, of all that are in the table; the time is multiplied up to all of them."""


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


def _server(kind: str, url: str) -> PostgreSQL | MySQL:
    return {"postgresql": PostgreSQL, "mysql": MySQL}[kind](read=url, publish=url)


def publish(*, kind: str, url: str) -> Callable[[], object]:
    publication = result(1)

    def work() -> None:
        with _server(kind, url).writing() as session:
            publish_segments(session, publication, at=datetime(2026, 1, 31))

    return work


def one_by_one(*, kind: str, url: str) -> Callable[[], object]:
    customers = result(1).segmented().select(["customer_id"])
    with _server(kind, url).writing() as session:
        text = "varchar(32)" if session.dialect == "mysql" else "text"
        session.execute(f"CREATE TABLE shoppers (customer_id {text} PRIMARY KEY, segment integer)")
        session.insert("shoppers", customers)
    asked = customers["customer_id"].slice(0, ONE_BY_ONE).to_pylist()

    def work() -> None:
        with _server(kind, url).writing() as session:
            for customer in asked:
                session.execute("UPDATE shoppers SET segment = %s WHERE customer_id = %s", (1, customer))

    return work


@pytest.fixture(params=["postgresql", "mysql"])
def place(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The kind of a server and the address of a database of its own on it, dropped afterwards."""
    kind = request.param
    url = os.environ.get(f"AISLE_TEST_{kind.upper()}_URL")
    if not url:
        pytest.skip(f"AISLE_TEST_{kind.upper()}_URL names no server to measure")
    name = f"aisle_bench_{secrets.token_hex(6)}"
    _statement(kind, url, f"CREATE DATABASE {name}{' CHARACTER SET utf8mb4' if kind == 'mysql' else ''}")
    try:
        yield {"kind": kind, "url": urlunsplit(urlsplit(url)._replace(path=f"/{name}"))}
    finally:
        _statement(kind, url, f"DROP DATABASE {name}")


def test_a_million_labels(ours: Ours, report: Report, place: dict[str, str]) -> None:
    mine = ours(publish, **place)
    peer = measure(one_by_one, **place).times(CUSTOMERS / ONE_BY_ONE)
    name = f"publish {CUSTOMERS:,} labels, {place['kind']}"
    note = f"peer: {ONE_BY_ONE:,} customers of a table of all, multiplied"
    report.add(Row(name, mine, "an UPDATE per customer", peer, at_least=20, at_most_seconds=30, note=note))
