"""What `evidence=full` reports of finalists besides the measures that decide, as numbers of the dossier's tables."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from aisle.evidence.bootstraps import Pair, bootstrapped
from aisle.evidence.density import density_validity
from aisle.evidence.dossier import REPORTED
from aisle.evidence.gap_statistic import Spread, gap_statistic
from aisle.kernels.threads import one_thread

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

REPORTED_OF_SEGMENTS: Final = ("bootstrap_jaccard", "consensus")


@dataclass(eq=False)
class Reported:
    """What has been found of one candidate so far.

    ``pairs`` of bootstrap samples, ``validity`` (m,) the DBCV of its m partitions, ``own`` their spread and ``drawn``
    that of null draws; all are empty for who is no finalist.
    """

    pairs: list[Pair] = field(default_factory=list)
    validity: Values | None = None
    own: Spread | None = None
    drawn: list[Spread] = field(default_factory=list)

    def of_partitions(self, labelings: Labels, *, seed: int) -> Iterator[tuple[dict[str, float], dict[str, Values]]]:
        """Of each partition (n,) of ``labelings`` the measures `REPORTED`, and (k,) of `REPORTED_OF_SEGMENTS`."""
        samples = sum(len(pair.samples) for pair in self.pairs)
        counts = {"bootstraps": samples, "failed_bootstraps": sum(len(pair.failures) for pair in self.pairs)}
        gap = gap_statistic(self.own, self.drawn) if self.own else None
        for place, labels in enumerate(labelings):
            found = bootstrapped(self.pairs, labels, place, seed=seed)
            measures = dict.fromkeys(REPORTED, np.nan) | counts
            measures |= {
                "bootstrap_jaccard_worst": _over(np.min, found.jaccards),
                "bootstrap_jaccard_mean": _over(np.mean, found.jaccards),
                "bootstrap_rand": found.rand,
                "instability": found.instability,
                "pac": found.ambiguity,
                "consensus": _over(np.mean, found.consensus[~np.isnan(found.consensus)]),
            }
            if self.validity is not None:
                measures["dbcv"] = float(self.validity[place])
            if gap:
                measures |= {"gap_statistic": float(gap.gap[place]), "gap_error": float(gap.error[place])}
                measures["gap_clusters"] = gap.clusters
            yield measures, {"bootstrap_jaccard": found.jaccards, "consensus": found.consensus}


def validities(space: Values, labelings: Labels) -> Values:
    """DBCV (m,) of the partitions ``labelings`` (m, n) of the customers of ``space`` (n, d)."""
    with one_thread():
        return np.array([density_validity(space, labels) for labels in labelings])


def _over(summary: Callable[[Values], np.float64], values: Values) -> float:
    return float(summary(values)) if values.size else float("nan")
