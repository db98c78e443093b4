"""Where everything stands on a slide, and in which size, so that nothing runs over; pure numbers, in points."""

from collections.abc import Iterator, Sequence
from typing import Final

from aisle.report.html import Grid, Picture, numeric, text
from aisle.report.slides import fit
from aisle.report.slides.placed import MARGIN, TITLE, Box, Chart, Drawn, Item, Page, Table, Text
from aisle.report.slides.slide import Bars, Slide

PADDING: Final = (14.0, 7.0)
"""Room around the text of a table's cell, both sides together, across and down."""
GAP: Final = 0.6
"""Room after a paragraph, in type sizes."""
MONO: Final = 0.62
"""Width of a letter of code, in type sizes."""
_TOP: Final = 138.0
_BOTTOM: Final = 500.0
_TITLES: Final = (26.0, 24.0, 22.0, 20.0, 18.0, 16.0)
_TEXTS: Final = (20.0, 18.0, 16.0, 14.0, 13.0, 12.0)
_BESIDE: Final = (16.0, 14.0, 13.0, 12.0)
_TABLES: Final = (16.0, 15.0, 14.0, 13.0, 12.0, 11.0, 10.0)
_CODES: Final = (13.0, 12.0, 11.0, 10.0, 9.0)
_SPLIT_TABLE: Final = 12.0
"""Type size of a table that needs more than one slide."""
_LEAD_SHARE: Final = 0.4
"""Share of a slide's room that sentences may take above something else."""
_MOST_BARS: Final = 16
_APART: Final = 14.0
_CAPTION: Final = 11.0


def pages(slide: Slide) -> list[Page]:
    """The slide; more than one where its content needs it, numbered in the title."""
    made = list(_contents(slide))
    return [_page(slide, items, place, len(made)) for place, items in enumerate(made, start=1)]


def _page(slide: Slide, items: tuple[Item, ...], place: int, count: int) -> Page:
    title = slide.title if count == 1 else f"{slide.title} ({place} of {count})"
    room = (TITLE.wide, TITLE.high)
    size = fit.largest([title], _TITLES, room, bold=True)
    notes = slide.notes if place == 1 else ()
    if size is None:
        size, whole = _TITLES[-1], title
        title = fit.shortened(whole, size, room, bold=True)
        notes = (whole, *notes)
    return Page(slide.part, title, size, items, slide.source, notes)


def _contents(slide: Slide) -> Iterator[tuple[Item, ...]]:
    whole = Box(MARGIN, _TOP, TITLE.wide, _BOTTOM - _TOP)
    if slide.picture is not None:
        yield from _with_picture(slide, slide.picture, whole)
        return
    if not slide.grids and slide.bars is None and not slide.commands:
        if not slide.sentences:
            yield ()
            return
        yield from ((item,) for item in _texts(slide.sentences, whole))
        return
    lead, rest = _lead(slide.sentences, whole)
    if slide.sentences and lead is None:
        yield from ((item,) for item in _texts(slide.sentences, whole))
    first = (lead,) if lead else ()
    for items in _rest(slide, rest if lead else whole, whole):
        yield (*first, *items)
        first = ()


def _rest(slide: Slide, first: Box, others: Box) -> Iterator[tuple[Item, ...]]:
    """What is below the sentences: on the first slide, and on others where it needs them."""
    if slide.grids:
        yield from _tables(slide.grids, first, others)
    elif slide.bars is not None:
        yield from ((chart,) for chart in _charts(slide.bars, first))
    else:
        yield from ((code,) for code in _codes(slide.commands, first))


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


def _tables(grids: Sequence[Grid], first: Box, others: Box) -> Iterator[tuple[Item, ...]]:
    """The grids below each other in the largest size in which they fit; else one after the other, over more slides."""
    for size in _TABLES:
        made: list[Item] = []
        box = first
        for grid in grids:
            caption, below = _caption(grid, box)
            table = _table(below, grid.caption, _rows(grid), _numbers(grid), size)
            made += [caption, table]
            box = below.below(table.box.high + _APART)
        if box.high + _APART >= 0:
            yield tuple(made)
            return
    for place, grid in enumerate(grids):
        yield from _split(grid, others if place else first, others)


def _caption(grid: Grid, box: Box) -> tuple[Text, Box]:
    """A grid's caption at the top of the box, and the room below it."""
    told = fit.shortened(grid.caption, _CAPTION, (box.wide, 2 * fit.LEADING * _CAPTION))
    high = fit.height([told], _CAPTION, box.wide)
    return Text(Box(box.left, box.top, box.wide, high), (told,), _CAPTION, soft=True), box.below(high + _CAPTION / 3)


def _rows(grid: Grid) -> list[tuple[str, ...]]:
    return [tuple(map(str, grid.head)), *(tuple(map(text, row)) for row in grid.rows)]


def _numbers(grid: Grid) -> tuple[bool, ...]:
    return tuple(numeric(grid.rows, len(grid.head)))


def _split(grid: Grid, first: Box, others: Box) -> Iterator[tuple[Item, ...]]:
    """A grid over as many slides as it needs, the head repeated."""
    head, *rows = _rows(grid)
    numbers = _numbers(grid)
    for size in _TABLES:
        caption, below = _caption(grid, first)
        whole = _table(below, grid.caption, [head, *rows], numbers, size)
        if whole.box.high <= below.high:
            yield (caption, whole)
            return
    widths = fit.columns([head, *rows], _SPLIT_TABLE, others.wide, PADDING[0])
    caption, box = _caption(grid, first)
    page, used = [head], _high(head, widths)
    for row in rows:
        next_caption, room = _caption(grid, others)
        short = _cut(row, widths, room.high - _high(head, widths))
        if used + _high(short, widths) > box.high and len(page) > 1:
            yield (caption, _table(box, grid.caption, page, numbers, _SPLIT_TABLE, widths))
            caption, box, page, used = next_caption, room, [head], _high(head, widths)
        elif used + _high(short, widths) > box.high:
            short = _cut(row, widths, box.high - used)
        page.append(short)
        used += _high(short, widths)
    yield (caption, _table(box, grid.caption, page, numbers, _SPLIT_TABLE, widths))


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
