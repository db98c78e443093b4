"""A leaderboard on disk becomes verdicts: deterministic, and wrong input ends in one sentence."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hydra
import pandas as pd
import pytest

from aisle.evidence import MEASURES, Thresholds
from aisle.leaderboard import NAMES, RANKED_BY, leaderboard
from aisle.selection import SelectionRule, selection_from_json
from aisle.stages.select import run
from aisle.storage import read_json, write_frame, write_json

RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans", "ward"])


def row(
    lifestage: str, clusterer: str, k: int, score: float, features: str = "baskets", **changed: Any
) -> dict[str, Any]:
    names = dict(zip(NAMES, (lifestage, features, "standard", "pca", clusterer), strict=True))
    scores = {"coverage": 1.0, "balance": 0.9, "smallest_share": 0.2, "features/silhouette": score, RANKED_BY: score}
    row = {
        **names,
        "parameter": "n_clusters",
        "tuning_value": float(k),
        "customer_count": 300,
        "n_clusters": k,
        **scores,
    }
    return {**row, "candidate_key": "-".join(names.values()), **changed}


ROWS = (
    row("YA", "kmeans", 2, 0.31),
    row("YA", "kmeans", 3, 0.1 + 0.2),
    row("YA", "ward", 2, 0.25),
    row("OA", "ward", 2, 0.2),
    row("PE", "ward", 2, 0.5, smallest_share=0.01),
)


def study(folder: Path, *rows: dict[str, Any]) -> Path:
    """The files of a study ``grid`` with these leaderboard rows, and a lifestage OF that was skipped."""
    write_frame(leaderboard(rows, floor=0.05), folder / "grid" / "leaderboard.parquet")
    unique = {row["candidate_key"]: {name: row[name] for name in NAMES} for row in rows}
    asked = [{"names": names, "key": key, "status": "finished", "reason": ""} for key, names in unique.items()]
    names = dict(zip(NAMES, ("OF", "baskets", "standard", "pca", "kmeans"), strict=True))
    asked.append({"names": names, "key": None, "status": "skipped", "reason": "12 customers are too few"})
    write_json({"study": "grid", "question": "Which?", "candidates": asked}, folder / "grid" / "candidates.json")
    return folder


def select(
    folder: Path, features: str | None = None, rule: SelectionRule = RULE, evidence: Path | None = None
) -> dict[str, Any]:
    run(
        leaderboard=folder / "grid" / "leaderboard.parquet",
        candidates=folder / "grid" / "candidates.json",
        evidence=evidence,
        labels=folder / "grid" / "labels.parquet",
        features=features,
        rule=rule,
        thresholds=Thresholds(),
        output=folder / "select",
    )
    return read_json(folder / "select" / "verdicts.json")


def evidence(folder: Path, *rows: dict[str, Any], **changed: Any) -> Path:
    """What stage=evidence says of these leaderboard rows: reproducible, unless a measure is changed."""
    found = dict.fromkeys(MEASURES, 0.0) | {"jaccard_worst": 0.8, "jaccard_mean": 0.85, "strength": 0.7, "splits": 25}
    found |= {
        "replication": 0.9,
        "valley_p": 1.0,
        "null_p": 0.65,
        "null_draws": 99,
        "ranking_error": 0.001,
        "ranking_score": 0.2,
    }
    words = {"class": "reproducible", "eligible": True, "stage": "examined", "category": "", "failure": ""}
    names = (*NAMES, "candidate_key", "tuning_value", "n_clusters")
    keys = [{name: row[name] for name in names} for row in rows]
    write_frame(pd.DataFrame([{**found, **words, **key, **changed} for key in keys]), folder / "measures.parquet")
    segments = [
        {**key, "segment": segment, "customer_count": 150, "neighbour": (segment + 1) % key["n_clusters"]}
        | {"jaccard": 0.8, "dissolved": 0.0, "valley_p": 1.0}
        for key in keys
        for segment in range(key["n_clusters"])
    ]
    write_frame(pd.DataFrame(segments), folder / "segments.parquet")
    gaps = [{**segment, "position": place / 4, "share": 0.25} for segment in segments for place in range(4)]
    write_frame(pd.DataFrame(gaps), folder / "gaps.parquet")
    labels = [
        {"candidate_key": key["candidate_key"], "tuning_value": key["tuning_value"], "customer_id": f"c{number}"}
        | {"label": number % key["n_clusters"]}
        for key in keys
        for number in range(12)
    ]
    write_frame(pd.DataFrame(labels), folder.parent / "grid" / "labels.parquet")
    write_json({"floor": RULE.floor, "thresholds": asdict(Thresholds())}, folder / "declared.json")
    return folder


def test_evidence_by_other_thresholds_or_another_floor_is_refused(tmp_path: Path) -> None:
    found = evidence(tmp_path / "evidence", *ROWS)
    study(tmp_path, *ROWS)
    stricter = {"floor": 0.1, "thresholds": asdict(Thresholds(first_class=False))}
    write_json(stricter, found / "declared.json")
    with pytest.raises(
        ValueError, match=r"found by first_class False, now True, floor 0\.1, now 0\.05: run stage=evidence"
    ):
        select(tmp_path, evidence=found)
    assert not (tmp_path / "select").exists()


def test_the_evidence_decides_and_every_measure_is_told_with_its_threshold(tmp_path: Path) -> None:
    told = select(study(tmp_path, *ROWS), evidence=evidence(tmp_path / "evidence", *ROWS))["verdicts"]["YA"]
    assert told["evidence_class"] == "reproducible"
    assert {one["measure"]: one["met"] for one in told["findings"]} == {
        "valley_p": False,
        "null_p": False,
        "jaccard_worst": True,
        "strength": False,
        "replication": True,
        "jaccard_mean": True,
    }
    told_of = " ".join(told["reasons"])
    assert "The evidence makes it reproducible." in told_of
    assert "null p 0.65 (asked: < 0.05)" in told_of
    assert "Measured on 25 splits into halves and 99 null draws." in told_of
    assert "a gap of less than 4 standard deviations would have been missed" in told_of
    assert read_json(tmp_path / "select" / "metrics.json")["YA"]["jaccard_worst"] == 0.8


def drawn(*names: str) -> set[str]:
    """The files of the pictures with these names."""
    return {f"{name}.{kind}" for name in names for kind in ("png", "svg")}


def test_every_verdict_has_its_pictures_and_those_of_before_are_gone(tmp_path: Path) -> None:
    select(study(tmp_path, *ROWS), evidence=evidence(tmp_path / "evidence", *ROWS))
    kinds = ("evidence", "stability", "gaps", "flow")
    whole = {f"{lifestage}_{kind}" for lifestage in ("OA", "YA") for kind in kinds}
    folder = tmp_path / "select" / "figures"
    assert {path.name for path in folder.iterdir()} == drawn(*whole, "PE_evidence")
    assert (tmp_path / "select" / "methods.png").stat().st_size > 10_000
    select(tmp_path, evidence=evidence(tmp_path / "evidence", *ROWS, **{"class": "do not segment"}))
    assert {path.name for path in folder.iterdir()} == drawn("OA_evidence", "PE_evidence", "YA_evidence")
    select(tmp_path)
    assert list(folder.iterdir()) == []


def test_the_methods_are_ranked_across_lifestages(tmp_path: Path) -> None:
    told = select(study(tmp_path, *ROWS), evidence=evidence(tmp_path / "evidence", *ROWS))["overall"]
    assert told[0] == "Of 2 lifestages: 2 reproducible."
    assert "With 2 lifestages a difference of less than" in told[2]
    assert "kmeans has nothing in OA and is ranked last there." in told


def test_do_not_segment_is_a_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    none = evidence(tmp_path / "evidence", *ROWS, **{"class": "do not segment", "jaccard_mean": 0.4})
    told = select(study(tmp_path, *ROWS), evidence=none)["verdicts"]["YA"]
    assert told["chosen"] is None
    assert told["evidence_class"] == "do not segment"
    assert told["reasons"][0].startswith("Do not segment YA: not even the best of 3 eligible partitions")
    assert "mean Jaccard coefficient 0.4 (asked: >= 0.6)" in told["reasons"][0]
    assert "standard deviations would have been missed" in told["reasons"][-1]
    assert told["rejected"]["clusterer"] == "kmeans"
    assert "do not segment" in capsys.readouterr().err


def test_evidence_of_another_study_is_one_sentence(tmp_path: Path) -> None:
    study(tmp_path, *ROWS)
    with pytest.raises(ValueError, match=r"needs evidence; 2 of 5 have none, the first is ward of OA: run stage=evid"):
        select(tmp_path, evidence=evidence(tmp_path / "evidence", *ROWS[:2]))
    with pytest.raises(FileNotFoundError, match=r"measures\.parquet is needed and missing"):
        select(tmp_path, evidence=tmp_path / "nowhere")
    write_frame(pd.DataFrame({"null_p": [0.1]}), tmp_path / "evidence" / "measures.parquet")
    with pytest.raises(ValueError, match=r"must hold the measures that stage=evidence writes; it lacks \["):
        select(tmp_path, evidence=tmp_path / "evidence")


def test_every_lifestage_gets_a_verdict_also_where_nothing_can_be_chosen(tmp_path: Path) -> None:
    written = selection_from_json(select(study(tmp_path, *ROWS)), "verdicts.json")
    found = {verdict.lifestage: verdict.chosen and verdict.chosen.clusterer for verdict in written.verdicts}
    assert found == {"OA": "ward", "OF": None, "PE": None, "YA": "kmeans"}
    assert written.study == {"study": "grid", "question": "Which?"}
    assert written.rule == RULE


def test_scores_are_written_with_full_precision(tmp_path: Path) -> None:
    best = select(study(tmp_path, row("YA", "kmeans", 2, 0.1 + 0.2)))["verdicts"]["YA"]["chosen"]
    assert best["scores"][RANKED_BY] == 0.1 + 0.2


def test_metrics_are_a_few_numbers_per_lifestage(tmp_path: Path) -> None:
    select(study(tmp_path, *ROWS))
    metrics = read_json(tmp_path / "select" / "metrics.json")
    assert metrics["PE"] == metrics["OF"] == {"segments": 0}
    assert metrics["OA"] == {"segments": 2, "ranking_score": 0.2, "coverage": 1.0, "smallest_share": 0.2}
    assert metrics["YA"]["margin"] == pytest.approx(0.06)


def test_the_same_leaderboard_in_any_order_gives_the_same_bytes(tmp_path: Path) -> None:
    select(study(tmp_path / "one", *ROWS))
    select(study(tmp_path / "two", *reversed(ROWS)))
    for name in ("verdicts.json", "metrics.json"):
        assert (tmp_path / "one/select" / name).read_bytes() == (tmp_path / "two/select" / name).read_bytes()


def test_one_of_several_feature_blocks_is_selected_in(tmp_path: Path) -> None:
    rows = [*ROWS, row("YA", "ward", 2, 0.9, features="mix")]
    written = select(study(tmp_path, *rows), features="mix")
    assert written["features"] == "mix"
    assert list(written["verdicts"]) == ["YA"]
    with pytest.raises(
        ValueError, match=r"2 feature blocks, whose ranking scores cannot be compared; .*stage\.features="
    ):
        select(tmp_path)
    with pytest.raises(ValueError, match=r"stage\.features must be .*\['baskets', 'mix'\]; got 'rfm'"):
        select(tmp_path, features="rfm")


def test_a_study_without_any_finished_candidate_is_told_not_raised(tmp_path: Path) -> None:
    written = select(study(tmp_path))
    assert written["verdicts"]["OF"]["chosen"] is None
    assert "12 customers are too few" in " ".join(written["verdicts"]["OF"]["reasons"])


def test_the_verdicts_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    select(study(tmp_path, *ROWS))
    printed = capsys.readouterr().err
    assert "kmeans" in printed
    assert "nothing" in printed


def test_a_missing_leaderboard_is_one_sentence(tmp_path: Path) -> None:
    study(tmp_path, *ROWS)
    (tmp_path / "grid" / "leaderboard.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"leaderboard\.parquet is needed and missing"):
        select(tmp_path)
    assert not (tmp_path / "select").exists()


def test_a_foreign_table_is_one_sentence(tmp_path: Path) -> None:
    study(tmp_path, *ROWS)
    board = leaderboard(ROWS, floor=0.05).drop(columns=["coverage"])
    write_frame(board, tmp_path / "grid" / "leaderboard.parquet")
    with pytest.raises(
        ValueError, match=r"leaderboard\.parquet must be a study's leaderboard; it lacks \['coverage'\]"
    ):
        select(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"candidates": [{"status": "finished"}]}, "must be a study's record of candidates"),
        ({"study": "grid"}, "must be a study's record of candidates"),
        ({"candidates": []}, "names no candidate"),
    ],
)
def test_a_foreign_record_is_one_sentence(tmp_path: Path, content: dict[str, Any], sentence: str) -> None:
    study(tmp_path, *ROWS)
    write_json(content, tmp_path / "grid" / "candidates.json")
    with pytest.raises(ValueError, match=sentence):
        select(tmp_path)


def test_the_stage_runs_as_it_is_configured(tmp_path: Path, compose: Callable[..., Any]) -> None:
    study(tmp_path / "artifacts", *ROWS)
    evidence(tmp_path / "artifacts" / "evidence", *ROWS)
    hydra.utils.call(compose("stage=select", "study=grid", f"paths.root={tmp_path}").stage)
    written = json.loads((tmp_path / "artifacts/select/verdicts.json").read_text())
    assert written["rule"]["floor"] == 0.05
    assert written["verdicts"]["YA"]["chosen"]["clusterer"] == "kmeans"
