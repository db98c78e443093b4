"""Extract and features of 3.03 million lines on embedded DuckDB, against the recipe in pandas."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.measuring import Measurement, measure
from benchmarks.results import Report, Row

Ours = Callable[..., Measurement]
CODES = ("basket_size", "basket_type", "dominant_mission", "basket_price_sensitivity")


def embedded(*, data: str, output: str) -> Callable[[], object]:
    from aisle.database import Extraction, ParquetFolder
    from aisle.database.dialects import compiled
    from aisle.features import Baskets
    from aisle.features.exact import relation
    from aisle.stages import extract, features
    from aisle.storage import write_json
    from aisle.tables import CANONICAL

    compiled(relation(CANONICAL["lines"]), "duckdb")  # Ibis imports its compilers when it is first asked
    folder = Path(output)
    write_json({}, folder / "fingerprint.json")

    def work() -> None:
        extract.run(
            database=ParquetFolder(Path(data), "512MB", 2),
            extraction=Extraction(baskets_xx=False, customers_xx=False, sample=50_000, seed=1),
            fingerprint=folder / "fingerprint.json",
            output=folder / "extract",
        )
        features.run(
            database=ParquetFolder(folder / "extract", "512MB", 2),
            summary=folder / "extract" / "summary.json",
            blocks={"baskets": Baskets()},
            name="baskets",
            output=folder / "features",
        )

    return work


def recipe(*, data: str) -> Callable[[], object]:
    """Group by, merge, get_dummies, group by: the same features of the same baskets, unchecked and not sampled."""
    import numpy as np
    import pandas as pd

    def read(name: str) -> "pd.DataFrame":
        return pd.read_parquet(Path(data) / f"{name}.parquet")

    def work() -> "pd.DataFrame":
        lines = read("lines")
        lines["spend"] = lines["spend"].astype(float)
        baskets = lines.groupby("basket_id").agg(
            quantity_std=("quantity", lambda quantity: quantity.std(ddof=0)),
            product_count=("product_id", "nunique"),
            item_count=("quantity", "sum"),
            spend=("spend", "sum"),
        )
        named = read("baskets").rename(columns={"price_sensitivity": "basket_price_sensitivity"})
        joined = named.merge(baskets, on="basket_id").merge(read("customers"), on="customer_id")
        joined = joined.merge(read("stores"), on="store_id")
        joined = joined[~(joined[[*CODES, "price_sensitivity"]] == "XX").any(axis=1)]
        dummies = pd.get_dummies(
            joined[["customer_id", *CODES, "price_sensitivity"]], columns=[*CODES, "price_sensitivity"]
        )
        kinds = dummies.groupby("customer_id").agg(["max", "mean"])
        kinds.columns = ["_".join(pair) for pair in kinds.columns]
        numbers = joined.groupby("customer_id")[["quantity_std", "product_count", "item_count", "spend"]].mean()
        days = joined.assign(day=joined["shopped_at"].dt.normalize())[["customer_id", "day"]].drop_duplicates()
        gaps = days.sort_values(["customer_id", "day"]).groupby("customer_id")["day"].diff() / np.timedelta64(1, "D")
        return numbers.join(kinds).join(gaps.groupby(days["customer_id"]).agg(["min", "max", "mean"]))

    return work


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The canonical tables of the public grocery star, as stage=fetch writes them."""
    if "AISLE_REAL_DATA" not in os.environ:
        pytest.skip("AISLE_REAL_DATA names no folder of real data")
    from aisle.sources.grocery_star import GroceryStar
    from aisle.stages import fetch

    folder = tmp_path_factory.mktemp("star") / "data"
    fetch.run(source=GroceryStar(f"{os.environ['AISLE_REAL_DATA']}/lgsr"), output=folder)
    return folder


def test_extract_and_features(ours: Ours, report: Report, lines: Path, tmp_path: Path) -> None:
    mine = ours(embedded, data=str(lines), output=str(tmp_path))
    peer = measure(recipe, data=str(lines))
    name = "extract and features of 3.03 M lines, embedded"
    limit = "the recipe checks no key or value, samples nobody, sums nothing by product group and half, writes nothing"
    report.add(Row(name, mine, "pandas", peer=peer, at_least=10, at_most_mib=1024, limit=limit))
