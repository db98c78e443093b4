"""Tables beside the ones in use: filled in bulk without keys, proved, and put in place at once."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
import pyarrow
import pyarrow.compute as pc
import pymysql

from aisle.database.schema import NEW, OLD, Schema, definition_in
from aisle.database.session import Session
from aisle.database.violations import orphans, repeated_keys
from aisle.tables import CANONICAL, TEXT, Table

_SHOWN = 40
"""Characters of a text that is refused."""
_BROKEN_KEY = (psycopg.IntegrityError, pymysql.IntegrityError)
_LISTED = {
    "postgres": "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class "
    "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname IN ",
    "mysql": "SELECT table_name, table_comment FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name IN ",
    "duckdb": "SELECT name, comment FROM (SELECT lower(table_name) AS name, comment, database_name, schema_name "
    "FROM duckdb_tables() UNION ALL SELECT lower(view_name), 'a view', database_name, schema_name FROM duckdb_views()) "
    "WHERE database_name = current_database() AND schema_name = current_schema() AND name IN ",
}


@dataclass(frozen=True)
class Staging:
    """The new tables of a load, in its session.

    PostgreSQL and DuckDB do all of it in the session's transaction. MySQL commits at every definition: there the new
    tables are ready, with keys and relations, before one RENAME exchanges them with the old ones.
    """

    session: Session
    schema: Schema

    def made_by_aisle(self, prefix: str = "") -> Mapping[str, str]:
        """The canonical tables that are there, each with the digits of its definition.

        Raises:
            ValueError: a table of such a name is not Aisle's.
        """
        names = [prefix + name for name in CANONICAL]
        marks = ", ".join(["%s"] * len(names))
        found = {
            str(name).removeprefix(prefix): definition_in(comment)
            for name, comment in self.session.rows(f"{_LISTED[self.schema.dialect]}({marks})", names)
        }
        strangers = sorted(prefix + name for name, definition in found.items() if definition is None)
        if strangers:
            raise ValueError(
                f"{self.session.origin} must be empty or hold tables that Aisle made; {strangers} are somebody "
                "else's and are left alone: give Aisle a database or schema of its own."
            )
        return {name: definition for name, definition in found.items() if definition is not None}

    def check_definitions(self, found: Mapping[str, str]) -> None:
        """That the tables that are there are defined as this version of Aisle defines them.

        Raises:
            ValueError: one is not.
        """
        other = [name for name, made_by in found.items() if made_by != self.schema.definition(CANONICAL[name])]
        if other:
            raise ValueError(
                f"{self.session.origin}: the tables {other} must be as this version of Aisle defines them; another "
                "version made them: load everything with stage.mode=replace."
            )

    def check_removable(self, found: Collection[str]) -> None:
        """That nobody else's table refers to those that go; PostgreSQL and DuckDB look themselves, in time.

        Raises:
            ValueError: one does.
        """
        if self.schema.dialect != "mysql" or not found:
            return
        marks = ", ".join(["%s"] * len(found))
        others = self.session.rows(
            "SELECT DISTINCT table_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE() "  # noqa: S608
            f"AND referenced_table_name IN ({marks}) AND table_name NOT IN ({marks}) ORDER BY table_name",
            [*found, *found],
        )
        if others:
            named = [name for (name,) in others]
            raise ValueError(f"{self.session.origin}: the tables {named} refer to Aisle's, which would be replaced.")

    def clear(self) -> None:
        """Remove what a load that was killed has left."""
        for prefix in (NEW, OLD):
            self._drop(self.made_by_aisle(prefix), prefix)

    @contextmanager
    def cleared_after_failure(self) -> Iterator[None]:
        """In MySQL, remove the new tables when the block raises; elsewhere the session's transaction undoes them."""
        try:
            yield
        except BaseException:
            if self.schema.dialect == "mysql":
                with suppress(pymysql.Error):  # the server is away: the next load removes them
                    self.session.execute("ROLLBACK")
                    self.clear()
            raise

    def begin(self, table: Table) -> None:
        """Make the new table, without keys."""
        temporary = self.schema.dialect == "duckdb"
        self.session.execute(self.schema.create(table, prefix=NEW, temporary=temporary))
        for comment in () if temporary else self.schema.comments(table, prefix=NEW):
            self.session.execute(comment)

    def insert(self, table: Table, rows: pyarrow.Table) -> None:
        """Append rows to the new table.

        Raises:
            ValueError: the engine cannot hold a text: it is too long, or has the character NUL.
        """
        self._refuse(next(self._refused(table, rows), None))
        self.session.insert(NEW + table.name, rows)
        self.keep()

    def _refused(self, table: Table, rows: pyarrow.Table) -> Iterator[str]:
        """A sentence for each column with a text that the engine cannot hold."""
        for name, column in table.columns.items():
            if column.type != TEXT or column.codes:
                continue
            texts = rows.column(name)
            most = self.schema.most_characters(name)
            if most is not None and (longest := pc.max(pc.utf8_length(texts)).as_py() or 0) > most:
                text = texts[pc.index(pc.utf8_length(texts), longest).as_py()].as_py()
                yield (
                    f"{table.name}.{name} must have at most {most} characters in MySQL; got one of {longest}, which "
                    f"begins with {text[:_SHOWN]!r}"
                )
            if self.schema.dialect == "postgres" and (wrong := texts.filter(pc.match_substring(texts, "\0"))):
                yield (
                    f"{table.name}.{name} must be without the character NUL in PostgreSQL; {len(wrong)} rows have it, "
                    f"the first is {wrong[0].as_py()[:_SHOWN]!r}; remove it"
                )

    def keep(self) -> None:
        """In MySQL, commit: what is in new tables need not be undone row by row when a load dies."""
        if self.schema.dialect == "mysql":
            self.session.execute("COMMIT")

    def add_keys(self, table: Table) -> None:
        """The primary key of the new table, and its indices.

        Raises:
            ValueError: rows repeat a key.
        """
        if self.schema.dialect == "duckdb":  # there a key is part of the definition
            self._refuse(repeated_keys(self.session, self.schema, table, NEW + table.name))
            return
        for sql in self.schema.keys(table, prefix=NEW):
            with self._proved(table):
                self.session.execute(sql)

    def check_references(self, table: Table, parents: Mapping[str, Collection[str]]) -> None:
        """That what the new table's rows refer to is in one of the ``parents``' tables.

        Raises:
            ValueError: it is not.
        """
        self._refuse(orphans(self.session, self.schema, table, NEW + table.name, parents))

    def prove_references(self, given: Collection[Table]) -> None:
        """`check_references` among the new tables, where making the relation will not prove them itself."""
        for table in given if self.schema.dialect != "postgres" else ():
            self.check_references(table, {parent: [NEW + parent] for parent in table.references.values()})

    def put_in_place(self, given: Collection[str], found: Collection[str]) -> None:
        """The new tables ``given``, keys built, become the tables; those ``found`` go, also where no new one comes."""
        install = {"postgres": self._rename, "mysql": self._exchange, "duckdb": self._copy}[self.schema.dialect]
        install([CANONICAL[name] for name in CANONICAL if name in given], found)

    def drop(self, given: Collection[str]) -> None:
        """Remove the new tables."""
        self._drop(given, NEW)

    def _rename(self, given: list[Table], found: Collection[str]) -> None:
        """PostgreSQL: names of indices are unique in a schema, so they follow; rights are given again."""
        for table in given:
            self._relate(table)
        rights = [right for table in given if table.name in found for right in self._rights(table)]
        self._drop(found, "")
        for table in given:
            indices = [f"{table.name}_key", *(name for name, _ in self.schema.indices(table))]
            for kind, name in (("TABLE", table.name), *(("INDEX", index) for index in indices)):
                new, final = self.schema.quoted(NEW + name), self.schema.quoted(name)
                self.session.execute(f"ALTER {kind} {new} RENAME TO {final}")
        for right in rights:
            self.session.execute(right)
        for table in given:
            self.session.execute(f"ANALYZE {self.schema.quoted(table.name)}")

    def _exchange(self, given: list[Table], found: Collection[str]) -> None:
        """MySQL: relations follow the tables they were made for, whatever those are called afterwards."""
        self.session.execute("SET SESSION foreign_key_checks = 0")  # the rows were proved; checking copies the table
        for table in given:
            relation = self.schema.foreign_keys(table, prefix=NEW)
            if relation:
                self.session.execute(relation)
        self.session.execute("SET SESSION foreign_key_checks = 1")
        moves = [(name, OLD + name) for name in found] + [(NEW + table.name, table.name) for table in given]
        renamed = ", ".join(f"{self.schema.quoted(one)} TO {self.schema.quoted(other)}" for one, other in moves)
        self.session.execute(f"RENAME TABLE {renamed}")
        self._drop(found, OLD)

    def _copy(self, given: list[Table], found: Collection[str]) -> None:
        """DuckDB: relations can only be part of a definition."""
        self._drop(found, "")
        for table in given:
            self.session.execute(self.schema.create(table, complete=True))
            names = self.schema.columns(table.columns)
            self.session.execute(
                f"INSERT INTO {self.schema.quoted(table.name)} ({names}) "  # noqa: S608
                f"SELECT {names} FROM {self.schema.quoted(NEW + table.name)}"
            )
            for comment in self.schema.comments(table):
                self.session.execute(comment)
        self.drop([table.name for table in given])

    def _relate(self, table: Table) -> None:
        relation = self.schema.foreign_keys(table, prefix=NEW)
        if relation:
            with self._proved(table):
                self.session.execute(relation)

    @contextmanager
    def _proved(self, table: Table) -> Iterator[None]:
        """What a key or relation that cannot be made is broken by, as a sentence."""
        transactional = self.schema.dialect == "postgres"
        if transactional:
            self.session.execute("SAVEPOINT proof")
        try:
            yield
        except _BROKEN_KEY as error:
            if transactional:
                self.session.execute("ROLLBACK TO SAVEPOINT proof")
            parents = {parent: [NEW + parent] for parent in table.references.values()}
            source = NEW + table.name
            self._refuse(
                repeated_keys(self.session, self.schema, table, source)
                or orphans(self.session, self.schema, table, source, parents)
                or " ".join(str(error).split())
            )

    def _refuse(self, sentence: str | None) -> None:
        if sentence:
            raise ValueError(f"{self.session.origin}: {sentence.rstrip('.')}; nothing was changed.")

    def _rights(self, table: Table) -> list[str]:
        """The GRANTs that others have on a table of PostgreSQL."""
        granted = self.session.rows(
            "SELECT privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, "
            "CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END FROM pg_class, aclexplode(relacl) "
            "WHERE relnamespace = current_schema()::regnamespace AND relname = %s AND grantee <> relowner",
            [table.name],
        )
        name = self.schema.quoted(table.name)
        return [f"GRANT {privilege} ON {name} TO {grantee}{option}" for privilege, grantee, option in granted]

    def _drop(self, names: Collection[str], prefix: str) -> None:
        """Drop tables, those that refer to others first."""
        for name in reversed(list(CANONICAL)):
            if name in names:
                self.session.execute(f"DROP TABLE {self.schema.quoted(prefix + name)}")
