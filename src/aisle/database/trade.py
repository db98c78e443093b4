"""What the study of promotions reads: who bought what, and the campaigns of the source, as frames by table."""

import ibis.expr.types as ir
import pandas as pd
import pyarrow.compute

from aisle.database.engine import Connection
from aisle.database.extraction import Extraction
from aisle.features.exact import relation
from aisle.tables import BASKET_EXTRACT, CANONICAL

CAMPAIGN_TABLES = ("campaigns", "campaign_customers", "coupons", "redemptions")


def read_trade(connection: Connection, extraction: Extraction, judged: ir.Table) -> dict[str, pd.DataFrame]:
    """The baskets that ``extraction`` keeps of the ``judged`` ones, their lines, products, and discounts where known.

    baskets: basket_id, customer_id, shopped_at; lines: basket_id, product_id, cents; products: product_id, department,
    product_group; discounts: basket_id and product_id of the lines bought below the shelf price.

    Raises:
        ValueError: it keeps none.
    """
    baskets = extraction.baskets(judged).select("basket_id", "customer_id", "shopped_at")
    products = relation(CANONICAL["products"]).select("product_id", "department", "product_group")
    key = CANONICAL["lines"].key
    found = {
        "baskets": connection.fetch(baskets, order_by=BASKET_EXTRACT.key),
        "products": connection.fetch(products, order_by=["product_id"]),
    }
    if not found["baskets"].num_rows:
        raise ValueError("No basket is left of the segmented lifestages; see cohort and sample in the configuration.")
    lines = connection.fetch(extraction.lines(judged), order_by=key)
    cents = pyarrow.compute.multiply(lines["spend"], pyarrow.scalar(100)).cast("int64")
    found["lines"] = lines.append_column("cents", cents).select([*key, "cents"])
    if "discounts" in connection.names:
        found["discounts"] = connection.fetch(extraction.discounts(judged), order_by=key).select(list(key))
    return {name: rows.to_pandas() for name, rows in found.items()}


def read_campaigns(connection: Connection) -> dict[str, pd.DataFrame] | None:
    """The tables of `CAMPAIGN_TABLES`; None where the source has none of them.

    Raises:
        ValueError: it has some of them only, or one breaks its contract.
    """
    there = [name for name in CAMPAIGN_TABLES if name in connection.names]
    if not there:
        return None
    if len(there) < len(CAMPAIGN_TABLES):
        missing = sorted(set(CAMPAIGN_TABLES) - set(there))
        raise ValueError(
            f"Campaigns need the tables {list(CAMPAIGN_TABLES)}; {missing} are missing: add them, or remove the others."
        )
    return {name: _rows(connection, name) for name in CAMPAIGN_TABLES}


def _rows(connection: Connection, name: str) -> pd.DataFrame:
    table = CANONICAL[name]
    rows = connection.fetch(relation(table), order_by=table.key)
    frame: pd.DataFrame = table.check(rows, connection.origin(name)).to_pandas()
    return frame
