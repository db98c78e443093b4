"""What every score obeys, checked on all of them."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples as sklearn_samples
from sklearn.metrics import silhouette_score

from aisle import scores
from aisle.kernels.moments import Moments, moments
from aisle.kernels.silhouette import silhouette_samples

Array = npt.NDArray[np.float64]


def samples(values: Array, labels: Array) -> Array:
    return silhouette_samples(values, labels[np.newaxis], metric="euclidean")[0]


def clusters(values: Array, labels: Array) -> Moments:
    return moments(values, labels[np.newaxis])


SCORES: dict[str, Callable[[Array, Array], float]] = {
    "coverage": lambda values, labels: scores.coverage(labels),
    "balance": lambda values, labels: scores.balance(labels),
    "smallest_share": lambda values, labels: scores.smallest_share(labels),
    "silhouette": lambda values, labels: scores.silhouette(samples(values, labels)),
    "ranking_score": lambda values, labels: scores.ranking_score(samples(values, labels)),
    "calinski_harabasz": lambda values, labels: clusters(values, labels).calinski_harabasz()[0],
    "davies_bouldin": lambda values, labels: clusters(values, labels).davies_bouldin()[0],
    "inertia": lambda values, labels: clusters(values, labels).inertia()[0],
}
EVERY = pytest.mark.parametrize("score", SCORES.values(), ids=SCORES.keys())
BOUNDS = {
    "coverage": (0, 1),
    "balance": (0, 1),
    "smallest_share": (0, 1),
    "silhouette": (-1, 1),
    "ranking_score": (-1, 1),
    "calinski_harabasz": (0, math.inf),
    "davies_bouldin": (0, math.inf),
    "inertia": (0, math.inf),
}
GROWS_WITH_SCALE = {"inertia": 2}
"""The power of the unit of X that a score is measured in; 0 for all others."""


@st.composite
def partitions(draw: st.DrawFn, noise: bool = True, most: int = 25) -> tuple[Array, Array]:
    """Customers in the plane to about three decimals, and labels; some clusters may be empty or hold one."""
    size = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.array(draw(st.lists(st.integers(-1 if noise else 0, 4), min_size=size, max_size=size)))
    values = np.round(rng.normal(size=(size, 2)), 3) + draw(st.sampled_from([0.0, 3.0])) * labels[:, None]
    return values, labels


def same(first: float, second: float) -> bool:
    return (math.isnan(first) and math.isnan(second)) or math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)


@EVERY
@settings(max_examples=50)
@given(partitions(), st.permutations(range(5)))
def test_renaming_clusters_changes_no_score(score: Callable, drawn: tuple[Array, Array], names: list[int]) -> None:
    values, labels = drawn
    renamed = np.where(labels == -1, -1, np.array(names)[labels])
    assert same(score(values, labels), score(values, renamed))


@EVERY
@settings(max_examples=50)
@given(partitions(), st.randoms(use_true_random=False))
def test_reordering_customers_changes_no_score(score: Callable, drawn: tuple[Array, Array], random: object) -> None:
    values, labels = drawn
    order = list(range(labels.size))
    random.shuffle(order)
    assert same(score(values, labels), score(values[order], labels[order]))


@pytest.mark.parametrize("name", SCORES)
@settings(max_examples=50)
@given(partitions(), st.floats(-50, 50), st.floats(0, 2 * math.pi), st.floats(0.01, 100))
def test_moving_turning_and_scaling_the_space_changes_no_score_but_its_unit(
    name: str, drawn: tuple[Array, Array], shift: float, angle: float, scale: float
) -> None:
    values, labels = drawn
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    elsewhere = SCORES[name](scale * values @ turn + shift, labels)
    assert same(SCORES[name](values, labels) * scale ** GROWS_WITH_SCALE.get(name, 0), elsewhere)


@pytest.mark.parametrize("name", SCORES)
@settings(max_examples=50)
@given(partitions())
def test_a_score_is_within_its_bounds_or_undefined(name: str, drawn: tuple[Array, Array]) -> None:
    low, high = BOUNDS[name]
    found = SCORES[name](*drawn)
    assert math.isnan(found) or low <= found <= high


@given(partitions(noise=False))
def test_without_noise_silhouettes_are_those_of_scikit_learn(drawn: tuple[Array, Array]) -> None:
    values, labels = drawn
    assume(2 <= np.unique(labels).size < labels.size)
    np.testing.assert_allclose(samples(values, labels), sklearn_samples(values, labels), rtol=1e-7, atol=1e-7)
    assert scores.silhouette(samples(values, labels)) == pytest.approx(silhouette_score(values, labels), abs=1e-7)


@given(partitions())
def test_noise_is_nobodys_neighbour(drawn: tuple[Array, Array]) -> None:
    values, labels = drawn
    inside = labels != -1
    found = samples(values, labels)
    np.testing.assert_array_equal(found[inside], samples(values[inside], labels[inside]))
    assert np.isnan(found[~inside]).all()


@given(partitions())
def test_without_noise_the_ranking_score_is_the_silhouette(drawn: tuple[Array, Array]) -> None:
    values, labels = drawn
    inside = labels != -1
    found = samples(values[inside], labels[inside])
    assert same(scores.ranking_score(found), scores.silhouette(found))


@given(partitions())
def test_noise_draws_the_ranking_score_towards_zero(drawn: tuple[Array, Array]) -> None:
    values, labels = drawn
    found = samples(values, labels)
    silhouette, ranking = scores.silhouette(found), scores.ranking_score(found)
    assume(not math.isnan(silhouette))
    assert ranking == pytest.approx(silhouette * scores.coverage(labels))
    assert ranking <= silhouette or silhouette < 0


@given(partitions(), st.integers(1, 10))
def test_more_noise_lowers_coverage_and_never_raises_a_positive_ranking_score(
    drawn: tuple[Array, Array], more: int
) -> None:
    values, labels = drawn
    noisier = np.append(labels, np.full(more, -1)), np.vstack([values, np.full((more, 2), 9.0)])
    assert scores.coverage(noisier[0]) <= scores.coverage(labels)
    before, after = (scores.ranking_score(samples(*pair)) for pair in ((values, labels), noisier[::-1]))
    assert math.isnan(before) or before < 0 or after <= before


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([0, 0, 0], "one cluster"),
        ([-1, -1, -1], "everybody noise"),
        ([0, 1, 2], "only clusters of one"),
        ([0, 0, -1], "one cluster and noise"),
        ([0, 1, -1], "only clusters of one, and noise"),
        ([], "nobody"),
    ],
)
def test_silhouettes_are_undefined_without_two_clusters_and_a_neighbour(labels: list[int], why: str) -> None:
    found = samples(np.arange(2.0 * len(labels)).reshape(-1, 2), np.array(labels, dtype=int))
    assert np.isnan(found).all(), why
    assert math.isnan(scores.silhouette(found))
    assert math.isnan(scores.ranking_score(found))


def test_the_only_member_of_a_cluster_has_silhouette_zero() -> None:
    found = samples(np.array([[0.0, 0], [0, 1], [5, 5]]), np.array([0, 0, 1]))
    assert found[2] == 0
    assert (found[:2] > 0.8).all()


def test_silhouettes_equal_the_definition_worked_by_hand() -> None:
    values = np.array([[0.0], [2.0], [10.0], [11.0], [50.0]])
    # a = distance to the other of the own cluster, b = mean distance to the other cluster; 50 is noise
    expected = [1 - 2 / 10.5, 1 - 2 / 8.5, 1 - 1 / 9, 1 - 1 / 10, math.nan]
    np.testing.assert_allclose(samples(values, np.array([0, 0, 1, 1, -1])), expected)


@given(st.integers(2, 9), st.integers(1, 30))
def test_equal_clusters_are_perfectly_balanced(clusters: int, each: int) -> None:
    assert scores.balance(np.repeat(np.arange(clusters), each)) == pytest.approx(1)


def test_balance_is_the_normalised_entropy_of_sizes() -> None:
    expected = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    assert scores.balance(np.array([0, 0, 0, 1, -1])) == pytest.approx(expected)
    assert math.isnan(scores.balance(np.array([0, 0, -1])))


def test_shares_count_noise_among_the_customers() -> None:
    labels = np.array([0, 0, 0, 1, 1, -1, -1, -1])
    assert scores.coverage(labels) == 5 / 8
    assert scores.smallest_share(labels) == 2 / 8
    assert math.isnan(scores.smallest_share(np.array([-1, -1])))
    assert math.isnan(scores.coverage(np.array([], dtype=int)))


@EVERY
@settings(max_examples=50)
@given(partitions())
def test_scoring_leaves_its_input_alone(score: Callable, drawn: tuple[Array, Array]) -> None:
    values, labels = drawn[0].copy(), drawn[1].copy()
    score(*drawn)
    np.testing.assert_array_equal(drawn[0], values)
    np.testing.assert_array_equal(drawn[1], labels)
