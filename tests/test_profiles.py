"""Sizes and profiles of segments against a slow oracle, and what they obey."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.features import FeatureTable
from aisle.profiles import contrasts, labels_of, medoids, profiles, sizes

LIFESTAGES = ("OA", "YA")


def table(customers: int, seed: int, **columns: object) -> FeatureTable:
    """Two lifestages with two positive features, one that can be negative, and more columns on request."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"c{number:03d}" for number in range(customers)], name="customer_id")
    cohort = pd.Series(np.array(LIFESTAGES)[np.arange(customers) % 2], index=index, name="cohort")
    values = pd.DataFrame(
        {
            "basket_count": rng.integers(1, 40, customers),
            "spend_mean": rng.gamma(2, 9, customers).round(2),
            "mix_dairy": rng.normal(size=customers),
            **columns,
        },
        index=index,
    )
    return FeatureTable(values.astype("float64"), cohort)


def labels(features: FeatureTable, k: int, seed: int, noise: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    partitions = {}
    for lifestage in LIFESTAGES:
        customers = features.select(lifestage).values.index
        drawn = np.where(rng.random(len(customers)) < noise, -1, rng.integers(0, k, len(customers)))
        drawn[:k] = range(k)
        partitions[lifestage] = pd.Series(drawn, index=customers)
    return labels_of(partitions, features)


def test_profiles_equal_a_slow_oracle() -> None:
    features = table(60, seed=1)
    found = profiles(labels(features, 3, seed=2, noise=0.1), features)
    segment_of = labels(features, 3, seed=2, noise=0.1).set_index(["lifestage", "customer_id"])["segment"]
    assert len(found) == 2 * 3 * 3
    for row in found.to_dict("records"):
        column = features.values[row["feature"]]
        everybody = [column[customer] for lifestage, customer in segment_of.index if lifestage == row["lifestage"]]
        inside = [column[key[1]] for key, s in segment_of.items() if key[0] == row["lifestage"] and s == row["segment"]]
        expected = {
            "mean": np.mean(inside),
            "median": np.median(inside),
            "lifestage_mean": np.mean(everybody),
            "index": np.nan if row["feature"] == "mix_dairy" else 100 * np.mean(inside) / np.mean(everybody),
            "standardised_mean": (np.mean(inside) - np.mean(everybody)) / np.std(everybody),
        }
        assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_profiles_are_sorted_by_segment_with_features_in_their_order() -> None:
    features = table(40, seed=1)
    found = profiles(labels(features, 2, seed=1), features)
    assert found["feature"].tolist() == features.values.columns.tolist() * 4
    assert found[["lifestage", "segment"]].drop_duplicates().to_numpy().tolist() == [
        ["OA", 0],
        ["OA", 1],
        ["YA", 0],
        ["YA", 1],
    ]


def test_the_index_is_undefined_where_the_mean_is_zero_or_the_feature_can_be_negative() -> None:
    features = table(40, seed=1, never=0.0)
    found = profiles(labels(features, 2, seed=1), features).set_index("feature")
    assert found.loc[["never", "mix_dairy"], "index"].isna().all()
    assert found.loc[["basket_count", "spend_mean"], "index"].notna().all()


def test_a_constant_feature_has_no_standardised_mean() -> None:
    features = table(40, seed=1, always=0.1)
    found = profiles(labels(features, 2, seed=1), features).set_index("feature").loc["always"]
    assert found["standardised_mean"].isna().all()
    assert found["index"].to_numpy() == pytest.approx(100)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_weighted_by_size_the_segments_are_the_lifestage(seed: int, k: int) -> None:
    features = table(40, seed)
    drawn = labels(features, k, seed)
    both = profiles(drawn, features).merge(sizes(drawn, features), on=["lifestage", "segment"])
    weighted = both[["mean", "index", "standardised_mean"]].mul(both["customer_share"], axis=0)
    summed = weighted.groupby([both["lifestage"], both["feature"]]).sum(min_count=1)
    lifestage = both.groupby(["lifestage", "feature"])["lifestage_mean"].first()
    assert summed["mean"].to_numpy() == pytest.approx(lifestage.to_numpy(), abs=1e-9)
    assert summed["index"].dropna().to_numpy() == pytest.approx(100)
    assert summed["standardised_mean"].to_numpy() == pytest.approx(0, abs=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.01, 1000))
def test_the_unit_of_a_feature_changes_neither_index_nor_standardised_mean(seed: int, factor: float) -> None:
    features = table(30, seed)
    scaled = FeatureTable(features.values * factor, features.cohort)
    drawn = labels(features, 2, seed, noise=0.2)
    columns = ["index", "standardised_mean"]
    before, after = profiles(drawn, features)[columns], profiles(drawn, scaled)[columns]
    np.testing.assert_allclose(before, after, rtol=1e-7, atol=1e-9)


def test_the_order_of_customers_changes_nothing() -> None:
    features = table(40, seed=3)
    drawn = labels(features, 3, seed=3)
    order = np.random.default_rng(1).permutation(len(drawn))
    mixed = FeatureTable(features.values.iloc[order], features.cohort.iloc[order])
    pd.testing.assert_frame_equal(profiles(drawn.iloc[order], mixed), profiles(drawn, features))
    pd.testing.assert_frame_equal(sizes(drawn.iloc[order], mixed), sizes(drawn, features))


def test_shares_of_a_lifestage_sum_to_one_with_those_in_no_segment() -> None:
    features = table(80, seed=4)
    found = sizes(labels(features, 3, seed=4, noise=0.3), features)
    assert -1 in found["segment"].tolist()
    summed = found.groupby("lifestage")[["customer_share", "basket_share", "spend_share"]].sum()
    assert summed.to_numpy() == pytest.approx(1)


def test_spend_is_that_of_all_baskets_of_a_customer() -> None:
    features = table(4, seed=1)
    values = features.values.assign(basket_count=[1.0, 1, 3, 1], spend_mean=[10.0, 1, 10, 1])
    drawn = pd.DataFrame({"customer_id": ["c000", "c002"], "lifestage": "OA", "segment": [0, 1]})
    found = sizes(drawn, FeatureTable(values, features.cohort))
    assert found["spend_share"].tolist() == [0.25, 0.75]
    assert found["basket_share"].tolist() == [0.25, 0.75]


def test_recency_frequency_and_money_give_the_shares_too() -> None:
    features = table(4, seed=1)
    values = pd.DataFrame({"frequency": [1.0, 0, 1, 0], "monetary": [9.0, 0, 1, 0]}, index=features.values.index)
    drawn = pd.DataFrame({"customer_id": ["c000", "c002"], "lifestage": "OA", "segment": [0, 1]})
    found = sizes(drawn, FeatureTable(values, features.cohort))
    assert (found["basket_share"].tolist(), found["spend_share"].tolist()) == ([0.5, 0.5], [0.9, 0.1])


def test_shares_that_the_features_do_not_know_are_undefined() -> None:
    features = table(20, seed=1)
    only = FeatureTable(features.values[["mix_dairy"]], features.cohort)
    found = sizes(labels(only, 2, seed=1), only)
    assert found[["basket_share", "spend_share"]].isna().all(axis=None)
    assert found["customer_share"].notna().all()


def test_the_pooled_lifestage_may_stand_beside_the_others() -> None:
    features = table(20, seed=1)
    own = features.select("YA").values.index
    everybody = features.values.index
    drawn = labels_of({"YA": pd.Series(0, index=own), "all": pd.Series(0, index=everybody)}, features)
    assert sizes(drawn, features).set_index("lifestage")["customer_count"].to_dict() == {"YA": 10, "all": 20}
    assert drawn["customer_id"].is_monotonic_increasing


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_contrasts_are_the_share_of_variance_between_segments(seed: int, k: int) -> None:
    features = table(40, seed, always=1.0)
    drawn = labels(features, k, seed)
    found = contrasts(profiles(drawn, features), sizes(drawn, features)).set_index(["lifestage", "feature"])
    assert "always" not in found.index.get_level_values("feature")
    joined = drawn.join(features.values, on="customer_id")
    for (lifestage, feature), row in found.iterrows():
        own = joined[joined["lifestage"] == lifestage]
        means = own.groupby("segment")[feature].transform("mean")
        assert row["explained_share"] == pytest.approx(means.var(ddof=0) / own[feature].var(ddof=0))
    assert found.empty == (k == 1)


def test_contrasts_come_largest_first_in_each_lifestage() -> None:
    features = table(60, seed=5)
    drawn = labels(features, 2, seed=5)
    found = contrasts(profiles(drawn, features), sizes(drawn, features))
    assert all(part["explained_share"].is_monotonic_decreasing for _, part in found.groupby("lifestage"))


def test_labels_of_other_customers_are_refused() -> None:
    features = table(20, seed=1)
    with pytest.raises(
        ValueError, match="YA: labels and features must be of the same customers; 9 are in one of them only"
    ):
        labels_of({"YA": pd.Series(0, index=features.select("YA").values.index[:1])}, features)


def test_a_customer_with_two_labels_is_refused() -> None:
    features = table(20, seed=1)
    own = features.select("YA").values.index
    with pytest.raises(ValueError, match="YA: a customer must have one label; c001 has more"):
        labels_of({"YA": pd.Series(0, index=own.append(own[:1]))}, features)


def test_no_lifestage_gives_empty_tables() -> None:
    features = table(20, seed=1)
    drawn = labels_of({}, features)
    assert drawn.columns.tolist() == ["customer_id", "lifestage", "segment"]
    assert profiles(drawn, features).empty
    assert sizes(drawn, features).empty


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_a_medoid_has_the_least_sum_of_squared_distances_to_its_segment(seed: int) -> None:
    features = table(60, seed, always=1.0)
    drawn = labels(features, 2, seed, noise=0.1)
    found = medoids(drawn, features)
    counts = drawn[drawn["segment"] >= 0].groupby(["lifestage", "segment"]).size()
    shown = counts[counts >= 10]
    assert list(zip(found["lifestage"], found["segment"], strict=True)) == list(shown.index)
    assert "customer_id" not in found
    for row in found.to_dict("records"):
        own = features.select(row["lifestage"]).values
        standard = ((own - own.mean()) / own.std(ddof=0)).drop(columns="always")
        same = (drawn["lifestage"] == row["lifestage"]) & (drawn["segment"] == row["segment"])
        members = standard.loc[drawn.loc[same, "customer_id"]].to_numpy()
        totals = ((members[:, np.newaxis] - members[np.newaxis]) ** 2).sum(axis=(1, 2))
        chosen = ((pd.Series(row)[own.columns].astype(float) - own.mean()) / own.std(ddof=0)).drop("always").to_numpy()
        assert ((members - chosen) ** 2).sum() == pytest.approx(totals.min())
