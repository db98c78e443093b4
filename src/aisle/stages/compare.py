"""The segments of all lifestages -> how alike their profiles are, on two scales."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from aisle.comparison import SCALES, Comparison, compare
from aisle.features import FeatureTable
from aisle.figures import comparison_heatmaps
from aisle.partition import NOISE
from aisle.profiles import LABELS
from aisle.selection import Selection, selection_from_json
from aisle.storage import read_arrow, read_features, read_json, write_figure, write_frame, write_json

log = logging.getLogger(__name__)


def run(*, verdicts: Path, labels: Path, features: Path, output: Path) -> None:
    """Write correlations, summary and heatmap into ``output``; ``features`` is the folder of feature tables."""
    selection = selection_from_json(read_json(Path(verdicts)), str(verdicts))
    table = read_features(Path(features) / f"{selection.block}.parquet")
    found = _labels(Path(labels), table)
    comparison = compare(found, table)
    folder = Path(output)
    write_frame(comparison.pairs(), folder / "correlations.parquet")
    write_json(summary(comparison, found, selection), folder / "summary.json")
    figure = comparison_heatmaps(comparison)
    write_figure(figure, folder / "heatmap.png")
    write_figure(figure, folder / "heatmap.svg")
    for note in comparison.notes:
        log.info(note)


def summary(comparison: Comparison, labels: pd.DataFrame, selection: Selection) -> dict[str, Any]:
    """What was compared, in which order the heatmap shows it, the nearest segments, and what the numbers cannot say."""
    inside = labels[labels["segment"] != NOISE]
    counts = inside.groupby("lifestage")["segment"].nunique()
    return {
        "features": selection.features,
        "segments": {str(lifestage): int(count) for lifestage, count in counts.items()},
        "without_segments": {v.lifestage: v.reasons[0] for v in selection.verdicts if v.chosen is None},
        "order": [f"{lifestage} {segment}" for lifestage, segment in comparison.order],
        "nearest": {scale: _nearest(comparison, scale) for scale in SCALES},
        "notes": list(comparison.notes),
    }


def _nearest(comparison: Comparison, scale: str) -> dict[str, dict[str, Any]]:
    return {
        f"{row['lifestage_a']} {row['segment_a']}": {
            "segment": f"{row['lifestage_b']} {row['segment_b']}",
            "correlation": row["correlation"],
        }
        for row in comparison.nearest(scale).to_dict("records")
    }


def _labels(path: Path, features: FeatureTable) -> pd.DataFrame:
    found: pd.DataFrame = read_arrow(path).to_pandas()
    missing = [name for name in LABELS if name not in found]
    if missing:
        raise ValueError(f"{path} must hold the labels that stage=segments writes; it lacks {missing}.")
    unknown = int((~found["customer_id"].isin(features.values.index)).sum())
    if unknown:
        raise ValueError(f"{path} has {unknown} labels of customers without features; run stage=segments again.")
    return found
