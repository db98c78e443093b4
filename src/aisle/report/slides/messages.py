"""All slides in their order."""

from collections.abc import Callable, Iterator
from typing import Final

from aisle.report.material import Material
from aisle.report.slides.reasons import (
    advice_slides,
    choice_slides,
    kind_slides,
    lifestage_slides,
    limit_slides,
    method_slides,
    missing_slides,
    promotion_slides,
    reproduce_slides,
    store_slides,
    study_slides,
)
from aisle.report.slides.results import (
    answer_slides,
    difference_slides,
    measure_slides,
    segment_slides,
    size_slides,
    verdict_slides,
    week_slides,
)
from aisle.report.slides.slide import Slide

PICTURES: Final = ("compare/heatmap", "select/methods")
"""The pictures that slides show, by stage and name."""
_MADE: Final[tuple[Callable[[Material], Iterator[Slide]], ...]] = (
    answer_slides,
    size_slides,
    verdict_slides,
    measure_slides,
    segment_slides,
    difference_slides,
    week_slides,
    lifestage_slides,
    kind_slides,
    store_slides,
    promotion_slides,
    method_slides,
    choice_slides,
    study_slides,
    advice_slides,
    limit_slides,
    missing_slides,
    reproduce_slides,
)


def messages(material: Material) -> list[Slide]:
    """All slides. A stage that was not run has none; one near the end says which are missing."""
    return [slide for make in _MADE for slide in make(material)]
