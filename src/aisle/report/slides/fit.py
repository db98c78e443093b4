"""How much room text takes, so that none runs over: the widths of Arial's letters, lines and columns."""

import unicodedata
from collections.abc import Sequence
from typing import Final

FONT: Final = "Arial"
LEADING: Final = 1.2
"""Height of a line, in type sizes."""
_BOLD: Final = 1.1
_SLACK: Final = 1.03
"""What programs that show slides may need beyond the widths below."""
_SUBSTITUTED: Final = 1.2
"""How much wider the fonts are that stand in for Arial where it is missing, as DejaVu Sans."""
_NARROW: Final = dict.fromkeys("ijl'", 222) | dict.fromkeys(" !,./:;I[\\]ft|", 278) | dict.fromkeys('()-`r"*{}', 389)
_MIDDLE: Final = dict.fromkeys("Jcksvxyz^", 500) | dict.fromkeys("0123456789#$?_abdeghnopquL", 556)
_WIDE: Final = dict.fromkeys("FTZ+<=>~", 611) | dict.fromkeys("&ABEKPSVXY", 667) | dict.fromkeys("CDHNRUw", 722)
_WIDEST: Final = dict.fromkeys("GOQ", 778) | dict.fromkeys("Mm", 833) | dict.fromkeys("%W", 944) | {"@": 1015}
_WIDTHS: Final = _NARROW | _MIDDLE | _WIDE | _WIDEST
"""Thousandths of the type size, rounded up (Adobe's metrics of Helvetica, which Arial shares)."""
_OTHER: Final = 750
_SQUARE: Final = 1000


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Points that a line of text takes at a type size.

    >>> round(width("iii", 10), 2), round(width("客客客", 10), 2)
    (6.86, 30.9)
    """
    thousandths = sum(map(_width, text))
    return thousandths / 1000 * size * _SLACK * (_BOLD if bold else 1)


def _width(letter: str) -> int:
    if letter in _WIDTHS:
        return _WIDTHS[letter]
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return _SQUARE
    return _WIDTHS.get(unicodedata.normalize("NFD", letter)[0], _OTHER)


def lines(text: str, size: float, room: float, *, bold: bool = False) -> int:
    """How many lines a paragraph takes in ``room`` points; a word wider than that is broken.

    >>> lines("one two", 10, 30), lines("one two", 10, 100), lines("", 10, 100)
    (2, 1, 1)
    """
    count, used = 1, 0.0
    space = width(" ", size, bold=bold)
    for word in text.split():
        long = width(word, size, bold=bold)
        if used and used + space + long > room:
            count, used = count + 1, 0.0
        if long > room:
            broken = int(long // room)
            count, used = count + broken, long - broken * room
        else:
            used += long + (space if used else 0.0)
    return count


def height(paragraphs: Sequence[str], size: float, room: float, *, gap: float = 0.0, bold: bool = False) -> float:
    """Points that paragraphs take, ``gap`` (in type sizes) after each."""
    return sum(lines(text, size, room, bold=bold) * LEADING * size + gap * size for text in paragraphs)


def largest(
    paragraphs: Sequence[str],
    sizes: Sequence[float],
    room: tuple[float, float],
    *,
    gap: float = 0.0,
    bold: bool = False,
) -> float | None:
    """The largest of the type sizes at which paragraphs fit into ``room`` (width, height); None where none does."""
    for size in sorted(sizes, reverse=True):
        if height(paragraphs, size, room[0], gap=gap, bold=bold) <= room[1]:
            return size
    return None


def shortened(text: str, size: float, room: tuple[float, float], *, bold: bool = False) -> str:
    """The text, or as many of its words as fit into ``room``, with an ellipsis; words that are too long are cut."""
    if height([text], size, room[0], bold=bold) <= room[1]:
        return text
    least, most = 0, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        fits = height([f"{text[:middle]} …"], size, room[0], bold=bold) <= room[1]
        least, most = (middle, most) if fits else (least, middle - 1)
    kept = text[:least]
    return f"{kept.rsplit(' ', 1)[0]} …"


def columns(rows: Sequence[Sequence[str]], size: float, room: float, padding: float) -> list[float]:
    """Widths of a table's columns that add up to ``room``: as the texts need, the longest give way first.

    No column is narrower than its longest word, also in a wider font where there is room, unless the words alone are
    wider than ``room``.
    """
    count = len(rows[0])
    wanted = [max(width(row[place], size, bold=True) for row in rows) + padding for place in range(count)]
    words = [
        max((width(word, size, bold=True) for row in rows for word in row[place].split()), default=0.0)
        for place in range(count)
    ]
    spare = (room - count * padding) / max(sum(words), 1.0)
    least = [word * min(max(spare, 1.0), _SUBSTITUTED) + padding for word in words]
    if sum(least) >= room:
        return [one * room / sum(least) for one in least]
    if sum(wanted) <= room:
        return [one * room / sum(wanted) for one in wanted]
    limit = max(wanted)
    while sum(max(low, min(want, limit)) for low, want in zip(least, wanted, strict=True)) > room:
        limit *= 0.97
    made = [max(low, min(want, limit)) for low, want in zip(least, wanted, strict=True)]
    return [one * room / sum(made) for one in made]


def row_height(row: Sequence[str], widths: Sequence[float], size: float, padding: tuple[float, float]) -> float:
    """Points that a row of a table takes, with ``padding`` (both sides of a cell together) across and down."""
    most = max(lines(text, size, room - padding[0], bold=True) for text, room in zip(row, widths, strict=True))
    return most * LEADING * size + padding[1]
