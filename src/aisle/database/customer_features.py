"""Feature blocks run where the rows are: over an extract, or over every customer of a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import pandas as pd

from aisle.database.engine import Connection
from aisle.database.extraction import Extraction
from aisle.features import FeatureBlock, FeatureTable, assemble
from aisle.features.block import Settling, seen_by_rows
from aisle.features.exact import relation
from aisle.features.halves import half_of
from aisle.tables import CANONICAL, UNCLASSIFIED, UNDEFINED


@dataclass(frozen=True, eq=False)
class CustomerFeatures:
    """Features; ``reasons`` by customer_id of those who have none; ``absent`` features; ``lifestages`` of all.

    ``blocks`` give other baskets of these customers the same columns.
    """

    features: FeatureTable
    reasons: "pd.Series[str]"
    absent: list[str]
    lifestages: "pd.Series[str]"
    blocks: Mapping[str, FeatureBlock]


def customer_features(
    connection: Connection,
    relations: Mapping[str, ir.Table],
    blocks: Mapping[str, FeatureBlock],
    reference_date: date,
    columns: Sequence[str] | None = None,
) -> CustomerFeatures:
    """The features of every customer of the extract that ``relations`` are: tables that are there, or queries.

    Where a block's rows are not customers, ``relations`` are those that `aisle.features.block.seen_by_rows` gives.
    With ``columns`` only these, in their order.

    Raises:
        ValueError: two blocks share a column, no customer has all features, or one of the columns is none of them.
    """
    because = {name: why for block in blocks.values() for name, why in block.undefined.items()}
    owners = relations["basket_extract"].select("customer_id", "lifestage").distinct()
    customers = connection.fetch(owners, order_by=["customer_id"])
    finished, settled = [], {}
    for name, block in blocks.items():
        rows = connection.fetch(block.query(relations, reference_date), order_by=["customer_id"]).to_pandas()
        finished.append(block.finish(rows))
        settled[name] = block.settled(rows) if isinstance(block, Settling) else block
    lifestages = customers.to_pandas().set_index("customer_id")["lifestage"].rename("cohort")
    if columns is not None:
        finished = [_only(finished, columns)]
    return CustomerFeatures(*assemble(finished, lifestages, because), lifestages, settled)


def _only(finished: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    joined = pd.concat(finished, axis=1)
    missing = [name for name in columns if name not in joined]
    if missing:
        raise ValueError(f"The blocks must make the features {missing}; they make {sorted(joined.columns)}.")
    return joined[list(columns)]


def half_features(
    connection: Connection,
    relations: Mapping[str, ir.Table],
    whole: CustomerFeatures,
    reference_date: date,
    *,
    half: str,
    middle: date,
) -> CustomerFeatures:
    """The features of the same customers from one of `aisle.features.halves.HALVES` of their baskets.

    ``whole`` is what `customer_features` made of all their baskets; ``middle`` is the first day of the second half of
    the weeks, ``reference_date`` the day after the window of this half. Who has no basket in it is left out; absent are
    features that the whole has.

    Raises:
        ValueError: no customer has all features in this half.
    """
    found = customer_features(connection, half_of(relations, half, middle), whole.blocks, reference_date)
    without = whole.lifestages.index.difference(found.lifestages.index)
    nothing = pd.Series("no basket in this half", index=without, name=found.reasons.name, dtype=object)
    reasons = pd.concat([found.reasons, nothing]).sort_index() if len(without) else found.reasons
    absent = [name for name in found.absent if name not in whole.absent]
    return CustomerFeatures(found.features, reasons, absent, whole.lifestages, found.blocks)


def population_features(
    connection: Connection,
    extraction: Extraction,
    blocks: Mapping[str, FeatureBlock],
    reference_date: date | None = None,
    columns: Sequence[str] | None = None,
) -> CustomerFeatures:
    """The features of every customer whom the filters of ``extraction`` keep, sampled or not, computed by the database.

    The blocks' queries are put on top of the extraction's: no extract is fetched. They agree exactly with the same
    blocks over an extract. Without a ``reference_date`` it is the day after the last kept basket. ``columns`` as in
    `customer_features`.

    Raises:
        ValueError: as `customer_features`; or the filters drop every basket.
    """
    everybody = extraction.of_everybody()
    relations = {
        "basket_extract": everybody.baskets(),
        "group_spend": everybody.whole_group_spend(),
        "store_group_spend": everybody.whole_store_group_spend(),
    }
    today = reference_date or _day_after_the_last(connection, everybody)
    return customer_features(connection, seen_by_rows(relations, blocks), blocks, today, columns)


def lifestages_of_everybody(connection: Connection) -> "pd.Series[str]":
    """Lifestage by customer_id of every customer of the database, with baskets or without; sorted."""
    customers = relation(CANONICAL["customers"])
    lifestage = customers.lifestage.nullif(UNDEFINED).fill_null(UNCLASSIFIED)
    rows = connection.fetch(customers.select("customer_id", lifestage=lifestage), order_by=["customer_id"])
    found: pd.Series[str] = rows.to_pandas().set_index("customer_id")["lifestage"]
    return found


def settled_blocks(
    connection: Connection, relations: Mapping[str, ir.Table], blocks: Mapping[str, FeatureBlock]
) -> Mapping[str, FeatureBlock]:
    """The blocks fixed to the columns that they give the customers of this extract; see `CustomerFeatures.blocks`."""
    settled: dict[str, FeatureBlock] = dict(blocks)
    for name, block in blocks.items():
        if isinstance(block, Settling):
            query = block.query(relations, date.min)  # which columns there are depends on no day
            settled[name] = block.settled(connection.fetch(query, order_by=["customer_id"]).to_pandas())
    return settled


def _day_after_the_last(connection: Connection, everybody: Extraction) -> date:
    kept = everybody.baskets()
    found = connection.fetch(kept.agg(last=kept.shopped_at.max()), order_by=["last"]).to_pylist()
    if found[0]["last"] is None:
        raise ValueError("No customer is left: every basket was dropped by a filter; see cohort in the configuration.")
    last_day: date = found[0]["last"].date()
    return last_day + timedelta(days=1)
