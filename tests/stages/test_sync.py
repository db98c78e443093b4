"""What studies found goes to the tracker."""

import logging
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hydra.utils import instantiate

from aisle.evidence import CLASSES, MEASURES, REPORTED, Thresholds
from aisle.features import FeatureTable
from aisle.leaderboard import NAMES, RANKED_BY
from aisle.rules import agreement, segment_rules
from aisle.selection import Choice, Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages import candidate, study, sync
from aisle.storage import (
    CandidateStore,
    read_arrow,
    read_features,
    read_json,
    whole_file,
    write_features,
    write_frame,
    write_json,
    write_rules,
)
from aisle.tracking import MlflowTracker, NoTracker, RunContent, Written

LIFESTAGES = ("OA", "YA")
CLUSTERERS = ("kmeans", "hdbscan")


@dataclass
class ListTracker:
    """A tracker that keeps what it is given."""

    written: dict[str, list[RunContent]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Nothing to prepare."""

    def write(self, study: str, contents: Iterable[RunContent], description: str) -> Written:
        self.written[study] = list(contents)
        self.descriptions[study] = description
        return Written(len(self.written[study]), 0, 0)


@pytest.fixture(scope="module")
def finished(role: Callable[..., Any], planted: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two lifestages and two clusterers, and one candidate of a lifestage that does not exist."""
    root = tmp_path_factory.mktemp("finished")
    features, _ = planted((40, 30, 20), separation=6.0, seed=3)
    alternate = [LIFESTAGES[number % 2] for number in range(len(features.cohort))]
    cohort = pd.Series(alternate, index=features.cohort.index, name="cohort")
    blocks = root / "artifacts" / "features"
    write_features(FeatureTable(features.values, cohort), blocks / "baskets.parquet")
    write_json({"data_digest": "0123456789abcdef"}, root / "artifacts" / "extract" / "summary.json")
    wanted = [(lifestage, clusterer) for lifestage in LIFESTAGES for clusterer in CLUSTERERS] + [("PE", "kmeans")]
    for number, (lifestage, clusterer) in enumerate(wanted):
        candidate.run(
            features=blocks / "baskets.parquet",
            names=dict(zip(NAMES, (lifestage, "baskets", "standard", "none", clusterer), strict=True)),
            overrides=[],
            scaler=role("scaler", "standard"),
            reducer=role("reducer", "none"),
            clusterer=role("clusterer", clusterer),
            minimum_customers=20,
            seed=1,
            store=root / ".aisle",
            outcome=root / "sweep" / str(number) / "outcome.json",
        )
    failed_count = study.run(
        sweep=root / "sweep",
        study="grid",
        question="Which is best?",
        hypothesis="",
        floor=0.05,
        summary=root / "artifacts" / "extract" / "summary.json",
        store=root / ".aisle",
        output=root / "artifacts" / "grid",
    )
    assert failed_count == 1
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    """A copy of the study, to be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "root"))


def run(root: Path, tracker: Any, study: str = "grid") -> None:
    artifacts = root / "artifacts"
    sync.run(
        study=study,
        store=root / ".aisle",
        artifacts=artifacts,
        features=artifacts / "features",
        thresholds=Thresholds(),
        tracker=tracker,
    )


def test_every_candidate_is_a_run_and_the_study_is_one_more(finished: Path) -> None:
    tracker = ListTracker()
    run(finished, tracker)
    assert [(content.name, content.status) for content in tracker.written["grid"]] == [
        ("OA · none · hdbscan", "FINISHED"),
        ("OA · none · kmeans", "FINISHED"),
        ("PE · none · kmeans", "FAILED"),
        ("YA · none · hdbscan", "FINISHED"),
        ("YA · none · kmeans", "FINISHED"),
        ("Summary · grid", "FINISHED"),
    ]
    assert tracker.descriptions["grid"].startswith("Which is best?")


def test_a_run_says_what_the_store_and_the_leaderboard_say(finished: Path) -> None:
    tracker = ListTracker()
    run(finished, tracker)
    told = read_json(finished / "artifacts" / "grid" / "candidates.json")
    board = read_arrow(finished / "artifacts" / "grid" / "leaderboard.parquet").to_pandas()
    features = read_features(finished / "artifacts" / "features" / "baskets.parquet")
    pairs = [pair for pair in zip(told["candidates"], tracker.written["grid"], strict=False) if pair[0]["key"]]
    assert len(pairs) == 4
    for one, content in pairs:
        record = CandidateStore(finished / ".aisle").read(one["key"])
        scores = {(score.key, score.step): score.value for score in content.scores}
        whole = all(float(value).is_integer() for value in record.scores)
        for position, (value, found) in enumerate(record.scores.items()):
            step = int(value) if whole else position
            for name, score in found.items():
                assert scores.get((name, step), float("nan")) == pytest.approx(score, nan_ok=True)
        best = board[(board["candidate_key"] == one["key"])].iloc[0]
        assert scores["best/tuning", 0] == best["tuning_value"]
        assert scores[f"best/{RANKED_BY}", 0] == best[RANKED_BY]
        assert content.tags["features_digest"] == features.select(one["names"]["lifestage"]).digest()
        assert content.tags["data_digest"] == "0123456789abcdef"
        sizes = content.tables()["cluster_sizes.json"]
        assert sum(int(str(row[1])) for row in sizes.rows) == record.facts["features"]["customers"]


def test_figures_and_the_leaderboard_are_with_the_summary(finished: Path) -> None:
    tracker = ListTracker()
    run(finished, tracker)
    files = tracker.written["grid"][-1].files
    assert "leaderboard.csv" in files
    assert [name for name in files if name.startswith("figures/") and name.endswith(".png")]
    assert all(path.is_file() for path in files.values())


def assign(root: Path, study: str = "grid") -> None:
    """A folder as stage=assign leaves it, of the rule of one candidate of the study."""
    board = read_arrow(root / "artifacts" / "grid" / "leaderboard.parquet").to_pandas()
    features = read_features(root / "artifacts" / "features" / "baskets.parquet").select("YA")
    side = (features.values.iloc[:, 0] > features.values.iloc[:, 0].median()).to_numpy().astype("int64")
    labels = pd.DataFrame({"customer_id": features.values.index, "lifestage": "YA", "segment": side})
    rules = segment_rules(labels, features)
    folder = root / "artifacts" / "assign"
    told = {"candidate_key": board["candidate_key"][0], **agreement(rules.rules["YA"])}
    counts = {"in_database": 45, "in_segment": 45, "reasons": {}}
    write_rules(rules, folder / "rules.skops")
    (folder / "sizes.csv").write_text("lifestage,segment\n")
    write_json(
        {"study": study, "data_digest": "", "lifestages": {"YA": told}, "without": {}, "customers": counts},
        folder / "agreement.json",
    )


def test_the_rule_of_the_study_is_a_run_with_a_model(root: Path) -> None:
    assign(root)
    tracker = ListTracker()
    run(root, tracker)
    *_, rule, summary = tracker.written["grid"]
    assert (rule.name, summary.name) == ("Rule · grid", "Summary · grid")
    assert rule.model is not None
    assert (rule.model.name, rule.model.alias) == ("aisle-grid", "chosen")
    assert sorted(rule.files) == ["rule/agreement.json", "rule/rules.skops", "rule/sizes.csv"]


def test_the_rule_of_another_study_is_not_shown(root: Path) -> None:
    assign(root, "another")
    tracker = ListTracker()
    run(root, tracker)
    assert "Rule · grid" not in [content.name for content in tracker.written["grid"]]


def test_in_a_fresh_clone_what_git_keeps_of_the_rule_is_there_without_it(root: Path) -> None:
    assign(root)
    (root / "artifacts" / "assign" / "rules.skops").unlink()
    tracker = ListTracker()
    run(root, tracker)
    assert "Rule · grid" not in [content.name for content in tracker.written["grid"]]


def test_a_second_sync_adds_nothing_to_mlflow(finished: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tracker = MlflowTracker(f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "artifacts", tmp_path / "locks")
    caplog.set_level(logging.INFO)
    run(finished, tracker)
    run(finished, tracker)
    assert "mlflow grid: 6 runs written, 0 unchanged, 0 removed" in caplog.text
    assert "mlflow grid: 0 runs written, 6 unchanged, 0 removed" in caplog.text


def test_all_is_every_study_that_was_run(root: Path) -> None:
    other = root / "artifacts" / "other"
    shutil.copytree(root / "artifacts" / "grid", other)
    write_json(read_json(other / "candidates.json") | {"study": "other"}, other / "candidates.json")
    tracker = ListTracker()
    run(root, tracker, "all")
    assert list(tracker.written) == ["grid", "other"]


def test_all_of_nothing_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run(tmp_path, ListTracker(), "all")
    assert "there is no study in" in caplog.text


def test_a_study_that_was_not_run_is_refused(finished: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere/candidates.json is needed and missing; run the stage"):
        run(finished, ListTracker(), "nowhere")


def lose_the_store(root: Path) -> None:
    shutil.rmtree(root / ".aisle")


def change_the_features(root: Path) -> None:
    path = root / "artifacts" / "features" / "baskets.parquet"
    features = read_features(path)
    write_features(FeatureTable(features.values * 2, features.cohort), path)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lose_the_store, r"is needed and missing; run the study again"),
        (change_the_features, r"The features baskets have changed since the study; run the study again\."),
    ],
)
def test_what_a_study_was_made_of_must_still_be_there(
    root: Path, spoil: Callable[[Path], None], sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(root)
    with pytest.raises((FileNotFoundError, ValueError), match=sentence):
        run(root, ListTracker())
    tracker = ListTracker()
    run(root, tracker, "all")
    assert tracker.written == {}
    assert "mlflow grid: left as it is: " in caplog.text


def test_without_a_tracker_candidates_are_not_even_read(root: Path) -> None:
    lose_the_store(root)
    run(root, NoTracker())


def test_the_configured_stage_is_this_one(compose: Callable[..., Any]) -> None:
    configured = instantiate(compose("stage=sync", "study=all", "tracker=none").stage, _partial_=True)
    assert configured.func is sync.run
    assert configured.keywords["study"] == "all"
    assert isinstance(configured.keywords["tracker"], NoTracker)


def evidence(root: Path) -> pd.DataFrame:
    """Measures of every candidate of the study, kmeans examined and the others screened."""
    board = read_arrow(root / "artifacts" / "grid" / "leaderboard.parquet").to_pandas()
    rows = board[["candidate_key", "tuning_value", "n_clusters"]].assign(**dict.fromkeys(MEASURES[1:], 0.25))
    kmeans = board["clusterer"] == "kmeans"
    rows["stage"] = kmeans.map({True: "examined", False: "screened"})
    rows["null_p"] = rows["null_p"].where(kmeans)
    rows = rows.assign(**dict.fromkeys(REPORTED, 0.5))
    rows["pac"] = rows["pac"].where(kmeans)
    found = rows.assign(eligible=board["eligible"].astype(bool), category="", failure="")
    found["class"] = ["reproducible", *["constructive"] * (len(found) - 1)]
    found = found.merge(board[["candidate_key", "tuning_value", *NAMES]])
    write_frame(found, root / "artifacts" / "evidence" / "measures.parquet")
    segments = found.loc[found.index.repeat(found["n_clusters"])].assign(jaccard=0.8, customer_count=15)
    segments["segment"] = segments.groupby(["candidate_key", "tuning_value"]).cumcount()
    write_frame(segments.reset_index(drop=True), root / "artifacts" / "evidence" / "segments.parquet")
    return found


def test_the_evidence_is_curves_a_class_and_a_table_of_its_candidate(root: Path) -> None:
    found = evidence(root)
    tracker = ListTracker()
    run(root, tracker)
    for content in tracker.written["grid"]:
        if content.tags["kind"] != "candidate" or content.status == "FAILED":
            assert "evidence_class" not in content.tags
            continue
        rows = found[found["candidate_key"] == content.tags["candidate_key"]]
        examined = rows["stage"].iloc[0] == "examined"
        assert content.tags["evidence_stage"] == ("examined" if examined else "screened")
        classes = set(rows.loc[rows["eligible"], "class"])
        assert content.tags["evidence_class"] == min(classes, key=CLASSES.index, default="nothing is eligible")
        curves = {score.key: score.value for score in content.scores if score.key.startswith("evidence/")}
        assert curves["evidence/jaccard_worst"] == 0.25
        assert curves["evidence/null_high"] == pytest.approx(0.25 + 1.96 * 0.25)
        assert ("evidence/null_p" in curves) is examined
        assert ("evidence/pac" in curves) is examined
        assert {curves[f"evidence/{name}"] for name in REPORTED[:4]} == {0.5}
        assert not curves.keys() & {"evidence/bootstraps", "evidence/failed_bootstraps"}
        assert sum(score.key == "evidence/strength" for score in content.scores) == len(rows)
        assert content.note.count("|\n| ") >= len(rows)
        drawn = content.figures()
        assert set(drawn) == (
            {f"evidence/{name}.png" for name in ("curves", "stability", "flow")} if examined else set()
        )


def test_runs_are_as_before_where_the_evidence_is_on_other_candidates(root: Path) -> None:
    before, after = ListTracker(), ListTracker()
    run(root, before)
    write_frame(evidence(root).assign(candidate_key="another"), root / "artifacts" / "evidence" / "measures.parquet")
    run(root, after)
    assert [one.digest() for one in before.written["grid"]] == [one.digest() for one in after.written["grid"]]


def choose(root: Path, lifestage: str = "YA") -> "pd.Series[int]":
    """The best k-means of a lifestage, selected, with its segments (under other numbers), pictures and a report."""
    artifacts = root / "artifacts"
    board = read_arrow(artifacts / "grid" / "leaderboard.parquet").to_pandas()
    row = board[(board["lifestage"] == lifestage) & (board["clusterer"] == "kmeans")].iloc[0]
    names = {name: row[name] for name in ("features", "scaler", "reducer", "clusterer", "candidate_key", "parameter")}
    k = int(row["n_clusters"])
    choice = Choice(**names, tuning_value=row["tuning_value"], n_clusters=k, scores={RANKED_BY: row[RANKED_BY]})
    verdict = Verdict(lifestage, 45, choice, ("It is the best.",), (), Tally(1, 1, 1, 1, {}, {}), (), "reproducible")
    rule = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])
    selection = Selection("baskets", rule, {"study": "grid"}, (verdict,))
    write_json(selection_to_json(selection), artifacts / "select" / "verdicts.json")
    path = CandidateStore(root / ".aisle").read(choice.candidate_key).path
    labels = path.partitions[k].labels
    rows = pd.DataFrame({"customer_id": labels.index, "lifestage": lifestage, "segment": k - labels.to_numpy()})
    named = rows.assign(segment_name="segment " + rows["segment"].astype(str))
    write_frame(named, artifacts / "segments" / "labels.parquet")
    for name in ("segments/profiles.png", f"segments/figures/{lifestage}_planes.svg", "report/index.html"):
        with whole_file(artifacts / name) as part:
            part.write_text(name)
    return labels


def written(root: Path) -> dict[str, RunContent]:
    tracker = ListTracker()
    run(root, tracker)
    return {content.name: content for content in tracker.written["grid"]}


def test_the_chosen_run_says_so_and_has_names_and_pictures_of_its_segments(root: Path) -> None:
    labels = choose(root)
    runs = written(root)
    chosen = runs.pop("YA · none · kmeans")
    assert chosen.tags["chosen"] == "yes"
    assert chosen.note.startswith("**Chosen for YA**, at n_clusters = ")
    assert f"| 1 | &nbsp;&nbsp;segment 1 | &nbsp;&nbsp;{(labels == labels.max()).sum()} |" in chosen.note
    assert chosen.files["segments/planes.svg"].read_text() == "segments/figures/YA_planes.svg"
    assert not any("chosen" in other.tags for other in runs.values())
    summary = runs["Summary · grid"].files
    assert {"report.html", "figures/profiles.png", "figures/ranking.png"} <= set(summary)


def test_pictures_of_other_segments_than_those_chosen_are_not_shown(root: Path) -> None:
    choose(root)
    path = root / "artifacts" / "segments" / "labels.parquet"
    labels = read_arrow(path).to_pandas()
    for other in (
        labels.assign(segment=range(len(labels))),
        labels.assign(segment=0),
        labels.iloc[1:],
        labels.iloc[:0],
    ):
        write_frame(other, path)
        chosen = written(root)["YA · none · kmeans"]
        assert chosen.tags["chosen"] == "yes"
        assert chosen.files == {}
    path.unlink()
    assert written(root)["YA · none · kmeans"].files == {}


def test_a_selection_in_another_study_chooses_nothing_here(root: Path) -> None:
    choose(root)
    path = root / "artifacts" / "select" / "verdicts.json"
    write_json(read_json(path) | {"study": {"study": "other"}}, path)
    runs = written(root)
    assert not any("chosen" in content.tags for content in runs.values())
    assert "report.html" not in runs["Summary · grid"].files
