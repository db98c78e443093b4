"""How much room a table needs, so that where there is less its cells stand one below the other."""

import re
from collections.abc import Sequence
from typing import Final

STEPS: Final = (22, 38, 44, 62)
"""Widths in rem: a phone, a tablet, paper, a desk. A table is taken apart below the first that it surely fits into."""
_SMALLEST: Final = 18
"""The column of the narrowest phone in rem; what fits into it is never taken apart."""
_PER_CHARACTER: Final = dict(zip((_SMALLEST, *STEPS), (0.47, 0.47, 0.56, 0.52, 0.52), strict=True))
"""Rem of a character in a wide font, by the width: type is smaller on a phone, long cells are mostly digits."""


def characters(head: Sequence[str], rows: Sequence[Sequence[str]], whole: Sequence[bool]) -> int:
    """Characters side by side when every column is as narrow as it can be, and one between columns.

    Cells of the columns that are ``whole`` are on one line; heads and other cells break between words.

    >>> characters(["kind of basket", "ratio"], [["full shop", "1.25 (1.10 to 1.40)"]], [False, True])
    27
    """
    widest = [_longest_word(name) for name in head]
    for row in rows:
        lengths = (len(cell) if kept else _longest_word(cell) for cell, kept in zip(row, whole, strict=True))
        widest = [max(pair) for pair in zip(widest, lengths, strict=True)]
    return sum(widest) + len(widest)


def _longest_word(text: str) -> int:
    return max(map(len, re.split(r"[\s_-]", text)))


def step(needed: int) -> int | None:
    """The width in rem below which a table of so many characters is taken apart; None if it fits everywhere.

    >>> step(30), step(40), step(60), step(500)
    (None, 22, 38, 62)
    """
    fits = (width for width, rem in _PER_CHARACTER.items() if needed * rem <= width)
    width = next(fits, STEPS[-1])
    return None if width == _SMALLEST else width
