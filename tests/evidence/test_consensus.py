"""Consensus and ambiguity against loops over pairs and samples."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aisle.evidence.consensus import MOST_CUSTOMERS, ambiguity, chosen_customers, cluster_consensus, consensus

SAMPLES = arrays(np.int16, st.tuples(st.integers(1, 12), st.integers(2, 9)), elements=st.integers(-2, 3))


def slowly(samples: npt.NDArray[np.int16], i: int, j: int) -> float:
    both = [(row[i], row[j]) for row in samples if row[i] != -2 and row[j] != -2]
    return sum(a == b != -1 for a, b in both) / len(both) if both else np.nan


@given(SAMPLES)
@settings(deadline=None)
def test_they_are_what_loops_over_pairs_and_samples_give(samples: npt.NDArray[np.int16]) -> None:
    found, n = consensus(samples), samples.shape[1]
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    expected = {pair: slowly(samples, *pair) for pair in pairs}
    assert [found[pair] for pair in pairs] == pytest.approx(list(expected.values()), nan_ok=True)
    assert found == pytest.approx(found.T, nan_ok=True)
    known = [value for value in expected.values() if not np.isnan(value)]
    unclear = np.mean([0.1 < value <= 0.9 for value in known]) if known else np.nan
    assert ambiguity(found) == pytest.approx(unclear, nan_ok=True)
    labels = np.arange(n) % 2
    for cluster, mean in enumerate(cluster_consensus(found, labels, 2)):
        inside = [expected[i, j] for i, j in pairs if labels[i] == labels[j] == cluster]
        defined = [value for value in inside if not np.isnan(value)]
        assert mean == pytest.approx(np.mean(defined) if defined else np.nan, nan_ok=True)


def test_the_same_clusters_in_every_sample_are_not_ambiguous_and_random_ones_are() -> None:
    rng = np.random.default_rng(1)
    truth, drawn = np.repeat([0, 1, 2], 20), rng.random((60, 60)) < 0.63
    same = np.where(drawn, truth, -2).astype(np.int16)
    unrelated = np.where(drawn, rng.integers(0, 3, (60, 60)), -2).astype(np.int16)
    assert ambiguity(consensus(same)) == 0
    assert cluster_consensus(consensus(same), truth, 3).tolist() == [1, 1, 1]
    assert ambiguity(consensus(unrelated)) > 0.9


def test_of_many_customers_some_are_chosen_by_the_seed() -> None:
    assert chosen_customers(5, seed=1).tolist() == [0, 1, 2, 3, 4]
    some = chosen_customers(10**6, seed=1)
    assert np.unique(some).size == some.size == MOST_CUSTOMERS
    assert some.max() > 900_000
    assert chosen_customers(10**6, seed=1).tolist() == some.tolist() != chosen_customers(10**6, seed=2).tolist()
