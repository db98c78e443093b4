"""Is there a gap between a segment and its nearest neighbour? Found on one half of the customers, tested on the other.

Any two parts of a continuum differ, and along the line that tells them apart they seem to be separated, if that line is
drawn through the customers it is judged by. So the line is drawn on one half and the other half is projected onto it:
customers of one population then have one mode, and Hartigan's dip rejects it only where there is a gap.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.assignment import centroids
from aisle.evidence.hartigan import dip_test
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_RIDGE: Final = 1e-9
FEWEST_LEVELS: Final = 11
"""A column with fewer distinct values has gaps by nature, and is a rule rather than a direction."""


BINS: Final = 100
EDGES: Final = (-2.0, 3.0)
"""Of the line between two clusters: its bins and its ends; 0 is the mean of the cluster, 1 that of its neighbour."""


@dataclass(frozen=True, eq=False)
class Valley:
    """A cluster against its nearest neighbour: the p-value of their held-out customers having one mode.

    ``counts`` (`BINS`,): how many of these lie in each bin of the line; those beyond an end are in its last bin.
    """

    cluster: int
    neighbour: int
    p: float
    counts: Labels


def continuous(values: pd.DataFrame) -> list[str]:
    """Columns with more than 10 distinct values: along these a gap can be seen."""
    return [str(name) for name in values.columns if values[name].nunique() >= FEWEST_LEVELS]


def valleys(known: Values, labels: Labels, new: Values, assigned: Labels) -> list[Valley]:
    """The valley between each cluster and its nearest neighbour, one for each cluster 0..k-1 of ``labels``.

    ``known`` (n, d) with ``labels`` (n,) are the customers the clusters were found on; ``new`` (p, d) with ``assigned``
    (p,) those held out, in the same standardised space of continuous columns. Empty below two clusters.
    """
    if int(labels.max(initial=NOISE)) < 1 or not known.shape[1]:
        return []
    centres = centroids(known, labels)
    apart = ((centres[:, np.newaxis] - centres) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    pairs = [(cluster, int(neighbour)) for cluster, neighbour in enumerate(apart.argmin(axis=1))]
    tested = {
        (one, other): _tested(positions(known, labels, new[np.isin(assigned, (one, other))], one, other))
        for one, other in sorted({(min(pair), max(pair)) for pair in pairs})
    }
    found = []
    for one, other in pairs:
        p, counts = tested[min(one, other), max(one, other)]
        found.append(Valley(one, other, p, counts if one < other else counts[::-1]))
    return found


def _tested(places: Values) -> tuple[float, Labels]:
    return dip_test(places)[1], np.histogram(np.clip(places, *EDGES), BINS, EDGES)[0]


def positions(known: Values, labels: Labels, new: Values, one: int, other: int) -> Values:
    """Where customers ``new`` (p, d) lie on the line that tells two clusters apart: 0 at the mean of one, 1 of other.

    The line is the linear discriminant with the covariance within the two clusters shrunken (Ledoit & Wolf 2004).
    """
    parts = [known[labels == cluster] for cluster in (one, other)]
    centres = [part.mean(axis=0) for part in parts]
    inside = np.concatenate([part - centre for part, centre in zip(parts, centres, strict=True)])
    covariance = shrunken_covariance(inside)
    spread = np.trace(covariance) / len(covariance)
    difference = centres[1] - centres[0]
    line = np.linalg.solve(covariance + _RIDGE * spread * np.eye(len(covariance)), difference) if spread else difference
    length = difference @ line
    return np.asarray((new - centres[0]) @ line / length if length else np.zeros(len(new)))


def shrunken_covariance(centred: Values) -> Values:
    """Covariance (d, d) of centred rows (n, d), shrunken towards equal variances without correlation.

    That of Ledoit & Wolf (2004), equal to scikit-learn's without its checks of the input, which cost more than it does.
    """
    n, d = centred.shape
    covariance = centred.T @ centred / n
    mean = np.trace(covariance) / d
    squares = (covariance**2).sum()
    distance = squares - d * mean**2
    noise = ((((centred**2).sum(axis=1)) ** 2).sum() / n - squares) / n
    share = min(noise, distance) / distance if distance > 0 else 0.0
    return np.asarray((1 - share) * covariance + share * mean * np.eye(d))
