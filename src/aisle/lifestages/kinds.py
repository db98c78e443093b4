"""Which segments of different lifestages are the same kind: one-to-one matches, and kinds over all lifestages."""

from typing import Final

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform

from aisle.comparison import COMMON, SCALES, Comparison
from aisle.features.table import EVERYBODY

ALIKE: Final = 0.5
"""Average correlation from which segments are one kind."""
MATCHES = ["scale", "lifestage_a", "segment_a", "lifestage_b", "segment_b", "correlation", "low", "high"]


def matches(pairs: pd.DataFrame) -> pd.DataFrame:
    """Segments of two lifestages matched one to one, so that their correlations sum to the most; columns `MATCHES`.

    ``pairs`` is what `aisle.lifestages.with_intervals` gives. Where a lifestage has more segments, some stay without a
    match; a match may be a poor one, its correlation says so. The pooled lifestage is left out.
    """
    found = [pairs.iloc[:0][MATCHES]]
    real = pairs[(pairs["lifestage_a"] != EVERYBODY) & (pairs["lifestage_b"] != EVERYBODY)]
    other = real[(real["lifestage_a"] != real["lifestage_b"]) & real["correlation"].notna()]
    for scale in SCALES:
        of_scale = other[other["scale"] == scale]
        for _, rows in of_scale.groupby(["lifestage_a", "lifestage_b"], sort=True):
            table = rows.pivot(index="segment_a", columns="segment_b", values="correlation")
            taken, given = linear_sum_assignment(table.fillna(-2.0).to_numpy(), maximize=True)
            chosen = pd.DataFrame({"segment_a": table.index[taken], "segment_b": table.columns[given]})
            found.append(chosen.merge(rows, on=["segment_a", "segment_b"])[MATCHES])
    return pd.concat(found, ignore_index=True)


def kinds_of(comparison: Comparison) -> pd.DataFrame:
    """The kind of every segment: lifestage, segment, kind (0, 1, ... in the comparison's order).

    Kinds are the clusters of average linkage over 1 - correlation on the common scale, cut where segments correlate by
    less than `ALIKE` on average; an undefined correlation counts as 0. The pooled lifestage is left out.
    """
    keys = [key for key in comparison.order if key[0] != EVERYBODY]
    index = pd.MultiIndex.from_tuples(keys, names=["lifestage", "segment"]) if keys else comparison.order[:0]
    if len(keys) < 2:
        return index.to_frame(index=False).assign(kind=np.zeros(len(keys), dtype=np.int64))
    table = comparison.correlations[COMMON].loc[index, index].fillna(0.0).to_numpy().clip(-1, 1)
    distances = 1 - (table + table.T) / 2
    np.fill_diagonal(distances, 0.0)
    found = fcluster(linkage(squareform(distances, checks=False), method="average"), 1 - ALIKE, criterion="distance")
    numbered, _ = pd.factorize(found)
    return index.to_frame(index=False).assign(kind=numbered.astype(np.int64))
