"""What an engine keeps for later queries is what it was given, also where it keeps texts as numbers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aisle.database import Connection, DuckDB, ParquetFolder
from aisle.features.exact import md5, relation
from aisle.tables import CANONICAL, STORES

TEXTS = st.lists(st.one_of(st.none(), st.text("aäz\U0001f34e'; ", max_size=3)), max_size=12)


@pytest.fixture(params=["folder", "file"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[list[str | None]], AbstractContextManager[Connection]]:
    """A database whose stores are in these regions."""

    @contextmanager
    def connected(regions: list[str | None]) -> Iterator[Connection]:
        ids = [str(number) for number in range(len(regions))]
        rows = pyarrow.table([ids, [None] * len(ids), regions], schema=STORES.arrow_schema)
        if request.param == "folder":
            pyarrow.parquet.write_table(rows, tmp_path / "stores.parquet")
            database: ParquetFolder | DuckDB = ParquetFolder(tmp_path, "1GB", 2)
        else:
            database = DuckDB(tmp_path / "shop.duckdb", "1GB", 2)
            with database.writing() as session:
                session.execute("CREATE OR REPLACE TABLE stores (store_id TEXT, store_format TEXT, store_region TEXT)")
                session.insert("stores", rows)
        with database.connect({"stores": CANONICAL["stores"]}) as connection:
            yield connection

    return connected


def asked(stores: ir.Table) -> dict[str, ir.Table]:
    """What may be asked of texts: who they are, whether they are equal, how they go in order, what they are made of."""
    region = stores.store_region
    place = ibis.row_number().over(order_by=[region, stores.store_id])
    return {
        "rows": stores.select("store_id", "store_region"),
        "groups": stores.group_by("store_region").agg(count=stores.count(), last=stores.store_id.max()),
        "ends": stores.agg(first=region.min(), last=region.max(), kinds=region.nunique()),
        "order": stores.select("store_id", place=place),
        "pairs": stores.select("store_id", "store_region")
        .inner_join(relation(STORES).select(other="store_id", store_region="store_region"), "store_region")
        .select("store_id", "other"),
        "parts": stores.select("store_id", digest=md5(region), filled=region.fill_null("?"), apple=region == "a"),
    }


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(regions=TEXTS)
@example(regions=[])
@example(regions=[None, None])
@example(regions=["z", "a", None, "ä", "a", ""])
def test_texts_that_are_kept_as_numbers_are_still_texts(
    opened: Callable[[list[str | None]], AbstractContextManager[Connection]], regions: list[str | None]
) -> None:
    with opened(regions) as connection:
        stores = relation(STORES)
        plain, coded = connection.stored(stores, "plain"), connection.stored(stores, "coded", coded=["store_region"])
        for name, query in asked(stores).items():
            order = list(query.columns)
            wanted = connection.fetch(query, order_by=order)
            assert connection.fetch(asked(plain)[name], order_by=order).equals(wanted), name
            assert connection.fetch(asked(coded)[name], order_by=order).equals(wanted), name
