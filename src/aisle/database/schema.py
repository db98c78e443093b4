"""The canonical tables as each engine defines them: types, keys, relations, checks and comments, from the contracts."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow

from aisle.database.session import Dialect, Session, quoted
from aisle.tables import CANONICAL, COUNT, DAY, MOMENT, MONEY, NUMBER, TEXT, Column, Table

NEW, OLD = "aisle_new_", "aisle_old_"
"""Before the names of tables that are being filled, and of those that are about to go."""

_CHARACTERS, _FEWER_CHARACTERS = 320, {"campaign_id": 220, "coupon_id": 220}
"""How long text may be in MySQL: a key takes at most 3072 bytes, four a character, and the widest has three texts.

A column has one length wherever it occurs, so that a value that fits on one side of a relation fits on the other.
"""
_TYPES: dict[Dialect, dict[pyarrow.DataType, str]] = {
    "postgres": {COUNT: "bigint", MONEY: "numeric(12, 2)", MOMENT: "timestamp(6)", DAY: "date", NUMBER: "float8"},
    "mysql": {COUNT: "bigint", MONEY: "decimal(12, 2)", MOMENT: "datetime(6)", DAY: "date", NUMBER: "double"},
    "duckdb": {COUNT: "bigint", MONEY: "decimal(12, 2)", MOMENT: "timestamp", DAY: "date", NUMBER: "double"},
}
_COLLATIONS = ("utf8mb4_nopad_bin", "utf8mb4_0900_bin")
"""MariaDB's and MySQL's collation that compares text by its bytes, trailing spaces included."""
_MARK = re.compile(r"; made by Aisle, definition ([0-9a-f]{8})$")


@dataclass(frozen=True)
class Schema:
    """The definitions in one engine's language. ``collation`` is MySQL's for text; the others need none."""

    dialect: Dialect
    collation: str = ""

    @classmethod
    def of(cls, session: Session) -> "Schema":
        """The definitions for the engine of a session.

        Raises:
            ValueError: a MySQL so old that it cannot compare text by its bytes.
        """
        if session.dialect != "mysql":
            return cls(session.dialect)
        found = session.rows(
            "SELECT collation_name FROM information_schema.collations WHERE collation_name IN (%s, %s)", _COLLATIONS
        )
        if not found:
            raise ValueError(f"{session.origin} must be MySQL 8 or MariaDB 10.2 or newer; it lacks {_COLLATIONS}.")
        return cls(session.dialect, str(found[0][0]))

    def quoted(self, name: str) -> str:
        """See `aisle.database.session.quoted`."""
        return quoted(name, self.dialect)

    def columns(self, names: Iterable[str]) -> str:
        """Quoted names, with commas."""
        return ", ".join(self.quoted(name) for name in names)

    def create(self, table: Table, *, prefix: str = "", complete: bool = False, temporary: bool = False) -> str:
        """CREATE TABLE with types, checks and, in MySQL, comments; ``complete``: with keys and relations, too."""
        parts = [self._column(name, column) for name, column in table.columns.items()]
        parts += list(self._checks(table))
        if complete:
            parts += [self._primary_key(table), *self._foreign_keys(table)]
        kind = "CREATE TEMP TABLE" if temporary else "CREATE TABLE"
        about = f" ENGINE=InnoDB COMMENT={_text(self._comment(table))}" if self.dialect == "mysql" else ""
        return f"{kind} {self.quoted(prefix + table.name)} ({', '.join(parts)}){about}"

    def keys(self, table: Table, *, prefix: str = "") -> Iterator[str]:
        """Primary key and indices of a filled table; in MySQL in one statement, as it copies the table."""
        name = self.quoted(prefix + table.name)
        added = [f"ADD {self._primary_key(table, prefix)}"]
        if self.dialect == "mysql":
            added += [f"ADD INDEX {self.quoted(index)} ({column})" for index, column in self.indices(table)]
        yield f"ALTER TABLE {name} {', '.join(added)}"
        if self.dialect == "postgres":
            for index, column in self.indices(table):
                yield f"CREATE INDEX {self.quoted(prefix + index)} ON {name} ({column})"

    def indices(self, table: Table) -> list[tuple[str, str]]:
        """Name and quoted column of the indices besides the key: every column by which other tables are found.

        DuckDB gets none: it scans faster than it seeks, and builds an index slowly.
        """
        wanted = () if self.dialect == "duckdb" else table.references
        return [(f"{table.name}_{column}_index", self.quoted(column)) for column in wanted if column != table.key[0]]

    def foreign_keys(self, table: Table, *, prefix: str = "") -> str | None:
        """The relations of a table that has been filled, in one statement."""
        added = ", ".join(f"ADD {key}" for key in self._foreign_keys(table, prefix))
        return f"ALTER TABLE {self.quoted(prefix + table.name)} {added}" if added else None

    def comments(self, table: Table, *, prefix: str = "") -> Iterator[str]:
        """Grain and meanings, where CREATE TABLE does not say them."""
        if self.dialect == "mysql":
            return
        name = self.quoted(prefix + table.name)
        yield f"COMMENT ON TABLE {name} IS {_text(self._comment(table))}"
        for column, contract in table.columns.items():
            yield f"COMMENT ON COLUMN {name}.{self.quoted(column)} IS {_text(contract.meaning)}"

    def definition(self, table: Table) -> str:
        """Eight digits that change when the definition does."""
        keys = [*self._foreign_keys(table), *self.keys(table)]
        columns = [self._column(name, column) for name, column in table.columns.items()]
        said = "\n".join([*columns, *self._checks(table), *keys, table.grain])
        return hashlib.sha256(said.encode()).hexdigest()[:8]

    def _comment(self, table: Table) -> str:
        return f"{table.grain}; made by Aisle, definition {self.definition(table)}"

    def _column(self, name: str, column: Column) -> str:
        about = f" COMMENT {_text(column.meaning)}" if self.dialect == "mysql" else ""
        null = "NULL" if column.nullable else "NOT NULL"
        return f"{self.quoted(name)} {self._type(name, column)} {null}{about}"

    def _type(self, name: str, column: Column) -> str:
        if column.type != TEXT:
            return _TYPES[self.dialect][column.type]
        if self.dialect == "postgres":
            return 'text COLLATE "C"'
        if self.dialect == "duckdb":
            return "varchar"
        length = max(map(len, column.codes)) if column.codes else self.most_characters(name)
        return f"varchar({length}) CHARACTER SET utf8mb4 COLLATE {self.collation}"

    def most_characters(self, name: str) -> int | None:
        """How long a text of the column of this name may be; None where there is no limit."""
        return _FEWER_CHARACTERS.get(name, _CHARACTERS) if self.dialect == "mysql" else None

    def _checks(self, table: Table) -> Iterator[str]:
        for name, column in table.columns.items():
            named = f"CONSTRAINT {self.quoted(f'{table.name}_{name}_check')} " if self.dialect == "postgres" else ""
            if column.codes:
                yield f"{named}CHECK ({self.quoted(name)} IN ({', '.join(map(_text, column.codes))}))"
            elif column.minimum is not None:
                yield f"{named}CHECK ({self.quoted(name)} >= {column.minimum:d})"

    def _primary_key(self, table: Table, prefix: str = "") -> str:
        named = f"CONSTRAINT {self.quoted(f'{prefix}{table.name}_key')} " if self.dialect == "postgres" else ""
        return f"{named}PRIMARY KEY ({self.columns(table.key)})"

    def _foreign_keys(self, table: Table, prefix: str = "") -> Iterator[str]:
        for name, parent in table.references.items():
            (key,) = CANONICAL[parent].key
            named = f"CONSTRAINT {self.quoted(f'{table.name}_{name}_reference')} " if self.dialect == "postgres" else ""
            target = f"{self.quoted(prefix + parent)} ({self.quoted(key)})"
            yield f"{named}FOREIGN KEY ({self.quoted(name)}) REFERENCES {target}"


def definition_in(comment: str | None) -> str | None:
    """The digits of the definition a table was made by, from its comment; None where Aisle did not make it."""
    found = _MARK.search(comment or "")
    return found[1] if found else None


def _text(value: str) -> str:
    """A text of the contracts as a literal of SQL."""
    doubled = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
