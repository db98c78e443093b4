"""DBCV against its definition with a tree of scipy's, and against the library hdbscan."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.datasets import make_moons

from aisle.evidence.density import density_validity

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def slowly(values: Values, labels: Labels) -> float:
    """The paper's formulas; ties between edges of one weight go to the nearer customers."""
    parts = {}
    for cluster in range(labels.max() + 1):
        inside = values[labels == cluster]
        distances = cdist(inside, inside)
        others = np.where(np.eye(len(inside), dtype=bool), np.inf, distances)
        core = ((others ** -values.shape[1]).sum(axis=1) / (len(inside) - 1)) ** (-1 / values.shape[1])
        reach = np.maximum(distances, np.maximum.outer(core, core))
        tree = minimum_spanning_tree(reach + 1e-9 * distances).tocoo()
        inner = np.bincount([*tree.row, *tree.col]) > 1
        edges = [reach[i, j] for i, j in zip(tree.row, tree.col, strict=True) if inner[i] and inner[j]]
        parts[cluster] = (inside[inner], core[inner], max(edges))
    total = 0.0
    for cluster, (inner, core, sparse) in parts.items():
        apart = min(
            np.maximum(cdist(inner, other[0]), np.maximum.outer(core, other[1])).min()
            for name, other in parts.items()
            if name != cluster
        )
        total += (labels == cluster).sum() * (apart - sparse) / max(apart, sparse)
    return float(total / labels.size)


def blobs(apart: float, columns: int, seed: int) -> tuple[Values, Labels]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 90)
    return rng.normal(size=(90, columns)) + apart * np.eye(columns)[labels % columns], labels


@pytest.mark.parametrize("columns", [2, 4, 9])
@pytest.mark.parametrize("apart", [0.0, 3.0, 9.0])
def test_it_is_the_definition(columns: int, apart: float) -> None:
    values, labels = blobs(apart, columns, seed=columns)
    labels[:7] = -1
    assert density_validity(values, labels) == pytest.approx(slowly(values, labels), abs=1e-6)


def test_it_is_near_the_librarys_where_the_choice_among_level_edges_matters_little() -> None:
    from hdbscan.validity import validity_index

    for seed in range(6):
        values, labels = blobs(40.0, 4, seed)
        assert density_validity(values, labels) == pytest.approx(validity_index(values, labels), abs=0.05)


def test_two_moons_are_valid_by_density_and_their_halves_are_not() -> None:
    values, moons = make_moons(400, noise=0.03, random_state=1)
    halves = (values[:, 0] > values[:, 0].mean()).astype(np.int64)
    assert density_validity(values, moons) > 0.4
    assert density_validity(values, halves) < 0


def test_the_order_of_rows_and_the_unit_change_nothing() -> None:
    values, labels = blobs(4.0, 3, seed=8)
    values = values.round(1)  # with ties, and with equal customers
    expected = density_validity(values, labels)
    order = np.random.default_rng(0).permutation(90)
    assert density_validity(values[order], labels[order]) == pytest.approx(expected)
    assert density_validity(values * 1000, labels) == pytest.approx(expected)


def test_many_columns_do_not_overflow() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 40)
    values = 1e-3 * rng.normal(size=(80, 200)) + labels[:, np.newaxis]
    assert 0.9 < density_validity(values, labels) <= 1


def test_equal_customers_are_dense_and_a_cluster_of_one_counts_as_noise() -> None:
    twins = np.repeat([[0.0, 0.0], [3.0, 4.0]], 5, axis=0)
    labels = np.repeat([0, 1], 5)
    assert density_validity(twins, labels) == 1
    assert density_validity(np.vstack([twins, [[1.0, 1.0]]]), np.append(labels, 2)) == pytest.approx(10 / 11)
    assert density_validity(np.zeros((4, 2)), np.array([0, 0, 1, 1])) == 0


@pytest.mark.parametrize("labels", [[-1] * 6, [0] * 6, [0, 0, 0, 0, 0, 1], [0, 1, 2, 3, 4, 5]])
def test_below_two_clusters_of_two_it_is_undefined(labels: list[int]) -> None:
    assert np.isnan(density_validity(np.random.default_rng(0).normal(size=(6, 2)), np.array(labels)))
