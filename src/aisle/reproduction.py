"""Whether a run gave what was published: to the byte, or else scores and labels as near as they should be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from aisle.leaderboard import NAMES

SCORE_TOLERANCE = 1e-6
"""Of a score itself, and of a score beyond 1 in proportion to it."""
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
    """Every score of every candidate and tuning value, within `SCORE_TOLERANCE`."""
    before, after = published.set_index(_ROW).sort_index(), found.set_index(_ROW).sort_index()
    if not before.index.equals(after.index):
        missing, new = len(before.index.difference(after.index)), len(after.index.difference(before.index))
        return Comparison(False, (f"Other candidates: {missing} are missing and {new} are new.",))
    scores = before.select_dtypes("number").columns
    lost = scores.difference(after.columns).tolist()
    if lost:
        return Comparison(False, (f"Other scores: {lost} are missing.",))
    difference = ((before[scores] - after[scores]).abs() / before[scores].abs().clip(lower=1)).to_numpy()
    other_gaps = (before[scores].isna() != after[scores].isna()).to_numpy()
    largest = float(np.nanmax(difference, initial=0.0))
    beyond = int((np.nan_to_num(difference) > SCORE_TOLERANCE).any(axis=1).sum())
    same = beyond == 0 and not other_gaps.any()
    found_rows = f"{len(before)} rows of the leaderboard, of which {beyond} differ by more than {SCORE_TOLERANCE:g}"
    return Comparison(same, (f"{found_rows}: the largest difference of a score is {largest:.1e}.",))


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
