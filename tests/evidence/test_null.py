"""Drawn customers keep the columns and the groups of the observed ones, and have no clusters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from tests.evidence.conftest import mixed, table

from aisle.evidence.null import null_of
from aisle.evidence.resamples import halves
from aisle.evidence.structure import Group, structure_of

KINDS = ["copula", "permutation"]


def test_groups_are_found_by_numbers_and_names() -> None:
    found = structure_of(mixed(200, seed=0))
    assert found == (
        Group("column", ("visits",)),
        Group("column", ("spend_mean",)),
        Group("one_hot", ("level_a", "level_b", "level_c")),
        Group("flag", ("a_max", "a_share")),
        Group("shares", ("a_share", "b_share", "c_share")),
        Group("flag", ("b_max", "b_share")),
        Group("log_ratios", ("log_0", "log_1", "log_2", "log_3")),
        Group("ordered", ("gap_min", "gap_mean", "gap_max")),
    )


def test_names_alone_make_no_group() -> None:
    crossed = pd.DataFrame({"x_min": [1.0, 5.0], "x_max": [2.0, 3.0], "y_max": [0.0, 1.0], "y_share": [0.5, 0.0]})
    assert {group.kind for group in structure_of(crossed)} == {"column"}


@given(st.integers(20, 120), st.integers(0, 10_000), st.sampled_from(KINDS))
@settings(max_examples=30)
def test_what_holds_within_a_group_holds_in_every_draw(n: int, seed: int, kind: str) -> None:
    observed = mixed(n, seed)
    drawn = null_of(table(observed), kind=kind, seed=1).draw(3).values
    assert drawn.columns.tolist() == observed.columns.tolist()
    assert drawn[["level_a", "level_b", "level_c"]].isin([0, 1]).all(axis=None)
    assert (drawn[["level_a", "level_b", "level_c"]].sum(axis=1) == 1).all()
    shares = drawn[["a_share", "b_share", "c_share"]]
    assert (shares >= 0).all(axis=None)
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-12)
    assert drawn["a_max"].equals((drawn["a_share"] > 0).astype(float))
    assert drawn.filter(like="log_").sum(axis=1).to_numpy() == pytest.approx(0, abs=1e-9)
    assert (np.diff(drawn[["gap_min", "gap_mean", "gap_max"]], axis=1) >= 0).all()
    for name in ("visits", "spend_mean", "level_a", "gap_min"):
        assert np.sort(drawn[name]).tolist() == np.sort(observed[name]).tolist()


def test_a_copula_has_the_observed_rank_correlations() -> None:
    observed = mixed(1500, seed=5)
    null = null_of(table(observed), kind="copula", seed=2)
    correlations = np.mean([null.draw(number).values.corr("spearman") for number in range(10)], axis=0)
    free = ~observed.columns.isin(["a_max", "b_max", "level_a", "level_b", "level_c"])
    difference = np.abs(correlations - observed.corr("spearman").to_numpy())[np.ix_(free, free)]
    assert difference.max() < 0.13  # shares are drawn part by part: their own correlations are kept least
    plain = observed.columns.isin(["visits", "spend_mean", "gap_min"])
    assert np.abs(correlations - observed.corr("spearman").to_numpy())[np.ix_(plain, plain)].max() < 0.03


def test_permuted_groups_do_not_depend_on_each_other() -> None:
    observed = mixed(3000, seed=5)
    drawn = null_of(table(observed), kind="permutation", seed=2).draw(0).values
    assert abs(drawn["visits"].corr(drawn["spend_mean"], "spearman")) < 0.06
    assert abs(observed["visits"].corr(observed["spend_mean"], "spearman")) > 0.8
    together = ["gap_min", "gap_mean", "gap_max"]
    assert sorted(map(tuple, drawn[together].to_numpy())) == sorted(map(tuple, observed[together].to_numpy()))


@pytest.mark.parametrize("kind", KINDS)
def test_clusters_are_gone(kind: str) -> None:
    rng = np.random.default_rng(8)
    centres = np.array([[0.0, 0.0], [6.0, 2.0], [2.0, 6.0]])
    planted = table(pd.DataFrame(centres[rng.integers(0, 3, 600)] + rng.normal(size=(600, 2)), columns=list("ab")))

    def best(values: pd.DataFrame) -> float:
        labels = KMeans(3, n_init=3, random_state=0).fit_predict(values)
        return float(silhouette_score(values, labels))

    assert best(planted.values) > best(null_of(planted, kind=kind, seed=1).draw(0).values) + 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_draws_are_the_same_for_a_number_and_differ_between_numbers(kind: str) -> None:
    null = null_of(table(mixed(50, 1)), kind=kind, seed=4)
    again = null_of(table(mixed(50, 1)), kind=kind, seed=4)
    other = null_of(table(mixed(50, 1)), kind=kind, seed=5)
    assert null.draw(7).values.equals(again.draw(7).values)
    assert not null.draw(7).values.equals(null.draw(8).values)
    assert not null.draw(7).values.equals(other.draw(7).values)


@pytest.mark.parametrize("kind", KINDS)
def test_a_null_draw_and_a_split_of_the_same_number_do_not_share_random_numbers(kind: str) -> None:
    values = pd.DataFrame({"place": np.arange(40.0)})
    for number in range(3):
        order = np.random.default_rng([4, number]).permutation(40)  # that of the split
        normal = np.random.default_rng([4, number]).standard_normal(40)
        drawn = null_of(table(values), kind=kind, seed=4).draw(number).values["place"].to_numpy()
        assert drawn.tolist() != order.tolist()
        assert abs(np.corrcoef(drawn, normal)[0, 1]) < 0.6
        assert sorted(halves(40, number=number, seed=4)[0]) == sorted(order[:20])


def test_an_unknown_null_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^evidence.null_kind must be copula or permutation; got 'bootstrap'\.$"):
        null_of(table(mixed(50, 1)), kind="bootstrap", seed=4)  # type: ignore[arg-type]
