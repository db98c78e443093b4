"""Tables that others designed: found in a database, checked, and named as a layout names them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from aisle.database.session import Session, quoted

TEXT, WHOLE, NUMBER, MOMENT = "text", "whole numbers", "numbers", "moments or days"

ID = (TEXT, WHOLE)
CODE = (TEXT,)
COUNT = (WHOLE,)
AMOUNT = (WHOLE, NUMBER)
"""What columns of foreign tables may hold."""

_KINDS = {
    TEXT: "text varchar char character bpchar tinytext mediumtext longtext enum uuid",
    WHOLE: "smallint integer int bigint tinyint mediumint hugeint utinyint usmallint uinteger ubigint int2 int4 int8",
    NUMBER: "numeric decimal real double float double",
    MOMENT: "date datetime timestamp",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_SHORT = re.compile(r"\(.*| varying| precision| without time zone")
_TYPES = {WHOLE: dt.int64, NUMBER: dt.Decimal(38, 9), MOMENT: dt.Timestamp(scale=6)}
"""Numbers are declared as decimals, so that casting them to double is written into the query."""

Wanted = Mapping[str, Mapping[str, Sequence[str]]]
"""By table and column, as a layout names them: the kinds the column may be of."""


@dataclass(frozen=True)
class Names:
    """How the database names the tables and columns of a layout."""

    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]

    def check(self, wanted: Wanted) -> None:
        """Raises ValueError: a table or column of the layout has no name, or a name is for none."""
        for place, given, needed in (
            ("tables", self.tables, wanted),
            ("columns", self.columns, wanted),
            *((f"columns.{table}", self.columns.get(table, {}), columns) for table, columns in wanted.items()),
        ):
            if set(given) != set(needed):
                raise ValueError(f"layout.{place} must name {sorted(needed)}; got {sorted(given)}.")


def own_tables(session: Session, names: Names, wanted: Wanted) -> dict[str, ir.Table]:
    """The database's own tables as unbound Ibis tables with the layout's names, by the layout's names.

    Columns of text have the type unknown where the engine does not compare text byte by byte: `text` casts them.

    Raises:
        ValueError: a table or column is not there, or a column holds something else.
    """
    names.check(wanted)
    there = _described(session)
    missing = [table for table in wanted if names.tables[table] not in there]
    if missing:
        called = [names.tables[table] for table in missing]
        raise ValueError(
            f"{session.origin}: the layout needs the tables {called}; there are {sorted(there)}; "
            f"say what they are called, as layout.tables.{missing[0]}=NAME."
        )
    return {table: _own_table(session, there, names, table, columns) for table, columns in wanted.items()}


def text(column: ir.Column) -> ir.StringColumn:
    """An identifier or code as text, compared byte by byte."""
    return column.cast("string")


def key(column: ir.Column) -> ir.Column:
    """What rows can be grouped by: whole numbers and moments as they are, anything else as text."""
    return column if column.type().is_integer() or column.type().is_timestamp() else text(column)


def same(left: ir.Column, right: ir.Column) -> ir.BooleanColumn:
    """Whether two identifiers are equal: numbers as they are, anything else as text, byte by byte."""
    if left.type().is_integer() and right.type().is_integer():
        return left == right
    return text(left) == text(right)


def _described(session: Session) -> dict[str, dict[str, str]]:
    """Every table and view of the schema: its columns and their types, as the engine calls them."""
    schema = "DATABASE()" if session.dialect == "mysql" else "current_schema()"
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in session.rows(
        f"SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = {schema} "  # noqa: S608
        "ORDER BY table_name, ordinal_position"
    ):
        found.setdefault(table, {})[column] = str(kind).lower()
    return found


def _own_table(
    session: Session,
    there: Mapping[str, Mapping[str, str]],
    names: Names,
    table: str,
    columns: Mapping[str, Sequence[str]],
) -> ir.Table:
    called, own = names.tables[table], there[names.tables[table]]
    quoted(called, session.dialect)
    types = {}
    for column, accepted in columns.items():
        name = names.columns[table][column]
        quoted(name, session.dialect)
        if name not in own:
            raise ValueError(
                f"{session.origin}: table {called} needs a column {name}; it has {list(own)}; "
                f"say what it is called, as layout.columns.{table}.{column}=NAME."
            )
        kind = _KIND_OF.get(_SHORT.sub("", own[name]))
        if kind not in accepted:
            raise ValueError(f"{session.origin}: {called}.{name} must hold {' or '.join(accepted)}; it is {own[name]}.")
        blank_padded = own[name] in ("character", "bpchar")
        unlike = session.dialect == "mysql" or blank_padded or own[name].startswith(("enum", "uuid"))
        types[name] = _TYPES.get(str(kind), dt.unknown if unlike else dt.string)
    rows = ibis.table(types, name=called)
    return rows.select(**{column: rows[names.columns[table][column]] for column in columns})
