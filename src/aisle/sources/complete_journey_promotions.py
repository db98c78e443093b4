"""The campaigns of The Complete Journey: whom they were sent to, their coupons, and what was redeemed."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow

from aisle.sources.dirt import Rule, first_broken
from aisle.tables import CANONICAL

SENT_UNKNOWN = Rule("campaign_customers", "The campaign or the customer is unknown.")
SENT_REPEATED = Rule("campaign_customers", "The row repeats an earlier one.")
COUPON_UNKNOWN = Rule("coupons", "The campaign is unknown, or the product is unknown or dropped.")
COUPON_REPEATED = Rule("coupons", "The row repeats an earlier one.")
REDEMPTION_UNKNOWN = Rule("redemptions", "The customer, the coupon or the campaign is unknown.")
PROMOTION_POLICY = (SENT_UNKNOWN, SENT_REPEATED, COUPON_UNKNOWN, COUPON_REPEATED, REDEMPTION_UNKNOWN)


def promotion_tables(
    raw: Mapping[str, pd.DataFrame], customer_ids: npt.NDArray[np.int64], product_ids: npt.NDArray[np.int64]
) -> tuple[dict[str, pyarrow.Table], Counter[Rule]]:
    """The tables campaigns, campaign_customers, coupons and redemptions, and the rows `PROMOTION_POLICY` dropped.

    ``customer_ids`` and ``product_ids`` are those the other tables hold. Redemptions of one coupon by one customer on
    one day become one row with their number. A redeemed coupon is known when the package lists it for the campaign,
    also where its products are dropped.
    """
    campaigns = raw["campaign_descriptions"]
    offers = raw["coupons"]
    redeemed = raw["coupon_redemptions"]
    campaign_ids = campaigns["campaign_id"]
    offered = pd.MultiIndex.from_frame(offers[["coupon_upc", "campaign_id"]])

    sent, sent_counts = _keep(
        raw["campaigns"],
        {
            SENT_UNKNOWN: ~_known(raw["campaigns"], campaign_id=campaign_ids, household_id=customer_ids),
            SENT_REPEATED: raw["campaigns"].duplicated().to_numpy(),
        },
    )
    coupons, coupon_counts = _keep(
        offers,
        {
            COUPON_UNKNOWN: ~_known(offers, campaign_id=campaign_ids, product_id=product_ids),
            COUPON_REPEATED: offers.duplicated().to_numpy(),
        },
    )
    listed = pd.MultiIndex.from_frame(redeemed[["coupon_upc", "campaign_id"]]).isin(offered)
    redemptions, redemption_counts = _keep(
        redeemed,
        {REDEMPTION_UNKNOWN: ~(_known(redeemed, campaign_id=campaign_ids, household_id=customer_ids) & listed)},
    )
    times = redemptions.groupby(list(redemptions.columns), as_index=False).size()
    tables = {
        "campaigns": _table("campaigns", campaigns),
        "campaign_customers": _table("campaign_customers", sent.rename(columns={"household_id": "customer_id"})),
        "coupons": _table("coupons", coupons.rename(columns={"coupon_upc": "coupon_id"})),
        "redemptions": _table(
            "redemptions",
            times.rename(
                columns={"household_id": "customer_id", "coupon_upc": "coupon_id", "size": "redemption_count"}
            ),
        ),
    }
    return tables, sent_counts + coupon_counts + redemption_counts


def _known(rows: pd.DataFrame, **ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which rows hold, in every column named, one of its ``ids``."""
    return rows.isin({column: np.asarray(known) for column, known in ids.items()})[list(ids)].all(axis=1).to_numpy()


def _keep(rows: pd.DataFrame, broken: Mapping[Rule, npt.NDArray[np.bool_]]) -> tuple[pd.DataFrame, Counter[Rule]]:
    clean, counts = first_broken(broken)
    return rows[clean], counts


def _table(name: str, rows: pd.DataFrame) -> pyarrow.Table:
    """``rows`` in the contract's columns and types, numbers that are ids as text, sorted by key."""
    contract = CANONICAL[name]
    ids = [column for column in contract.columns if column.endswith("_id")]
    text = rows.astype(dict.fromkeys(ids, "str")).sort_values(list(contract.key))
    return pyarrow.Table.from_pandas(text, schema=contract.arrow_schema, preserve_index=False)
