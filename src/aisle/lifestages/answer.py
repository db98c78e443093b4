"""Do lifestages differ? One word, by declared thresholds, with the effect sizes it rests on."""

from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from aisle.comparison import COMMON
from aisle.lifestages.variance import Explained

SMALL: Final = 0.01
MEDIUM: Final = 0.06
LARGE: Final = 0.14
"""Shares of variance from which an effect is small, medium and large (Cohen 1988)."""
_LEVEL: Final = 0.05
_SAME_CUT: Final = 0.5
"""Share of what its own rule reaches that other lifestages' rules must reach for cuts to be called alike."""


@dataclass(frozen=True)
class Answer:
    """``word`` is "differ", "behave alike" or "cannot be compared"; ``effect`` the size of what lifestage explains.

    ``effect`` is the share of variance beyond chance, at most 1; ``cut`` the median over all rules of agreement /
    own agreement, on the common scale, None where no two lifestages have a cut; ``sentence`` says it all in words.
    """

    word: Literal["differ", "behave alike", "cannot be compared"]
    effect: float | None
    cut: float | None
    sentence: str


def answer(variance: Explained | None, agreement: pd.DataFrame) -> Answer:
    """Lifestages differ where what lifestage explains is real (p at most .05) and at least a medium effect.

    ``agreement`` is what `aisle.lifestages.cross_assignment` gives. It is told beside and changes no word: the same
    continuum can be cut at two places. Lifestages are not cut alike where the rules of others typically reach less than
    half of the agreement that a lifestage's own rule reaches.
    """
    if variance is None:
        told = "Lifestages cannot be compared: fewer than two of them have segments, or no feature varies."
        return Answer("cannot be compared", None, None, told)
    real = variance.p_value <= _LEVEL
    word: Literal["differ", "behave alike"] = "differ" if real and variance.beyond_chance >= MEDIUM else "behave alike"
    level = (
        f"lifestage explains {max(variance.beyond_chance, 0):.1%} of the features' variance beyond what chance does "
        f"({_size(variance.beyond_chance)} effect, p = {variance.p_value:.3g}), segments within lifestages "
        f"{variance.segment_share:.1%}"
    )
    cut, told = _cuts(agreement)
    return Answer(word, variance.beyond_chance, cut, f"Lifestages {word}: {level}. {told}")


def _cuts(agreement: pd.DataFrame) -> tuple[float | None, str]:
    rows = agreement[(agreement["scale"] == COMMON) & (agreement["own_agreement"] > 0)]
    if rows.empty:
        return None, "No two lifestages have segments that could be cut by each other's rule."
    ratio = rows["agreement"] / rows["own_agreement"]
    cut = float(ratio.median())
    by_lifestage = ratio.groupby(rows["lifestage"]).median()
    alike = "They are cut alike" if cut >= _SAME_CUT else "They are not cut alike"
    return cut, (
        f"{alike}: by another's rule, a lifestage's segments come back with {cut:.0%} (median) of the agreement that "
        f"its own rule reaches; least so {by_lifestage.idxmin()} ({by_lifestage.min():.0%})."
    )


def _size(share: float) -> str:
    if share >= LARGE:
        return "a large"
    if share >= MEDIUM:
        return "a medium"
    return "a small" if share >= SMALL else "a negligible"
