"""What a slide is: one message and what it rests on."""

from dataclasses import dataclass

from aisle.report.html import Grid, Picture


@dataclass(frozen=True)
class Bars:
    """Shares of a whole, a bar each: its name and its pieces, every piece with its kind and share in [0, 1].

    Pieces of one kind have one colour, that of their ``segments`` (-1 = none).
    """

    caption: str
    bars: tuple[tuple[str, dict[str, float]], ...]
    segments: dict[str, int]


@dataclass(frozen=True, eq=False)
class Slide:
    """One message and what it rests on. ``commands`` are set as code; ``source`` says where the numbers are from."""

    part: str
    title: str
    sentences: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    picture: Picture | None = None
    alt: str = ""
    bars: Bars | None = None
    commands: tuple[str, ...] = ()
    source: str = ""
    notes: tuple[str, ...] = ()
