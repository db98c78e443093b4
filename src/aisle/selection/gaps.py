"""What could have been seen: few customers must not be mistaken for a continuum."""

import math
from dataclasses import replace

import pandas as pd

from aisle.evidence import smallest_gap
from aisle.selection.reasons import why_unseen
from aisle.selection.verdict import Verdict


def with_smallest_gap(verdict: Verdict, segments: pd.DataFrame) -> Verdict:
    """The verdict with the smallest gap that would have been found between each chosen segment and its neighbour.

    ``segments`` has the customer_count and the neighbour of every segment, as `aisle.evidence.Dossier` has.
    """
    chosen = verdict.chosen
    if chosen is None:
        return verdict
    same = (segments["candidate_key"] == chosen.candidate_key) & (segments["tuning_value"] == chosen.tuning_value)
    numbers, counts, neighbours = (segments[same][name].tolist() for name in ("segment", "customer_count", "neighbour"))
    sizes = dict(zip(numbers, counts, strict=True))
    gaps = []
    for segment, neighbour in zip(numbers, neighbours, strict=True):
        pair = sizes[segment], sizes.get(neighbour, 0)
        gaps.append(smallest_gap(sum(pair), min(pair) / sum(pair)) if min(pair) else math.inf)
    return replace(verdict, reasons=(*verdict.reasons, why_unseen(max(gaps, default=math.inf), chosen)))
