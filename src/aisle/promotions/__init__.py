"""Promotions: who responds to what, whether segments help to say so, and what receiving a campaign changes."""

from aisle.promotions.effects import BALANCE_COLUMNS, EFFECT_COLUMNS, Effects, estimate_effects
from aisle.promotions.exposures import Exposure
from aisle.promotions.rule import EffectRule
from aisle.promotions.sensitivity import SENSITIVITY, robustness_value
from aisle.promotions.shrinkage import SHARE_COLUMNS, share_in_words, shrunken_shares
from aisle.promotions.trial_size import TrialSize, trial_for_means, trial_for_shares

__all__ = [
    "BALANCE_COLUMNS",
    "EFFECT_COLUMNS",
    "SENSITIVITY",
    "SHARE_COLUMNS",
    "EffectRule",
    "Effects",
    "Exposure",
    "TrialSize",
    "estimate_effects",
    "robustness_value",
    "share_in_words",
    "shrunken_shares",
    "trial_for_means",
    "trial_for_shares",
]
