"""The same results -> a presentation: one message a slide, in text, tables and charts that can be edited."""

from aisle.report.slides.deck import presentation
from aisle.report.slides.messages import PICTURES, messages

__all__ = ["PICTURES", "messages", "presentation"]
