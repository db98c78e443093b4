"""Segment ids that last: the segments of a new result are matched to those already published."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from aisle.partition import NOISE


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
