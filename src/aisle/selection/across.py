"""The verdicts of all lifestages together: how many of each class, and which methods can be told apart at all."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from aisle.evidence import CLASSES, MOST_METHODS, MethodRanks, rank_methods
from aisle.leaderboard import RANKED_BY
from aisle.selection.reasons import number
from aisle.selection.rule import SelectionRule
from aisle.selection.verdict import Verdict


def ranks(board: pd.DataFrame, rule: SelectionRule) -> MethodRanks:
    """The methods (clusterers) ranked across lifestages by their best eligible partition in each.

    At most five: the more methods, the less can be told apart. They are the first ones in the declared order of cost,
    which no score has a say in.
    """
    methods = _by_cost(board, rule)[:MOST_METHODS]
    eligible = board[board["eligible"].astype(bool) & (board["smallest_share"] >= rule.floor)]
    best = eligible.pivot_table(index="lifestage", columns="clusterer", values=RANKED_BY, aggfunc="max")
    return rank_methods(best.reindex(index=sorted(board["lifestage"].unique()), columns=methods))


def _by_cost(board: pd.DataFrame, rule: SelectionRule) -> list[str]:
    return sorted(board["clusterer"].unique(), key=lambda name: (rule.cost(name), name))


def together(
    verdicts: Sequence[Verdict], board: pd.DataFrame, rule: SelectionRule, found: MethodRanks
) -> tuple[str, ...]:
    """The sentences on all lifestages: classes first, where evidence was computed, then methods."""
    sentences = found.sentences
    left_out = _by_cost(board, rule)[MOST_METHODS:]
    if left_out:
        names = ", ".join(left_out)
        sentences += (f"At most {MOST_METHODS} methods are compared, the first by declared cost; left out: {names}.",)
    counts = Counter(verdict.evidence_class for verdict in verdicts if verdict.evidence_class)
    if not counts:
        return sentences
    told = ", ".join(f"{counts[name]} {name}" for name in CLASSES if counts[name])
    return f"Of {number(sum(counts.values()), 'lifestage')}: {told}.", *sentences
