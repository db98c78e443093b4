"""The segments of all lifestages -> how alike their profiles are, on two scales, and whether lifestages differ."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pandas as pd

from aisle.comparison import SCALES, Comparison, compare
from aisle.features import FeatureTable
from aisle.figures import comparison_heatmaps
from aisle.lifestages import Explained, answer, cross_assignment, explained, kinds_of, matches, with_intervals
from aisle.partition import NOISE
from aisle.profiles import LABELS
from aisle.selection import Selection, selection_from_json
from aisle.storage import read_arrow, read_features, read_json, write_csv, write_figure, write_frame, write_json

log = logging.getLogger(__name__)

NO_VARIANCE = pd.DataFrame(columns=["feature", "lifestage_share", "chance_share", "segment_share", "p_value"])
"""What is known of the variance where fewer than two lifestages have segments."""


def run(
    *, verdicts: Path, labels: Path, features: Path, draws: int, permutations: int, seed: int, output: Path
) -> None:
    """Write what lifestages have in common into ``output``; ``features`` is the folder of feature tables.

    Tables: correlations with intervals of ``draws`` bootstrap samples, one-to-one matches, the agreement of every
    lifestage's rule with the segments of the others, the variance that lifestage explains, with a test of
    ``permutations``; the summary has the answer in words. Draws and permutations follow from ``seed``.
    """
    selection = selection_from_json(read_json(Path(verdicts)), str(verdicts))
    table = read_features(Path(features) / f"{selection.block}.parquet")
    found = _labels(Path(labels), table)
    comparison = compare(found, table)
    pairs = with_intervals(comparison, found, table, draws=draws, seed=seed)
    variance = explained(found, table, permutations=permutations, seed=seed)
    agreement = cross_assignment(found, table, seed=seed)
    matched, told = matches(pairs), answer(variance, agreement)
    folder = Path(output)
    write_frame(pairs, folder / "correlations.parquet")
    write_csv(matched, folder / "matches.csv")
    write_csv(agreement, folder / "agreement.csv")
    write_csv(NO_VARIANCE if variance is None else variance.features, folder / "variance.csv")
    names = _names(found)
    content = summary(comparison, found, selection)
    content |= {
        "answer": asdict(told),
        "variance": None if variance is None else _numbers(variance),
        "kinds": _kinds(comparison, names),
        "names": {f"{lifestage} {segment}": name for (lifestage, segment), name in names.items()},
    }
    write_json(content, folder / "summary.json")
    figure = comparison_heatmaps(comparison, pairs, names)
    write_figure(figure, folder / "heatmap.png")
    write_figure(figure, folder / "heatmap.svg")
    for note in comparison.notes:
        log.info(note)
    log.info(told.sentence)


def _names(labels: pd.DataFrame) -> dict[tuple[str, int], str]:
    """Names by lifestage and segment, where the labels have them."""
    if "segment_name" not in labels:
        return {}
    inside = labels[labels["segment"] != NOISE].drop_duplicates(["lifestage", "segment"])
    keys = zip(inside["lifestage"], inside["segment"].astype(int), strict=True)
    return dict(sorted(zip(keys, inside["segment_name"], strict=True)))


def _kinds(comparison: Comparison, names: Mapping[tuple[str, int], str]) -> list[list[str]]:
    """The segments of every kind, with their names."""
    return [
        [
            f"{lifestage} {segment} {names.get((lifestage, int(segment)), '')}".strip()
            for lifestage, segment in own[["lifestage", "segment"]].itertuples(index=False)
        ]
        for _, own in kinds_of(comparison).groupby("kind", sort=True)
    ]


def _numbers(variance: Explained) -> dict[str, Any]:
    return {field.name: getattr(variance, field.name) for field in fields(variance) if field.name != "features"}


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
