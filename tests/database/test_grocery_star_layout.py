"""A star read in place gives what its files give through the source: the same rows, the same extract."""

import os
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet
import pytest

from aisle.database import Engine, Extraction, ParquetFolder, Server, Session, check_rows, fingerprint
from aisle.database.engine import in_order
from aisle.database.grocery_star_layout import WANTED
from aisle.database.session import quoted
from aisle.sources.grocery_star import GroceryStar
from aisle.tables import BASKET_EXTRACT, CANONICAL, GROUP_SPEND

Star = dict[str, pyarrow.Table]
NEEDED = {name: CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")}
KINDS = ("duckdb", "postgresql", "mysql")
MIDDLE = date(2008, 2, 29)
EXTRACTION = Extraction(baskets_xx=False, customers_xx=False, sample=20, seed=1)


def dirty_star(seed: int) -> Star:
    """Six small tables with every dirt of the policy: strangers, nulls, halves of cents, baskets nobody can place."""
    rng = np.random.default_rng(seed)
    baskets, products, customers, stores, hours = 60, 12, 15, 4, 30
    owner, store, hour = (
        rng.integers(0, customers + 2, baskets),
        rng.integers(0, stores, baskets),
        rng.integers(0, hours, baskets),
    )
    basket = rng.integers(0, baskets + 1, 400)  # the last is in no table
    row = np.minimum(basket, baskets - 1)
    said_customer, said_store, said_time = owner[row], store[row], hour[row] + 100
    wrong = rng.random(400) < 0.02
    said_customer[wrong] += 1
    elsewhere = rng.random(400) < 0.01
    said_store[elsewhere] = (said_store[elsewhere] + 1) % (stores + 1)  # the last is in no table
    later = rng.random(400) < 0.01
    said_time[later] += 1
    names = np.array([*(f"c{n}" for n in range(customers)), None, "who", "else"], dtype=object)
    spend: list[float | None] = (rng.integers(0, 3000, 400) / rng.choice([100.0, 800.0], 400)).tolist()
    spend[3], spend[4], spend[5] = None, -1.0, 0.0
    quantity: list[int | None] = rng.integers(0, 5, 400).tolist()
    quantity[7] = None

    def codes(values: list[str], count: int) -> list[str | None]:
        return rng.choice(np.array([*values, "XX", None], dtype=object), count).tolist()

    return {
        "Baskets": pyarrow.table(
            {
                "basket_id": pyarrow.array(range(1000, 1000 + baskets), "int64"),
                "basket_size": codes(["S", "M", "L"] * 4, baskets),
                "basket_price_sensitivity": codes(["LA", "MM", "UM"] * 4, baskets),
                "basket_type": codes(["Small Shop", "Top Up"] * 4, baskets),
                "basket_dominant_mission": codes(["Fresh", "Mixed"] * 4, baskets),
            }
        ),
        "Customers": pyarrow.table(
            {
                "cust_id": names[:customers].tolist(),
                "cust_price_sensitivity": codes(["LA", "UM"] * 4, customers),
                "cust_lifestage": codes(["YA", "PE"] * 2, customers),
            }
        ),
        "Products": pyarrow.table(
            {
                "prod_id": [f"{'pP'[n % 2]}{n // 2}" for n in range(products)],  # alike but for the case
                **{f"prod_code_{level}": codes([f"{level}a", f"{level}b"], products) for level in (10, 20, 30, 40)},
            }
        ),
        "Stores": pyarrow.table(
            {
                "store_id": [f"s{n}" for n in range(stores)],
                "store_format": ["LS", "MS", "SS", None],
                "store_region": ["N", None, "é'`\"", "W"],
            }
        ),
        "Timestamps": pyarrow.table(
            {
                "time_id": pyarrow.array(range(100, 100 + hours), "int64"),
                "shop_date": pyarrow.array([20080228 + n // 20 for n in range(hours)], "int64"),
                "shop_hour": pyarrow.array([min(n % 20 + 3, 22) for n in range(hours)], "int64"),  # some hours twice
            }
        ),
        "Transactions": pyarrow.table(
            {
                "basket_id": pyarrow.array((basket + 1000).tolist(), "int64"),
                "cust_id": names[said_customer].tolist(),
                "store_id": [f"s{n}" for n in said_store],
                "time_id": pyarrow.array(said_time.tolist(), "int64"),
                "prod_id": [f"{'pP'[n % 2]}{n // 2}" for n in rng.integers(0, products + 1, 400)],
                "quantity": pyarrow.array(quantity, "int64"),
                "spend": pyarrow.array(spend, "float64"),
            }
        ),
    }


def create(session: Session, star: Star) -> None:
    """The star's tables as its owner may have made them: keys, and text as the server collates it by default."""
    text = {"mysql": "varchar(40)"}.get(session.dialect, "text")
    kinds = {"string": text, "int64": "bigint", "int32": "bigint", "int8": "bigint", "double": "double precision"}
    for name, rows in star.items():
        columns = [f"{quoted(field.name, session.dialect)} {kinds[str(field.type)]}" for field in rows.schema]
        session.execute(f"CREATE TABLE {quoted(name, session.dialect)} ({', '.join(columns)})")
        session.insert(name, rows)


def files(star: Star, folder: Path) -> Path:
    folder.mkdir()
    for name, rows in star.items():
        pyarrow.parquet.write_table(rows, folder / f"{name}.parquet")
    return folder


def through_the_source(star: Path, save: Callable[..., Path], folder: Path) -> Path:
    parts: dict[str, list[pyarrow.Table]] = {}
    for batch in GroceryStar(star).batches():
        parts.setdefault(batch.table, []).append(batch.rows)
    return save({name: pyarrow.concat_tables(parts[name]) for name in NEEDED}, folder)


@pytest.fixture(scope="module")
def layout(role: Callable[..., Any]) -> Callable[..., Engine]:
    """``layout(server, **fields)``: the layout of conf/, over another database."""
    configured = role("layout", "grocery_star")

    def over(server: Server, **fields: Mapping[str, Any]) -> Engine:
        return type(configured)(
            **{"tables": configured.tables, "columns": configured.columns, **fields, "database": server}
        )

    return over


@pytest.fixture(scope="module", params=KINDS)
def star_server(request: pytest.FixtureRequest, new_server: Callable[[str], Server]) -> Server:
    """A database with the dirty star, one engine after the other; only to be read."""
    server = new_server(request.param)
    with server.writing() as session:
        if session.dialect == "mysql":
            session.execute("ALTER DATABASE COLLATE utf8mb4_general_ci")  # what most servers have: p1 is P1
        create(session, dirty_star(3))
    return server


@pytest.fixture(scope="module")
def oracle(save: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> ParquetFolder:
    """The canonical tables that the source makes of the same star."""
    folder = tmp_path_factory.mktemp("star")
    data = through_the_source(files(dirty_star(3), folder / "files"), save, folder / "data")
    return ParquetFolder(data, memory_limit="1GB", threads=1)


def test_the_tables_are_those_of_the_source(
    star_server: Server, oracle: ParquetFolder, layout: Callable[..., Engine]
) -> None:
    with layout(star_server).connect(NEEDED) as connection:
        check_rows(connection, NEEDED)
        for name, table in NEEDED.items():
            found = connection.fetch(connection.relations[name], order_by=table.key)
            expected = in_order(pyarrow.parquet.read_table(oracle.folder / f"{name}.parquet"), table.key)
            assert table.check(found, name).to_pylist() == expected.to_pylist()
        assert expected.num_rows > 100


def test_the_extract_and_the_fingerprint_are_those_of_the_source(
    star_server: Server, oracle: ParquetFolder, layout: Callable[..., Engine]
) -> None:
    with layout(star_server).connect(NEEDED) as here, oracle.connect(NEEDED) as there:
        for query, table in (
            (EXTRACTION.baskets(), BASKET_EXTRACT),
            (EXTRACTION.group_spend(EXTRACTION.split_spend(MIDDLE)), GROUP_SPEND),
        ):
            found = table.check(here.fetch(query, order_by=table.key), "here")
            assert found.num_rows > 10
            assert found.equals(table.check(there.fetch(query, order_by=table.key), "there"))
        assert fingerprint(here) == fingerprint(there)


def test_names_are_those_of_the_configuration(star_server: Server, layout: Callable[..., Engine]) -> None:
    tables = {name: name for name in WANTED}
    with (
        pytest.raises(
            ValueError,
            match=r"the layout needs the tables \['baskets_2'\]; there are \['Baskets', 'Cust.*tables.Baskets=NAME",
        ),
        layout(star_server, tables={**tables, "Baskets": "baskets_2"}).connect(NEEDED),
    ):
        pass
    columns = {table: {name: name for name in names} for table, names in WANTED.items()}
    columns["Stores"]["store_region"] = "land"
    with (
        pytest.raises(
            ValueError, match=r"table Stores needs a column land; it has \['store_id', .*Stores.store_region=NAME"
        ),
        layout(star_server, columns=columns).connect(NEEDED),
    ):
        pass
    columns["Stores"]["store_region"] = 'x"; DROP TABLE Stores --'
    with (
        pytest.raises(ValueError, match=r"must be named by letters, digits and underscores"),
        layout(star_server, columns=columns).connect(NEEDED),
    ):
        pass
    columns["Stores"]["store_region"] = "store_region"
    columns["Transactions"]["quantity"] = "prod_id"
    with (
        pytest.raises(ValueError, match=r"Transactions.prod_id must hold whole numbers; it is "),
        layout(star_server, columns=columns).connect(NEEDED),
    ):
        pass
    with (
        pytest.raises(ValueError, match=r"layout.tables must name \['Baskets', "),
        layout(star_server, tables={}).connect(NEEDED),
    ):
        pass


def test_a_key_that_repeats_or_is_missing_is_refused(
    new_server: Callable[[str], Server], layout: Callable[..., Engine]
) -> None:
    star, server = dirty_star(3), new_server("duckdb")
    times = pyarrow.concat_tables([star["Timestamps"], star["Timestamps"].slice(0, 2)])
    with server.writing() as session:
        create(session, {**star, "Timestamps": times})
    with (
        pytest.raises(ValueError, match=r"Timestamps must have one row per time_id; 2 rows repeat one"),
        layout(server).connect(NEEDED),
    ):
        pass
    with server.writing() as session:
        session.execute('UPDATE "Timestamps" SET time_id = NULL WHERE time_id = 101')
    with (
        pytest.raises(ValueError, match=r"Timestamps needs a time_id in every row; 2 rows have none"),
        layout(server).connect(NEEDED),
    ):
        pass


def test_only_a_database_is_read_in_place(layout: Callable[..., Engine], oracle: ParquetFolder) -> None:
    with (
        pytest.raises(ValueError, match=r"choose database=postgresql, mysql or duckdb; a ParquetFolder holds"),
        layout(oracle).connect(NEEDED),
    ):
        pass


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_week_of_real_data_gives_the_extract_of_its_files(
    kind: str,
    new_server: Callable[[str], Server],
    layout: Callable[..., Engine],
    save: Callable[..., Path],
    tmp_path: Path,
) -> None:
    if "AISLE_REAL_DATA" not in os.environ:
        pytest.skip("AISLE_REAL_DATA names no folder of real data")
    folder = Path(os.environ["AISLE_REAL_DATA"]) / "lgsr"
    star = {name: pyarrow.parquet.read_table(folder / f"{name}.parquet").select(list(WANTED[name])) for name in WANTED}
    star["Timestamps"] = star["Timestamps"].filter(pc.less(star["Timestamps"]["shop_date"], 20060413))
    lines = star["Transactions"]
    star["Transactions"] = lines.filter(pc.is_in(lines["time_id"], star["Timestamps"]["time_id"]))
    baskets = star["Baskets"]
    star["Baskets"] = baskets.filter(pc.is_in(baskets["basket_id"], star["Transactions"]["basket_id"]))
    server = new_server(kind)
    with server.writing() as session:
        create(session, star)
    data = through_the_source(files(star, tmp_path / "files"), save, tmp_path / "data")
    extraction = Extraction(baskets_xx=False, customers_xx=False, sample=100, seed=1)
    oracle = ParquetFolder(data, memory_limit="1GB", threads=1)
    with layout(server).connect(NEEDED) as here, oracle.connect(NEEDED) as there:
        query, key = extraction.baskets(), BASKET_EXTRACT.key
        found = BASKET_EXTRACT.check(here.fetch(query, order_by=key), "here")
        assert found.num_rows > 300
        assert found.equals(BASKET_EXTRACT.check(there.fetch(query, order_by=key), "there"))
