"""The slides as a PowerPoint file."""

import io
from collections.abc import Sequence

from pptx import Presentation
from pptx.util import Pt

from aisle.report.slides.drawing import draw, only_titles
from aisle.report.slides.layout import pages
from aisle.report.slides.placed import HIGH, WIDE
from aisle.report.slides.slide import Slide
from aisle.report.slides.stable import stable


def presentation(slides: Sequence[Slide], title: str) -> bytes:
    """The file. Equal slides give equal bytes; what does not fit on one slide goes on to the next."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Pt(WIDE), Pt(HIGH)
    deck.core_properties.title, deck.core_properties.author = title, "aisle"
    layout = only_titles(deck)
    made = [page for slide in slides for page in pages(slide)]
    for number, page in enumerate(made, start=1):
        draw(deck.slides.add_slide(layout), page, f"{number} / {len(made)}")
    content = io.BytesIO()
    deck.save(content)
    return stable(content.getvalue())
