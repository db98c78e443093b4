"""Agreement of partitions."""

from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, jaccard_score

from aisle.evidence.agreement import adjusted_rand, best_jaccards, count, jaccards, matches, overlaps, strength

Labels = npt.NDArray[np.int64]


def partition(rng: np.random.Generator, n: int, k: int, noise: bool = True) -> Labels:
    labels = rng.integers(-1 if noise else 0, k, n)
    labels[:k] = np.arange(k)
    return labels


pairs = st.builds(
    lambda n, k, other, seed: (
        partition(np.random.default_rng(seed), n, k),
        partition(np.random.default_rng(seed + 1), n, other),
    ),
    st.integers(6, 60),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 10_000),
)


@given(pairs)
@settings(max_examples=200)
def test_the_adjusted_rand_index_is_that_of_scikit_learn(pair: tuple[Labels, Labels]) -> None:
    assert adjusted_rand(*pair) == pytest.approx(adjusted_rand_score(*pair), abs=1e-12)


@given(pairs)
@settings(max_examples=100)
def test_jaccards_are_those_of_scikit_learn(pair: tuple[Labels, Labels]) -> None:
    one, other = pair
    expected = [[jaccard_score(one == i, other == j) for j in range(count(other))] for i in range(count(one))]
    assert jaccards(one, other) == pytest.approx(np.array(expected), abs=1e-12)
    assert best_jaccards(one, other) == pytest.approx(np.max(expected, axis=1), abs=1e-12)
    assert overlaps(one, other).sum() == ((one >= 0) & (other >= 0)).sum()


@given(pairs)
@settings(max_examples=100)
def test_strength_is_that_of_counted_pairs(pair: tuple[Labels, Labels]) -> None:
    clustered, assigned = pair
    if count(clustered) != count(assigned):
        assert strength(*pair) == 0
        return
    shares = []
    for cluster in range(count(clustered)):
        members = np.flatnonzero(clustered == cluster)
        same = [assigned[i] == assigned[j] and assigned[i] >= 0 for i, j in combinations(members, 2)]
        shares.append(np.mean(same) if same else 1.0)
    assert strength(*pair) == pytest.approx(min(shares))


@given(pairs, st.integers(0, 100))
@settings(max_examples=100)
def test_renaming_clusters_changes_nothing(pair: tuple[Labels, Labels], seed: int) -> None:
    one, other = pair
    names = np.append(np.random.default_rng(seed).permutation(count(other)), -1)
    renamed = names[other]
    assert best_jaccards(one, renamed) == pytest.approx(best_jaccards(one, other))
    assert adjusted_rand(one, renamed) == pytest.approx(adjusted_rand(one, other))
    assert strength(one, renamed) == pytest.approx(strength(one, other))


@given(pairs)
@settings(max_examples=60)
def test_the_matching_is_the_best_of_all(pair: tuple[Labels, Labels]) -> None:
    one, other = pair
    table = jaccards(one, other)
    small, large = sorted(table.shape)
    wide = table if table.shape[0] == small else table.T
    best = max(sum(wide[i, j] for i, j in enumerate(order)) for order in permutations(range(large), small))
    found = matches(one, other)
    assert sum(table[i, j] for i, j in enumerate(found) if j >= 0) == pytest.approx(best)
    assert len(set(found[found >= 0])) == (found >= 0).sum()


def test_everybody_noise_matches_nothing() -> None:
    noise = np.full(5, -1)
    one = np.array([0, 0, 1, 1, -1])
    assert best_jaccards(one, noise).tolist() == [0, 0]
    assert matches(one, noise).tolist() == [-1, -1]
    assert strength(one, noise) == strength(noise, noise) == 0


def test_a_cluster_without_members_here_has_no_jaccard() -> None:
    assert np.isnan(jaccards(np.array([0, 2]), np.array([0, 0]))[1]).all()
