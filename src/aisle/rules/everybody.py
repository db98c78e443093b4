"""The segment of every customer of a database, or the reason why there is none, and how far the rule can be trusted."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from aisle.features.table import EVERYBODY, FeatureTable
from aisle.partition import NOISE
from aisle.profiles import SEGMENT
from aisle.rules.nearest import KINDS, NearestRule
from aisle.rules.segment_rules import SegmentRules
from aisle.tables import COUNT, TEXT, UNCLASSIFIED, Column, Table

NO_BASKET: Final = "no basket is kept"
NO_LIFESTAGE: Final = "no lifestage"
NOT_STUDIED: Final = "not a lifestage of the study"
IN_NONE: Final = "most like customers in no segment"

ASSIGNED: Final = Table(
    "assignments",
    "one row per customer of the database and lifestage by whose rule the customer is judged",
    ("customer_id", "lifestage"),
    {
        "customer_id": Column(TEXT, "the customer"),
        "lifestage": Column(TEXT, "the customer's lifestage; all = by the rule of all customers together"),
        "segment": Column(COUNT, "the segment that the rule gives; -1 = in none", minimum=NOISE),
        "segment_name": Column(TEXT, "its name; empty in none"),
        "reason": Column(TEXT, "why the customer is in none, in a few words; empty in a segment"),
        "study_segment": Column(COUNT, "the segment in the study; null = the study did not see the customer", True),
    },
)


def assigned(
    rules: SegmentRules,
    lifestages: "pd.Series[str]",
    features: FeatureTable,
    reasons: "pd.Series[str]",
    *,
    without: Mapping[str, str],
    labels: pd.DataFrame,
) -> pd.DataFrame:
    """The rows of `ASSIGNED`, sorted by customer and lifestage.

    ``lifestages`` are those of every customer of the database, by customer_id; ``reasons`` say likewise why one has no
    ``features``. ``without`` are the lifestages that the study looked at and that have no rule, with the reason.
    ``labels`` are the study's: customer_id, lifestage, segment, segment_name.
    """
    rows = _judged(lifestages, {*rules.rules, *without})
    known = rows.join(features.values[list(rules.columns)], on="customer_id")
    stages, customers = rows["lifestage"], rows["customer_id"]
    unruled, featureless = {UNCLASSIFIED: NO_LIFESTAGE, **without}, reasons.to_dict()
    ruled, described = stages.isin(list(rules.rules)), customers.isin(features.values.index)
    why = np.full(len(rows), "", dtype=object)
    why[~ruled] = [unruled.get(stage, NOT_STUDIED) for stage in stages[~ruled]]
    why[ruled & ~described] = [featureless.get(customer, NO_BASKET) for customer in customers[ruled & ~described]]
    segment = np.full(len(rows), NOISE, dtype=np.int64)
    judged = (ruled & described).to_numpy()
    segment[judged] = rules.predict(known[judged])
    why[judged & (segment == NOISE)] = IN_NONE
    found = rows.assign(segment=segment, reason=why)
    named = labels.drop_duplicates(SEGMENT)[[*SEGMENT, "segment_name"]]
    seen = labels[["customer_id", *SEGMENT]].rename(columns={"segment": "study_segment"})
    found = found.merge(named, on=SEGMENT, how="left").merge(seen, on=["customer_id", "lifestage"], how="left")
    inside = found["segment"] != NOISE
    found["segment_name"] = found["segment_name"].where(inside, "").fillna("")
    found["study_segment"] = found["study_segment"].astype("Int64")
    return found[list(ASSIGNED.columns)]


def assigned_sizes(assignments: pd.DataFrame) -> pd.DataFrame:
    """Customers by lifestage, segment and reason: in the study, in the database, and their share of the lifestage."""
    keys = [*SEGMENT, "segment_name", "reason"]
    counted = assignments.groupby(keys, sort=True).agg(
        study_customer_count=("study_segment", "count"), customer_count=("customer_id", "size")
    )
    totals = counted.groupby("lifestage")["customer_count"].transform("sum")
    return counted.assign(customer_share=counted["customer_count"] / totals).reset_index()


def agreement(rule: NearestRule) -> dict[str, Any]:
    """How well a lifestage's rule gives back the segments of the customers it is made from, each left out in turn.

    ``agreement`` is a share in [0, 1], noise counted as a miss where the rule knows none; ``largest_share`` is what
    "everybody in the largest segment" would reach. ``adjusted_rand`` is 1 for the same cut, 0 for one by chance.
    ``segments`` are the shares of each that are given back.
    """
    counts = rule.given_back_[KINDS.index(rule.kind_)]
    total, sizes = int(counts.sum()), counts.sum(axis=1)
    given, got = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    shares = np.diag(counts) / sizes
    return {
        "rule": rule.kind_,
        "customer_count": total,
        "agreement": float(np.trace(counts) / total),
        "adjusted_rand": float(adjusted_rand_score(given, got)),
        "largest_share": float(sizes.max() / total),
        "agreement_by_rule": {
            kind: float(np.trace(own) / total) for kind, own in zip(KINDS, rule.given_back_, strict=True)
        },
        "segments": {
            str(label): float(share)
            for label, share in zip(rule.classes_.tolist(), shares.tolist(), strict=True)
            if label != NOISE
        },
    }


def _judged(lifestages: "pd.Series[str]", studied: set[str]) -> pd.DataFrame:
    """Customer and lifestage of every row: the own one, the pooled one, or both, as the study looked at them."""
    names = [name for name in (EVERYBODY,) if name in studied]
    own = pd.DataFrame({"customer_id": lifestages.index, "lifestage": lifestages.to_numpy()})
    parts = [own] if studied != {EVERYBODY} else []
    parts += [own.assign(lifestage=name) for name in names]
    rows = pd.concat(parts, ignore_index=True)
    return rows.sort_values(["customer_id", "lifestage"], kind="stable", ignore_index=True)
