"""The selection rule that is declared before a study runs."""

from collections.abc import Sequence
from dataclasses import dataclass


def checked_floor(floor: object) -> float:
    """The smallest share of the customers that a segment may hold.

    Raises:
        ValueError: it is no number in [0, 0.5].
    """
    if not (isinstance(floor, int | float) and _is_number(floor) and 0 <= floor <= 0.5):
        raise ValueError(f"evidence.rule.floor must be a share of the customers in [0, 0.5]; got {floor}.")
    return float(floor)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class SelectionRule:
    """What may be chosen, and what decides between equals.

    ``floor`` is the smallest share of the customers a segment may hold. Ranking scores no more than ``tie_tolerance``
    below the highest are ties: the fewest segments win, then the clusterer that comes first in ``cost_rank`` (one that
    is not named there comes last), then the first names in alphabetical order.

    Raises:
        ValueError: the floor or the tolerance is out of range, or a clusterer is named twice.
    """

    floor: float
    tie_tolerance: float
    cost_rank: Sequence[str]

    def __post_init__(self) -> None:
        checked_floor(self.floor)
        if not (_is_number(self.tie_tolerance) and 0 <= self.tie_tolerance < 1):
            raise ValueError(f"evidence.rule.tie_tolerance must be in [0, 1); got {self.tie_tolerance}.")
        if isinstance(self.cost_rank, str):
            raise ValueError(f"evidence.rule.cost_rank must be a list of clusterers; got {self.cost_rank!r}.")
        if len(set(self.cost_rank)) < len(self.cost_rank):
            raise ValueError(f"evidence.rule.cost_rank must name each clusterer once; got {list(self.cost_rank)}.")

    def cost(self, clusterer: str) -> int:
        """Rank of a clusterer, 1 = cheapest, whatever was changed inside its option.

        >>> SelectionRule(floor=.05, tie_tolerance=1e-9, cost_rank=["kmeans", "ward"]).cost("ward metric=cosine")
        2
        """
        option = clusterer.split(" ")[0]
        named = list(self.cost_rank)
        return named.index(option) + 1 if option in named else len(named) + 1
