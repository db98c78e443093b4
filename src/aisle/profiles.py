"""What the segments are: their sizes, and how each feature of a segment compares with its lifestage.

Labels are a long table: customer_id, lifestage, segment (0..k-1 by size, -1 = in no segment), one row per customer and
lifestage. The pooled lifestage "all" may stand beside the others.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from aisle.features.table import FeatureTable
from aisle.partition import NOISE

SEGMENT = ["lifestage", "segment"]
"""The key of a segment."""
LABELS = ["customer_id", *SEGMENT]
FEWEST_SHOWN = 10
"""Customers a segment needs for a single one of them to be shown."""
_NOTHING = 1e-12
_BASKETS = ("basket_count", "frequency")


def labels_of(partitions: Mapping[str, "pd.Series[int]"], features: FeatureTable) -> pd.DataFrame:
    """The long table of labels, sorted by customer and lifestage, of each lifestage's labels by customer.

    Raises:
        ValueError: the customers of a lifestage are not those of its features, or one occurs twice.
    """
    for lifestage, labels in partitions.items():
        if not labels.index.is_unique:
            raise ValueError(
                f"{lifestage}: a customer must have one label; {labels.index[labels.index.duplicated()][0]} has more."
            )
        there = features.select(lifestage).values.index
        other = len(there.symmetric_difference(labels.index))
        if other:
            raise ValueError(
                f"{lifestage}: labels and features must be of the same customers; {other} are in one of them only, so "
                "the features have changed since the study; run the study again."
            )
    parts = [
        pd.DataFrame({"customer_id": labels.index, "lifestage": lifestage, "segment": labels.to_numpy(dtype=np.int64)})
        for lifestage, labels in partitions.items()
    ]
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=LABELS)
    return joined.sort_values(["customer_id", "lifestage"], kind="stable", ignore_index=True)


def sizes(labels: pd.DataFrame, features: FeatureTable) -> pd.DataFrame:
    """Customers, baskets and spend of every segment, and of those in none (segment -1), as shares of the lifestage.

    Baskets are known from basket_count or frequency, spend from monetary or basket_count x spend_mean; where the
    features hold neither, the share is NaN. Sorted by lifestage and segment.
    """
    known = labels.join(_baskets_and_spend(features.values), on="customer_id")
    counted = known.groupby(SEGMENT, sort=True).agg(
        customer_count=("customer_id", "size"),
        baskets=("baskets", lambda column: column.sum(min_count=1)),
        spend=("spend", lambda column: column.sum(min_count=1)),
    )
    totals = counted.groupby("lifestage").transform("sum", min_count=1)
    shares = counted / totals.where(totals > 0)
    table = pd.DataFrame(
        {
            "customer_count": counted["customer_count"],
            "customer_share": shares["customer_count"],
            "basket_share": shares["baskets"],
            "spend_share": shares["spend"],
        }
    )
    return table.reset_index()


def profiles(labels: pd.DataFrame, features: FeatureTable) -> pd.DataFrame:
    """Every feature of every segment beside its lifestage: one row per lifestage, segment and feature.

    mean, median and lifestage_mean are in the feature's unit. index = 100 x mean / lifestage_mean; it is NaN where the
    lifestage mean is 0, and for a feature with negative values (such as a log-ratio), whose zero is arbitrary.
    standardised_mean = (mean - lifestage_mean) / standard deviation of the lifestage (population), the segment's place
    in the reference space; NaN where the feature is constant. A lifestage's customers in no segment count in its mean
    and deviation, and have no profile. Sorted by lifestage and segment, features in their order.
    """
    names = features.values.columns
    joined = labels.join(features.values, on="customer_id")
    everybody = joined.groupby("lifestage", sort=True)[list(names)]
    middle, low, high = everybody.mean(), everybody.min(), everybody.max()
    deviation = everybody.std(ddof=0).where(high > low)
    inside = joined[joined["segment"] != NOISE].groupby(SEGMENT, sort=True)[list(names)]
    mean, median = inside.mean(), inside.median()
    lifestages = mean.index.get_level_values("lifestage")
    expected = middle.loc[lifestages].set_axis(mean.index)
    positive = features.values.min() >= 0
    wide = {
        "mean": mean,
        "median": median,
        "lifestage_mean": expected,
        "index": (100 * mean / expected.where(expected != 0))[names[positive]].reindex(columns=names),
        "standardised_mean": (mean - expected) / deviation.loc[lifestages].set_axis(mean.index),
    }
    keys = mean.index.to_frame(index=False)
    long = keys.loc[keys.index.repeat(len(names))].assign(feature=list(names) * len(keys))
    return long.assign(**{name: frame.to_numpy().ravel() for name, frame in wide.items()}).reset_index(drop=True)


def medoids(labels: pd.DataFrame, features: FeatureTable) -> pd.DataFrame:
    """The most typical customer of every segment, as features in their own units, without its id.

    One row per lifestage and segment, sorted: the customer with the least sum of squared Euclidean distances to the
    others of the segment, in features standardised over the lifestage; that is the one nearest to the segment's mean.
    Of equally near ones the first by id. A segment of fewer than `FEWEST_SHOWN` customers has none: among so few one
    could be recognised.
    """
    names = list(features.values.columns)
    joined = labels.sort_values("customer_id", kind="stable").join(features.values, on="customer_id")
    groups = joined.groupby("lifestage")[names]
    spread = groups.transform("std", ddof=0).where(groups.transform("max") > groups.transform("min"))
    standard = ((joined[names] - groups.transform("mean")) / spread).fillna(0.0)
    keys = [joined[name] for name in SEGMENT]
    distances = ((standard - standard.groupby(keys).transform("mean")) ** 2).sum(axis=1)
    known = joined.assign(distance=distances.round(9), size=joined.groupby(SEGMENT)["customer_id"].transform("size"))
    shown = known[(known["segment"] != NOISE) & (known["size"] >= FEWEST_SHOWN)]
    nearest = shown.sort_values([*SEGMENT, "distance"], kind="stable").drop_duplicates(SEGMENT)
    return nearest[[*SEGMENT, *names]].reset_index(drop=True)


def contrasts(profile: pd.DataFrame, size: pd.DataFrame) -> pd.DataFrame:
    """How much of a feature's variance in a lifestage its segments explain (eta squared), in [0, 1], largest first.

    ``profile`` and ``size`` are what `profiles` and `sizes` give. A feature on which no segment differs is left out.
    The segments were formed on these features, so that they differ is no evidence that they are real.
    """
    shares = profile.merge(size[[*SEGMENT, "customer_share"]], on=SEGMENT, validate="many_to_one")
    explained = shares["customer_share"] * shares["standardised_mean"] ** 2
    table = shares[["lifestage", "feature"]].assign(explained_share=explained)
    summed = table.groupby(["lifestage", "feature"], sort=True, as_index=False)["explained_share"].sum()
    differing: pd.DataFrame = summed[summed["explained_share"] > _NOTHING]
    order = ["lifestage", "explained_share", "feature"]
    return differing.sort_values(order, ascending=[True, False, True], kind="stable", ignore_index=True)


def _baskets_and_spend(values: pd.DataFrame) -> pd.DataFrame:
    missing = pd.Series(np.nan, index=values.index)
    baskets = next((values[name] for name in _BASKETS if name in values), missing)
    spend = baskets * values.get("spend_mean", missing)
    return pd.DataFrame({"baskets": baskets, "spend": values.get("monetary", spend)})
