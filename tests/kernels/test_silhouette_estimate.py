"""An estimated silhouette holds what it says, and says that it is estimated."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import numpy.typing as npt
import pytest

from aisle.kernels.silhouette import silhouette_scores
from aisle.kernels.silhouette_estimate import estimate_silhouettes

Array = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def shop() -> tuple[Array, Array]:
    """4,000 customers, two partitions; in the first a segment of 6, in the second noise as well."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1, 2], [2400, 1594, 6])
    values = np.array([[0.0, 0, 0], [3, 0, 0], [0, 9, 0]])[labels] + rng.normal(size=(4000, 3))
    return values, np.array([labels, rng.integers(-1, 4, size=4000)])


def test_the_interval_holds_the_exact_value_as_often_as_it_says(shop: tuple[Array, Array]) -> None:
    values, labelings = shop
    exact = silhouette_scores(values, labelings, metric="euclidean")
    drawn = [estimate_silhouettes(values, labelings, sample_size=200, confidence=0.9, seed=s) for s in range(60)]
    for p in range(2):
        held = sum(found[p].low <= exact[p] <= found[p].high for found in drawn)
        assert held >= 46  # of 60 at 90 %: fewer has a chance of 1 in 500
        assert np.mean([found[p].value for found in drawn]) == pytest.approx(exact[p], abs=0.01)
    assert sum(found[0].low <= exact[0] <= found[0].high for found in drawn) < 60


def test_a_larger_sample_has_a_narrower_interval(shop: tuple[Array, Array]) -> None:
    widths = []
    for size in (100, 1000, 3000):
        found = estimate_silhouettes(*shop, sample_size=size, confidence=0.95, seed=2)[0]
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > widths[2] > 0


def test_a_small_cluster_is_drawn_whole(shop: tuple[Array, Array]) -> None:
    values, labelings = shop
    found = estimate_silhouettes(values, labelings, sample_size=10, confidence=0.95, seed=3)[0]
    assert found.sample_size == 30 + 30 + 6
    two = np.where(labelings[0] == 2, -1, labelings[0])[np.newaxis]
    without = estimate_silhouettes(values, two, sample_size=10, confidence=0.95, seed=3)[0]
    assert (without.sample_size, without.customers) == (60, 3994)


def test_a_sample_of_everybody_is_exact_and_its_interval_a_point(shop: tuple[Array, Array]) -> None:
    values, labelings = shop[0][::8], shop[1][:, ::8]
    exact = silhouette_scores(values, labelings, metric="euclidean")
    for found, expected in zip(
        estimate_silhouettes(values, labelings, sample_size=500, confidence=0.95, seed=4), exact, strict=True
    ):
        assert found.low == found.value == found.high == pytest.approx(expected, abs=1e-13)


def test_the_seed_alone_decides(shop: tuple[Array, Array]) -> None:
    once, again, other = (estimate_silhouettes(*shop, sample_size=90, confidence=0.95, seed=s) for s in (5, 5, 6))
    assert once == again
    assert once != other


def test_an_estimate_says_so_and_cannot_be_changed(shop: tuple[Array, Array]) -> None:
    found = estimate_silhouettes(*shop, sample_size=400, confidence=0.95, seed=7)[0]
    expected = f"about {found.value:.4f} (95% interval {found.low:.4f} to {found.high:.4f}), estimated from "
    assert str(found) == f"{expected}{found.sample_size} of 4,000 customers"
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'value'"):
        found.value = 1.0


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3], [-1, -1, -1, -1]])
def test_an_undefined_silhouette_is_estimated_as_undefined(labels: list[int]) -> None:
    found = estimate_silhouettes(np.arange(4.0)[:, np.newaxis], [labels], sample_size=4, confidence=0.9, seed=0)[0]
    assert all(math.isnan(value) for value in (found.value, found.low, found.high))
    assert found.sample_size == 0
    assert str(found).startswith("undefined")


def test_bad_arguments_are_one_sentence() -> None:
    for size, confidence, message in (
        (0, 0.9, r"^sample_size must be at least 1 customer; got 0\.$"),
        (5, 1.0, r"^confidence must be a probability in \(0, 1\); got 1\.0\.$"),
    ):
        with pytest.raises(ValueError, match=message):
            estimate_silhouettes(np.eye(3), [[0, 0, 1]], sample_size=size, confidence=confidence, seed=0)
