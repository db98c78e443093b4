"""The chosen partitions become labels, sizes, profiles and figures."""

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pandas as pd
import pyarrow
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.clusterers import AgglomerativePath, KMeansPath
from aisle.features import FeatureTable
from aisle.leaderboard import RANKED_BY
from aisle.partition import Partition, PartitionPath
from aisle.selection import Choice, Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages import candidate
from aisle.stages.segments import run
from aisle.storage import (
    CandidateRecord,
    CandidateStore,
    candidate_key,
    describe,
    read_arrow,
    read_json,
    write_arrow,
    write_features,
    write_frame,
    write_json,
)

RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])
OUTPUTS = ("contrasts.png", "contrasts.svg", "labels.csv", "labels.parquet", "profiles.parquet", "profiles.png")
OUTPUTS += ("profiles.svg", "sizes.csv", "habits.csv", "habits.parquet")
PARTS = {"scaler": StandardScaler(), "reducer": FunctionTransformer(), "clusterer": KMeansPath([2, 3])}


def made_features() -> FeatureTable:
    rng = np.random.default_rng(1)
    index = pd.Index([f"c{number:02d}" for number in range(60)], name="customer_id")
    cohort = pd.Series(np.where(np.arange(60) % 2, "YA", "OA"), index=index, name="cohort")
    names = ["basket_count", "spend_mean", "gap_days_mean"]
    return FeatureTable(pd.DataFrame(rng.gamma(2, 5, (60, 3)), index=index, columns=names), cohort)


FEATURES = made_features()
KEYS = {code: candidate_key(FEATURES.select(code).digest(), **PARTS, seed=1) for code in ("OA", "YA")}


def verdict(lifestage: str, key: str | None, value: float = 2.0) -> Verdict:
    tally = Tally(1, 1, 2, 2, {}, {})
    if key is None:
        return Verdict(lifestage, None, None, (f"Nothing can be chosen for {lifestage}.",), (), tally, ())
    scores = {RANKED_BY: 0.3, "balance": math.nan}
    choice = Choice("baskets", "standard", "none", "kmeans", key, "n_clusters", value, int(value), scores)
    return Verdict(lifestage, 30, choice, ("It is the best.",), (), tally, ())


def study(folder: Path, *verdicts: Verdict) -> Path:
    """Features of YA and OA, a candidate of each at k = 2 and 3 (with one customer in noise), the verdicts."""
    write_features(FEATURES, folder / "features" / "baskets.parquet")
    parts = []
    for lifestage, key in KEYS.items():
        customers = FEATURES.select(lifestage).values.index
        partitions = {}
        for k in (2, 3):
            drawn = np.append(-1, np.arange(len(customers) - 1) % k)
            partitions[k] = Partition(pd.Series(drawn, index=customers, name="label"))
            parts.append(
                pd.DataFrame({"candidate_key": key, "tuning_value": float(k), "customer_id": customers, "label": drawn})
            )
        facts = {name: describe(part) for name, part in PARTS.items()} | {"seed": 1}
        record = CandidateRecord(key, PartitionPath("n_clusters", partitions), {2: {}, 3: {}}, facts)
        CandidateStore(folder / ".aisle").write(record)
    write_frame(pd.concat(parts, ignore_index=True), folder / "grid" / "labels.parquet")
    write_json(selection_to_json(Selection("baskets", RULE, {}, verdicts)), folder / "select" / "verdicts.json")
    return folder


def segments(folder: Path, **more: Any) -> Path:
    run(
        verdicts=folder / "select" / "verdicts.json",
        labels=folder / "grid" / "labels.parquet",
        features=folder / "features",
        store=folder / ".aisle",
        output=folder / "segments",
        **{"differences": None, "previous": None, "words": {}, "extract": folder / "extract", **more},
    )
    return folder / "segments"


BOTH = (verdict("OA", KEYS["OA"], 3.0), verdict("OF", None), verdict("YA", KEYS["YA"]))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study and its segments. Only to be copied."""
    folder = study(tmp_path_factory.mktemp("made"), *BOTH)
    segments(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The segments, in ``tmp_path``, where everything they were made of is as well."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "segments"


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_every_customer_gets_the_label_of_the_chosen_tuning_value(folder: Path) -> None:
    labels = read_arrow(folder / "labels.parquet").to_pandas()
    assert labels.columns.tolist() == ["customer_id", "lifestage", "segment", "segment_name"]
    assert len(labels) == 60
    assert labels["customer_id"].is_monotonic_increasing
    assert labels.groupby("lifestage")["segment"].unique().map(sorted).to_dict() == {
        "OA": [-1, 0, 1, 2],
        "YA": [-1, 0, 1],
    }


def test_labels_and_sizes_can_be_opened_by_a_spreadsheet(folder: Path) -> None:
    labels = read_arrow(folder / "labels.parquet").to_pandas()
    pd.testing.assert_frame_equal(pd.read_csv(folder / "labels.csv"), labels, check_dtype=False)
    sizes = pd.read_csv(folder / "sizes.csv")
    counted = labels.groupby(["lifestage", "segment"]).size().tolist()
    assert sizes["customer_count"].tolist() == counted


def test_profiles_are_of_every_segment_and_feature(folder: Path) -> None:
    profiles = read_arrow(folder / "profiles.parquet").to_pandas()
    assert len(profiles) == (3 + 2) * 3
    assert profiles["segment"].min() == 0


def test_all_outputs_are_the_same_bytes_when_run_again(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    drawn = [f"figures/{code}_{name}" for code in ("OA", "YA") for name in ("planes", "silhouettes")]
    assert sorted(before) == sorted([*OUTPUTS, *(f"{name}.{kind}" for name in drawn for kind in ("png", "svg"))])
    segments(tmp_path)
    assert contents(folder) == before


def test_no_chosen_lifestage_is_one_sentence_with_the_reason(tmp_path: Path) -> None:
    study(tmp_path, verdict("OF", None))
    with pytest.raises(ValueError, match=r"verdicts\.json must choose .*; Nothing can be chosen for OF\."):
        segments(tmp_path)
    assert not (tmp_path / "segments").exists()


@pytest.mark.parametrize("wanted", [verdict("YA", "key-gone"), verdict("YA", KEYS["YA"], 7.0)])
def test_labels_without_the_chosen_candidate_are_one_sentence(tmp_path: Path, wanted: Verdict) -> None:
    study(tmp_path, wanted)
    with pytest.raises(ValueError, match=r"labels\.parquet lacks the candidate chosen for YA, .* run the study"):
        segments(tmp_path)


def test_features_of_other_customers_than_the_studys_are_one_sentence(tmp_path: Path) -> None:
    study(tmp_path, *BOTH)
    features = read_arrow(tmp_path / "features" / "baskets.parquet").to_pandas().iloc[4:]
    write_frame(features, tmp_path / "features" / "baskets.parquet")
    with pytest.raises(
        ValueError, match="OA: labels and features must be of the same customers; 2 are in one of them only"
    ):
        segments(tmp_path)


@pytest.mark.parametrize("missing", ["select/verdicts.json", "grid/labels.parquet", "features/baskets.parquet"])
def test_a_missing_file_is_one_sentence(tmp_path: Path, missing: str) -> None:
    study(tmp_path, *BOTH)
    (tmp_path / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"{missing} is needed and missing"):
        segments(tmp_path)


def test_foreign_labels_are_one_sentence(tmp_path: Path) -> None:
    study(tmp_path, *BOTH)
    write_frame(pd.DataFrame({"customer_id": ["c01"]}), tmp_path / "grid" / "labels.parquet")
    with pytest.raises(
        ValueError, match=r"labels\.parquet must hold a study's labels; it lacks \['candidate_key', 'label'"
    ):
        segments(tmp_path)


def test_the_stage_runs_as_it_is_configured(tmp_path: Path, compose: Callable[..., Any]) -> None:
    (study(tmp_path / "artifacts", verdict("YA", KEYS["YA"])) / ".aisle").rename(tmp_path / ".aisle")
    hydra.utils.call(compose("stage=segments", "study=grid", f"paths.root={tmp_path}").stage)
    assert (tmp_path / "artifacts/segments/sizes.csv").exists()


def test_where_nothing_is_to_be_segmented_the_tables_are_empty_and_the_figures_say_so(tmp_path: Path) -> None:
    none = replace(verdict("YA", None), evidence_class="do not segment")
    folder = segments(study(tmp_path, none))
    assert sorted(contents(folder)) == sorted(OUTPUTS)
    assert (folder / "figures").is_dir()
    assert (folder / "labels.csv").read_text() == "customer_id,lifestage,segment,segment_name\n"
    assert read_arrow(folder / "profiles.parquet").num_rows == 0
    assert (folder / "sizes.csv").read_text().startswith("lifestage,segment,segment_name,customer_count")


def names(folder: Path) -> dict[tuple[str, int], str]:
    sizes = pd.read_csv(folder / "sizes.csv", keep_default_na=False)
    return {(row.lifestage, row.segment): row.segment_name for row in sizes.itertuples()}


def test_names_stand_in_sizes_and_labels_and_are_unique_within_a_lifestage(folder: Path) -> None:
    named = names(folder)
    labels = pd.read_csv(folder / "labels.csv")
    assert {(row.lifestage, row.segment): row.segment_name for row in labels.itertuples()} == named
    assert named["OA", -1] == "in no segment"
    for lifestage in ("OA", "YA"):
        own = [name for (stage, _), name in named.items() if stage == lifestage]
        assert len(set(own)) == len(own)


def test_names_come_from_the_features_that_differ_on_other_baskets_where_these_are_known(tmp_path: Path) -> None:
    differences = pd.DataFrame(
        {"lifestage": ["OA"] * 2, "feature": ["basket_count", "spend_mean"], "differs": [False, True], "untested": ""}
    )
    write_frame(differences, tmp_path / "differences.parquet")
    folder = segments(study(tmp_path, *BOTH), differences=tmp_path / "differences.parquet")
    sizes = pd.read_csv(folder / "sizes.csv", keep_default_na=False)
    sources = sizes[sizes["segment"] >= 0].groupby("lifestage")["named_from"].unique().map(list).to_dict()
    assert sources == {"OA": ["honest differences"], "YA": ["strongest contrasts"]}
    honest = [name for (stage, segment), name in names(folder).items() if stage == "OA" and segment >= 0]
    assert all("spend a visit" in name or name.startswith("like the average") for name in honest)


def test_missing_differences_are_said_and_names_are_still_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = study(tmp_path, verdict("YA", KEYS["YA"]))
    folder = segments(one, differences=tmp_path / "differences.parquet")
    assert "names come from the strongest contrasts; run stage=differences before" in caplog.text
    assert all(names(folder).values())


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_ids_and_names_follow_an_earlier_segmentation(folder: Path, tmp_path: Path, suffix: str) -> None:
    labels = read_arrow(folder / "labels.parquet").to_pandas()
    inside = labels["segment"] >= 0
    labels.loc[inside, "segment"] = 7 - labels.loc[inside, "segment"]  # the ids were others then
    labels["segment_name"] = labels["lifestage"] + " " + labels["segment"].astype(str)
    earlier = tmp_path / f"earlier.{suffix}"
    labels.to_csv(earlier, index=False) if suffix == "csv" else write_frame(labels, earlier)
    segments(tmp_path, previous=earlier)
    assert read_arrow(folder / "labels.parquet").to_pandas()["segment"].tolist() == labels["segment"].tolist()
    assert names(folder)["OA", 5] == "OA 5"
    assert set(pd.read_csv(folder / "sizes.csv")["named_from"].dropna()) == {"earlier segmentation"}


def test_a_segment_that_follows_none_gets_an_id_of_its_own(folder: Path, tmp_path: Path) -> None:
    labels = read_arrow(folder / "labels.parquet").to_pandas()
    gone = (labels["lifestage"] == "OA") & (labels["segment"] == 1)
    write_frame(labels[~gone], tmp_path / "earlier.parquet")
    segments(tmp_path, previous=tmp_path / "earlier.parquet")
    found = read_arrow(folder / "labels.parquet").to_pandas()
    assert set(found.loc[gone, "segment"]) == {3}
    assert found.loc[~gone, "segment"].tolist() == labels.loc[~gone, "segment"].tolist()


def test_other_words_can_be_configured(tmp_path: Path) -> None:
    words = {name: [name, "много", "мало"] for name in ("basket_count", "spend_mean", "gap_days_mean")}
    named = names(segments(study(tmp_path, verdict("OA", KEYS["OA"], 3.0)), words=words))
    assert {"много", "мало"} & {word for name in named.values() for word in name.split(", ")}
    with pytest.raises(
        ValueError, match=r"stage\.words must give a feature \[topic, high, low\]; basket_count has 'x'"
    ):
        segments(tmp_path, words={"basket_count": "x"})


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"customer_id": ["c00"], "lifestage": ["OA"]}, r"it lacks \['segment'\]"),
        ({"customer_id": ["c00", "c00"], "lifestage": ["OA", "OA"], "segment": [0, 1]}, "some have more"),
        ({"customer_id": ["x"], "lifestage": ["OA"], "segment": [0]}, "No customer is in a segment of the earlier"),
    ],
)
def test_an_earlier_segmentation_that_cannot_be_followed_is_one_sentence(
    tmp_path: Path, rows: dict[str, list[Any]], told: str
) -> None:
    write_frame(pd.DataFrame(rows), tmp_path / "earlier.parquet")
    with pytest.raises(ValueError, match=told):
        segments(study(tmp_path, *BOTH), previous=tmp_path / "earlier.parquet")


def test_habits_are_those_of_the_extract_and_nothing_is_said_without_one(folder: Path, tmp_path: Path) -> None:
    assert len(pd.read_csv(folder / "habits.csv")) == 0
    customers = [f"c{number:02d}" for number in range(60)]
    moments = pd.Timestamp("2026-01-05 09:10") + pd.to_timedelta(np.arange(60), unit="h")
    baskets = pd.DataFrame({"customer_id": customers, "shopped_at": moments, "store_format": None})
    write_frame(baskets, tmp_path / "extract" / "basket_extract.parquet")
    segments(tmp_path)
    assert set(pd.read_csv(folder / "habits.csv")["habit"]) == {"weekday", "hour"}
    money = pyarrow.array([Decimal("1.10")] * 60, pyarrow.decimal128(12, 2))
    group = pyarrow.table({"customer_id": customers, "product_group": ["молоко"] * 60, "spend": money})
    write_arrow(group, tmp_path / "extract" / "group_spend.parquet")
    segments(tmp_path)
    found = pd.read_csv(folder / "habits.csv")
    assert (found.loc[found["value"] == "молоко", "index"] == 100).all()


def test_a_chosen_tree_is_drawn_with_its_cut_and_an_earlier_segmentation_with_who_moved(tmp_path: Path) -> None:
    study(tmp_path, *BOTH)
    names = {"lifestage": "OA", "features": "baskets", "scaler": "standard", "reducer": "none", "clusterer": "ward"}
    candidate.run(
        features=tmp_path / "features" / "baskets.parquet",
        names=names,
        overrides=[],
        **{**PARTS, "clusterer": AgglomerativePath("ward", "euclidean", [2, 3])},
        minimum_customers=5,
        seed=1,
        store=tmp_path / ".aisle",
        outcome=tmp_path / "outcome.json",
    )
    key = read_json(tmp_path / "outcome.json")["key"]
    labels = CandidateStore(tmp_path / ".aisle").read(key).path.partitions[3].labels
    rows = pd.DataFrame({"candidate_key": key, "tuning_value": 3.0, "customer_id": labels.index, "label": labels})
    write_frame(rows, tmp_path / "grid" / "labels.parquet")
    chosen = Selection("baskets", RULE, {}, (verdict("OA", key, 3.0),))
    write_json(selection_to_json(chosen), tmp_path / "select" / "verdicts.json")
    write_frame(rows.assign(lifestage="OA", segment=5 - rows["label"]), tmp_path / "earlier.parquet")
    figures = segments(tmp_path, previous=tmp_path / "earlier.parquet") / "figures"
    drawn = {path.stem for path in figures.iterdir()}
    assert drawn == {f"OA_{name}" for name in ("migration", "planes", "silhouettes", "tree")}
    assert "cut into 3" in (figures / "OA_tree.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda root: shutil.rmtree(root / ".aisle"), "is needed and missing; run the study again"),
        (
            lambda root: write_features(
                FeatureTable(FEATURES.values + 1, FEATURES.cohort), root / "features" / "baskets.parquet"
            ),
            "OA: candidate .* was computed from other features or by other code than there are now; run the study",
        ),
    ],
)
def test_a_chosen_candidate_that_cannot_be_computed_with_again_is_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    spoil(study(tmp_path, *BOTH))
    with pytest.raises((FileNotFoundError, ValueError), match=sentence):
        segments(tmp_path)
    assert not (tmp_path / "segments").exists()
