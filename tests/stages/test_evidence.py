"""A study's candidates become dossiers: computed once, read again, the same however the work is spread."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer, RobustScaler, StandardScaler

from aisle.clusterers import AgglomerativePath, HDBSCANPath, KMeansPath
from aisle.evidence import MEASURES, REPORTED, Effort, Thresholds
from aisle.features import FeatureTable
from aisle.stages import candidate, evidence, study
from aisle.storage import read_features, write_features, write_frame, write_json

CLUSTERERS = {
    "kmeans": KMeansPath([2, 3], n_init=3),
    "ward": AgglomerativePath("ward", "euclidean", [2, 3]),
    "agglomerative linkage=ward metric=euclidean": AgglomerativePath("ward", "euclidean", [2, 3]),
    "hdbscan": HDBSCANPath([0.9, 0.95]),
    "many": KMeansPath([2, 9], n_init=2),
}
SCALERS = {"standard": StandardScaler(), "robust": RobustScaler()}
EFFORT = Effort(splits=4, screening=2, finalists=2, null_draws=19)
FILES = ["declared.json", "gaps.parquet", "measures.csv", "measures.parquet", "segments.parquet"]


@pytest.fixture(scope="module")
def shop(planted: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two lifestages with its evidence, three planted segments and two, and a lifestage of 18 customers."""
    folder = tmp_path_factory.mktemp("shop")
    tables = [planted(sizes, separation=8, seed=60 + len(sizes))[0] for sizes in ((50, 40, 30), (60, 40), (18,))]
    values = pd.concat([table.values.rename(index=lambda name, n=n: f"{n}{name}") for n, table in enumerate(tables)])
    cohort = pd.Series(["YA"] * 120 + ["PE"] * 100 + ["OT"] * 18, index=values.index)
    write_features(FeatureTable(values, cohort), folder / "features" / "mix.parquet")
    write_json({"data_digest": "d1"}, folder / "summary.json")
    jobs = [(lifestage, "standard", name) for lifestage in ("YA", "PE") for name in ("kmeans", "ward")]
    fit(folder, "grid", jobs)
    run(folder)
    return folder


@pytest.fixture
def folder(shop: Path, tmp_path: Path) -> Path:
    """The shop, to be changed."""
    return Path(shutil.copytree(shop, tmp_path / "shop"))


def fit(folder: Path, name: str, jobs: list[tuple[str, str, str]], block: str = "mix") -> None:
    """A study: its candidates (lifestage, scaler, clusterer), and their leaderboard."""
    for number, (lifestage, scaler, clusterer) in enumerate(jobs):
        names = {"lifestage": lifestage, "features": block, "scaler": scaler, "reducer": "none", "clusterer": clusterer}
        candidate.run(
            features=folder / "features" / f"{block}.parquet",
            names=names,
            overrides=[],
            scaler=SCALERS[scaler],
            reducer=FunctionTransformer(),
            clusterer=CLUSTERERS[clusterer],
            minimum_customers=5,
            seed=1,
            store=folder / "store",
            outcome=folder / "sweep" / name / block / str(number) / "outcome.json",
        )
    study.run(
        sweep=folder / "sweep" / name,
        study=name,
        question="Which?",
        hypothesis="",
        floor=0.05,
        summary=folder / "summary.json",
        store=folder / "store",
        output=folder / name,
    )


def run(folder: Path, name: str = "grid", output: str = "evidence", **changes: Any) -> pd.DataFrame:
    given: dict[str, Any] = {
        "leaderboard": folder / name / "leaderboard.parquet",
        "features": folder / "features",
        "block": None,
        "floor": 0.05,
        "effort": EFFORT,
        "thresholds": Thresholds(null_p=0.051),
        "workers": 1,
        "seed": 1,
        "store": folder / "store",
        "output": folder / output,
    }
    evidence.run(**{**given, **changes})
    return pd.read_parquet(folder / output / "measures.parquet")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("a dossier that is stored was computed again")

    monkeypatch.setattr(evidence, "examine", refused)


def test_every_candidate_and_every_segment_of_every_lifestage_is_told(shop: Path) -> None:
    folder, found = shop, pd.read_parquet(shop / "evidence" / "measures.parquet")
    assert sorted(bytes_of(folder / "evidence")) == FILES
    names = ["lifestage", "features", "scaler", "reducer", "clusterer", "candidate_key", "tuning_value"]
    assert list(found.columns) == [*names, *MEASURES, *REPORTED, "class", "eligible", "stage", "category", "failure"]
    board = pd.read_parquet(folder / "grid" / "leaderboard.parquet")
    both = found.merge(board, on=["lifestage", "clusterer", "candidate_key", "tuning_value"], suffixes=("", "_ranked"))
    assert len(both) == len(found) == len(board) == 8
    assert both["ranking_score"].to_list() == pytest.approx(both["features/ranking_score"].to_list())
    assert both["eligible"].equals(both["eligible_ranked"])
    classes = found.set_index(["lifestage", "clusterer", "n_clusters"])["class"]
    assert (classes.xs(3, level="n_clusters")["YA"] == "separated").all()
    assert (classes.xs(2, level="n_clusters")["PE"] == "separated").all()
    segments = pd.read_parquet(folder / "evidence" / "segments.parquet")
    sizes = segments.groupby(["lifestage", "clusterer", "tuning_value"])["customer_count"].sum()
    assert sizes["YA"].eq(120).all()
    assert sizes["PE"].eq(100).all()
    assert len(segments) == found["n_clusters"].sum()
    csv = pd.read_csv(folder / "evidence" / "measures.csv", keep_default_na=False, na_values=[""])
    assert csv["null_p"].to_list() == found["null_p"].to_list()


def test_a_second_run_reads_the_dossiers_to_the_same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_is_computed(monkeypatch)
    run(folder, output="again")
    assert bytes_of(folder / "again") == bytes_of(folder / "evidence")
    with pytest.raises(AssertionError, match="computed again"):
        run(folder, seed=2)


def test_two_processes_give_the_bytes_of_one(folder: Path) -> None:
    shutil.rmtree(folder / "store" / "evidence")
    run(folder, output="spread", workers=2)
    assert bytes_of(folder / "spread") == bytes_of(folder / "evidence")


def test_full_evidence_reports_of_finalists_and_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = replace(EFFORT, finalists=1, bootstraps=4)
    found = run(folder, output="full", effort=full)
    examined = found["stage"] == "examined"
    assert set(found.loc[examined, "bootstraps"]) == {4}
    assert found.loc[examined, list(REPORTED)].notna().to_numpy().all()
    assert found.loc[~examined, list(REPORTED[:-2])].isna().to_numpy().all()
    segments = pd.read_parquet(folder / "full" / "segments.parquet")
    assert segments["bootstrap_jaccard"].notna().sum() == found.loc[examined, "n_clusters"].sum()
    nothing_is_computed(monkeypatch)
    run(folder, output="again", effort=full)
    assert bytes_of(folder / "again") == bytes_of(folder / "full")


def test_an_interrupted_run_goes_on_after_the_lifestages_that_were_finished(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(folder / "store" / "evidence")
    examined: list[str] = []
    examine = evidence.examine

    def interrupted(features: FeatureTable, *given: Any, **named: Any) -> Any:
        if examined:
            raise KeyboardInterrupt
        examined.append(features.cohort.iloc[0])
        return examine(features, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(evidence, "examine", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(folder, output="again")
    assert not (folder / "again").exists()

    def counted(features: FeatureTable, *given: Any, **named: Any) -> Any:
        examined.append(features.cohort.iloc[0])
        return examine(features, *given, **named)

    monkeypatch.setattr(evidence, "examine", counted)
    run(folder, output="again")
    assert examined == ["PE", "YA"]
    assert bytes_of(folder / "again") == bytes_of(folder / "evidence")


def test_a_damaged_dossier_is_computed_again_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (folder / "store" / "evidence").rglob("measures.parquet"):
        path.write_bytes(b"")
    run(folder, output="again")
    assert bytes_of(folder / "again") == bytes_of(folder / "evidence")
    nothing_is_computed(monkeypatch)
    run(folder, output="third")


def test_of_several_feature_blocks_one_is_to_be_named(folder: Path) -> None:
    shutil.copy(folder / "features" / "mix.parquet", folder / "features" / "rfm.parquet")
    fit(folder, "grid", [("PE", "standard", "kmeans")], block="rfm")
    path = folder / "grid" / "leaderboard.parquet"
    for block in (None, "baskets"):
        message = f"^stage.block must be a feature block of {path}, one of \\['mix', 'rfm'\\]; got {block!r}\\.$"
        with pytest.raises(ValueError, match=message):
            run(folder, block=block)
    found = run(folder, block="rfm")
    assert set(found["features"]) == {"rfm"}
    assert set(found["lifestage"]) == {"PE"}


def test_a_candidate_of_two_names_is_examined_once_under_the_first(folder: Path) -> None:
    twice = "agglomerative linkage=ward metric=euclidean"
    fit(folder, "grid", [("PE", "standard", "ward"), ("PE", "standard", twice), ("PE", "standard", "kmeans")])
    board = pd.read_parquet(folder / "grid" / "leaderboard.parquet")
    assert board.query("lifestage == 'PE'")["candidate_key"].nunique() == 2
    found = run(folder).query("lifestage == 'PE'")
    assert sorted(zip(found["clusterer"], found["tuning_value"], strict=True)) == [
        (name, value) for name in (twice, "kmeans") for value in (2.0, 3.0)
    ]


def test_every_scaler_passes_the_checks_of_its_library_on_halves_and_draws(folder: Path) -> None:
    fit(folder, "robust", [("PE", "robust", "kmeans")])
    found = run(folder, "robust")
    assert found[["failed_splits", "failed_draws"]].to_numpy().max() == 0
    assert found.query("n_clusters == 2")["class"].tolist() == ["separated"]


def test_a_lifestage_where_everybody_is_noise_is_told_without_segments(folder: Path) -> None:
    fit(folder, "noise", [("YA", "standard", "hdbscan")])
    found = run(folder, "noise")
    assert found["n_clusters"].tolist() == [0, 0]
    assert set(found["class"]) == {"do not segment"}
    assert set(found["stage"]) == {"screened"}
    for name in ("segments", "gaps"):
        parts = pd.read_parquet(folder / "evidence" / f"{name}.parquet")
        assert (len(parts), list(parts.columns)[:6]) == (0, list(found.columns)[:6])


def test_too_few_customers_for_halves_are_told_what_was_needed_and_done(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fit(folder, "few", [("OT", "standard", "many"), ("OT", "standard", "kmeans")])
    with caplog.at_level(logging.INFO):
        found = run(folder, "few")
    assert [record.getMessage() for record in caplog.records if record.name == "aisle.stages.evidence"] == [
        "OT: 1 of 2 candidates examined",
        "OT: many (standard, none) failed on 2 of 2 splits into halves and 0 null draws, which count against it: "
        "ValueError: At least 10 customers are needed for these tuning values; got 9. "
        "Without a split nothing speaks for it: do not segment.",
    ]
    many, kmeans = (found[found["clusterer"] == name] for name in ("many", "kmeans"))
    assert set(many["class"]) == {"do not segment"}
    assert (many["jaccard_worst"] == 0).all()
    assert kmeans["splits"].tolist() == [4, 4]
    assert (kmeans["failure"] == "").all()


def test_an_empty_leaderboard_is_refused(folder: Path) -> None:
    path = folder / "grid" / "leaderboard.parquet"
    write_frame(pd.read_parquet(path).iloc[:0], path)
    with pytest.raises(ValueError, match=f"^{path} must hold at least one candidate; it is empty: run the study first"):
        run(folder)


def test_a_file_that_is_no_leaderboard_is_refused(folder: Path) -> None:
    path = folder / "grid" / "leaderboard.parquet"
    write_frame(pd.DataFrame({"features": ["mix"], "lifestage": ["YA"]}), path)
    with pytest.raises(ValueError, match=f"^{path} must be a study's leaderboard; it lacks \\['candidate_key', "):
        run(folder)


def test_candidates_of_other_features_are_refused(folder: Path) -> None:
    table = read_features(folder / "features" / "mix.parquet")
    write_features(FeatureTable(table.values * 1.5, table.cohort), folder / "features" / "mix.parquet")
    message = r"^PE: candidate [0-9a-f]{32} was computed from other features or by other code than there are now; run"
    with pytest.raises(ValueError, match=message):
        run(folder)


@pytest.mark.parametrize("workers", [0, -1, 1.5, "two"])
def test_a_number_of_workers_below_one_is_refused(folder: Path, workers: Any) -> None:
    message = rf"^stage\.workers must be at least 1, or null for as many as there are cores; got {workers!r}\.$"
    with pytest.raises(ValueError, match=message):
        run(folder, workers=workers)


def test_the_best_partition_that_may_be_chosen_is_shown(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """At a floor of 30 % the three segments of YA are too small, although their score is the highest."""
    found = run(folder, floor=0.3, effort=Effort(4, 2, 1, 19))
    shown = [line.split() for line in capfd.readouterr().err.splitlines()]
    rows = {words[0]: words[1:] for words in shown if words and words[0] in ("PE", "YA")}
    examined = found[(found["stage"] == "examined") & (found["n_clusters"] == 2)].set_index("lifestage")
    assert found.loc[found["ranking_score"].idxmax(), ["lifestage", "n_clusters"]].tolist() == ["YA", 3]
    assert rows.keys() == {*examined.index} == {"PE", "YA"}
    for lifestage, row in examined.iterrows():
        told = [row["clusterer"], row["reducer"], "2", f"{row['ranking_score']:.2f}", f"{row['null_p']:.2f}"]
        assert rows[lifestage][:5] == told
        assert " ".join(rows[lifestage][9:]) == row["class"]
