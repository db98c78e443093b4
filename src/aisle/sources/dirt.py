"""What a source's cleaning policy did: rules as sentences, and how many rows each was applied to."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow

from aisle.tables import DIRT


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
