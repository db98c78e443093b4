"""Data -> matplotlib Figure. Nothing is shown or saved here, and no global state of matplotlib is changed."""

from aisle.figures.comparison import comparison_heatmaps
from aisle.figures.elbow import elbow_curve
from aisle.figures.ranking import ranking_curves
from aisle.figures.segments import contrast_dots, profile_heatmap

__all__ = ["comparison_heatmaps", "contrast_dots", "elbow_curve", "profile_heatmap", "ranking_curves"]
