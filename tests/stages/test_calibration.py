"""The calibration from a tiny grid to its page: it resumes, survives a stop at any time, and says what it lacks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from tests.evidence.conftest import mixed, table

from aisle.calibration import Cloud, Normal, Planted, PlantedGrid, Reduction
from aisle.clusterers import KMeansPath
from aisle.evidence import Effort, Thresholds
from aisle.features import FeatureTable
from aisle.stages import calibration
from aisle.storage import read_arrow, write_features


@dataclass(frozen=True)
class NoCloud:
    """Two planted segments that are said to be none."""

    customers: int
    segments: ClassVar[int] = 0

    def draw(self, seed: Sequence[int]) -> FeatureTable:
        return Planted(self.customers, 3, (0.5, 0.5), 9.0).draw(seed)


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, Any]:
    """Two draws of a cloud and one of planted segments, below every promise."""
    kmeans = {"kmeans": KMeansPath([2, 3], n_init=2)}
    return {
        "clouds": {"normal": Cloud(Normal(120, 3))},
        "reductions": {"none": Reduction(FunctionTransformer(), draws=2)},
        "planted": PlantedGrid(3, {"balanced": [0.5, 0.5]}, [9.0], [120], draws=1, null_draws=20),
        "scaler": StandardScaler(),
        "clusterers": kmeans,
        "planted_clusterers": kmeans,
        "table": {"normal": Normal(80, 3), "two": Planted(80, 3, (0.5, 0.5), 9.0)},
        "table_clusterer": KMeansPath([2], n_init=2),
        "table_nulls": 20,
        "features": {"shop": tmp_path / "absent.parquet"},
        "fewest": 20,
        "effort": Effort(splits=3, screening=2, finalists=3, null_draws=20),
        "thresholds": Thresholds(),
        "floor": 0.05,
        "workers": 1,
        "minutes": None,
        "store": tmp_path / "store",
        "kept": tmp_path / "kept" / "draws.parquet",
        "docs": tmp_path / "docs",
    }


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((asked["docs"] / "calibration.json").read_text())
    return found


def test_a_tiny_grid_is_computed_told_and_found_again(asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    calibration.run(**asked)
    first, stored = files(asked["docs"]), files(asked["store"])
    assert {path.name for path in first} == {
        "calibration.json",
        "calibration.md",
        "calibration_power.png",
        "calibration_rejections.png",
    }
    page = (asked["docs"] / "calibration.md").read_text()
    assert "The run is complete: 3 of 3 draws" in page
    assert "- Absent: copulas and rows of shop: its feature table is not there" in page
    assert "| normal | 120 | none | kmeans | 2 | 2 of 2 |" in page
    assert "| 0.5/0.5 | 9 | 120 | 1 of 1 | 100.0%" in page
    assert told(asked)["power"][0]["right"] == 1
    assert [row["class"] == "separated" for row in told(asked)["table"]] == [False, True]

    def computed(*_: Any, **__: Any) -> None:
        raise AssertionError("a draw that is stored was computed again")

    kept = files(asked["kept"].parent)
    monkeypatch.setattr(calibration, "trial", computed)
    monkeypatch.setattr(calibration, "portrait", computed)
    calibration.run(**asked)
    assert files(asked["docs"]) == first
    assert files(asked["store"]) == stored
    assert files(asked["kept"].parent) == kept


def test_whoever_has_the_kept_draws_goes_on_where_they_end(
    asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibration.run(**{**asked, "reductions": {"none": Reduction(FunctionTransformer(), draws=1)}})
    calls = []
    computed = calibration.trial

    def counted(cell: Any, number: int, **named: Any) -> Any:
        calls.append((cell.name, number))
        return computed(cell, number, **named)

    monkeypatch.setattr(calibration, "trial", counted)
    elsewhere = {**asked, "store": tmp_path / "another machine"}
    calibration.run(**elsewhere)
    assert calls == [("normal-none", 1)]
    assert (told(asked)["done"], told(asked)["asked"]) == (3, 3)
    here = tmp_path / "at once" / "draws.parquet"
    calibration.run(**{**asked, "store": tmp_path / "one machine", "kept": here})
    same = ["cell", "key", "draw", "clusterer", "tuning_value", "valley", "null", "separated", "splits"]
    assert read_arrow(here).select(same).equals(read_arrow(asked["kept"]).select(same))


def test_kept_draws_of_another_declaration_are_dropped_with_a_sentence(
    asked: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    calibration.run(**asked)
    other = {**asked, "effort": Effort(splits=7, screening=4, finalists=3, null_draws=20), "minutes": 0}
    caplog.clear()  # of the first run, where another test left the level at INFO
    with caplog.at_level("WARNING"):
        calibration.run(**other)
    assert caplog.messages == [
        f"3 of the draws in {asked['kept']} are of other code or otherwise declared; they are dropped."
    ]
    assert read_arrow(asked["kept"]).num_rows == 0


def test_kept_draws_of_a_source_that_is_not_here_stay(asked: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "features.parquet"
    write_features(table(mixed(90, 1)), path)
    calibration.run(**{**asked, "features": {"shop": path}})
    before = files(asked["kept"].parent)
    calibration.run(**{**asked, "minutes": 0})
    assert told(asked)["asked"] == 3
    assert files(asked["kept"].parent) == before


def test_a_damaged_table_of_kept_draws_is_refused(asked: dict[str, Any]) -> None:
    write_features(table(mixed(90, 1)), asked["kept"])
    with pytest.raises(ValueError, match=r"draws\.parquet must hold draws of a calibration, with the columns \["):
        calibration.run(**asked)
    asked["kept"].write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"draws\.parquet must be a Parquet file"):
        calibration.run(**asked)


def test_a_run_that_is_stopped_says_so_and_goes_on_where_it_stopped(
    asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calibration.run(**asked)
    whole = told(asked)

    again = {**asked, "store": asked["store"].with_name("again"), "kept": asked["kept"].with_name("again.parquet")}
    computed = calibration.trial
    calls = []

    def stopped(*arguments: Any, **named: Any) -> Any:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(arguments)
        return computed(*arguments, **named)

    monkeypatch.setattr(calibration, "trial", stopped)
    with pytest.raises(KeyboardInterrupt):
        calibration.run(**again)
    monkeypatch.setattr(calibration, "trial", computed)
    calibration.run(**{**again, "minutes": 0})
    page = (asked["docs"] / "calibration.md").read_text()
    assert "**The run is partial**: 2 of 3 draws" in page
    assert ("have no draw yet" in page) is (told(asked)["power"] == [])
    calibration.run(**again)
    assert told(asked) == whole


def test_a_damaged_or_unfinished_file_is_computed_again(asked: dict[str, Any]) -> None:
    calibration.run(**asked)
    whole = files(asked["docs"])
    draws = sorted(asked["store"].rglob("[0-9][0-9][0-9][0-9][0-9].json"))
    assert len(draws) == 3
    draws[0].write_text('{"rows": [{"draw"')
    draws[1].unlink()
    draws[1].with_name(f".{draws[1].name}.part-1").write_text("{")
    asked["kept"].unlink()
    calibration.run(**asked)
    assert {path: content for path, content in files(asked["docs"]).items() if path.suffix == ".json"} == {
        path: content for path, content in whole.items() if path.suffix == ".json"
    }


def test_what_a_draw_depends_on_is_part_of_its_place(asked: dict[str, Any]) -> None:
    calibration.run(**asked)
    other = {**asked, "effort": Effort(splits=7, screening=4, finalists=3, null_draws=20), "minutes": 0}
    calibration.run(**other)
    assert told(asked)["done"] == 0
    calibration.run(**{**asked, "reductions": {"none": Reduction(FunctionTransformer(), draws=5)}, "minutes": 0})
    assert (told(asked)["done"], told(asked)["asked"]) == (3, 6)


def test_a_cloud_called_separated_fails_the_run_after_the_page_is_written(asked: dict[str, Any]) -> None:
    lying = {**asked, "clouds": {"normal": Cloud(NoCloud(120))}}
    with pytest.raises(ValueError, match=r"^The calibration is not as promised: .*kmeans at 2 are called separated\."):
        calibration.run(**lying)
    page = (asked["docs"] / "calibration.md").read_text()
    assert "What was promised and is not so:" in page
    assert "2 of 2 draws of normal, reduction none, kmeans at 2 are called separated." in page


def test_observed_features_give_a_cloud_and_rows_of_the_table(asked: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "features.parquet"
    write_features(table(mixed(90, 1)), path)
    calibration.run(**{**asked, "features": {"shop": path}})
    found = told(asked)
    assert found["absent"] == []
    assert {row["population"] for row in found["rejections"]} == {"normal", "copula of shop"}
    assert [row["data"] for row in found["table"]] == ["normal", "two", "shop, all"]


@pytest.mark.verify
def test_two_workers_find_what_one_finds(asked: dict[str, Any], tmp_path: Path) -> None:
    calibration.run(**asked)
    one = told(asked)
    calibration.run(**{**asked, "workers": 2, "store": tmp_path / "other", "kept": tmp_path / "other.parquet"})
    assert told(asked) == one
