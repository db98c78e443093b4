"""What stands on a slide and where, in points."""

from dataclasses import dataclass
from typing import Final

from aisle.report.html import Picture
from aisle.report.slides.slide import Bars

WIDE, HIGH = 960.0, 540.0
"""A slide, 16 : 9."""
MARGIN: Final = 36.0


@dataclass(frozen=True)
class Box:
    """Left, top, width and height."""

    left: float
    top: float
    wide: float
    high: float

    def below(self, high: float) -> "Box":
        """What is left below the first ``high`` points."""
        return Box(self.left, self.top + high, self.wide, self.high - high)


TITLE: Final = Box(MARGIN, 42.0, WIDE - 2 * MARGIN, 84.0)
"""Where titles stand."""


@dataclass(frozen=True)
class Text:
    """Paragraphs in one size; ``mono`` ones are code, a line each, ``soft`` ones the caption of what follows."""

    box: Box
    paragraphs: tuple[str, ...]
    size: float
    mono: bool = False
    soft: bool = False


@dataclass(frozen=True)
class Table:
    """A head and rows of text, with the widths of columns and the heights of rows; ``numbers`` are set to the right."""

    box: Box
    caption: str
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    heights: tuple[float, ...]
    numbers: tuple[bool, ...]
    size: float


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture, as large as its box allows."""

    box: Box
    picture: Picture
    alt: str


@dataclass(frozen=True)
class Chart:
    """Bars, see `Bars`."""

    box: Box
    bars: Bars


Item = Text | Table | Drawn | Chart


@dataclass(frozen=True, eq=False)
class Page:
    """One slide as it is drawn."""

    part: str
    title: str
    title_size: float
    items: tuple[Item, ...]
    source: str
    notes: tuple[str, ...]
