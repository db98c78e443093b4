"""Attributes of customers, stores and products as lines tell them, week after week: one value each."""

from collections.abc import Sequence

import pyarrow

from aisle.tables import UNDEFINED

_PILE = 100_000
"""Rows that may pile up before they are merged."""


class Told:
    """What lines have told of one kind of thing: every combination of attributes, and the last week it was told in."""

    def __init__(self, key: str, attributes: Sequence[str]) -> None:
        self._key, self._columns = key, [key, *attributes]
        self._parts: list[pyarrow.Table] = []

    def add(self, lines: pyarrow.Table) -> None:
        """Lines with the columns of key and attributes, and ``week``; lines without a key tell nothing."""
        self._parts.append(self._latest(lines.filter(lines.column(self._key).is_valid())))
        if sum(part.num_rows for part in self._parts[1:]) > max(_PILE, self._parts[0].num_rows):
            self._parts = [self._latest(pyarrow.concat_tables(self._parts))]

    def _latest(self, rows: pyarrow.Table) -> pyarrow.Table:
        latest = rows.group_by(self._columns, use_threads=False).aggregate([("week", "max")])
        return latest.rename_columns({"week_max": "week"})

    def settled(self) -> tuple[pyarrow.Table, int]:
        """One row per key, sorted by it, and how many keys were told two known values of an attribute.

        The latest known value stands; XX stands where no value is known, null where nothing was ever told. Of two
        known values in one week, the one later in the alphabet stands.
        """
        rows = self._latest(pyarrow.concat_tables(self._parts)).to_pandas()
        keys = rows[[self._key]].drop_duplicates().sort_values(self._key).set_index(self._key)
        changed = set()
        for name in self._columns[1:]:
            known = rows[name].notna().astype(int) + (rows[name].notna() & (rows[name] != UNDEFINED)).astype(int)
            ordered = rows.assign(known=known).sort_values([self._key, "known", "week", name])
            keys[name] = ordered.drop_duplicates(self._key, keep="last").set_index(self._key)[name]
            values = ordered.loc[ordered["known"] == 2, [self._key, name]].drop_duplicates()
            changed |= set(values.loc[values[self._key].duplicated(), self._key])
        return pyarrow.Table.from_pandas(keys.reset_index(), preserve_index=False), len(changed)
