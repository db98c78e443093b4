"""A CSV file of customers and segments: read as people write them, and refused in one sentence."""

import gzip
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aisle.features import FeatureTable
from aisle.sources.segment_file import SegmentFile

HEAD = "customer_id,segment\n"
INDEX = pd.Index(["a1", "a2", "a3", "b1", "b2"], name="customer_id")
TABLE = FeatureTable(
    pd.DataFrame({"spend": np.arange(5.0)}, index=INDEX), pd.Series(["YA", "YA", "YA", "PE", "PE"], index=INDEX)
)


def written(folder: Path, text: str) -> SegmentFile:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return SegmentFile(path)


def matched(
    folder: Path, text: str, lifestages: Sequence[str] | None = None, common: bool = False
) -> dict[str, str | None]:
    found = written(folder, text).matched(TABLE, "features.parquet", lifestages=lifestages, common=common)
    return {customer: None if pd.isna(name) else name for customer, name in found.items()}


def test_segments_are_any_text_and_noise_is_none(tmp_path: Path) -> None:
    text = f'\ufeff{HEAD}b2,NULL\na1,Loyal & old\na2,\na3,Noise\nb1,-1\n"c,1", 7 \nc2,"x,""y"""\n'
    found = written(tmp_path, text).segments()
    assert found.index.tolist() == ["b2", "a1", "a2", "a3", "b1", "c,1", "c2"]
    assert found.isna().tolist() == [True, False, True, True, True, False, False]
    assert found.dropna().tolist() == ["Loyal & old", "7", 'x,"y"']


def test_further_columns_are_passed_over_and_a_file_may_be_gzipped(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "labels.csv.gz", "wt", encoding="utf-8") as file:
        file.write("segment,made,customer_id\nx,2025,007\n")
    assert SegmentFile(tmp_path / "labels.csv.gz").segments().to_dict() == {"007": "x"}


def test_customers_come_in_the_order_of_the_features(tmp_path: Path) -> None:
    assert list(matched(tmp_path, f"{HEAD}a3,x\na1,y\na2,\n").items()) == [("a1", "y"), ("a2", None), ("a3", "x")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"labels\.csv needs a header and rows, but the file is empty"),
        (HEAD, r"labels\.csv needs rows below its header"),
        ("customer,segment\na1,x\n", r"labels\.csv, line 1: needs the columns \['customer_id', 'segment'\].* missing"),
        ("customer_id;segment\na1;x\n", r"labels\.csv, line 1: .*it is separated by semicolons"),
        (f"{HEAD}a1,x\na2,y,z\n", r"labels\.csv, line 3: must have 2 values, as its header; got 3"),
        (f"{HEAD}a1,x\n,y\n", r"labels\.csv, line 3, column customer_id: must be an id; got nothing"),
        (
            f"{HEAD}a1,x\na2,y\na1,x\n",
            r"labels\.csv, line 4, column customer_id: there must be one row .*'a1' was there",
        ),
        (f"{HEAD}a1,x\nz9,y\na2,y\na3,y\n", r"line 3, column customer_id: 'z9' is not in features\.parquet; take"),
        (
            f"{HEAD}z1,x\nz2,y\nz3,y\n",
            r"line 2, column customer_id: 'z1' is not in features\.parquet, nor are 2 others; ",
        ),
        (f"{HEAD}a1,x\na3,y\n", r"every customer of a lifestage, but lacks 1 of the 3 of YA in .*, such as 'a2'; add"),
        (f"{HEAD}a1,x\na2,y\nb1,x\n", r"lacks 1 of the 2 of PE, 1 of the 3 of YA in .*, such as 'a3'"),
        (f"{HEAD}a1,x\na2,x\na3,\n", r"labels\.csv must have two segments or more; its 3 customers have one, 'x'\."),
        (f"{HEAD}a1,\na2,noise\na3,-1\n", r"must have two segments or more; its 3 customers have none\."),
    ],
)
def test_a_wrong_file_is_one_sentence_with_the_line_and_the_customer(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        matched(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf_8_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(HEAD.encode() + "a1,träge\n".encode("latin-1"))
    with pytest.raises(ValueError, match="line 2: must be UTF-8, but holds the byte 0xe4"):
        SegmentFile(tmp_path / "labels.csv").segments()


def test_a_missing_file_and_a_folder_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"last_year\.csv is not there; give a CSV file of customers and segments"
    ):
        SegmentFile(tmp_path / "last_year.csv").segments()
    with pytest.raises(ValueError, match="must be a CSV file of customers and segments; it is a folder"):
        SegmentFile(tmp_path).segments()


def test_a_lifestage_may_be_absent_unless_it_is_asked_for(tmp_path: Path) -> None:
    text = f"{HEAD}b1,x\nb2,y\n"
    assert set(matched(tmp_path, text)) == set(matched(tmp_path, text, ["PE"])) == {"b1", "b2"}
    for asked in (["YA"], ["all"]):
        with pytest.raises(ValueError, match="lacks 3 of the 3 of YA"):
            matched(tmp_path, text, asked)


def test_a_lifestage_that_is_not_asked_for_may_be_there_in_part(tmp_path: Path) -> None:
    assert set(matched(tmp_path, f"{HEAD}a1,x\nb1,x\nb2,y\n", ["PE"])) == {"a1", "b1", "b2"}


def test_common_leaves_out_who_is_not_in_both_and_counts_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert set(matched(tmp_path, f"{HEAD}a1,x\nb1,y\nz9,y\n", common=True)) == {"a1", "b1"}
    assert "customers of the file who have no features: 1; with features but not in the file: 3" in caplog.text
