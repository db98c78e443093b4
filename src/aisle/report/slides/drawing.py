"""What is on a slide, drawn with python-pptx: every text, table and chart can be edited."""

import io
from typing import Any, Final

from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
from pptx.util import Pt

from aisle.partition import NOISE
from aisle.report.look import SEGMENTS
from aisle.report.slides.fit import FONT
from aisle.report.slides.layout import GAP, PADDING
from aisle.report.slides.placed import HIGH, MARGIN, TITLE, WIDE, Box, Chart, Drawn, Item, Page, Table, Text

_INK, _SOFT, _LINK = RGBColor(0x1F, 0x23, 0x28), RGBColor(0x5B, 0x63, 0x70), RGBColor(0x00, 0x5A, 0x8F)
_HEAD, _BAND, _NONE = RGBColor(0xE9, 0xE6, 0xDF), RGBColor(0xF8, 0xF7, 0xF4), RGBColor(0xCF, 0xD2, 0xD6)
_CODE: Final = "Courier New"
_TITLE_ONLY: Final = 5
"""The layout of python-pptx's template that has a title and nothing else."""
_PLAIN: Final = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""PowerPoint's table style without colours and lines."""
_KICKER: Final = Box(MARGIN, 20.0, TITLE.wide, 18.0)
_FOOTER: Final = Box(MARGIN, HIGH - 28.0, TITLE.wide - 100.0, 16.0)
_NUMBER: Final = Box(WIDE - MARGIN - 90.0, HIGH - 28.0, 90.0, 16.0)
_TOLD_FROM: Final = 0.05
"""Share of a bar from which on its number stands in it."""


def only_titles(deck: Any) -> Any:
    """The one layout that is kept, made wide like the slides; its title has the place of every slide's title."""
    for shape in deck.slide_master.placeholders:
        shape.left, shape.width = int(shape.left * 4 / 3), int(shape.width * 4 / 3)
    layout = deck.slide_layouts[_TITLE_ONLY]
    for other in list(deck.slide_layouts):
        if other is not layout and other.name != layout.name:
            deck.slide_layouts.remove(other)
    return layout


def draw(sheet: Any, page: Page, number: str) -> None:
    """A page on an empty slide."""
    _text(sheet, _KICKER, (page.part,), 12, colour=_LINK, bold=True)
    title = sheet.shapes.title
    _place(title, TITLE)
    frame = _frame(title.text_frame)
    frame.vertical_anchor = MSO_ANCHOR.TOP
    frame.paragraphs[0].alignment = PP_ALIGN.LEFT
    _run(frame.paragraphs[0], page.title, page.title_size, colour=_INK, bold=True)
    for item in page.items:
        _item(sheet, item)
    if page.source:
        _text(sheet, _FOOTER, (f"Numbers from {page.source}",), 9, colour=_SOFT)
    _text(sheet, _NUMBER, (number,), 9, colour=_SOFT, align=PP_ALIGN.RIGHT)
    if page.notes:
        sheet.notes_slide.notes_text_frame.text = "\n".join(page.notes)


def _item(sheet: Any, item: Item) -> None:
    if isinstance(item, Text):
        font, gap = (_CODE, 0.0) if item.mono else (FONT, 0.0 if item.soft else GAP)
        _text(sheet, item.box, item.paragraphs, item.size, font=font, gap=gap, colour=_SOFT if item.soft else _INK)
    elif isinstance(item, Table):
        _table(sheet, item)
    elif isinstance(item, Drawn):
        shape = sheet.shapes.add_picture(io.BytesIO(item.picture.content), *_corner(item.box), *_extent(item.box))
        shape._element.nvPicPr.cNvPr.set("descr", item.alt)
    else:
        _chart(sheet, item)


def _text(
    sheet: Any,
    box: Box,
    paragraphs: tuple[str, ...],
    size: float,
    *,
    colour: RGBColor = _INK,
    bold: bool = False,
    font: str = FONT,
    gap: float = 0.0,
    align: PP_ALIGN = PP_ALIGN.LEFT,
) -> None:
    frame = _frame(sheet.shapes.add_textbox(*_corner(box), *_extent(box)).text_frame)
    for place, told in enumerate(paragraphs):
        paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
        paragraph.alignment = align
        paragraph.space_after = Pt(gap * size)
        _run(paragraph, told, size, colour=colour, bold=bold, font=font)


def _frame(frame: Any) -> Any:
    frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    return frame


def _run(
    paragraph: Any, told: str, size: float, *, colour: RGBColor = _INK, bold: bool = False, font: str = FONT
) -> None:
    run = paragraph.add_run()
    run.text = told
    run.font.name, run.font.size, run.font.bold, run.font.color.rgb = font, Pt(size), bold, colour


def _table(sheet: Any, item: Table) -> None:
    shape = sheet.shapes.add_table(len(item.rows), len(item.widths), *_corner(item.box), *_extent(item.box))
    shape._element.nvGraphicFramePr.cNvPr.set("descr", item.caption)
    table = shape.table
    shape._element.graphic.graphicData.tbl.tblPr.find("{*}tableStyleId").text = _PLAIN
    table.horz_banding = False
    for column, wide in zip(table.columns, item.widths, strict=True):
        column.width = Pt(wide)
    for place, (row, high, told) in enumerate(zip(table.rows, item.heights, item.rows, strict=True)):
        row.height = Pt(high)
        for cell, content, is_number in zip(row.cells, told, item.numbers, strict=True):
            cell.margin_left = cell.margin_right = Pt(PADDING[0] / 2)
            cell.margin_top = cell.margin_bottom = Pt(PADDING[1] / 2)
            cell.vertical_anchor = MSO_ANCHOR.TOP
            if place % 2 == 0:
                cell.fill.solid()
                cell.fill.fore_color.rgb = _BAND if place else _HEAD
            paragraph = cell.text_frame.paragraphs[0]
            paragraph.alignment = PP_ALIGN.RIGHT if is_number else PP_ALIGN.LEFT
            _run(paragraph, content, item.size, bold=place == 0)


def _chart(sheet: Any, item: Chart) -> None:
    """Stacked bars from the left, the first on top, a colour a segment."""
    told = CategoryChartData(number_format="0%")
    told.categories = [name for name, _ in item.bars.bars]
    for kind in item.bars.segments:
        told.add_series(kind, [pieces.get(kind) for _, pieces in item.bars.bars])
    box = (*_corner(item.box), *_extent(item.box))
    shape = sheet.shapes.add_chart(XL_CHART_TYPE.BAR_STACKED, *box, told)
    shape._element.nvGraphicFramePr.cNvPr.set("descr", item.bars.caption)
    chart = shape.chart
    chart.font.name, chart.font.size, chart.font.color.rgb = FONT, Pt(12), _INK
    chart.has_title, chart.has_legend = False, True
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.value_axis.visible, chart.value_axis.has_major_gridlines = False, False
    chart.value_axis.minimum_scale, chart.value_axis.maximum_scale = 0, 1
    chart.category_axis.reverse_order = True
    chart.category_axis.format.line.fill.background()
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 35, 100
    for series, segment in zip(plot.series, item.bars.segments.values(), strict=True):
        paper, ink = (str(_NONE), "111111") if segment == NOISE else SEGMENTS[segment % len(SEGMENTS)]
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = RGBColor.from_string(paper.upper())
        labels = series.data_labels
        labels.show_value, labels.number_format, labels.number_format_is_linked = True, f'[>={_TOLD_FROM}]0%;""', False
        labels.font.size, labels.font.color.rgb = Pt(12), RGBColor.from_string(ink.upper())


def _place(shape: Any, box: Box) -> None:
    shape.left, shape.top = _corner(box)
    shape.width, shape.height = _extent(box)


def _corner(box: Box) -> tuple[int, int]:
    return Pt(box.left), Pt(box.top)


def _extent(box: Box) -> tuple[int, int]:
    return Pt(box.wide), Pt(box.high)
