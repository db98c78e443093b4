"""Partitions and paths refuse what they must, and number clusters by size."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.partition import NOISE, Partition, PartitionPath

RAW = st.lists(st.integers(-1, 6), max_size=40)


def index(size: int) -> pd.Index:
    return pd.Index([f"c{number}" for number in range(size)])


def partition(labels: list[int]) -> Partition:
    return Partition(pd.Series(labels, index=index(len(labels)), dtype=np.int64))


@given(RAW)
def test_numbering_keeps_who_is_together_and_who_is_noise(raw: list[int]) -> None:
    found = Partition.numbered(raw, index(len(raw))).labels.to_numpy()
    given_ = np.array(raw, dtype=int)
    assert ((found[:, None] == found) == (given_[:, None] == given_)).all()
    assert ((found == NOISE) == (given_ == NOISE)).all()


@given(RAW)
def test_numbers_are_by_size_then_by_appearance(raw: list[int]) -> None:
    found = Partition.numbered(raw, index(len(raw)))
    labels = found.labels.to_numpy()
    sizes = [int((labels == number).sum()) for number in range(found.n_clusters)]
    firsts = [int(np.argmax(labels == number)) for number in range(found.n_clusters)]
    assert list(zip(sizes, firsts, strict=True)) == sorted(
        zip(sizes, firsts, strict=True), key=lambda cluster: (-cluster[0], cluster[1])
    )
    assert found.sizes.tolist() == sizes


@given(RAW, st.permutations(range(7)))
def test_numbers_do_not_depend_on_the_names_the_clusterer_gave(raw: list[int], names: list[int]) -> None:
    renamed = [label if label == NOISE else names[label] for label in raw]
    pd.testing.assert_series_equal(
        Partition.numbered(raw, index(len(raw))).labels, Partition.numbered(renamed, index(len(raw))).labels
    )


def test_everybody_noise_is_a_partition_without_clusters() -> None:
    assert Partition.numbered([-1, -1], index(2)).n_clusters == 0
    assert Partition.numbered([], index(0)).n_clusters == 0


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 2, 0], r"Labels must be 0\.\.k-1 by size, largest first; got the sizes \[2, 0, 1\]"),
        ([0, 1, 1], r"Labels must be 0\.\.k-1 by size, largest first; got the sizes \[1, 2\]"),
        ([0, 0, -2], r"Labels must be at least -1; got -2"),
        ([0.0, 0.0, 1.0], r"Labels must be integers; got float64"),
    ],
)
def test_labels_that_are_not_numbered_by_size_are_refused(labels: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Partition(pd.Series(labels))


def test_null_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Labels must not be null; got 1 null"):
        Partition(pd.Series([0, None], dtype="Int64"))


def test_a_path_needs_a_value() -> None:
    with pytest.raises(ValueError, match=r"A path over eps needs at least one value; got none"):
        PartitionPath("eps", {})


@pytest.mark.parametrize("other", [["c1", "c0"], ["c0", "c2"]])
def test_a_path_needs_the_same_customers_in_the_same_order_throughout(other: list[str]) -> None:
    second = Partition(pd.Series([0, 0], index=pd.Index(other)))
    with pytest.raises(ValueError, match=r"n_clusters=3: its customers differ from those of the first partition"):
        PartitionPath("n_clusters", {2: partition([0, 0]), 3: second})
