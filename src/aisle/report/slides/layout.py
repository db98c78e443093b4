"""Where everything stands on a slide, and in which size, so that nothing runs over; pure numbers, in points."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aisle.report.html import Picture, numeric, text
from aisle.report.slides import fit
from aisle.report.slides.slide import Bars, Slide

WIDE, HIGH = 960.0, 540.0
"""A slide, 16 : 9."""
PADDING: Final = (14.0, 7.0)
"""Room around the text of a table's cell, both sides together, across and down."""
GAP: Final = 0.6
"""Room after a paragraph, in type sizes."""
MONO: Final = 0.62
"""Width of a letter of code, in type sizes."""
_MARGIN: Final = 36.0
_INNER: Final = WIDE - 2 * _MARGIN
_TITLE_TOP: Final = 42.0
_TITLE_HIGH: Final = 84.0
_TOP: Final = 138.0
_BOTTOM: Final = 500.0
_TITLES: Final = (26.0, 24.0, 22.0, 20.0, 18.0, 16.0)
_TEXTS: Final = (20.0, 18.0, 16.0, 14.0, 13.0, 12.0)
_BESIDE: Final = (16.0, 14.0, 13.0, 12.0)
_TABLES: Final = (15.0, 14.0, 13.0, 12.0, 11.0, 10.0)
_CODES: Final = (13.0, 12.0, 11.0, 10.0, 9.0)
_SPLIT_TABLE: Final = 12.0
"""Type size of a table that needs more than one slide."""
_LEAD_SHARE: Final = 0.4
"""Share of a slide's room that sentences may take above something else."""
_MOST_BARS: Final = 16
_APART: Final = 14.0


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


@dataclass(frozen=True)
class Text:
    """Paragraphs in one size; ``mono`` ones are code, a line each."""

    box: Box
    paragraphs: tuple[str, ...]
    size: float
    mono: bool = False


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

    @property
    def title_box(self) -> Box:
        """Where the title stands."""
        return Box(_MARGIN, _TITLE_TOP, _INNER, _TITLE_HIGH)


def pages(slide: Slide) -> list[Page]:
    """The slide; more than one where its content needs it, numbered in the title."""
    made = list(_contents(slide))
    return [_page(slide, items, place, len(made)) for place, items in enumerate(made, start=1)]


def _page(slide: Slide, items: tuple[Item, ...], place: int, count: int) -> Page:
    title = slide.title if count == 1 else f"{slide.title} ({place} of {count})"
    room = (_INNER, _TITLE_HIGH)
    size = fit.largest([title], _TITLES, room, bold=True)
    notes = slide.notes if place == 1 else ()
    if size is None:
        size, whole = _TITLES[-1], title
        title = fit.shortened(whole, size, room, bold=True)
        notes = (whole, *notes)
    return Page(slide.part, title, size, items, slide.source, notes)


def _contents(slide: Slide) -> Iterator[tuple[Item, ...]]:
    whole = Box(_MARGIN, _TOP, _INNER, _BOTTOM - _TOP)
    if slide.picture is not None:
        yield from _with_picture(slide, slide.picture, whole)
        return
    if slide.grid is None and slide.bars is None and not slide.commands:
        if not slide.sentences:
            yield ()
            return
        yield from ((item,) for item in _texts(slide.sentences, whole))
        return
    lead, rest = _lead(slide.sentences, whole)
    if slide.sentences and lead is None:
        yield from ((item,) for item in _texts(slide.sentences, whole))
    first = (lead,) if lead else ()
    following = rest if lead else whole
    items: Iterator[Item] = iter(())
    if slide.grid is not None:
        items = _tables(slide, following, whole)
    elif slide.bars is not None:
        items = _charts(slide.bars, following)
    else:
        items = _codes(slide.commands, following)
    for item in items:
        yield (*first, item)
        first = ()


def _lead(sentences: Sequence[str], box: Box) -> tuple[Text | None, Box]:
    """Sentences at the top and the room below them; None where there are none or they need more than their share."""
    if not sentences:
        return None, box
    size = fit.largest(sentences, _BESIDE, (box.wide, box.high * _LEAD_SHARE), gap=GAP)
    if size is None:
        return None, box
    high = fit.height(sentences, size, box.wide, gap=GAP)
    return Text(Box(box.left, box.top, box.wide, high), tuple(sentences), size), box.below(high + _APART / 2)


def _texts(sentences: Sequence[str], box: Box) -> Iterator[Text]:
    """Sentences over as many slides as they need."""
    size = fit.largest(sentences, _TEXTS, (box.wide, box.high), gap=GAP)
    if size is not None:
        yield Text(box, tuple(sentences), size)
        return
    size = _TEXTS[-1]
    page: list[str] = []
    for sentence in sentences:
        short = fit.shortened(sentence, size, (box.wide, box.high - GAP * size))
        if page and fit.height([*page, short], size, box.wide, gap=GAP) > box.high:
            yield Text(box, tuple(page), size)
            page = []
        page.append(short)
    yield Text(box, tuple(page), size)


def _with_picture(slide: Slide, picture: Picture, whole: Box) -> Iterator[tuple[Item, ...]]:
    lead, rest = _lead(slide.sentences, whole)
    if slide.sentences and lead is None:
        yield from ((item,) for item in _texts(slide.sentences, whole))
    box = rest if lead else whole
    wide, high = picture.size or (box.wide, box.high)
    scale = min(box.wide / wide, box.high / high)
    placed = Box(box.left + (box.wide - wide * scale) / 2, box.top, wide * scale, high * scale)
    drawn = Drawn(placed, picture, slide.alt)
    yield (lead, drawn) if lead else (drawn,)


def _charts(bars: Bars, box: Box) -> Iterator[Chart]:
    for begin in range(0, len(bars.bars), _MOST_BARS):
        yield Chart(box, Bars(bars.caption, bars.bars[begin : begin + _MOST_BARS], bars.segments))


def _codes(commands: Sequence[str], box: Box) -> Iterator[Text]:
    """Code in the largest size in which no line breaks and all fit; else over more slides."""
    longest = max(map(len, commands))
    fitting = (
        size for size in _CODES if longest * MONO * size <= box.wide and len(commands) * fit.LEADING * size <= box.high
    )
    size = next(fitting, _CODES[-1])
    letters, most = int(box.wide / (MONO * size)), int(box.high / (fit.LEADING * size))
    broken = [line[begin : begin + letters] for line in commands for begin in range(0, max(len(line), 1), letters)]
    for begin in range(0, len(broken), most):
        yield Text(box, tuple(broken[begin : begin + most]), size, mono=True)


def _tables(slide: Slide, first: Box, others: Box) -> Iterator[Table]:
    """The grid in the largest size in which it fits under the sentences; else over more slides, the head repeated."""
    grid = slide.grid
    if grid is None:
        return
    head = tuple(map(str, grid.head))
    rows = [tuple(map(text, row)) for row in grid.rows]
    numbers = tuple(numeric(grid.rows, len(head)))
    for size in _TABLES:
        made = _table(first, grid.caption, (head, *rows), numbers, size)
        if sum(made.heights) <= first.high:
            yield made
            return
    widths = fit.columns([head, *rows], _SPLIT_TABLE, others.wide, PADDING[0])
    box, page, used = first, [head], _high(head, widths)
    for row in rows:
        short = _cut(row, widths, others.high - _high(head, widths))
        high = _high(short, widths)
        if used + high > box.high and len(page) > 1:
            yield _table(box, grid.caption, page, numbers, _SPLIT_TABLE, widths)
            box, page, used = others, [head], _high(head, widths)
        elif used + high > box.high:
            short = _cut(row, widths, box.high - used)
            high = _high(short, widths)
        page.append(short)
        used += high
    yield _table(box, grid.caption, page, numbers, _SPLIT_TABLE, widths)


def _high(row: Sequence[str], widths: Sequence[float]) -> float:
    return fit.row_height(row, widths, _SPLIT_TABLE, PADDING)


def _cut(row: tuple[str, ...], widths: Sequence[float], high: float) -> tuple[str, ...]:
    """The row with cells shortened that need more than ``high`` points."""
    room = max(high - PADDING[1], fit.LEADING * _SPLIT_TABLE)
    return tuple(
        fit.shortened(cell, _SPLIT_TABLE, (wide - PADDING[0], room), bold=True)
        for cell, wide in zip(row, widths, strict=True)
    )


def _table(
    box: Box,
    caption: str,
    rows: Sequence[tuple[str, ...]],
    numbers: tuple[bool, ...],
    size: float,
    widths: Sequence[float] | None = None,
) -> Table:
    found = widths or fit.columns(rows, size, box.wide, PADDING[0])
    heights = tuple(fit.row_height(row, found, size, PADDING) for row in rows)
    placed = Box(box.left, box.top, sum(found), sum(heights))
    return Table(placed, caption, tuple(rows), tuple(found), heights, numbers, size)
