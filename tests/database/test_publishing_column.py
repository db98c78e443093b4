"""The segment's name in a column of the customers' own table."""

import pytest
from tests.database.conftest import Database
from tests.database.publications import day, publication

from aisle.database import CustomersColumn, publish_segments, read_receipt, undo_segments
from aisle.publication import Publication

COLUMN = CustomersColumn("shoppers", "number", "segment")


@pytest.fixture
def shoppers(server: Database) -> Database:
    """A database with four customers in a table of somebody else's; their numbers are numbers."""
    with server.writing() as session:
        session.execute("CREATE TABLE shoppers (number integer, name varchar(20))")
        session.execute("INSERT INTO shoppers VALUES (1, 'Ann'), (2, 'Bo'), (3, 'Cy'), (4, NULL)")
    return server


def publish(server: Database, result: Publication, number: int, column: CustomersColumn | None) -> str:
    with server.writing() as session:
        return str(publish_segments(session, result, at=day(number), column=column).run)


def names(server: Database, column: str = "segment") -> list[tuple[object, ...]]:
    with server.reading() as session:
        return session.rows(f"SELECT number, {column} FROM shoppers ORDER BY number")  # noqa: S608


FIRST = publication([("1", "YA", 0), ("2", "YA", 1), ("3", "YA", -1), ("9", "YA", 0)])
SECOND = publication([("1", "YA", 1), ("3", "YA", 0), ("9", "YA", 0)], names={("YA", 0): "'; DROP TABLE shoppers"})


def test_the_column_is_added_and_follows_every_run_and_its_undoing(shoppers: Database) -> None:
    publish(shoppers, FIRST, 0, None)
    publish(shoppers, FIRST, 1, COLUMN)
    assert names(shoppers) == [(1, "YA 0"), (2, "YA 1"), (3, None), (4, None)]
    run = publish(shoppers, SECOND, 2, None)
    second = [(1, "YA 2"), (2, None), (3, "'; DROP TABLE shoppers"), (4, None)]
    assert names(shoppers) == second
    assert publish(shoppers, SECOND, 3, COLUMN) == run
    assert names(shoppers) == second
    with shoppers.writing() as session:
        first = undo_segments(session, run)
    assert names(shoppers) == [(1, "YA 0"), (2, "YA 1"), (3, None), (4, None)]
    with shoppers.writing() as session:
        undo_segments(session, str(first.run))
    assert names(shoppers) == [(number, None) for number in (1, 2, 3, 4)]


def test_other_columns_and_customers_are_left_alone(shoppers: Database) -> None:
    before = names(shoppers, "name")
    publish(shoppers, FIRST, 0, COLUMN)
    assert names(shoppers, "name") == before


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (CustomersColumn("shoppers", "number", "name"), "must be a new column, as it would be overwritten"),
        (CustomersColumn("nobody", "number", "segment"), "must have a table nobody .* it is not there"),
        (CustomersColumn("shoppers", "id", "segment"), r"with the key id; it has the columns \['number', 'name'\]"),
        (CustomersColumn("shoppers", "number", "x; DROP TABLE shoppers"), "named by letters, digits and underscores"),
        (CustomersColumn("shoppers`", "number", "x"), "named by letters, digits and underscores"),
    ],
)
def test_what_cannot_be_a_column_is_refused_and_nothing_is_published(
    shoppers: Database, column: CustomersColumn, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        publish(shoppers, FIRST, 0, column)
    with shoppers.reading() as session:
        assert read_receipt(session).run is None


def test_a_customer_with_two_segments_fits_in_no_column(shoppers: Database) -> None:
    pooled = publication([("1", "YA", 0), ("1", "all", 0), ("2", "all", 0)])
    with pytest.raises(ValueError, match="must hold one segment of a customer; '1' has segments in two lifestages"):
        publish(shoppers, pooled, 0, COLUMN)
    with shoppers.reading() as session:
        assert read_receipt(session).run is None


def test_one_key_writes_a_column(shoppers: Database) -> None:
    publish(shoppers, FIRST, 0, COLUMN)
    with pytest.raises(ValueError, match=r"shoppers.segment is written by the key number; got name"):
        publish(shoppers, FIRST, 1, CustomersColumn("shoppers", "name", "segment"))
