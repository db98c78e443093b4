"""Labels without their method: judged by themselves where that is possible, by stand-ins where it is not."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import BisectingKMeans, KMeans
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.evidence.conftest import table

from aisle.clusterers import (
    AgglomerativePath,
    EstimatorPath,
    HDBSCANPath,
    KMeansPath,
    MixturePath,
    PathClusterer,
)
from aisle.evidence import DO_NOT_SEGMENT, MEASURES, SEPARATED, Effort, Judgement, Pipelines, Thresholds, judge
from aisle.evidence.judgement import carry, fewest_customers, of_size
from aisle.evidence.resamples import halves
from aisle.features import FeatureTable
from aisle.partition import NOISE, PartitionPath

Labels = npt.NDArray[np.int64]
Planted = Callable[..., tuple[FeatureTable, "pd.Series[int]"]]

EFFORT = Effort(splits=6, screening=1, finalists=1, null_draws=24)
STAND_INS: dict[str, PathClusterer] = {
    "kmeans": KMeansPath([2], n_init=3),
    "ward": AgglomerativePath("ward", "euclidean", [2]),
}
KMEANS = {"kmeans": STAND_INS["kmeans"]}


def one_after_the_other(what: str, tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    return [task() for task in tasks]


def judged(
    features: FeatureTable,
    given: npt.ArrayLike,
    stand_ins: dict[str, PathClusterer] = KMEANS,
    effort: Effort = EFFORT,
) -> Judgement:
    return judge(
        features,
        np.asarray(given, dtype=np.int64),
        stand_ins,
        scaler=StandardScaler(),
        reducer=FunctionTransformer(),
        effort=effort,
        thresholds=Thresholds(),
        seed=1,
        run=one_after_the_other,
    )


@pytest.fixture(scope="module")
def three(planted: Planted) -> tuple[FeatureTable, Labels]:
    features, truth = planted((130, 120, 110), separation=6, seed=3)
    return features, truth.to_numpy().astype(np.int64)


def cloud(n: int, columns: int, seed: int) -> FeatureTable:
    values = np.random.default_rng(seed).normal(size=(n, columns))
    return table(pd.DataFrame(values, columns=[f"x{number}" for number in range(columns)]))


def shuffled(labels: Labels, share: float, seed: int) -> Labels:
    """This share of the customers, labels exchanged among them."""
    rng = np.random.default_rng(seed)
    some = rng.choice(labels.size, round(share * labels.size), replace=False)
    mixed = labels.copy()
    mixed[some] = rng.permutation(labels[some])
    return mixed


def test_planted_segments_are_separated_whatever_their_numbers(three: tuple[FeatureTable, Labels]) -> None:
    features, truth = three
    found = judged(features, truth, STAND_INS)
    best = found.measures.iloc[0]
    assert best["class"] == SEPARATED
    assert best["regained"] > 0.98
    assert best["jaccard_worst"] > 0.95
    assert best["guessed"] == pytest.approx(130 / 360)
    assert set(MEASURES) <= set(found.measures)
    renumbered = judged(features, np.array([2, 0, 1])[truth])
    same = [name for name in MEASURES if name not in ("ranking_error",)]
    assert renumbered.measures.iloc[0][same].tolist() == pytest.approx(best[same].tolist())
    by_segment = [
        frame.set_index("segment")["jaccard"] for frame in (found.segments.head(3), renumbered.segments.head(3))
    ]
    assert by_segment[1].loc[[2, 0, 1]].tolist() == pytest.approx(by_segment[0].loc[[0, 1, 2]].tolist())


def test_a_random_labelling_of_one_cloud_is_nothing() -> None:
    given = np.random.default_rng(1).integers(0, 3, 400)
    best = judged(cloud(400, 6, seed=2), given).measures.iloc[0]
    assert best["class"] == DO_NOT_SEGMENT
    assert best["valley_p"] == 1
    assert best["null_p"] > 0.9
    assert best["regained"] < best["guessed"] + 0.1


@pytest.mark.parametrize(("n", "columns"), [(400, 5), (120, 30)])
def test_clusters_of_one_cloud_are_not_separated_although_they_come_from_everybody(n: int, columns: int) -> None:
    features = cloud(n, columns, seed=4)
    given = KMeans(2, n_init=5, random_state=0).fit_predict(features.values)
    best = judged(features, given).measures.iloc[0]
    assert best["class"] != SEPARATED
    assert best["valley_p"] > 0.05


def test_the_more_customers_were_moved_the_less_comes_back(three: tuple[FeatureTable, Labels]) -> None:
    features, truth = three
    found = [judged(features, shuffled(truth, share, seed=5)).measures.iloc[0] for share in (0.1, 0.5, 1.0)]
    assert found[0]["jaccard_worst"] == pytest.approx(0.87, abs=0.03)  # a third of the tenth stays by chance
    assert found[0]["valley_p"] < 0.05  # the rule evens out what is wrong with a few labels
    assert found[2]["class"] == DO_NOT_SEGMENT
    for name in ("jaccard_worst", "jaccard_mean", "regained", "ranking_score"):
        values = [row[name] for row in found]
        assert values == sorted(values, reverse=True)


def test_what_is_regained_is_what_a_centroid_rule_gives_back(three: tuple[FeatureTable, Labels]) -> None:
    features, truth = three
    given = shuffled(truth, 0.2, seed=6)
    whole = Pipelines(StandardScaler(), FunctionTransformer(), {"kmeans": KMeansPath([3], n_init=2)}, seed=1)
    found = carry(features, whole, given, number=0)
    values, back = features.values.to_numpy(), np.zeros(3)
    places = halves(len(values), number=0, seed=1)
    for known, new in (places, places[::-1]):
        scaler = StandardScaler().fit(values[known])
        rule = NearestCentroid().fit(scaler.transform(values[known]), given[known])
        kept = given[new][rule.predict(scaler.transform(values[new])) == given[new]]
        back += np.bincount(kept, minlength=3)
    assert found.regained.tolist() == back.tolist()
    assert found.held_out.tolist() == np.bincount(given).tolist()


def test_noise_is_in_no_segment_and_nobody_asks_for_it_back(three: tuple[FeatureTable, Labels]) -> None:
    features, truth = three
    given = np.where(np.arange(truth.size) % 9 == 0, NOISE, truth)
    found = judged(features, given)
    best = found.measures.iloc[0]
    assert best["coverage"] == pytest.approx(1 - 40 / 360)
    assert best["regained"] > 0.98
    assert found.segments.head(3)["customer_count"].sum() == 320


def test_a_segment_of_two_that_one_half_lacks_is_counted_and_not_found(three: tuple[FeatureTable, Labels]) -> None:
    features, truth = three
    given = truth.copy()
    given[np.flatnonzero(truth == 1)[:2]] = 3
    found = judged(features, given)
    last = found.segments[found.segments["segment"] == 3]
    assert (last["customer_count"] == 2).all()
    assert (last["valley_p"] == 1).all()
    assert (last["jaccard"] < 0.2).all()
    assert found.measures.iloc[0]["class"] != SEPARATED


def test_labels_that_repeat_a_category_are_told_to_be_a_rule() -> None:
    rng = np.random.default_rng(7)
    level = rng.integers(0, 3, 300)
    values = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("abc"))
    features = table(values.assign(**{f"level_{name}": level == number for number, name in enumerate("xyz")}))
    assert judged(features, level).measures.iloc[0]["category"] == "level_x/level_y/level_z"


class _Fails(BaseEstimator):  # type: ignore[misc]
    """Refuses whatever it is given."""

    minimum_customers = 2

    def __init__(self, n_clusters: Sequence[int]) -> None:
        self.n_clusters = n_clusters

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        raise ValueError("not these")


def test_a_stand_in_that_fails_is_counted_and_the_other_is_the_best(three: tuple[FeatureTable, Labels]) -> None:
    found = judged(*three, {"fails": _Fails([2]), "kmeans": STAND_INS["kmeans"]}).measures.set_index("stand_in")
    assert list(found.index) == ["kmeans", "fails"]
    assert found.loc["fails", ["failed_splits", "failed_draws", "splits"]].tolist() == [6, 19, 0]
    assert found.loc["fails", "failure"] == "ValueError: not these"
    assert found.loc["fails", "class"] == DO_NOT_SEGMENT
    assert found.loc["kmeans", ["failed_splits", "failed_draws"]].tolist() == [0, 0]


@pytest.mark.parametrize(
    "clusterer",
    [
        *STAND_INS.values(),
        MixturePath([2, 3]),
        EstimatorPath(BisectingKMeans(), "n_clusters", [2]),
    ],
    ids=repr,
)
def test_any_clusterer_that_takes_a_number_of_clusters_can_stand_in(clusterer: PathClusterer) -> None:
    values = pd.DataFrame(np.random.default_rng(8).normal(size=(60, 2)))
    path = of_size(clusterer, 4).fit_path(values)
    assert [partition.n_clusters for partition in path.partitions.values()] == [4]
    assert fewest_customers(4, {"one": clusterer}) == 10


def test_other_clusterers_cannot_stand_in() -> None:
    with pytest.raises(ValueError, match=r"must take a number of clusters, n_clusters or n_components; HDBSCANPath"):
        of_size(HDBSCANPath([0.1]), 3)


def test_one_segment_and_no_stand_in_are_refused() -> None:
    features = cloud(40, 2, seed=9)
    with pytest.raises(ValueError, match="At least 2 segments are needed to be judged; got 1"):
        judged(features, np.zeros(40))
    with pytest.raises(ValueError, match="At least one stand-in is needed"):
        judged(features, np.arange(40) % 2, {})
