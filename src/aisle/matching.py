"""Segment ids that last: the segments of a new result are matched to those of an earlier one."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from aisle.partition import NOISE
from aisle.profiles import LABELS


def match_segments(common: pd.DataFrame, following: Mapping[str, int]) -> pd.DataFrame:
    """The id under which every label is published: lifestage, label, segment, sorted by lifestage and label.

    ``common`` counts customers by where they were and are: lifestage, from_segment (published, -1 = in none), label
    (new, -1 = in none), customer_count. Within a lifestage every label gets at most one of the published ids and the
    other way round, so that as many customers as possible keep theirs; a label that shares no customer with the
    segment it would get, or finds none left, gets an id never used before, from ``following`` (by lifestage, else 0).

    >>> common = pd.DataFrame({"lifestage": "YA", "from_segment": [0, 0, 1], "label": [1, 0, 0]})
    >>> match_segments(common.assign(customer_count=[90, 10, 30]), {"YA": 2})[["label", "segment"]].to_numpy().tolist()
    [[0, 1], [1, 0]]
    """
    from scipy.optimize import linear_sum_assignment  # slow to import, and every stage with a database imports this

    found = []
    for lifestage, rows in common[common["label"] != NOISE].groupby("lifestage", sort=True):
        name = str(lifestage)
        table = rows.pivot_table(
            index="label", columns="from_segment", values="customer_count", aggfunc="sum", fill_value=0
        ).drop(columns=NOISE, errors="ignore")
        counts = table.to_numpy(dtype=np.int64)
        taken, given = linear_sum_assignment(counts, maximize=True)
        kept = {
            row: int(table.columns[column]) for row, column in zip(taken, given, strict=True) if counts[row, column]
        }
        unused = following.get(name, 0)
        for row, label in enumerate(table.index):
            segment = kept.get(row)
            if segment is None:
                segment, unused = unused, unused + 1
            found.append((name, int(label), segment))
    return pd.DataFrame(found, columns=["lifestage", "label", "segment"]).astype({"label": "int64", "segment": "int64"})


def following(labels: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """``labels`` (see `aisle.profiles`) under the ids of the ``earlier`` labels, matched as `match_segments` says.

    A segment that follows none gets an id above all earlier ones of its lifestage.

    Raises:
        ValueError: the earlier labels lack a column, repeat a customer, or no customer is in a segment of both.
    """
    missing = [name for name in LABELS if name not in earlier]
    if missing:
        raise ValueError(f"An earlier segmentation must have the columns {LABELS}; it lacks {missing}.")
    if earlier.duplicated(["customer_id", "lifestage"]).any():
        raise ValueError("An earlier segmentation must have one row per customer and lifestage; some have more.")
    keys = ["customer_id", "lifestage"]
    before = earlier[LABELS].rename(columns={"segment": "from_segment"})
    both = labels.rename(columns={"segment": "label"}).merge(before, on=keys, how="left")
    both["from_segment"] = both["from_segment"].fillna(NOISE).astype("int64")
    if len(labels) and not ((both["from_segment"] != NOISE) & (both["label"] != NOISE)).any():
        raise ValueError("No customer is in a segment of the earlier segmentation and of this one; is it of this data?")
    counted = both.groupby(["lifestage", "from_segment", "label"], as_index=False).size()
    last = earlier.groupby("lifestage")["segment"].max()
    unused = {str(lifestage): int(segment) + 1 for lifestage, segment in last.items()}
    matched = match_segments(counted.rename(columns={"size": "customer_count"}), unused)
    ids = matched.set_index(["lifestage", "label"])["segment"].to_dict()
    found = [
        NOISE if label == NOISE else ids[lifestage, label]
        for lifestage, label in zip(labels["lifestage"], labels["segment"], strict=True)
    ]
    return labels.assign(segment=np.array(found, dtype=np.int64))


def migration(labels: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Customers by lifestage, from_segment (in ``earlier``) and to_segment (in ``labels``); -1 = in none, or not there.

    Both have one row per customer and lifestage, under ids that last (see `following`); lifestages that are in one of
    them only are left out. Sorted, with the columns of the published customer_segment_migration: lifestage,
    from_segment, to_segment, customer_count.
    """
    keys = ["customer_id", "lifestage"]
    before, after = (
        table[LABELS].rename(columns={"segment": name})
        for table, name in ((earlier, "from_segment"), (labels, "to_segment"))
    )
    joined = before.merge(after, on=keys, how="outer")
    joined = joined[joined["lifestage"].isin(set(before["lifestage"]) & set(after["lifestage"]))]
    pair = ["from_segment", "to_segment"]
    joined[pair] = joined[pair].fillna(NOISE).astype("int64")
    counted = joined.groupby(["lifestage", *pair], sort=True, as_index=False).size()
    return counted.rename(columns={"size": "customer_count"})
