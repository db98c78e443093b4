"""Correlations of segment profiles: both scales, their traps, and lifestages with one segment or none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from aisle.comparison import COMMON, SCALES, WITHIN, compare
from aisle.features import FeatureTable
from aisle.profiles import labels_of

FEATURES = [f"feature_{number}" for number in range(8)]


def table(seed: int, lifestages: tuple[str, ...] = ("OA", "PE", "YA"), customers: int = 60) -> FeatureTable:
    rng = np.random.default_rng(seed)
    index = pd.Index([f"c{number:03d}" for number in range(customers)], name="customer_id")
    cohort = pd.Series(np.array(lifestages)[np.arange(customers) % len(lifestages)], index=index, name="cohort")
    level = cohort.map({name: number for number, name in enumerate(lifestages)}).to_numpy(dtype=float)
    values = rng.gamma(2, 3, (customers, len(FEATURES))) + np.outer(level, rng.normal(size=len(FEATURES)))
    return FeatureTable(pd.DataFrame(values, index=index, columns=FEATURES), cohort)


def labels(
    features: FeatureTable, counts: dict[str, int], seed: int = 0, noise: dict[str, int] | None = None
) -> pd.DataFrame:
    """Random segments, as many in each lifestage as ``counts`` says; ``noise`` customers of a lifestage are in none."""
    rng = np.random.default_rng(seed)
    partitions = {}
    for lifestage, count in counts.items():
        customers = features.select(lifestage).values.index
        drawn = np.append(np.arange(count), rng.integers(0, max(count, 1), len(customers) - count))
        drawn[len(customers) - (noise or {}).get(lifestage, 0) :] = -1
        partitions[lifestage] = pd.Series(drawn if count else -1, index=customers)
    return labels_of(partitions, features)


def test_correlations_equal_a_slow_oracle_on_both_scales() -> None:
    features = table(1)
    drawn = labels(features, {"OA": 3, "PE": 2, "YA": 4})
    found = compare(drawn, features)
    segment = drawn.set_index("customer_id")["segment"]
    profiles: dict[str, dict[tuple[str, int], np.ndarray]] = {WITHIN: {}, COMMON: {}}
    for lifestage, number in found.order:
        own = features.select(lifestage).values
        mean = own[segment[own.index] == number].mean()
        profiles[WITHIN][lifestage, number] = ((mean - own.mean()) / own.std(ddof=0)).to_numpy()
        everybody = features.values
        profiles[COMMON][lifestage, number] = ((mean - everybody.mean()) / everybody.std(ddof=0)).to_numpy()
    for scale in SCALES:
        expected = np.corrcoef([profiles[scale][key] for key in found.order])
        np.testing.assert_allclose(found.correlations[scale], expected, atol=1e-12)


def test_two_segments_mirror_each_other_within_their_lifestage_and_the_notes_say_so() -> None:
    features = table(2)
    found = compare(labels(features, {"OA": 2, "PE": 2, "YA": 3}), features)
    assert found.correlations[WITHIN].loc[("OA", 0), ("OA", 1)] == pytest.approx(-1)
    assert found.correlations[COMMON].loc[("OA", 0), ("OA", 1)] > -0.99
    (told,) = (note for note in found.notes if "mirror" in note)
    assert told.startswith("OA, PE: ")


def test_two_segments_do_not_mirror_where_some_customers_are_in_none() -> None:
    features = table(2)
    found = compare(labels(features, {"OA": 2}, noise={"OA": 5}), features)
    assert found.correlations[WITHIN].loc[("OA", 0), ("OA", 1)] > -1 + 1e-6
    assert not any("mirror" in note for note in found.notes)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(-50, 50))
def test_only_the_common_scale_sees_that_a_whole_lifestage_is_different(seed: int, shift: float) -> None:
    features = table(seed)
    drawn = labels(features, {"OA": 2, "YA": 2}, seed)
    moved = features.values + np.outer(features.cohort == "YA", [shift, *[0.0] * (len(FEATURES) - 1)])
    before, after = compare(drawn, features), compare(drawn, FeatureTable(moved, features.cohort))
    keys = before.order
    within_after = after.correlations[WITHIN].loc[keys, keys]
    np.testing.assert_allclose(before.correlations[WITHIN], within_after, atol=1e-9)


def test_a_shifted_lifestage_changes_the_common_scale() -> None:
    features = table(3)
    drawn = labels(features, {"OA": 2, "YA": 2})
    moved = features.values + np.outer(features.cohort == "YA", [50.0] * 4 + [0.0] * 4)
    before, after = compare(drawn, features), compare(drawn, FeatureTable(moved, features.cohort))
    pair = ("OA", 0), ("YA", 0)
    assert abs(before.correlations[COMMON].loc[pair] - after.correlations[COMMON].loc[pair]) > 0.1


def test_the_only_segment_of_a_lifestage_is_compared_on_the_common_scale_alone() -> None:
    features = table(4)
    found = compare(labels(features, {"OA": 1, "YA": 3}), features)
    assert found.correlations[WITHIN].loc[("OA", 0)].isna().all()
    assert found.feature_count[WITHIN].loc[("OA", 0), ("YA", 0)] == 0
    assert found.correlations[COMMON].loc[("OA", 0)].notna().all()
    assert any(note.startswith("OA: the only segment") for note in found.notes)
    assert "OA" not in found.nearest(WITHIN)[["lifestage_a", "lifestage_b"]].to_numpy()


def test_a_lifestage_with_nobody_in_a_segment_is_told_and_left_out() -> None:
    features = table(4)
    found = compare(labels(features, {"OA": 0, "YA": 2}), features)
    assert found.order.get_level_values("lifestage").unique().tolist() == ["YA"]
    assert any(note.startswith("OA: nobody is in a segment") for note in found.notes)


@pytest.mark.parametrize("counts", [{}, {"OA": 0}, {"OA": 1}, {"OA": 1, "YA": 1}])
def test_nothing_to_compare_is_no_error(counts: dict[str, int]) -> None:
    features = table(4)
    found = compare(labels(features, counts), features)
    segments = sum(counts.values())
    assert len(found.order) == segments
    assert len(found.pairs()) == len(SCALES) * segments * (segments - 1) // 2
    assert found.nearest(WITHIN).empty


def test_a_constant_feature_is_left_out_of_the_pairs_it_concerns() -> None:
    features = table(5)
    flat = features.values.assign(feature_0=features.values["feature_0"].where(features.cohort != "OA", 7.0))
    found = compare(labels(features, {"OA": 2, "PE": 2, "YA": 2}), FeatureTable(flat, features.cohort))
    assert found.feature_count[WITHIN].loc[("OA", 0), ("PE", 0)] == len(FEATURES) - 1
    assert found.feature_count[WITHIN].loc[("YA", 0), ("PE", 0)] == len(FEATURES)
    assert found.feature_count[COMMON].loc[("OA", 0), ("PE", 0)] == len(FEATURES)


def test_a_feature_that_is_the_same_for_everybody_is_left_out_on_both_scales() -> None:
    features = table(5)
    same = FeatureTable(features.values.assign(feature_0=0.1), features.cohort)
    found = compare(labels(features, {"OA": 2, "PE": 2, "YA": 2}), same)
    assert all((found.feature_count[scale] == len(FEATURES) - 1).all(axis=None) for scale in SCALES)


def test_segments_that_are_alike_stand_next_to_each_other() -> None:
    rng = np.random.default_rng(6)
    features = table(6, customers=300)
    drawn = labels(features, {"OA": 3, "PE": 3, "YA": 3})
    kinds = rng.normal(scale=20, size=(3, len(FEATURES)))
    own = drawn.set_index("customer_id")["segment"].reindex(features.values.index)
    planted = FeatureTable(features.values + kinds[own.to_numpy()], features.cohort)
    order = compare(drawn, planted).order.get_level_values("segment").tolist()
    assert [len(set(order[start : start + 3])) for start in (0, 3, 6)] == [1, 1, 1]


def test_neighbours_are_as_alike_as_the_tree_of_similarities_allows() -> None:
    features = table(11)
    found = compare(labels(features, {"OA": 4, "PE": 4, "YA": 4}), features)
    ordered = found.correlations[COMMON].to_numpy()
    keys = found.order.sort_values()
    distances = 1 - found.correlations[COMMON].loc[keys, keys].to_numpy()
    plain = leaves_list(linkage(squareform(distances, checks=False), method="average"))
    assert np.diagonal(ordered, 1).sum() > 1.05 * np.diagonal(1 - distances[np.ix_(plain, plain)], 1).sum()


def test_the_order_of_customers_changes_nothing() -> None:
    features = table(7)
    drawn = labels(features, {"OA": 3, "PE": 2, "YA": 4})
    shuffled = np.random.default_rng(1).permutation(len(drawn))
    mixed = FeatureTable(features.values.iloc[shuffled], features.cohort.iloc[shuffled])
    before, after = compare(drawn, features), compare(drawn.iloc[shuffled], mixed)
    assert before.order.equals(after.order)
    pd.testing.assert_frame_equal(before.pairs(), after.pairs())


def test_pairs_are_every_two_segments_once_sorted_on_each_scale() -> None:
    found = compare(labels(table(8), {"OA": 2, "YA": 3}), table(8)).pairs()
    assert found["scale"].tolist() == [WITHIN] * 10 + [COMMON] * 10
    keys = found[["lifestage_a", "segment_a", "lifestage_b", "segment_b"]].iloc[:10].to_numpy().tolist()
    assert keys == sorted(keys)
    assert all((a, b) < (c, d) for a, b, c, d in keys)


def test_the_nearest_segment_is_of_another_lifestage_and_the_most_correlated() -> None:
    found = compare(labels(table(9), {"OA": 3, "PE": 2, "YA": 3}), table(9))
    nearest = found.nearest(COMMON)
    assert len(nearest) == 8
    for row in nearest.to_dict("records"):
        others = (
            found.correlations[COMMON].loc[(row["lifestage_a"], row["segment_a"])].drop(row["lifestage_a"], level=0)
        )
        assert others.idxmax() == (row["lifestage_b"], row["segment_b"])
        assert others.max() == pytest.approx(row["correlation"])


def test_a_customer_in_two_lifestages_counts_once_in_the_common_scale() -> None:
    features = table(10, lifestages=("OA", "YA"))
    own = labels(features, {"OA": 2, "YA": 2})
    pooled = labels(features, {"OA": 2, "YA": 2, "all": 2})
    keys = compare(own, features).order
    expected = compare(own, features).correlations[COMMON]
    np.testing.assert_allclose(compare(pooled, features).correlations[COMMON].loc[keys, keys], expected)
