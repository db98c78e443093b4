"""What could have been seen: few customers must not be mistaken for a continuum."""

from dataclasses import replace

import pandas as pd

from aisle.evidence import unseen_gap
from aisle.selection.reasons import why_unseen
from aisle.selection.verdict import Verdict


def with_smallest_gap(verdict: Verdict, segments: pd.DataFrame, *, valley_p: float) -> Verdict:
    """The verdict with the smallest gap that would have been found between each segment and its neighbour.

    The segments are those of the partition that was chosen, or of the best one where none is to be. A segment whose
    neighbour on the split is nobody's is held against the smallest other one.

    ``segments`` has the customer_count and the neighbour of every segment, as `aisle.evidence.Dossier` has;
    ``valley_p`` is the threshold of the valley test.
    """
    chosen = verdict.chosen or verdict.rejected
    if chosen is None:
        return verdict
    same = (segments["candidate_key"] == chosen.candidate_key) & (segments["tuning_value"] == chosen.tuning_value)
    numbers, counts, neighbours = (segments[same][name].tolist() for name in ("segment", "customer_count", "neighbour"))
    sizes = dict(zip(numbers, counts, strict=True))
    pairs = []
    for segment, neighbour in zip(numbers, neighbours, strict=True):
        others = [one for one in sizes if one != segment]
        other = neighbour if neighbour in sizes else min(others, key=sizes.__getitem__)
        pairs.append((sizes[segment], sizes[other]))
    return replace(verdict, reasons=(*verdict.reasons, why_unseen(unseen_gap(pairs, valley_p=valley_p), chosen)))
