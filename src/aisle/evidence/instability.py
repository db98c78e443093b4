"""Whether two rules that were learnt on different samples tell the same customers apart (Fang & Wang 2012)."""

import numpy as np
import numpy.typing as npt

from aisle.evidence.agreement import overlaps

Labels = npt.NDArray[np.int64]


def disagreement(one: Labels, other: Labels) -> float:
    """Share of the pairs of customers that one partition keeps together and the other splits, in [0, 1].

    Lower is more stable; it is 1 less the Rand index. With a(i) and b(j) customers in cluster i of ``one`` and j of
    ``other`` and m(i, j) in both, (sum a(i)^2 + sum b(j)^2 - 2 sum m(i, j)^2) / (n (n - 1)). All noise together is a
    cluster. A partition that puts everybody together disagrees with none like it: a trivial one is stable (Ben-David &
    von Luxburg 2006). NaN below two customers.

    The instability of a clustering is its mean over pairs of bootstrap samples, each clustered by itself, after both
    rules have assigned everybody (Fang & Wang 2012). R's fpc::nselectboot divides by n^2 and counts only the pairs that
    the first of the two keeps together, which gives half as much.

    >>> round(disagreement(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])), 3)
    0.5
    """
    pairs = one.size * (one.size - 1)
    if not pairs:
        return float("nan")
    both = overlaps(one + 1, other + 1)
    apart = (both.sum(axis=1) ** 2).sum() + (both.sum(axis=0) ** 2).sum() - 2 * (both**2).sum()
    return float(apart / pairs)
