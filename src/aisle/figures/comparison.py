"""Segments of all lifestages beside each other, on both scales."""

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aisle.comparison import COMMON, WITHIN, Comparison
from aisle.figures.canvas import INK, SMALL, cells, headed, only_text, sheet, styled, two_digits

_TITLES = {
    WITHIN: ("Scaled within each lifestage", "how segments differ from their own lifestage; its level is removed"),
    COMMON: ("One common scale", "how segments differ from all customers; the lifestage's level is kept"),
}
_MOST_WITH_NUMBERS = 16
"""Segments up to which the correlations are also written into the cells."""


@styled
def comparison_heatmaps(comparison: Comparison) -> Figure:
    """Correlations of segment profiles on both scales, side by side, segments in one order; grey = undefined."""
    count = len(comparison.order)
    if count == 0:
        return only_text("No lifestage has a segment: there is nothing to compare.")
    side = 1.3 + 0.27 * max(count, 8)
    figure = sheet(2 * side + 0.9, side + 0.9)
    grid = figure.subplots(1, 2, squeeze=False)
    names = [f"{lifestage} {segment}" for lifestage, segment in comparison.order]
    for axes, (scale, (title, subtitle)) in zip(grid.flat, _TITLES.items(), strict=True):
        values = comparison.correlations[scale].to_numpy()
        mesh = cells(axes, values, limit=1.0)
        axes.set_aspect("equal")
        axes.set_xticks(np.arange(count) + 0.5, names, rotation=90, fontsize=SMALL)
        axes.set_yticks(np.arange(count) + 0.5, names, fontsize=SMALL)
        headed(axes, title, subtitle)
        if count <= _MOST_WITH_NUMBERS:
            _numbers(axes, values)
    bar = figure.colorbar(mesh, ax=grid, fraction=0.03, pad=0.01, aspect=30, shrink=0.75)
    bar.set_label("correlation of profiles", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    return figure


def _numbers(axes: Axes, values: npt.NDArray[np.float64]) -> None:
    for row, column in np.argwhere(np.isfinite(values)):
        ink = "white" if abs(values[row, column]) > 0.6 else INK
        text = two_digits(values[row, column])
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=5.5, color=ink)
