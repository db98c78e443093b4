"""New weeks added to the tables that are there, what is there kept as it is."""

import logging
from collections.abc import Mapping
from datetime import date, timedelta

from aisle.database.schema import NEW
from aisle.database.staging import Staging
from aisle.tables import BASKETS, CANONICAL, DIRT, LINES, Table

log = logging.getLogger(__name__)


def append(staging: Staging, rows: Mapping[str, int], found: Mapping[str, str]) -> dict[str, int]:
    """Insert from the new tables what is not there yet; the rows written of each.

    A week runs from Monday to Sunday. Of a week in which there is a basket already, no basket and no line is added.
    Of every other table the rows with new keys are; a row whose key is there stays as it is, and the log counts those
    that the source now gives otherwise. The counts of ``dirt`` are added up if all the source's weeks are new.

    Raises:
        ValueError: a basket of a new week has the id of one that is there, a row breaks a key or a relation, or the
            source gives a table that the database does not have.
    """
    unknown = [name for name in rows if name not in found]
    if unknown:
        raise ValueError(
            f"{staging.session.origin} must have the tables that are appended to; it lacks {unknown}: "
            "load everything with stage.mode=replace."
        )
    for name in rows:
        staging.add_keys(CANONICAL[name])
        parents = {parent: [NEW + parent, parent] for parent in CANONICAL[name].references.values()}
        staging.check_references(CANONICAL[name], parents)
    staging.keep()
    adding = _Adding(staging)
    days, all_new = adding.new_days()
    written = {name: adding.add(CANONICAL[name], days, all_new=all_new) for name in rows}
    staging.keep()
    staging.drop(rows)
    return written


class _Adding:
    """The statements of one append; ``n`` is a new table, ``t`` the one that is there."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        self._session = staging.session
        self._quoted = staging.schema.quoted

    def new_days(self) -> tuple[list[date], bool]:
        """The days of the source whose weeks are new, and whether all of its days are such."""
        there, given = self._days(BASKETS.name), self._days(NEW + BASKETS.name)
        weeks = {_monday(day) for day in there}
        days = sorted(day for day in given if _monday(day) not in weeks)
        log.info("%d of the source's %d weeks are new", len(set(map(_monday, days))), len(set(map(_monday, given))))
        return days, len(days) == len(given)

    def add(self, table: Table, days: list[date], *, all_new: bool) -> int:
        """Insert the rows of one table that are to be added."""
        if table in (BASKETS, LINES):
            return self._add_of_days(table, days) if days else 0
        if table == DIRT and not all_new:
            log.info("dirt stays as it is: some of the source's weeks were there before")
            return 0
        if table == DIRT:
            return self._add_up()
        return self._add_new_keys(table)

    def _days(self, name: str) -> set[date]:
        day = f"CAST({self._quoted('shopped_at')} AS DATE)"
        return {day for (day,) in self._session.rows(f"SELECT DISTINCT {day} FROM {self._quoted(name)}")}  # noqa: S608

    def _add_of_days(self, table: Table, days: list[date]) -> int:
        marks = ", ".join(["%s"] * len(days))
        within = f"CAST(b.{self._quoted('shopped_at')} AS DATE) IN ({marks})"
        basket = self._quoted("basket_id")
        if table == BASKETS:
            self._refuse_known(within, days)
            source = f"{self._quoted(NEW + BASKETS.name)} AS b WHERE {within}"
            alias = "b"
        else:
            source = (
                f"{self._quoted(NEW + LINES.name)} AS n JOIN {self._quoted(NEW + BASKETS.name)} AS b "
                f"ON b.{basket} = n.{basket} WHERE {within}"
            )
            alias = "n"
        return self._insert(table, alias, source, days)

    def _refuse_known(self, within: str, days: list[date]) -> None:
        basket = self._quoted("basket_id")
        both = (
            f"FROM {self._quoted(NEW + BASKETS.name)} AS b JOIN {self._quoted(BASKETS.name)} AS t "
            f"ON t.{basket} = b.{basket} WHERE {within}"
        )
        ((count,),) = self._session.rows(f"SELECT COUNT(*) {both}", days)
        if count:
            first = self._session.rows(f"SELECT b.{basket} {both} ORDER BY b.{basket} LIMIT 5", days)
            raise ValueError(
                f"{self._session.origin}: baskets of a new week must have new ids; {count} are of baskets in other "
                f"weeks, the first of {', '.join(str(name) for (name,) in first)}; nothing was changed."
            )

    def _add_new_keys(self, table: Table) -> int:
        new, there = self._quoted(NEW + table.name), self._quoted(table.name)
        same = self._same_key(table)
        others = [name for name in table.columns if name not in table.key]
        if others:
            changed = " OR ".join(
                self._differs(f"n.{self._quoted(name)}", f"t.{self._quoted(name)}") for name in others
            )
            ((count,),) = self._session.rows(
                f"SELECT COUNT(*) FROM {new} AS n JOIN {there} AS t ON {same} WHERE {changed}"  # noqa: S608
            )
            if count:
                log.warning("%s: %d rows differ from those that are there, which are kept", table.name, count)
        source = f"{new} AS n WHERE NOT EXISTS (SELECT 1 FROM {there} AS t WHERE {same})"  # noqa: S608
        return self._insert(table, "n", source)

    def _add_up(self) -> int:
        new, there = self._quoted(NEW + DIRT.name), self._quoted(DIRT.name)
        keys = " AND ".join(f"n.{self._quoted(name)} = {there}.{self._quoted(name)}" for name in DIRT.key)
        count = self._quoted("row_count")
        self._session.execute(
            f"UPDATE {there} SET {count} = {count} + (SELECT n.{count} FROM {new} AS n WHERE {keys}) "  # noqa: S608
            f"WHERE EXISTS (SELECT 1 FROM {new} AS n WHERE {keys})"
        )
        source = f"{new} AS n WHERE NOT EXISTS (SELECT 1 FROM {there} AS t WHERE {self._same_key(DIRT)})"  # noqa: S608
        return self._insert(DIRT, "n", source)

    def _insert(self, table: Table, alias: str, source: str, values: list[date] | None = None) -> int:
        columns = self._staging.schema.columns(table.columns)
        taken = ", ".join(f"{alias}.{self._quoted(name)}" for name in table.columns)
        into = f"INSERT INTO {self._quoted(table.name)} ({columns}) SELECT {taken} FROM {source}"  # noqa: S608
        return self._session.execute(into, values or ())

    def _same_key(self, table: Table) -> str:
        return " AND ".join(f"n.{self._quoted(name)} = t.{self._quoted(name)}" for name in table.key)

    def _differs(self, one: str, other: str) -> str:
        if self._staging.schema.dialect == "mysql":
            return f"NOT ({one} <=> {other})"
        return f"{one} IS DISTINCT FROM {other}"


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
