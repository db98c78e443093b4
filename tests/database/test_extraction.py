"""The extract equals what a slow oracle in plain Python makes of the same awkward tables."""

import math
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from hashlib import md5
from pathlib import Path
from typing import Any

import ibis
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.database import FILTERS_IN_ORDER, Extraction, ParquetFolder
from aisle.database.engine import in_order
from aisle.database.parquet_folder import FolderConnection
from aisle.tables import BASKET_EXTRACT, CANONICAL, GROUP_SPEND

Tables = dict[str, pyarrow.Table]
Rows = list[dict[str, Any]]
NEEDED = {name: CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")}
WAYS = [
    Extraction(baskets_xx=False, customers_xx=False, sample=1, seed=1),
    Extraction(baskets_xx=False, customers_xx=True, sample=2, seed=5),
    Extraction(baskets_xx=True, customers_xx=False, sample=3, seed=1),
    Extraction(baskets_xx=True, customers_xx=True, sample="all", seed=1),
]
MIDDLE = date(2024, 2, 29)
"""The first day of the second half of the weeks: on both sides of it are baskets."""
CODES = ("basket_size", "basket_type", "dominant_mission", "price_sensitivity")


@dataclass(frozen=True)
class Extract:
    """What an extraction gives: its two tables, and ``{filter: (baskets, customers)}`` of what it dropped."""

    baskets: Rows
    groups: Rows
    filters: dict[str, tuple[int, int]]


@contextmanager
def connected(tables: Tables) -> Iterator[FolderConnection]:
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in tables.items():
            pyarrow.parquet.write_table(rows, Path(folder) / f"{name}.parquet")
        with ParquetFolder(Path(folder), memory_limit="1GB", threads=1).connect(NEEDED) as connection:
            yield connection


@cache
def queries(extraction: Extraction) -> list[str]:
    """The extraction's SQL: compiling costs more than running it."""
    tables = (extraction.baskets(), extraction.group_spend(extraction.split_spend(MIDDLE)), extraction.filters())
    return [str(ibis.to_sql(table, dialect="duckdb")) for table in tables]


def extracted(connection: FolderConnection, extraction: Extraction) -> Extract:
    """What the database gives, through the contracts."""
    baskets, groups, filters = (connection.raw.sql(query).to_arrow_table() for query in queries(extraction))
    baskets, groups = in_order(baskets, BASKET_EXTRACT.key), in_order(groups, GROUP_SPEND.key)
    dropped = filters.to_pylist()
    return Extract(
        BASKET_EXTRACT.check(baskets, "the database").to_pylist(),
        GROUP_SPEND.check(groups, "the database").to_pylist(),
        {FILTERS_IN_ORDER[row["filter_number"]]: (row["basket_count"], row["customer_count"]) for row in dropped},
    )


def deviation(quantities: list[int]) -> float:
    """Population standard deviation, in fractions until the root."""
    mean = Fraction(sum(quantities), len(quantities))
    return math.sqrt(sum((quantity - mean) ** 2 for quantity in quantities) / len(quantities))


def halves_oracle(kept: Rows) -> dict[str, tuple[str, str]]:
    """Parity and half of the weeks by basket."""
    owned: dict[str, Rows] = defaultdict(list)
    for basket in kept:
        owned[basket["customer_id"]].append(basket)
    found = {}
    for own in owned.values():
        hashed = {row["basket_id"]: md5(row["basket_id"].encode(), usedforsecurity=False).hexdigest() for row in own}
        in_time = sorted(own, key=lambda row: (row["shopped_at"], hashed[row["basket_id"]]))
        for number, basket in enumerate(in_time, start=1):
            half = "first" if basket["shopped_at"].date() < MIDDLE else "second"
            found[basket["basket_id"]] = ("odd" if number % 2 else "even", half)
    return found


def oracle(tables: Tables, extraction: Extraction) -> Extract:
    """Basket by basket, as the rules read."""
    rows = {name: table.to_pylist() for name, table in tables.items()}
    customers = {row["customer_id"]: row for row in rows["customers"]}
    stores = {row["store_id"]: row for row in rows["stores"]}
    groups = {row["product_id"]: row["product_group"] for row in rows["products"]}
    lines = defaultdict(list)
    for line in rows["lines"]:
        lines[line["basket_id"]].append(line)

    kept: Rows = []
    dropped: dict[str, Rows] = defaultdict(list)
    for basket in rows["baskets"]:
        owner = customers.get(basket["customer_id"], {})
        lifestage = owner.get("lifestage")
        judged = {**basket, "owner": owner, "lifestage": "unclassified" if lifestage in (None, "XX") else lifestage}
        if basket["customer_id"] is None:
            dropped[FILTERS_IN_ORDER[0]].append(judged)
        elif not lines[basket["basket_id"]]:
            dropped[FILTERS_IN_ORDER[1]].append(judged)
        elif not extraction.baskets_xx and "XX" in [basket[code] for code in CODES]:
            dropped[FILTERS_IN_ORDER[2]].append(judged)
        elif not extraction.customers_xx and owner.get("price_sensitivity") == "XX":
            dropped[FILTERS_IN_ORDER[3]].append(judged)
        else:
            kept.append(judged)

    if extraction.sample != "all":
        owned: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for basket in kept:
            owned[basket["lifestage"]][basket["customer_id"]] += 1
        drawn = set()
        for counts in owned.values():
            taken = 0
            for customer in sorted(
                counts, key=lambda name: md5(f"{name}:{extraction.seed}".encode(), usedforsecurity=False).hexdigest()
            ):
                if taken < extraction.sample:
                    drawn.add(customer)
                taken += counts[customer]
        dropped[FILTERS_IN_ORDER[4]] = [basket for basket in kept if basket["customer_id"] not in drawn]
        kept = [basket for basket in kept if basket["customer_id"] in drawn]

    spent: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    halves = halves_oracle(kept)
    baskets = []
    for basket in sorted(kept, key=lambda row: row["basket_id"].encode()):
        own = lines[basket["basket_id"]]
        store = stores.get(basket["store_id"], {})
        baskets.append(
            {
                "basket_id": basket["basket_id"],
                "customer_id": basket["customer_id"],
                "lifestage": basket["lifestage"],
                "price_sensitivity": basket["owner"].get("price_sensitivity"),
                "store_id": basket["store_id"],
                "store_format": store.get("store_format"),
                "store_region": store.get("store_region"),
                "shopped_at": basket["shopped_at"],
                "basket_size": basket["basket_size"],
                "basket_type": basket["basket_type"],
                "dominant_mission": basket["dominant_mission"],
                "basket_price_sensitivity": basket["price_sensitivity"],
                "quantity_std": deviation([line["quantity"] for line in own]),
                "product_count": len({line["product_id"] for line in own}),
                "item_count": sum(line["quantity"] for line in own),
                "spend": sum((line["spend"] for line in own), Decimal()),
            }
        )
        for line in own:
            group = groups.get(line["product_id"]) or "unknown"
            spent[basket["customer_id"], group, *halves[basket["basket_id"]]].append(line)
    return Extract(
        baskets,
        [
            {
                "customer_id": customer,
                "product_group": group,
                "basket_parity": parity,
                "time_half": half,
                "item_count": sum(line["quantity"] for line in own),
                "spend": sum((line["spend"] for line in own), Decimal()),
            }
            for (customer, group, parity, half), own in sorted(spent.items())
        ],
        {
            name: (len(gone), len({basket["customer_id"] for basket in gone} - {None}))
            for name, gone in dropped.items()
            if gone
        },
    )


def assert_equal(found: Extract, expected: Extract) -> None:
    """Everything exactly, but the deviation to the last bits of a double."""
    assert [row.pop("quantity_std") for row in found.baskets] == pytest.approx(
        [row.pop("quantity_std") for row in expected.baskets], rel=1e-12, abs=0
    )
    assert found.baskets == expected.baskets
    assert found.groups == expected.groups
    assert found.filters == expected.filters


@pytest.mark.parametrize("grocery_seed", [7, 8])
def test_the_extract_equals_the_oracle_for_every_switch_sample_and_seed(
    grocery: Callable[..., Tables], grocery_seed: int
) -> None:
    tables = grocery(60, seed=grocery_seed)
    switches = [(baskets_xx, customers_xx) for baskets_xx in (False, True) for customers_xx in (False, True)]
    drawn = [(1, 1), (25, 2), (60, 3), (10**6, 1)]
    with connected(tables) as connection:
        for extraction in (
            *(Extraction(*switch, sample, 1) for switch in switches for sample in (25, "all")),
            *(Extraction(*switch, sample, seed) for switch, (sample, seed) in zip(switches, drawn, strict=True)),
        ):
            assert_equal(extracted(connection, extraction), oracle(tables, extraction))


def basket_tables(draw: st.DrawFn) -> Tables:
    """A few rows of every table, each value from a small pool, so that all that is awkward meets."""
    some = lambda *values: st.sampled_from(values)  # noqa: E731
    customers = draw(st.lists(some("ann", "bob", "Ünal", "zoe", "'; --"), unique=True, max_size=5))
    baskets = draw(st.lists(some(*(f"b{number}" for number in range(12))), unique=True, max_size=12))
    columns: dict[str, Any] = {
        "customers": {
            "customer_id": customers,
            "lifestage": [draw(some("YA", "PE", "XX", None)) for _ in customers],
            "price_sensitivity": [draw(some("LA", "XX", None)) for _ in customers],
        },
        "stores": {"store_id": ["s1", "s2"], "store_format": ["LS", None], "store_region": [None, "N"]},
        "products": {
            "product_id": ["p1", "p2", "p3", "p4"],
            "product_class": [None] * 4,
            "department": [None] * 4,
            "product_group": ["dairy", "dairy", None, "unknown"],
            "division": [None] * 4,
        },
        "baskets": {
            "basket_id": baskets,
            "customer_id": [draw(some("ann", "bob", "Ünal", "zoe", "'; --", "stranger", None)) for _ in baskets],
            "store_id": [draw(some("s1", "s2", "closed")) for _ in baskets],
            "shopped_at": [draw(some(datetime(2024, 2, 28, 23, 59), datetime(2024, 2, 29))) for _ in baskets],
            "basket_size": [draw(some("S", "XX", None)) for _ in baskets],
            "basket_type": [draw(some("Top Up", "XX", None)) for _ in baskets],
            "dominant_mission": [draw(some("Fresh", "XX", None)) for _ in baskets],
            "price_sensitivity": [draw(some("MM", "XX", None)) for _ in baskets],
            "status": [None for _ in baskets],
            "paid": [draw(some(None, Decimal("0.01"))) for _ in baskets],
            "payment_count": [draw(some(None, 0, 2)) for _ in baskets],
        },
    }
    keys = draw(
        st.lists(
            st.tuples(some(*(f"b{number}" for number in range(13))), some("p1", "p2", "p3", "p4", "delisted")),
            unique=True,
            max_size=30,
        )
    )
    columns["lines"] = {
        "basket_id": [basket for basket, _ in keys],
        "product_id": [product for _, product in keys],
        "quantity": [draw(some(1, 2, 89_638)) for _ in keys],
        "spend": [draw(some(Decimal("0.00"), Decimal("0.10"), Decimal("99999999.99"))) for _ in keys],
    }
    return {name: pyarrow.table(rows, schema=CANONICAL[name].arrow_schema) for name, rows in columns.items()}


@settings(max_examples=60)
@given(st.data())
def test_the_extract_equals_the_oracle_on_whatever_tables(data: st.DataObject) -> None:
    tables = basket_tables(data.draw)
    extraction = data.draw(st.sampled_from(WAYS))
    with connected(tables) as connection:
        assert_equal(extracted(connection, extraction), oracle(tables, extraction))


@pytest.mark.parametrize("sample", [20, "all"])
def test_every_basket_is_kept_or_counted_under_one_filter(tables: Tables, sample: int | str) -> None:
    with connected(tables) as connection:
        found = extracted(connection, Extraction(False, False, sample, 1))
    dropped = sum(baskets for baskets, _ in found.filters.values())
    assert len(found.baskets) + dropped == tables["baskets"].num_rows
    assert set(found.filters) == set(FILTERS_IN_ORDER) - ({FILTERS_IN_ORDER[4]} if sample == "all" else set())


def test_a_sample_takes_whole_customers_and_stops_once_it_is_full(tables: Tables) -> None:
    with connected(tables) as connection:
        everybody = extracted(connection, Extraction(False, False, "all", 1)).baskets
        some = extracted(connection, Extraction(False, False, 30, 1)).baskets
    owned, drawn = defaultdict(set), defaultdict(set)
    for rows, found in ((everybody, owned), (some, drawn)):
        for row in rows:
            found[row["lifestage"], row["customer_id"]].add(row["basket_id"])
    assert all(owned[customer] == baskets for customer, baskets in drawn.items())
    for lifestage in {lifestage for lifestage, _ in owned}:
        sizes = [len(baskets) for (stage, _), baskets in drawn.items() if stage == lifestage]
        available = sum(len(baskets) for (stage, _), baskets in owned.items() if stage == lifestage)
        assert sum(sizes) >= min(30, available)
        assert sum(sizes) - max(sizes) < 30


def test_a_larger_sample_holds_the_smaller_one_and_another_seed_another(tables: Tables) -> None:
    def drawn(connection: FolderConnection, sample: int, seed: int) -> set[str]:
        return {row["customer_id"] for row in extracted(connection, Extraction(False, False, sample, seed)).baskets}

    with connected(tables) as connection:
        assert drawn(connection, 20, 1) < drawn(connection, 40, 1)
        assert drawn(connection, 20, 1) != drawn(connection, 20, 2)


@settings(max_examples=15)
@given(st.lists(st.lists(st.integers(1, 1_000_000), min_size=1, max_size=30), min_size=1, max_size=20))
def test_the_deviation_of_quantity_is_that_of_the_population_to_the_twelfth_digit(
    tables: Tables, quantities: list[list[int]]
) -> None:
    names = [f"b{number}" for number in range(len(quantities))]
    first = tables["baskets"].slice(0, 1).to_pylist()[0]
    baskets = [{**first, "basket_id": name, "customer_id": "ann", **dict.fromkeys(CODES)} for name in names]
    lines = [
        {"basket_id": name, "product_id": f"p{number}", "quantity": quantity, "spend": Decimal("0.10")}
        for name, own in zip(names, quantities, strict=True)
        for number, quantity in enumerate(own)
    ]
    changed = {
        **tables,
        "baskets": pyarrow.Table.from_pylist(baskets, schema=CANONICAL["baskets"].arrow_schema),
        "lines": pyarrow.Table.from_pylist(lines, schema=CANONICAL["lines"].arrow_schema),
    }
    with connected(changed) as connection:
        found = {row["basket_id"]: row for row in extracted(connection, Extraction(False, False, "all", 1)).baskets}
    for name, own in zip(names, quantities, strict=True):
        assert found[name]["quantity_std"] == pytest.approx(deviation(own), rel=1e-12, abs=0)
        assert found[name]["spend"] == Decimal("0.10") * len(own)


@pytest.mark.parametrize("sample", [0, -5, 1.5, "everybody", True, None])
def test_a_sample_is_a_number_of_baskets_or_all(sample: Any) -> None:
    message = rf"^sample must be a positive whole number of baskets or 'all'; got {sample!r}\.$"
    with pytest.raises(ValueError, match=message):
        Extraction(False, False, sample, 1)
