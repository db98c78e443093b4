"""Databases: connections and the queries that are run on them. The only SQL of the project."""

from aisle.database.contracts import check_rows
from aisle.database.customer_features import (
    CustomerFeatures,
    customer_features,
    half_features,
    lifestages_of_everybody,
    population_features,
    settled_blocks,
)
from aisle.database.duckdb_file import DuckDB
from aisle.database.earlier_features import History, earlier_features
from aisle.database.engine import Connection, Engine
from aisle.database.extraction import FILTERS_IN_ORDER, Extraction
from aisle.database.fingerprint import fingerprint
from aisle.database.grocery_star_layout import GroceryStarLayout
from aisle.database.layout import CanonicalLayout
from aisle.database.loading import Loaded, load
from aisle.database.mysql import MySQL
from aisle.database.olist_layout import OlistLayout
from aisle.database.parquet_folder import ParquetFolder
from aisle.database.patience import in_one_state
from aisle.database.postgresql import PostgreSQL
from aisle.database.publishing import publish_segments, read_receipt, undo_segments
from aisle.database.publishing_column import CustomersColumn
from aisle.database.reading import (
    read_baskets,
    read_customers,
    read_segment_history,
    read_segment_labels,
    read_segment_migration,
    read_segment_runs,
    read_segments,
)
from aisle.database.session import Server, Session
from aisle.database.trade import read_campaigns, read_trade

__all__ = [
    "FILTERS_IN_ORDER",
    "CanonicalLayout",
    "Connection",
    "CustomerFeatures",
    "CustomersColumn",
    "DuckDB",
    "Engine",
    "Extraction",
    "GroceryStarLayout",
    "History",
    "Loaded",
    "MySQL",
    "OlistLayout",
    "ParquetFolder",
    "PostgreSQL",
    "Server",
    "Session",
    "check_rows",
    "customer_features",
    "earlier_features",
    "fingerprint",
    "half_features",
    "in_one_state",
    "lifestages_of_everybody",
    "load",
    "population_features",
    "publish_segments",
    "read_baskets",
    "read_campaigns",
    "read_customers",
    "read_receipt",
    "read_segment_history",
    "read_segment_labels",
    "read_segment_migration",
    "read_segment_runs",
    "read_segments",
    "read_trade",
    "settled_blocks",
    "undo_segments",
]
