"""Stability against the published values of R's fpc on iris, and against its definitions."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.evidence.conftest import table

from aisle.assignment import nearest_centroid
from aisle.clusterers import AgglomerativePath, HDBSCANPath, KMeansPath
from aisle.evidence.agreement import strength
from aisle.evidence.null import null_of
from aisle.evidence.resamples import Pipelines, halves, null_scores, ranking_scores
from aisle.evidence.rows import null_measures
from aisle.evidence.stability import Seen, Stability, look, together
from aisle.features import FeatureTable
from aisle.partition import NOISE, Partition, PartitionPath

Array = npt.NDArray[np.float64]


def pipelines(**clusterers: Any) -> Pipelines:
    return Pipelines(FunctionTransformer(), FunctionTransformer(), clusterers, seed=1)


def stability(features: FeatureTable, whole: Pipelines, splits: int) -> dict[str, list[Stability]]:
    full = {name: labels for name, labels in whole.cluster(features).items() if not isinstance(labels, str)}
    seen = [look(features, whole, full, number=number) for number in range(splits)]
    return {
        name: [
            together([one[name][row] for one in seen], int(labels.max()) + 1) for row, labels in enumerate(full[name])
        ]  # type: ignore[misc]
        for name in full
    }


def flowers(iris: Array) -> FeatureTable:
    return table(pd.DataFrame(iris, columns=list("abcd")))


def test_clusterboot_on_iris_gives_the_published_jaccards(iris: Array) -> None:
    whole = pipelines(kmeans=KMeansPath([3]), ward=AgglomerativePath("ward", "euclidean", [3]))
    found = stability(flowers(iris), whole, splits=50)
    assert sorted(found["kmeans"][0].jaccards) == pytest.approx([0.9071, 0.9203, 0.9996], abs=0.05)
    assert sorted(found["ward"][0].jaccards) == pytest.approx([0.8359, 0.865, 1.0], abs=0.05)


def test_prediction_strength_on_iris_is_the_published(iris: Array) -> None:
    ks = [2, 3, 4, 5, 6]
    whole, features = pipelines(kmeans=KMeansPath(ks)), flowers(iris)
    found = []
    for number in range(50):
        parts = [iris[places] for places in halves(150, number=number, seed=1)]
        own = [whole.cluster(table(pd.DataFrame(part, columns=list("abcd"))))["kmeans"] for part in parts]
        for a, b in ((0, 1), (1, 0)):
            rows = zip(own[a], own[b], strict=True)
            found.append([strength(y, nearest_centroid(parts[a], x, parts[b])) for x, y in rows])  # type: ignore[arg-type]
    assert np.mean(found, axis=0) == pytest.approx([0.9718, 0.7646, 0.5882, 0.6099, 0.502], abs=0.05)
    assert len(features.values) == 150


def test_planted_segments_come_back_and_a_cloud_cut_in_three_has_no_valley() -> None:
    rng = np.random.default_rng(4)
    cloud = rng.normal(size=(600, 4))
    planted = cloud + 8 * np.eye(4)[rng.integers(0, 3, 600)]
    for values, real in ((planted, True), (cloud, False)):
        whole = pipelines(kmeans=KMeansPath([3], n_init=5))
        found = stability(table(pd.DataFrame(values, columns=list("abcd"))), whole, splits=8)["kmeans"][0]
        assert (found.valley < 0.01) is real
        assert bool(found.jaccards.min() > 0.95) is real
        assert (found.strength > 0.9) is real
        assert (found.replication > 0.9) is real
        assert found.splits == 8


def test_halves_are_disjoint_and_whole_and_differ_by_split() -> None:
    first, second = halves(11, number=0, seed=3)
    assert sorted([*first, *second]) == list(range(11))
    assert (first.size, second.size) == (5, 6)
    assert halves(11, number=0, seed=3)[0].tolist() == first.tolist()
    assert halves(11, number=1, seed=3)[0].tolist() != first.tolist()


class _Fails(BaseEstimator):  # type: ignore[misc]
    """A clusterer that does not take fewer than fifty customers."""

    minimum_customers = 2

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        if len(values) < 50:
            raise ValueError("fifty at least")
        return KMeansPath([2]).fit_path(values)


def test_a_candidate_that_fails_on_a_half_is_told_and_the_others_go_on() -> None:
    features = table(pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=list("ab")))
    whole = pipelines(fails=_Fails(), kmeans=KMeansPath([2]))
    seen = look(features, whole, {name: np.asarray(x) for name, x in whole.cluster(features).items()}, number=0)
    assert seen["fails"] == "ValueError: fifty at least"
    assert not isinstance(seen["kmeans"], str)


def test_everybody_noise_is_no_error_and_nothing_stable() -> None:
    features = table(pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)), columns=list("abc")))
    whole = pipelines(hdbscan=HDBSCANPath([0.4]))
    found = stability(features, whole, splits=3)["hdbscan"][0]
    assert found.jaccards.size == 0
    assert found.valley == 1


def test_without_a_finished_split_scores_are_undefined() -> None:
    found = together([], 2)
    assert np.isnan([*found.jaccards, found.strength, found.replication]).all()
    assert (found.valley, found.splits) == (1, 0)


def test_a_failed_split_counts_against_every_measure_and_not_in_the_error_of_the_score() -> None:
    fine = Seen(np.array([0.4, 0.5]), np.ones((2, 2)), 1.0, 1.0, (None, None))
    alone, found = together([fine], 2), together([fine, Seen.of_failure(2), Seen.of_failure(2)], 2)
    assert found.jaccards.tolist() == pytest.approx([1 / 3, 1 / 3])
    assert found.dissolved.tolist() == pytest.approx([2 / 3, 2 / 3])
    assert (found.strength, found.replication, found.valley) == (pytest.approx(1 / 3), 0.0, 1.0)
    assert (found.splits, found.error) == (1, alone.error)


def test_null_draws_that_failed_count_as_rivals() -> None:
    sound = null_measures(0.5, [0.1] * 99, 0)
    assert (sound["null_p"], sound["null_draws"]) == (0.01, 99)
    some = null_measures(0.5, [0.1] * 89, 10)
    assert (some["null_p"], some["null_draws"]) == (0.11, 89)
    assert some["null_mean"] == pytest.approx(0.1)
    assert null_measures(0.5, [], 19)["null_p"] == 1
    assert np.isnan(null_measures(0.5, [], 0)["null_p"])


def test_the_null_is_scored_by_the_same_pipeline_in_its_own_space() -> None:
    rng = np.random.default_rng(6)
    features = table(pd.DataFrame(rng.lognormal(size=(300, 3)), columns=list("abc")))
    whole = Pipelines(StandardScaler(), FunctionTransformer(), {"kmeans": KMeansPath([2, 3], n_init=5)}, seed=1)
    null = null_of(features, kind="copula", seed=1)
    scores = null_scores(null, whole, number=2)["kmeans"]
    drawn = null.draw(2)
    space = StandardScaler().fit_transform(drawn.values)
    assert scores == pytest.approx(ranking_scores(space, np.asarray(whole.cluster(drawn)["kmeans"])), abs=1e-9)


class _OnlyTheWhole(KMeansPath):
    """Finds two clusters among everybody and none in a half."""

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        if len(values) > 60:
            return super().fit_path(values)
        return PartitionPath("n_clusters", {2: Partition.numbered(np.full(len(values), NOISE), values.index)})


def test_halves_that_are_all_noise_replicate_nothing() -> None:
    values = np.random.default_rng(5).normal(size=(100, 3))
    whole = pipelines(never=_OnlyTheWhole([2]))
    found = stability(table(pd.DataFrame(values, columns=list("abc"))), whole, splits=3)["never"][0]
    assert (found.replication, found.strength, found.jaccards.max(), found.valley) == (0.0, 0.0, 0.0, 1.0)
