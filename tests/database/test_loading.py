"""Loads: the database holds what the source gave or what it held before, whole, on every engine."""

import json
import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow
import pyarrow.compute as pc
import pytest
from tests.verify.loads import held

from aisle.database import DuckDB, Loaded, MySQL, PostgreSQL, fingerprint, load
from aisle.tables import CANONICAL

Database = DuckDB | PostgreSQL | MySQL
Tables = dict[str, pyarrow.Table]
Row = dict[str, Any]
REQUIRED = ("customers", "stores", "products", "baskets", "lines")


def rows_of(name: str, *rows: Row) -> pyarrow.Table:
    return pyarrow.Table.from_pylist(list(rows), schema=CANONICAL[name].arrow_schema)


CAMPAIGNS = rows_of(
    "campaigns",
    {"campaign_id": "spring", "campaign_type": None, "start_date": date(2024, 3, 1), "end_date": date(2024, 3, 9)},
)
DIRT = rows_of("dirt", {"table": "lines", "rule": "It was free.", "row_count": 3, "action": "dropped"})


def put(engine: Database, tables: Tables, mode: str = "replace", pieces: int = 2) -> dict[str, Loaded]:
    """Load the tables in pieces, children between their parents' pieces as a weekly source gives them."""
    sizes = {name: -(-rows.num_rows // pieces) for name, rows in tables.items()}
    parts = [
        (name, rows.slice(piece * sizes[name], sizes[name])) for piece in range(pieces) for name, rows in tables.items()
    ]
    return load(engine, iter(parts), mode=mode, told=lambda table, count: None)


def of(tables: Tables) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: sorted((tuple(row.values()) for row in rows.to_pylist()), key=str)
        for name, rows in sorted(tables.items())
    }


def stranger(engine: Database, sql: str) -> None:
    with engine.writing() as session:
        session.execute(sql)


def test_every_table_arrives_whole_and_a_second_load_changes_nothing(server: Database, sound: Tables) -> None:
    done = put(server, sound)
    assert done == {name: Loaded(sound[name].num_rows) for name in REQUIRED}
    assert held(server) == of(sound)
    expected = {name: CANONICAL[name] for name in REQUIRED}
    with server.connect(expected) as connection:
        first = json.dumps(fingerprint(connection))
    put(server, sound, pieces=3)
    assert held(server) == of(sound)
    with server.connect(expected) as connection:
        assert json.dumps(fingerprint(connection)) == first


def test_a_load_leaves_exactly_the_tables_of_its_source(server: Database, sound: Tables) -> None:
    put(server, sound | {"campaigns": CAMPAIGNS, "dirt": DIRT})
    put(server, sound)
    assert held(server) == of(sound)


def test_names_that_look_like_sql_are_only_names(server: Database, sound: Tables) -> None:
    odd = [
        "'; DROP TABLE customers; --",
        "`x`",
        '"x"',
        "a\tb\nc\\N",
        "\\N",
        "%s %d {}",
        "🥕 ü",
        "x" * 300,
        "x ",
        " x",
        "",
    ]
    customers = rows_of(
        "customers", *({"customer_id": name, "lifestage": None, "price_sensitivity": None} for name in odd)
    )
    tables = sound | {"customers": pyarrow.concat_tables([sound["customers"], customers])}
    put(server, tables)
    assert held(server) == of(tables)


def test_a_nul_is_refused_or_kept_and_then_nothing_is_half(server: Database, sound: Tables) -> None:
    put(server, sound)
    more = rows_of("customers", {"customer_id": "a\0b", "lifestage": None, "price_sensitivity": None})
    tables = sound | {"customers": pyarrow.concat_tables([sound["customers"], more])}
    if isinstance(server, PostgreSQL):
        sentence = (
            r"customers\.customer_id must be without the character NUL in PostgreSQL; 1 rows have it, the first is"
        )
        with pytest.raises(ValueError, match=sentence + r" 'a\\x00b'; remove it"):
            put(server, tables)
        assert held(server) == of(sound)
    else:
        put(server, tables)
        assert held(server) == of(tables)


def test_a_text_too_long_for_mysql_is_named_and_changes_nothing(server: Database, sound: Tables) -> None:
    put(server, sound)
    long = rows_of("customers", {"customer_id": "y" * 321, "lifestage": None, "price_sensitivity": None})
    tables = sound | {"customers": pyarrow.concat_tables([sound["customers"], long])}
    if isinstance(server, MySQL):
        sentence = r"customers\.customer_id must have at most 320 characters in MySQL; got one of 321, which begins"
        with pytest.raises(ValueError, match=sentence):
            put(server, tables)
        assert held(server) == of(sound)
    else:
        put(server, tables)
        assert held(server) == of(tables)


def broken(sound: Tables) -> dict[str, tuple[Tables, str]]:
    """What a source can get wrong across its parts, and the sentence it gets."""
    line = sound["lines"].slice(0, 1).to_pylist()[0]
    lost = rows_of("lines", *({**line, "basket_id": f"lost {number}"} for number in range(7)))
    basket = sound["baskets"].slice(0, 1).to_pylist()[0]
    nowhere = rows_of("baskets", {**basket, "basket_id": "new", "store_id": "nowhere"})
    more = {name: pyarrow.concat_tables([sound[name], rows]) for name, rows in (("lines", lost), ("baskets", nowhere))}
    again = pyarrow.concat_tables([sound["lines"], sound["lines"].slice(0, 3)])
    first = sound["lines"].slice(0, 3).to_pylist()
    twice = ", ".join(sorted(f"{row['basket_id']}/{row['product_id']}" for row in first))
    coupons = rows_of("coupons", {"coupon_id": "c", "product_id": line["product_id"], "campaign_id": "spring"})
    return {
        "lost lines": (
            sound | {"lines": more["lines"]},
            "lines.basket_id must be found in baskets; 7 rows are not, the first of lost 0, lost 1, lost 2, lost 3, "
            "lost 4; nothing was changed.",
        ),
        "no store": (
            sound | {"baskets": more["baskets"]},
            "baskets.store_id must be found in stores; 1 rows are not, the first of nowhere; nothing was changed.",
        ),
        "repeated lines": (
            sound | {"lines": again},
            "lines must have one row per basket_id, product_id; 3 rows repeat an earlier key, the first of "
            f"{twice}; nothing was changed.",
        ),
        "no campaigns": (sound | {"coupons": coupons}, "Table coupons refers to the tables ['campaigns']"),
    }


@pytest.mark.parametrize("what", ["lost lines", "no store", "repeated lines", "no campaigns"])
def test_rows_that_break_a_key_or_relation_are_counted_and_change_nothing(
    server: Database, sound: Tables, what: str
) -> None:
    put(server, sound)
    tables, sentence = broken(sound)[what]
    with pytest.raises(ValueError, match=r"Table|must") as caught:
        put(server, tables)
    assert sentence in str(caught.value)
    assert held(server) == of(sound)
    put(server, sound)
    assert held(server) == of(sound)


def test_a_source_that_dies_changes_nothing(server: Database, sound: Tables) -> None:
    put(server, sound)

    def dying() -> Iterator[tuple[str, pyarrow.Table]]:
        yield from (sound | {"customers": sound["customers"].slice(0, 5)}).items()
        raise OSError("the line is dead")

    with pytest.raises(OSError, match="the line is dead"):
        load(server, dying(), mode="replace", told=lambda table, count: None)
    assert held(server) == of(sound)


def test_a_table_that_aisle_did_not_make_is_left_alone(server: Database, sound: Tables) -> None:
    stranger(server, "CREATE TABLE customers (customer_id varchar(20))")
    stranger(server, "INSERT INTO customers VALUES ('theirs')")
    with pytest.raises(ValueError, match=r"must be empty or hold tables that Aisle made; \['customers'\] are somebody"):
        put(server, sound)
    with server.reading() as session:
        assert session.rows("SELECT customer_id FROM customers") == [("theirs",)]


def test_a_view_of_such_a_name_is_left_alone_too(server: Database, sound: Tables) -> None:
    stranger(server, "CREATE VIEW stores AS SELECT 1 AS one")
    with pytest.raises(ValueError, match=r"Aisle made; \['stores'\] are somebody else's"):
        put(server, sound)


def test_tables_that_others_refer_to_are_not_replaced(server: Database, sound: Tables) -> None:
    put(server, sound)
    with server.reading() as session:
        text = {"postgres": 'text COLLATE "C"', "mysql": "varchar(300) COLLATE utf8mb4_nopad_bin"}
        kind = text.get(session.dialect, "varchar")
    stranger(
        server,
        f"CREATE TABLE notes (customer_id {kind}, FOREIGN KEY (customer_id) REFERENCES customers (customer_id))",
    )
    with pytest.raises((ValueError, OSError), match=r"(?i)notes|depend"):
        put(server, sound)
    stranger(server, "DROP TABLE notes")
    assert held(server) == of(sound)


def test_an_unknown_mode_is_refused(server: Database, sound: Tables) -> None:
    with pytest.raises(ValueError, match=r"stage.mode must be one of \['replace', 'append'\]; got 'upsert'"):
        put(server, sound, mode="upsert")


def weeks(tables: Tables, first: int, last: int) -> Tables:
    """The baskets of some weeks from 1 January 2024, a Monday, and their lines."""
    moments = tables["baskets"]["shopped_at"]
    start = datetime(2024, 1, 1)
    begin, end = (pyarrow.scalar(start + timedelta(weeks=week), moments.type) for week in (first, last))
    baskets = tables["baskets"].filter(pc.and_(pc.greater_equal(moments, begin), pc.less(moments, end)))
    lines = tables["lines"].filter(pc.is_in(tables["lines"]["basket_id"], baskets["basket_id"]))
    return tables | {"baskets": baskets, "lines": lines}


def test_weeks_that_are_appended_give_what_one_load_gives(server: Database, sound: Tables) -> None:
    assert put(server, weeks(sound, 0, 5), mode="append")["stores"] == Loaded(sound["stores"].num_rows)
    done = put(server, weeks(sound, 3, 20), mode="append")
    assert done["stores"] == Loaded(0, sound["stores"].num_rows)
    assert done["baskets"].skipped == weeks(sound, 3, 5)["baskets"].num_rows
    assert held(server) == of(sound)
    again = put(server, sound, mode="append")
    assert {loaded.written for loaded in again.values()} == {0}
    assert held(server) == of(sound)


def test_what_is_there_stays_and_new_keys_are_added(
    server: Database, sound: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    before = sound | {"stores": sound["stores"], "dirt": DIRT}
    put(server, weeks(before, 0, 5))
    stores = sound["stores"].to_pylist()
    changed = rows_of("stores", {**stores[0], "store_region": "moved"}, *stores[1:], {**stores[0], "store_id": "new"})
    with caplog.at_level(logging.WARNING):
        done = put(server, weeks(before, 5, 20) | {"stores": changed}, mode="append")
    assert "stores: 1 rows differ from those that are there, which are kept" in caplog.text
    assert done["stores"] == Loaded(1, len(stores))
    expected = sound | {
        "stores": rows_of("stores", *stores, {**stores[0], "store_id": "new"}),
        "dirt": DIRT.set_column(2, DIRT.schema.field(2), pyarrow.array([6])),
    }
    assert held(server) == of(expected)


def test_a_basket_of_a_new_week_must_be_new(server: Database, sound: Tables) -> None:
    first = weeks(sound, 0, 5)
    put(server, first)
    basket = {**first["baskets"].slice(0, 1).to_pylist()[0], "shopped_at": datetime(2025, 1, 1)}
    later = sound | {"baskets": rows_of("baskets", basket), "lines": sound["lines"].slice(0, 0)}
    with pytest.raises(ValueError, match=f"1 are of baskets in other weeks, the first of {basket['basket_id']}"):
        put(server, later, mode="append")
    assert held(server) == of(first)


def test_appended_rows_must_refer_to_something_too(server: Database, sound: Tables) -> None:
    first = weeks(sound, 0, 5)
    put(server, first)
    line = {**sound["lines"].slice(0, 1).to_pylist()[0], "basket_id": "lost", "spend": Decimal("1.00")}
    later = weeks(sound, 5, 20)
    later = later | {"lines": pyarrow.concat_tables([later["lines"], rows_of("lines", line)])}
    with pytest.raises(ValueError, match=r"must be found in baskets; 1 rows are not, the first of lost"):
        put(server, later, mode="append")
    assert held(server) == of(first)


def test_a_table_that_is_not_there_cannot_be_appended_to(server: Database, sound: Tables) -> None:
    put(server, sound)
    with pytest.raises(ValueError, match=r"it lacks \['campaigns'\]: load everything with stage.mode=replace"):
        put(server, sound | {"campaigns": CAMPAIGNS}, mode="append")


def test_tables_of_another_definition_are_replaced_but_not_appended_to(server: Database, sound: Tables) -> None:
    put(server, sound)
    with server.writing() as session:
        said = "'one row per store; made by Aisle, definition 00000000'"
        alter = (
            f"ALTER TABLE stores COMMENT = {said}"
            if session.dialect == "mysql"
            else f"COMMENT ON TABLE stores IS {said}"
        )
        session.execute(alter)
    with pytest.raises(ValueError, match=r"the tables \['stores'\] must be as this version of Aisle defines them"):
        put(server, sound, mode="append")
    put(server, sound)
    put(server, sound, mode="append")
