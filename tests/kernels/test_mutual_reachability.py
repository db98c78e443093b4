"""HDBSCAN's distances, tree and clusters are those of the library hdbscan, on every kind of data."""

import hdbscan
import numba
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from aisle.kernels.density_tree import DensityTree
from aisle.kernels.mutual_reachability import core_distances, spanning_tree

Floats = npt.NDArray[np.float64]
KINDS = ("random", "clustered", "duplicated", "grid", "tiny", "ill-scaled")


@st.composite
def tables(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS) -> Floats:
    """Values of up to 150 rows: one cloud, several, rows that repeat, a grid full of ties, few rows, uneven columns."""
    kind = draw(st.sampled_from(kinds))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d = draw(st.integers(3, 8) if kind == "tiny" else st.integers(12, 150)), draw(st.integers(1, 5))
    X = rng.normal(size=(n, d))
    if kind == "clustered":
        X += 5 * rng.normal(size=(4, d))[rng.integers(4, size=n)]
    elif kind == "duplicated":
        X = X[rng.integers(max(2, n // 4), size=n)]
    elif kind == "grid":
        X = np.round(X)
    elif kind == "ill-scaled":
        X *= 10.0 ** rng.integers(-6, 7, size=d)
    return X


def tree_of(X: Floats, min_samples: int) -> DensityTree:
    return DensityTree.of(*spanning_tree(X, core_distances(X, min_samples=min_samples)))


def peer(X: Floats, min_cluster_size: int, min_samples: int) -> hdbscan.HDBSCAN:
    model = hdbscan.HDBSCAN(min_cluster_size, min_samples=min_samples, approx_min_span_tree=False, core_dist_n_jobs=1)
    return model.fit(X.copy())


@settings(max_examples=40)
@given(tables(), st.integers(1, 12))
def test_core_distances_are_those_to_the_kth_other_row(X: Floats, min_samples: int) -> None:
    expected = np.sort(cdist(X, X), axis=1)[:, min(min_samples, len(X) - 1)]
    np.testing.assert_allclose(core_distances(X, min_samples=min_samples), expected, rtol=1e-12)


@settings(max_examples=40)
@given(tables(), st.integers(1, 12))
def test_the_tree_is_a_minimum_spanning_tree_of_the_mutual_reachability_distances(X: Floats, min_samples: int) -> None:
    core = core_distances(X, min_samples=min_samples)
    edges, weights = spanning_tree(X, core)
    full = np.maximum(np.maximum(cdist(X, X), core), core[:, None])
    expected = np.sort(minimum_spanning_tree(full + 1).data) - 1  # a distance of 0 would be no edge to SciPy
    np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-9 * max(1.0, float(full.max())))
    np.testing.assert_allclose(full[edges[:, 0], edges[:, 1]], weights, rtol=1e-12)
    assert (np.diff(weights) >= 0).all()
    assert DensityTree.of(edges, weights).sizes[-1] == len(X)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::RuntimeWarning")
@settings(max_examples=80)
@given(tables(), st.integers(2, 12), st.integers(2, 30))
def test_the_weights_equal_those_of_hdbscan(X: Floats, min_samples: int, min_cluster_size: int) -> None:
    theirs = peer(X, min_cluster_size, min_samples).single_linkage_tree_.to_numpy()[:, 2]
    np.testing.assert_allclose(tree_of(X, min_samples).heights, theirs, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::RuntimeWarning")
@settings(max_examples=80)
@given(tables(("random", "clustered", "ill-scaled")), st.sampled_from([1, 1, 1, 2, 3, 5]), st.integers(2, 30))
def test_labels_equal_those_of_hdbscan_where_no_two_weights_of_the_tree_are_equal(
    X: Floats, min_samples: int, min_cluster_size: int
) -> None:
    tree = tree_of(X, min_samples)
    # With min_samples=1 the two nearest of each other share their core distance, which is their own distance.
    assume(np.unique(tree.heights).size == tree.heights.size)
    assert_same_partition(tree.labels(min_cluster_size), peer(X, min_cluster_size, min_samples).labels_)


def assert_same_partition(ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> None:
    np.testing.assert_array_equal(ours == -1, theirs == -1)
    assert adjusted_rand_score(ours, theirs) == 1


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("min_samples", [5, 10])
@pytest.mark.parametrize("seed", range(15))
def test_where_weights_tie_at_most_one_row_per_cluster_has_another_label_than_in_hdbscan(
    seed: int, min_samples: int
) -> None:
    """A row in whose core distance two clusters meet belongs to either: hdbscan's Boruvka and Prim differ there too."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(600, 3)) + 4 * rng.normal(size=(5, 3))[rng.integers(5, size=600)]
    theirs = peer(X, 30, min_samples)
    np.testing.assert_array_equal(tree_of(X, min_samples).heights, theirs.single_linkage_tree_.to_numpy()[:, 2])
    labels = tree_of(X, min_samples).labels(30)
    assert labels.max() == theirs.labels_.max()
    assert rows_apart(labels, theirs.labels_) <= labels.max() + 1


def rows_apart(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> int:
    """Rows that change their cluster when clusters of both are matched by their largest overlap."""
    table = np.zeros((first.max() + 2, second.max() + 2), dtype=np.int64)
    np.add.at(table, (first + 1, second + 1), 1)
    return int(first.size - table.max(axis=1).sum())


@settings(max_examples=40)
@given(tables(), st.integers(1, 12), st.integers(2, 30))
def test_rows_that_are_alike_have_one_label(X: Floats, min_samples: int, min_cluster_size: int) -> None:
    labels = tree_of(X, min_samples).labels(min_cluster_size)
    _, kind = np.unique(X, axis=0, return_inverse=True)
    for one in range(kind.max() + 1):
        assert np.unique(labels[kind == one]).size == 1


@settings(max_examples=40)
@given(tables(("random", "clustered", "duplicated")), st.integers(1, 12), st.integers(2, 30))
def test_the_order_of_rows_changes_no_label(X: Floats, min_samples: int, min_cluster_size: int) -> None:
    order = np.random.default_rng(0).permutation(len(X))
    labels = tree_of(X, min_samples).labels(min_cluster_size)
    assert_same_partition(tree_of(X[order], min_samples).labels(min_cluster_size), labels[order])


def test_two_rows_and_rows_that_are_all_alike_are_noise() -> None:
    for X in (np.array([[0.0], [1.0]]), np.ones((30, 2))):
        assert (tree_of(X, 5).labels(2) == -1).all()


def test_kinds_of_customers_who_are_exactly_alike_are_clusters() -> None:
    X = np.repeat(np.arange(4.0), 25).reshape(-1, 1)
    np.testing.assert_array_equal(np.bincount(tree_of(X, 10).labels(10)), [25, 25, 25, 25])


def test_a_table_larger_than_a_tile_gives_the_same_on_any_number_of_threads() -> None:
    X = np.random.default_rng(3).normal(size=(1500, 3))
    usual = core_distances(X, min_samples=10)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(core_distances(X, min_samples=10), usual)
    finally:
        numba.set_num_threads(before)
    np.testing.assert_allclose(usual, np.sort(cdist(X, X), axis=1)[:, 10], rtol=1e-12)
