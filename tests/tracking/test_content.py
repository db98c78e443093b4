"""What a run says of a candidate, and of a study."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from aisle.clusterers import EstimatorPath
from aisle.features import FeatureTable
from aisle.leaderboard import leaderboard, rows
from aisle.partition import NOISE, Partition, PartitionPath
from aisle.profiles import labels_of
from aisle.storage import describe
from aisle.tracking import RunContent, Score
from aisle.tracking.content import (
    candidate_content,
    cluster_profiles,
    cluster_sizes,
    failed_content,
    flattened,
    summary_content,
)
from aisle.tracking.notes import called, summary_note, told_apart_by

NAMES = {"lifestage": "YF", "features": "baskets", "scaler": "standard", "reducer": "pca", "clusterer": "kmeans"}
ROLES = ("lifestage", "reducer", "clusterer")
Labels = Mapping[float, list[int]]


def features_of(count: int) -> FeatureTable:
    rng = np.random.default_rng(count)
    index = pd.Index([f"c{number:02d}" for number in range(count)], name="customer_id")
    values = pd.DataFrame({"basket_count": rng.gamma(2, 5, count), "spend_mean": rng.gamma(3, 4, count)}, index=index)
    return FeatureTable(values, pd.Series("YF", index=index, name="cohort"))


def scores_of(labels: list[int], ranking_score: float) -> dict[str, float]:
    sizes = np.bincount([label for label in labels if label != NOISE], minlength=1)
    share = float(sizes.min() / len(labels)) if sizes.any() else float("nan")
    return {
        "n_clusters": float(len(set(labels) - {NOISE})),
        "coverage": float(np.mean(np.array(labels) != NOISE)),
        "balance": float("nan"),
        "smallest_share": share,
        "features/silhouette": ranking_score,
        "features/ranking_score": ranking_score,
    }


def content_of(
    labels: Labels, ranking: Mapping[float, float], *, floor: float = 0.05, commit: str = "abc", **facts: Any
) -> RunContent:
    """The run of a candidate with these labels and ranking scores by tuning value."""
    features = features_of(len(next(iter(labels.values()))))
    index = features.values.index
    partitions = {value: Partition.numbered(found, index) for value, found in labels.items()}
    scores = {value: scores_of(labels[value], ranking[value]) for value in labels}
    board = leaderboard(rows(NAMES, "k1", len(index), "n_clusters", scores), floor=floor)
    told = {
        "features": {"digest": features.digest(), "columns": list(features.values), "customers": len(index)},
        "scaler": {"class": "sklearn.preprocessing.StandardScaler", "params": {"copy": {"value": True}}},
        "reducer": describe(PCA(0.8)),
        "clusterer": describe(EstimatorPath(KMeans(n_init=4), "n_clusters", list(labels))),
        "seed": 1,
        "seconds": 2.5,
        "warnings": [],
    }
    return candidate_content(
        study="grid",
        roles=ROLES,
        names=NAMES,
        key="k1",
        path=PartitionPath("n_clusters", partitions),
        scores=scores,
        facts=told | facts,
        board=board,
        features=features,
        data_digest="d1",
        provenance={"mlflow.source.git.commit": commit},
    )


TWO = [0] * 12 + [1] * 8
THREE = [0] * 10 + [1] * 6 + [2] * 4
LOPSIDED = [0] * 19 + [1]


def test_a_score_stands_at_its_tuning_value() -> None:
    content = content_of({2: TWO, 3: THREE}, {2: 0.2, 3: 0.3})
    assert Score("features/silhouette", 0.2, 2) in content.scores
    assert Score("features/silhouette", 0.3, 3) in content.scores
    assert not [score for score in content.scores if score.key == "tuning_value"]


def test_a_tuning_value_that_is_no_integer_stands_at_its_position_and_is_told_as_a_score() -> None:
    content = content_of({0.5: TWO, 1.0: THREE}, {0.5: 0.2, 1.0: 0.3})
    assert [score for score in content.scores if score.key == "tuning_value"] == [
        Score("tuning_value", 0.5, 0),
        Score("tuning_value", 1.0, 1),
    ]
    assert Score("features/silhouette", 0.3, 1) in content.scores


@given(st.lists(st.floats(0.125, 40), min_size=1, max_size=5, unique=True))
def test_steps_are_integers_and_tell_the_tuning_values_apart(values: list[float]) -> None:
    content = content_of(dict.fromkeys(values, TWO), dict.fromkeys(values, 0.1))
    steps = [score.step for score in content.scores if score.key == "coverage"]
    assert all(isinstance(step, int) for step in steps)
    assert len(set(steps)) == len(values)


def test_an_undefined_score_is_left_out() -> None:
    content = content_of({2: TWO, 3: [NOISE] * 20}, {2: 0.2, 3: float("nan")})
    assert not [score for score in content.scores if np.isnan(score.value)]
    assert {score.step for score in content.scores if score.key == "features/silhouette"} == {2}
    assert {score.step for score in content.scores if score.key == "coverage"} == {2, 3}


def test_the_best_scores_are_those_of_the_best_eligible_tuning_value() -> None:
    content = content_of({2: LOPSIDED, 3: THREE}, {2: 0.9, 3: 0.3}, floor=0.1)
    best = {score.key: score.value for score in content.scores if score.key.startswith("best/")}
    assert (best["best/tuning"], best["best/k"]) == (3, 3)
    assert best["best/score"] == best["best/features/ranking_score"] == 0.3
    assert "best/features/silhouette" in best
    assert content.tags["eligible"] == "yes"


def test_without_an_eligible_tuning_value_the_best_is_shown_below_all_others_and_the_reason_told() -> None:
    content = content_of({2: LOPSIDED}, {2: 0.9}, floor=0.1)
    assert Score("best/tuning", 2.0, 0) in content.scores
    assert Score("best/features/ranking_score", 0.9, 0) in content.scores
    assert "best/score" not in {score.key for score in content.scores}
    assert content.tags["eligible"] == "no: a segment is smaller than 10% of the customers"
    assert "Not eligible at any tuning value" in content.note


def test_a_candidate_that_calls_everybody_noise_can_be_shown() -> None:
    content = content_of({5: [NOISE] * 20}, {5: float("nan")})
    tables = content.tables()
    assert tables["cluster_sizes.json"].rows[0][:3] == ("noise", 20, 1.0)
    assert tables["cluster_profiles.json"].columns == ("feature", "everybody")
    assert tables["cluster_medoids.json"].columns == ("feature",)
    assert "no ranking score is defined" in content.note


def test_the_note_says_where_the_candidate_is_best_and_what_its_libraries_warned_of() -> None:
    content = content_of({2: TWO, 3: THREE}, {2: 0.2, 3: 0.3}, warnings=["ConvergenceWarning: not converged"])
    assert "Best at **n_clusters = 3**: ranking score 0.300 with 3 clusters." in content.note
    assert "| cluster 0 | &nbsp;&nbsp;10 | &nbsp;&nbsp;50.0% |" in content.note
    assert "- ConvergenceWarning: not converged" in content.note


def test_parameters_are_what_get_params_says_flattened() -> None:
    params = content_of({2: TWO}, {2: 0.2}).params
    assert params["reducer"] == "pca"
    assert params["reducer.class"] == "sklearn.decomposition._pca.PCA"
    assert params["reducer.n_components"] == "0.8"
    assert params["clusterer.estimator.class"] == "sklearn.cluster._kmeans.KMeans"
    assert params["clusterer.estimator.n_init"] == "4"
    assert params["clusterer.values"] == "[2]"
    assert params["tuned"] == "n_clusters"
    assert all(isinstance(value, str) for value in params.values())


@pytest.mark.parametrize(
    ("component", "shown"),
    [
        ([PCA(2), None], "[sklearn.decomposition._pca.PCA(copy=True, "),
        (np.log1p, "numpy.log1p"),
        (np.float64(0.5), "0.5"),
        ("ward", "ward"),
    ],
)
def test_whatever_a_parameter_is_it_becomes_text(component: Any, shown: str) -> None:
    described = {"function": "numpy.log1p"} if component is np.log1p else describe(component)
    assert flattened("given", described)["given"].startswith(shown)


def test_a_run_is_called_after_the_roles_that_tell_candidates_apart() -> None:
    others = [NAMES, NAMES | {"scaler": "robust"}]
    assert called(NAMES, told_apart_by([{"names": NAMES}])) == "YF · pca · kmeans"
    assert called(NAMES, told_apart_by([{"names": names} for names in others])) == "YF · standard · pca · kmeans"


def test_content_follows_from_scores_and_the_rule_and_not_from_the_commit_or_the_time() -> None:
    one = content_of({2: LOPSIDED, 3: THREE}, {2: 0.9, 3: 0.3})
    assert one.digest() == content_of({2: LOPSIDED, 3: THREE}, {2: 0.9, 3: 0.3}, commit="def", seconds=9.9).digest()
    for other in (
        content_of({2: LOPSIDED, 3: THREE}, {2: 0.9, 3: 0.3}, floor=0.1),
        content_of({2: LOPSIDED, 3: THREE}, {2: 0.9, 3: 0.2}),
    ):
        assert other.identity == one.identity
        assert other.digest() != one.digest()


def test_a_candidate_that_is_not_on_the_leaderboard_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Study grid: the leaderboard lacks candidate YF .* \(k1\); run the study"):
        candidate_content(
            study="grid",
            roles=ROLES,
            names=NAMES,
            key="k1",
            path=PartitionPath("n_clusters", {2: Partition.numbered(TWO, features_of(20).values.index)}),
            scores={},
            facts={},
            board=pd.DataFrame(),
            features=features_of(20),
            data_digest="",
            provenance={},
        )


@given(st.lists(st.integers(-1, 4), min_size=3, max_size=40))
def test_sizes_are_everybody_largest_first_and_noise_last(labels: list[int]) -> None:
    features = features_of(len(labels))
    partition = Partition.numbered(labels, features.values.index)
    table = cluster_sizes(labels_of({"YF": partition.labels}, features), features)
    names, counts, shares = (list(column) for column in list(zip(*table.rows, strict=True))[:3])
    assert sum(counts) == len(labels)
    assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert names == [f"cluster {number}" for number in range(partition.n_clusters)] + ["noise"] * (-1 in labels)
    assert counts[: partition.n_clusters] == partition.sizes.tolist()


@given(st.lists(st.integers(0, 4), min_size=3, max_size=40))
def test_profiles_weighted_by_sizes_give_everybody(labels: list[int]) -> None:
    features = features_of(len(labels))
    partition = Partition.numbered(labels, features.values.index)
    table = cluster_profiles(labels_of({"YF": partition.labels}, features), features)
    assert [row[0] for row in table.rows] == ["basket_count", "spend_mean"]
    for row in table.rows:
        everybody, means = row[1], np.array(row[2:], dtype=float)
        assert (means * partition.sizes).sum() / len(labels) == pytest.approx(everybody, rel=1e-4)


def failed(key: str | None, reason: str = "ValueError: too few") -> RunContent:
    return failed_content(
        study="grid", roles=ROLES, names=NAMES, key=key, reason=reason, data_digest="d1", provenance={}
    )


def test_a_failed_candidate_shows_its_error() -> None:
    content = failed(None)
    assert content.status == "FAILED"
    assert content.tags["error"] == "ValueError: too few"
    assert "ValueError: too few" in content.note
    assert content.params == NAMES


def test_a_candidate_that_failed_and_then_finishes_is_the_same_run() -> None:
    assert failed("k1").identity == content_of({2: TWO}, {2: 0.2}).identity
    assert failed(None).identity != failed("k1").identity


def candidates_of(*statuses: str) -> list[dict[str, Any]]:
    return [
        {"names": NAMES | {"clusterer": f"c{number:03d}"}, "key": f"k{number}", "status": status, "reason": "too few"}
        for number, status in enumerate(statuses)
    ]


def board_of(*scores: float, floor: float = 0.05) -> pd.DataFrame:
    entries = []
    for number, score in enumerate(scores):
        names = NAMES | {"clusterer": f"c{number:03d}"}
        entries += rows(
            names, f"k{number}", 20, "n_clusters", {2: scores_of(TWO, score), 3: scores_of(THREE, score / 2)}
        )
    return leaderboard(entries, floor=floor)


def summary_of(candidates: list[dict[str, Any]], board: pd.DataFrame, **files: Path) -> RunContent:
    return summary_content(
        study="grid",
        question="Which is best?",
        verdict=["**YF**: c001 leads by 0.3."],
        candidates=candidates,
        board=board,
        data_digest="0123456789abcdef",
        files=files,
        provenance={},
    )


def test_the_summary_answers_without_an_artifact() -> None:
    content = summary_of(candidates_of("finished", "finished", "failed", "skipped"), board_of(0.1, 0.4))
    lines = content.note.splitlines()
    assert lines[0] == "Which is best?"
    assert "2 of 4 candidates finished. Data: `0123456789ab`." in lines
    assert "- **YF**: c001 leads by 0.3." in lines
    table = [line.replace("&nbsp;", "") for line in lines if line.startswith("| YF")]
    assert table == [
        "| YF | pca | c001 | n_clusters = 2 | 2 | 100% | 0.400 |",
        "| YF | pca | c000 | n_clusters = 2 | 2 | 100% | 0.100 |",
    ]
    assert "- YF · baskets · standard · pca · c002: too few" in lines
    assert Score("summary/finished", 2.0, 0) in content.scores
    assert Score("summary/failed", 1.0, 0) in content.scores
    assert Score("summary/best YF", 0.4, 0) in content.scores


def test_the_leaderboard_is_a_table_of_plain_cells() -> None:
    board = board_of(0.1, float("nan"))
    table = summary_of(candidates_of("finished", "finished"), board).tables()["leaderboard.json"]
    assert table.columns == tuple(board.columns)
    assert len(table.rows) == len(board)
    assert json.loads(json.dumps(table.rows, allow_nan=False)) == [list(row) for row in table.rows]


def test_a_lifestage_without_an_eligible_partition_is_named() -> None:
    assert "No eligible partition for: YF." in summary_of(candidates_of("finished"), board_of(0.1, floor=0.45)).note


def test_a_study_in_which_everything_failed_can_be_shown() -> None:
    content = summary_of(candidates_of("failed"), leaderboard([], floor=0.05))
    assert "0 of 1 candidates finished." in content.note
    assert content.tables()["leaderboard.json"].rows == ()


def test_a_long_note_is_cut_at_a_line_and_says_so() -> None:
    note = summary_note(
        question="Which?", verdict=[], candidates=candidates_of(*["failed"] * 400), board=board_of(0.1), data_digest=""
    )
    assert len(note) < 8_000
    *lines, _, last = note.splitlines()
    assert last == f"... and {400 - sum(line.endswith(': too few') for line in lines)} more lines."


def test_a_file_that_comes_or_goes_makes_another_summary() -> None:
    one, board = candidates_of("finished"), board_of(0.1)
    plain: Callable[..., RunContent] = summary_of
    assert plain(one, board).digest() == plain(one, board).digest()
    assert plain(one, board, ranking=Path("ranking.png")).digest() != plain(one, board).digest()
