"""The rules of all lifestages together: what is kept, registered, and asked for the segment of a customer."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.features.table import FeatureTable
from aisle.kernels.threads import one_thread
from aisle.partition import NOISE
from aisle.profiles import LABELS, labels_of
from aisle.rules.nearest import NearestRule

LIFESTAGE: Final = "lifestage"
"""The column that says by which rule a row is judged; the rest are features."""


@dataclass(frozen=True, eq=False)
class SegmentRules:
    """A rule by lifestage, all of the same features. It has ``predict``, as scikit-learn's estimators have."""

    columns: tuple[str, ...]
    rules: dict[str, NearestRule]

    def predict(self, customers: pd.DataFrame) -> npt.NDArray[np.int64]:
        """Segments (m,) of customers by their lifestage and features; -1 for those in none.

        A lifestage without a rule has no segments. Rows of the lifestage "all" are judged by the rule of everybody.

        Raises:
            ValueError: a column is missing.
        """
        missing = [name for name in (LIFESTAGE, *self.columns) if name not in customers]
        if missing:
            raise ValueError(
                f"Customers to assign must have a lifestage and the features of the rule; {missing} are missing."
            )
        found = np.full(len(customers), NOISE, dtype=np.int64)
        for lifestage, rule in self.rules.items():
            own = (customers[LIFESTAGE] == lifestage).to_numpy()
            if own.any():
                with one_thread():
                    found[own] = rule.predict(customers.loc[own, list(self.columns)].to_numpy(dtype=np.float64))
        return found


TRUSTED: Final = tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in (NearestRule, SegmentRules))
"""All types of this package that a stored rule is made of; whoever loads one needs no other."""


def labels_digest(labels: pd.DataFrame) -> str:
    """SHA-256 of the study's labels and names (columns of stage=segments), whatever the order of rows."""
    columns = [*LABELS, "segment_name"]
    content = labels[columns].sort_values(["customer_id", "lifestage"], kind="stable")
    return hashlib.sha256(content.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def segment_rules(labels: pd.DataFrame, features: FeatureTable) -> SegmentRules:
    """The rules that give back ``labels`` (customer_id, lifestage, segment) by the features of the same customers.

    Raises:
        ValueError: a lifestage has nobody in a segment, or labels and features are not of the same customers.
    """
    rules: dict[str, NearestRule] = {}
    parts: Mapping[str, pd.DataFrame] = {str(name): own for name, own in labels[LABELS].groupby("lifestage")}
    partitions = {name: own.set_index("customer_id")["segment"] for name, own in parts.items()}
    labels_of(partitions, features)  # which checks that they are of the same customers
    for lifestage, partition in partitions.items():
        ordered = partition.sort_index()
        values = features.values.loc[ordered.index].to_numpy()
        with one_thread():
            try:
                rules[lifestage] = NearestRule(noise=NOISE).fit(values, ordered.to_numpy(dtype=np.int64))
            except ValueError as error:
                raise ValueError(f"{lifestage}: {error}") from None
    return SegmentRules(tuple(map(str, features.values.columns)), rules)
