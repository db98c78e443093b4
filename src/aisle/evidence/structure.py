"""What holds between the columns of a feature table in every row, so that drawn data can be made to keep it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Values = npt.NDArray[np.float64]
Kind = Literal["column", "one_hot", "shares", "log_ratios", "ordered", "flag"]

_CLOSE: Final = 1e-9
_ORDER: Final = ("_min", "_mean", "_max")


@dataclass(frozen=True)
class Group:
    """Columns that belong together.

    one_hot: 0 or 1, of which one is 1; shares: at least 0, adding up to 1; log_ratios: adding up to 0; ordered: each at
    least the one before; flag: the first is 1 where the second is above 0; column: one column by itself.
    """

    kind: Kind
    columns: tuple[str, ...]


def structure_of(values: pd.DataFrame) -> tuple[Group, ...]:
    """The groups of the columns of ``values`` (n, d); every column is in one, a flag's share in its own besides.

    One-hot groups, shares and log-ratios are found by their numbers, among neighbouring columns of their sort; orders
    and flags by their names (``_min``, ``_mean``, ``_max``; ``_max`` beside ``_share``), where their numbers agree.

    >>> [group.kind for group in structure_of(pd.DataFrame({"a": [0.2, 0.7], "b": [0.8, 0.3], "spend": [3.0, 4.0]}))]
    ['shares', 'column']
    """
    groups = list(_flags(values))
    free = [name for name in values.columns if name not in {group.columns[0] for group in groups}]
    binary = [name for name in free if values[name].isin([0.0, 1.0]).all()]
    groups += _runs("one_hot", values[binary], 1.0)
    within = [name for name in free if name not in binary and values[name].between(0, 1).all()]
    groups += _runs("shares", values[within], 1.0)
    free = _left(free, groups)
    groups += _runs("log_ratios", values[[name for name in free if name not in binary]], 0.0)
    free = _left(free, groups)
    groups += _orders(values[free])
    groups += [Group("column", (name,)) for name in _left(free, groups)]
    place = {name: number for number, name in enumerate(values.columns)}
    return tuple(sorted(groups, key=lambda group: place[group.columns[0]]))


def _left(columns: Sequence[str], groups: Sequence[Group]) -> list[str]:
    taken = {name for group in groups if group.kind != "flag" for name in group.columns}
    return [name for name in columns if name not in taken]


def _flags(values: pd.DataFrame) -> Iterator[Group]:
    for name in values.columns:
        share = f"{str(name).removesuffix('_max')}_share"
        if str(name).endswith("_max") and share in values and values[name].equals((values[share] > 0).astype(float)):
            yield Group("flag", (name, share))


def _runs(kind: Kind, values: pd.DataFrame, total: float) -> list[Group]:
    """Shortest runs of at least two neighbouring columns that add up to ``total`` in every row."""
    numbers, found, start = values.to_numpy(), [], 0
    tolerance = _CLOSE * max(1.0, float(np.abs(numbers).max(initial=0.0)))
    while start < numbers.shape[1] - 1:
        sums = np.cumsum(numbers[:, start:], axis=1)
        ends = np.flatnonzero((np.abs(sums - total) <= tolerance).all(axis=0))
        ends = ends[ends > 0]
        if ends.size:
            found.append(Group(kind, tuple(values.columns[start : start + ends[0] + 1])))
            start += int(ends[0])
        start += 1
    return found


def _orders(values: pd.DataFrame) -> Iterator[Group]:
    stems = dict.fromkeys(
        str(name).removesuffix(end) for name in values.columns for end in _ORDER if str(name).endswith(end)
    )
    for stem in stems:
        names = [f"{stem}{end}" for end in _ORDER if f"{stem}{end}" in values]
        if len(names) > 1 and (np.diff(values[names].to_numpy(), axis=1) >= 0).all():
            yield Group("ordered", tuple(names))
