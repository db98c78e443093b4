"""What was known on a day: features made from the baskets before it, and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir

from aisle.database.customer_features import CustomerFeatures, customer_features
from aisle.database.engine import Connection
from aisle.database.extraction import Extraction
from aisle.features import FeatureBlock
from aisle.features.block import EPOCH
from aisle.features.exact import day_number


@dataclass(frozen=True, eq=False)
class History:
    """The kept baskets and their spend per product group, each with its moment, for queries of one connection."""

    baskets: ir.Table
    group_spend: ir.Table

    @classmethod
    def of(cls, connection: Connection, extraction: Extraction, judged: ir.Table) -> "History":
        """Of the baskets that ``extraction`` keeps of the ``judged`` ones; kept by an engine that can."""
        return cls(
            connection.stored(extraction.baskets(judged), "kept_baskets"),
            connection.stored(extraction.dated_group_spend(judged), "dated_group_spend"),
        )

    def before(self, day: date) -> dict[str, ir.Table]:
        """The tables of the extract, without what is of ``day`` or later."""
        tables = {"basket_extract": self.baskets, "group_spend": self.group_spend}
        return {name: rows.filter(day_number(rows.shopped_at) < (day - EPOCH).days) for name, rows in tables.items()}


def earlier_features(
    connection: Connection, history: History, blocks: Mapping[str, FeatureBlock], day: date
) -> CustomerFeatures:
    """The features of every customer with a basket before ``day``, which is their reference date.

    Raises:
        ValueError: nobody has a basket before that day, or as `aisle.database.customer_features`.
    """
    return customer_features(connection, history.before(day), blocks, day)
