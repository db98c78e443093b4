"""Our own paths: what cannot be is refused, and what they find is what the libraries find."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from aisle.candidate import seeded
from aisle.clusterers import DBSCANPath, HDBSCANPath, KMeansPath, MixturePath, PathClusterer

RNG = np.random.default_rng(2)
VALUES = pd.DataFrame(np.vstack([RNG.normal(size=(70, 3)), RNG.normal(size=(30, 3)) + 9]))


def test_a_reported_cluster_holds_at_least_its_share_of_the_customers() -> None:
    path = HDBSCANPath([0.05, 0.2, 0.28, 0.4], 5).fit_path(VALUES)
    for share, partition in path.partitions.items():
        assert not (partition.sizes < round(share * len(VALUES))).any()
    assert path.partitions[0.2].n_clusters == 2
    assert path.partitions[0.4].n_clusters == 0


def test_a_tiny_share_means_two_customers() -> None:
    partition = HDBSCANPath([1e-6], 2).fit_path(VALUES).partitions[1e-6]
    assert partition.sizes.min() >= 2


def test_one_dimension_is_enough() -> None:
    partition = HDBSCANPath([0.2], 5).fit_path(VALUES[[0]]).partitions[0.2]
    assert partition.n_clusters == 2


@pytest.mark.parametrize("share", [0, 1, -0.1, 5])
def test_a_smallest_cluster_must_be_a_share(share: float) -> None:
    message = rf"min_cluster_size must be a share of the customers in \(0, 1\); got {share}\."
    with pytest.raises(ValueError, match=message):
        HDBSCANPath([0.1, share], 5).fit_path(VALUES)


@pytest.mark.parametrize("quantile", [0, 1, -0.1, 90])
def test_a_radius_must_be_a_quantile(quantile: float) -> None:
    with pytest.raises(ValueError, match=rf"eps_quantile must be in \(0, 1\); got {quantile}\."):
        DBSCANPath([0.5, quantile], 5).fit_path(VALUES)


@pytest.mark.parametrize("quantile", [0.3, 0.5, 0.9])
def test_the_quantile_is_the_share_of_core_customers(quantile: float) -> None:
    matrix = VALUES.to_numpy()
    distances = np.sort(np.linalg.norm(matrix[:, None] - matrix, axis=2), axis=1)
    eps = float(np.quantile(distances[:, 9], quantile))  # the customer itself is the first neighbour
    model = DBSCAN(eps=eps, min_samples=10).fit(matrix)
    assert model.core_sample_indices_.size == pytest.approx(quantile * len(VALUES), abs=1)
    labels = DBSCANPath([quantile], 10).fit_path(VALUES).partitions[quantile].labels
    assert ((labels.to_numpy() == -1) == (model.labels_ == -1)).all()


def test_a_wider_radius_never_makes_more_noise() -> None:
    path = DBSCANPath([0.1, 0.3, 0.5, 0.7, 0.9], 5).fit_path(VALUES)
    noise = [int((partition.labels == -1).sum()) for partition in path.partitions.values()]
    assert noise == sorted(noise, reverse=True)


def test_a_radius_of_zero_joins_customers_who_are_alike() -> None:
    alike = pd.DataFrame(np.repeat(np.arange(4.0), 25).reshape(-1, 1))
    assert DBSCANPath([0.5], 10).fit_path(alike).partitions[0.5].sizes.tolist() == [25, 25, 25, 25]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(20, 120), st.integers(1, 4), st.integers(1, 8), st.booleans())
def test_dbscan_equals_scikit_learn_but_for_customers_in_reach_of_several_clusters(
    seed: int, n: int, d: int, min_samples: int, duplicated: bool
) -> None:
    """Core points and noise are the same; a border point is in a cluster one of whose core points reaches it."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, d)) + 4 * rng.normal(size=(3, d))[rng.integers(3, size=n)]
    matrix = matrix[rng.integers(n // 3, size=n)] if duplicated else matrix
    quantiles = [0.2, 0.5, 0.9]
    path = DBSCANPath(quantiles, min_samples).fit_path(pd.DataFrame(matrix))
    distances = cdist(matrix, matrix)
    radius = NearestNeighbors(n_neighbors=min_samples).fit(matrix).kneighbors(matrix)[0][:, -1]
    for quantile in quantiles:
        # scikit-learn refuses 0, and compares squares: a distance that is the radius may be lost to rounding.
        eps = max(float(np.quantile(radius, quantile)) * (1 + 1e-12), 1e-300)
        theirs = DBSCAN(eps=eps, min_samples=min_samples).fit(matrix)
        ours = path.partitions[quantile].labels.to_numpy()
        core = theirs.core_sample_indices_
        assert adjusted_rand_score(theirs.labels_[core], ours[core]) == 1
        np.testing.assert_array_equal(ours == -1, theirs.labels_ == -1)
        for border in np.setdiff1d(np.flatnonzero(ours >= 0), core):
            nearest = core[distances[border, core] == distances[border, core].min()]
            assert ours[border] in ours[nearest]


@pytest.mark.parametrize("clusterer", [HDBSCANPath([0.1]), DBSCANPath([0.5], 10), KMeansPath([2]), MixturePath([2])])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (VALUES.replace({0: {VALUES.iloc[7, 0]: np.nan}}), r"Values must be finite; customer 7 has nan in 0: fill it"),
        (VALUES.replace({1: {VALUES.iloc[3, 1]: np.inf}}), r"Values must be finite; customer 3 has inf in 1: fill it"),
        (VALUES.assign(town="Graz"), r"Customers are clustered by numbers; column 'town' holds str: encode or drop it"),
        (VALUES[[]], r"Customers are clustered by numbers; these 100 customers have no column\."),
        (VALUES[:1], r"At least (2|11) customers are needed for these tuning values; got 1\."),
    ],
    ids=["nan", "infinity", "text", "no column", "one row"],
)
def test_what_cannot_be_clustered_is_refused_in_one_sentence(
    clusterer: PathClusterer, values: pd.DataFrame, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        clusterer.fit_path(values)


@pytest.mark.parametrize("make", [KMeansPath, MixturePath])
@pytest.mark.parametrize("count", [0, 100, 2.5])
def test_a_number_of_clusters_that_cannot_be_is_refused(make: type, count: float) -> None:
    message = rf"must be whole, at least 1 and below the 100 customers; got \[{count}\]\."
    with pytest.raises(ValueError, match=message):
        make([2, count]).fit_path(VALUES)


def test_kmeans_says_when_there_are_fewer_kinds_of_customers_than_clusters() -> None:
    alike = pd.DataFrame(np.repeat(np.arange(3.0), 5).reshape(-1, 1))
    message = "K-means found 3 clusters instead of 4: no more customers differ from each other"
    with pytest.warns(ConvergenceWarning, match=message):
        assert KMeansPath([4]).fit_path(alike).partitions[4].sizes.tolist() == [5, 5, 5]


def test_mixtures_are_those_of_scikit_learn_with_the_seed() -> None:
    path = MixturePath([2, 3], n_init=2, random_state=5).fit_path(VALUES)
    for count, partition in path.partitions.items():
        model = GaussianMixture(count, covariance_type="diag", reg_covar=1e-3, n_init=2, max_iter=300, random_state=5)
        assert adjusted_rand_score(model.fit_predict(VALUES.to_numpy()), partition.labels) == 1


@pytest.mark.parametrize("clusterer", [KMeansPath([2]), MixturePath([2])])
def test_the_seed_reaches_what_draws(clusterer: PathClusterer) -> None:
    assert seeded(clusterer, 42).random_state == 42
