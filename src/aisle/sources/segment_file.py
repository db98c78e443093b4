"""A segmentation made elsewhere: a CSV file with a row per customer and the name of the customer's segment."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow

from aisle.features.table import EVERYBODY, FeatureTable
from aisle.sources.csv_files import CsvFile, CsvForm
from aisle.sources.dirt import first_repeat
from aisle.sources.kinds import ID, TEXT

log = logging.getLogger(__name__)

NOISE_NAMES: Final = frozenset({"", "noise", "-1"})
"""How a file says, in lower or upper case, that a customer is in no segment."""
_FORM: Final = CsvForm({"customer_id": ID, "segment": TEXT}, open=True)
_BOTH: Final = "judge the customers that are in both with stage.common=true"


@dataclass(frozen=True)
class SegmentFile:
    """The CSV file at ``path``, plain or gzipped: columns customer_id and segment; further columns are passed over."""

    path: Path

    def segments(self) -> "pd.Series[str]":
        """The segment of every customer of the file, by customer, in the file's order; null where in none.

        Names of segments are stripped of spaces; `NOISE_NAMES` and an empty field are none.

        Raises:
            OSError: there is no such file, or it cannot be read.
            ValueError: it is no such CSV file, or a customer occurs twice. The sentence names the file, the line and
                the customer.
        """
        if not self.path.exists():
            raise FileNotFoundError(
                f"{self.path} is not there; give a CSV file of customers and segments, labels=FILE."
            )
        if self.path.is_dir():
            raise ValueError(f"{self.path} must be a CSV file of customers and segments; it is a folder.")
        file = CsvFile(self.path)
        rows = pyarrow.concat_tables(file.parts(_FORM))
        ids = rows.column("customer_id")
        repeat = first_repeat(ids)
        if repeat is not None:
            raise ValueError(
                f"{file}, line {file.line(repeat)}, column customer_id: there must be one row per customer; "
                f"{ids[repeat].as_py()!r} was there before, take one row out."
            )
        index = pd.Index(ids.to_pandas(), name="customer_id")
        names = pd.Series(rows.column("segment").to_pandas().to_numpy(), index=index, dtype="str").str.strip()
        return names.mask(names.str.lower().isin(NOISE_NAMES))

    def matched(
        self, table: FeatureTable, where: str, *, lifestages: Sequence[str] | None, common: bool
    ) -> "pd.Series[str]":
        """The segments of customers of ``table``, in its order; ``where`` is what sentences call it.

        Every customer of the file must be in the table. A lifestage that the file has, or that ``lifestages`` names,
        must be whole in it; others may be absent. With ``common`` customers who are not in both are left out and
        counted.

        Raises:
            OSError: there is no such file, or it cannot be read.
            ValueError: as `segments`; a customer is unknown or missing; or there are fewer than two segments.
        """
        segments, known = self.segments(), table.values.index
        if not common:
            self._check_known(segments, known, where)
            self._check_whole(segments, table, where, lifestages)
        both = segments.reindex(known[known.isin(segments.index)])
        if common:
            log.info(
                "left out: customers of the file who have no features: %d; with features but not in the file: %d",
                len(segments) - len(both),
                len(known) - len(both),
            )
        names = both.dropna().unique().tolist()
        if len(names) < 2:
            found = f"one, {names[0]!r}" if names else "none"
            raise ValueError(f"{self.path} must have two segments or more; its {len(both)} customers have {found}.")
        return both

    def _check_known(self, segments: "pd.Series[str]", known: pd.Index, where: str) -> None:
        unknown = np.flatnonzero(~segments.index.isin(known))
        if unknown.size:
            first = int(unknown[0])
            others = f", nor are {unknown.size - 1} others" if unknown.size > 1 else ""
            raise ValueError(
                f"{self.path}, line {CsvFile(self.path).line(first)}, column customer_id: {segments.index[first]!r} is "
                f"not in {where}{others}; take them out, or {_BOTH}."
            )

    def _check_whole(
        self, segments: "pd.Series[str]", table: FeatureTable, where: str, lifestages: Sequence[str] | None
    ) -> None:
        absent = ~table.values.index.isin(segments.index)
        missing, whole = table.cohort[absent].value_counts(), table.cohort.value_counts()
        present = [name for name in table.cohorts if missing.get(name, 0) < whole[name]]
        asked = table.cohorts if EVERYBODY in (lifestages or ()) else lifestages or present
        partly = [name for name in asked if missing.get(name, 0)]
        if partly:
            first = table.values.index[absent & table.cohort.isin(partly).to_numpy()][0]
            counts = ", ".join(f"{missing[name]} of the {whole[name]} of {name}" for name in partly)
            raise ValueError(
                f"{self.path} must have every customer of a lifestage, but lacks {counts} in {where}, such as "
                f"{first!r}; add them (an empty segment means none), or {_BOTH}."
            )
