"""What receiving a type of campaign changes, group by group, where the data can tell it; else the reason they cannot.

Campaigns were not sent at random, so who received one is compared with others who were as likely to: by cross-fitted
augmented inverse-propensity weighting (Robins, Rotnitzky & Zhao 1994; Chernozhukov et al. 2018), which is right where
either the propensity to receive or the expected response is modelled well. Nothing observed can rule out a cause that
nobody recorded; `aisle.promotions.sensitivity` says how strong it would have to be.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from aisle.promotions.exposures import Exposure
from aisle.promotions.nuisances import cross_fit
from aisle.promotions.rule import EffectRule
from aisle.promotions.telling import tell

EFFECT_COLUMNS: Final = (
    "grouping",
    "group",
    "response",
    "row_count",
    "customer_count",
    "received_count",
    "responder_count",
    "overlap_share",
    "received_overlap_share",
    "effective_received",
    "effective_others",
    "imbalance_before",
    "imbalance",
    "imbalance_limit",
    "imbalanced_covariate",
    "naive",
    "effect",
    "standard_error",
    "low",
    "high",
    "p_value",
    "placebo",
    "placebo_low",
    "placebo_high",
    "placebo_p",
    "robustness",
    "robustness_low",
    "strongest",
    "strongest_covariate",
    "told",
    "reason",
)
BALANCE_COLUMNS: Final = ("grouping", "group", "covariate", "before", "after", "limit")


@dataclass(frozen=True, eq=False)
class Effects:
    """``table``: `EFFECT_COLUMNS`, a row per group and response. ``balance``: `BALANCE_COLUMNS`, per covariate.

    ``overlap``, by row of the exposure: the ``propensity`` to receive, and whether the row was kept as comparable in
    each grouping.
    """

    table: pd.DataFrame
    balance: pd.DataFrame
    overlap: pd.DataFrame


def estimate_effects(
    now: Exposure, before: Exposure, *, groups: pd.DataFrame, responded: "pd.Series[bool]", rule: EffectRule, seed: int
) -> Effects:
    """The effect of receiving on every response of ``now``, for every group of every grouping (column of ``groups``).

    ``before`` is the placebo: the same rows, with the responses of weeks before the campaign, when it could not work,
    and the covariates known before *those* weeks. ``groups`` holds names by row; a null belongs to no group of that
    grouping. ``responded``, by row, is true where a customer who received did what the campaign asks for.

    ``effect`` is the mean difference that receiving makes to a row's response, in the response's unit, among the
    comparable customers of the group; ``naive`` the difference of means of all who received and all others. Standard
    errors are those of the influence function, clustered by customer; intervals are Student's with the effective number
    of customers in the smaller arm, less one, as degrees of freedom. Where ``told`` is false, ``reason`` says why and
    there is no number: all of them are NaN. ``robustness``, ``robustness_low`` and ``strongest`` are shares, see
    `robustness_value`: for the effect, for the nearer end of its interval, and of the strongest known covariate.

    Raises:
        ValueError: the parts have other rows than ``now``, or a grouping names none.
    """
    _check(now, before, groups, responded)
    known = groups.astype("object").fillna("").astype("str")
    fitted = [cross_fit(one, known, folds=rule.folds, repeats=rule.repeats, seed=seed) for one in (now, before)]
    by_row = pd.DataFrame({"propensity": fitted[0].propensity if fitted[0] else np.nan}, index=groups.index)
    rows: list[dict[str, Any]] = []
    balances: list[pd.DataFrame] = []
    for grouping in groups:
        kept = np.zeros(len(groups), dtype=bool)
        for group in sorted(groups[grouping].dropna().unique()):
            inside = np.flatnonzero(groups[grouping] == group)
            one = tell(now, before, fitted[0], fitted[1], responded.to_numpy(), inside, rule)
            kept[inside] = one.kept
            names = {"grouping": str(grouping), "group": str(group)}
            rows += [{**names, **row} for row in one.rows]
            balances.append(pd.DataFrame({**names, **one.balance}))
        by_row = by_row.assign(**{f"kept_{grouping}": kept})
    return Effects(
        pd.DataFrame(rows, columns=list(EFFECT_COLUMNS)),
        pd.concat(balances, ignore_index=True)[list(BALANCE_COLUMNS)],
        by_row,
    )


def _check(now: Exposure, before: Exposure, groups: pd.DataFrame, responded: "pd.Series[bool]") -> None:
    if not now.is_same_as(before):
        raise ValueError("The placebo must have the rows, receivers and responses of the exposure; it has others.")
    for name, part in (("groups", groups), ("responded", responded)):
        if not part.index.equals(now.customers.index):
            raise ValueError(f"The {name} must have the index of the exposure; theirs differs.")
    if not groups.shape[1] or groups.isna().all().any():
        raise ValueError(f"Every grouping must name a group; got {groups.count().to_dict()} named rows.")
