"""Feature blocks equal slow oracles that read as their definitions do."""

import itertools
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.database import Extraction, ParquetFolder
from aisle.database.parquet_folder import FolderConnection
from aisle.features import Baskets, FeatureBlock, Mix, Rfm
from aisle.features.exact import relation
from aisle.storage import write_table
from aisle.tables import BASKET_EXTRACT, CANONICAL, EXTRACTED, GROUP_SPEND

Rows = list[dict[str, Any]]
TODAY = date(2024, 4, 1)
MIDDLE = date(2024, 2, 12)
NUMBERS = ("quantity_std", "product_count", "item_count", "spend")
CODES = {
    "price_sensitivity": ["LA", "MM", "UM"],
    "basket_size": ["S", "M", "L"],
    "basket_price_sensitivity": ["LA", "MM", "UM"],
    "basket_type": ["Small Shop", "Top Up", "Full Shop"],
    "dominant_mission": ["Fresh", "Grocery", "Mixed", "Nonfood"],
}


@cache
def sql(block: FeatureBlock) -> str:
    """The block's query: compiling it costs more than running it."""
    relations = {name: relation(table) for name, table in EXTRACTED.items()}
    return str(ibis.to_sql(block.query(relations, TODAY), dialect="duckdb"))


def values(connection: FolderConnection, block: FeatureBlock) -> pd.DataFrame:
    return block.finish(connection.raw.sql(sql(block)).to_arrow_table().to_pandas()).sort_index()


def connected(baskets: pyarrow.Table, groups: pyarrow.Table, folder: Path) -> Any:
    for name, rows in (("basket_extract", baskets), ("group_spend", groups)):
        pyarrow.parquet.write_table(rows, folder / f"{name}.parquet")
    return ParquetFolder(folder, "1GB", 1).connect(EXTRACTED)


def as_floats(baskets: pyarrow.Table) -> pd.DataFrame:
    frame = baskets.to_pandas(date_as_object=False)
    return frame.assign(spend=frame["spend"].astype(float))


def baskets_oracle(baskets: pyarrow.Table) -> pd.DataFrame:
    """The classic 38 columns, with groupby and get_dummies."""
    frame = as_floats(baskets)
    owner = frame["customer_id"]
    parts = [frame.groupby(owner)[list(NUMBERS)].mean().add_suffix("_mean")]
    parts.append(frame.groupby(owner)["spend"].max().rename("spend_max"))
    parts.append(owner.groupby(owner).size().rename("basket_count"))
    for kind, codes in CODES.items():
        dummies = pd.get_dummies(frame[kind]).reindex(columns=codes, fill_value=False).astype(float)
        dummies = dummies.where(frame[kind].notna(), np.nan)  # an unknown kind is neither this nor that
        names = dummies.rename(columns=lambda code: code.replace(" ", "_").lower())
        if kind == "price_sensitivity":
            parts.append(dummies.add_prefix("price_sensitivity_").groupby(owner).max())
        else:
            parts.append(names.groupby(owner).max().add_prefix(f"{kind}_").add_suffix("_max"))
            parts.append(names.groupby(owner).mean().add_prefix(f"{kind}_").add_suffix("_share"))
    gaps = {}
    for customer, moments in frame.groupby(owner)["shopped_at"]:
        days = sorted({moment.date() for moment in moments})
        between = [(later - earlier).days for earlier, later in itertools.pairwise(days)]
        gaps[customer] = {
            "gap_days_min": min(between, default=np.nan),
            "gap_days_max": max(between, default=np.nan),
            "gap_days_mean": np.mean(between) if between else np.nan,
        }
    parts.append(pd.DataFrame.from_dict(gaps, orient="index"))
    return pd.concat(parts, axis=1).sort_index()


def rfm_oracle(baskets: pyarrow.Table) -> pd.DataFrame:
    found = {}
    for customer, own in as_floats(baskets).groupby("customer_id"):
        days = [moment.date() for moment in own["shopped_at"]]
        found[customer] = {
            "recency_days": (TODAY - max(days)).days,
            "frequency": len(own),
            "monetary": own["spend"].sum(),
            "tenure_days": (TODAY - min(days)).days,
        }
    return pd.DataFrame.from_dict(found, orient="index")


def mix_oracle(groups: pyarrow.Table, smoothing: float, min_buyers_share: float) -> pd.DataFrame:
    spent: dict[str, dict[str, Decimal]] = {}
    for row in groups.to_pylist():
        own = spent.setdefault(row["customer_id"], {})
        own[row["product_group"]] = own.get(row["product_group"], Decimal()) + row["spend"]
    names = {group for own in spent.values() for group in own}
    buyers = {name: sum(own.get(name, 0) > 0 for own in spent.values()) / len(spent) for name in names}
    rare = {name for name in names if buyers[name] < min_buyers_share}
    kept = sorted(names - rare - {"other"}) + (["other"] if rare or "other" in names else [])
    found = {}
    for customer, own in spent.items():
        pooled = {name: float(own.get(name, 0)) for name in kept}
        if rare:
            pooled["other"] = float(sum(own.get(name, Decimal()) for name in rare | ({"other"} & names)))
        logs = {name: np.log(amount + smoothing) for name, amount in pooled.items()}
        middle = sum(logs.values()) / len(logs)
        found[customer] = {f"mix_{name.replace(' ', '_').lower()}": log - middle for name, log in logs.items()}
    return pd.DataFrame.from_dict(found, orient="index").sort_index()


def assert_equal(found: pd.DataFrame, expected: pd.DataFrame, tolerance: float = 1e-12) -> None:
    pd.testing.assert_frame_equal(
        found[sorted(found.columns)],
        expected[sorted(expected.columns)].astype(float),
        rtol=tolerance,
        atol=tolerance,
        check_names=False,
        check_index_type=False,
    )


@pytest.fixture(scope="module")
def extracted(grocery: Callable[..., Any], save: Callable[..., Path], tmp_path_factory: Any) -> Path:
    """The extract of a grocery that still has undefined codes, baskets without a kind and customers of one visit."""
    folder = tmp_path_factory.mktemp("blocks")
    data = save(grocery(80, seed=30), folder / "data")
    everything = Extraction(baskets_xx=True, customers_xx=True, sample="all", seed=1)
    needed = {name: CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")}
    with ParquetFolder(data, "1GB", 1).connect(needed) as connection:
        for table, query in (
            (BASKET_EXTRACT, everything.baskets()),
            (GROUP_SPEND, everything.group_spend(everything.split_spend(MIDDLE))),
        ):
            write_table(connection.fetch(query, order_by=table.key), table, folder / f"{table.name}.parquet")
    return folder


@pytest.fixture(scope="module")
def tables_of(extracted: Path) -> dict[str, pyarrow.Table]:
    return {
        name: pyarrow.parquet.read_table(extracted / f"{name}.parquet") for name in ("basket_extract", "group_spend")
    }


@pytest.fixture
def connection(extracted: Path) -> Any:
    with ParquetFolder(extracted, "1GB", 2).connect(EXTRACTED) as open_connection:
        yield open_connection


def test_baskets_equal_the_oracle(connection: FolderConnection, tables_of: dict[str, pyarrow.Table]) -> None:
    found = values(connection, Baskets())
    expected = baskets_oracle(tables_of["basket_extract"])
    assert found.shape[1] == 38
    assert found["gap_days_min"].isna().any()
    assert_equal(found.drop(columns="quantity_std_mean"), expected.drop(columns="quantity_std_mean"))
    rounded = found["quantity_std_mean"] - expected["quantity_std_mean"]
    assert rounded.abs().max() <= 0.5e-6  # each basket's deviation is rounded to a millionth before it is added


def test_rfm_equals_the_oracle(connection: FolderConnection, tables_of: dict[str, pyarrow.Table]) -> None:
    found = values(connection, Rfm())
    assert list(found.columns) == ["recency_days", "frequency", "monetary", "tenure_days"]
    assert_equal(found, rfm_oracle(tables_of["basket_extract"]))


@pytest.mark.parametrize("smoothing", [0.01, 1.0])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.9, 0.99])
def test_mix_equals_the_oracle(
    connection: FolderConnection, tables_of: dict[str, pyarrow.Table], smoothing: float, share: float
) -> None:
    found = values(connection, Mix(smoothing, share))
    assert_equal(found, mix_oracle(tables_of["group_spend"], smoothing, share))
    assert found.sum(axis=1).abs().max() < 1e-9


BASKET = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["ann", "bob", "Ünal"]),
        "shopped_at": st.sampled_from(
            [
                datetime(2024, 2, 28, 23, 59, 59, 999_999),
                datetime(2024, 2, 29),
                datetime(2024, 3, 1),
                datetime(2023, 12, 31),
            ]
        ),
        **{kind: st.sampled_from([*codes, "XX", None]) for kind, codes in CODES.items() if kind != "price_sensitivity"},
        "quantity_std": st.sampled_from([0.0, 0.5, 1 / 3, 2**0.5, 12345.678901]),
        "product_count": st.integers(1, 500),
        "item_count": st.integers(1, 100_000),
        "spend": st.decimals(0, 9_999_999, places=2),
    }
)


@settings(max_examples=40)
@given(st.lists(BASKET, min_size=1, max_size=12))
def test_blocks_equal_the_oracles_on_whatever_baskets(tmp_path_factory: Any, rows: Rows) -> None:
    fixed = {"lifestage": "YA", "store_id": "s", "store_format": None, "store_region": None}
    sensitivity = {"ann": "LA", "bob": "XX", "Ünal": None}
    full = [
        {**fixed, **row, "basket_id": f"b{number}", "price_sensitivity": sensitivity[row["customer_id"]]}
        for number, row in enumerate(rows)
    ]
    baskets = pyarrow.Table.from_pylist(full, schema=BASKET_EXTRACT.arrow_schema)
    groups = pyarrow.Table.from_pylist([], schema=GROUP_SPEND.arrow_schema)
    with connected(baskets, groups, tmp_path_factory.mktemp("any")) as connection:
        found, rfm = values(connection, Baskets()), values(connection, Rfm())
    expected = baskets_oracle(baskets)
    assert_equal(found.drop(columns="quantity_std_mean"), expected.drop(columns="quantity_std_mean"))
    assert (found["quantity_std_mean"] - expected["quantity_std_mean"]).abs().max() <= 0.5e-6 + 1e-12
    assert_equal(rfm, rfm_oracle(baskets))


SPEND = st.tuples(st.sampled_from(["ann", "bob", "zoe"]), st.sampled_from(["dairy", "fresh fruit", "other", "unknown"]))


@settings(max_examples=40)
@given(
    st.dictionaries(SPEND, st.decimals(0, 9_999_999, places=2), min_size=1),
    st.sampled_from([0.01, 1.0]),
    st.sampled_from([0.0, 0.4, 0.9]),
)
def test_mix_equals_the_oracle_on_whatever_spend(spent: dict[Any, Decimal], smoothing: float, share: float) -> None:
    rows = [
        {
            "customer_id": customer,
            "product_group": group,
            "basket_parity": "odd",
            "time_half": "first",
            "item_count": 1,
            "spend": spend,
        }
        for (customer, group), spend in spent.items()
    ]
    groups = pyarrow.Table.from_pylist(rows, schema=GROUP_SPEND.arrow_schema)
    fetched = pd.DataFrame(
        [{**row, "cents": int(row["spend"] * 100)} for row in rows], columns=["customer_id", "product_group", "cents"]
    )
    found = Mix(smoothing, share).finish(fetched).sort_index()
    assert_equal(found, mix_oracle(groups, smoothing, share), tolerance=1e-9)


def test_the_order_of_fetched_rows_changes_no_mix() -> None:
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(
        [(f"c{customer}", f"g{group}", int(rng.integers(0, 999))) for customer in range(9) for group in range(5)],
        columns=["customer_id", "product_group", "cents"],
    )
    one, two = (Mix(1.0, 0.05).finish(table) for table in (rows, rows.sample(frac=1, random_state=1)))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


@pytest.mark.parametrize(
    ("smoothing", "share", "message"),
    [
        (0.0, 0.1, r"^features\.mix\.smoothing must be above 0; got 0\.0\.$"),
        (-1.0, 0.1, r"^features\.mix\.smoothing must be above 0; got -1\.0\.$"),
        (1.0, 1.0, r"^features\.mix\.min_buyers_share must be in \[0, 1\); got 1\.0\.$"),
        (1.0, -0.1, r"^features\.mix\.min_buyers_share must be in \[0, 1\); got -0\.1\.$"),
    ],
)
def test_mix_refuses_what_has_no_logarithm_or_is_no_share(smoothing: float, share: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mix(smoothing, share)


def test_groups_whose_names_would_be_one_column_are_refused() -> None:
    rows = pd.DataFrame({"customer_id": ["a", "a"], "product_group": ["Pet Food", "pet food"], "cents": [100, 200]})
    message = r"^Product groups must differ in more than case and spaces; these do not: \['Pet Food', 'pet food'\]\.$"
    with pytest.raises(ValueError, match=message):
        Mix(1.0, 0.0).finish(rows)
