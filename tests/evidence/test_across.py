"""Segment level stability across solutions."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from aisle.clusterers import AgglomerativePath
from aisle.evidence import SLSA_COLUMNS, across_solutions
from aisle.evidence.across import across, recruits

Labels = npt.NDArray[np.int64]


def partition(seed: int, n: int, k: int, noise: bool) -> Labels:
    labels = np.random.default_rng(seed).integers(-1 if noise else 0, k, n)
    labels[:k] = np.arange(k)
    return labels


def slowly(before: Labels, after: Labels) -> list[float]:
    """The definition, customer by customer: noise is a group where there is any."""
    groups = sorted(set(before.tolist()))
    found = []
    for segment in range(max(after) + 1):
        own = [earlier for earlier, later in zip(before.tolist(), after.tolist(), strict=True) if later == segment]
        shares = [own.count(group) / len(own) for group in groups]
        heard = -sum(share * math.log(share) for share in shares if share > 0)
        found.append(1 - heard / math.log(len(groups)) if len(groups) > 1 else math.nan)
    return found


@given(st.integers(0, 10_000), st.integers(6, 80), st.integers(1, 6), st.integers(1, 6), st.booleans())
@settings(max_examples=300)
def test_slsa_is_what_its_definition_says(seed: int, n: int, k: int, size: int, noise: bool) -> None:
    before, after = partition(seed, n, k, noise), partition(seed + 1, n, size, noise)
    found = across(before, after)
    assert found == pytest.approx(slowly(before, after), abs=1e-12, nan_ok=True)
    assert (np.isnan(found) | ((found >= 0) & (found <= 1))).all()


def test_slsa_is_one_less_the_entropy_that_scipy_gives() -> None:
    before, after = partition(1, 200, 4, noise=False), partition(2, 200, 5, noise=False)
    moved = recruits(before, after)[:4, :5]
    assert across(before, after) == pytest.approx(1 - entropy(moved, axis=0, base=4))


def test_nested_partitions_are_stable_and_unrelated_ones_are_not() -> None:
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3))).rename(index=str)
    path = AgglomerativePath("ward", "euclidean", [2, 3, 4, 5]).fit_path(values)
    nested = across_solutions(pd.DataFrame({k: part.labels for k, part in path.partitions.items()}))
    assert nested.loc[nested["tuning_value"] > 2, "slsa"].eq(1).all()
    quarters = np.arange(400) % 4
    assert across(np.arange(400) // 200, quarters) == pytest.approx(np.zeros(4), abs=1e-12)


def test_every_customer_is_recruited_once_noise_included() -> None:
    before, after = np.array([0, 0, 1, -1, -1]), np.array([1, -1, 0, 0, 0])
    assert recruits(before, after).tolist() == [[0, 1, 1], [1, 0, 0], [2, 0, 0]]
    assert across(before, after)[1] == 1
    assert across(before, after)[0] == pytest.approx(1 - entropy([1, 2], base=3))


def test_the_table_names_every_segment_and_the_first_partition_follows_none() -> None:
    labelings = pd.DataFrame({2: [0, 0, 0, 1, 1, 1], 3: [0, 0, 1, 1, 2, 2]}, index=list("abcdef"))
    found = across_solutions(labelings)
    assert tuple(found.columns) == SLSA_COLUMNS
    assert found["tuning_value"].tolist() == [2, 2, 3, 3, 3]
    assert found["customer_count"].tolist() == [3, 3, 2, 2, 2]
    assert found["slsa"].isna().tolist() == [True, True, False, False, False]
    assert across_solutions(labelings.iloc[:, :0]).empty


def test_a_partition_of_noise_alone_has_no_segment_and_leaves_the_next_undefined() -> None:
    labelings = pd.DataFrame({0.1: [-1] * 4, 0.2: [0, 0, 1, 1]})
    found = across_solutions(labelings)
    assert found["segment"].tolist() == [0, 1]
    assert found["slsa"].isna().all()
