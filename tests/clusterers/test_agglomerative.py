"""The tree and its cuts are those of the reference implementations; impossible requests are refused."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from aisle.clusterers import AgglomerativePath

VALUES = pd.DataFrame(
    np.random.default_rng(1).normal(size=(60, 4)), index=pd.Index([f"c{number}" for number in range(60)])
)


@pytest.mark.parametrize(
    ("linkage", "metric"),
    [
        (linkage, metric)
        for linkage in ("average", "complete", "single", "ward")
        for metric in ("euclidean", "cosine", "cityblock")
        if linkage != "ward" or metric == "euclidean"
    ],
)
def test_cuts_equal_those_of_scikit_learn(linkage: str, metric: str) -> None:
    path = AgglomerativePath(linkage, metric, [2, 3, 5, 9]).fit_path(VALUES)
    for k, partition in path.partitions.items():
        theirs = AgglomerativeClustering(k, metric=metric, linkage=linkage).fit_predict(VALUES.to_numpy())
        assert adjusted_rand_score(theirs, partition.labels) == 1


def test_cuts_do_not_depend_on_the_order_they_are_asked_in() -> None:
    up = AgglomerativePath("ward", "euclidean", [2, 3, 7]).fit_path(VALUES).partitions
    down = AgglomerativePath("ward", "euclidean", [7, 3, 2]).fit_path(VALUES).partitions
    assert list(down) == [7, 3, 2]
    for k, partition in up.items():
        pd.testing.assert_series_equal(partition.labels, down[k].labels)


@pytest.mark.parametrize(
    ("linkage", "metric", "message"),
    [
        ("averge", "cosine", r"linkage must be one of \['average', .*'weighted'\]; got 'averge'\."),
        ("ward", "cosine", r"ward linkage needs metric=euclidean; got 'cosine'\."),
        ("average", "cosin", r"metric must be one of \['.*'cosine'.*\]; got 'cosin'\."),
    ],
)
def test_unknown_linkages_and_metrics_are_refused(linkage: str, metric: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AgglomerativePath(linkage, metric, [2]).fit_path(VALUES)


@pytest.mark.parametrize("k", [0, -1, 60, 61])
def test_a_number_of_clusters_that_cannot_be_is_refused(k: int) -> None:
    message = rf"n_clusters must be at least 1 and below the 60 customers; got \[{k}\]\."
    with pytest.raises(ValueError, match=message):
        AgglomerativePath("average", "euclidean", [2, k]).fit_path(VALUES)


def test_the_first_merge_and_everybody_together_are_cuts() -> None:
    path = AgglomerativePath("average", "euclidean", [3, 59, 1]).fit_path(VALUES)
    assert {k: partition.n_clusters for k, partition in path.partitions.items()} == {3: 3, 59: 59, 1: 1}


def test_a_customer_without_a_direction_is_refused_under_cosine() -> None:
    values = VALUES.copy()
    values.loc["c7"] = 0.0
    with pytest.raises(ValueError, match=r"Cosine distance needs a direction; these customers are all zeros: \['c7'\]"):
        AgglomerativePath("average", "cosine", [2]).fit_path(values)


def test_equal_distances_are_cut_into_nested_clusters() -> None:
    """A grid is all ties: every cut still has its number of clusters, and the next one only splits."""
    grid = pd.DataFrame([(x, y) for x in range(5) for y in range(5)], dtype=float)
    for linkage in ("average", "complete", "single", "ward"):
        path = AgglomerativePath(linkage, "euclidean", list(range(1, 25))).fit_path(grid)
        cuts = [partition.labels for partition in path.partitions.values()]
        assert [labels.nunique() for labels in cuts] == list(range(1, 25))
        for coarse, fine in itertools.pairwise(cuts):
            assert coarse.groupby(fine).nunique().max() == 1
