"""A study's files are made from its outcomes and the candidate store, the same in whatever order they came."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest
from sklearn.cluster import KMeans
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.clusterers import AgglomerativePath, EstimatorPath
from aisle.features import FeatureTable
from aisle.leaderboard import COLUMNS, NAMES
from aisle.stages import candidate, study
from aisle.storage import read_json, write_features, write_json

CLUSTERERS = {
    "kmeans": EstimatorPath(KMeans(n_init=2), "n_clusters", [2, 3]),
    "ward": AgglomerativePath("ward", "euclidean", [2, 3, 4]),
    "broken": AgglomerativePath("word", "euclidean", [2]),
}
FILES = ["candidates.json", "labels.parquet", "leaderboard.csv", "leaderboard.parquet", "ranking.png"]


@pytest.fixture
def folder(planted: Callable[..., Any], tmp_path: Path) -> Path:
    """Features of three lifestages, the last of a few customers only, and a summary of their extract."""
    tables = [planted(sizes, separation=6, seed=60 + len(sizes))[0] for sizes in ((20, 15), (20, 10, 10), (5,) * 2)]
    values = pd.concat(
        [table.values.add_prefix("", axis=0).rename(lambda name, n=n: f"{n}{name}") for n, table in enumerate(tables)]
    )
    cohort = pd.Series(["YA"] * 35 + ["PE"] * 40 + ["OT"] * 10, index=values.index)
    write_features(FeatureTable(values, cohort), tmp_path / "features.parquet")
    write_json({"data_digest": "d1"}, tmp_path / "summary.json")
    return tmp_path


def sweep(folder: Path, name: str, lifestages: list[str], clusterers: list[str]) -> Path:
    """The outcomes of a sweep, as Hydra lays them out."""
    jobs = [(lifestage, clusterer) for lifestage in lifestages for clusterer in clusterers]
    for number, (lifestage, clusterer) in enumerate(jobs):
        candidate.run(
            features=folder / "features.parquet",
            names={"lifestage": lifestage, "features": "b", "scaler": "s", "reducer": "none", "clusterer": clusterer},
            overrides=[],
            scaler=StandardScaler(),
            reducer=FunctionTransformer(),
            clusterer=CLUSTERERS[clusterer],
            minimum_customers=15,
            seed=1,
            store=folder / "store",
            outcome=folder / name / str(number) / "outcome.json",
        )
    return folder / name


def run(folder: Path, outcomes: Path, output: str = "output", floor: float = 0.05) -> int:
    return study.run(
        sweep=outcomes,
        study="grid",
        question="Which?",
        hypothesis="None is better.",
        floor=floor,
        summary=folder / "summary.json",
        store=folder / "store",
        output=folder / output,
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_files_tell_every_candidate_and_every_label(folder: Path) -> None:
    failed = run(folder, sweep(folder, "sweep", ["YA", "PE"], ["kmeans", "ward"]))
    assert failed == 0
    assert sorted(bytes_of(folder / "output")) == FILES
    board = pd.read_parquet(folder / "output" / "leaderboard.parquet")
    assert {name: str(kind) for name, kind in board.dtypes.items()} == COLUMNS
    assert len(board) == 2 * (2 + 3)
    assert board.groupby("lifestage")["customer_count"].unique().map(list).to_dict() == {"PE": [40], "YA": [35]}
    labels = pd.read_parquet(folder / "output" / "labels.parquet")
    assert list(labels.columns) == ["candidate_key", "tuning_value", "customer_id", "label"]
    assert len(labels) == (35 + 40) * (2 + 3)
    assert labels.equals(labels.sort_values(["candidate_key", "tuning_value", "customer_id"]))
    sizes = labels.groupby(["candidate_key", "tuning_value"])["label"].nunique()
    told = board.set_index(["candidate_key", "tuning_value"])["n_clusters"]
    assert sizes.to_dict() == told.to_dict()
    record = read_json(folder / "output" / "candidates.json")
    assert (record["study"], record["question"], record["data_digest"]) == ("grid", "Which?", "d1")
    assert record["hypothesis"] == "None is better."
    assert [list(entry["names"]) for entry in record["candidates"]] == [sorted(NAMES)] * 4
    assert {entry["key"] for entry in record["candidates"]} == set(board["candidate_key"])


def test_the_csv_is_the_leaderboard(folder: Path) -> None:
    run(folder, sweep(folder, "sweep", ["YA"], ["kmeans", "ward"]))
    board = pd.read_parquet(folder / "output" / "leaderboard.parquet")
    csv = pd.read_csv(folder / "output" / "leaderboard.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(csv, board, check_dtype=False, rtol=1e-15)


def test_a_second_sweep_in_another_order_gives_the_same_bytes(folder: Path) -> None:
    first = sweep(folder, "first", ["YA", "PE", "OT"], ["kmeans", "ward", "broken"])
    second = sweep(folder, "second", ["OT", "PE", "YA"], ["broken", "ward", "kmeans"])
    assert {read_json(path)["status"] for path in second.rglob("outcome.json")} == {"found", "failed", "skipped"}
    run(folder, first, "one")
    run(folder, second, "two")
    assert bytes_of(folder / "one") == bytes_of(folder / "two")


def test_outcomes_that_occur_twice_count_once(folder: Path) -> None:
    first = sweep(folder, "both/first", ["YA"], ["kmeans"])
    sweep(folder, "both/second", ["YA"], ["kmeans"])
    run(folder, first, "one")
    run(folder, folder / "both", "two")
    assert bytes_of(folder / "one") == bytes_of(folder / "two")


def test_failed_and_skipped_candidates_are_told_and_the_failed_are_counted(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        failed = run(folder, sweep(folder, "sweep", ["YA", "PE", "OT"], ["kmeans", "broken"]))
    assert failed == 2
    assert "candidates: 2 finished, 2 skipped, 2 failed" in caplog.text
    assert "YA · b · s · none · broken failed: ValueError: linkage must be one of" in caplog.text
    assert "OT · b · s · none · kmeans skipped: 10 customers are too few; at least 15 are needed" in caplog.text
    entries = read_json(folder / "output" / "candidates.json")["candidates"]
    assert [(entry["names"]["lifestage"], entry["names"]["clusterer"], entry["status"]) for entry in entries] == [
        ("OT", "broken", "skipped"),
        ("OT", "kmeans", "skipped"),
        ("PE", "broken", "failed"),
        ("PE", "kmeans", "finished"),
        ("YA", "broken", "failed"),
        ("YA", "kmeans", "finished"),
    ]
    assert [bool(entry["reason"]) for entry in entries] == [True, True, True, False, True, False]


def test_a_sweep_in_which_nothing_finished_leaves_no_old_results(folder: Path) -> None:
    run(folder, sweep(folder, "good", ["YA"], ["kmeans"]))
    assert run(folder, sweep(folder, "bad", ["YA", "OT"], ["broken"])) == 1
    assert sorted(bytes_of(folder / "output")) == FILES
    board = pd.read_parquet(folder / "output" / "leaderboard.parquet")
    assert (len(board), list(board.columns)) == (0, list(COLUMNS))
    labels = pyarrow.parquet.read_table(folder / "output" / "labels.parquet")
    assert labels.num_rows == 0
    assert str(labels.schema.field("label").type) == "int64"


def test_the_best_of_every_lifestage_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder, sweep(folder, "sweep", ["YA", "PE"], ["kmeans", "ward"]))
    shown = capsys.readouterr().err
    assert "grid: best by ranking score" in shown
    board = pd.read_parquet(folder / "output" / "leaderboard.parquet")
    for lifestage in ("YA", "PE"):
        best = board[board["lifestage"] == lifestage].iloc[0]
        row = next(line for line in shown.splitlines() if lifestage in line)
        assert f"n_clusters={best['tuning_value']:g}" in row
        assert f"{best['features/ranking_score']:.3f}" in row


def test_the_floor_excludes_small_segments(folder: Path) -> None:
    outcomes = sweep(folder, "sweep", ["PE"], ["ward"])
    run(folder, outcomes, "low", floor=0.0)
    run(folder, outcomes, "high", floor=0.3)
    low, high = (pd.read_parquet(folder / name / "leaderboard.parquet") for name in ("low", "high"))
    assert low["eligible"].all()
    assert high["excluded_because"].tolist().count("a segment is smaller than 30% of the customers") >= 2


def test_a_folder_without_outcomes_is_refused(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"empty holds no outcome of any candidate; run the study first\.$"):
        run(folder, folder / "empty")


def test_a_candidate_that_vanished_from_the_store_is_named(folder: Path) -> None:
    outcomes = sweep(folder, "sweep", ["YA"], ["kmeans"])
    (folder / "store" / "candidates").rename(folder / "elsewhere")
    with pytest.raises(
        FileNotFoundError, match="is needed and missing; run the study again, it computes what is missing"
    ):
        run(folder, outcomes)
    assert not (folder / "output").exists()


def test_a_summary_of_something_else_is_refused_before_anything_is_written(folder: Path) -> None:
    write_json({"rows": 3}, folder / "summary.json")
    with pytest.raises(
        ValueError, match=r"summary\.json must hold the data_digest of the extract; run stage=extract\.$"
    ):
        run(folder, sweep(folder, "sweep", ["YA"], ["kmeans"]))
    assert not (folder / "output").exists()
