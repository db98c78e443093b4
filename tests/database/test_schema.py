"""Definitions: what the contracts say is what the engine then holds every row to."""

from collections.abc import Callable
from typing import Any

import duckdb
import psycopg
import pyarrow
import pymysql
import pytest

from aisle.database import DuckDB, MySQL, PostgreSQL
from aisle.database.loading import load
from aisle.database.schema import Schema, definition_in
from aisle.database.session import Dialect, quoted
from aisle.tables import BASKETS, CANONICAL, LINES

Database = DuckDB | PostgreSQL | MySQL
Tables = dict[str, pyarrow.Table]
DIALECTS: tuple[Dialect, ...] = ("duckdb", "postgres", "mysql")
REFUSALS = (duckdb.Error, psycopg.Error, pymysql.Error, OSError)
WRONG = {
    "a quantity of none": "INSERT INTO {lines} VALUES ('{basket}', '{other}', 0, 1.00)",
    "a negative spend": "INSERT INTO {lines} VALUES ('{basket}', '{other}', 1, -0.01)",
    "a line of no basket": "INSERT INTO {lines} VALUES ('nowhere', '{product}', 1, 1.00)",
    "a line of no product": "INSERT INTO {lines} VALUES ('{basket}', 'nothing', 1, 1.00)",
    "a line twice": "INSERT INTO {lines} VALUES ('{basket}', '{product}', 1, 1.00)",
    "no spend": "INSERT INTO {lines} VALUES ('{basket}', '{other}', 1, NULL)",
    "an unknown lifestage": "INSERT INTO customers VALUES ('new', 'ZZ', NULL)",
    "a customer twice": "INSERT INTO customers VALUES ('{customer}', NULL, NULL)",
    "a basket of no store": "INSERT INTO baskets (basket_id, store_id, shopped_at) VALUES ('b', 'x', '2024-01-01')",
}


@pytest.fixture
def loaded(server: Database, sound: Tables) -> Database:
    """The small grocery on every engine."""
    load(server, sound.items(), mode="replace", told=lambda table, count: None)
    return server


def test_every_rule_of_the_contracts_is_held_by_the_engine(loaded: Database, sound: Tables) -> None:
    line = sound["lines"].slice(0, 1).to_pylist()[0]
    bought = sound["lines"].filter(pyarrow.compute.field("basket_id") == line["basket_id"])["product_id"].to_pylist()
    other = next(name for name in sound["products"]["product_id"].to_pylist() if name not in bought)
    names = {
        "basket": line["basket_id"],
        "product": line["product_id"],
        "other": other,
        "customer": sound["customers"]["customer_id"][0].as_py(),
    }
    for what, sql in WRONG.items():
        with pytest.raises(REFUSALS, match=r"(?i)constraint|duplicate|null"), loaded.writing() as session:  # noqa: PT012
            session.execute(sql.format(lines=quoted("lines", session.dialect), **names))
            pytest.fail(f"{what} was taken")


def test_relations_indices_and_comments_are_those_of_the_contracts(loaded: Database) -> None:
    with loaded.reading() as session:
        if session.dialect == "mysql":
            relations = session.rows(
                "SELECT table_name, column_name, referenced_table_name FROM information_schema.key_column_usage "
                "WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE()"
            )
            comments = session.rows(
                "SELECT table_name, column_name, column_comment FROM information_schema.columns "
                "WHERE table_schema = DATABASE()"
            )
            indexed = session.rows(
                "SELECT table_name, column_name FROM information_schema.statistics "
                "WHERE table_schema = DATABASE() AND seq_in_index = 1"
            )
        elif session.dialect == "postgres":
            relations = session.rows(
                "SELECT c.relname, a.attname, p.relname FROM pg_constraint AS k "
                "JOIN pg_class AS c ON c.oid = k.conrelid "
                "JOIN pg_class AS p ON p.oid = k.confrelid "
                "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.conkey[1] WHERE k.contype = 'f'"
            )
            comments = session.rows(
                "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class AS c "
                "JOIN pg_attribute AS a ON a.attrelid = c.oid "
                "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0"
            )
            indexed = session.rows(
                "SELECT c.relname, a.attname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid "
                "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "
                "WHERE c.relnamespace = current_schema()::regnamespace"
            )
        else:
            relations = session.rows(
                "SELECT table_name, constraint_column_names[1], referenced_table FROM duckdb_constraints() "
                "WHERE constraint_type = 'FOREIGN KEY'"
            )
            comments = session.rows("SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal")
            indexed = None
    canonical = [CANONICAL[name] for name in ("customers", "stores", "products", "baskets", "lines")]
    assert sorted(relations) == sorted(
        (table.name, column, parent) for table in canonical for column, parent in table.references.items()
    )
    assert {(table, column): said for table, column, said in comments} == {
        (table.name, name): column.meaning for table in canonical for name, column in table.columns.items()
    }
    if indexed is not None:
        assert set(indexed) == {(table.name, table.key[0]) for table in canonical} | {
            (table.name, column) for table in canonical for column in table.references
        }


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_comment_tells_by_which_definition_a_table_was_made(dialect: Dialect) -> None:
    schema = Schema(dialect, "utf8mb4_nopad_bin")
    said = [schema.create(LINES), *schema.comments(LINES)]
    (comment,) = [text for text in said if "made by Aisle" in text]
    end = comment.rindex("made by Aisle") + len("made by Aisle, definition ") + 8
    assert definition_in(comment[:end]) == schema.definition(LINES)
    assert schema.definition(LINES) != schema.definition(BASKETS)


@pytest.mark.parametrize("comment", [None, "", "one row per customer (a card)", "made by Aisle", "VIEW"])
def test_a_table_without_the_mark_is_somebody_elses(comment: Any) -> None:
    assert definition_in(comment) is None


def test_every_key_fits_into_an_index_of_mysql(new_server: Callable[[str], Database]) -> None:
    with new_server("mysql").writing() as session:
        schema = Schema.of(session)
        for table in CANONICAL.values():
            session.execute(schema.create(table, complete=True))
