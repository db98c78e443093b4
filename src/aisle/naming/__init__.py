"""Short plain names of segments, by rule from the contrasts of their profiles."""

from aisle.naming.names import ALONE, NO_CONTRAST, OUTSIDE, followed_names, segment_names
from aisle.naming.words import WORDS, Words, words_of

__all__ = [
    "ALONE",
    "NO_CONTRAST",
    "OUTSIDE",
    "WORDS",
    "Words",
    "followed_names",
    "segment_names",
    "words_of",
]
