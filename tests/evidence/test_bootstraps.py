"""Bootstrap samples against the published values of R's fpc on iris, and what happens when one fails."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.evidence.conftest import table

from aisle.assignment import nearest_centroid
from aisle.clusterers import AgglomerativePath, HDBSCANPath, KMeansPath
from aisle.evidence.bootstraps import Bootstrapped, Pair, bootstrapped, draw, resample
from aisle.evidence.instability import disagreement
from aisle.evidence.resamples import Pipelines, halves
from aisle.features import FeatureTable
from aisle.partition import PartitionPath

Array = npt.NDArray[np.float64]
KS = [2, 3, 4, 5, 6]


def pipelines(**clusterers: Any) -> Pipelines:
    return Pipelines(FunctionTransformer(), FunctionTransformer(), clusterers, seed=1)


def labelings(features: FeatureTable, whole: Pipelines) -> dict[str, Any]:
    return {name: labels for name, labels in whole.cluster(features).items() if not isinstance(labels, str)}


def found(features: FeatureTable, whole: Pipelines, samples: int) -> dict[str, list[Bootstrapped]]:
    full = labelings(features, whole)
    pairs = [resample(features, whole, full, number=number) for number in range(samples // 2)]
    return {
        name: [bootstrapped([pair[name] for pair in pairs], row, place, seed=1) for place, row in enumerate(rows)]
        for name, rows in full.items()
    }


@pytest.fixture(scope="module")
def flowers() -> dict[str, list[Bootstrapped]]:
    from sklearn.datasets import load_iris

    features = table(pd.DataFrame(load_iris().data, columns=list("abcd")))
    return found(features, pipelines(kmeans=KMeansPath(KS), ward=AgglomerativePath("ward", "euclidean", [3])), 100)


def test_bootstrap_jaccards_on_iris_are_the_published(flowers: dict[str, list[Bootstrapped]]) -> None:
    assert sorted(flowers["kmeans"][1].jaccards) == pytest.approx([0.944, 0.9545, 1.0], abs=0.05)
    assert sorted(flowers["ward"][0].jaccards) == pytest.approx([0.8359, 0.865, 1.0], abs=0.05)


def test_instability_on_iris_is_the_published(iris: Array) -> None:
    """R counts, of n^2 pairs, those that the first sample keeps together: half of those that are told apart."""
    whole, rules = pipelines(kmeans=KMeansPath(KS)), []
    for number in range(100):
        sample = iris[draw(150, number=number, seed=1)]
        labels = whole.cluster(table(pd.DataFrame(sample, columns=list("abcd"))))["kmeans"]
        assert not isinstance(labels, str)
        rules.append([nearest_centroid(sample, row, iris) for row in labels])
    pairs = zip(rules[::2], rules[1::2], strict=True)
    found = np.mean([[disagreement(*rows) for rows in zip(*pair, strict=True)] for pair in pairs], axis=0)
    halved = found * 149 / (2 * 150)
    assert halved == pytest.approx([0.0047, 0.0223, 0.0327, 0.0253, 0.0366], abs=0.006)
    assert halved[0] == pytest.approx(0.0047, rel=0.5)


def test_measures_of_iris_agree_with_each_other(flowers: dict[str, list[Bootstrapped]]) -> None:
    two, three = flowers["kmeans"][:2]
    assert two.rand > three.rand > 0.8
    assert two.ambiguity < three.ambiguity < 0.2
    assert two.consensus.min() > 0.95
    assert three.consensus.max() == 1.0
    assert three.consensus.min() < two.consensus.min()


def test_samples_are_as_large_as_the_whole_and_drawn_with_replacement() -> None:
    places = draw(1000, number=0, seed=3)
    assert places.size == 1000
    assert places.min() >= 0
    assert places.max() < 1000
    assert np.unique(places).size == pytest.approx(1000 * (1 - 1 / np.e), abs=50)
    assert (np.diff(places) >= 0).all()
    assert draw(1000, number=0, seed=3).tolist() == places.tolist()
    assert draw(1000, number=1, seed=3).tolist() != places.tolist()
    assert draw(1000, number=0, seed=4).tolist() != places.tolist()
    assert halves(1000, number=0, seed=3)[0].tolist() != np.unique(places).tolist()


class Recorded(BaseEstimator):  # type: ignore[misc]
    """A clusterer that writes down how many rows it has seen, and how many different ones."""

    minimum_customers = 2

    def __init__(self, seen: list[tuple[int, int]]) -> None:
        self.seen = seen

    def __sklearn_clone__(self) -> "Recorded":
        return self

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        self.seen.append((len(values), len(values.drop_duplicates())))
        return KMeansPath([2], n_init=2).fit_path(values)


def test_each_sample_is_clustered_once_with_its_repeats() -> None:
    features = table(pd.DataFrame(np.random.default_rng(0).normal(size=(90, 3)), columns=list("abc")))
    recorded = Recorded([])
    whole = Pipelines(StandardScaler(), PCA(2), {"one": recorded}, seed=1)
    full = labelings(features, whole)
    recorded.seen.clear()
    pair = resample(features, whole, full, number=3)["one"]
    drawn = [draw(90, number=number, seed=1) for number in (6, 7)]
    assert recorded.seen == [(90, np.unique(places).size) for places in drawn]
    for sample, places in zip(pair.samples, drawn, strict=True):
        assert (sample.members[0] != -2).tolist() == np.isin(np.arange(90), places).tolist()


def test_planted_segments_come_back_and_a_cloud_cut_in_three_does_not() -> None:
    rng = np.random.default_rng(4)
    cloud = rng.normal(size=(400, 4))
    planted = cloud + 8 * np.eye(4)[rng.integers(0, 3, 400)]
    for values, real in ((planted, True), (cloud, False)):
        features = table(pd.DataFrame(values, columns=list("abcd")))
        one = found(features, pipelines(kmeans=KMeansPath([3], n_init=5)), samples=16)["kmeans"][0]
        assert bool(one.jaccards.min() > 0.95) is real
        assert (one.rand > 0.95) is real
        assert (one.instability < 0.01) is real
        assert (one.ambiguity < 0.01) is real
        assert bool(one.consensus.min() > 0.95) is real


class Picky(KMeansPath):
    """K-means that refuses every other table, by its first value."""

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        if round(1e6 * abs(float(values.to_numpy()[:9].sum()))) % 2:
            raise RuntimeError("not to my taste")
        return super().fit_path(values)


def test_a_sample_that_fails_is_told_and_the_other_of_its_pair_still_counts() -> None:
    features = table(pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=list("ab")))
    full = labelings(features, pipelines(picky=KMeansPath([2, 3], n_init=2)))
    pairs = [resample(features, pipelines(picky=Picky([2, 3], n_init=2)), full, number=n)["picky"] for n in range(8)]
    assert {len(pair.samples) for pair in pairs} == {0, 1, 2}
    for pair in pairs:
        assert len(pair.samples) + len(pair.failures) == 2
        assert (pair.rand is None) == (pair.instability is None) == (len(pair.samples) < 2)
        assert set(pair.failures) <= {"RuntimeError: not to my taste"}
    lonely = [pair for pair in pairs if len(pair.samples) == 1]
    one = bootstrapped(lonely, full["picky"][0], 0, seed=1)
    assert (one.jaccards > 0).all()
    assert np.isnan([one.rand, one.instability]).all()


def test_without_a_sample_or_without_two_clusters_all_is_undefined() -> None:
    features = table(pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)), columns=list("abc")))
    noise = found(features, pipelines(hdbscan=HDBSCANPath([0.9])), samples=2)["hdbscan"][0]
    none = bootstrapped([Pair((), ("no", "no"), None, None)], np.array([0, 0, 1]), 0, seed=1)
    assert noise.jaccards.size == noise.consensus.size == 0
    for one in (noise, none):
        assert np.isnan([*one.jaccards, *one.consensus, one.rand, one.instability, one.ambiguity]).all()
