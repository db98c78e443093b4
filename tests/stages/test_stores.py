"""The stage of stores: every table, figure and sentence, also where formats, verdicts or segments are missing."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pandas as pd
import pyarrow
import pytest

from aisle.features import FeatureTable
from aisle.leaderboard import RANKED_BY
from aisle.selection import Choice, Selection, SelectionRule, Tally, Verdict, selection_to_json
from aisle.stages.stores import run
from aisle.storage import read_json, write_features, write_frame, write_json, write_table
from aisle.tables import BASKET_EXTRACT

RULE = SelectionRule(floor=0.05, tie_tolerance=1e-9, cost_rank=["kmeans"])
TABLES = ("differences", "formats", "profiles", "rhythm", "segments")
STORES = 24


def study(folder: Path, *, formats: tuple[str, ...] = ("LS", "MS"), block: str = "stores") -> Path:
    """Features, baskets and two chosen segments of stores, which are the formats but for one store."""
    rng = np.random.default_rng(1)
    index = pd.Index([f"s{number:02d}" for number in range(STORES)], name="customer_id")
    cohort = pd.Series([formats[number % len(formats)] for number in range(STORES)], index=index, name="cohort")
    segment = (np.arange(STORES) % 2).astype(int)
    segment[0] = 1
    values = pd.DataFrame(rng.normal(5, 1, (STORES, 3)), index=index, columns=["spend_mean", "hour_mean", "mix_bread"])
    values["spend_mean"] += 3 * segment
    write_features(FeatureTable(values, cohort), folder / "features" / "stores.parquet")
    labels = pd.DataFrame({"customer_id": index, "label": 1 - segment}).assign(candidate_key="key", tuning_value=2.0)
    write_frame(labels, folder / "stores" / "labels.parquet")
    choice = Choice(block, "standard", "none", "kmeans", "key", "n_clusters", 2.0, 2, {RANKED_BY: 0.4}, "reproducible")
    verdict = Verdict(
        "all", STORES, choice, ("It comes back.", "No gap."), (), Tally(1, 1, 1, 1, {}, {}), (), "reproducible"
    )
    selection = Selection(block, RULE, {"study": "stores", "question": "Which kinds?"}, (verdict,))
    write_json(selection_to_json(selection), folder / "stores" / "select" / "verdicts.json")
    days = pd.date_range("2024-03-02 10:00", periods=14, freq="29h")
    rows = [
        {
            "basket_id": f"b{number:02d}-{day:02d}",
            "customer_id": "c1",
            "lifestage": "YA",
            "price_sensitivity": None,
            "store_id": store,
            "store_format": None if cohort[store] == "unknown" else cohort[store],
            "store_region": None,
            "shopped_at": moment.to_pydatetime(),
            "basket_size": ("S", "L")[day % 2],
            "basket_type": ("Small Shop", "Full Shop")[day % 2],
            "dominant_mission": "Fresh",
            "basket_price_sensitivity": None,
            "quantity_std": 0.0,
            "product_count": 1,
            "item_count": 1,
            "spend": Decimal("1.50") * (1 + day % 2),
        }
        for number, store in enumerate(index)
        for day, moment in enumerate(days)
    ]
    baskets = pyarrow.Table.from_pylist(rows, schema=BASKET_EXTRACT.arrow_schema)
    write_table(baskets, BASKET_EXTRACT, folder / "extract" / "basket_extract.parquet")
    return folder


def compared(folder: Path, **changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"working": [9, 17], "opening": [8, 22], "draws": 20, "permutations": 99, "seed": 1}
    run(
        features=folder / "features" / "stores.parquet",
        extract=folder / "extract",
        study=folder / "stores",
        output=folder / "stores",
        **({"false_discovery_rate": 0.05} | usual | changes),
    )
    return read_json(folder / "stores" / "summary.json")


def test_everything_is_written_the_same_again_and_said_in_words(tmp_path: Path) -> None:
    told = compared(study(tmp_path))
    assert told["formats"] == {"LS": 12, "MS": 12}
    assert told["class"] == "reproducible"
    assert told["reasons"] == ["It comes back.", "No gap."]
    assert told["agreement"]["guessed_share"] == pytest.approx(23 / 24)
    assert told["sentences"][0].startswith("Store formats differ: ")
    assert told["sentences"][1].startswith("They differ on 1 of 3 features, most on spend mean (")
    assert told["sentences"][2].startswith("Segments of stores are much like the formats: ")
    files = {path.name: path.read_bytes() for path in (tmp_path / "stores").iterdir() if path.is_file()}
    figures = [f"{name}.{kind}" for name in ("formats", "rhythm") for kind in ("png", "svg")]
    tables = [f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")]
    assert sorted(files) == sorted([*figures, *tables, "labels.parquet", "ratios.csv", "summary.json"])
    compared(tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "stores").iterdir() if path.is_file()} == files


def test_without_verdicts_nothing_is_said_of_segments_and_none_stay_of_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    compared(study(tmp_path))
    (tmp_path / "stores" / "select" / "verdicts.json").unlink()
    told = compared(tmp_path)
    assert told["agreement"] is None
    assert told["class"] == ""
    assert "nothing is said of segments; run stage=select study=stores paths=study" in caplog.text
    assert pd.read_csv(tmp_path / "stores" / "segments.csv").empty
    assert len(told["sentences"]) == 4


def test_without_formats_the_ratios_are_there_and_the_rest_is_said_to_be_unknown(tmp_path: Path) -> None:
    told = compared(study(tmp_path, formats=("unknown",)))
    assert told["formats"] == {}
    assert told["sentences"][0] == "Formats cannot be compared: the source knows none."
    assert "cannot be held against formats" in told["sentences"][1]
    ratios = pd.read_csv(tmp_path / "stores" / "rhythm.csv")
    assert set(ratios["format"]) == {"all"}
    assert ratios["ratio"].notna().any()


def test_verdicts_on_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be verdicts on the features stores; they are on baskets\.$"):
        compared(study(tmp_path, block="baskets"))


@pytest.mark.parametrize(
    "missing", ["features/stores.parquet", "extract/basket_extract.parquet", "stores/labels.parquet"]
)
def test_a_missing_file_is_one_sentence(tmp_path: Path, missing: str) -> None:
    study(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"{missing} is needed and missing"):
        compared(tmp_path)


def test_no_draw_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"stage\.draws must be at least 1; got 0\."):
        compared(study(tmp_path), draws=0)


def test_the_stage_runs_as_it_is_configured(tmp_path: Path, compose: Callable[..., Any]) -> None:
    study(tmp_path / "artifacts")
    hydra.utils.call(compose("stage=stores", "stage.draws=20", "stage.permutations=19", f"paths.root={tmp_path}").stage)
    assert (tmp_path / "artifacts/stores/summary.json").exists()
