"""The features stage: every customer has features or a reason, the same to the byte whatever the number of threads."""

import logging
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from aisle.database import Extraction, ParquetFolder
from aisle.features import Baskets, FeatureBlock, Mix, Rfm
from aisle.features.halves import HALVES
from aisle.stages import extract, features
from aisle.storage import read_features, read_json, read_table, write_json
from aisle.tables import BASKET_EXTRACT, UNSEGMENTED

Tables = dict[str, pyarrow.Table]
BLOCKS: dict[str, FeatureBlock] = {"baskets": Baskets(), "rfm": Rfm(), "mix": Mix(1.0, 0.05)}


def extracted(data: Path, output: Path) -> Path:
    write_json({}, output / "fingerprint.json")
    everybody = Extraction(baskets_xx=True, customers_xx=True, sample="all", seed=1)
    extract.run(
        database=ParquetFolder(data, "1GB", 1),
        extraction=everybody,
        fingerprint=output / "fingerprint.json",
        output=output,
    )
    return output


@pytest.fixture(scope="module")
def extract_folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(data, tmp_path_factory.mktemp("features") / "extract")


def run(
    folder: Path,
    output: Path,
    blocks: Mapping[str, FeatureBlock],
    name: str = "some",
    threads: int = 1,
    halves: bool = False,
) -> Path:
    features.run(
        database=ParquetFolder(folder, "1GB", threads),
        summary=folder / "summary.json",
        blocks=blocks,
        name=name,
        output=output,
        halves=halves,
    )
    return output / f"{name}.parquet"


@pytest.mark.parametrize("block", BLOCKS)
def test_every_extracted_customer_has_features_or_a_reason(extract_folder: Path, tmp_path: Path, block: str) -> None:
    found = read_features(run(extract_folder, tmp_path, {block: BLOCKS[block]}))
    left_out = read_table(tmp_path / "some_unsegmented.parquet", UNSEGMENTED).to_pandas()
    baskets = read_table(extract_folder / "basket_extract.parquet", BASKET_EXTRACT).to_pandas(date_as_object=False)
    assert sorted([*found.values.index, *left_out["customer_id"]]) == sorted(baskets["customer_id"].unique())
    lifestages = baskets.groupby("customer_id")["lifestage"].first()
    assert found.cohort.to_dict() == lifestages.loc[found.values.index].to_dict()
    assert left_out.set_index("customer_id")["lifestage"].to_dict() == lifestages.loc[left_out["customer_id"]].to_dict()
    assert found.values.index.is_monotonic_increasing
    assert (len(left_out) > 0) == (block == "baskets")


def test_customers_of_one_visit_have_no_days_between_visits(extract_folder: Path, tmp_path: Path) -> None:
    run(extract_folder, tmp_path, {"baskets": Baskets()})
    left_out = read_table(tmp_path / "some_unsegmented.parquet", UNSEGMENTED).to_pandas()
    baskets = read_table(extract_folder / "basket_extract.parquet", BASKET_EXTRACT).to_pandas(date_as_object=False)
    days = baskets.groupby("customer_id")["shopped_at"].agg(lambda moments: len({moment.date() for moment in moments}))
    once = set(days.index[days == 1])
    assert once
    assert set(left_out.loc[left_out["reason"] == "one visit", "customer_id"]) == once


def test_recency_is_counted_from_the_day_after_the_window(extract_folder: Path, tmp_path: Path) -> None:
    found = read_features(run(extract_folder, tmp_path, {"rfm": Rfm()})).values
    summary = read_json(extract_folder / "summary.json")
    window = (date.fromisoformat(summary["last_day"]) - date.fromisoformat(summary["first_day"])).days
    assert found["recency_days"].min() == 1
    assert found["tenure_days"].max() == window + 1
    assert found["frequency"].sum() == summary["basket_count"]


def test_blocks_together_are_the_blocks_side_by_side(extract_folder: Path, tmp_path: Path) -> None:
    alone = {name: read_features(run(extract_folder, tmp_path / name, {name: block})) for name, block in BLOCKS.items()}
    together = read_features(run(extract_folder, tmp_path / "all", BLOCKS)).values
    assert list(together.columns) == [column for table in alone.values() for column in table.values.columns]
    for table in alone.values():
        own = table.values.loc[together.index]
        pd.testing.assert_frame_equal(together[own.columns], own, check_exact=True)


def test_one_thread_and_two_give_the_same_bytes(
    grocery: Callable[..., Tables], save: Callable[..., Path], tmp_path: Path
) -> None:
    folder = extracted(save(grocery(800, seed=5), tmp_path / "data"), tmp_path / "extract")
    for path in folder.glob("*.parquet"):
        pyarrow.parquet.write_table(pyarrow.parquet.read_table(path), path, row_group_size=500)  # threads share groups
    written = []
    for threads in (1, 2):
        output = tmp_path / str(threads)
        run(folder, output, BLOCKS, threads=threads, halves=True)
        files = [path for path in output.rglob("*") if path.is_file()]
        written.append({path.relative_to(output).as_posix(): path.read_bytes() for path in files})
    assert written[0] == written[1]
    halves = [f"halves/some/{half}{end}.parquet" for half in HALVES for end in ("", "_unsegmented")]
    assert sorted(written[0]) == sorted(["some.parquet", "some_unsegmented.parquet", *halves])


def test_every_extracted_customer_has_features_in_a_half_or_is_counted_there(
    extract_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        whole = read_features(run(extract_folder, tmp_path, {"baskets": Baskets()}, halves=True))
    everybody = {*whole.values.index, *read_table(tmp_path / "some_unsegmented.parquet", UNSEGMENTED)[0].to_pylist()}
    for half in HALVES:
        found = read_features(tmp_path / "halves" / "some" / f"{half}.parquet")
        left_out = read_table(tmp_path / "halves" / "some" / f"{half}_unsegmented.parquet", UNSEGMENTED).to_pandas()
        assert {*found.values.index, *left_out["customer_id"]} == everybody
        assert len(found.values) + len(left_out) == len(everybody)
        assert found.values.columns.tolist() == whole.values.columns.tolist()
        assert set(left_out["reason"]) <= {"one visit", "no basket in this half", "price_sensitivity_LA undefined"}
        assert found.cohort.equals(whole.cohort.reindex(found.values.index))
    counts = [read_features(tmp_path / "halves" / "some" / f"{half}.parquet").values for half in ("odd", "even")]
    both = counts[0].index.intersection(counts[1].index)
    assert (sum(part.loc[both, "basket_count"] for part in counts) == whole.values.loc[both, "basket_count"]).all()
    assert "features some, even baskets: " in caplog.text
    assert "customers left out: no basket in this half" in caplog.text


def test_a_half_without_customers_is_told_and_the_other_files_are_written(
    tables: Tables, save: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    day = pyarrow.scalar(date(2024, 2, 1), pyarrow.date32()).cast(pyarrow.timestamp("us"))
    baskets = tables["baskets"]
    at = baskets.column_names.index("shopped_at")
    one_day = baskets.set_column(at, "shopped_at", pyarrow.repeat(day, baskets.num_rows))
    folder = extracted(save(tables | {"baskets": one_day}, tmp_path / "data"), tmp_path / "extract")
    run(folder, tmp_path, {"rfm": Rfm()}, halves=True)
    written = {path.stem for path in (tmp_path / "halves" / "some").iterdir()} & set(HALVES)
    assert written == {"odd", "even", "second"}
    assert (
        "features some, first half of the weeks: none. No feature is defined for any of the 0 customers" in caplog.text
    )
    run(folder, tmp_path, {"rfm": Rfm()})
    assert not (tmp_path / "halves" / "some").exists()


def test_what_the_source_does_not_know_makes_the_block_smaller_and_is_said(
    tables: Tables, save: Callable[..., Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def without(name: str) -> pyarrow.Table:
        rows = tables[name]
        nothing = pyarrow.nulls(rows.num_rows, pyarrow.string())
        return rows.set_column(rows.column_names.index("price_sensitivity"), "price_sensitivity", nothing)

    poorer = tables | {name: without(name) for name in ("customers", "baskets")}
    folder = extracted(save(poorer, tmp_path / "data"), tmp_path / "extract")
    with caplog.at_level(logging.INFO):
        found = read_features(run(folder, tmp_path, {"baskets": Baskets()}, name="baskets")).values
    assert found.shape[1] == 38 - 3 - 6
    assert not [name for name in found if "price_sensitivity" in name]
    assert "features baskets: the source lacks what 9 columns need: price_sensitivity_LA" in caplog.text
    assert "customers left out: one visit" in caplog.text


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("summary.json", r"summary\.json is needed and missing; run the stage that writes it"),
        ("basket_extract.parquet", r"basket_extract\.parquet is missing; run stage=extract first"),
        ("group_spend.parquet", r"group_spend\.parquet is missing; run stage=extract with stage\.spend=true first"),
    ],
)
def test_a_missing_extract_is_named_with_what_makes_it(
    extract_folder: Path, tmp_path: Path, missing: str, message: str
) -> None:
    for path in extract_folder.iterdir():
        if path.name != missing:
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(FileNotFoundError, match=message):
        run(tmp_path, tmp_path / "output", BLOCKS)
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("content", [{}, {"last_day": None}, {"last_day": 3}, {"last_day": "yesterday"}], ids=str)
def test_a_summary_of_something_else_is_refused(extract_folder: Path, tmp_path: Path, content: dict[str, Any]) -> None:
    write_json(content, tmp_path / "summary.json")
    database = ParquetFolder(extract_folder, "1GB", 1)
    with pytest.raises(ValueError, match=r"summary\.json must name the last_day of the extract; run stage=extract\.$"):
        features.run(
            database=database, summary=tmp_path / "summary.json", blocks=BLOCKS, name="x", output=tmp_path / "out"
        )
