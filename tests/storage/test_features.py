"""A feature table reads back as it was written; anything else is refused in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pytest

from aisle.features import FeatureTable
from aisle.storage import read_features, write_arrow, write_features

Planted = Callable[..., tuple[FeatureTable, Any]]


def test_a_feature_table_reads_back_equal(planted: Planted, tmp_path: Path) -> None:
    features, _ = planted((8, 4), separation=3, seed=1)
    features = FeatureTable(features.values, pd.Series(["YA", "PE", "OA"] * 4, index=features.values.index))
    write_features(features, tmp_path / "features.parquet")
    found = read_features(tmp_path / "features.parquet")
    pd.testing.assert_frame_equal(found.values, features.values, check_exact=True)
    assert found.cohort.tolist() == features.cohort.tolist()
    assert found.digest() == features.digest()


def test_writing_leaves_the_table_alone_and_gives_the_same_bytes(planted: Planted, tmp_path: Path) -> None:
    features, _ = planted((8, 4), separation=3, seed=1)
    before = features.digest()
    for name in ("one", "two"):
        write_features(features, tmp_path / name)
    assert features.digest() == before
    assert "cohort" not in features.values
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1.0]}, r"must be a feature table; it lacks \['customer_id', 'cohort'\]\."),
        ({"customer_id": ["c"], "a": [1.0]}, r"must be a feature table; it lacks \['cohort'\]\."),
        ({"customer_id": ["c", "c"], "cohort": ["YA", "YA"], "a": [1.0, 2.0]}, r"these ids repeat: \['c'\]\."),
        ({"customer_id": ["c"], "cohort": ["YA"], "a": [1]}, r"Features must be float64; got a \(int64\)\."),
        ({"customer_id": ["c"], "cohort": ["YA"], "a": [None]}, r"Features must be float64; got a \(object\)\."),
        ({"customer_id": ["c"], "cohort": ["YA"], "a": [float("inf")]}, r"these columns are not: \['a'\]\."),
        ({"customer_id": ["c"], "cohort": [None], "a": [1.0]}, r"Every customer must have a cohort; 1 have none\."),
    ],
)
def test_what_is_no_feature_table_is_refused_with_the_file(
    columns: dict[str, list[Any]], message: str, tmp_path: Path
) -> None:
    write_arrow(pyarrow.table(columns), tmp_path / "features.parquet")
    with pytest.raises(ValueError, match=rf"features\.parquet:? .*{message}$"):
        read_features(tmp_path / "features.parquet")


def test_a_missing_feature_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"features\.parquet is needed and missing; run the stage"):
        read_features(tmp_path / "features.parquet")
