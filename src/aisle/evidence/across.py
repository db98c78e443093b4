"""Segments across solutions: from where each segment of a partition recruits its customers in the one before.

Segment level stability is twofold (Dolnicar & Leisch 2017). Within a solution (SLSW) it is how well a segment comes
back on resamples of the customers: the mean best Jaccard coefficient that the dossier gives as ``jaccard``, taken over
halves of the customers where the authors take pairs of bootstrap samples. Across solutions (SLSA) it is computed here.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.evidence.agreement import count
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

SLSA_COLUMNS: Final = ("tuning_value", "segment", "customer_count", "slsa")


def recruits(before: Labels, after: Labels) -> npt.NDArray[np.int64]:
    """Customers who went from group i of ``before`` to group j of ``after``, (k + 1, l + 1).

    The groups are the segments and, in the last row and the last column, noise.

    >>> recruits(np.array([0, 0, 0, -1]), np.array([0, 0, 1, 1])).tolist()
    [[2, 1, 0], [0, 1, 0]]
    """
    k, size = count(before), count(after)
    rows, columns = np.where(before == NOISE, k, before), np.where(after == NOISE, size, after)
    return np.bincount(rows * (size + 1) + columns, minlength=(k + 1) * (size + 1)).reshape(k + 1, size + 1)


def across(before: Labels, after: Labels) -> Values:
    """Segment level stability across solutions (SLSA) of every segment of ``after``, (l,), in [0, 1], higher is better.

    1 - H / log(k): H is the entropy of the shares that a segment recruits from the k segments of ``before``, the
    partition with fewer segments that precedes it. 1: all of its customers were together before; 0: it is made of equal
    parts of everything. Where ``before`` has noise, noise is one more of the k groups. NaN where k is below 2, as all
    customers come from one group then whatever the partition is (Dolnicar & Leisch 2017; R's flexclust::slsaplot).

    >>> across(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])).round(3).tolist()
    [1.0, 0.0, 1.0]
    """
    moved = recruits(before, after)[:, :-1]
    groups = count(before) + int((before == NOISE).any())
    if groups < 2:
        return np.full(moved.shape[1], np.nan)
    shares = moved / moved.sum(axis=0)
    entropy = -(shares * np.log(shares, out=np.zeros_like(shares), where=shares > 0)).sum(axis=0)
    return np.asarray(np.clip(1.0 - entropy / np.log(groups), 0.0, 1.0))


def across_solutions(labelings: pd.DataFrame) -> pd.DataFrame:
    """SLSA of every segment of every partition, against the partition in the column before it: `SLSA_COLUMNS`.

    ``labelings`` has a row per customer and a column per tuning value, in the order of the path, with labels 0..k-1 and
    -1 for noise. The first partition follows none, so its segments are NaN.
    """
    rows, before = [], None
    for value in labelings.columns:
        labels = labelings[value].to_numpy(dtype=np.int64)
        sizes = np.bincount(labels[labels != NOISE], minlength=count(labels))
        found = np.full(len(sizes), np.nan) if before is None else across(before, labels)
        rows += [
            dict(zip(SLSA_COLUMNS, (value, segment, int(sizes[segment]), found[segment]), strict=True))
            for segment in range(len(sizes))
        ]
        before = labels
    return pd.DataFrame(rows, columns=list(SLSA_COLUMNS))
