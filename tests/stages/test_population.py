"""The population stage: features of everybody, whatever the sample, as the features stage would give them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aisle.database import Extraction, ParquetFolder
from aisle.features import Baskets, FeatureBlock, Mix, Rfm
from aisle.stages import extract, features, population
from aisle.storage import write_json

BLOCKS: dict[str, FeatureBlock] = {"baskets": Baskets(), "rfm": Rfm(), "mix": Mix(1.0, 0.05)}


def cohort(sample: int | str, baskets_xx: bool = False) -> Extraction:
    return Extraction(baskets_xx=baskets_xx, customers_xx=False, sample=sample, seed=1)


@pytest.mark.parametrize("name", BLOCKS)
def test_the_files_are_those_of_the_features_of_an_unsampled_extract(data: Path, tmp_path: Path, name: str) -> None:
    blocks = {name: BLOCKS[name]}
    write_json({}, tmp_path / "fingerprint.json")
    database = ParquetFolder(data, "1GB", 2)
    extract.run(
        database=database,
        extraction=cohort("all"),
        fingerprint=tmp_path / "fingerprint.json",
        output=tmp_path / "extract",
    )
    features.run(
        database=ParquetFolder(tmp_path / "extract", "1GB", 2),
        summary=tmp_path / "extract" / "summary.json",
        blocks=blocks,
        name=name,
        output=tmp_path / "features",
    )
    population.run(database=database, extraction=cohort(5), blocks=blocks, name=name, output=tmp_path / "population")
    for file in (f"{name}.parquet", f"{name}_unsegmented.parquet"):
        assert (tmp_path / "population" / file).read_bytes() == (tmp_path / "features" / file).read_bytes()
    assert {path.name for path in (tmp_path / "population").iterdir()} == {
        f"{name}.parquet",
        f"{name}_unsegmented.parquet",
    }


def test_filters_that_leave_nobody_are_named(tmp_path: Path, save: Callable[..., Path], tables: dict[str, Any]) -> None:
    nobody = tables | {"baskets": tables["baskets"].slice(0, 0)}
    database = ParquetFolder(save(nobody, tmp_path / "data"), "1GB", 1)
    with pytest.raises(ValueError, match=r"^No customer is left: every basket was dropped by a filter; see cohort "):
        population.run(database=database, extraction=cohort("all"), blocks=BLOCKS, name="x", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
