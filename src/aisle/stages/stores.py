"""Stores -> whether formats differ, whether segments of stores are the formats, when every kind of basket is bought."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.compute

from aisle.features import EVERYBODY, FeatureTable
from aisle.features.stores import UNKNOWN_FORMAT
from aisle.figures import format_heatmap, rhythm_dots
from aisle.profiles import labels_of, profiles
from aisle.selection import Selection, selection_from_json
from aisle.stages.segments import chosen_partitions
from aisle.storage import read_features, read_json, read_table, write_csv, write_figure, write_frame, write_json
from aisle.stores import KINDS, SEGMENTS, Agreement, Formats, agreement, formats_compared, in_short, rhythm, sentences
from aisle.tables import BASKET_EXTRACT

log = logging.getLogger(__name__)

_BLOCK = "stores"
_PROFILES = ["segment", "feature", "mean", "median", "mean_of_all", "index", "standardised_mean"]
_NAMED = 3
"""Features that are named as those on which formats differ most."""


def run(
    *,
    features: Path,
    extract: Path,
    study: Path,
    working: Sequence[int],
    opening: Sequence[int],
    draws: int,
    permutations: int,
    false_discovery_rate: float,
    seed: int,
    output: Path,
) -> None:
    """Write tables, figures and a summary in words into ``output``; ``features`` are those of stores.

    ``study`` is the folder of a study of stores, whose verdicts in ``select/`` choose the segments; where there are
    none, or they choose nothing for all stores together, nothing is said of segments. Permutations and bootstrap
    samples follow from ``seed``.

    Raises:
        FileNotFoundError: there are no features of stores, or no extract.
        ValueError: hours, rate or numbers of draws make no sense, or the verdicts are of something else than stores.
    """
    if draws < 1:
        raise ValueError(f"stage.draws must be at least 1; got {draws}.")
    table, folder = read_features(Path(features)), Path(output)
    selection = _selection(Path(study) / "select" / "verdicts.json")
    segments = _segments(Path(study) / "labels.parquet", selection, table)
    everybody = pd.Series(0, index=table.values.index) if segments is None else segments
    asked: dict[str, Any] = {"permutations": permutations, "seed": seed}
    formats = formats_compared(table, everybody, rate=false_discovery_rate, **asked)
    agreed = None if segments is None else agreement(segments, table.cohort, **asked)
    ratios = rhythm(_baskets(Path(extract)), working=working, opening=opening, draws=draws, seed=seed)
    tables = {"formats": formats.profiles, "differences": formats.differences, "rhythm": ratios}
    for name, rows in (tables | _of_segments(segments, agreed, table)).items():
        write_frame(rows, folder / f"{name}.parquet")
        write_csv(rows, folder / f"{name}.csv")
    write_csv(in_short(ratios), folder / "ratios.csv")
    told = _summary(table, formats, agreed, selection)
    told["sentences"] += sentences(ratios)
    write_json(told | {"working": list(working), "opening": list(opening)}, folder / "summary.json")
    for name, figure in (
        ("formats", format_heatmap(formats.profiles, formats.differences)),
        ("rhythm", rhythm_dots(ratios)),
    ):
        write_figure(figure, folder / f"{name}.png")
        write_figure(figure, folder / f"{name}.svg")
    for sentence in told["sentences"]:
        log.info(sentence)


def _selection(path: Path) -> Selection | None:
    if not path.exists():
        log.warning("%s is not there: nothing is said of segments; run stage=select study=stores paths=study.", path)
        return None
    selection = selection_from_json(read_json(path), str(path))
    if selection.block != _BLOCK:
        raise ValueError(f"{path} must be verdicts on the features {_BLOCK}; they are on {selection.features}.")
    return selection


def _segments(path: Path, selection: Selection | None, table: FeatureTable) -> "pd.Series[int] | None":
    """The chosen label of every store, all formats together; None where none is chosen."""
    choice = selection.chosen.get(EVERYBODY) if selection else None
    if choice is None:
        return None
    labels = labels_of(chosen_partitions(path, {EVERYBODY: choice}), table)
    found: pd.Series[int] = labels.set_index("customer_id")["segment"].loc[table.values.index]
    return found


def _baskets(extract: Path) -> pd.DataFrame:
    rows = read_table(extract / f"{BASKET_EXTRACT.name}.parquet", BASKET_EXTRACT)
    cents = pyarrow.compute.multiply(rows["spend"], pyarrow.scalar(100)).cast("int64")
    columns = ["store_id", "store_format", "shopped_at", *KINDS, "cents"]
    found: pd.DataFrame = rows.append_column("cents", cents).select(columns).to_pandas()
    return found


def _of_segments(
    segments: "pd.Series[int] | None", agreed: Agreement | None, table: FeatureTable
) -> dict[str, pd.DataFrame]:
    """Tables of the segments; without any row where none were chosen, so that none stays of earlier verdicts."""
    if segments is None or agreed is None:
        return {"segments": pd.DataFrame(columns=SEGMENTS), "profiles": pd.DataFrame(columns=_PROFILES)}
    labels = pd.DataFrame({"customer_id": segments.index, "lifestage": EVERYBODY, "segment": segments.to_numpy()})
    profile = profiles(labels, table).drop(columns="lifestage").rename(columns={"lifestage_mean": "mean_of_all"})
    return {"segments": agreed.table, "profiles": profile[_PROFILES]}


def _most(differences: pd.DataFrame) -> list[str]:
    if differences.empty:
        return []
    differing = differences[differences["differs"]]
    rows = differing.head(_NAMED)[["feature", "eta_squared"]].itertuples(index=False)
    most = ", ".join(f"{feature.replace('_', ' ')} ({effect:.0%} of its variance)" for feature, effect in rows)
    return [f"They differ on {len(differing)} of {len(differences)} features{f', most on {most}' if most else ''}."]


def _summary(
    table: FeatureTable, formats: Formats, agreed: Agreement | None, selection: Selection | None
) -> dict[str, Any]:
    counts = {name: int(count) for name, count in table.cohort.value_counts().sort_index().items()}
    verdict = next((one for one in selection.verdicts if one.lifestage == EVERYBODY), None) if selection else None
    found = [formats.sentence, *_most(formats.differences), *([agreed.sentence] if agreed else [])]
    explained = formats.explained
    numbers = ("lifestage_share", "chance_share", "beyond_chance", "segment_share", "p_value")
    return {
        "question": str(selection.study.get("question", "")) if selection else "",
        "store_count": len(table.values),
        "feature_count": table.values.shape[1],
        "formats": {} if set(counts) == {UNKNOWN_FORMAT} else counts,
        "explained": {name.replace("lifestage", "format"): getattr(explained, name) for name in numbers}
        if explained
        else None,
        "agreement": {name: value for name, value in asdict(agreed).items() if name != "table"} if agreed else None,
        "class": verdict.evidence_class if verdict else "",
        "reasons": list(verdict.reasons) if verdict else [],
        "sentences": found,
    }
