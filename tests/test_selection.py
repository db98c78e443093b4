"""What is chosen, what decides between equals, and that the reasons hold the numbers."""

import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.evidence import MEASURES, REPORTED
from aisle.leaderboard import RANKED_BY, leaderboard
from aisle.selection import SelectionRule, Verdict, select
from aisle.selection.verdict import Selection, selection_from_json, selection_to_json

RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans", "ward", "hdbscan"])


def entry(clusterer: str, score: float, **changed: Any) -> dict[str, Any]:
    """One leaderboard row: two clusters of kmeans-like size unless something is changed."""
    row = {
        "lifestage": "YA",
        "features": "baskets",
        "scaler": "standard",
        "reducer": "none",
        "clusterer": clusterer,
        "parameter": "n_clusters",
        "tuning_value": 2.0,
        "customer_count": 400,
        "n_clusters": 2,
        "coverage": 1.0,
        "balance": 0.9,
        "smallest_share": 0.3,
        "features/silhouette": score,
        RANKED_BY: score,
        **changed,
    }
    key = "-".join(str(row[name]) for name in ("lifestage", "features", "scaler", "reducer", "clusterer"))
    return {**row, "candidate_key": key}


def board(*entries: dict[str, Any]) -> pd.DataFrame:
    return leaderboard(entries, floor=0.05)


def attempts(*entries: dict[str, Any], skipped: tuple[tuple[str, str, str], ...] = ()) -> pd.DataFrame:
    """Every candidate of the entries finished; ``skipped`` are (lifestage, clusterer, reason)."""
    unique = {row["candidate_key"]: row for row in entries}
    finished = [(row["lifestage"], row["clusterer"], "finished", "") for row in unique.values()]
    others = [(lifestage, clusterer, "skipped", reason) for lifestage, clusterer, reason in skipped]
    return pd.DataFrame([*finished, *others], columns=["lifestage", "clusterer", "status", "reason"])


def verdict(*entries: dict[str, Any], rule: SelectionRule = RULE) -> Verdict:
    (only,) = select(board(*entries), attempts(*entries), rule=rule)
    return only


def chosen(*entries: dict[str, Any], rule: SelectionRule = RULE) -> tuple[str, str, float]:
    found = verdict(*entries, rule=rule).chosen
    assert found is not None
    return found.clusterer, found.reducer, found.tuning_value


def test_the_highest_ranking_score_among_eligible_partitions_is_chosen() -> None:
    tiny = entry("ward", 0.9, smallest_share=0.01)
    assert chosen(entry("kmeans", 0.2), entry("hdbscan", 0.3), tiny) == ("hdbscan", "none", 2.0)


def test_equal_scores_go_to_the_fewest_segments() -> None:
    many = entry("kmeans", 0.3, n_clusters=3, tuning_value=3.0)
    assert chosen(many, entry("hdbscan", 0.3)) == ("hdbscan", "none", 2.0)


def test_equal_scores_and_segments_go_to_the_cheapest_declared_method() -> None:
    assert chosen(entry("hdbscan", 0.3), entry("ward", 0.3))[0] == "ward"


def test_a_method_without_a_declared_cost_comes_last() -> None:
    assert chosen(entry("birch", 0.3), entry("hdbscan", 0.3))[0] == "hdbscan"


def test_what_is_changed_inside_an_option_does_not_change_its_cost() -> None:
    assert RULE.cost("ward metric=cosine") == RULE.cost("ward") == 2


def test_full_ties_are_decided_by_the_names() -> None:
    assert chosen(entry("kmeans", 0.3, reducer="umap"), entry("kmeans", 0.3, reducer="pca"))[1] == "pca"


@pytest.mark.parametrize(("below", "expected"), [(0.5e-9, "kmeans"), (2e-9, "hdbscan")])
def test_scores_are_equal_within_the_declared_tolerance_and_not_beyond(below: float, expected: str) -> None:
    assert chosen(entry("hdbscan", 0.3), entry("kmeans", 0.3 - below))[0] == expected


def test_a_stricter_floor_than_the_studys_is_applied() -> None:
    small = entry("ward", 0.9, smallest_share=0.08)
    strict = SelectionRule(floor=0.1, tie_tolerance=1e-9, cost_rank=[])
    assert chosen(small, entry("kmeans", 0.2))[0] == "ward"
    assert chosen(small, entry("kmeans", 0.2), rule=strict)[0] == "kmeans"


def test_what_the_study_excluded_stays_excluded() -> None:
    lax = SelectionRule(floor=0.0, tie_tolerance=1e-9, cost_rank=[])
    assert chosen(entry("ward", 0.9, smallest_share=0.01), entry("kmeans", 0.2), rule=lax)[0] == "kmeans"


def test_runners_up_are_the_best_of_every_other_method_highest_first() -> None:
    found = verdict(
        entry("kmeans", 0.3),
        entry("ward", 0.1),
        entry("ward", 0.15, reducer="pca"),
        entry("birch", 0.2),
        entry("hdbscan", 0.9, smallest_share=0.01),
    )
    scores = [(runner.method, runner.best and runner.best.ranking_score) for runner in found.runners_up]
    assert scores == [("birch", 0.2), ("ward", 0.15), ("hdbscan", None)]
    assert found.margin == pytest.approx(0.1)


def test_a_runner_up_says_why_it_lost() -> None:
    others = [
        entry("ward", 0.3, n_clusters=4, tuning_value=4.0),
        entry("hdbscan", 0.3),
        entry("birch", 0.1),
        entry("dbscan", 0.9, smallest_share=0.01),
    ]
    told = {runner.method: runner.why for runner in verdict(entry("kmeans", 0.3), *others).runners_up}
    assert "needs 4 segments, not 2" in told["ward"]
    assert "cost rank is 3, not 1" in told["hdbscan"]
    assert told["birch"] == "Its ranking score of 0.1000 is 0.2000 lower."
    assert told["dbscan"] == ("None of its 1 partition is eligible (1: a segment is smaller than 5% of the customers).")


def test_methods_without_a_declared_cost_are_decided_by_name() -> None:
    (runner,) = verdict(entry("birch", 0.3), entry("optics", 0.3)).runners_up
    assert (runner.method, "the names decided" in runner.why) == ("optics", True)


def test_the_reasons_hold_every_number() -> None:
    best = entry(
        "hdbscan", 0.3125, coverage=0.875, smallest_share=0.0625, parameter="min_cluster_size", tuning_value=0.05
    )
    told = " ".join(
        verdict(best, entry("ward", 0.25), entry("ward", 0.9, smallest_share=0.01, tuning_value=3.0)).reasons
    )
    for part in (
        "hdbscan without reduction (standard scaler, min_cluster_size = 0.05, 2 segments)",
        "0.3125, the highest of 2 eligible partitions",
        "ward without reduction (standard scaler, n_clusters = 2)",
        "0.2500 is 0.0625 lower",
        "87.5% of the 400 customers",
        "noise",
        "6.2% of the customers; the floor is 5%",
        "2 candidates of 2 methods; they gave 3 partitions, of which 1 are excluded",
    ):
        assert part in told


def test_ties_are_told() -> None:
    assert "like 1 other within 1e-09" in verdict(entry("kmeans", 0.3), entry("ward", 0.3)).reasons[0]


def test_a_single_method_has_no_margin() -> None:
    found = verdict(entry("kmeans", 0.3))
    assert found.margin is None
    assert "No other method has an eligible partition." in found.reasons


def test_every_choice_says_that_the_evidence_is_missing() -> None:
    assert "evidence that the segments are real" in verdict(entry("kmeans", 0.3)).not_known[0]


def test_nothing_is_chosen_where_nothing_is_eligible_and_the_reason_is_told() -> None:
    found = verdict(entry("kmeans", 0.3, smallest_share=0.01), entry("hdbscan", math.nan, n_clusters=0))
    assert found.chosen is None
    assert found.reasons[0] == "Nothing can be chosen for YA: none of 2 partitions is eligible."
    assert "1: fewer than two clusters" in found.reasons[1]
    assert found.runners_up == ()


def test_a_lifestage_whose_candidates_were_all_skipped_has_a_verdict() -> None:
    rows = [entry("kmeans", 0.3)]
    asked = attempts(
        *rows, skipped=(("OF", "kmeans", "12 customers are too few"), ("OF", "ward", "12 customers are too few"))
    )
    found = {item.lifestage: item for item in select(board(*rows), asked, rule=RULE)}
    assert found["YA"].chosen is not None
    assert found["OF"].chosen is None
    assert found["OF"].customer_count is None
    assert "2 candidates gave nothing (2: skipped, 12 customers are too few)." in found["OF"].reasons


def test_an_empty_leaderboard_gives_verdicts_that_choose_nothing() -> None:
    asked = attempts(skipped=(("YA", "kmeans", "too few"),))
    (found,) = select(board(), asked, rule=RULE)
    assert found.chosen is None
    assert found.reasons[0] == "Nothing can be chosen for YA: nothing was fitted."


def test_lifestages_are_decided_apart() -> None:
    rows = [
        entry("kmeans", 0.3),
        entry("ward", 0.2),
        entry("ward", 0.4, lifestage="OA"),
        entry("kmeans", 0.1, lifestage="OA"),
    ]
    found = select(board(*rows), attempts(*rows), rule=RULE)
    assert [(v.lifestage, v.chosen and v.chosen.clusterer) for v in found] == [("OA", "ward"), ("YA", "kmeans")]


def test_scores_of_different_feature_blocks_are_never_compared() -> None:
    rows = [entry("kmeans", 0.3), entry("kmeans", 0.4, features="mix")]
    with pytest.raises(ValueError, match=r"cannot be compared; select one of \['baskets', 'mix'\]"):
        select(board(*rows), attempts(*rows), rule=RULE)


EVIDENCE: dict[str, Any] = {
    "stage": "examined",
    "category": "",
    "class": "reproducible",
    "ranking_error": 0.01,
    "null_p": 0.2,
}
EVIDENCE |= {"splits": 25.0, "null_draws": 99.0, "failed_splits": 0.0, "failed_draws": 0.0}


def weighed(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> Verdict:
    """The verdict on leaderboard rows, each with what its evidence has of its own."""
    measured = [
        {**dict.fromkeys(MEASURES, 0.5), **EVIDENCE, **found}
        | {"candidate_key": row["candidate_key"], "tuning_value": row["tuning_value"]}
        for row, found in pairs
    ]
    rows = [row for row, _ in pairs]
    (only,) = select(board(*rows), attempts(*rows), rule=RULE, measures=pd.DataFrame(measured))
    return only


def in_class(
    name: str, clusterer: str, score: float, k: int = 2, **found: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    return entry(clusterer, score, n_clusters=k, tuning_value=float(k)), {"class": name, **found}


def picked(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> tuple[str, int] | None:
    found = weighed(*pairs).chosen
    return found and (found.clusterer, found.n_clusters)


def test_a_better_class_beats_a_higher_score() -> None:
    assert picked(in_class("constructive", "kmeans", 0.9), in_class("reproducible", "ward", 0.1)) == ("ward", 2)
    assert picked(in_class("separated", "ward", 0.1), in_class("reproducible", "kmeans", 0.9)) == ("ward", 2)


def test_of_separated_partitions_the_one_of_most_segments_is_chosen() -> None:
    rows = [in_class("separated", "kmeans", score, k) for k, score in ((2, 0.4), (3, 0.3), (4, 0.2))]
    assert picked(*rows) == ("kmeans", 4)
    found = weighed(*rows, in_class("separated", "ward", 0.5, 3))
    assert "the highest of the separated ones of 4 eligible partitions with 4 segments" in found.reasons[0]
    assert found.runners_up[0].why == "It is separated too, into 3 segments, not 4."


def test_within_a_standard_error_the_fewest_segments_win() -> None:
    best = in_class("reproducible", "kmeans", 0.30, 4, ranking_error=0.02)
    assert picked(best, in_class("reproducible", "ward", 0.285, 2, ranking_error=0.0)) == ("ward", 2)
    assert picked(best, in_class("reproducible", "ward", 0.275, 2, ranking_error=0.9)) == ("kmeans", 4)
    told = weighed(best, in_class("reproducible", "ward", 0.285, 2))
    assert "within a standard error of 0.3000, the highest of the reproducible ones" in told.reasons[0]
    assert told.runners_up[0].why.endswith("level within the error, but it needs 4 segments, not 2.")


@pytest.mark.parametrize(("none", "pca"), [(0.3, 0.1 + 0.2), (0.1 + 0.2, 0.3)])
def test_the_last_digit_does_not_say_whose_standard_error_counts(none: float, pca: float) -> None:
    reduced = entry("kmeans", pca, n_clusters=4, tuning_value=4.0, reducer="pca")
    same = [
        in_class("reproducible", "kmeans", none, 4, ranking_error=0.0),
        (reduced, {"class": "reproducible", "ranking_error": 0.02}),
    ]
    assert picked(*same, in_class("reproducible", "ward", 0.285, 2, ranking_error=0.0)) == ("kmeans", 4)


def test_a_runner_up_of_a_worse_class_says_which_measures_made_it_so() -> None:
    worse = in_class("constructive", "ward", 0.9, jaccard_worst=0.68, replication=0.75)
    (runner,) = weighed(in_class("reproducible", "kmeans", 0.2), worse).runners_up
    assert runner.why == (
        "Its class is only constructive: worst Jaccard coefficient 0.68, replication 0.75 (ranking score 0.9000)."
    )


def test_what_was_not_examined_or_repeats_a_category_is_not_chosen() -> None:
    found = weighed(
        in_class("separated", "kmeans", 0.9, stage="screened"),
        in_class("separated", "ward", 0.8, category="loyal/new"),
        in_class("constructive", "hdbscan", 0.1),
        in_class("separated", "birch", 0.9, splits=2, failed_splits=3),
    )
    assert found.chosen is not None
    assert found.chosen.clusterer == "hdbscan"
    assert "it only repeats loyal/new: that is a rule, not segments" in found.tally.excluded
    assert "it failed on more splits of the customers than it finished" in found.tally.excluded
    assert {runner.method: runner.best for runner in found.runners_up} == dict.fromkeys(("kmeans", "ward", "birch"))


def test_nothing_is_chosen_where_the_best_does_not_come_back() -> None:
    found = weighed(
        in_class("do not segment", "kmeans", 0.9, jaccard_mean=0.31), in_class("do not segment", "ward", 0.1)
    )
    assert found.chosen is None
    assert found.evidence_class == "do not segment"
    assert "mean Jaccard coefficient 0.31 (asked: >= 0.6)" in found.reasons[0]
    assert {one.measure for one in found.findings if not one.met} >= {"jaccard_mean", "null_p"}


def test_failed_resamples_are_told() -> None:
    told = " ".join(weighed(in_class("reproducible", "kmeans", 0.3, failed_splits=2, splits=23)).reasons)
    assert "Measured on 23 splits into halves and 99 null draws; 2 splits more failed." in told


def test_what_is_only_reported_is_told_where_it_was_computed() -> None:
    for computed, there in (
        (dict.fromkeys(REPORTED, 0.5), True),
        ({"pac": math.nan, "bootstraps": 0}, False),
        ({}, False),
    ):
        chosen = weighed(in_class("reproducible", "kmeans", 0.3, **computed)).chosen
        assert chosen
        assert {name for name in REPORTED if name in chosen.evidence} == ({*REPORTED} if there else set())


def test_a_verdict_with_evidence_survives_json() -> None:
    verdicts = (
        weighed(in_class("reproducible", "kmeans", 0.3, null_p=math.nan), in_class("constructive", "ward", 0.2)),
    )
    written = Selection("baskets", RULE, {"study": "grid"}, verdicts)
    told = json.loads(json.dumps(selection_to_json(written), allow_nan=False))
    read = selection_from_json(told, "verdicts.json")
    assert told == json.loads(json.dumps(selection_to_json(read), allow_nan=False))
    assert read.verdicts[0].evidence_class == "reproducible"
    assert math.isnan(read.verdicts[0].findings[1].value)


ENTRIES = st.lists(
    st.builds(
        lambda clusterer, reducer, k, score, share: entry(
            clusterer, score, reducer=reducer, n_clusters=k, tuning_value=float(k), smallest_share=share
        ),
        st.sampled_from(["kmeans", "ward", "hdbscan", "birch"]),
        st.sampled_from(["none", "pca"]),
        st.integers(1, 5),
        st.sampled_from([0.1, 0.2, 0.2 + 1e-12, 0.3]),
        st.sampled_from([0.01, 0.06, 0.2]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda row: (row["candidate_key"], row["tuning_value"]),
)


@settings(max_examples=30)
@given(ENTRIES, st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_the_order_of_rows_and_nothing_eligible_is_better(
    rows: list[dict[str, Any]], random: Any
) -> None:
    ordered = board(*rows)
    found = select(ordered, attempts(*rows), rule=RULE)[0]
    shuffled = ordered.sample(frac=1, random_state=random.randrange(2**31))
    assert select(shuffled, attempts(*rows), rule=RULE)[0] == found
    eligible = ordered[ordered["eligible"].astype(bool)]
    if found.chosen is None:
        assert eligible.empty
        return
    assert found.chosen.ranking_score >= eligible[RANKED_BY].max() - RULE.tie_tolerance
    assert found.tally.eligible + sum(found.tally.excluded.values()) == found.tally.partitions == len(rows)
    assert {runner.method for runner in found.runners_up} == set(ordered["clusterer"]) - {found.chosen.clusterer}


def test_the_arguments_are_left_unchanged() -> None:
    rows = [entry("kmeans", 0.3), entry("ward", 0.2)]
    given_board, asked = board(*rows), attempts(*rows)
    before = given_board.copy(), asked.copy()
    select(given_board, asked, rule=RULE)
    pd.testing.assert_frame_equal(given_board, before[0])
    pd.testing.assert_frame_equal(asked, before[1])


def test_a_selection_survives_json_with_full_precision() -> None:
    rows = [entry("kmeans", 0.1 + 0.2, balance=0.7), entry("ward", 0.2), entry("birch", 0.2, n_clusters=1)]
    rows.append(entry("kmeans", 0.2, lifestage="OF", smallest_share=0.01))
    verdicts = tuple(select(board(*rows), attempts(*rows), rule=RULE))
    written = Selection("baskets seed=3", RULE, {"study": "grid"}, verdicts)
    read = selection_from_json(json.loads(json.dumps(selection_to_json(written), allow_nan=False)), "verdicts.json")
    assert read == written
    assert read.block == "baskets"
    assert list(read.chosen) == ["YA"]


def test_an_undefined_score_is_null_in_json_and_nan_again() -> None:
    rows = [entry("kmeans", 0.3, balance=math.nan)]
    written = Selection("baskets", RULE, {}, tuple(select(board(*rows), attempts(*rows), rule=RULE)))
    told = json.loads(json.dumps(selection_to_json(written), allow_nan=False))
    assert told["verdicts"]["YA"]["chosen"]["scores"]["balance"] is None
    assert math.isnan(selection_from_json(told, "verdicts.json").chosen["YA"].scores["balance"])


def test_verdicts_from_before_there_was_evidence_can_still_be_read() -> None:
    told = selection_to_json(Selection("baskets", RULE, {}, (verdict(entry("kmeans", 0.3), entry("ward", 0.2)),)))
    for old in told["verdicts"].values():
        del old["evidence_class"], old["findings"], old["chosen"]["evidence_class"]
    assert selection_from_json(told, "verdicts.json").verdicts[0].evidence_class is None


@pytest.mark.parametrize(
    "content", [{}, {"features": "a", "rule": {}, "study": {}, "verdicts": {"YA": {}}}, {"verdicts": 3}]
)
def test_foreign_json_is_refused_in_one_sentence(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^verdicts\.json must hold the verdicts that stage=select writes"):
        selection_from_json(content, "verdicts.json")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"floor": 0.6}, r"evidence\.rule\.floor must be a share .* got 0\.6"),
        ({"tie_tolerance": -1.0}, r"evidence\.rule\.tie_tolerance must be in \[0, 1\); got -1"),
        ({"cost_rank": ["ward", "ward"]}, r"evidence\.rule\.cost_rank must name each clusterer once"),
    ],
)
def test_a_rule_checks_itself(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SelectionRule(**{"floor": 0.05, "tie_tolerance": 1e-9, "cost_rank": ["kmeans"], **changed})


def test_the_declared_rule_ranks_every_clusterer_of_the_configuration(repository: Any, role: Any) -> None:
    options = {path.stem for path in (repository / "conf" / "clusterer").glob("*.yaml")}
    assert options == set(role("evidence", "standard")["rule"].cost_rank)
