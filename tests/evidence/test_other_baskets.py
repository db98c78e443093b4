"""Clusters found on one half of the baskets and looked for on the other."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.evidence.conftest import table

from aisle.clusterers import HDBSCANPath, KMeansPath
from aisle.evidence import OtherBaskets, Pipelines, look_at_other_baskets
from aisle.features import FeatureTable
from aisle.partition import PartitionPath


def pipelines(**clusterers: Any) -> Pipelines:
    return Pipelines(StandardScaler(), FunctionTransformer(), clusterers, seed=1)


def halves(gap: float, *, noise: float = 1.0, n: int = 300, seed: int = 3) -> tuple[FeatureTable, FeatureTable]:
    """Two draws of the same customers, whose habits are in three places ``gap`` apart."""
    rng = np.random.default_rng(seed)
    habits = gap * np.eye(4)[rng.integers(0, 3, n)]
    first, second = (
        table(pd.DataFrame(habits + noise * rng.normal(size=(n, 4)), columns=list("abcd"))) for _ in range(2)
    )
    return first, second


def without(features: FeatureTable, customers: int) -> FeatureTable:
    return FeatureTable(features.values.iloc[customers:], features.cohort.iloc[customers:])


def test_planted_segments_come_back_on_the_other_half_and_noise_does_not() -> None:
    whole = pipelines(kmeans=KMeansPath([2, 3], n_init=5))
    real = look_at_other_baskets(*halves(8.0), whole, "kmeans", place=1)
    assert real.replication == pytest.approx(1.0, abs=0.02)
    assert real.stayed_share > 0.98
    nothing = look_at_other_baskets(*halves(0.0), whole, "kmeans", place=1)
    assert nothing.replication < 0.7
    assert nothing.stayed_share < 0.5


def test_a_shift_of_all_customers_moves_them_by_the_rule_of_the_first_half() -> None:
    first, second = halves(8.0)
    moved = FeatureTable(second.values.assign(a=second.values["a"] + 40.0), second.cohort)
    found = look_at_other_baskets(first, moved, pipelines(kmeans=KMeansPath([3], n_init=5)), "kmeans", place=0)
    # All are nearest the segment that is high on a
    assert set(found.own) == {0, 1, 2}
    assert found.replication == pytest.approx(0.0)
    assert len(set(found.assigned)) == 1


def test_who_has_features_in_one_half_only_counts_there() -> None:
    first, second = halves(8.0)
    found = look_at_other_baskets(
        without(first, 20), FeatureTable(second.values.iloc[:-30], second.cohort.iloc[:-30]),
        pipelines(kmeans=KMeansPath([3], n_init=5)), "kmeans", place=0,
    )  # fmt: skip
    assert (len(found.found), len(found.own), len(found.assigned), len(found.customers)) == (280, 270, 270, 250)
    assert found.stayed_share > 0.98


def test_features_that_one_half_lacks_are_left_out() -> None:
    first, second = halves(8.0)
    whole = pipelines(kmeans=KMeansPath([3], n_init=5))
    wider = FeatureTable(first.values.assign(e=np.arange(300.0)), first.cohort)
    alike = look_at_other_baskets(wider, second, whole, "kmeans", place=0)
    assert alike.found.equals(look_at_other_baskets(first, second, whole, "kmeans", place=0).found)
    other = FeatureTable(second.values.rename(columns=str.upper), second.cohort)
    with pytest.raises(ValueError, match=r"^The two halves must have a feature in common; they have none\.$"):
        look_at_other_baskets(first, other, whole, "kmeans", place=0)


class _Fails(BaseEstimator):  # type: ignore[misc]
    minimum_customers = 2

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        raise ValueError("not today")


def test_a_clusterer_that_fails_on_a_half_is_told() -> None:
    with pytest.raises(ValueError, match=r"^There are no clusters of 300 customers: ValueError: not today$"):
        look_at_other_baskets(*halves(8.0), pipelines(fails=_Fails()), "fails", place=0)


def test_everybody_noise_is_the_same_cut_and_no_segment() -> None:
    found = look_at_other_baskets(*halves(0.0), pipelines(hdbscan=HDBSCANPath([0.4])), "hdbscan", place=0)
    assert set(found.found) == set(found.assigned) == {-1}
    segments = pd.Series(0, index=found.found.index)
    assert set(found.named_as(segments)) == {-1}


def test_clusters_are_named_as_the_segments_they_are_most_like() -> None:
    index = pd.Index(list("abcdefgh"))
    found = pd.Series([0, 0, 0, 1, 1, 2, 2, -1], index=index)
    segments = pd.Series([1, 1, 1, 0, 0, 0, 0, 0], index=index)
    nobody = pd.Series(0, index=index[:0])
    named = OtherBaskets(found, nobody, nobody).named_as(segments)
    assert named.tolist() == [1, 1, 1, 0, 0, 2, 2, -1]
    assert np.isnan(OtherBaskets(found, nobody, nobody).stayed_share)
