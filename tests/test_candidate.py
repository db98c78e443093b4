"""Scaling, reducing and fitting: the same whatever the rows are called and in whatever order they come."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.candidate import Candidate, Embedding, embed, fit, reference_space, score, seeded
from aisle.clusterers import EstimatorPath
from aisle.features import FeatureTable
from aisle.partition import Partition, PartitionPath

Planted = Callable[..., tuple[FeatureTable, "pd.Series[int]"]]
Role = Callable[..., Any]
SCALERS = ("standard", "robust", "quantile")
REDUCERS = ("none", "pca")  # umap compiles for seconds: one test below
SCORES = {
    "n_clusters",
    "coverage",
    "balance",
    "smallest_share",
    "features/silhouette",
    "features/ranking_score",
    "features/calinski_harabasz",
    "features/davies_bouldin",
    "features/inertia",
    "embedding/silhouette",
    "embedding/ranking_score",
}


def shuffled(features: FeatureTable, seed: int = 0) -> FeatureTable:
    order = np.random.default_rng(seed).permutation(len(features.values))
    return FeatureTable(features.values.iloc[order], features.cohort.iloc[order])


def renamed(features: FeatureTable) -> tuple[FeatureTable, dict[str, str]]:
    """Other names, and rows in the order of the new names."""
    names = dict(zip(features.values.index, reversed(features.values.index), strict=True))
    values, cohort = features.values.rename(index=names), features.cohort.rename(index=names)
    return FeatureTable(values.sort_index(), cohort.sort_index()), names


class Grumbling(BaseEstimator):
    """A path clusterer that warns and puts everybody together."""

    minimum_customers = 1

    def fit_path(self, values: pd.DataFrame) -> PartitionPath:
        for _ in range(2):
            warnings.warn("the sea is rough", UserWarning, stacklevel=1)
        return PartitionPath("mood", {1: Partition.numbered(np.zeros(len(values)), values.index)})


@pytest.fixture(scope="module")
def features(planted: Planted) -> FeatureTable:
    return planted((60, 40, 30), separation=3, seed=20)[0]


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("reducer", REDUCERS)
def test_an_embedding_does_not_depend_on_order_or_names(
    role: Role, features: FeatureTable, scaler: str, reducer: str
) -> None:
    def embedded(table: FeatureTable) -> pd.DataFrame:
        return embed(table, scaler=role("scaler", scaler), reducer=role("reducer", reducer), seed=1).values

    first = embedded(features)
    pd.testing.assert_frame_equal(first, embedded(shuffled(features)), check_exact=True)
    other, names = renamed(features)
    pd.testing.assert_frame_equal(first.rename(index=names), embedded(other), check_exact=True)


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_umap_and_what_is_made_of_it_depend_on_the_seed_alone(role: Role, planted: Planted) -> None:
    features, truth = planted((50, 30), separation=8, seed=21)

    def fitted(table: FeatureTable, seed: int) -> tuple[Embedding, Candidate]:
        embedding = embed(table, scaler=role("scaler", "standard"), reducer=role("reducer", "umap"), seed=seed)
        return embedding, fit(table, embedding, clusterer=role("clusterer", "ward"), seed=seed)

    embedding, candidate = fitted(features, 1)
    other, names = renamed(shuffled(features))
    embedding_again, again = fitted(other, 1)
    pd.testing.assert_frame_equal(embedding.values.rename(index=names), embedding_again.values, check_exact=True)
    pd.testing.assert_frame_equal(pd.DataFrame(candidate.scores), pd.DataFrame(again.scores), check_exact=True)
    two = candidate.path.partitions[2].labels
    pd.testing.assert_series_equal(two.rename(index=names), again.path.partitions[2].labels)
    assert pd.crosstab(truth.loc[two.index], two).gt(0).sum().sum() == 2
    elsewhere, _ = fitted(features, 2)
    assert not np.allclose(embedding.values, elsewhere.values)
    assert embedding.values.shape == (80, 2)


def test_an_embedding_keeps_every_customer_and_drops_constant_features(role: Role, features: FeatureTable) -> None:
    constant = FeatureTable(features.values.assign(always=3.0), features.cohort)
    embedding = embed(constant, scaler=role("scaler", "standard"), reducer=role("reducer", "none"), seed=1)
    assert sorted(embedding.values.index) == sorted(features.values.index)
    assert embedding.values.shape[1] == features.values.shape[1]
    assert embedding.space == "embedding"


def test_pca_keeps_as_many_axes_as_hold_their_share_of_the_variance(role: Role, features: FeatureTable) -> None:
    embedding = embed(features, scaler=role("scaler", "standard"), reducer=role("reducer", "pca"), seed=1)
    values = StandardScaler().fit_transform(features.values)
    shares = np.cumsum(np.sort(np.linalg.eigvalsh(np.cov(values.T)))[::-1]) / values.shape[1]
    shares /= shares[-1]
    assert embedding.values.shape[1] == int(np.searchsorted(shares, 0.8)) + 1


def test_features_that_are_all_constant_are_refused(role: Role, features: FeatureTable) -> None:
    flat = FeatureTable(features.values * 0, features.cohort)
    with pytest.raises(ValueError, match=r"^All 6 features are constant over 130 customers\.$"):
        embed(flat, scaler=role("scaler", "standard"), reducer=role("reducer", "none"), seed=1)


def test_the_reference_space_is_the_standardised_features_that_vary(features: FeatureTable) -> None:
    table = FeatureTable(features.values.assign(always=3.0), features.cohort)
    standard = (features.values - features.values.mean()) / features.values.std(ddof=0)
    found = reference_space(table)
    pd.testing.assert_frame_equal(found.loc[standard.index], standard, rtol=0, atol=1e-12)
    pd.testing.assert_frame_equal(found, reference_space(shuffled(table)), check_exact=True)


def test_scores_are_those_of_scikit_learn_in_either_space(role: Role, features: FeatureTable) -> None:
    embedding = embed(features, scaler=role("scaler", "robust"), reducer=role("reducer", "pca"), seed=1)
    candidate = fit(features, embedding, clusterer=role("clusterer", "kmeans"), seed=1)
    standard = StandardScaler().fit_transform(features.values.loc[embedding.values.index])
    for value, partition in candidate.path.partitions.items():
        labels, found = partition.labels.to_numpy(), candidate.scores[value]
        expected = {
            "features/silhouette": silhouette_score(standard, labels),
            "features/calinski_harabasz": calinski_harabasz_score(standard, labels),
            "features/davies_bouldin": davies_bouldin_score(standard, labels),
            "features/inertia": sum(standard[labels == k].var(axis=0).sum() * (labels == k).sum() for k in set(labels)),
            "embedding/silhouette": silhouette_score(embedding.values, labels),
        }
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-7)


def test_reference_scores_do_not_depend_on_scaler_and_reducer(role: Role, features: FeatureTable) -> None:
    """The same partition, found in other spaces, has one score in the reference space and its own in each other."""
    found = []
    for scaler, reducer in (("standard", "none"), ("robust", "pca"), ("quantile", "none")):
        embedding = embed(features, scaler=role("scaler", scaler), reducer=role("reducer", reducer), seed=1)
        labels = (features.values.loc[embedding.values.index, "feature_0"] > 0).to_numpy().astype(int)
        space = reference_space(features).loc[embedding.values.index].to_numpy()
        found += score(labels[np.newaxis], {"features": space, "embedding": embedding.values.to_numpy()})
    assert found[0]["features/silhouette"] == pytest.approx(found[1]["features/silhouette"], abs=1e-12)
    assert found[0]["features/silhouette"] == pytest.approx(found[2]["features/silhouette"], abs=1e-12)
    assert len({round(one["embedding/silhouette"], 6) for one in found}) == 3


def test_every_tuning_value_has_every_score(role: Role, features: FeatureTable) -> None:
    embedding = embed(features, scaler=role("scaler", "standard"), reducer=role("reducer", "pca"), seed=1)
    for option in ("kmeans", "hdbscan", "dbscan"):
        candidate = fit(features, embedding, clusterer=role("clusterer", option), seed=1)
        assert list(candidate.scores) == list(candidate.path.partitions)
        assert all(set(found) == SCORES for found in candidate.scores.values())
        for value, partition in candidate.path.partitions.items():
            assert candidate.scores[value]["n_clusters"] == partition.n_clusters


def test_warnings_of_the_libraries_are_kept_once_and_not_shown(features: FeatureTable) -> None:
    candidate = fit(features, Embedding(features.values, "embedding"), clusterer=Grumbling(), seed=1)
    assert candidate.warnings == ("UserWarning: the sea is rough",)
    assert np.isnan(candidate.scores[1]["features/silhouette"])


def test_warnings_of_scaler_and_reducer_are_kept_with_the_embedding(role: Role, planted: Planted) -> None:
    few, _ = planted((30, 20), separation=5, seed=23)
    embedding = embed(few, scaler=role("scaler", "quantile"), reducer=role("reducer", "none"), seed=1)
    assert [text.partition("(")[0] for text in embedding.warnings] == ["UserWarning: n_quantiles "]
    candidate = fit(few, embedding, clusterer=Grumbling(), seed=1)
    assert candidate.warnings == tuple(sorted([*embedding.warnings, "UserWarning: the sea is rough"]))


def test_fitting_changes_neither_features_nor_embedding(role: Role, features: FeatureTable) -> None:
    before = features.values.copy()
    embedding = embed(features, scaler=role("scaler", "standard"), reducer=role("reducer", "none"), seed=1)
    values = embedding.values.copy()
    fit(features, embedding, clusterer=role("clusterer", "kmeans"), seed=1)
    pd.testing.assert_frame_equal(features.values, before)
    pd.testing.assert_frame_equal(embedding.values, values)


def test_the_seed_reaches_every_depth_and_only_the_clone() -> None:
    nested = make_pipeline(PCA(), KMeans())
    copy = seeded(nested, 7)
    assert (copy["pca"].random_state, copy["kmeans"].random_state) == (7, 7)
    assert nested["kmeans"].random_state is None
    assert seeded(FunctionTransformer(), 7).get_params() == FunctionTransformer().get_params()


def test_another_seed_may_give_another_partition(planted: Planted) -> None:
    features, _ = planted((150,), separation=0, seed=22)
    clusterer = EstimatorPath(KMeans(n_init=1, init="random", max_iter=1), "n_clusters", [6])
    embedding = Embedding(features.values, "embedding")
    found = [fit(features, embedding, clusterer=clusterer, seed=seed).path.partitions[6].labels for seed in (1, 1, 2)]
    assert found[0].equals(found[1])
    assert not found[0].equals(found[2])
