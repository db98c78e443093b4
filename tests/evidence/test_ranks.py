"""Methods across lifestages: Friedman's test and Nemenyi's critical difference."""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from aisle.evidence import MethodRanks, rank_methods

# Demsar 2006, table 6: areas under the curve of four classifiers. Those of "voting" are ranked by a digit not printed.
AREAS = {
    "adult (sample)": (0.763, 0.768, 0.771, 0.798),
    "breast cancer": (0.599, 0.591, 0.590, 0.569),
    "breast cancer wisconsin": (0.954, 0.971, 0.968, 0.967),
    "cmc": (0.628, 0.661, 0.654, 0.657),
    "ionosphere": (0.882, 0.888, 0.886, 0.898),
    "iris": (0.936, 0.931, 0.916, 0.931),
    "liver disorders": (0.661, 0.668, 0.609, 0.685),
    "lung cancer": (0.583, 0.583, 0.563, 0.625),
    "lymphography": (0.775, 0.838, 0.866, 0.875),
    "mushroom": (1.000, 1.000, 1.000, 1.000),
    "primary tumor": (0.940, 0.962, 0.965, 0.962),
    "rheum": (0.619, 0.666, 0.614, 0.669),
    "voting": (0.972, 0.981, 0.9751, 0.975),
    "wine": (0.957, 0.978, 0.946, 0.970),
}
CLASSIFIERS = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]


def scores(seed: int, lifestages: int, methods: int, levels: int = 1000) -> pd.DataFrame:
    """Random scores; few ``levels`` make ties."""
    drawn = np.random.default_rng(seed).integers(0, levels, (lifestages, methods)) / 1000
    return pd.DataFrame(
        drawn, index=[f"L{row}" for row in range(lifestages)], columns=[f"m{column}" for column in range(methods)]
    )


tables = st.builds(scores, st.integers(0, 10_000), st.integers(2, 12), st.integers(2, 5), st.sampled_from([2, 4, 1000]))


def test_the_worked_example_of_demsar() -> None:
    found = rank_methods(pd.DataFrame.from_dict(AREAS, orient="index", columns=CLASSIFIERS))
    ranks = {"C4.5+m+cf": 1.964, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5": 3.143}
    assert found.mean_ranks == pytest.approx(ranks, abs=5e-4)
    assert list(found.mean_ranks) == list(ranks)
    assert found.critical_difference == pytest.approx(1.25, abs=5e-3)
    ties = 3 * (2**3 - 2) + (4**3 - 4)  # three pairs and a four; the paper does not correct for ties
    assert found.statistic * (1 - ties / (14 * 4 * 15)) == pytest.approx(9.28, abs=5e-3)
    assert found.groups == (tuple(ranks),)  # "the post-hoc test is not powerful enough" at the level .05


@given(tables)
@settings(max_examples=200)
def test_the_statistic_and_p_are_those_of_scipy(table: pd.DataFrame) -> None:
    if table.shape[1] < 3 or table.eq(table.iloc[:, 0], axis=0).all(axis=None):
        return  # scipy compares three or more, and gives NaN where all are level
    found, expected = rank_methods(table), friedmanchisquare(*table.to_numpy().T)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-9)


@pytest.mark.parametrize(("methods", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728)])
def test_the_critical_difference_uses_the_published_quantiles(methods: int, q: float) -> None:
    """Demsar 2006, table 5a."""
    found = rank_methods(scores(1, 6, methods))
    assert found.critical_difference == pytest.approx(q * math.sqrt(methods * (methods + 1) / 36), abs=1e-3)


@given(tables)
@settings(max_examples=100)
def test_ranks_do_not_depend_on_monotone_transforms_of_a_lifestage(table: pd.DataFrame) -> None:
    steeper = table.apply(lambda row: np.exp(3 * row) * (1 + len(row.name)) + 7, axis=1)
    steeper.iloc[0] = table.iloc[0] ** 3 - 1
    assert rank_methods(steeper) == rank_methods(table)


@given(tables, st.integers(0, 100))
@settings(max_examples=100)
def test_ranks_do_not_depend_on_the_order_of_rows_and_columns(table: pd.DataFrame, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled = table.iloc[rng.permutation(len(table)), rng.permutation(table.shape[1])]
    one, other = rank_methods(table), rank_methods(shuffled)
    assert one.mean_ranks == pytest.approx(other.mean_ranks)
    assert list(one.mean_ranks) == list(other.mean_ranks)
    assert (one.groups, one.p) == (other.groups, pytest.approx(other.p))


def slow_groups(ranks: MethodRanks) -> set[tuple[str, ...]]:
    """Every run of two or more methods that cannot be told apart and is in no longer one."""
    names, means = list(ranks.mean_ranks), list(ranks.mean_ranks.values())
    runs = {
        tuple(names[first:last])
        for first in range(len(names))
        for last in range(first + 2, len(names) + 1)
        if means[last - 1] - means[first] < ranks.critical_difference
    }
    return {run for run in runs if not any(set(run) < set(other) for other in runs)}


@given(st.integers(0, 10_000), st.integers(10, 60))
@settings(max_examples=100)
def test_groups_are_the_longest_runs_that_cannot_be_told_apart(seed: int, lifestages: int) -> None:
    spread = np.random.default_rng(seed).uniform(0, 2, 5)
    found = rank_methods(scores(seed, lifestages, 5) + spread)
    assert set(found.groups) == slow_groups(found)
    assert len(set(found.groups)) == len(found.groups)
    assert all(
        list(found.mean_ranks).index(one[0]) < list(found.mean_ranks).index(other[0])
        for one, other in pairwise(found.groups)
    )


def ordered(lifestages: int, methods: int) -> pd.DataFrame:
    """Every lifestage ranks the methods alike: m0 is best."""
    values: npt.NDArray[np.float64] = np.tile(-np.arange(methods, dtype=np.float64), (lifestages, 1))
    return pd.DataFrame(values, columns=[f"m{place}" for place in range(methods)]).rename(index=lambda row: f"L{row}")


def test_a_method_that_has_nothing_in_a_lifestage_is_ranked_last_there_and_it_is_said() -> None:
    table = ordered(4, 3)
    table.loc["L2", "m0"] = np.nan
    found = rank_methods(table)
    assert found.mean_ranks == {"m0": 1.5, "m1": 1.75, "m2": 2.75}
    assert found.absent == {"m0": ("L2",)}
    assert "m0 has nothing in L2 and is ranked last there." in found.sentences


def test_methods_that_both_have_nothing_share_the_last_ranks() -> None:
    table = ordered(4, 3)
    table.loc["L1", ["m0", "m2"]] = np.nan
    assert rank_methods(table).mean_ranks == {"m0": 1.375, "m1": 1.75, "m2": 2.875}


def test_a_lifestage_in_which_no_method_has_anything_is_left_out() -> None:
    table = ordered(4, 3)
    table.loc["L3"] = np.nan
    found = rank_methods(table)
    assert found.lifestages == ("L0", "L1", "L2")
    assert found.absent == {}


def test_two_methods_are_compared_too() -> None:
    """Friedman's chi-square of two methods is the square of the sign test's z."""
    table = ordered(9, 2)
    table.loc["L0"] *= -1
    found = rank_methods(table)
    assert found.statistic == pytest.approx(((8 - 1) / math.sqrt(9)) ** 2)
    assert found.critical_difference == pytest.approx(1.96 * math.sqrt(6 / 54), abs=1e-4)


def test_methods_that_are_level_everywhere_do_not_differ() -> None:
    found = rank_methods(ordered(5, 3) * 0)
    assert (found.statistic, found.p) == (0, 1)
    assert found.groups == (("m0", "m1", "m2"),)


def test_the_sentences_say_what_could_have_been_told_apart() -> None:
    found = rank_methods(ordered(12, 4))
    first, second, third = found.sentences
    told = "Across 12 lifestages the methods' scores differ at the level 0.05"
    assert first == f"{told} (Friedman chi-square 36.00, p = 7.49e-08)."
    assert second == "With 12 lifestages a difference of less than 1.35 mean ranks cannot be told apart."
    assert third == "m0 (mean rank 1.00) is ranked above m2 and m3."
    level = rank_methods(ordered(5, 3) * 0).sentences
    assert "do not differ" in level[0]
    assert level[-1] == "No two of m0, m1 and m2 can be told apart."


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 3), (6, 1), (1, 1)])
def test_too_few_lifestages_or_methods_are_said_in_a_sentence(shape: tuple[int, int]) -> None:
    found = rank_methods(scores(1, *shape))
    assert math.isnan(found.critical_difference)
    assert math.isnan(found.p)
    assert found.groups == ()
    assert found.sentences == (found.undefined,)
    assert found.undefined.startswith("Methods cannot be compared across lifestages: that takes at least 2 methods")


def test_more_than_five_methods_are_refused() -> None:
    with pytest.raises(ValueError, match=r"At most 5 methods can be compared across lifestages; got \['m0', .*'m5'\]"):
        rank_methods(scores(1, 4, 6))


def test_names_that_are_not_unique_and_infinite_scores_are_refused() -> None:
    table = ordered(4, 3)
    with pytest.raises(ValueError, match="one column per method; got"):
        rank_methods(table.rename(columns={"m1": "m0"}))
    with pytest.raises(ValueError, match="one row per lifestage; got"):
        rank_methods(table.rename(index={"L1": "L0"}))
    with pytest.raises(ValueError, match="must be finite"):
        rank_methods(table.replace(-2, -np.inf))
