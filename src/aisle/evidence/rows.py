"""What was found of one partition, as rows of the dossier's tables."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aisle.evidence.stability import Stability
from aisle.evidence.valley import BINS, EDGES
from aisle.partition import NOISE

Labels = npt.NDArray[np.int64]

SEGMENT: Final = ("segment", "customer_count", "jaccard", "dissolved", "valley_p", "neighbour")
GAP: Final = ("segment", "neighbour", "valley_p", "position", "share")


def null_measures(score: float, drawn: Sequence[float], failed: int) -> dict[str, float]:
    """A ranking score among those of null draws: their mean and standard deviation, z, rank p, how many.

    p = (1 + draws that score as high) / (1 + draws) (Davison & Hinkley 1997). An undefined score of a draw (no two
    clusters) is no rival: it counts as 0. Of draws that ``failed`` nothing is known: each counts as one that scores as
    high. Where there is no draw or the score is undefined, p is NaN.
    """
    known = np.nan_to_num(np.array(drawn, dtype=np.float64))
    found = {"null_mean": np.nan, "null_sd": np.nan, "null_z": np.nan, "null_p": np.nan, "null_draws": known.size}
    if not known.size + failed or np.isnan(score):
        return found
    found["null_p"] = (1 + failed + int((known >= score).sum())) / (1 + failed + known.size)
    if known.size < 2:
        return found
    mean, spread = float(known.mean()), float(known.std(ddof=1))
    return found | {"null_mean": mean, "null_sd": spread, "null_z": (score - mean) / spread if spread else np.nan}


def stability_measures(stability: Stability) -> dict[str, float]:
    """The measures of the verdict that come from splits; NaN where nothing is defined."""
    defined = stability.jaccards.size > 0
    return {
        "ranking_error": stability.error,
        "valley_p": stability.valley,
        "jaccard_worst": float(stability.jaccards.min()) if defined else np.nan,
        "jaccard_mean": float(stability.jaccards.mean()) if defined else np.nan,
        "strength": stability.strength,
        "replication": stability.replication,
        "splits": stability.splits,
    }


def segment_rows(labels: Labels, stability: Stability) -> Iterator[dict[str, Any]]:
    """A row for each cluster 0..k-1 of a partition of all customers."""
    sizes = np.bincount(labels[labels != NOISE], minlength=stability.jaccards.size)
    for segment, gap in enumerate(stability.gaps):
        yield {
            "segment": segment,
            "customer_count": int(sizes[segment]),
            "jaccard": float(stability.jaccards[segment]),
            "dissolved": float(stability.dissolved[segment]),
            "valley_p": float(stability.valleys[segment]),
            "neighbour": gap.neighbour if gap else NOISE,
        }


def gap_rows(stability: Stability) -> Iterator[dict[str, Any]]:
    """A row for each bin between a cluster and its neighbour in which there are held-out customers."""
    centres = EDGES[0] + (np.arange(BINS) + 0.5) * (EDGES[1] - EDGES[0]) / BINS
    for segment, gap in enumerate(stability.gaps):
        if gap:
            shares = gap.counts / max(1, gap.counts.sum())
            for place in np.flatnonzero(gap.counts).tolist():
                yield {
                    "segment": segment,
                    "neighbour": gap.neighbour,
                    "valley_p": float(stability.valleys[segment]),
                    "position": round(float(centres[place]), 6),
                    "share": float(shares[place]),
                }
