"""The results of a study -> a report that people read: one page of HTML and a presentation, pure."""

from aisle.report.html import Picture
from aisle.report.material import Material, Promotions, StoreResults, StudyResult
from aisle.report.page import page

__all__ = ["Material", "Picture", "Promotions", "StoreResults", "StudyResult", "page"]
