"""Whether lifestages differ: intervals of correlations, matches, what lifestage explains, whose rule cuts whom."""

from aisle.lifestages.agreement import cross_assignment
from aisle.lifestages.answer import Answer, answer
from aisle.lifestages.intervals import with_intervals
from aisle.lifestages.kinds import kinds_of, matches
from aisle.lifestages.variance import Explained, explained

__all__ = [
    "Answer",
    "Explained",
    "answer",
    "cross_assignment",
    "explained",
    "kinds_of",
    "matches",
    "with_intervals",
]
