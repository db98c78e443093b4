"""The leaderboard: best first within each lifestage, in one order whatever the order of entries, exclusions said."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.leaderboard import COLUMNS, NAMES, RANKED_BY, leaderboard, rows

FLOOR = 0.05


def entry(**changes: Any) -> dict[str, Any]:
    """A row as a study makes it, best at everything."""
    usual = {
        "lifestage": "YA",
        "features": "baskets",
        "scaler": "standard",
        "reducer": "none",
        "clusterer": "kmeans",
        "parameter": "n_clusters",
        "tuning_value": 2.0,
        "customer_count": 100,
        "n_clusters": 2.0,
        "coverage": 1.0,
        "balance": 1.0,
        "smallest_share": 0.4,
        "features/silhouette": 0.5,
        RANKED_BY: 0.5,
        "features/calinski_harabasz": 90.0,
        "features/davies_bouldin": 0.7,
        "features/inertia": 300.0,
        "embedding/silhouette": 0.5,
        "embedding/ranking_score": 0.5,
        "candidate_key": "k1",
    }
    return usual | changes


ENTRIES = st.lists(
    st.builds(
        lambda **changes: entry(**changes),
        lifestage=st.sampled_from(["YA", "PE"]),
        clusterer=st.sampled_from(["kmeans", "ward", "hdbscan"]),
        reducer=st.sampled_from(["none", "pca"]),
        tuning_value=st.sampled_from([2.0, 3.0, 0.05]),
        n_clusters=st.sampled_from([0.0, 1.0, 2.0, 3.0]),
        smallest_share=st.sampled_from([0.01, 0.05, 0.3, np.nan]),
        candidate_key=st.sampled_from(["k1", "k2"]),
        **{RANKED_BY: st.sampled_from([-0.5, 0.1, 0.1, 0.4, np.nan])},
    ),
    unique_by=lambda row: tuple(row[name] for name in (*NAMES, "candidate_key", "tuning_value")),
    max_size=25,
)


@settings(max_examples=40)
@given(ENTRIES, st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(entries: list[dict[str, Any]], random: Any) -> None:
    shuffled = entries.copy()
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(leaderboard(entries, floor=FLOOR), leaderboard(shuffled, floor=FLOOR))


@settings(max_examples=40)
@given(ENTRIES)
def test_every_entry_is_a_row_and_eligible_ones_are_ranked_first_in_their_lifestage(
    entries: list[dict[str, Any]],
) -> None:
    board = leaderboard(entries, floor=FLOOR)
    assert len(board) == len(entries)
    assert board["lifestage"].is_monotonic_increasing
    for _, own in board.groupby("lifestage"):
        assert own["eligible"].is_monotonic_decreasing
        assert own.loc[own["eligible"], RANKED_BY].is_monotonic_decreasing
    assert (board["eligible"] == (board["excluded_because"] == "")).all()


@settings(max_examples=40)
@given(ENTRIES)
def test_a_row_is_eligible_when_it_has_two_clusters_a_score_and_no_small_segment(
    entries: list[dict[str, Any]],
) -> None:
    for row in leaderboard(entries, floor=FLOOR).to_dict("records"):
        good = row["n_clusters"] >= 2 and not np.isnan(row[RANKED_BY]) and not row["smallest_share"] < FLOOR
        assert row["eligible"] == good


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"smallest_share": 0.05}, ""),
        ({"smallest_share": 0.0499}, "a segment is smaller than 5% of the customers"),
        ({RANKED_BY: np.nan}, "no silhouette is defined"),
        ({"n_clusters": 1.0, RANKED_BY: np.nan}, "fewer than two clusters"),
        ({"n_clusters": 0.0, RANKED_BY: np.nan, "smallest_share": np.nan}, "fewer than two clusters"),
        ({"smallest_share": 0.001, RANKED_BY: np.nan}, "no silhouette is defined"),
    ],
)
def test_an_exclusion_says_the_weightiest_reason(changes: dict[str, Any], reason: str) -> None:
    board = leaderboard([entry(**changes)], floor=FLOOR)
    assert board["excluded_because"].tolist() == [reason]
    assert board["eligible"].tolist() == [reason == ""]


@pytest.mark.parametrize(("floor", "said"), [(0.05, "5%"), (0.07, "7%"), (0.025, "2.5%"), (0.5, "50%")])
def test_the_floor_is_told_as_it_was_given(floor: float, said: str) -> None:
    board = leaderboard([entry(smallest_share=0.0)], floor=floor)
    assert board["excluded_because"].tolist() == [f"a segment is smaller than {said} of the customers"]


def test_without_a_floor_only_undefined_partitions_are_excluded() -> None:
    board = leaderboard([entry(smallest_share=0.001), entry(n_clusters=1.0, tuning_value=3.0)], floor=0)
    assert board["eligible"].tolist() == [True, False]


@pytest.mark.parametrize("floor", [-0.01, 0.51, float("nan")])
def test_a_floor_that_is_no_share_is_refused(floor: float) -> None:
    with pytest.raises(
        ValueError, match=rf"^The floor must be a share of the customers in \[0, 0\.5\]; got {floor}\.$"
    ):
        leaderboard([entry()], floor=floor)


def test_ties_go_to_fewer_clusters_then_to_names_then_to_the_tuning_value() -> None:
    entries = [
        entry(n_clusters=3.0, tuning_value=3.0),
        entry(clusterer="ward", candidate_key="k2"),
        entry(clusterer="kmeans", reducer="pca", candidate_key="k3"),
        entry(clusterer="hdbscan", tuning_value=0.1, candidate_key="k4"),
        entry(clusterer="hdbscan", tuning_value=0.05, candidate_key="k4"),
    ]
    board = leaderboard(entries, floor=FLOOR)
    found = list(zip(board["reducer"], board["clusterer"], board["n_clusters"], board["tuning_value"], strict=True))
    assert found == [
        ("none", "hdbscan", 2, 0.05),
        ("none", "hdbscan", 2, 0.1),
        ("none", "ward", 2, 2.0),
        ("pca", "kmeans", 2, 2.0),
        ("none", "kmeans", 3, 3.0),
    ]


def test_scores_that_differ_by_rounding_alone_are_ties() -> None:
    entries = [entry(reducer="pca", **{RANKED_BY: 0.1 + 0.2}), entry(reducer="none", candidate_key="k2")]
    entries[1][RANKED_BY] = 0.3
    board = leaderboard(entries, floor=FLOOR)
    assert board["reducer"].tolist() == ["none", "pca"]
    assert board[RANKED_BY].tolist() == [0.3, 0.1 + 0.2]


def test_a_candidate_that_occurs_twice_is_refused_but_may_have_two_names() -> None:
    message = r"^A candidate must occur once; 1 rows repeat an earlier one\.$"
    with pytest.raises(ValueError, match=message):
        leaderboard([entry(), entry(**{RANKED_BY: 0.9})], floor=FLOOR)
    assert len(leaderboard([entry(), entry(clusterer="kmeans values=[2]")], floor=FLOOR)) == 2


@pytest.mark.parametrize("entries", [[], [entry()]], ids=["empty", "one"])
def test_columns_and_types_are_the_same_with_and_without_rows(entries: list[dict[str, Any]]) -> None:
    board = leaderboard(reversed(entries), floor=FLOOR)
    assert {name: str(kind) for name, kind in board.dtypes.items()} == COLUMNS
    assert list(board.columns) == list(COLUMNS)


def test_a_score_of_ones_own_is_kept_before_the_key() -> None:
    board = leaderboard([entry(**{"features/calinski": 3.0})], floor=FLOOR)
    assert list(board.columns)[-4:] == ["features/calinski", "candidate_key", "excluded_because", "eligible"]


def test_rows_of_a_candidate_hold_its_names_its_numbers_and_its_scores() -> None:
    names = dict.fromkeys(NAMES, "x")
    found = rows(names, "key", 42, "n_clusters", {2: {"balance": 0.5}, 3: {"balance": np.nan}})
    assert found[0] == {
        **names,
        "parameter": "n_clusters",
        "tuning_value": 2.0,
        "customer_count": 42,
        "balance": 0.5,
        "candidate_key": "key",
    }
    assert [row["tuning_value"] for row in found] == [2.0, 3.0]
