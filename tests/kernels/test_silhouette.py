"""Silhouettes of many partitions: the definition, and scikit-learn, whatever the data look like."""

from collections.abc import Callable, Iterator

import numba
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import cdist
from sklearn.datasets import load_iris
from sklearn.metrics import silhouette_samples as sklearn_samples
from sklearn.metrics import silhouette_score

from aisle.kernels import silhouette
from aisle.kernels.silhouette import METRICS, cluster_silhouettes, silhouette_samples, silhouette_scores

Array = npt.NDArray[np.float64]
EVERY = pytest.mark.parametrize("metric", METRICS)


def plain(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.normal(size=(n, d))


def clustered(rng: np.random.Generator, n: int, d: int) -> Array:
    return 20 * rng.normal(size=(3, d))[rng.integers(3, size=n)] + rng.normal(size=(n, d))


def duplicated(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.integers(1, 3, size=(n, d)).astype(float)


def tiny(rng: np.random.Generator, n: int, d: int) -> Array:
    return 1e-170 * rng.normal(size=(n, d))


def huge(rng: np.random.Generator, n: int, d: int) -> Array:
    return 1e170 * rng.normal(size=(n, d))


def ill_scaled(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.normal(size=(n, d)) * 10.0 ** rng.integers(-8, 9, size=d)


def far_away(rng: np.random.Generator, n: int, d: int) -> Array:
    """Multiples of 2**-20 about 2**20: their differences are exact."""
    return np.round(rng.normal(size=(n, d)) * 2**20) / 2**20 + 2.0**20


SHAPES = (plain, clustered, duplicated, tiny, huge, ill_scaled, far_away)


@st.composite
def labelled(draw: st.DrawFn, shapes: tuple[Callable, ...] = SHAPES, noise: bool = True) -> tuple[Array, Array]:
    """Up to three tiles of customers and up to four partitions, noise and clusters of one among them."""
    n, d = draw(st.integers(1, 150)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = draw(st.sampled_from(shapes))(rng, n, d)
    clusters = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    return values, np.array([rng.integers(-1 if noise else 0, k, size=n) for k in clusters])


def by_definition(distances: Array, labels: Array) -> Array:
    """Rousseeuw's formula, a customer at a time."""
    samples = np.full(labels.size, np.nan)
    names = [name for name in np.unique(labels) if name >= 0]
    if not 2 <= len(names) < (labels >= 0).sum():
        return samples
    for i in np.flatnonzero(labels >= 0):
        own = labels == labels[i]
        near = min(distances[i, labels == name].mean() for name in names if name != labels[i])
        within = distances[i, own].sum() / (own.sum() - 1) if own.sum() > 1 else near
        samples[i] = (near - within) / max(near, within) if max(near, within) > 0 else 0.0
    return samples


def distances(values: Array, metric: str) -> Array:
    """In units of the widest column's spread, so that no square overflows or vanishes."""
    if metric == "cosine":
        return cdist(values, values, "cosine")
    spread = max(float(np.ptp(values, axis=0).max()), float(np.finfo(float).tiny))
    return np.sqrt(sum((np.subtract.outer(x, x) / spread) ** 2 for x in values.T)) ** (1 + (metric == "sqeuclidean"))


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean"])
@settings(max_examples=80)
@given(labelled())
def test_silhouettes_are_those_of_the_definition(metric: str, drawn: tuple[Array, Array]) -> None:
    values, labelings = drawn
    expected = [by_definition(distances(values, metric), labels) for labels in labelings]
    found = silhouette_samples(values, labelings, metric=metric)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@settings(max_examples=40)
@given(labelled(shapes=(plain, clustered, ill_scaled)))
def test_cosine_silhouettes_are_those_of_the_definition(drawn: tuple[Array, Array]) -> None:
    values = np.column_stack([drawn[0], np.ones(len(drawn[0]))])  # in one column alone there are two directions
    directions = values / np.linalg.norm(values, axis=1, keepdims=True)
    expected = [by_definition(cdist(directions, directions, "sqeuclidean"), labels) for labels in drawn[1]]
    np.testing.assert_allclose(silhouette_samples(values, drawn[1], metric="cosine"), expected, rtol=0, atol=1e-9)


@EVERY
@pytest.mark.parametrize("n", [3, 63, 64, 65, 128, 1000])
def test_on_centred_data_silhouettes_are_scikit_learns_to_twelve_digits(metric: str, n: int) -> None:
    rng = np.random.default_rng(n)
    values = rng.normal(size=(n, 13))
    values -= values.mean(axis=0)
    labelings = np.array([np.arange(n) % k for k in range(2, min(n, 10))])
    found = silhouette_samples(values, labelings, metric=metric)
    expected = [sklearn_samples(values, labels, metric=metric) for labels in labelings]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    means = [silhouette_score(values, labels, metric=metric) for labels in labelings]
    np.testing.assert_allclose(silhouette_scores(values, labelings, metric=metric), means, rtol=0, atol=1e-12)


@EVERY
@settings(max_examples=25)
@given(labelled(shapes=(plain,), noise=False))
def test_many_partitions_score_as_each_alone(metric: str, drawn: tuple[Array, Array]) -> None:
    values, labelings = drawn
    alone = [silhouette_samples(values, labels[np.newaxis], metric=metric)[0] for labels in labelings]
    found = silhouette_samples(values, labelings, metric=metric)
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-13)


@EVERY
@settings(max_examples=25)
@given(labelled(shapes=(plain,)))
def test_noise_is_nan_and_nobodys_neighbour(metric: str, drawn: tuple[Array, Array]) -> None:
    values, labelings = drawn
    found = silhouette_samples(values, labelings, metric=metric)
    for labels, samples in zip(labelings, found, strict=True):
        inside = labels >= 0
        assert np.isnan(samples[~inside]).all()
        alone = silhouette_samples(values[inside], labels[np.newaxis, inside], metric=metric)[0]
        np.testing.assert_allclose(samples[inside], alone, rtol=0, atol=1e-13)


@EVERY
def test_undefined_partitions_are_nan_and_leave_the_others_alone(metric: str) -> None:
    values = np.array([[1.0, 0], [2, 1], [0, 3], [1, 7]])
    labelings = np.array([[0, 0, 0, 0], [0, 1, 2, 3], [-1, -1, -1, -1], [0, 1, -1, -1], [0, 0, 1, 1]])
    found = silhouette_samples(values, labelings, metric=metric)
    assert np.isnan(found[:4]).all()
    assert np.isfinite(found[4]).all()
    scores = silhouette_scores(values, labelings, metric=metric)
    assert np.isnan(scores[:4]).all()
    assert scores[4] == found[4].mean()


@EVERY
def test_equal_customers_in_different_clusters_have_silhouette_zero(metric: str) -> None:
    values = np.full((5, 3), 0.1)
    found = silhouette_samples(values, [[0, 0, 0, 1, 1]], metric=metric)
    np.testing.assert_array_equal(found, np.zeros((1, 5)))


def test_one_direction_is_one_place_under_cosine_whatever_the_length() -> None:
    values = np.outer([1.0, 3.0, 7.0, 0.1, 11.0], [0.3, 0.1, 0.7])
    np.testing.assert_array_equal(silhouette_samples(values, [[0, 0, 0, 1, 1]], metric="cosine"), np.zeros((1, 5)))
    lengths = np.random.default_rng(1).uniform(1e-200, 1e200, size=(40, 1))
    directions = np.random.default_rng(2).normal(size=(40, 4))
    labelings = [np.arange(40) % 3]
    expected = silhouette_samples(directions, labelings, metric="cosine")
    np.testing.assert_allclose(
        silhouette_samples(lengths * directions, labelings, metric="cosine"), expected, atol=1e-13
    )


@EVERY
def test_the_only_member_of_a_cluster_has_silhouette_zero(metric: str) -> None:
    found = silhouette_samples([[1.0, 0], [1, 0.1], [-5, 5]], [[7, 7, 3]], metric=metric)[0]
    assert found[2] == 0
    assert (found[:2] > 0.8).all()


def test_iris_has_the_silhouettes_that_r_finds() -> None:
    """R 4.2, fpc 2.2: cluster.stats of hclust(dist(iris), "ward.D2"), k = 3."""
    values = load_iris().data
    labels = cut_tree(linkage(values, "ward"), 3)[:, 0]
    assert np.bincount(labels).tolist() == [50, 64, 36]
    samples = silhouette_samples(values, [labels], metric="euclidean")[0]
    assert samples.mean() == pytest.approx(0.5543236611, abs=1e-10)
    assert cluster_silhouettes(samples, labels) == pytest.approx([0.79977911, 0.40818964, 0.47320714], abs=1e-8)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Sets the number of threads; afterwards it is what it was."""
    usual = numba.get_num_threads()
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("Two threads need two cores.")
    yield numba.set_num_threads
    numba.set_num_threads(usual)


@EVERY
def test_the_number_of_threads_changes_no_bit(metric: str, threads: Callable[[int], None]) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(1500, 17))
    labelings = np.array([rng.integers(-1, k, size=1500) for k in (2, 5, 200)])
    found = []
    for count in (1, 2):
        threads(count)
        found.append(silhouette_samples(values, labelings, metric=metric).tobytes())
        assert numba.get_num_threads() == count
    assert found[0] == found[1]


@pytest.mark.parametrize("budget", [1, 300 * 8 * 5, 300 * 8 * 9])
def test_a_small_budget_of_memory_changes_no_result(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    values, labelings = rng.normal(size=(300, 5)), np.array([rng.integers(-1, k, size=300) for k in (2, 3, 4, 60)])
    expected = silhouette_samples(values, labelings, metric="euclidean")
    monkeypatch.setattr(silhouette, "_BUDGET", budget)
    np.testing.assert_allclose(silhouette_samples(values, labelings, metric="euclidean"), expected, rtol=0, atol=1e-13)


@EVERY
def test_nothing_to_score_gives_nothing(metric: str) -> None:
    assert silhouette_samples(np.ones((0, 2)), np.zeros((3, 0), dtype=int), metric=metric).shape == (3, 0)
    assert np.isnan(silhouette_scores(np.ones((0, 2)), np.zeros((3, 0), dtype=int), metric=metric)).all()
    assert silhouette_samples(np.ones((4, 2)), np.zeros((0, 4), dtype=int), metric=metric).shape == (0, 4)


@pytest.mark.parametrize(
    ("values", "labelings", "message"),
    [
        ([[1.0, np.nan], [0, 1]], [[0, 1]], r"^X must be finite; row 0, column 1 is nan\.$"),
        ([[1.0, 0], [-np.inf, 1]], [[0, 1]], r"^X must be finite; row 1, column 0 is -inf\.$"),
        ([["a", "b"]], [[0]], r"^X must be a table of numbers; got \['a' 'b'\]\.$"),
        ([1.0, 2.0], [[0, 1]], r"^X must be a table, customers by at least one column; got the shape \(2,\)\.$"),
        (np.ones((2, 0)), [[0, 1]], r"^X must be a table, .* got the shape \(2, 0\)\.$"),
        (np.eye(2), [0, 1], r"^Labelings must have one row per partition .* 2 rows of X; got the shape \(2,\)\.$"),
        (np.eye(2), [[0, 1, 1]], r"^Labelings must have one row per partition .* got the shape \(1, 3\)\.$"),
        (np.eye(2), [[0.0, 1.0]], r"^Labels must be whole numbers, -1 for noise; got float64\.$"),
        (np.eye(2), [[0, -2]], r"^Labels must be at least -1, which is noise; got -2\.$"),
        ([[1.0, 0], [0, 0], [1, 1]], [[0, 1, 1]], r"^Cosine distance needs .* rows of X are all zeros: \[1\]\.$"),
    ],
)
def test_bad_input_is_one_sentence(values: object, labelings: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        silhouette_samples(values, labelings, metric="cosine")


def test_an_unknown_metric_is_refused() -> None:
    message = r"^metric must be one of \['cosine', 'euclidean', 'sqeuclidean'\]; got 'manhattan'\.$"
    with pytest.raises(ValueError, match=message):
        silhouette_scores(np.eye(3), [[0, 0, 1]], metric="manhattan")
