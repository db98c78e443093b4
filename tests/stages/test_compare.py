"""The segments of all lifestages beside each other, also where a lifestage has one segment or none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pandas as pd
import pytest

from aisle.features import FeatureTable
from aisle.selection import Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages.compare import run
from aisle.storage import read_arrow, read_json, write_features, write_frame, write_json

RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])
SEGMENTS = {"OA": 2, "PE": 1, "YA": 3, "YF": 0}


def study(folder: Path, counts: dict[str, int] = SEGMENTS) -> Path:
    """Features and labels of these lifestages, ``counts`` segments in each (0: all are noise); OF has no verdict."""
    rng = np.random.default_rng(1)
    index = pd.Index([f"c{number:03d}" for number in range(30 * len(counts))], name="customer_id")
    cohort = pd.Series(np.array(list(counts))[np.arange(len(index)) % len(counts)], index=index, name="cohort")
    names = [f"feature_{number}" for number in range(6)]
    values = pd.DataFrame(rng.gamma(2, 5, (len(index), 6)), index=index, columns=names)
    write_features(FeatureTable(values, cohort), folder / "features" / "baskets.parquet")
    drawn = [number // len(counts) % counts[stage] if counts[stage] else -1 for number, stage in enumerate(cohort)]
    labels = pd.DataFrame({"customer_id": index, "lifestage": cohort.to_numpy(), "segment": drawn})
    write_frame(labels, folder / "segments" / "labels.parquet")
    none = Verdict("OF", None, None, ("Nothing can be chosen for OF.",), (), Tally(1, 1, 0, 0, {}, {}), ())
    write_json(selection_to_json(Selection("baskets", RULE, {}, (none,))), folder / "select" / "verdicts.json")
    return folder


def compare(folder: Path) -> dict[str, Any]:
    run(
        verdicts=folder / "select" / "verdicts.json",
        labels=folder / "segments" / "labels.parquet",
        features=folder / "features",
        draws=20,
        permutations=19,
        seed=1,
        output=folder / "compare",
    )
    return read_json(folder / "compare" / "summary.json")


def test_every_pair_of_segments_is_written_on_both_scales(tmp_path: Path) -> None:
    summary = compare(study(tmp_path))
    pairs = read_arrow(tmp_path / "compare" / "correlations.parquet").to_pandas()
    assert pairs.groupby("scale").size().to_dict() == {"common": 15, "lifestage": 15}
    assert sorted(summary["order"]) == ["OA 0", "OA 1", "PE 0", "YA 0", "YA 1", "YA 2"]
    assert set(summary["nearest"]["common"]) == set(summary["order"])


def test_lifestages_with_one_segment_or_none_are_told_and_break_nothing(tmp_path: Path) -> None:
    summary = compare(study(tmp_path))
    told = " ".join(summary["notes"])
    assert "PE: the only segment is the whole lifestage" in told
    assert "YF: nobody is in a segment" in told
    assert summary["segments"] == {"OA": 2, "PE": 1, "YA": 3}
    assert summary["without_segments"] == {"OF": "Nothing can be chosen for OF."}


@pytest.mark.parametrize("counts", [{"YA": 0}, {"YA": 1}, {"YA": 2}])
def test_a_single_lifestage_is_compared_with_nobody(tmp_path: Path, counts: dict[str, int]) -> None:
    summary = compare(study(tmp_path, counts))
    assert summary["nearest"] == {"common": {}, "lifestage": {}}
    assert (tmp_path / "compare" / "heatmap.svg").exists()


def test_all_outputs_are_the_same_bytes_when_run_again(tmp_path: Path) -> None:
    compare(study(tmp_path))
    before = {path.name: path.read_bytes() for path in (tmp_path / "compare").iterdir()}
    assert sorted(before) == sorted(
        f"{name}.{suffix}"
        for name, suffix in (
            ("agreement", "csv"),
            ("correlations", "parquet"),
            ("heatmap", "png"),
            ("heatmap", "svg"),
            ("matches", "csv"),
            ("summary", "json"),
            ("variance", "csv"),
        )
    )
    compare(tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "compare").iterdir()} == before


@pytest.mark.parametrize("missing", ["select/verdicts.json", "segments/labels.parquet", "features/baskets.parquet"])
def test_a_missing_file_is_one_sentence(tmp_path: Path, missing: str) -> None:
    study(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"{missing} is needed and missing"):
        compare(tmp_path)


def test_foreign_labels_are_one_sentence(tmp_path: Path) -> None:
    study(tmp_path)
    write_frame(pd.DataFrame({"customer_id": ["c001"], "lifestage": ["YA"]}), tmp_path / "segments" / "labels.parquet")
    with pytest.raises(ValueError, match=r"must hold the labels that stage=segments writes; it lacks \['segment'\]"):
        compare(tmp_path)


def test_labels_of_customers_without_features_are_one_sentence(tmp_path: Path) -> None:
    study(tmp_path)
    labels = pd.DataFrame({"customer_id": ["somebody"], "lifestage": ["YA"], "segment": [0]})
    write_frame(labels, tmp_path / "segments" / "labels.parquet")
    with pytest.raises(ValueError, match="1 labels of customers without features; run stage=segments again"):
        compare(tmp_path)


def test_the_stage_runs_as_it_is_configured(tmp_path: Path, compose: Callable[..., Any]) -> None:
    study(tmp_path / "artifacts")
    hydra.utils.call(compose("stage=compare", f"paths.root={tmp_path}").stage)
    assert (tmp_path / "artifacts/compare/summary.json").exists()


def test_nothing_chosen_anywhere_is_a_summary_that_says_so(tmp_path: Path) -> None:
    study(tmp_path)
    empty = read_arrow(tmp_path / "segments" / "labels.parquet").to_pandas().head(0)
    write_frame(empty, tmp_path / "segments" / "labels.parquet")
    summary = compare(tmp_path)
    assert summary["answer"]["word"] == "cannot be compared"
    assert summary["kinds"] == []
    assert pd.read_csv(tmp_path / "compare" / "variance.csv").empty
    assert pd.read_csv(tmp_path / "compare" / "matches.csv").empty


def test_the_summary_answers_in_words_with_an_effect_size_and_the_names_of_the_kinds(tmp_path: Path) -> None:
    study(tmp_path)
    labels = read_arrow(tmp_path / "segments" / "labels.parquet").to_pandas()
    write_frame(labels.assign(segment_name="малые покупки"), tmp_path / "segments" / "labels.parquet")
    summary = compare(tmp_path)
    assert summary["answer"]["sentence"].startswith("Lifestages behave alike: lifestage explains")
    assert summary["answer"]["effect"] == summary["variance"]["beyond_chance"]
    assert sorted(name for kind in summary["kinds"] for name in kind) == sorted(
        f"{segment} малые покупки" for segment in summary["order"]
    )
