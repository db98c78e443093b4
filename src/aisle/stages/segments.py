"""The chosen partitions -> the segment of every customer, and what the segments are."""

import logging
from pathlib import Path

import pandas as pd
import pyarrow.compute

from aisle.figures import contrast_dots, profile_heatmap
from aisle.profiles import contrasts, labels_of, profiles, sizes
from aisle.selection import Choice, selection_from_json
from aisle.storage import read_arrow, read_features, read_json, write_csv, write_figure, write_frame

log = logging.getLogger(__name__)

_CONTRASTS = 8
"""Features shown per lifestage in the figure of contrasts."""


def run(*, verdicts: Path, labels: Path, features: Path, output: Path) -> None:
    """Write labels, sizes, profiles and their figures into ``output``; ``features`` is the folder of feature tables.

    Where no lifestage is to be segmented, by the evidence, the tables are empty and the figures say so.
    """
    selection = selection_from_json(read_json(Path(verdicts)), str(verdicts))
    if not selection.chosen and not any(verdict.evidence_class for verdict in selection.verdicts):
        reasons = " ".join(verdict.reasons[0] for verdict in selection.verdicts)
        raise ValueError(
            f"{verdicts} must choose a candidate for a lifestage, to have segments; {reasons or 'it is empty.'}"
        )
    table = read_features(Path(features) / f"{selection.block}.parquet")
    found = labels_of(_partitions(Path(labels), selection.chosen), table)
    size, profile = sizes(found, table), profiles(found, table)
    strongest = contrasts(profile, size).groupby("lifestage", sort=False).head(_CONTRASTS)
    folder = Path(output)
    write_frame(found, folder / "labels.parquet")
    write_csv(found, folder / "labels.csv")
    write_frame(profile, folder / "profiles.parquet")
    write_csv(size, folder / "sizes.csv")
    for name, figure in (
        ("profiles", profile_heatmap(profile, size)),
        ("contrasts", contrast_dots(profile, strongest)),
    ):
        write_figure(figure, folder / f"{name}.png")
        write_figure(figure, folder / f"{name}.svg")
    counts = {lifestage: choice.n_clusters for lifestage, choice in selection.chosen.items()}
    for lifestage, rows in strongest.groupby("lifestage", sort=False):
        told = ", ".join(f"{row.feature} ({row.explained_share:.0%})" for row in rows.head(3).itertuples())
        log.info("%s: %d segments; they explain the most variance of %s", lifestage, counts[str(lifestage)], told)


def _partitions(path: Path, chosen: dict[str, Choice]) -> "dict[str, pd.Series[int]]":
    """Labels by customer of every lifestage's chosen partition."""
    rows = read_arrow(path)
    missing = sorted({"candidate_key", "tuning_value", "customer_id", "label"} - set(rows.column_names))
    if missing:
        raise ValueError(f"{path} must hold a study's labels; it lacks {missing}.")
    return {lifestage: _labels(rows, choice, lifestage, path) for lifestage, choice in chosen.items()}


def _labels(rows: pyarrow.Table, choice: Choice, lifestage: str, path: Path) -> "pd.Series[int]":
    same_key = pyarrow.compute.equal(rows["candidate_key"], choice.candidate_key)
    same_value = pyarrow.compute.equal(rows["tuning_value"], choice.tuning_value)
    found = rows.filter(pyarrow.compute.and_(same_key, same_value)).to_pandas()
    if found.empty:
        raise ValueError(
            f"{path} lacks the candidate chosen for {lifestage}, {choice.candidate_key} at {choice.parameter} = "
            f"{choice.tuning_value:g}; run the study and stage=select again."
        )
    found_labels: pd.Series[int] = found.set_index("customer_id")["label"]
    return found_labels
