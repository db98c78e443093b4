"""Data -> matplotlib Figure. Nothing is shown or saved here, and no global state of matplotlib is changed."""

from aisle.figures.calibration import power_curves, rejection_rates
from aisle.figures.comparison import comparison_heatmaps
from aisle.figures.curves import evidence_curves
from aisle.figures.differences import honest_effects
from aisle.figures.elbow import elbow_curve
from aisle.figures.flow import segment_flow
from aisle.figures.justification import justification
from aisle.figures.migration import migration_flow
from aisle.figures.planes import segment_planes
from aisle.figures.ranking import ranking_curves
from aisle.figures.ranks import critical_difference
from aisle.figures.segments import contrast_dots, profile_heatmap
from aisle.figures.silhouettes import silhouette_plot
from aisle.figures.stability import stability_heatmap
from aisle.figures.stores import format_heatmap, rhythm_dots
from aisle.figures.trees import cut_dendrogram
from aisle.figures.usefulness import gains_of_predictors
from aisle.figures.valleys import valley_panels

__all__ = [
    "comparison_heatmaps",
    "contrast_dots",
    "critical_difference",
    "cut_dendrogram",
    "elbow_curve",
    "evidence_curves",
    "format_heatmap",
    "gains_of_predictors",
    "honest_effects",
    "justification",
    "migration_flow",
    "power_curves",
    "profile_heatmap",
    "ranking_curves",
    "rejection_rates",
    "rhythm_dots",
    "segment_flow",
    "segment_planes",
    "silhouette_plot",
    "stability_heatmap",
    "valley_panels",
]
