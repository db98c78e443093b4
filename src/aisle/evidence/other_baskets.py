"""Replication over time: clusters found on one half of every customer's baskets, looked for on the other.

The halves are the weeks, first and second, or each other basket, odd and even. Both halves go through the same scaler,
reducer and clusterer; the other half's customers are also given clusters by the rule learnt on the first.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import config_context

from aisle.assignment import assign
from aisle.evidence.agreement import count, matches, replicated
from aisle.evidence.resamples import Pipelines
from aisle.evidence.stability import standardised_by
from aisle.features.table import FeatureTable
from aisle.kernels.threads import one_thread
from aisle.partition import NOISE

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OtherBaskets:
    """Clusters of one half (``found``, by customer), and what the other half says.

    ``own`` are the clusters that the other half has by itself, ``assigned`` those that the rule of ``found`` gives its
    customers: the nearest centroid or neighbours in the features standardised as in the first half. Not everybody need
    have features in both halves.
    """

    found: "pd.Series[int]"
    own: "pd.Series[int]"
    assigned: "pd.Series[int]"

    @property
    def customers(self) -> pd.Index:
        """Those in both halves, sorted."""
        return self.found.index.intersection(self.own.index).sort_values()

    @property
    def replication(self) -> float:
        """Adjusted Rand index of ``own`` and ``assigned``: whether the other half is cut the same way; at most 1.

        0 where either has no two clusters: nothing is replicated then.
        """
        return replicated(_numbers(self.own), _numbers(self.assigned))

    @property
    def stayed_share(self) -> float:
        """Share of the customers in both halves and in a cluster whom the rule leaves there, in [0, 1]; NaN without."""
        both = self.customers
        inside = both[(self.found.loc[both] != NOISE).to_numpy()]
        return float((self.found.loc[inside] == self.assigned.loc[inside]).mean()) if len(inside) else float("nan")

    def named_as(self, segments: "pd.Series[int]") -> "pd.Series[int]":
        """``found`` with the numbers of the ``segments`` (of all baskets) that its clusters are most like.

        They are paired one to one by the largest sum of Jaccard coefficients; a cluster without a partner gets a number
        above all segments'.
        """
        shared = self.found.index.intersection(segments.index)
        matched = matches(_numbers(self.found.loc[shared]), _numbers(segments.loc[shared]))
        found = _numbers(self.found)
        partner = np.full(count(found) + 1, NOISE, dtype=np.int64)  # the last is noise's own
        partner[: matched.size] = matched
        alone = np.flatnonzero(partner[:-1] == NOISE)
        partner[alone] = count(_numbers(segments)) + np.arange(alone.size)
        return pd.Series(partner[found], index=self.found.index, name="segment")


def look_at_other_baskets(
    found_on: FeatureTable, looked_at: FeatureTable, pipelines: Pipelines, name: str, *, place: int
) -> OtherBaskets:
    """The partition at ``place`` of the path of the clusterer ``name``, found on one half and looked for on the other.

    Features that one of the halves lacks are left out.

    Raises:
        ValueError: the halves share no feature, or the clusterer fails on one of them.
    """
    columns = [column for column in found_on.values if column in looked_at.values]
    if not columns:
        raise ValueError("The two halves must have a feature in common; they have none.")
    first, second = (FeatureTable(half.values[columns], half.cohort) for half in (found_on, looked_at))
    with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
        found, own = (_labels(half, pipelines, name, place) for half in (first, second))
        known, new = (standardised_by(first.values.to_numpy(), half.values.to_numpy()) for half in (first, second))
        assigned = assign(known, found[np.newaxis], new)[0]
    return OtherBaskets(
        pd.Series(found, index=first.values.index, name="found"),
        pd.Series(own, index=second.values.index, name="own"),
        pd.Series(assigned, index=second.values.index, name="assigned"),
    )


def _labels(half: FeatureTable, pipelines: Pipelines, name: str, place: int) -> Labels:
    labelings = pipelines.cluster(half)[name]
    if isinstance(labelings, str):
        raise ValueError(f"There are no clusters of {len(half.values)} customers: {labelings}")
    found: Labels = labelings[place]
    return found


def _numbers(labels: "pd.Series[int]") -> Labels:
    return np.asarray(labels, dtype=np.int64)
