"""Promotions: who responds to what, whether segments help to say so, and what receiving a campaign changes."""

from aisle.promotions.buying import BUYING
from aisle.promotions.campaigns import CAMPAIGNS, Mailings, Studied, studied
from aisle.promotions.discount_use import DISCOUNT_USE
from aisle.promotions.earlier_segments import Recipe, segments_over
from aisle.promotions.effects import BALANCE_COLUMNS, EFFECT_COLUMNS, Effects, estimate_effects
from aisle.promotions.exposures import Exposure
from aisle.promotions.plan import PLAN, TrialRule, tool_rows
from aisle.promotions.purchases import Purchases
from aisle.promotions.receiving import EFFECTS
from aisle.promotions.response_shares import RESPONSES
from aisle.promotions.rivals import Question, use, use_columns
from aisle.promotions.rule import EffectRule
from aisle.promotions.sensitivity import SENSITIVITY, robustness_value
from aisle.promotions.shrinkage import SHARE_COLUMNS, share_in_words, shrunken_shares
from aisle.promotions.study import TABLES, Found, Settings, study
from aisle.promotions.timeline import Snapshot, period_starts
from aisle.promotions.trial_size import TrialSize, trial_for_means, trial_for_shares
from aisle.promotions.usefulness import USEFULNESS, Answer

__all__ = [
    "BALANCE_COLUMNS",
    "BUYING",
    "CAMPAIGNS",
    "DISCOUNT_USE",
    "EFFECTS",
    "EFFECT_COLUMNS",
    "PLAN",
    "RESPONSES",
    "SENSITIVITY",
    "SHARE_COLUMNS",
    "TABLES",
    "USEFULNESS",
    "Answer",
    "EffectRule",
    "Effects",
    "Exposure",
    "Found",
    "Mailings",
    "Purchases",
    "Question",
    "Recipe",
    "Settings",
    "Snapshot",
    "Studied",
    "TrialRule",
    "TrialSize",
    "estimate_effects",
    "period_starts",
    "robustness_value",
    "segments_over",
    "share_in_words",
    "shrunken_shares",
    "studied",
    "study",
    "tool_rows",
    "trial_for_means",
    "trial_for_shares",
    "use",
    "use_columns",
]
