"""The rule that gives customers a segment."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_moons
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from aisle.assignment import assign, nearest_centroid, rules


@given(st.integers(6, 80), st.integers(1, 5), st.integers(0, 10_000))
@settings(max_examples=100)
def test_the_nearest_centroid_is_that_of_scikit_learn(n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known, new = rng.normal(size=(n, 3)), rng.normal(size=(20, 3))
    labels = np.append(np.arange(k), rng.integers(0, k, n - k))
    expected = np.zeros(20) if k == 1 else NearestCentroid().fit(known, labels).predict(new)
    assert nearest_centroid(known, labels, new).tolist() == expected.tolist()


def test_bands_are_assigned_by_neighbours_and_balls_by_centroids() -> None:
    bands, band = make_moons(300, noise=0.05, random_state=0)
    balls = np.random.default_rng(0).normal(size=(300, 2)) + 8.0 * band[:, np.newaxis]
    assert rules(bands, np.array([band])) == ["neighbours"]
    assert rules(balls, np.array([band])) == ["centroids"]
    new, truth = make_moons(200, noise=0.05, random_state=1)
    found = assign(bands, np.array([band]), new)[0]
    by_library = KNeighborsClassifier(5).fit(bands, band).predict(new)
    assert found.tolist() == by_library.tolist()
    assert (found == truth).mean() > 0.98


def test_noise_is_assigned_where_noise_is() -> None:
    rng = np.random.default_rng(2)
    known = np.append(rng.normal(size=(60, 2)), rng.uniform(20, 60, size=(60, 2)), axis=0)
    labels = np.repeat([0, -1], 60)
    assert rules(known, labels[np.newaxis]) == ["neighbours"]
    assert assign(known, labels[np.newaxis], np.array([[0.0, 0.0], [40.0, 40.0]])).tolist() == [[0, -1]]


@pytest.mark.parametrize("labels", [[-1, -1, -1], [0, 0, 0]])
def test_without_two_clusters_there_is_one_answer(labels: list[int]) -> None:
    found = assign(np.eye(3), np.array([labels]), np.ones((4, 3)))
    assert found.tolist() == [[labels[0]] * 4]


def test_many_partitions_are_assigned_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    known, new = rng.normal(size=(90, 4)), rng.normal(size=(40, 4))
    labelings = np.array([rng.permutation(np.arange(90) % k) for k in (2, 3, 5)])
    one_by_one = [assign(known, labels[np.newaxis], new)[0].tolist() for labels in labelings]
    assert assign(known, labelings, new).tolist() == one_by_one


def test_a_customer_who_counts_three_times_is_three_customers_to_a_centroid() -> None:
    known, times = np.array([[0.0], [4.0], [20.0], [30.0]]), np.array([1, 3, 2, 1])
    labels, new = np.array([0, 0, 1, 1]), np.linspace(5, 20, 31)[:, np.newaxis]
    repeated = nearest_centroid(np.repeat(known, times, axis=0), np.repeat(labels, times), new)
    assert assign(known, labels[np.newaxis], new, times)[0].tolist() == repeated.tolist()
    assert assign(known, labels[np.newaxis], new)[0].tolist() != repeated.tolist()
