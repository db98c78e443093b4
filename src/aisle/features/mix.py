"""What customers buy: shares of spend per product group, as centred log-ratios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from aisle.features.exact import cents


@dataclass(frozen=True)
class Mix:
    """Centred log-ratio of the shares of spend per product group (Aitchison 1986): columns sum to 0 in every row.

    A share of zero has no logarithm: ``smoothing`` (money, major units) is added to the spend on every group before
    shares are taken, so a customer of little spend is drawn towards equal shares. Groups bought by fewer than
    ``min_buyers_share`` of the customers are pooled into "other" first: their columns would hold only the smoothing.
    With ``groups`` the columns are these, and what is spent on any other counts as "other" where that is one of them.
    """

    smoothing: float
    min_buyers_share: float
    groups: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.smoothing <= 0:
            raise ValueError(f"features.mix.smoothing must be above 0; got {self.smoothing}.")
        if not 0 <= self.min_buyers_share < 1:
            raise ValueError(f"features.mix.min_buyers_share must be in [0, 1); got {self.min_buyers_share}.")

    @property
    def undefined(self) -> Mapping[str, str]:
        return {}

    def query(self, extract: Mapping[str, ir.Table], reference_date: date) -> ir.Table:
        spend = extract["group_spend"]
        return spend.group_by(["customer_id", "product_group"]).agg(cents=cents(spend.spend.sum()))

    def finish(self, rows: pd.DataFrame) -> pd.DataFrame:
        """See `aisle.features.FeatureBlock`.

        Raises:
            ValueError: the names of two product groups would be one column.
        """
        pooled = self._pooled(_by_group(rows))
        logs = np.log(pooled.to_numpy(dtype="float64") / 100 + self.smoothing)
        names = pd.Index([f"mix_{str(group).replace(' ', '_').lower()}" for group in pooled.columns])
        if not names.is_unique:
            alike = pooled.columns[names.duplicated(keep=False)].tolist()
            raise ValueError(f"Product groups must differ in more than case and spaces; these do not: {alike}.")
        return pd.DataFrame(logs - logs.mean(axis=1, keepdims=True), index=pooled.index, columns=names)

    def settled(self, rows: pd.DataFrame) -> "Mix":
        """See `aisle.features.block.Settling`: the groups, whoever buys them."""
        return replace(self, groups=tuple(self._pooled(_by_group(rows)).columns))

    def _pooled(self, spend: pd.DataFrame) -> pd.DataFrame:
        if self.groups is not None:
            kept = spend.reindex(columns=list(self.groups), fill_value=0)
            rest = spend.columns.difference(kept.columns)
            return kept.assign(other=kept["other"] + spend[rest].sum(axis=1)) if "other" in kept else kept
        bought = (spend > 0).mean()
        rare = bought.index[bought < self.min_buyers_share]
        pooled = spend.drop(columns=rare)
        return pooled.assign(other=pooled.get("other", 0) + spend[rare].sum(axis=1)) if len(rare) else pooled


def _by_group(rows: pd.DataFrame) -> pd.DataFrame:
    """Cents by customer and product group, both in order."""
    return rows.pivot(index="customer_id", columns="product_group", values="cents").fillna(0).sort_index(axis=1)
