"""Extract and features of 3.03 million lines on embedded DuckDB, against the recipe in pandas."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from benchmarks.measuring import Measurement, measure
from benchmarks.results import Report, Row

if TYPE_CHECKING:
    import pandas as pd

Ours = Callable[..., Measurement]
TABLES = ("lines", "baskets", "customers", "stores")
SAMPLE = 50_000
REPEATS = 3
"""Of ours and of the peer the best call counts: seconds of one call differ by a third on a busy machine."""
CODES = ("basket_size", "basket_type", "dominant_mission", "basket_price_sensitivity")


def embedded(*, data: str, output: str, spend: bool) -> Callable[[], object]:
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
            extraction=Extraction(baskets_xx=False, customers_xx=False, sample=SAMPLE, seed=1),
            fingerprint=folder / "fingerprint.json",
            output=folder / "extract",
            spend=spend,
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
    return lambda: _features(_joined(*(_read(data, name) for name in TABLES)))


def same_work(*, data: str, output: str) -> Callable[[], object]:
    """The recipe with what ours does besides: keys and values checked, customers sampled, spend by group, files."""
    import hashlib

    def hashed(ids: "pd.Series[str]") -> "pd.Series[str]":
        return ids.map(lambda one: hashlib.md5(f"{one}:1".encode()).hexdigest())  # noqa: S324

    def sampled(joined: "pd.DataFrame") -> "pd.DataFrame":
        sizes = joined.groupby(["lifestage", "customer_id"], as_index=False).size()
        sizes = sizes.assign(draw=hashed(sizes["customer_id"])).sort_values(["lifestage", "draw"])
        before = sizes.groupby("lifestage")["size"].cumsum() - sizes["size"]
        return joined[joined["customer_id"].isin(sizes.loc[before < SAMPLE, "customer_id"])]

    def parity(kept: "pd.DataFrame", of: str) -> "pd.Series[int]":
        return kept.sort_values([of, "shopped_at", "basket_id"]).groupby(of).cumcount() % 2

    def work() -> None:
        lines, baskets, customers, stores, products = (_read(data, name) for name in (*TABLES, "products"))
        keys = [
            lines[["basket_id", "product_id"]],
            *(rows.iloc[:, :1] for rows in (baskets, customers, stores, products)),
        ]
        assert not any(key.duplicated().any() or key.isna().any(axis=None) for key in keys)
        assert (lines["quantity"] >= 1).all()
        assert (lines["spend"] >= 0).all()
        kept = sampled(_joined(lines, baskets, customers, stores))
        ends = kept["shopped_at"].agg(["min", "max"])
        halves = {
            "late": kept["shopped_at"] >= ends.mean(),
            "of_store": parity(kept, "store_id"),
            "of_customer": parity(kept, "customer_id"),
        }
        marked = kept[["basket_id", "customer_id", "store_id"]].assign(**halves)
        groups = products[["product_id", "product_group"]]
        bought = lines.merge(marked, on="basket_id").merge(groups, how="left")
        for who, half in (("customer_id", "of_customer"), ("store_id", "of_store")):
            spend = bought.groupby([who, "product_group", half, "late"])[["quantity", "spend"]].sum()
            spend.to_parquet(Path(output) / f"{who}.parquet")
        kept.to_parquet(Path(output) / "baskets.parquet")
        _features(kept).to_parquet(Path(output) / "features.parquet")

    return work


def _read(data: str, name: str) -> "pd.DataFrame":
    """A table as pandas calculates with it: money as doubles."""
    import pandas as pd

    rows = pd.read_parquet(Path(data) / f"{name}.parquet")
    return rows.assign(spend=rows["spend"].astype(float)) if name == "lines" else rows


def _joined(
    lines: "pd.DataFrame", baskets: "pd.DataFrame", customers: "pd.DataFrame", stores: "pd.DataFrame"
) -> "pd.DataFrame":
    numbers = lines.groupby("basket_id").agg(
        quantity_std=("quantity", lambda quantity: quantity.std(ddof=0)),
        product_count=("product_id", "nunique"),
        item_count=("quantity", "sum"),
        spend=("spend", "sum"),
    )
    named = baskets.rename(columns={"price_sensitivity": "basket_price_sensitivity"})
    joined = named.merge(numbers, on="basket_id").merge(customers, on="customer_id").merge(stores, on="store_id")
    return joined[~(joined[[*CODES, "price_sensitivity"]] == "XX").any(axis=1)]


def _features(joined: "pd.DataFrame") -> "pd.DataFrame":
    import numpy as np
    import pandas as pd

    dummies = pd.get_dummies(
        joined[["customer_id", *CODES, "price_sensitivity"]], columns=[*CODES, "price_sensitivity"]
    )
    kinds = dummies.groupby("customer_id").agg(["max", "mean"])
    kinds.columns = ["_".join(pair) for pair in kinds.columns]
    numbers = joined.groupby("customer_id")[["quantity_std", "product_count", "item_count", "spend"]].mean()
    days = joined.assign(day=joined["shopped_at"].dt.normalize())[["customer_id", "day"]].drop_duplicates()
    gaps = days.sort_values(["customer_id", "day"]).groupby("customer_id")["day"].diff() / np.timedelta64(1, "D")
    return numbers.join(kinds).join(gaps.groupby(days["customer_id"]).agg(["min", "max", "mean"]))


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


def test_features_of_baskets(ours: Ours, report: Report, lines: Path, tmp_path: Path) -> None:
    mine = ours(embedded, data=str(lines), output=str(tmp_path), spend=False, repeats=REPEATS)
    peer = measure(recipe, data=str(lines), repeats=REPEATS)
    name = "extract and features of 3.03 M lines, embedded"
    note = f"the best of {REPEATS} calls each; ours, with spend=false, also checks, samples and writes"
    report.add(Row(name, mine, "pandas", peer=peer, at_least=10, at_most_mib=1024, note=note))


def test_extract_with_spend_per_product_group(ours: Ours, report: Report, lines: Path, tmp_path: Path) -> None:
    mine = ours(embedded, data=str(lines), output=str(tmp_path), spend=True, repeats=REPEATS)
    peer = measure(same_work, data=str(lines), output=str(tmp_path), repeats=REPEATS)
    name = "extract with spend per product group and half, and features, of 3.03 M lines, embedded"
    note = f"the best of {REPEATS} calls each; peer: the recipe and the checks, the sample, the spend, the files"
    report.add(Row(name, mine, "pandas", peer=peer, at_most_mib=1024, note=note))
