"""A segmentation made elsewhere is judged, lifestage by lifestage, and what cannot be is said in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pandas as pd
import pytest
from omegaconf import DictConfig
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from aisle.clusterers import AgglomerativePath, KMeansPath
from aisle.evidence import Effort, Thresholds
from aisle.features import FeatureTable
from aisle.stages.judge import run
from aisle.storage import read_arrow, read_json, write_features

Planted = Callable[..., tuple[FeatureTable, "pd.Series[int]"]]
Compose = Callable[..., DictConfig]

NAMES = np.array(["Loyal", "rare, but large", "7"])
TABLES = ("measures", "segments", "gaps")


@pytest.fixture(scope="module")
def shop(planted: Planted) -> tuple[FeatureTable, pd.DataFrame]:
    """Three planted segments, in the lifestages YA and PE and, of few customers, OT; their names by customer."""
    features, truth = planted((110, 100, 90), separation=6, seed=5)
    cohort = features.cohort.where(np.arange(300) % 3 > 0, "PE").mask(np.arange(300) < 12, "OT")
    labels = pd.DataFrame({"customer_id": features.values.index, "segment": NAMES[truth]})
    return FeatureTable(features.values, cohort), labels.sample(frac=1, random_state=0)


@pytest.fixture
def folder(tmp_path: Path, shop: tuple[FeatureTable, pd.DataFrame]) -> Path:
    features, labels = shop
    write_features(features, tmp_path / "artifacts" / "features" / "baskets.parquet")
    labels.to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def judge(folder: Path, **changed: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "labels": folder / "labels.csv",
        "features": folder / "artifacts" / "features" / "baskets.parquet",
        "lifestages": None,
        "common": False,
        "stand_ins": {"kmeans": KMeansPath([2], n_init=3), "ward": AgglomerativePath("ward", "euclidean", [2])},
        "scaler": StandardScaler(),
        "reducer": FunctionTransformer(),
        "minimum_customers": 40,
        "floor": 0.05,
        "effort": Effort(splits=4, screening=1, finalists=1, null_draws=24),
        "thresholds": Thresholds(),
        "workers": 1,
        "seed": 1,
        "store": folder / ".aisle",
        "output": folder / "artifacts" / "judge",
    }
    run(**{**arguments, **changed})
    return read_json(folder / "artifacts" / "judge" / "judgement.json")


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {name: read_arrow(folder / "artifacts" / "judge" / f"{name}.parquet").to_pandas() for name in TABLES}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "artifacts" / "judge").rglob("*.*")}


def test_each_lifestage_is_judged_and_all_together_and_the_rest_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        told = judge(folder)
    assert {name: found["class"] for name, found in told["lifestages"].items()} == {
        "PE": "separated",
        "YA": "separated",
        "all": "separated",
    }
    assert told["not_judged"] == {"OT": "12 customers are too few for halves of 3 segments; 40 are needed"}
    assert "OT: not judged: 12 customers" in caplog.text
    assert "without the method that made them" in told["note"]
    assert told["note"] in caplog.text
    shown = capsys.readouterr().err
    for words in ("Are these segments real?", ">=.85", "PE  separated", "rare, but large", "all"):
        assert words in shown
    found = tables(folder)
    assert found["measures"].groupby("lifestage")["best"].agg(list).to_dict() == {
        name: [True, False] for name in ("PE", "YA", "all")
    }
    assert set(found["segments"]["name"]) == set(found["gaps"]["name"]) == set(NAMES)
    everybody = found["segments"].query("lifestage == 'all' and stand_in == 'kmeans'")
    assert everybody.set_index("name")["customer_count"].to_dict() == dict(zip(NAMES, (110, 100, 90), strict=True))
    for name in ("measures", "segments"):
        assert len(pd.read_csv(folder / "artifacts" / "judge" / f"{name}.csv")) == len(found[name])


def test_every_measure_is_written_beside_what_is_asked(folder: Path) -> None:
    found = judge(folder, lifestages=["YA"])["lifestages"]["YA"]["findings"]
    assert [(one["measure"], one["asked"]) for one in found] == [
        ("valley_p", "< 0.05"),
        ("null_p", "< 0.05"),
        ("jaccard_worst", ">= 0.85"),
        ("strength", ">= 0.8"),
        ("replication", "> 0.7"),
        ("jaccard_worst", ">= 0.75"),
        ("jaccard_mean", ">= 0.6"),
    ]
    assert all(one["met"] for one in found)


def test_results_do_not_depend_on_workers_nor_on_the_order_of_the_file(folder: Path) -> None:
    judge(folder, lifestages=["PE"])
    before = contents(folder)
    assert {"judgement.json", "measures.csv", "PE_valleys.png"} <= set(before)
    pd.read_csv(folder / "labels.csv").sort_values("segment").to_csv(folder / "labels.csv", index=False)
    judge(folder, lifestages=["PE"], workers=2, store=folder / "another")
    assert contents(folder) == before


def test_what_was_judged_is_found_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(folder, lifestages=["PE"])
    before = tables(folder)
    with monkeypatch.context() as patched:
        patched.setattr("aisle.stages.judge.judge", None)
        judge(folder, lifestages=["PE"])
        with pytest.raises(TypeError):  # other thresholds, other stand-ins: that is another judgement
            judge(folder, lifestages=["PE"], thresholds=Thresholds(separated=0.9))
        with pytest.raises(TypeError):
            judge(folder, lifestages=["PE"], stand_ins={"kmeans": KMeansPath([2], n_init=4)})
    for name, frame in tables(folder).items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_random_labelling_is_no_segmentation_and_the_sentences_say_why(folder: Path) -> None:
    labels = pd.read_csv(folder / "labels.csv")
    labels["segment"] = np.random.default_rng(1).permutation(labels["segment"])
    labels.to_csv(folder / "labels.csv", index=False)
    found = judge(folder, lifestages=["YA"])["lifestages"]["YA"]
    told = " ".join(found["sentences"])
    assert found["class"] == "do not segment"
    assert told.startswith("Do not segment so: by these features no stand-in finds the 3 segments again")
    assert "No gap is seen at any segment; " in told
    assert "worst Jaccard coefficient" in told
    assert "(everybody in the largest: " in told


def test_noise_and_small_segments_are_told(folder: Path) -> None:
    labels = pd.read_csv(folder / "labels.csv").sort_values("customer_id").set_index("customer_id")
    features = read_arrow(folder / "artifacts/features/baskets.parquet").to_pandas().set_index("customer_id")
    young = features.index[features["cohort"] == "YA"]
    labels.loc[young[:20], "segment"] = ""
    labels.loc[young[20:24], "segment"] = "odd"
    labels.to_csv(folder / "labels.csv")
    told = " ".join(judge(folder, lifestages=["YA"])["lifestages"]["YA"]["sentences"])
    assert "% of the customers are in a segment; the others are noise and count 0 in the ranking score." in told
    assert "'odd' holds less than 5% of the customers: a study would choose no such segment." in told


def test_a_rule_is_called_so(
    folder: Path, shop: tuple[FeatureTable, pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    features, labels = shop
    level = np.arange(300) % 4 == 0
    values = features.values.assign(owns_card=level.astype("float64"))
    write_features(FeatureTable(values, features.cohort), folder / "artifacts" / "features" / "baskets.parquet")
    owners = labels.set_index("customer_id").loc[values.index].assign(segment=np.where(level, "owners", "others"))
    owners.to_csv(folder / "labels.csv")
    found = judge(folder, lifestages=["YA"])["lifestages"]["YA"]
    assert found["rule"] == "owns_card"
    assert found["sentences"][0] == (
        "The labels only repeat owns_card: that is a rule which needs no clustering, not segments."
    )
    assert "YA a rule" in capsys.readouterr().err


def test_few_resamples_cannot_award_the_first_class(folder: Path) -> None:
    told = judge(folder, lifestages=["YA"], thresholds=Thresholds(first_class=False))["lifestages"]["YA"]
    assert told["class"] == "reproducible"
    assert "so few resamples cannot award a better class" in told["sentences"][0]


def test_only_one_lifestage_is_judged_once(folder: Path, shop: tuple[FeatureTable, pd.DataFrame]) -> None:
    features, labels = shop
    old = features.cohort.index[features.cohort == "PE"]
    labels[labels["customer_id"].isin(old)].to_csv(folder / "labels.csv", index=False)
    assert set(judge(folder)["lifestages"]) == {"PE"}


@pytest.mark.parametrize(
    ("changed", "error", "sentence"),
    [
        ({"labels": None}, ValueError, r"stage=judge needs labels=FILE, a CSV file with the columns customer_id and"),
        ({"labels": "nowhere.csv"}, FileNotFoundError, r"nowhere\.csv is not there"),
        ({"features": "nowhere.parquet"}, FileNotFoundError, r"nowhere\.parquet is needed and missing"),
        (
            {"lifestages": ["XY"]},
            ValueError,
            r"Lifestage 'XY' is unknown; the features have \['OT', 'PE', 'YA', 'all'\]",
        ),
        ({"lifestages": ["OT"]}, ValueError, r"nothing that could be judged: OT: 12 customers are too few .*; 40 are"),
        (
            {"minimum_customers": 999},
            ValueError,
            r"nothing that could be judged: OT: .*; PE: .*; YA: .*; all: 300 cust",
        ),
        ({"stand_ins": {}}, ValueError, r"At least one stand-in is needed"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(
    folder: Path, changed: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        judge(folder, **changed)
    assert not (folder / "artifacts" / "judge").exists()


def test_a_lifestage_in_one_segment_is_not_judged(folder: Path, shop: tuple[FeatureTable, pd.DataFrame]) -> None:
    features, labels = shop
    old = features.cohort.index[features.cohort == "PE"]
    one = labels.assign(segment=labels["segment"].mask(labels["customer_id"].isin(old), "old"))
    one.to_csv(folder / "labels.csv", index=False)
    with pytest.raises(ValueError, match="PE: 96 customers, but all are in 'old'; two segments are needed"):
        judge(folder, lifestages=["PE"])


@pytest.mark.parametrize("key", ["labels", "stage.labels"])
def test_the_stage_runs_as_it_is_configured(folder: Path, compose: Compose, key: str) -> None:
    given = (f"{key}={folder}/labels.csv", "stage.lifestages=[PE]", f"paths.root={folder}", "stage.workers=1")
    hydra.utils.call(compose("stage=judge", "evidence=quick", *given).stage)
    told = read_json(folder / "artifacts" / "judge" / "judgement.json")
    assert told["lifestages"]["PE"]["class"] == "reproducible"
    assert set(tables(folder)["measures"]["stand_in"]) == {"kmeans", "ward"}


def test_stand_ins_are_options_of_the_role_clusterer(compose: Compose) -> None:
    swapped = ("clusterer@stage.stand_ins.ward=gaussian_mixture", "+clusterer@stage.stand_ins.tree=average_euclidean")
    made = hydra.utils.instantiate(compose("stage=judge", *swapped).stage.stand_ins, _convert_="all")
    assert {name: type(one).__name__ for name, one in made.items()} == {
        "kmeans": "KMeansPath",
        "ward": "MixturePath",
        "tree": "AgglomerativePath",
    }
