"""Segments as they were on a day: the chosen method of every lifestage, fitted on earlier weeks only.

What a method finds anew on every day is numbered anew; so segments take the numbers of those that share most customers
with them on the day before, and never look at a later day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from sklearn import config_context

from aisle.comparison import compare
from aisle.evidence import Pipelines
from aisle.features.table import EVERYBODY, FeatureTable
from aisle.kernels.threads import one_thread
from aisle.lifestages import kinds_of
from aisle.matching import following
from aisle.partition import NOISE
from aisle.profiles import LABELS

KIND = "kind"


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a lifestage is segmented: the partition at ``place`` of the path of the only clusterer of ``pipelines``."""

    pipelines: Pipelines
    place: int


@dataclass(frozen=True, eq=False)
class Dated:
    """Segments on one day: ``labels`` as in `aisle.profiles`, with a kind; ``missing`` says why a lifestage has none.

    A ``kind`` holds the segments of several lifestages that are alike (see `aisle.lifestages.kinds_of`); -1 = in none.
    """

    labels: pd.DataFrame
    missing: Mapping[str, str]


def segments_on(features: FeatureTable, recipes: Mapping[str, Recipe]) -> Dated:
    """The segments that the recipes of the lifestages find in ``features``, numbered by size."""
    parts, missing = [pd.DataFrame(columns=LABELS).astype({"segment": "int64"})], {}
    for lifestage, recipe in recipes.items():
        try:
            own = features.select(lifestage)
            with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
                (found,) = recipe.pipelines.cluster(own).values()
            if isinstance(found, str):
                raise ValueError(found)
        except ValueError as error:
            missing[lifestage] = str(error)
            continue
        parts.append(
            pd.DataFrame(
                {"customer_id": own.values.index, "lifestage": lifestage, "segment": np.asarray(found[recipe.place])}
            )
        )
    labels = pd.concat(parts, ignore_index=True).sort_values(["customer_id", "lifestage"], ignore_index=True)
    return Dated(labels.assign(kind=_kinds(labels, features)), missing)


def segments_over(features: Mapping[date, FeatureTable], recipes: Mapping[str, Recipe]) -> dict[date, Dated]:
    """The segments on every day, from the features made before it; they keep their numbers from day to day."""
    found: dict[date, Dated] = {}
    earlier: pd.DataFrame | None = None
    for day in sorted(features):
        found[day] = follow(segments_on(features[day], recipes), earlier)
        earlier = latest(earlier, found[day])
    return found


def follow(dated: Dated, earlier: pd.DataFrame | None) -> Dated:
    """``dated`` with the numbers of the ``earlier`` labels, for its segments and for its kinds; see `aisle.matching`.

    Where no customer is in both, numbers stay.
    """
    if earlier is None or dated.labels.empty:
        return dated
    labels = _followed(dated.labels, earlier)
    kinds = _followed(_as_segments(dated.labels), _as_segments(earlier))
    return Dated(labels.assign(kind=kinds["segment"].to_numpy()), dated.missing)


def latest(earlier: pd.DataFrame | None, dated: Dated) -> pd.DataFrame:
    """What the next day follows: ``dated``, and the ``earlier`` labels of lifestages and customers it lacks."""
    if earlier is None:
        return dated.labels
    key = ["customer_id", "lifestage"]
    both = pd.concat([dated.labels, earlier], ignore_index=True)
    return both.drop_duplicates(key).sort_values(key, ignore_index=True)


def _kinds(labels: pd.DataFrame, features: FeatureTable) -> "pd.Series[int]":
    inside = labels[labels["segment"] != NOISE]
    if inside.empty or (labels["lifestage"] == EVERYBODY).all():
        return labels["segment"]
    kinds = kinds_of(compare(labels, features)).set_index(["lifestage", "segment"])["kind"]
    found = kinds.reindex(pd.MultiIndex.from_frame(labels[["lifestage", "segment"]])).fillna(NOISE).astype("int64")
    return found.set_axis(labels.index)


def _as_segments(labels: pd.DataFrame) -> pd.DataFrame:
    return labels.assign(segment=labels[KIND], lifestage=EVERYBODY)[LABELS].drop_duplicates("customer_id")


def _followed(labels: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    try:
        return following(labels, earlier)
    except ValueError:
        return labels
