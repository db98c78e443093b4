"""Segments of all lifestages beside each other, on both scales."""

import textwrap
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aisle.comparison import COMMON, WITHIN, Comparison
from aisle.figures.canvas import FAINT, INK, SMALL, cells, headed, only_text, sheet, styled, two_digits

_TITLES = {
    WITHIN: ("Scaled within each lifestage", "how segments differ from their own lifestage; its level is removed"),
    COMMON: ("One common scale", "how segments differ from all customers; the lifestage's level is kept"),
}
_LETTERS = 46
"""Letters the code and name of a segment may have."""
_MOST_WITH_NUMBERS = 16
"""Segments up to which the correlations are also written into the cells."""


@styled
def comparison_heatmaps(
    comparison: Comparison,
    intervals: pd.DataFrame | None = None,
    segment_names: Mapping[tuple[str, int], str] | None = None,
) -> Figure:
    """Correlations of segment profiles on both scales, side by side, segments in one order; grey = undefined.

    Cells are crossed out whose interval in ``intervals`` (see `aisle.lifestages.with_intervals`) covers 0.
    ``segment_names`` by lifestage and segment stand beside the rows.
    """
    count = len(comparison.order)
    if count == 0:
        return only_text("No lifestage has a segment: there is nothing to compare.")
    called = segment_names or {}
    codes = [f"{lifestage} {segment}" for lifestage, segment in comparison.order]
    names = [
        textwrap.shorten(f"{code} {called.get((key[0], int(key[1])), '')}", _LETTERS, placeholder=" …")
        for code, key in zip(codes, comparison.order, strict=True)
    ]
    side = 1.3 + 0.27 * max(count, 8)
    figure = sheet(2 * side + 0.9 + 0.06 * max(map(len, names)), side + 0.9)
    grid = figure.subplots(1, 2, squeeze=False)
    for axes, (scale, (title, subtitle)) in zip(grid.flat, _TITLES.items(), strict=True):
        values = comparison.correlations[scale].to_numpy()
        mesh = cells(axes, values, limit=1.0)
        axes.set_aspect("equal")
        axes.set_xticks(np.arange(count) + 0.5, codes, rotation=90, fontsize=SMALL)
        axes.set_yticks(np.arange(count) + 0.5, names if axes is grid[0, 0] else codes, fontsize=SMALL)
        headed(axes, title, subtitle)
        if intervals is not None:
            _cross_out(axes, comparison, intervals[intervals["scale"] == scale])
        if count <= _MOST_WITH_NUMBERS:
            _numbers(axes, values)
    if intervals is not None:
        told = "crossed out: the 95 % interval covers 0 (customers drawn anew, the segments as they are)"
        figure.supxlabel(told, fontsize=SMALL, color=FAINT)
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


def _cross_out(axes: Axes, comparison: Comparison, pairs: pd.DataFrame) -> None:
    place = {key: number for number, key in enumerate(comparison.order)}
    for row in pairs[(pairs["low"] <= 0) & (pairs["high"] >= 0)].itertuples():
        first, second = place[row.lifestage_a, row.segment_a], place[row.lifestage_b, row.segment_b]
        for x, y in ((first, second), (second, first)):
            axes.plot([x + 0.1, x + 0.9], [y + 0.9, y + 0.1], color=FAINT, linewidth=0.7)
