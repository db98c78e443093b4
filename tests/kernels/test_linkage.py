"""Trees are SciPy's: heights, partitions where heights do not tie, format; bad input is one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet, is_valid_linkage, linkage
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from aisle.kernels.linkage import LINKAGES, largest_n, linkage_tree
from aisle.kernels.ordering import cut

PAIRS = [
    (name, metric)
    for name in LINKAGES
    for metric in ("cosine", "euclidean", "cityblock", "correlation")
    if name != "ward" or metric == "euclidean"
]
EVERY = pytest.mark.parametrize(("name", "metric"), PAIRS)
Matrix = npt.NDArray[np.float64]


@st.composite
def tables(draw: st.DrawFn) -> Matrix:
    """Random, clustered, duplicated, tiny and ill-scaled tables, sometimes with a constant column."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d = draw(st.integers(2, 70)), draw(st.integers(3, 9))
    values = rng.normal(size=(n, d))
    kind = draw(st.sampled_from(["random", "clustered", "duplicated", "tiny", "ill-scaled", "constant column"]))
    if kind == "clustered":
        values = values * 0.01 + rng.normal(size=(4, d))[rng.integers(4, size=n)]
    if kind == "duplicated":
        values = values[rng.integers(max(1, n // 3), size=n)]
    if kind == "tiny":
        values *= 1e-180
    if kind == "ill-scaled":
        values *= 10.0 ** rng.integers(-8, 9, size=d)
    if kind == "constant column":
        values[:, 0] = 3.0
    return values


def reference(values: Matrix, name: str, metric: str) -> Matrix:
    """SciPy's tree, of values it can square: its distances of tiny ones underflow to 0."""
    scale = 1e180 if np.abs(values).max() < 1e-100 else 1.0
    tree = linkage(pdist(values * scale, metric=metric), method=name)
    if metric in ("euclidean", "cityblock"):
        tree[:, 2] /= scale
    return tree


@EVERY
@given(values=tables())
@settings(max_examples=12)
def test_heights_and_partitions_are_those_of_scipy(name: str, metric: str, values: Matrix) -> None:
    tree, expected = linkage_tree(values, linkage=name, metric=metric), reference(values, name, metric)
    assert is_valid_linkage(tree)
    largest = expected[-1, 2]
    scale = 1.0 if metric in ("cosine", "correlation") else largest  # rounding of 1 - x, or of distances
    np.testing.assert_allclose(tree[:, 2], expected[:, 2], rtol=1e-9, atol=1e-13 * scale)
    n = len(values)
    gaps = np.diff(expected[:, 2]) > 1e-9 * largest
    distinct = [k for k in range(2, n) if gaps[n - 1 - k]]
    if np.all(gaps):  # a tie below would leave the partitions above it open
        for ours, theirs in zip(cut(tree, distinct), cut(expected, distinct), strict=True):
            assert adjusted_rand_score(theirs, ours) == 1


@EVERY
def test_a_larger_table_has_the_tree_of_scipy(name: str, metric: str) -> None:
    """Large enough for every way through the kernels: threads, whole passes, single rows, gaps closed."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(700, 13)) + 3 * rng.normal(size=(5, 13))[rng.integers(5, size=700)]
    tree, expected = linkage_tree(values, linkage=name, metric=metric), reference(values, name, metric)
    np.testing.assert_allclose(tree[:, 2], expected[:, 2], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(cophenet(tree), cophenet(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", LINKAGES)
def test_a_line_of_growing_gaps_merges_one_by_one(name: str) -> None:
    """One reciprocal pair a round is the worst case of the rounds."""
    values = np.cumsum(1.1 ** np.arange(150))[:, None]
    expected = reference(values, name, "euclidean")
    np.testing.assert_allclose(linkage_tree(values, linkage=name, metric="euclidean"), expected, rtol=1e-9)


@EVERY
def test_ties_give_a_tree_whose_cuts_have_their_number_of_clusters(name: str, metric: str) -> None:
    grid = np.array([(x, y, 5 * x + y * y) for x in range(1, 7) for y in range(1, 7)], dtype=float)
    values = np.vstack([grid, grid[:10]])
    tree = linkage_tree(values, linkage=name, metric=metric)
    assert is_valid_linkage(tree)
    assert (np.diff(tree[:, 2]) >= 0).all()
    counts = range(1, len(values) + 1)
    assert [np.unique(labels).size for labels in cut(tree, counts)] == list(counts)


@EVERY
def test_duplicates_merge_at_height_zero(name: str, metric: str) -> None:
    values = np.repeat(np.random.default_rng(2).normal(size=(5, 4)), 6, axis=0)
    tree = linkage_tree(values, linkage=name, metric=metric)
    np.testing.assert_allclose(tree[:25, 2], 0, atol=1e-15 if metric in ("cosine", "correlation") else 0)
    assert (tree[25:, 2] > 1e-6).all()
    assert adjusted_rand_score(np.repeat(np.arange(5), 6), cut(tree, [5])[0]) == 1


@pytest.mark.parametrize("name", LINKAGES)
def test_rows_that_are_all_alike_have_a_tree_of_zeros(name: str) -> None:
    tree = linkage_tree(np.full((20, 3), 0.1), linkage=name, metric="euclidean")
    assert is_valid_linkage(tree)
    assert not tree[:, 2].any()


@EVERY
def test_one_row_has_no_merges_and_two_have_one(name: str, metric: str) -> None:
    values = np.array([[1.0, 2.0, 4.0], [3.0, 1.0, 2.0]])
    assert linkage_tree(values[:1], linkage=name, metric=metric).shape == (0, 4)
    tree = linkage_tree(values, linkage=name, metric=metric)
    np.testing.assert_allclose(tree, [[0, 1, pdist(values, metric)[0], 2]], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "metric"), [("complete", "cosine"), ("average", "euclidean"), ("weighted", "cityblock")]
)
def test_single_precision_is_within_a_millionth_of_the_largest_height(name: str, metric: str) -> None:
    values = np.random.default_rng(8).normal(size=(400, 6))
    double = linkage_tree(values, linkage=name, metric=metric)
    single = linkage_tree(values, linkage=name, metric=metric, double_limit=1000)
    assert (double[:, 2] != single[:, 2]).any()
    np.testing.assert_allclose(single[:, 2], double[:, 2], rtol=0, atol=1e-6 * double[-1, 2])


def test_distances_that_would_not_fit_are_refused_before_they_are_made() -> None:
    message = (
        r"^complete linkage keeps all distances of 1000000 rows, 2000\.0 GB, but at most 5\.2 GB are allowed, "
        r"50990 rows: sample, or use ward, single, or average with cosine\.$"
    )
    with pytest.raises(ValueError, match=message):
        linkage_tree(np.ones((1_000_000, 1)), linkage="complete", metric="cosine")
    with pytest.raises(ValueError, match=r"average linkage over canberra .* 30414 rows: "):
        linkage_tree(np.ones((40_000, 1)), linkage="average", metric="canberra")


@given(item=st.sampled_from([4, 8]), limit=st.integers(8, 10**11))
@settings(max_examples=50)
def test_the_largest_n_fits_and_one_more_does_not(item: int, limit: int) -> None:
    n = largest_n(item, limit)
    assert n * (n - 1) // 2 * item <= limit < (n + 1) * n // 2 * item


@pytest.mark.parametrize(
    ("values", "name", "metric", "message"),
    [
        ([[0.0], [1.0]], "median", "euclidean", r"^linkage must be one of \['average', .*\]; got 'median'\.$"),
        ([[0.0], [1.0]], "average", "cosin", r"^metric must be one of \['braycurtis', .*\]; got 'cosin'\.$"),
        ([[0.0], [1.0]], "ward", "cosine", r"^ward linkage needs metric=euclidean; got 'cosine'\.$"),
        ([[0.0], [np.nan], [np.inf]], "ward", "euclidean", r"^X must be finite; 2 rows hold .* are \[1, 2\]: leave "),
        ([["a"], ["b"]], "ward", "euclidean", r"^X must hold numbers only; got <U1: encode text as numbers first\.$"),
        ([0.0, 1.0], "ward", "euclidean", r"^X must have the shape \(rows, columns\), .*; got \(2,\)\.$"),
        (np.empty((0, 3)), "ward", "euclidean", r"^X must have the shape .*; got \(0, 3\)\.$"),
        ([[1.0, 2.0], [0.0, 0.0]], "single", "cosine", r"^Cosine distance needs .*; 1 rows are all zeros, .* \[1\]: "),
        ([[1.0, 2.0], [0.1, 0.1]], "average", "correlation", r"^Correlation .* are all the same value, .* \[1\]: "),
    ],
)
def test_bad_input_is_refused_in_one_sentence(values: npt.ArrayLike, name: str, metric: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        linkage_tree(values, linkage=name, metric=metric)
    assert "\n" not in str(refused.value)


def test_a_cut_beyond_the_rows_is_refused() -> None:
    tree = linkage_tree([[0.0], [1.0], [5.0]], linkage="single", metric="euclidean")
    with pytest.raises(ValueError, match=r"A tree of 3 rows can be cut into 1 to 3 clusters; got \[0, 4\]\."):
        cut(tree, [0, 2, 4])


def test_the_argument_is_left_alone() -> None:
    values = np.random.default_rng(3).normal(size=(30, 4))
    before = values.copy()
    for name, metric in PAIRS:
        linkage_tree(values, linkage=name, metric=metric)
    np.testing.assert_array_equal(values, before)


def test_trees_do_not_depend_on_the_number_of_threads() -> None:
    program = """
import hashlib, numpy as np
from aisle.kernels.linkage import LINKAGES, linkage_tree
rng = np.random.default_rng(4)
values = np.vstack([rng.normal(size=(900, 7)), rng.integers(1, 3, size=(200, 7))])
digest = hashlib.sha256()
for name in LINKAGES:
    digest.update(linkage_tree(values, linkage=name, metric="euclidean").tobytes())
    if name != "ward":
        digest.update(linkage_tree(values, linkage=name, metric="cosine").tobytes())
print(digest.hexdigest())
"""

    def digest(threads: int) -> str:
        environment = os.environ | {"NUMBA_NUM_THREADS": str(threads)}
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert digest(1) == digest(2) == digest(3)


@pytest.mark.parametrize("name", ["average", "complete", "single"])
def test_real_baskets_have_the_partitions_of_scikit_learn(name: str, tmp_path: Path) -> None:
    """The classic preparation: numeric columns standardised, categories as dummies."""
    folder = os.environ.get("AISLE_REAL_DATA")
    if folder is None:
        pytest.skip("AISLE_REAL_DATA is not set: trees are not compared with scikit-learn's on real baskets.")
    frame = pd.read_csv(Path(folder) / "extracts" / "baskets_5000.csv")
    numeric = frame[["std_quantity", "nunique_products", "n_products", "sum_spend"]]
    codes = [name for name in frame if name.startswith("basket_") and name != "basket_id" and "." not in name]
    dummies = pd.get_dummies(frame[codes], dtype=float)
    values = pd.concat([(numeric - numeric.mean()) / numeric.std(ddof=0), dummies], axis=1).to_numpy()
    labels = cut(linkage_tree(values, linkage=name, metric="cosine"), range(2, 10))
    model = AgglomerativeClustering(metric="cosine", linkage=name, compute_full_tree=True, memory=str(tmp_path))
    for k, ours in zip(range(2, 10), labels, strict=True):
        theirs = model.set_params(n_clusters=k).fit_predict(values)
        assert adjusted_rand_score(theirs, ours) == 1, k
