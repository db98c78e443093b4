"""Partitions that only repeat columns of few levels: those are rules that need no clustering, and not segments."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aisle.evidence.agreement import adjusted_rand, count
from aisle.evidence.structure import structure_of
from aisle.evidence.valley import FEWEST_LEVELS
from aisle.partition import NOISE

Labels = npt.NDArray[np.int64]

_SAME: Final = 0.95


def categories(values: pd.DataFrame) -> dict[str, Labels]:
    """The level of every customer (n,) in each category of ``values`` (n, d), by the category's name.

    A category is a column of at most 10 distinct values, a one-hot group (its columns joined by "/"), or all of these
    together (joined by ", "): where they have no more levels than that, or where there is no other column.
    """
    few = [name for name in values.columns if values[name].nunique() < FEWEST_LEVELS]
    groups = [group.columns for group in structure_of(values) if group.kind == "one_hot"]
    found = {str(name): _levels(values[[name]]) for name in few}
    found |= {"/".join(columns): _levels(values[list(columns)]) for columns in groups}
    grouped = {name for columns in groups for name in columns}
    single = ["/".join(columns) for columns in groups] + [str(name) for name in few if name not in grouped]
    if len(single) > 1:
        together = _levels(values[few])
        if count(together) < FEWEST_LEVELS or len(few) == values.shape[1]:
            found[", ".join(single)] = together
    return found


def _levels(columns: pd.DataFrame) -> Labels:
    return np.unique(columns.to_numpy(), axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def repeated(labels: Labels, levels: Mapping[str, Labels]) -> str:
    """The first category that decides a partition (n,), noise included; empty where none does or below two clusters.

    It decides where giving everybody the most frequent label of their level brings the partition back: an adjusted Rand
    index of at least .95.

    >>> repeated(np.array([0, 0, 0, 1, 1]), {"visits": np.array([2, 2, 2, 1, 0])})
    'visits'
    """
    if count(labels) < 2:
        return ""
    return next(
        (name for name, codes in levels.items() if adjusted_rand(labels, _majority(labels, codes)) >= _SAME), ""
    )


def _majority(labels: Labels, codes: Labels) -> Labels:
    width = count(labels) + 1
    numbers = codes * width + labels - NOISE
    votes = np.bincount(numbers, minlength=(count(codes)) * width).reshape(-1, width)
    return np.asarray(votes.argmax(axis=1)[codes] + NOISE)
