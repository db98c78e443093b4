"""What a source's cleaning policy did: rules as sentences, and how many rows each was applied to."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from aisle.tables import DIRT

log = logging.getLogger(__name__)

_NAMED = 5
"""How many of the ids that are not found are named in the log."""


@dataclass(frozen=True)
class Rule:
    """One rule of a policy. ``sentence`` says what is wrong with a row, ``action`` is dropped or changed."""

    table: str
    sentence: str
    action: str = "dropped"


def first_broken(broken: Mapping[Rule, npt.NDArray[np.bool_]]) -> tuple[npt.NDArray[np.bool_], Counter[Rule]]:
    """Which rows break no rule, and how many break each; a row is counted under the first rule it breaks.

    ``broken`` holds, in the order of the policy, one mask over the same rows per rule.

    >>> free, old = Rule("lines", "It was free."), Rule("lines", "It is old.")
    >>> clean, counts = first_broken({free: np.array([True, True, False]), old: np.array([True, False, False])})
    >>> clean.tolist(), counts[free], counts[old]
    ([False, False, True], 2, 0)
    """
    rules = list(broken)
    masks = np.stack([broken[rule] for rule in rules])
    clean = np.logical_not(masks.any(axis=0))
    first = masks.argmax(axis=0)[~clean]
    return clean, Counter(dict(zip(rules, np.bincount(first, minlength=len(rules)).tolist(), strict=True)))


def dirt_table(policy: Iterable[Rule], counts: Mapping[Rule, int]) -> pyarrow.Table:
    """The rows of the table ``dirt``: every rule of the policy, also those no row broke."""
    rules = sorted(policy, key=lambda rule: (rule.table, rule.sentence))
    return pyarrow.table(
        {
            "table": [rule.table for rule in rules],
            "rule": [rule.sentence for rule in rules],
            "row_count": [counts.get(rule, 0) for rule in rules],
            "action": [rule.action for rule in rules],
        },
        schema=DIRT.arrow_schema,
    )


class Strangers:
    """The first ids that were not found where they should be, by the rule that counts them."""

    def __init__(self) -> None:
        self._ids: dict[Rule, dict[str, None]] = {}

    def add(self, rule: Rule, ids: pyarrow.ChunkedArray, unknown: npt.NDArray[np.bool_]) -> None:
        """Note ids, in their order, where ``unknown``; a missing id has no name."""
        found = self._ids.setdefault(rule, {})
        if len(found) < _NAMED and unknown.any():
            for name in pyarrow.compute.unique(ids.filter(pyarrow.array(unknown)).drop_null())[:_NAMED].to_pylist():
                if len(found) < _NAMED:
                    found.setdefault(name)

    def log(self, origin: object, counts: Mapping[Rule, int]) -> None:
        """One warning per rule that some row broke: how many, and the first five ids."""
        for rule, ids in self._ids.items():
            if counts.get(rule, 0):
                named = f" The first: {', '.join(ids)}." if ids else " They name none."
                log.warning("%s: %d %s %s: %s%s", origin, counts[rule], rule.table, rule.action, rule.sentence, named)


def first_repeat(keys: pyarrow.ChunkedArray) -> int | None:
    """The place of the first key that was there before; None where all differ."""
    if pyarrow.compute.count_distinct(keys).as_py() == len(keys):
        return None
    return int(np.flatnonzero(keys.to_pandas().duplicated().to_numpy())[0])
