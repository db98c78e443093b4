"""Segments of all lifestages beside each other: the correlation of their profiles, on two scales.

The classic picture standardises features within each lifestage. That has two traps. It has lost exactly the
differences between lifestages that are asked about, so profiles are also compared on one common scale. And where
everybody of a lifestage is in one of two segments, the two profiles mirror each other by construction.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from aisle.features.table import FeatureTable
from aisle.partition import NOISE

WITHIN = "lifestage"
"""Each feature in standard deviations from its mean in the segment's own lifestage."""
COMMON = "common"
"""Each feature in standard deviations from its mean over the customers of all compared lifestages."""
SCALES = (WITHIN, COMMON)
_FLAT = 1e-9
_FEWEST_FEATURES = 3


@dataclass(frozen=True, eq=False)
class Comparison:
    """Correlations of segment profiles, by scale: square, in [-1, 1], NaN = undefined; rows and columns in ``order``.

    ``order`` puts similar segments (on the common scale) next to each other. ``feature_count`` are the features a
    correlation is over. ``notes`` say in sentences what the numbers cannot.
    """

    order: pd.MultiIndex
    correlations: dict[str, pd.DataFrame]
    feature_count: dict[str, pd.DataFrame]
    notes: tuple[str, ...]

    def pairs(self) -> pd.DataFrame:
        """One row per scale and unordered pair of segments: scale, both keys, correlation, feature_count."""
        return pd.concat([_pairs(self.correlations[s], self.feature_count[s], s) for s in SCALES], ignore_index=True)

    def nearest(self, scale: str) -> pd.DataFrame:
        """The segment of another lifestage most like each segment, and the correlation; sorted by segment.

        A segment without a defined correlation to another lifestage is left out.
        """
        pairs = _pairs(self.correlations[scale], self.feature_count[scale], scale)
        mirrored = pairs.rename(columns=_swapped(pairs.columns))
        both = pd.concat([pairs, mirrored], ignore_index=True)
        foreign = both[(both["lifestage_a"] != both["lifestage_b"]) & both["correlation"].notna()]
        order = ["lifestage_a", "segment_a", "correlation", "lifestage_b", "segment_b"]
        best = foreign.sort_values(order, ascending=[True, True, False, True, True], kind="stable")
        columns = ["lifestage_a", "segment_a", "lifestage_b", "segment_b", "correlation"]
        return best.drop_duplicates(["lifestage_a", "segment_a"])[columns].reset_index(drop=True)


def compare(labels: pd.DataFrame, features: FeatureTable) -> Comparison:
    """Correlations over all pairs of segments of all lifestages in ``labels`` (see `aisle.profiles`).

    A feature that is constant on a scale is left out of the pairs it concerns, a profile that is flat on a scale (the
    only segment of its lifestage, within it) has no correlation there.
    """
    profiles = {WITHIN: _within(labels, features), COMMON: _common(labels, features)}
    correlations = {scale: _correlate(profile) for scale, profile in profiles.items()}
    counts = {scale: _defined_together(profile) for scale, profile in profiles.items()}
    order = _order(correlations[COMMON])
    return Comparison(
        order,
        {scale: table.loc[order, order] for scale, table in correlations.items()},
        {scale: table.loc[order, order] for scale, table in counts.items()},
        _notes(labels),
    )


def _within(labels: pd.DataFrame, features: FeatureTable) -> pd.DataFrame:
    joined = labels.join(features.values, on="customer_id")
    groups = joined.groupby("lifestage")[list(features.values.columns)]
    centred = joined[features.values.columns] - groups.transform("mean")
    deviation = groups.transform("std", ddof=0).where(groups.transform("max") > groups.transform("min"))
    return _means(labels, centred / deviation)


def _common(labels: pd.DataFrame, features: FeatureTable) -> pd.DataFrame:
    """A customer who is in two lifestages (the pooled one and his own) counts once in the scale."""
    values = features.values.loc[labels["customer_id"].unique()]
    deviation = values.std(ddof=0).where(values.max() > values.min())
    standardised = (values - values.mean()) / deviation
    return _means(labels, standardised.loc[labels["customer_id"]].set_axis(labels.index))


def _means(labels: pd.DataFrame, standardised: pd.DataFrame) -> pd.DataFrame:
    """Profiles: segments x features; flat ones are NaN, as their correlation would be one of rounding errors."""
    inside = labels["segment"] != NOISE
    keys = [labels.loc[inside, name] for name in ("lifestage", "segment")]
    means = standardised[inside].groupby(keys, sort=True).mean()
    return means[means.abs().max(axis=1) > _FLAT].reindex(means.index)


def _correlate(profiles: pd.DataFrame) -> pd.DataFrame:
    return profiles.T.corr(min_periods=_FEWEST_FEATURES)


def _defined_together(profiles: pd.DataFrame) -> pd.DataFrame:
    known = profiles.notna().astype(np.int64)
    return known @ known.T


def _order(correlations: pd.DataFrame) -> pd.MultiIndex:
    """Leaves of an average-linkage tree over 1 - correlation, neighbours as alike as the tree allows.

    An undefined correlation counts as 0. Of an order and its reverse the one that starts with the lower key is taken.
    """
    keys = pd.MultiIndex.from_frame(correlations.index.to_frame(index=False))
    if len(keys) < 3:
        return keys
    distances = 1 - correlations.fillna(0.0).to_numpy().clip(-1, 1)
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0.0)
    leaves = leaves_list(linkage(squareform(distances), method="average", optimal_ordering=True))
    return keys.take(leaves if keys[leaves[0]] < keys[leaves[-1]] else leaves[::-1])


def _pairs(correlations: pd.DataFrame, counts: pd.DataFrame, scale: str) -> pd.DataFrame:
    sorted_keys = correlations.index.sort_values()
    ordered, known = correlations.loc[sorted_keys, sorted_keys], counts.loc[sorted_keys, sorted_keys]
    first, second = np.triu_indices(len(sorted_keys), k=1)
    a, b = sorted_keys[first], sorted_keys[second]
    return pd.DataFrame(
        {
            "scale": scale,
            "lifestage_a": a.get_level_values(0),
            "segment_a": a.get_level_values(1),
            "lifestage_b": b.get_level_values(0),
            "segment_b": b.get_level_values(1),
            "correlation": ordered.to_numpy()[first, second],
            "feature_count": known.to_numpy()[first, second],
        }
    )


def _swapped(columns: pd.Index) -> dict[str, str]:
    other = {"a": "b", "b": "a"}
    return {name: f"{name[:-1]}{other[name[-1]]}" for name in columns if name[-2:] in ("_a", "_b")}


def _notes(labels: pd.DataFrame) -> tuple[str, ...]:
    found = labels.groupby("lifestage")["segment"].agg(lambda column: column[column != NOISE].nunique())
    everybody = labels.groupby("lifestage")["segment"].agg(lambda column: bool((column != NOISE).all()))
    mirrored = found.index[(found == 2) & everybody].tolist()
    alone = found.index[(found == 1) & everybody].tolist()
    empty = found.index[found == 0].tolist()
    notes = [
        "On the scale of each lifestage a segment is described by its distance from its own lifestage: differences "
        "between lifestages are removed before anything is compared, and the segments of a lifestage repel each other, "
        "as their profiles sum to zero. On the common scale the differences are kept.",
    ]
    if mirrored:
        notes.append(
            f"{', '.join(mirrored)}: everybody is in one of two segments, so on the scale of the lifestage their "
            "profiles mirror each other (correlation -1) by construction; it says only that there is one main contrast."
        )
    if alone:
        notes.append(
            f"{', '.join(alone)}: the only segment is the whole lifestage, so on its own scale the profile is flat and "
            "has no correlation."
        )
    if empty:
        notes.append(f"{', '.join(empty)}: nobody is in a segment, so there is nothing to compare.")
    return tuple(notes)
