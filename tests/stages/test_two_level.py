"""From the segments of everybody to features inside each; from verdicts on both levels to segments of two levels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pandas as pd
import pytest

from aisle.features import FeatureTable
from aisle.leaderboard import RANKED_BY
from aisle.selection import Choice, Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages import two_level, within
from aisle.storage import read_arrow, read_features, read_json, write_features, write_frame, write_json

RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])
INDEX = pd.Index([f"c{number:02d}" for number in range(40)], name="customer_id")
FIRST = np.where(np.arange(40) < 25, 0, 1)
SECOND = np.arange(25) % 2


def verdict(lifestage: str, key: str | None, evidence_class: str) -> Verdict:
    choice = None
    if key:
        scores = {RANKED_BY: 0.3}
        choice = Choice("b", "standard", "none", "kmeans", key, "n_clusters", 2.0, 2, scores, evidence_class)
    return Verdict(lifestage, 40, choice, ("Because.",), (), Tally(1, 1, 1, 1, {}, {}), (), evidence_class)


def labels(key: str, customers: pd.Index, numbers: Any) -> pd.DataFrame:
    return pd.DataFrame({"candidate_key": key, "tuning_value": 2.0, "customer_id": customers, "label": numbers})


def selected(folder: Path, block: str, *verdicts: Verdict) -> None:
    write_json(selection_to_json(Selection(block, RULE, {}, verdicts)), folder / "select" / "verdicts.json")


def studies(root: Path) -> Path:
    """Everybody in two segments, of which the first is divided and the second is not; labels as stage=segments has."""
    rng = np.random.default_rng(1)
    values = pd.DataFrame(rng.normal(size=(40, 2)), index=INDEX, columns=["x", "y"])
    cohort = pd.Series(np.where(np.arange(40) % 3, "YA", "PE"), index=INDEX, name="cohort")
    everybody = FeatureTable(values, cohort)
    write_features(everybody, root / "features" / "baskets.parquet")
    write_features(everybody, root / "features" / "halves" / "baskets" / "odd.parquet")
    first, second = root / "all_customers", root / "two_level"
    selected(first, "baskets", verdict("all", "key-1", "reproducible"))
    flat = labels("key-3", INDEX, np.arange(40) % 3)
    write_frame(pd.concat([labels("key-1", INDEX, FIRST), flat]), first / "labels.parquet")
    of_segments = {"customer_id": INDEX, "lifestage": "all", "segment": FIRST, "segment_name": "a name"}
    write_frame(pd.DataFrame(of_segments), first / "segments" / "labels.parquet")
    names = {"lifestage": "all", "clusterer": "ward", "reducer": "none", "eligible": True, "tuning_value": 2.0}
    board = [
        {**names, "candidate_key": "key-1", "n_clusters": 2, RANKED_BY: 0.4},
        {**names, "candidate_key": "key-3", "n_clusters": 3, RANKED_BY: 0.1},
    ]
    write_frame(pd.DataFrame(board), first / "leaderboard.parquet")
    outer = verdict("segment_0", "key-2", "separated"), verdict("segment_1", None, "do not segment")
    selected(second, "baskets_within", *outer)
    write_frame(labels("key-2", INDEX[:25], SECOND), second / "labels.parquet")
    return root


def made_within(root: Path, **changes: Any) -> FeatureTable:
    usual = {"lifestage": "all", "block": "baskets", "name": "baskets_within"}
    of_segments = root / "all_customers" / "segments" / "labels.parquet"
    within.run(**{"labels": of_segments, "features": root / "features"} | usual | changes)
    return read_features(root / "features" / "baskets_within.parquet")


def nested(root: Path) -> dict[str, Any]:
    two_level.run(
        first=root / "all_customers",
        second=root / "two_level",
        features=root / "features",
        output=root / "two_level" / "levels",
    )
    return read_json(root / "two_level" / "levels" / "summary.json")


def test_segments_become_cohorts_and_nothing_else_changes(tmp_path: Path) -> None:
    found = made_within(studies(tmp_path))
    before = read_features(tmp_path / "features" / "baskets.parquet")
    pd.testing.assert_frame_equal(found.values, before.values)
    assert found.cohort.tolist() == [f"segment_{number}" for number in FIRST]
    half = read_features(tmp_path / "features" / "halves" / "baskets_within" / "odd.parquet")
    assert half.digest() == found.digest()
    assert len(list((tmp_path / "features" / "halves" / "baskets_within").iterdir())) == 1


def test_customers_in_no_segment_are_left_out(tmp_path: Path) -> None:
    rows = pd.DataFrame({"customer_id": INDEX[1:], "lifestage": "all", "segment": [*FIRST[1:-1], -1]})
    write_frame(rows, studies(tmp_path) / "all_customers" / "segments" / "labels.parquet")
    assert made_within(tmp_path).values.index.tolist() == INDEX[1:-1].tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lifestage": "YA"}, r"has nobody in a segment of YA; it has \['all'\]: choose by stage\.lifestage\."),
        ({"name": "baskets"}, r"stage\.name must differ from the features it is made from; both are baskets\."),
    ],
)
def test_what_cannot_be_cohorts_is_one_sentence(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made_within(studies(tmp_path), **changes)


def test_labels_of_other_customers_and_other_tables_are_refused(tmp_path: Path) -> None:
    path = studies(tmp_path) / "all_customers" / "segments" / "labels.parquet"
    write_frame(pd.DataFrame({"customer_id": ["x"], "lifestage": ["all"], "segment": [0]}), path)
    with pytest.raises(ValueError, match="has 1 customers without features baskets; run stage=segments again"):
        made_within(tmp_path)
    write_frame(pd.DataFrame({"customer_id": ["x"]}), path)
    with pytest.raises(ValueError, match=r"must hold the labels that stage=segments writes; it lacks \['lifestage'"):
        made_within(tmp_path)


def test_two_levels_are_written_and_told_the_same_again(tmp_path: Path) -> None:
    told = nested(studies(tmp_path))
    assert told["sentences"][0] == (
        "The first level has 2 segments (reproducible); segment 0 is divided into 2, segment 1 is not divided."
    )
    assert told["rival"]["method"] == "ward, none"
    folder = tmp_path / "two_level" / "levels"
    sizes = pd.read_csv(folder / "sizes.csv", dtype={"segment": str})
    assert sizes.set_index("segment")["customer_count"].to_dict() == {"0_0": 13, "0_1": 12, "1": 15}
    assert sizes["class"].tolist() == ["constructive", "constructive", "reproducible"]
    found = read_arrow(folder / "labels.parquet").to_pandas().set_index("customer_id")["segment"]
    assert found[INDEX[0]] == "0_0"
    assert found[INDEX[39]] == "1"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    nested(tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_second_study_that_lacks_a_segment_is_refused(tmp_path: Path) -> None:
    selected(studies(tmp_path) / "two_level", "baskets_within", verdict("segment_0", "key-2", "constructive"))
    message = r"must be a study of every segment; it lacks \['segment_1'\]: lifestage=segment_0,segment_1\."
    with pytest.raises(ValueError, match=message):
        nested(tmp_path)


def test_a_second_study_of_other_segments_is_refused(tmp_path: Path) -> None:
    write_frame(labels("key-2", INDEX[:24], SECOND[:24]), studies(tmp_path) / "two_level" / "labels.parquet")
    with pytest.raises(ValueError, match=r"is of other segments than the first level has; run stage=within"):
        nested(tmp_path)


def test_without_segments_of_everybody_there_are_no_levels(tmp_path: Path) -> None:
    selected(studies(tmp_path) / "all_customers", "baskets", verdict("all", None, "do not segment"))
    with pytest.raises(ValueError, match=r"all_customers must choose segments of everybody \(lifestage all\)"):
        nested(tmp_path)


def test_both_stages_run_as_they_are_configured(tmp_path: Path, compose: Callable[..., Any]) -> None:
    studies(tmp_path / "artifacts")
    for stage in ("within", "two_level"):
        hydra.utils.call(compose(f"stage={stage}", f"paths.root={tmp_path}").stage)
    assert (tmp_path / "artifacts/two_level/levels/summary.json").exists()
    assert (tmp_path / "artifacts/features/baskets_within.parquet").exists()
