"""Honest differences: right about as often as they say, where a naive test is nearly always wrong."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.clusterers import KMeansPath
from aisle.database import ParquetFolder, customer_features, half_features
from aisle.evidence import Pipelines, differences, held_out_tests, look_at_other_baskets
from aisle.evidence.differences import CONSTANT, SHARED
from aisle.features import Baskets, FeatureTable
from aisle.features.exact import relation
from aisle.features.halves import HALVES, second_half_from
from aisle.tables import BASKET_EXTRACT, EXTRACTED

PIPELINES = Pipelines(StandardScaler(), FunctionTransformer(), {"kmeans": KMeansPath([3], n_init=2)}, seed=1)


def frame(values: npt.NDArray[np.float64]) -> pd.DataFrame:
    names = [f"x{number}" for number in range(values.shape[1])]
    return pd.DataFrame(values, columns=names, index=[f"c{number:04d}" for number in range(len(values))])


def clusters(values: pd.DataFrame) -> "pd.Series[int]":
    table = FeatureTable(values, pd.Series("all", index=values.index, dtype=str))
    labels = PIPELINES.cluster(table)["kmeans"]
    assert not isinstance(labels, str)
    return pd.Series(labels[0], index=values.index)


def test_where_halves_are_independent_false_discoveries_are_as_rare_as_stated_and_the_naive_test_finds_all() -> None:
    """100 populations of 300 customers who do not differ: every difference that is found is a false one."""
    rng = np.random.default_rng(7)
    runs, features = 100, 6
    p, discovered, naive = [], 0, []
    for _ in range(runs):
        odd, even = (frame(rng.lognormal(sigma=0.4, size=(300, features))) for _ in range(2))
        labels = clusters(odd)
        honest = held_out_tests(labels, odd, even, seed=1)
        p.extend(honest["p_value"])
        discovered += bool(differences(honest, honest, rate=0.05)["differs"].any())
        naive += [stats.kruskal(*(own for _, own in odd[name].groupby(labels))).pvalue for name in odd]
    rejected = int((np.array(p) < 0.05).sum())
    assert stats.binomtest(rejected, len(p), 0.05).pvalue > 0.01
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert stats.binomtest(discovered, runs, 0.05, alternative="greater").pvalue > 0.01
    assert np.mean(np.array(naive) < 0.05) > 0.9


def alike(customers: int, seed: int) -> pyarrow.Table:
    """Baskets of customers with one and the same habit: all that differs between them is chance."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(customers), rng.poisson(24, customers) + 4)
    count = owner.size
    items = rng.geometric(0.1, count)
    columns: dict[str, Any] = {
        "basket_id": [f"b{number}" for number in range(count)],
        "customer_id": [f"c{number:04d}" for number in owner],
        "lifestage": ["YA"] * count,
        "price_sensitivity": [None] * count,
        "store_id": ["s"] * count,
        "store_format": [None] * count,
        "store_region": [None] * count,
        "shopped_at": [datetime(2024, 1, 1) + timedelta(days=int(day)) for day in rng.integers(0, 364, count)],
        "basket_size": np.select([items <= 2, items <= 9], ["S", "M"], "L").tolist(),
        "basket_type": rng.choice(["Small Shop", "Top Up", "Full Shop"], count).tolist(),
        "dominant_mission": rng.choice(["Fresh", "Grocery", "Mixed", "Nonfood"], count).tolist(),
        "basket_price_sensitivity": [None] * count,
        "quantity_std": rng.random(count),
        "product_count": items,
        "item_count": items + rng.poisson(2, count),
        "spend": (items * rng.lognormal(size=count)).round(2),
    }
    return pyarrow.table(columns).cast(BASKET_EXTRACT.arrow_schema)


def test_customers_who_are_alike_do_not_differ_though_the_number_of_odd_baskets_gives_away_that_of_the_even(
    tmp_path: Path,
) -> None:
    pyarrow.parquet.write_table(alike(400, seed=5), tmp_path / "basket_extract.parquet")
    relations = {"basket_extract": relation(BASKET_EXTRACT)}
    middle, today = second_half_from(date(2024, 1, 1), date(2024, 12, 29)), date(2024, 12, 30)
    with ParquetFolder(tmp_path, "1GB", 1).connect(EXTRACTED) as connection:
        whole = customer_features(connection, relations, {"baskets": Baskets()}, today)
        parts = {
            half: half_features(connection, relations, whole, today, half=half, middle=middle).features
            for half in HALVES
        }
    tested = {}
    for found_on, looked_at, name in (("odd", "even", "baskets"), ("first", "second", "weeks")):
        found = look_at_other_baskets(parts[found_on], parts[looked_at], PIPELINES, "kmeans", place=0)
        assert found.stayed_share < 0.75
        tested[name] = held_out_tests(found.found, parts[found_on].values, parts[looked_at].values, seed=1)
    both = differences(tested["baskets"], tested["weeks"], rate=0.05).set_index("feature")
    assert both.loc["basket_count", "p_value_baskets"] < 1e-10
    assert not both.loc["basket_count", "differs"]
    assert both["differs"].sum() <= 1
    naive = held_out_tests(clusters(whole.features.values), whole.features.values + 1e-9, whole.features.values, seed=1)
    assert (naive["p_value"] < 0.05).sum() > 10


def habits(n: int = 240) -> tuple["pd.Series[int]", Callable[[], pd.DataFrame]]:
    """Segments of customers, and draws of their baskets: x0 differs by segment, x1 does not, x2 is an attribute."""
    rng = np.random.default_rng(2)
    segment = np.arange(n) % 3
    own = np.column_stack([np.exp(segment), np.ones(n), rng.integers(0, 5, n), np.full(n, 4.0)])
    noise = np.array([1.0, 1.0, 0.0, 0.0])
    labels = pd.Series(segment, index=frame(own).index)
    return labels, lambda: frame(own + noise * rng.lognormal(size=own.shape))


def test_real_differences_are_found_with_their_direction_and_the_rest_is_said_why_not() -> None:
    labels, draw = habits()
    baskets, weeks = (held_out_tests(labels, draw(), draw(), seed=1) for _ in range(2))
    found = differences(baskets, weeks, rate=0.05)
    assert found["feature"].tolist() == ["x0", "x1", "x2", "x3"]
    assert found["differs"].tolist() == [True, False, False, False]
    assert found["untested"].tolist() == ["", "", SHARED, CONSTANT]
    top = found.iloc[0]
    assert top["segment"] == 2
    assert top["rank_biserial"] > 0.9
    assert top["epsilon_squared"] == min(top["epsilon_squared_baskets"], top["epsilon_squared_weeks"])
    assert top["p_value"] == max(top["p_value_baskets"], top["p_value_weeks"])
    assert found.loc[2:, ["p_value", "q_value", "epsilon_squared", "rank_biserial"]].isna().all(axis=None)


def test_noise_small_segments_and_customers_of_one_half_are_not_tested() -> None:
    labels, draw = habits()
    labels = labels.where(labels.index > "c0009", -1)
    labels.iloc[-4:] = 3
    found = held_out_tests(labels, draw(), draw().iloc[:-20], seed=1)
    assert found["customer_count"].unique().tolist() == [240 - 10 - 20]
    assert found.loc[0, "segment"] in (0, 1, 2)
    few = held_out_tests(labels, draw(), draw().iloc[-8:], seed=1)
    assert few["untested"].unique().tolist() == ["fewer than two segments have 5 customers"]
    assert not differences(few, few, rate=0.05)["differs"].any()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=20, max_size=60))
def test_effects_are_those_of_their_definitions(rows: list[tuple[int, int]]) -> None:
    values = frame(np.array([[value] for _, value in rows], dtype=float))
    labels = pd.Series([label for label, _ in rows], index=values.index)
    found = held_out_tests(labels, values + 1, values, seed=1).iloc[0]
    kept = labels[labels.map(labels.value_counts()) >= 5]
    own = values.loc[kept.index, "x0"]
    if found["untested"]:
        assert kept.nunique() < 2 or own.nunique() < 2
        return
    ranks = own.rank()
    between = sum(len(part) * (part.mean() - ranks.mean()) ** 2 for _, part in ranks.groupby(kept))
    assert found["epsilon_squared"] == pytest.approx(between / ((ranks - ranks.mean()) ** 2).sum())
    inside, outside = own[kept == found["segment"]], own[kept != found["segment"]]
    pairs = np.sign(inside.to_numpy()[:, np.newaxis] - outside.to_numpy())
    assert found["rank_biserial"] == pytest.approx(pairs.mean())


def test_where_values_vary_the_p_value_is_that_of_the_chi_squared_law() -> None:
    values = frame(np.random.default_rng(3).normal(size=(90, 4)))
    labels = pd.Series(np.arange(90) % 3, index=values.index)
    found = held_out_tests(labels, values + 1, values, seed=1)
    expected = [stats.kruskal(*(own for _, own in values[name].groupby(labels))).pvalue for name in values]
    assert found["p_value"].tolist() == pytest.approx(expected)


def test_a_single_customer_makes_no_difference() -> None:
    """One customer of 240 has never had such a basket, and is in a segment of 12: that happens in 1 of 20 draws."""
    values = frame(np.ones((240, 1)))
    values.iloc[0] = 0.0
    labels = pd.Series([1] * 12 + [0] * 228, index=values.index)
    found = held_out_tests(labels, values + 1, values, seed=1).iloc[0]
    assert found["p_value"] == pytest.approx(12 / 240, abs=0.01)
    assert stats.kruskal(values["x0"][:12], values["x0"][12:]).pvalue < 1e-4


@given(st.integers(0, 2**32))
def test_permutations_agree_with_fishers_exact_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = frame((rng.random((40, 1)) < 0.2).astype(float))
    labels = pd.Series([0] * 28 + [1] * 12, index=values.index)
    found = held_out_tests(labels, values + 1, values, seed=1).iloc[0]
    if found["untested"]:
        return
    hits, few = int(values["x0"].sum()), int(values["x0"][28:].sum())
    counts = np.arange(max(0, hits - 28), min(hits, 12) + 1)
    far = np.abs(counts - 0.3 * hits) >= abs(few - 0.3 * hits) - 1e-9
    exact = stats.hypergeom(40, hits, 12).pmf(counts)[far].sum()
    assert found["p_value"] == pytest.approx(exact, abs=0.04)


@pytest.mark.parametrize("rate", [0, 1, -0.1, 5])
def test_a_rate_is_a_share(rate: float) -> None:
    labels, draw = habits()
    tests = held_out_tests(labels, draw(), draw(), seed=1)
    message = rf"^stage\.false_discovery_rate must be above 0 and below 1; got {rate}\.$"
    with pytest.raises(ValueError, match=message):
        differences(tests, tests, rate=rate)
