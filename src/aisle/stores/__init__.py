"""What stores are like: whether formats differ, whether segments of stores are the formats, when baskets are bought."""

from aisle.stores.agreement import SEGMENTS, Agreement, agreement
from aisle.stores.formats import Formats, formats_compared
from aisle.stores.rhythm import CONTRASTS, EVERY, KINDS, RHYTHM, in_short, rhythm, sentences

__all__ = [
    "CONTRASTS",
    "EVERY",
    "KINDS",
    "RHYTHM",
    "SEGMENTS",
    "Agreement",
    "Formats",
    "agreement",
    "formats_compared",
    "in_short",
    "rhythm",
    "sentences",
]
