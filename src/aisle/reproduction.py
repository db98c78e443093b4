"""Whether a run gave what was published: to the byte, or else scores and labels as near as they should be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from aisle.leaderboard import NAMES

SCORE_TOLERANCE = 1e-6
"""Of a score itself, and of a score beyond 1 in proportion to it."""
FOLLOWS_THE_PROCESSOR = ("umap",)
"""Reducers whose descent turns another processor's last digit into another picture: compared, but not required."""
_ROW = [*NAMES, "parameter", "tuning_value"]


@dataclass(frozen=True)
class Comparison:
    """One sentence a finding, and whether all is as published, as far as another machine allows."""

    same: bool
    findings: tuple[str, ...]


def compare_locks(published: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Outs whose digest in one ``dvc.lock`` is not that in the other, sorted; empty when all are equal."""
    before, after = outputs(published), outputs(found)
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def outputs(lock: Mapping[str, Any]) -> dict[str, str]:
    """Path -> digest of every out in a ``dvc.lock``."""
    stages = lock.get("stages", {}).values()
    return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}


def compare_leaderboards(published: pd.DataFrame, found: pd.DataFrame) -> Comparison:
    """Every score of every candidate and tuning value, within `SCORE_TOLERANCE`.

    Candidates of the reducers that follow the processor are compared and told apart, but may differ.
    """
    before, after = published.set_index(_ROW).sort_index(), found.set_index(_ROW).sort_index()
    if not before.index.equals(after.index):
        missing, new = len(before.index.difference(after.index)), len(after.index.difference(before.index))
        return Comparison(False, (f"Other candidates: {missing} are missing and {new} are new.",))
    scores = before.select_dtypes("number").columns
    lost = scores.difference(after.columns).tolist()
    if lost:
        return Comparison(False, (f"Other scores: {lost} are missing.",))
    difference = ((before[scores] - after[scores]).abs() / before[scores].abs().clip(lower=1)).to_numpy()
    other_gaps = (before[scores].isna() != after[scores].isna()).to_numpy().any(axis=1)
    largest = np.nanmax(difference, axis=1, initial=0.0)
    differs = (largest > SCORE_TOLERANCE) | other_gaps
    follows = before.index.get_level_values("reducer").isin(FOLLOWS_THE_PROCESSOR)
    findings = [_rows_that_differ("leaderboard", differs[~follows], largest[~follows])]
    if follows.any():
        of_those = f"leaderboard that follow the processor ({', '.join(FOLLOWS_THE_PROCESSOR)})"
        findings.append(_rows_that_differ(of_those, differs[follows], largest[follows]))
    return Comparison(not differs[~follows].any(), tuple(findings))


def _rows_that_differ(of_what: str, differs: npt.NDArray[np.bool_], largest: npt.NDArray[np.float64]) -> str:
    rows = f"{len(differs)} rows of the {of_what}, of which {differs.sum()} differ by more than {SCORE_TOLERANCE:g}"
    return f"{rows}: the largest difference of a score is {largest.max(initial=0.0):.1e}."


def compare_labels(published: pd.DataFrame, found: pd.DataFrame) -> Comparison:
    """Agreement (adjusted Rand index) of the chosen segments, per lifestage.

    Both tables have customer_id, lifestage, segment.
    """
    both = published.merge(found, on=["customer_id", "lifestage"], how="outer", suffixes=("_before", "_after"))
    changed = both[both.isna().any(axis=1)]
    findings = []
    if len(changed):
        findings.append(f"{len(changed)} customers are segmented in only one of the two runs.")
    agreement = {}
    for lifestage, rows in both.dropna().groupby("lifestage"):
        agreement[lifestage] = float(adjusted_rand_score(rows["segment_before"], rows["segment_after"]))
    worst = min(agreement.values(), default=0.0)
    findings.append(f"Segments of {len(agreement)} lifestages: the adjusted Rand index is at least {worst:.4f}.")
    same = worst == 1.0 and changed.empty
    return Comparison(same, tuple(findings))
