"""K-means: exact rounds, starts shared by all numbers of clusters, and an inertia as low as scikit-learn's."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from aisle.kernels.kmeans import kmeans_labels, kmeans_path

Floats = npt.NDArray[np.float64]


def sample(kind: str, n: int = 600, d: int = 8) -> Floats:
    rng = np.random.default_rng(6)
    if kind == "one cloud":
        return rng.normal(size=(n, d))
    if kind == "overlapping":
        return rng.normal(size=(n, d)) + rng.normal(size=(9, d))[rng.integers(9, size=n)]
    if kind == "separated":
        return rng.normal(size=(n, d)) + 5 * rng.normal(size=(6, d))[rng.integers(6, size=n)]
    if kind == "skewed":
        return np.exp(rng.normal(size=(n, d)))
    if kind == "correlated":
        return rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    return np.asarray(load_digits().data[:, :30])


@pytest.mark.parametrize("kind", ["one cloud", "overlapping", "separated", "skewed", "correlated", "digits"])
def test_twenty_starts_give_an_inertia_at_most_one_percent_above_that_of_ten_of_scikit_learn(kind: str) -> None:
    """Twenty of ours are cheaper than its ten: they share their draws, and most of them stop early."""
    X = sample(kind)
    ours = kmeans_path(X, range(2, 10), n_init=20, seed=1)
    with threadpool_limits(limits=1):
        theirs = {k: KMeans(k, n_init=10, random_state=k).fit(X).inertia_ for k in ours}
    ratios = np.array([fit.inertia / theirs[k] for k, fit in ours.items()])
    assert ratios.max() <= 1.01
    assert ratios.mean() <= 1.003


@st.composite
def tables(draw: st.DrawFn) -> tuple[Floats, int]:
    """Values of up to 80 rows, and a number of clusters: clouds, rows that repeat, few rows, columns of all scales."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d = draw(st.integers(2, 80)), draw(st.integers(1, 9))
    X = rng.normal(size=(n, d)) + 4 * rng.normal(size=(3, d))[rng.integers(3, size=n)]
    if draw(st.booleans()):
        X = X[rng.integers(max(2, n // 3), size=n)]
    X = X * 10.0 ** rng.integers(-8, 9, size=d) if draw(st.booleans()) else X
    X = X + draw(st.sampled_from([0.0, 1e6]))
    return X, draw(st.integers(1, n))


@settings(max_examples=100)
@given(tables())
def test_every_row_is_with_its_nearest_centroid_and_centroids_are_means(drawn: tuple[Floats, int]) -> None:
    """Lloyd's fixed point: bounds have left no row with a centroid that is not its nearest."""
    X, k = drawn
    fit = kmeans_labels(X, k, n_init=2, seed=3)
    squares = cdist(X, fit.centroids, "sqeuclidean")
    own = squares[np.arange(len(X)), fit.labels]
    slack = 1e-9 * np.square(X - X.mean(axis=0)).max()
    assert (own <= squares.min(axis=1) + slack).all()
    for cluster in np.unique(fit.labels):
        mean = X[fit.labels == cluster].mean(axis=0)
        np.testing.assert_allclose(fit.centroids[cluster], mean, rtol=1e-7, atol=1e-7 * np.abs(X).max())
    assert fit.inertia == pytest.approx(own.sum(), rel=1e-6, abs=slack * len(X))
    assert np.unique(fit.labels).size == min(k, len(np.unique(X, axis=0)))


@settings(max_examples=30)
@given(tables(), st.integers(0, 2**31))
def test_a_number_of_clusters_gives_the_same_alone_and_with_others(drawn: tuple[Floats, int], seed: int) -> None:
    X, k = drawn
    alone = kmeans_labels(X, k, n_init=3, seed=seed)
    path = kmeans_path(X, list({k, 1, (k + len(X)) // 2, len(X)}), n_init=3, seed=seed)
    np.testing.assert_array_equal(alone.labels, path[k].labels)
    np.testing.assert_array_equal(alone.centroids, path[k].centroids)


def test_planted_clusters_are_found() -> None:
    truth = np.random.default_rng(4).integers(5, size=400)
    X = np.random.default_rng(5).normal(size=(400, 6)) + 8 * np.eye(6)[truth]
    assert adjusted_rand_score(truth, kmeans_labels(X, 5, n_init=10, seed=1).labels) == 1


def test_resamples_side_by_side_give_what_they_give_one_after_the_other() -> None:
    X = sample("overlapping")
    draws = [X[np.random.default_rng(number).integers(len(X), size=len(X))] for number in range(6)]
    one_by_one = [kmeans_labels(draw, 4, n_init=5, seed=2).labels for draw in draws]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda draw: kmeans_labels(draw, 4, n_init=5, seed=2).labels, draws))
    np.testing.assert_array_equal(one_by_one, together)


def test_another_seed_starts_elsewhere() -> None:
    X = sample("one cloud")
    first, again, other = (kmeans_labels(X, 9, n_init=1, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.inertia != other.inertia
