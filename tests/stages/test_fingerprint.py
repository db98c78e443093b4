"""The fingerprint stage refuses data that were not agreed on, and writes the same file for the same data."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hydra.utils import call
from omegaconf import DictConfig

from aisle.database import ParquetFolder
from aisle.pinned import folder_digest
from aisle.stages import fingerprint
from aisle.storage import read_json


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data, tmp_path / "data"))


def run(folder: Path, output: str, threads: int = 1) -> Path:
    database = ParquetFolder(folder, "1GB", threads)
    path = folder.parent / output
    fingerprint.run(database=database, data=str(folder), pinned=str(folder.parent / "data.dvc"), output=str(path))
    return path


def pin(folder: Path) -> None:
    out = {"md5": folder_digest(folder), "path": "data"}
    (folder.parent / "data.dvc").write_text(yaml.safe_dump({"outs": [out]}), encoding="utf-8")


def test_the_fingerprint_is_the_same_file_for_the_same_data(folder: Path) -> None:
    pin(folder)
    first, second = run(folder, "one.json", threads=1), run(folder, "two.json", threads=2)
    assert first.read_bytes() == second.read_bytes()
    assert set(read_json(first)) == {"customers", "stores", "products", "baskets", "lines"}


def test_data_that_were_not_agreed_on_are_refused_and_nothing_is_written(folder: Path) -> None:
    pin(folder)
    (folder / "more.txt").write_text("?")
    with pytest.raises(ValueError, match=r"data differs from .*data\.dvc: .* to accept the new data, run dvc add"):
        run(folder, "one.json")
    assert not (folder.parent / "one.json").exists()


def test_the_stage_as_it_is_configured_refuses_them_too(folder: Path, compose: Callable[..., DictConfig]) -> None:
    pin(folder)
    stage = compose("stage=fingerprint", f"paths.root={folder.parent}").stage
    call(stage)
    (folder / "more.txt").write_text("?")
    with pytest.raises(Exception, match=r"data differs from .*data\.dvc") as caught:
        call(stage)
    assert isinstance(caught.value.__cause__, ValueError)


def test_without_a_pin_any_data_will_do(folder: Path) -> None:
    assert run(folder, "one.json").exists()


def test_missing_data_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"customers\.parquet is missing; run stage=fetch first\.$"):
        run(tmp_path / "data", "one.json")
