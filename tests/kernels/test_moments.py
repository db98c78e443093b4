"""Moments of clusters and the scores made of them."""

import math

import numba
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cut_tree, linkage
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from aisle.kernels.moments import Moments, moments

Array = npt.NDArray[np.float64]


def scores(found: Moments) -> Array:
    return np.array([found.calinski_harabasz(), found.davies_bouldin(), found.inertia()])


def davies_bouldin(values: Array, labels: Array) -> float:
    """By the definition: scikit-learn's own distances lose half their digits where a cluster has one member."""
    parts = [values[labels == name] for name in np.unique(labels)]
    means = [part.mean(axis=0) for part in parts]
    spreads = [float(np.linalg.norm(part - mean, axis=1).mean()) for part, mean in zip(parts, means, strict=True)]
    k = range(len(parts))
    alike = [[(spreads[a] + spreads[b]) / math.dist(means[a], means[b]) for b in k if b != a] for a in k]
    return float(np.mean([max(row) for row in alike]))


@st.composite
def labelled(draw: st.DrawFn) -> tuple[Array, Array]:
    n, d = draw(st.integers(1, 60)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.normal(size=(n, d)), np.array([rng.integers(-1, k, size=n) for k in (2, 3, 5)])


@settings(max_examples=60)
@given(labelled())
def test_scores_are_those_of_scikit_learn_without_the_noise(drawn: tuple[Array, Array]) -> None:
    values, labelings = drawn
    found = scores(moments(values, labelings))
    for labels, (calinski, davies, inertia) in zip(labelings, found.T, strict=True):
        inside, names = values[labels >= 0], labels[labels >= 0]
        k = np.unique(names).size
        if k:
            parts = [inside[names == name] for name in np.unique(names)]
            expected = sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts)
            assert inertia == pytest.approx(expected, rel=1e-12, abs=1e-12)
        else:
            assert math.isnan(inertia)
        if 2 <= k < names.size:
            assert calinski == pytest.approx(calinski_harabasz_score(inside, names), rel=1e-9)
            assert davies == pytest.approx(davies_bouldin(inside, names), rel=1e-9)
        else:
            assert math.isnan(calinski)
            assert math.isnan(davies)


def test_davies_bouldin_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    values, labelings = rng.normal(size=(500, 4)), [np.arange(500) % k for k in (2, 3, 9)]
    expected = [davies_bouldin_score(values, labels) for labels in labelings]
    np.testing.assert_allclose(moments(values, labelings).davies_bouldin(), expected, rtol=1e-12)


def test_inertia_is_that_of_k_means() -> None:
    values = np.random.default_rng(1).normal(size=(300, 4))
    fits = [KMeans(k, n_init=1, tol=0, random_state=0).fit(values) for k in (1, 2, 5)]
    found = moments(values, [fit.labels_ for fit in fits]).inertia()
    np.testing.assert_allclose(found, [fit.inertia_ for fit in fits], rtol=1e-9)


def test_iris_has_the_scores_that_r_finds() -> None:
    """R 4.2, fpc 2.2: cluster.stats of hclust(dist(iris), "ward.D2"), k = 3."""
    values = load_iris().data
    found = moments(values, cut_tree(linkage(values, "ward"), 3).T)
    assert found.calinski_harabasz()[0] == pytest.approx(558.0580408, abs=1e-7)
    assert found.inertia()[0] == pytest.approx(79.29712847, abs=1e-8)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([0, 0, 0, 0], "one cluster"),
        ([0, 1, 2, 3], "only clusters of one"),
        ([0, 1, -1, -1], "only clusters of one, and noise"),
        ([-1, -1, -1, -1], "everybody noise"),
    ],
)
def test_scores_that_compare_clusters_are_undefined_without_two_and_a_spread(labels: list[int], why: str) -> None:
    found = moments(np.arange(8.0).reshape(4, 2), [labels])
    assert np.isnan(found.calinski_harabasz()), why
    assert np.isnan(found.davies_bouldin()), why


def test_clusters_on_one_place_are_undefined_where_a_score_would_divide_by_nothing() -> None:
    apart = moments([[0.0], [0], [1], [1]], [[0, 0, 1, 1]])
    assert np.isnan(apart.calinski_harabasz())[0]  # no spread within: infinitely good
    assert apart.davies_bouldin()[0] == 0
    together = moments([[0.0], [2], [0], [2]], [[0, 0, 1, 1]])
    assert np.isnan(together.davies_bouldin())[0]  # no distance between: infinitely bad
    assert together.calinski_harabasz()[0] == 0
    assert together.inertia()[0] == 4


@pytest.mark.parametrize("scale", [1e-170, 1.0, 1e170])
def test_scores_keep_their_digits_at_any_scale(scale: float) -> None:
    rng = np.random.default_rng(2)
    values, labels = rng.normal(size=(80, 3)), [rng.integers(0, 3, size=80)]
    plain, other = moments(values, labels), moments(scale * values, labels)
    np.testing.assert_allclose(other.calinski_harabasz(), plain.calinski_harabasz(), rtol=1e-12)
    np.testing.assert_allclose(other.davies_bouldin(), plain.davies_bouldin(), rtol=1e-12)
    assert np.isinf(other.inertia())[0] == (scale > 1)


def test_scores_keep_their_digits_far_from_zero() -> None:
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(size=(80, 3)) * 2**20) / 2**20  # so that the sums below are exact
    labels = [rng.integers(0, 3, size=80)]
    np.testing.assert_allclose(scores(moments(values + 2.0**30, labels)), scores(moments(values, labels)), rtol=1e-12)


def test_the_number_of_threads_changes_no_bit() -> None:
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("Two threads need two cores.")
    rng = np.random.default_rng(4)
    values, labelings = rng.normal(size=(100_000, 20)), rng.integers(-1, 4, size=(3, 100_000))
    usual, found = numba.get_num_threads(), []
    for threads in (1, 2):
        numba.set_num_threads(threads)
        found.append(scores(moments(values, labelings)).tobytes())
    numba.set_num_threads(usual)
    assert found[0] == found[1]


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^X must be finite; row 0, column 0 is nan\.$"):
        moments([[np.nan]], [[0]])
    with pytest.raises(ValueError, match=r"^Labelings must have one row per partition and one column .* \(1, 2\)\.$"):
        moments([[1.0]], [[0, 1]])
