"""Whether lifestages differ: each measure against a slow oracle or data whose truth is known."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.comparison import COMMON, WITHIN, compare
from aisle.features import FeatureTable
from aisle.lifestages import answer, cross_assignment, explained, kinds_of, matches, with_intervals

STAGES = ("OA", "PE", "YA")


def shop(
    seed: int, *, level: float = 0.0, apart: float = 4.0, customers: int = 40
) -> tuple[pd.DataFrame, FeatureTable]:
    """Three lifestages of two segments each, ``apart`` on half of eight features; lifestages differ by ``level``."""
    rng = np.random.default_rng(seed)
    names = pd.Index([f"c{number:03d}" for number in range(3 * customers)], name="customer_id")
    cohort = pd.Series(np.repeat(STAGES, customers), index=names, name="cohort")
    segment = np.tile(np.arange(customers) % 2, 3)
    values = rng.normal(size=(len(names), 8))
    values[:, :4] += apart * segment[:, np.newaxis]
    values[:, 4:] += level * np.repeat(np.arange(3), customers)[:, np.newaxis]
    labels = pd.DataFrame({"customer_id": names, "lifestage": cohort.to_numpy(), "segment": segment})
    return labels, FeatureTable(pd.DataFrame(values, index=names, columns=list("abcdefgh")), cohort)


def intervals(labels: pd.DataFrame, features: FeatureTable, draws: int = 200, seed: int = 1) -> pd.DataFrame:
    return with_intervals(compare(labels, features), labels, features, draws=draws, seed=seed)


def test_intervals_hold_the_correlation_and_are_undefined_where_it_is_one_by_construction() -> None:
    found = intervals(*shop(1, apart=0.5))
    known = found[found["low"].notna()]
    assert (known["low"] < known["correlation"]).all()
    assert (known["correlation"] < known["high"]).all()
    assert known[["low", "high"]].abs().to_numpy().max() <= 1
    mirrored = found[(found["scale"] == WITHIN) & (found["lifestage_a"] == found["lifestage_b"])]
    assert mirrored["low"].isna().all()
    assert len(known) == len(found) - len(mirrored)


def test_the_spread_equals_that_of_a_slow_bootstrap() -> None:
    labels, features = shop(2, apart=0.7)
    row = intervals(labels, features, draws=200).query("scale == 'common' and lifestage_b == 'YA'").iloc[0]
    rng, drawn = np.random.default_rng(9), []
    for _ in range(200):
        rows = np.concatenate([rng.choice(np.flatnonzero(labels["lifestage"] == name), 40) for name in STAGES])
        values = features.values.iloc[rows]
        standard = ((values - values.mean()) / values.std(ddof=0)).to_numpy()
        again = labels.iloc[rows]
        means = [
            standard[
                ((again["lifestage"] == row[f"lifestage_{at}"]) & (again["segment"] == row[f"segment_{at}"]))
            ].mean(axis=0)
            for at in "ab"
        ]
        drawn.append(np.arctanh(np.corrcoef(means)[0, 1]))
    reach = (np.arctanh(row["high"]) - np.arctanh(row["low"])) / (2 * 1.959964)
    assert reach == pytest.approx(np.std(drawn, ddof=1), rel=0.25)


def test_intervals_follow_from_the_seed_and_a_tiny_segment_has_none() -> None:
    labels, features = shop(3)
    pd.testing.assert_frame_equal(intervals(labels, features), intervals(labels, features))
    one = labels.assign(segment=np.where(labels["customer_id"] == "c000", 2, labels["segment"]))
    found = intervals(one, features)
    tiny = (found["lifestage_a"] == "OA") & (found["segment_a"] == 2)
    assert found.loc[tiny, "low"].isna().all()
    assert found.loc[~tiny & (found["segment_b"] != 2) & (found["scale"] == COMMON), "low"].notna().all()
    with pytest.raises(ValueError, match=r"stage\.draws must be at least 2; got 1"):
        intervals(labels, features, draws=1)


def test_a_feature_that_is_constant_in_a_lifestage_breaks_nothing() -> None:
    labels, features = shop(4)
    values = features.values.assign(a=features.values["a"].where(features.cohort != "YA", 0.0))
    table = FeatureTable(values, features.cohort)
    assert intervals(labels, table).query("scale == 'common'")["low"].notna().all()
    assert cross_assignment(labels, table, seed=1)["agreement"].notna().all()


def test_everybody_pooled_may_stand_beside_the_lifestages_and_is_matched_with_none() -> None:
    labels, features = shop(5)
    both = pd.concat([labels, labels.assign(lifestage="all")], ignore_index=True)
    found = intervals(both, features)
    assert found.loc[found["lifestage_a"] != found["lifestage_b"], "low"].notna().all()
    assert "all" not in matches(found)[["lifestage_a", "lifestage_b"]].to_numpy()
    assert "all" not in kinds_of(compare(both, features))["lifestage"].tolist()
    assert "all" not in cross_assignment(both, features, seed=1)["rule_of"].tolist()
    alone = explained(both, features, permutations=9, seed=1)
    assert alone is not None
    assert alone.customer_count == len(labels)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_matches_sum_to_the_most_of_all_one_to_one_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, features = shop(seed, apart=0.0)
    found = intervals(labels.assign(segment=rng.integers(0, 3, len(labels))), features, draws=2)
    matched = matches(found).query("scale == 'common' and lifestage_a == 'OA' and lifestage_b == 'YA'")
    table = found.query("scale == 'common' and lifestage_a == 'OA' and lifestage_b == 'YA'").pivot(
        index="segment_a", columns="segment_b", values="correlation"
    )
    best = max(sum(table.to_numpy()[range(3), list(order)]) for order in permutations(range(3)))
    assert matched["correlation"].sum() == pytest.approx(best)
    assert matched["segment_a"].is_unique
    assert matched["segment_b"].is_unique


def test_segments_that_are_alike_in_all_lifestages_are_one_kind() -> None:
    labels, features = shop(6)
    kinds = kinds_of(compare(labels, features))
    assert kinds.groupby("kind")["segment"].nunique().tolist() == [1, 1]
    assert kinds.groupby("kind").size().tolist() == [3, 3]


def test_shares_of_variance_equal_those_of_group_means() -> None:
    labels, features = shop(7, level=0.5)
    found = explained(labels, features, permutations=99, seed=1)
    assert found is not None
    joined = labels.join(features.values, on="customer_id")
    for row in found.features.itertuples():
        column = joined[row.feature]
        between = joined.groupby("lifestage")[row.feature].transform("mean").var(ddof=0) / column.var(ddof=0)
        cells = joined.groupby(["lifestage", "segment"])[row.feature].transform("mean").var(ddof=0) / column.var(ddof=0)
        assert row.lifestage_share == pytest.approx(between)
        assert row.segment_share == pytest.approx(cells - between)
    assert set(found.features.loc[found.features["p_value"] <= 0.01, "feature"]) >= set("efgh")
    assert found.chance_share == pytest.approx(2 / (len(labels) - 1), rel=0.25)


def test_the_answer_tells_lifestages_that_differ_from_those_that_are_alike() -> None:
    told = {}
    for level in (0.0, 1.5):
        labels, features = shop(8, level=level)
        told[level] = answer(
            explained(labels, features, permutations=99, seed=1), cross_assignment(labels, features, seed=1)
        )
    assert told[0.0].word == "behave alike"
    assert told[1.5].word == "differ"
    assert told[1.5].effect is not None
    assert told[1.5].effect > 0.14
    assert "a large effect, p = 0.01" in told[1.5].sentence


def test_lifestages_that_are_cut_elsewhere_are_told_without_another_word() -> None:
    labels, features = shop(9, apart=4.0)
    other = (features.values["h"] > 0).astype(int).to_numpy()
    cut_elsewhere = labels.assign(segment=np.where(labels["lifestage"] == "YA", other, labels["segment"]))
    agreement = cross_assignment(cut_elsewhere, features, seed=1)
    assert agreement.query("lifestage != 'YA' and rule_of != 'YA'")["agreement"].min() > 0.9
    assert agreement.query("lifestage == 'YA'")["agreement"].max() < 0.2
    found = answer(explained(cut_elsewhere, features, permutations=19, seed=1), agreement)
    assert found.word == "behave alike"
    assert "They are not cut alike" in found.sentence


def test_agreement_does_not_depend_on_the_numbers_of_segments() -> None:
    labels, features = shop(10, apart=1.0)
    renamed = labels.assign(segment=9 - 4 * labels["segment"])
    one, other = (cross_assignment(table, features, seed=1) for table in (labels, renamed))
    pd.testing.assert_frame_equal(one, other)


def test_one_lifestage_one_segment_or_nobody_cannot_be_compared() -> None:
    labels, features = shop(11)
    alone = labels[labels["lifestage"] == "YA"]
    for table in (alone, labels.assign(segment=-1), labels.head(0)):
        assert explained(table, features, permutations=9, seed=1) is None
        assert matches(intervals(table, features, draws=2)).empty
    whole = labels.assign(segment=0)
    agreement = cross_assignment(whole, features, seed=1)
    assert agreement.empty
    found = answer(explained(whole, features, permutations=9, seed=1), agreement)
    assert found.cut is None
    assert "No two lifestages have segments" in found.sentence
    with pytest.raises(ValueError, match=r"stage\.permutations must be at least 1; got 0"):
        explained(whole, features, permutations=0, seed=1)
