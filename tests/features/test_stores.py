"""Features of stores: rows are stores, the cohort is their format, and no other block notices the difference."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest

from aisle.database import Extraction, ParquetFolder
from aisle.features import FeatureBlock, Mix, Rfm
from aisle.features.stores import UNKNOWN_FORMAT, Stores
from aisle.stages import extract, features
from aisle.storage import read_features, read_table, write_json
from aisle.tables import BASKET_EXTRACT, STORE_GROUP_SPEND, UNSEGMENTED


@pytest.fixture(scope="module")
def extracted(data: Path, tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    write_json({}, folder / "fingerprint.json")
    extract.run(
        database=ParquetFolder(data, "1GB", 1),
        extraction=Extraction(baskets_xx=True, customers_xx=True, sample="all", seed=1),
        fingerprint=folder / "fingerprint.json",
        output=folder / "extract",
    )
    return folder / "extract"


def made(extracted: Path, output: Path, halves: bool = False, **blocks: FeatureBlock) -> Path:
    features.run(
        database=ParquetFolder(extracted, "1GB", 1),
        summary=extracted / "summary.json",
        blocks=blocks,
        name="stores",
        output=output,
        halves=halves,
    )
    return output / "stores.parquet"


def baskets_of(extracted: Path) -> pd.DataFrame:
    rows = read_table(extracted / "basket_extract.parquet", BASKET_EXTRACT).to_pandas(date_as_object=False)
    return rows.assign(spend=rows["spend"].astype(float))


def oracle(baskets: pd.DataFrame) -> pd.DataFrame:
    found = {}
    for store, own in baskets.groupby("store_id"):
        day, known = own["shopped_at"].dt.day_name(), own["basket_price_sensitivity"].dropna()
        weekend = day.isin(["Saturday", "Sunday"])
        on_a_day = weekend.sum() / 2, (~weekend).sum() / 5
        found[store] = {
            "spend_mean": own["spend"].mean(),
            "item_count_mean": own["item_count"].mean(),
            "product_count_mean": own["product_count"].mean(),
            **{f"basket_price_sensitivity_{code.lower()}_share": (known == code).mean() for code in ("LA", "MM", "UM")},
            "hour_mean": own["shopped_at"].dt.hour.mean(),
            "weekend_share": on_a_day[0] / sum(on_a_day),
        }
    return pd.DataFrame.from_dict(found, orient="index")


def test_features_of_stores_equal_an_oracle_that_reads_as_they_are_defined(extracted: Path, tmp_path: Path) -> None:
    found = read_features(made(extracted, tmp_path, stores=Stores(1)))
    baskets = baskets_of(extracted)
    pd.testing.assert_frame_equal(
        found.values, oracle(baskets), check_names=False, check_index_type=False, rtol=1e-12, atol=1e-12
    )
    formats = baskets.groupby("store_id")["store_format"].first().fillna(UNKNOWN_FORMAT)
    assert found.cohort.to_dict() == formats.to_dict()
    assert UNKNOWN_FORMAT in found.cohorts


def test_stores_of_few_baskets_are_left_out_with_the_reason(
    extracted: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counts = baskets_of(extracted)["store_id"].value_counts()
    few = int(counts.median())
    with caplog.at_level(logging.INFO):
        found = read_features(made(extracted, tmp_path, stores=Stores(few)))
    left_out = read_table(tmp_path / "stores_unsegmented.parquet", UNSEGMENTED).to_pandas()
    assert set(found.values.index) == set(counts.index[counts >= few])
    assert set(left_out["customer_id"]) == set(counts.index[counts < few])
    assert set(left_out["reason"]) == {f"fewer than {few} baskets"}
    assert f"stores left out: fewer than {few} baskets" in caplog.text
    assert f"features stores: {len(found.values)} stores, 8 features" in caplog.text


def test_other_blocks_beside_it_are_by_store_too(extracted: Path, tmp_path: Path) -> None:
    found = read_features(made(extracted, tmp_path, stores=Stores(1), rfm=Rfm(), mix=Mix(1.0, 0.0))).values
    baskets = baskets_of(extracted)
    assert found["frequency"].to_dict() == baskets["store_id"].value_counts().to_dict()
    spend = read_table(extracted / "store_group_spend.parquet", STORE_GROUP_SPEND).to_pandas()
    wide = spend.assign(spend=spend["spend"].astype(float)).pivot_table(
        index="store_id", columns="product_group", values="spend", aggfunc="sum", fill_value=0.0
    )
    logs = np.log(wide + 1.0)
    expected = logs.sub(logs.mean(axis=1), axis=0).rename(columns=lambda name: f"mix_{name.replace(' ', '_').lower()}")
    assert np.allclose(found[expected.columns], expected.loc[found.index], rtol=1e-12, atol=1e-12)


def test_the_halves_are_those_of_each_stores_baskets(extracted: Path, tmp_path: Path) -> None:
    made(extracted, tmp_path, halves=True, stores=Stores(1), rfm=Rfm(), mix=Mix(1.0, 0.0))
    whole = baskets_of(extracted)["store_id"].value_counts()
    odd, even = (
        read_features(tmp_path / "halves" / "stores" / f"{half}.parquet").values["frequency"]
        for half in ("odd", "even")
    )
    assert ((odd + even) == whole.loc[odd.index]).all()
    assert (odd - even).isin([0, 1]).all()


def test_without_any_format_stores_are_one_cohort_and_that_is_said(
    tables: dict[str, Any], save: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stores = tables["stores"]
    place = stores.column_names.index("store_format")
    nothing = pyarrow.nulls(stores.num_rows, pyarrow.string())
    without = stores.set_column(place, stores.schema.field(place), nothing)
    write_json({}, tmp_path / "fingerprint.json")
    extract.run(
        database=ParquetFolder(save(tables | {"stores": without}, tmp_path / "data"), "1GB", 1),
        extraction=Extraction(baskets_xx=False, customers_xx=False, sample="all", seed=1),
        fingerprint=tmp_path / "fingerprint.json",
        output=tmp_path / "extract",
    )
    with caplog.at_level(logging.INFO):
        found = read_features(made(tmp_path / "extract", tmp_path, stores=Stores(1)))
    assert found.cohorts == [UNKNOWN_FORMAT]
    assert "the source knows no store format, so all stores are one cohort" in caplog.text


def test_an_extract_without_spend_of_stores_is_named(extracted: Path, tmp_path: Path) -> None:
    for name in ("basket_extract.parquet", "group_spend.parquet", "summary.json"):
        (tmp_path / name).write_bytes((extracted / name).read_bytes())
    made(tmp_path, tmp_path / "alone", stores=Stores(1))
    with pytest.raises(FileNotFoundError, match=r"features=stores needs a table store_group_spend: .*is missing"):
        made(tmp_path, tmp_path / "output", stores=Stores(1), mix=Mix(1.0, 0.05))


def test_a_minimum_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^features\.stores\.minimum_baskets must be at least 1; got 0\.$"):
        Stores(0)
