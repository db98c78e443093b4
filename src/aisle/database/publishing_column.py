"""The segment's name in a column of the customers' own table: added on request, kept equal by every publication."""

from dataclasses import dataclass

from aisle.database.publishing_tables import collation
from aisle.database.session import Session, columns_of, quoted
from aisle.publication import LONGEST


@dataclass(frozen=True)
class CustomersColumn:
    """The ``column`` to add to a ``table`` of customers, whose column ``key`` holds the customer_id."""

    table: str
    key: str
    column: str


def add_column(session: Session, asked: CustomersColumn) -> None:
    """Add the column and note it, so that it is written from now on. In MySQL that commits by itself.

    Raises:
        ValueError: a name is not allowed, the table or its key is missing, or the column is there and is not ours.
    """
    table, _, column = (quoted(name, session.dialect) for name in (asked.table, asked.key, asked.column))
    found = columns_of(session, [asked.table]).get(asked.table)
    if found is None or asked.key not in found:
        what = f"has the columns {found}" if found else "is not there"
        raise ValueError(f"{session.origin} must have a table {asked.table} with the key {asked.key}; it {what}.")
    noted = session.rows(
        "SELECT key_column FROM customer_segment_columns WHERE table_name = %s AND column_name = %s",
        (asked.table, asked.column),
    )
    if not noted and asked.column in found:
        raise ValueError(
            f"{session.origin}: {asked.table}.{asked.column} must be a new column, as it would be overwritten; it is "
            f"there already. Choose another stage.customers_column than {sorted(found)}."
        )
    if noted and noted[0][0] != asked.key:
        raise ValueError(f"{asked.table}.{asked.column} is written by the key {noted[0][0]}; got {asked.key}.")
    if not noted:
        session.execute(
            "INSERT INTO customer_segment_columns (table_name, column_name, key_column) VALUES (%s, %s, %s)",
            (asked.table, asked.column, asked.key),
        )
    if asked.column not in found:
        kind = {"postgres": "text", "mysql": f"varchar({LONGEST['segment_name']}) CHARACTER SET utf8mb4"}
        session.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind.get(session.dialect, 'varchar')}")


def write_columns(session: Session) -> None:
    """Make every noted column that is still there equal to the current names of the segments; null is in none.

    Raises:
        ValueError: a customer has segments in two lifestages.
    """
    noted = session.rows("SELECT table_name, key_column, column_name FROM customer_segment_columns ORDER BY 1, 3")
    there = columns_of(session, [table for table, _, _ in noted]) if noted else {}
    wanted = [CustomersColumn(*names) for names in noted if {names[1], names[2]} <= set(there.get(names[0], []))]
    if wanted:
        twice = session.rows(
            "SELECT customer_id FROM customer_segment_periods WHERE closed_by = 0 GROUP BY customer_id "
            "HAVING COUNT(*) > 1 ORDER BY customer_id LIMIT 1"
        )
        if twice:
            raise ValueError(
                f"{wanted[0].table}.{wanted[0].column} must hold one segment of a customer; {twice[0][0]!r} has "
                "segments in two lifestages. Publish without the pooled lifestage."
            )
    for column in wanted:
        _write(session, column)


def _write(session: Session, asked: CustomersColumn) -> None:
    table, key, column = (quoted(name, session.dialect) for name in (asked.table, asked.key, asked.column))
    kind = "CHAR CHARACTER SET utf8mb4" if session.dialect == "mysql" else "varchar"
    customer = f"CAST(t.{key} AS {kind}) {collation(session)}"
    same = "<=>" if session.dialect == "mysql" else "IS NOT DISTINCT FROM"
    named = f"o.customer_id = {customer}"
    where = f"{named} AND NOT (t.{column} {same} o.segment_name)"
    session.execute(
        f"UPDATE {table} t STRAIGHT_JOIN customer_segments o SET t.{column} = o.segment_name WHERE {where}"  # noqa: S608
        if session.dialect == "mysql"
        else f"UPDATE {table} AS t SET {column} = o.segment_name FROM customer_segments o WHERE {where}"  # noqa: S608
    )
    session.execute(
        f"UPDATE {table} AS t SET {column} = NULL WHERE t.{column} IS NOT NULL "  # noqa: S608
        f"AND NOT EXISTS (SELECT 1 FROM customer_segment_periods o WHERE {named} AND o.closed_by = 0)"
    )
