"""Whether segments are real: gaps between them, whether they come back, and what data without clusters would give."""

from aisle.evidence.across import SLSA_COLUMNS, across_solutions
from aisle.evidence.classes import (
    CLASSES,
    CONSTRUCTIVE,
    DO_NOT_SEGMENT,
    REPRODUCIBLE,
    SEPARATED,
    Finding,
    Thresholds,
    class_of,
    findings,
)
from aisle.evidence.differences import CAVEAT, differences, held_out_tests
from aisle.evidence.dossier import MEASURES, REPORTED, Contender, Dossier, Effort, Family
from aisle.evidence.examination import Run, examine
from aisle.evidence.judgement import Judgement, fewest_customers, judge
from aisle.evidence.other_baskets import OtherBaskets, look_at_other_baskets
from aisle.evidence.power import smallest_gap, unseen_gap
from aisle.evidence.ranks import MOST_METHODS, MethodRanks, rank_methods
from aisle.evidence.resamples import Pipelines

__all__ = [
    "CAVEAT",
    "CLASSES",
    "CONSTRUCTIVE",
    "DO_NOT_SEGMENT",
    "MEASURES",
    "MOST_METHODS",
    "REPORTED",
    "REPRODUCIBLE",
    "SEPARATED",
    "SLSA_COLUMNS",
    "Contender",
    "Dossier",
    "Effort",
    "Family",
    "Finding",
    "Judgement",
    "MethodRanks",
    "OtherBaskets",
    "Pipelines",
    "Run",
    "Thresholds",
    "across_solutions",
    "class_of",
    "differences",
    "examine",
    "fewest_customers",
    "findings",
    "held_out_tests",
    "judge",
    "look_at_other_baskets",
    "rank_methods",
    "smallest_gap",
    "unseen_gap",
]
