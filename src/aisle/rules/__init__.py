"""The rule that gives every customer a segment: chosen partitions, carried over to whom the study did not see."""

from aisle.rules.everybody import ASSIGNED, NO_BASKET, agreement, assigned, assigned_sizes
from aisle.rules.nearest import KINDS, NearestRule
from aisle.rules.segment_rules import LIFESTAGE, TRUSTED, SegmentRules, labels_digest, segment_rules

__all__ = [
    "ASSIGNED",
    "KINDS",
    "LIFESTAGE",
    "NO_BASKET",
    "TRUSTED",
    "NearestRule",
    "SegmentRules",
    "agreement",
    "assigned",
    "assigned_sizes",
    "labels_digest",
    "segment_rules",
]
