"""A session does the same on every engine: one transaction, bound values, rows in and out in bulk."""

from datetime import date, datetime
from decimal import Decimal

import pyarrow
import pytest

from aisle.database import DuckDB, MySQL, PostgreSQL
from aisle.database.session import Session, quoted

Database = DuckDB | PostgreSQL | MySQL

SCHEMA = pyarrow.schema(
    {
        "id": pyarrow.int64(),
        "name": pyarrow.string(),
        "money": pyarrow.decimal128(12, 2),
        "number": pyarrow.float64(),
        "moment": pyarrow.timestamp("us"),
        "day": pyarrow.date32(),
    }
)
AWKWARD = [
    "",
    " ",
    "trailing ",
    "NULL",
    "\\N",
    "'; DROP TABLE things; --",
    '"`quoted`"',
    "comma, tab\t, line\nfeed\r\n",
    "back\\slash",
    "100 %s %%",
    "Ünal",
    "🛒",
    "x" * 300,
]
ROWS = pyarrow.table(
    {
        "id": list(range(len(AWKWARD) + 1)),
        "name": [*AWKWARD, None],
        "money": [Decimal("9999999999.99"), Decimal("-0.01"), None, *[Decimal("0.10")] * (len(AWKWARD) - 2)],
        "number": [1 / 3, 1e-300, None, 2**0.5, 0.1 + 0.2, -0.0, 1e22, *[5.0] * (len(AWKWARD) - 6)],
        "moment": [datetime(2024, 2, 29, 23, 59, 59, 999_999), None, *[datetime(1970, 1, 1)] * (len(AWKWARD) - 1)],
        "day": [date(2024, 2, 29), None, *[date(1969, 12, 31)] * (len(AWKWARD) - 1)],
    },
    schema=SCHEMA,
)


@pytest.fixture
def things(server: Database) -> Database:
    """An engine with an empty table for every type there is."""
    text, moment = ("TEXT", "TIMESTAMP(6)") if not isinstance(server, MySQL) else ("TEXT", "DATETIME(6)")
    with server.writing() as session:
        number = "DOUBLE PRECISION" if session.dialect == "postgres" else "DOUBLE"
        session.execute(
            f"CREATE TABLE things (id BIGINT PRIMARY KEY, name {text}, money DECIMAL(12, 2), number {number}, "
            f"moment {moment}, day DATE)"
        )
    return server


def insert_and_fail(session: Session) -> None:
    session.insert("things", ROWS)
    raise ZeroDivisionError("on the way")


def count(server: Database) -> int:
    with server.reading() as session:
        return int(session.rows("SELECT COUNT(*) FROM things")[0][0])


def test_rows_go_in_and_out_as_they_are(things: Database) -> None:
    with things.writing() as session:
        session.insert("things", ROWS)
    with things.reading() as session:
        found = session.arrow("SELECT id, name, money, number, moment, day FROM things", SCHEMA)
        none = session.arrow("SELECT id, name, money, number, moment, day FROM things WHERE id < 0", SCHEMA)
    assert found.sort_by("id").equals(ROWS)
    assert none.equals(SCHEMA.empty_table())


def test_columns_are_matched_by_name(things: Database) -> None:
    with things.writing() as session:
        session.insert("things", ROWS.select(["name", "id"]))
        assert session.rows("SELECT name, money FROM things WHERE id = 0") == [("", None)]


def test_values_are_bound_and_never_read_as_sql(things: Database) -> None:
    with things.writing() as session:
        for number, text in enumerate(AWKWARD):
            assert session.execute("INSERT INTO things (id, name) VALUES (%s, %s)", (number, text)) == 1
        found = session.rows("SELECT name FROM things WHERE id >= %s AND id %% 1 = 0 ORDER BY id", (0,))
    assert [row[0] for row in found] == AWKWARD


def test_statements_say_how_many_rows_they_changed(things: Database) -> None:
    with things.writing() as session:
        session.insert("things", ROWS)
        assert session.execute("UPDATE things SET name = %s WHERE id < %s", ("new", 3)) == 3
        assert session.execute("DELETE FROM things WHERE id = 99") == 0


def test_what_raises_is_undone_and_what_ends_is_kept(things: Database) -> None:
    with pytest.raises(ZeroDivisionError, match=r"^on the way$"), things.writing() as session:
        insert_and_fail(session)
    assert count(things) == 0
    with things.writing() as session:
        session.insert("things", ROWS)
    assert count(things) == ROWS.num_rows


def test_rows_that_break_a_rule_undo_everything_and_are_one_sentence(things: Database) -> None:
    with (
        pytest.raises(OSError, match=r": (DuckDB|PostgreSQL|MySQL) refuses: .*uplicate.*\.$"),
        things.writing() as session,
    ):
        session.insert("things", pyarrow.concat_tables([ROWS, ROWS.slice(3, 1)]))
    assert count(things) == 0


def test_a_reading_session_can_change_nothing(things: Database) -> None:
    with pytest.raises(OSError, match=r"(?i)refuses: .*read.only"), things.reading() as session:
        session.execute("DELETE FROM things")


def test_a_statement_that_is_wrong_is_one_sentence(things: Database) -> None:
    with pytest.raises(OSError, match=r"refuses: [^\n]*nothing_like_it[^\n]*\.$"), things.reading() as session:
        session.rows("SELECT a FROM nothing_like_it")


@pytest.mark.parametrize("name", ["a b", 'a"b', "a`b", "1a", "", "a" * 64, "tä", "a;b", "a\n"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"must be named by letters, digits and underscores, at most 63; got "):
        quoted(name, "postgres")
