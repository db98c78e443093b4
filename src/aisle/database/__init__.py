"""Databases: connections and the queries that are run on them. The only SQL of the project."""

from aisle.database.contracts import check_rows
from aisle.database.duckdb import DuckDB
from aisle.database.engine import Connection, Engine
from aisle.database.extraction import FILTERS_IN_ORDER, Extraction
from aisle.database.fingerprint import fingerprint

__all__ = ["FILTERS_IN_ORDER", "Connection", "DuckDB", "Engine", "Extraction", "check_rows", "fingerprint"]
