"""What every path clusterer of ``conf/clusterer`` obeys."""

import copy
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from aisle.candidate import Candidate, Embedding, embed, fit, seeded
from aisle.features import FeatureTable
from aisle.partition import NOISE, PartitionPath

OPTIONS = sorted(path.stem for path in (Path(__file__).parents[2] / "conf/clusterer").glob("*.yaml"))
EVERY = pytest.mark.parametrize("option", OPTIONS)
COUNTING = [option for option in OPTIONS if option not in ("hdbscan", "dbscan")]
RANKED_BY = "features/ranking_score"
Planted = Callable[..., tuple[FeatureTable, "pd.Series[int]"]]
Role = Callable[..., Any]


def fitted(role: Role, option: str, features: FeatureTable) -> Candidate:
    embedding = embed(features, scaler=role("scaler", "standard"), reducer=role("reducer", "none"), seed=1)
    return fit(features, embedding, clusterer=role("clusterer", option), seed=1)


def best(candidate: Candidate) -> "pd.Series[int]":
    """The labels at the tuning value with the best ranking score."""
    value = max(candidate.scores, key=lambda value: np.nan_to_num(candidate.scores[value][RANKED_BY], nan=-1))
    return candidate.path.partitions[value].labels


@pytest.mark.parametrize("option", ["kmeans", "ward", "agglomerative", "average_euclidean", "gaussian_mixture"])
@pytest.mark.parametrize("sizes", [(80, 60, 40), (90, 50, 40, 30, 30)], ids=["three", "five"])
def test_planted_segments_are_found_and_counted(role: Role, planted: Planted, option: str, sizes: tuple) -> None:
    features, truth = planted(sizes, separation=10, seed=3)
    labels = best(fitted(role, option, features))
    assert labels.nunique() == len(sizes)
    assert adjusted_rand_score(truth.loc[labels.index], labels) > 0.9


@pytest.mark.parametrize("option", ["hdbscan", "dbscan"])
def test_density_methods_find_planted_segments_and_leave_the_scattered_out(
    role: Role, planted: Planted, option: str
) -> None:
    features, truth = planted((80, 60, 50), separation=14, seed=4, scattered=12)
    labels = best(fitted(role, option, features))
    truth = truth.loc[labels.index]
    inside = (labels != NOISE) & (truth != NOISE)
    assert adjusted_rand_score(truth[inside], labels[inside]) > 0.9
    assert inside.sum() > 0.8 * (truth != NOISE).sum()
    assert (labels[truth == NOISE] == NOISE).mean() > 0.8


def test_hdbscan_calls_no_clusters_where_none_are_planted(role: Role, planted: Planted) -> None:
    features, _ = planted((200,), separation=0, seed=5)
    path = fitted(role, "hdbscan", features).path
    assert {partition.n_clusters for partition in path.partitions.values()} <= {0, 2}
    assert any(partition.n_clusters == 0 for partition in path.partitions.values())


@EVERY
def test_every_tuning_value_gives_a_partition_in_the_order_asked_for(role: Role, planted: Planted, option: str) -> None:
    clusterer = role("clusterer", option)
    path = fitted(role, option, planted((60, 40), separation=4, seed=6)[0]).path
    parameter = {"dbscan": "eps_quantile", "hdbscan": "min_cluster_size", "gaussian_mixture": "n_components"}
    assert path.parameter == parameter.get(option, "n_clusters")
    asked = clusterer.get_params().get(path.parameter) or clusterer.get_params()["values"]
    assert list(path.partitions) == asked


@pytest.mark.parametrize("option", COUNTING)
def test_a_number_of_clusters_is_the_number_one_gets(role: Role, planted: Planted, option: str) -> None:
    path = fitted(role, option, planted((80, 60, 40), separation=6, seed=7)[0]).path
    assert {k: partition.n_clusters for k, partition in path.partitions.items()} == {k: k for k in range(2, 10)}


@pytest.mark.parametrize("option", [option for option in COUNTING if option not in ("kmeans", "gaussian_mixture")])
def test_cuts_of_one_tree_are_nested(role: Role, planted: Planted, option: str) -> None:
    partitions = list(fitted(role, option, planted((50, 40), separation=3, seed=8)[0]).path.partitions.values())
    for coarse, fine in itertools.pairwise(partitions):
        assert pd.DataFrame({"coarse": coarse.labels, "fine": fine.labels}).groupby("fine").coarse.nunique().max() == 1


@EVERY
def test_reordering_rows_changes_no_label_and_no_score(role: Role, planted: Planted, option: str) -> None:
    features, _ = planted((60, 40, 20), separation=3, seed=9)
    order = np.random.default_rng(0).permutation(len(features.values))
    reordered = FeatureTable(features.values.iloc[order], features.cohort.iloc[order])
    first, second = fitted(role, option, features), fitted(role, option, reordered)
    pd.testing.assert_frame_equal(pd.DataFrame(first.scores), pd.DataFrame(second.scores), check_exact=True)
    for value, partition in first.path.partitions.items():
        pd.testing.assert_series_equal(partition.labels, second.path.partitions[value].labels)


@EVERY
def test_fitting_twice_gives_the_same_and_leaves_clusterer_and_values_unchanged(
    role: Role, planted: Planted, option: str
) -> None:
    clusterer = seeded(role("clusterer", option), 1)
    values = planted((60, 40), separation=3, seed=10)[0].values
    before, parameters = values.copy(), copy.deepcopy(repr(clusterer.get_params()))
    first, second = clusterer.fit_path(values), clusterer.fit_path(values)
    pd.testing.assert_frame_equal(values, before)
    assert repr(clusterer.get_params()) == parameters
    assert [p.labels.tolist() for p in first.partitions.values()] == [
        p.labels.tolist() for p in second.partitions.values()
    ]


@EVERY
def test_a_clusterer_is_cloned_with_its_parameters(role: Role, option: str) -> None:
    clusterer = role("clusterer", option)
    assert repr(clone(clusterer).get_params()) == repr(clusterer.get_params())
    assert type(clusterer)(**clusterer.get_params(deep=False)).get_params(deep=False).keys()


@EVERY
def test_the_fewest_customers_are_enough_and_one_less_is_refused(role: Role, planted: Planted, option: str) -> None:
    clusterer = role("clusterer", option)
    fewest = clusterer.minimum_customers
    enough, _ = planted((fewest,), separation=0, seed=11)
    embedding = Embedding(enough.values, "embedding")
    path = fit(enough, embedding, clusterer=clusterer, seed=1).path
    assert all(len(partition.labels) == fewest for partition in path.partitions.values())
    fewer, _ = planted((fewest - 1,), separation=0, seed=11)
    message = rf"At least {fewest} customers are needed for these tuning values; got {fewest - 1}\."
    with pytest.raises(ValueError, match=message):
        fit(fewer, Embedding(fewer.values, "embedding"), clusterer=clusterer, seed=1)


@EVERY
def test_customers_who_are_all_alike_stay_together(role: Role, planted: Planted, option: str) -> None:
    """Eight kinds of customers, ten of each, exactly alike: nobody is parted from his like up to eight clusters."""
    kinds, _ = planted((8,), separation=0, seed=12)
    index = pd.Index([f"c{number}" for number in range(80)])
    alike = pd.DataFrame(np.repeat(kinds.values.to_numpy(), 10, axis=0), index=index)
    features = FeatureTable(alike, pd.Series("YA", index=index))
    path: PartitionPath = fit(features, Embedding(alike, "x"), clusterer=role("clusterer", option), seed=1).path
    for value, partition in path.partitions.items():
        if value <= 8:
            assert partition.labels.groupby(np.repeat(np.arange(8), 10)).nunique().max() == 1, value
