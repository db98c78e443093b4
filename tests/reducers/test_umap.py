"""UMAP from shared neighbours is umap-learn's, and its neighbours depend on what they say they depend on."""

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from aisle.reducers import NeighbourReducer, Neighbours, NeighbourUMAP

pytestmark = pytest.mark.filterwarnings(
    "ignore:Tensorflow not installed:ImportWarning", "ignore:n_neighbors=.* is more than:UserWarning"
)


@pytest.mark.verify
@parametrize_with_checks([NeighbourUMAP(n_neighbors=5, random_state=0)])
def test_it_is_a_scikit_learn_estimator(estimator: BaseEstimator, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Spectral initialisation failed|k >= N", category=UserWarning)
        check(estimator)


def table(n: int = 120, d: int = 6, seed: int = 1) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + 3 * rng.normal(size=(4, d))[rng.integers(4, size=n)]


def theirs(X: npt.NDArray[np.float64], **parameters: Any) -> npt.NDArray[np.float32]:
    import umap

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"precomputed_knn\[2\]")
        embedding: npt.NDArray[np.float32] = umap.UMAP(n_jobs=1, **parameters).fit_transform(X)
    return embedding


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(("n_components", "min_dist"), [(2, 0.0), (3, 0.4)])
def test_an_embedding_is_that_of_umap_learn_to_the_byte(metric: str, n_components: int, min_dist: float) -> None:
    """Both when it computes the neighbours itself and when it is given ours."""
    X = table()
    parameters: dict[str, Any] = {
        "n_components": n_components,
        "min_dist": min_dist,
        "n_neighbors": 10,
        "metric": metric,
        "random_state": 3,
    }
    ours = NeighbourUMAP(**parameters)
    found = ours.neighbours(X)
    embedding = ours.fit_transform(X, neighbours=found)
    assert embedding.tobytes() == theirs(X, **parameters).tobytes()
    assert embedding.tobytes() == theirs(X, precomputed_knn=(found.rows, found.distances), **parameters).tobytes()
    assert embedding.tobytes() == ours.fit_transform(X).tobytes()


def test_few_rows_have_exact_neighbours() -> None:
    X = table()
    found = NeighbourUMAP(n_neighbors=10, random_state=1).neighbours(X)
    expected = np.sort(cdist(X, X), axis=1)[:, :10]
    np.testing.assert_allclose(found.distances, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found.rows[:, 0], np.arange(len(X)))


@pytest.mark.verify
def test_many_rows_have_nearly_exact_neighbours_the_same_each_time() -> None:
    X = table(4096, 3)
    reducer = NeighbourUMAP(n_neighbors=5, random_state=2)
    found, again = reducer.neighbours(X), reducer.neighbours(X)
    assert found.rows.tobytes() == again.rows.tobytes()
    assert found.distances.tobytes() == again.distances.tobytes()
    exact = np.argpartition(cdist(X, X), 4, axis=1)[:, :5]
    hits = [len(set(row) & set(best)) for row, best in zip(found.rows.tolist(), exact.tolist(), strict=True)]
    assert 0.95 < np.mean(hits) / 5 <= 1


def test_variants_of_the_layout_share_their_neighbours_and_others_do_not() -> None:
    base = NeighbourUMAP(random_state=1)
    same = [NeighbourUMAP(5, random_state=1), NeighbourUMAP(min_dist=0.7, random_state=1)]
    other = [NeighbourUMAP(random_state=2), NeighbourUMAP(n_neighbors=4), NeighbourUMAP(metric="cosine")]
    assert all(variant.neighbour_params() == base.neighbour_params() for variant in same)
    assert all(variant.neighbour_params() != base.neighbour_params() for variant in other)


def test_it_fulfils_the_protocol() -> None:
    assert isinstance(NeighbourUMAP(), NeighbourReducer)


@pytest.mark.verify
def test_another_process_finds_the_same() -> None:
    program = (
        "import sys, numpy as np; from aisle.reducers import NeighbourUMAP\n"
        "X = np.random.default_rng(5).normal(size=(60, 4))\n"
        "print(NeighbourUMAP(random_state=1).fit_transform(X).tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    X = np.random.default_rng(5).normal(size=(60, 4))
    assert bytes.fromhex(done.stdout) == NeighbourUMAP(random_state=1).fit_transform(X).tobytes()


def test_neighbours_given_are_not_changed() -> None:
    X = table(40)
    reducer = NeighbourUMAP(n_neighbors=8, metric="correlation", random_state=1)
    found = reducer.neighbours(X)
    before = found.rows.copy(), found.distances.copy()
    reducer.fit_transform(X, neighbours=found)
    np.testing.assert_array_equal(found.rows, before[0])
    np.testing.assert_array_equal(found.distances, before[1])


def test_with_fewer_rows_than_neighbours_all_others_are_taken_and_that_is_said() -> None:
    X = table(8)
    reducer = NeighbourUMAP(n_neighbors=15, random_state=1)
    with pytest.warns(UserWarning, match=r"^n_neighbors=15 is more than 8 rows have; all others are taken\.$"):
        embedding = reducer.fit_transform(X)
    assert embedding.shape == (8, 2)


def test_neighbours_of_another_table_are_refused() -> None:
    reducer = NeighbourUMAP(n_neighbors=5, random_state=1)
    given = reducer.neighbours(table(30))
    message = r"^Neighbours of this table must have the shape \(40, 5\); got \(30, 5\)\.$"
    with pytest.raises(ValueError, match=message):
        reducer.fit_transform(table(40), neighbours=given)


def test_a_metric_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"^metric must be one of .*cosine, .*euclidean, .*; got 'cosin'\.$"):
        NeighbourUMAP(metric="cosin").neighbours(table(20))


def test_rows_and_distances_that_do_not_fit_each_other_are_no_neighbours() -> None:
    with pytest.raises(ValueError, match=r"got the shapes \(3, 2\) and \(3, 1\)\.$"):
        Neighbours(np.zeros((3, 2), dtype=np.int32), np.zeros((3, 1), dtype=np.float32))
