"""Every customer of a database gets a segment by the rule of a study that saw some of them, or a reason."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest
from tests.conftest import make_grocery, write_grocery
from tests.stages.test_segments import RULE, verdict

from aisle.database import Engine, Extraction, ParquetFolder
from aisle.features import Baskets, FeatureBlock, Mix, Rfm
from aisle.rules import ASSIGNED
from aisle.selection import Selection, Verdict, selection_to_json
from aisle.stages import assign, extract, features
from aisle.storage import read_features, read_json, read_rules, read_table, write_frame, write_json

BLOCKS: dict[str, FeatureBlock] = {"baskets": Baskets(), "rfm": Rfm(), "mix": Mix(1.0, 0.05)}
SEGMENTED = ("OA", "YA")
OUTPUTS = ("agreement.json", "assignments.csv", "assignments.parquet", "rules.skops", "sizes.csv")
NOT_TO_BE_SEGMENTED = replace(verdict("PE", None), evidence_class="do not segment")
VERDICTS = (verdict("OA", "key-oa"), NOT_TO_BE_SEGMENTED, verdict("YA", "key-ya"))


def drawn(sample: int | str) -> Extraction:
    return Extraction(baskets_xx=False, customers_xx=False, sample=sample, seed=1)


def study(folder: Path, data: Path, block: str = "baskets", verdicts: tuple[Verdict, ...] = VERDICTS) -> Path:
    """A study of a sample: two segments in each of two lifestages, by the first feature, and one customer in noise."""
    write_json({}, folder / "fingerprint.json")
    extract.run(
        database=ParquetFolder(data, "1GB", 2),
        extraction=drawn(120),
        fingerprint=folder / "fingerprint.json",
        output=folder / "extract",
    )
    features.run(
        database=ParquetFolder(folder / "extract", "1GB", 2),
        summary=folder / "extract" / "summary.json",
        blocks={block: BLOCKS[block]},
        name=block,
        output=folder / "features",
    )
    table = read_features(folder / "features" / f"{block}.parquet")
    parts = []
    for lifestage in SEGMENTED:
        own = table.select(lifestage).values.sort_index()
        side = (own.iloc[:, 0] > own.iloc[:, 0].median()).to_numpy().astype("int64")
        side[0] = -1
        names = [f"{lifestage} {'few' if one == 0 else 'many'}" if one >= 0 else "" for one in side]
        parts.append(
            pd.DataFrame({"customer_id": own.index, "lifestage": lifestage, "segment": side, "segment_name": names})
        )
    labels = pd.concat(parts).sort_values(["customer_id", "lifestage"])
    write_frame(labels, folder / "segments" / "labels.parquet")
    selection = Selection(block, RULE, {"study": "grid", "data_digest": "d" * 64}, verdicts)
    write_json(selection_to_json(selection), folder / "select" / "verdicts.json")
    return folder


def run(folder: Path, database: Engine, block: str = "baskets", **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "database": database,
        "extraction": drawn(120),
        "blocks": {block: BLOCKS[block]},
        "name": block,
        "extract": ParquetFolder(folder / "extract", "1GB", 2),
        "verdicts": folder / "select" / "verdicts.json",
        "labels": folder / "segments" / "labels.parquet",
        "features": folder / "features",
        "reference_date": None,
        "output": folder / "assign",
    }
    assign.run(**{**arguments, **changes})
    return read_json(folder / "assign" / "agreement.json")


def assignments(folder: Path) -> pd.DataFrame:
    return read_table(folder / "assign" / "assignments.parquet", ASSIGNED).to_pandas()


@pytest.fixture(scope="module")
def groceries() -> dict[str, pyarrow.Table]:
    return make_grocery(300, seed=4)


@pytest.fixture(scope="module")
def shop(groceries: dict[str, pyarrow.Table], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_grocery(groceries, tmp_path_factory.mktemp("shop") / "data")


@pytest.fixture(scope="module")
def finished(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with its customers assigned. Only to be read."""
    folder = study(tmp_path_factory.mktemp("finished"), shop)
    run(folder, ParquetFolder(shop, "1GB", 2))
    return folder


def test_everybody_is_there_once_and_most_were_not_in_the_study(
    finished: Path, groceries: dict[str, pyarrow.Table]
) -> None:
    rows = assignments(finished)
    assert set(groceries["customers"]["customer_id"].to_pylist()) <= set(rows["customer_id"])
    assert rows["customer_id"].is_unique
    assigned = rows[rows["segment"] >= 0]
    assert set(assigned["lifestage"]) == set(SEGMENTED)
    assert assigned["study_segment"].isna().sum() > assigned["study_segment"].notna().sum() > 20


def test_whoever_is_in_none_is_told_why(finished: Path) -> None:
    rows = assignments(finished)
    counts = read_json(finished / "assign" / "agreement.json")["customers"]
    assert (rows["reason"].eq("") == rows["segment"].ge(0)).all()
    assert set(counts["reasons"]) >= {
        *("no lifestage", "do not segment", "not a lifestage of the study", "one visit", "no basket is kept")
    }
    assert counts["in_segment"] + sum(counts["reasons"].values()) == counts["in_database"] == len(rows)


def test_the_database_gives_the_studys_customers_the_features_of_the_study(finished: Path) -> None:
    seen = read_json(finished / "assign" / "agreement.json")["study_customers"]
    assert seen["same_features"] == seen["in_database"] == seen["in_study"] > 50


def test_the_agreement_is_published_with_the_rule(finished: Path) -> None:
    told = read_json(finished / "assign" / "agreement.json")
    assert {name: own["candidate_key"] for name, own in told["lifestages"].items()} == {"OA": "key-oa", "YA": "key-ya"}
    assert all(0.5 < own["agreement"] <= 1 for own in told["lifestages"].values())
    assert told["without"] == {"PE": "Nothing can be chosen for PE."}
    assert (told["study"], told["features"], told["data_digest"]) == ("grid", "baskets", "d" * 64)


def test_the_stored_rule_gives_the_same_segments(finished: Path, shop: Path) -> None:
    rows = assignments(finished).set_index("customer_id")
    table = read_features(finished / "features" / "baskets.parquet")
    rules = read_rules(finished / "assign" / "rules.skops")
    found = rules.predict(table.values.assign(lifestage=table.cohort))
    assert (found == rows.loc[table.values.index, "segment"].to_numpy()).all()


def test_a_spreadsheet_can_open_the_same_rows(finished: Path) -> None:
    read = pd.read_csv(finished / "assign" / "assignments.csv", keep_default_na=False)
    assert read["segment"].tolist() == assignments(finished)["segment"].tolist()
    sizes = pd.read_csv(finished / "assign" / "sizes.csv")
    assert sizes["customer_count"].sum() == len(read)


def test_all_outputs_are_the_same_bytes_when_run_again(finished: Path, shop: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in (finished / "assign").iterdir()) == sorted(OUTPUTS)
    run(finished, ParquetFolder(shop, "1GB", 1), output=tmp_path)
    for name in OUTPUTS:
        assert (tmp_path / name).read_bytes() == (finished / "assign" / name).read_bytes(), name


@pytest.mark.parametrize("block", ["rfm", "mix"])
def test_other_blocks_give_the_columns_of_the_study(block: str, shop: Path, tmp_path: Path) -> None:
    told = run(study(tmp_path, shop, block), ParquetFolder(shop, "1GB", 2), block)
    assert told["study_customers"]["same_features"] == told["study_customers"]["in_study"]
    assert told["customers"]["in_segment"] > told["study_customers"]["labels"]


def test_a_day_can_be_given_from_which_recency_is_counted(
    shop: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = run(study(tmp_path, shop, "rfm"), ParquetFolder(shop, "1GB", 2), "rfm", reference_date="2025-01-01")
    assert told["study_customers"]["same_features"] == 0
    assert "0 have the same as in the study: it has changed since, or is another one" in caplog.text


def test_where_no_lifestage_is_to_be_segmented_everybody_is_told_so(shop: Path, tmp_path: Path) -> None:
    none = tuple(replace(verdict(name, None), evidence_class="do not segment") for name in (*SEGMENTED, "PE"))
    folder = study(tmp_path, shop, verdicts=none)
    empty = pd.read_parquet(folder / "segments" / "labels.parquet").iloc[:0]
    write_frame(empty, folder / "segments" / "labels.parquet")
    told = run(folder, ParquetFolder(shop, "1GB", 2))
    assert told["lifestages"] == {}
    assert told["customers"]["in_segment"] == 0
    assert told["customers"]["reasons"]["do not segment"] > 100


def gone(name: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        (folder / name).unlink()

    return remove


def other_choice(folder: Path) -> None:
    selection = Selection("baskets", RULE, {}, (verdict("OA", "key-oa"),))
    write_json(selection_to_json(selection), folder / "select" / "verdicts.json")


def fewer_labels(folder: Path) -> None:
    path = folder / "segments" / "labels.parquet"
    write_frame(pd.read_parquet(path).iloc[1:], path)


def no_names(folder: Path) -> None:
    path = folder / "segments" / "labels.parquet"
    write_frame(pd.read_parquet(path).drop(columns="segment_name"), path)


@pytest.mark.parametrize(
    ("spoil", "changes", "message"),
    [
        (gone("select/verdicts.json"), {}, r"verdicts\.json is needed and missing; run the stage"),
        (gone("segments/labels.parquet"), {}, r"labels\.parquet is needed and missing; run the stage"),
        (gone("features/baskets.parquet"), {}, r"baskets\.parquet is needed and missing; run the stage"),
        (
            other_choice,
            {},
            r"labels\.parquet must have the segments of \['OA'\], .* those of \['OA', 'YA'\]: run stage=",
        ),
        (fewer_labels, {}, r"labels\.parquet: .*: labels and features must be of the same customers; 1 are in one"),
        (no_names, {}, r"labels\.parquet must hold the labels that stage=segments writes; it lacks \['segment_name'\]"),
        (lambda _: None, {"name": "rfm"}, r"made from the features baskets; .* say features=baskets, got features=rfm"),
        (lambda _: None, {"reference_date": "soon"}, r"stage\.reference_date must be a day like .* got 'soon'"),
        (
            lambda _: None,
            {"blocks": {"rfm": Rfm()}},
            r"^The blocks must make the features \['basket_count', .*; they make \['frequency', 'monetary'",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(
    spoil: Callable[[Path], None], changes: Mapping[str, Any], message: str, shop: Path, tmp_path: Path
) -> None:
    folder = study(tmp_path, shop)
    spoil(folder)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run(folder, ParquetFolder(shop, "1GB", 2), **changes)
    assert not (folder / "assign").exists()


def test_a_database_that_cannot_give_the_features_is_one_sentence(
    groceries: dict[str, pyarrow.Table], shop: Path, tmp_path: Path
) -> None:
    customers = groceries["customers"].to_pandas().assign(price_sensitivity=None)
    poorer = pyarrow.Table.from_pandas(customers, schema=groceries["customers"].schema, preserve_index=False)
    data = write_grocery(groceries | {"customers": poorer}, tmp_path / "data")
    folder = study(tmp_path, shop)
    message = (
        r"^The database must give customers the features baskets .* has price_sensitivity_LA, price_sensitivity_MM, "
    )
    with pytest.raises(ValueError, match=message):
        run(folder, ParquetFolder(data, "1GB", 2))
    assert not (folder / "assign").exists()


def test_a_feature_that_only_new_customers_have_is_no_part_of_the_rule(
    groceries: dict[str, pyarrow.Table], shop: Path, tmp_path: Path
) -> None:
    customers = groceries["customers"].to_pandas().assign(price_sensitivity=None)
    poorer = pyarrow.Table.from_pandas(customers, schema=groceries["customers"].schema, preserve_index=False)
    folder = study(tmp_path / "study", write_grocery(groceries | {"customers": poorer}, tmp_path / "data"))
    told = run(folder, ParquetFolder(shop, "1GB", 2))
    assert told["customers"]["in_segment"] > 0
    assert not [name for name in read_rules(folder / "assign" / "rules.skops").columns if re.match("price_sens", name)]


def test_the_configured_stage_takes_the_layout_and_the_features_of_the_command_line(
    compose: Callable[..., Any],
) -> None:
    stage = compose("stage=assign", "features=rfm", "layout=grocery_star", "database=duckdb").stage
    assert stage.name == "rfm"
    assert stage.database._target_.endswith("GroceryStarLayout")
    assert np.array_equal(list(stage.blocks), ["rfm"])
