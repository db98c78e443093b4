"""The feature table: one row per customer (or store), one cohort label each."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

EVERYBODY = "all"
"""The name that selects all cohorts together."""


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features by customer: float64, finite, unique index; ``cohort`` on the same index, both sorted by it.

    Raises:
        ValueError: a column is not float64, a value is not finite, an id occurs twice, a cohort is null, or the indices
            differ.
    """

    values: pd.DataFrame
    cohort: "pd.Series[str]"

    def __post_init__(self) -> None:
        if not self.values.index.is_unique:
            twice = self.values.index[self.values.index.duplicated()].unique().tolist()[:5]
            raise ValueError(f"Feature rows must be unique; these ids repeat: {twice}.")
        if not self.values.index.equals(self.cohort.index):
            raise ValueError("Features and cohort must have the same index in the same order.")
        if self.cohort.hasnans:
            raise ValueError(f"Every customer must have a cohort; {int(self.cohort.isna().sum())} have none.")
        other = [f"{name} ({dtype})" for name, dtype in self.values.dtypes.items() if dtype != np.float64]
        if other:
            raise ValueError(f"Features must be float64; got {', '.join(other)}.")
        finite = np.isfinite(self.values.to_numpy())
        if not finite.all():
            bad = self.values.columns[~finite.all(axis=0)].tolist()
            raise ValueError(f"Features must be finite; these columns are not: {bad}.")

    @property
    def cohorts(self) -> list[str]:
        """The cohorts that occur, sorted."""
        return sorted(self.cohort.unique())

    def select(self, cohort: str) -> "FeatureTable":
        """The rows of one cohort, or of everybody for ``"all"``.

        Raises:
            ValueError: there is no such cohort; the valid ones are listed.
        """
        if cohort == EVERYBODY:
            return self
        if cohort not in self.cohorts:
            raise ValueError(f"Lifestage {cohort!r} is unknown; the features have {[*self.cohorts, EVERYBODY]}.")
        chosen = self.cohort == cohort
        return FeatureTable(self.values[chosen], self.cohort[chosen])

    def varying(self) -> "FeatureTable":
        """Without the columns that are constant here: they cannot tell customers apart.

        Raises:
            ValueError: every column is constant.
        """
        spread = self.values.max() - self.values.min()
        columns = spread.index[spread > 0]
        if columns.empty:
            raise ValueError(f"All {len(spread)} features are constant over {len(self.values)} customers.")
        return FeatureTable(self.values[columns], self.cohort)

    def in_value_order(self) -> "FeatureTable":
        """Rows sorted by their values, first column first.

        An algorithm that starts from the order of rows then depends neither on the order of the file nor on names.
        """
        order = np.lexsort(self.values.to_numpy()[:, ::-1].T)
        return FeatureTable(self.values.iloc[order], self.cohort.iloc[order])

    def digest(self) -> str:
        """SHA-256 of names, ids and values, in hexadecimal: equal tables have equal digests."""
        content = hashlib.sha256()
        for names in (self.values.columns, self.values.index, self.cohort):
            content.update("\x1f".join(map(str, names)).encode() + b"\x1e")
        content.update(np.ascontiguousarray(self.values.to_numpy(), dtype="<f8").tobytes())
        return content.hexdigest()
