"""Data that many tests share: small groceries with every kind of dirt, planted segments, composed configurations."""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from hypothesis import settings
from omegaconf import DictConfig, OmegaConf, open_dict

from aisle.features import FeatureTable
from aisle.storage import write_table
from aisle.tables import CANONICAL

settings.register_profile("steady", deadline=None, derandomize=True)  # a failure must come back on every machine
settings.load_profile("steady")

REPOSITORY = Path(__file__).resolve().parents[1]
GROCERY = ("customers", "stores", "products", "baskets", "lines")


def make_grocery(customers: int, seed: int) -> dict[str, pyarrow.Table]:
    """Canonical tables of a small grocery with everything a real one has.

    Undefined (XX) and null codes, baskets without a card, without lines, of unknown customers and of unknown stores,
    lines of unknown products and of products without a group, one-line baskets, two baskets at the same moment,
    two on the same day, customers with one visit, and money that does not add up in binary.
    """
    rng = np.random.default_rng(seed)
    ids = [f"c{number:04d}" for number in rng.permutation(customers)]
    lifestages = [*("YA", "OA", "YF", "PE") * 3, "OT", "XX", None]
    customer_rows = {
        "customer_id": ids,
        "lifestage": rng.choice(np.array(lifestages, dtype=object), customers).tolist(),
        "price_sensitivity": rng.choice(np.array(["LA", "MM", "UM"] * 3 + ["XX"], dtype=object), customers).tolist(),
    }
    stores = 5
    store_rows = {
        "store_id": [f"s{number}" for number in range(stores)],
        "store_format": ["LS", "MS", "SS", "XLS", None],
        "store_region": ["N", "N", "S", None, "E"],
    }
    groups = np.array(["bakery", "dairy", "drinks", "fresh fruit", "household", "pets", None], dtype=object)
    products = 40
    product_rows = {
        "product_id": [f"p{number:02d}" for number in range(products)],
        "product_class": [f"class {number}" for number in range(products)],
        "department": [f"department {number % 9}" for number in range(products)],
        "product_group": [groups[number % len(groups)] for number in range(products)],
        "division": ["food"] * products,
    }
    visits = np.where(np.arange(customers) % 12 == 5, 1, rng.poisson(7, customers) + 1)
    owner = np.repeat(np.arange(customers), visits)
    count = owner.size
    day = rng.integers(0, 90, count)
    minute = rng.integers(8 * 60, 21 * 60, count)
    again = (rng.random(count) < 0.1) & (np.arange(count) > 0)  # some baskets at the moment of the one before
    day[again], minute[again] = np.roll(day, 1)[again], np.roll(minute, 1)[again]
    shopped_at = np.datetime64("2024-01-01T00:00", "us") + day.astype("m8[D]") + minute.astype("m8[m]")
    card = np.array(ids, dtype=object)[owner]
    card[rng.random(count) < 0.05] = None
    card[rng.random(count) < 0.02] = "nobody knows"
    basket_ids = np.array([f"b{number:05d}" for number in rng.permutation(count)], dtype=object)

    def codes(values: list[str], undefined: float) -> list[str | None]:
        drawn = rng.choice(np.array(values, dtype=object), count)
        drawn[rng.random(count) < undefined] = "XX"
        drawn[rng.random(count) < 0.01] = None
        return drawn.tolist()

    basket_rows = {
        "basket_id": basket_ids.tolist(),
        "customer_id": card.tolist(),
        "store_id": rng.choice(np.array([*store_rows["store_id"], "closed"], dtype=object), count).tolist(),
        "shopped_at": shopped_at.tolist(),
        "basket_size": codes(["S", "M", "L"], 0.03),
        "basket_type": codes(["Small Shop", "Top Up", "Full Shop"], 0.02),
        "dominant_mission": codes(["Fresh", "Grocery", "Mixed", "Nonfood"], 0.02),
        "price_sensitivity": codes(["LA", "MM", "UM"], 0.02),
        "status": [None] * count,
        "paid": [None] * count,
        "payment_count": [None] * count,
    }
    line_count = np.where(rng.random(count) < 0.04, 0, rng.integers(1, 7, count))
    bought = [rng.choice(products, n, replace=False) for n in line_count]
    product_ids = np.array([*product_rows["product_id"][:-1], "delisted"], dtype=object)  # one product is unknown
    lines = int(line_count.sum())
    line_rows = {
        "basket_id": np.repeat(basket_ids, line_count).tolist(),
        "product_id": product_ids[np.concatenate(bought)].tolist(),
        "quantity": rng.geometric(0.6, lines).tolist(),
        "spend": [Decimal(int(cents)) / 100 for cents in rng.integers(0, 3000, lines)],
    }
    rows = dict(zip(GROCERY, (customer_rows, store_rows, product_rows, basket_rows, line_rows), strict=True))
    return {name: pyarrow.table(columns, schema=CANONICAL[name].arrow_schema) for name, columns in rows.items()}


def make_planted(
    sizes: tuple[int, ...], *, separation: float, seed: int, columns: int = 6, scattered: int = 0
) -> tuple[FeatureTable, "pd.Series[int]"]:
    """Round segments of unit variance whose centres are ``separation`` from the middle, and who is in which.

    The centres lie at right angles, turned at random, so that every column tells them apart.
    ``scattered`` customers, labelled -1, lie far out on all sides. Rows are shuffled, all in the lifestage YA.
    """
    rng = np.random.default_rng(seed)
    segment = np.repeat(np.arange(len(sizes)), sizes)
    turn, _ = np.linalg.qr(rng.normal(size=(columns, columns)))
    centres = separation * turn[: len(sizes)]
    inside = centres[segment] + rng.normal(size=(segment.size, columns))
    directions = rng.normal(size=(scattered, columns))
    outside = 3 * separation * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    values, truth = np.vstack([inside, outside]), np.append(segment, np.full(scattered, -1))
    order = rng.permutation(truth.size)
    index = pd.Index([f"c{number:04d}" for number in range(truth.size)], name="customer_id")
    names = [f"feature_{number}" for number in range(columns)]
    features = FeatureTable(
        pd.DataFrame(values[order], index=index, columns=names), pd.Series("YA", index=index, name="cohort")
    )
    return features, pd.Series(truth[order], index=index)


def write_grocery(tables: dict[str, pyarrow.Table], folder: Path) -> Path:
    """The tables as ``<folder>/<table>.parquet``."""
    for name, rows in tables.items():
        write_table(rows, CANONICAL[name], folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def grocery() -> Callable[..., dict[str, pyarrow.Table]]:
    """`make_grocery`."""
    return make_grocery


@pytest.fixture(scope="session")
def planted() -> Callable[..., tuple[FeatureTable, "pd.Series[int]"]]:
    """`make_planted`."""
    return make_planted


@pytest.fixture(scope="session")
def save() -> Callable[[dict[str, pyarrow.Table], Path], Path]:
    """`write_grocery`."""
    return write_grocery


@pytest.fixture(scope="session")
def tables() -> dict[str, pyarrow.Table]:
    """One small grocery: 60 customers."""
    return make_grocery(60, seed=7)


@pytest.fixture(scope="session")
def data(tables: dict[str, pyarrow.Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small grocery as a folder of Parquet files. Only to be read."""
    return write_grocery(tables, tmp_path_factory.mktemp("grocery") / "data")


@pytest.fixture(scope="session")
def compose() -> Callable[..., DictConfig]:
    """``compose(*overrides, study=None)``: the real configuration, or a study's, as the command line composes it.

    Only to be read: equal calls give the same object, for composing costs a tenth of a second.
    """

    @cache
    def once(study: str | None, overrides: tuple[str, ...]) -> DictConfig:
        folder = REPOSITORY / ("experiments" if study else "conf")
        places = [f"hydra.searchpath=[file://{REPOSITORY / 'conf'}]"] if study else []
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(folder), version_base="1.3"):
            cfg = hydra_compose(study or "config", overrides=[*places, *overrides], return_hydra_config=True)
        with open_dict(cfg):
            cfg.hydra.runtime.output_dir = "output"
        return cfg

    def composed(*overrides: str, study: str | None = None) -> DictConfig:
        cfg = once(study, overrides)
        HydraConfig.instance().set_config(cfg)
        return cfg

    return composed


@pytest.fixture(scope="session")
def role(compose: Callable[..., DictConfig]) -> Callable[..., Any]:
    """``role("clusterer", "kmeans", *overrides)``: the instance that an option of ``conf/`` describes."""

    @cache
    def described(name: str, option: str, *overrides: str) -> Any:
        return OmegaConf.to_container(compose(f"{name}={option}", *overrides)[name], resolve=True)

    def made(name: str, option: str, *overrides: str) -> Any:
        return instantiate(described(name, option, *overrides), _convert_="all")

    return made
