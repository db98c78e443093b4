"""Whether segments are real: gaps between them, whether they come back, and what data without clusters would give."""

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
from aisle.evidence.dossier import MEASURES, Contender, Dossier, Effort, Family
from aisle.evidence.examination import Run, examine
from aisle.evidence.power import smallest_gap
from aisle.evidence.resamples import Pipelines

__all__ = [
    "CLASSES",
    "CONSTRUCTIVE",
    "DO_NOT_SEGMENT",
    "MEASURES",
    "REPRODUCIBLE",
    "SEPARATED",
    "Contender",
    "Dossier",
    "Effort",
    "Family",
    "Finding",
    "Pipelines",
    "Run",
    "Thresholds",
    "class_of",
    "examine",
    "findings",
    "smallest_gap",
]
