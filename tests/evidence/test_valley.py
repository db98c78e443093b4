"""Gaps between clusters, seen by held-out customers."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from aisle.assignment import nearest_centroid
from aisle.evidence.valley import continuous, positions, shrunken_covariance, valleys

Array = npt.NDArray[np.float64]


def halves(values: Array, k: int) -> tuple[Array, npt.NDArray[np.int64], Array, npt.NDArray[np.int64]]:
    known, new = values[::2], values[1::2]
    labels = KMeans(k, n_init=5, random_state=0).fit_predict(known).astype(np.int64)
    return known, labels, new, nearest_centroid(known, labels, new)


def test_a_gap_is_found_where_there_is_one_and_not_where_a_cloud_is_cut() -> None:
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(1200, 5))
    apart = cloud + 8 * rng.integers(0, 2, (1200, 1)) * np.eye(5)[0]
    assert [valley.p < 0.01 for valley in valleys(*halves(apart, 2))] == [True, True]
    assert all(valley.p > 0.2 for valley in valleys(*halves(cloud, 2)))


def test_every_cluster_is_held_against_its_nearest_neighbour() -> None:
    rng = np.random.default_rng(1)
    line = rng.normal(size=(900, 2)) + np.repeat([0.0, 12.0, 14.0], 300)[:, np.newaxis] * np.eye(2)[0]
    labels = np.repeat([0, 1, 2], 300)
    found = valleys(line[::2], labels[::2], line[1::2], labels[1::2])
    assert [(valley.cluster, valley.neighbour) for valley in found] == [(0, 1), (1, 2), (2, 1)]
    assert found[0].p < 0.01
    assert found[1].p == found[2].p > 0.05


def test_one_cluster_has_no_neighbour() -> None:
    assert valleys(np.eye(3), np.zeros(3, dtype=np.int64), np.eye(3), np.zeros(3, dtype=np.int64)) == []


def test_the_line_is_the_shrunken_discriminant() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6))
    labels = np.repeat([0, 1], 100)
    values[labels == 1] += rng.normal(size=6)
    found = positions(values, labels, values, 0, 1)
    library = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(values, labels)
    assert abs(np.corrcoef(found, values @ library.coef_[0])[0, 1]) > 0.99
    assert found[labels == 0].mean() == pytest.approx(0, abs=1e-9)
    assert found[labels == 1].mean() == pytest.approx(1, abs=1e-9)


def test_clusters_that_are_points_lie_on_the_line_between_them() -> None:
    values = np.repeat([[0.0, 0.0], [1.0, 0.0]], 10, axis=0)
    assert positions(values, np.repeat([0, 1], 10), values, 0, 1).tolist() == [0.0] * 10 + [1.0] * 10


def test_columns_of_few_levels_are_no_direction() -> None:
    table = pd.DataFrame({"flag": [0, 1] * 10, "ten": [*range(10)] * 2, "many": range(20)})
    assert continuous(table) == ["many"]


@settings(max_examples=60)
@given(st.integers(2, 60), st.integers(1, 8), st.integers(0, 2**32 - 1), st.booleans())
def test_the_shrunken_covariance_is_scikit_learns(n: int, d: int, seed: int, level: bool) -> None:
    values = np.random.default_rng(seed).normal(size=(n, d)).cumsum(axis=1)
    centred = np.round(values - values.mean(axis=0)) if level else values - values.mean(axis=0)
    found = shrunken_covariance(centred)
    assert found == pytest.approx(ledoit_wolf(centred, assume_centered=True)[0], rel=1e-9, abs=1e-12)
