"""Disagreement of two partitions against the count of its pairs, and against the Rand index of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import rand_score

from aisle.evidence.instability import disagreement

LABELS = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), min_size=2, max_size=40)


@given(LABELS)
def test_it_is_the_share_of_pairs_that_one_keeps_and_the_other_splits(drawn: list[tuple[int, int]]) -> None:
    one, other = np.array(drawn).T
    pairs = [(i, j) for i in range(one.size) for j in range(i)]
    split = [(one[i] == one[j]) != (other[i] == other[j]) for i, j in pairs]
    assert disagreement(one, other) == pytest.approx(np.mean(split))
    assert disagreement(one, other) == pytest.approx(1 - rand_score(one, other))


def test_a_single_customer_has_no_pair() -> None:
    assert np.isnan(disagreement(np.array([0]), np.array([0])))
