"""Honest differences: how far segments differ on every feature, by baskets that did not make them."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from aisle.evidence import CAVEAT
from aisle.figures.canvas import FAINT, GRID, OKABE_ITO, SMALL, headed, lifestage_name, only_text, sheet, styled

_MOST = 12
"""Features shown per lifestage: those of the largest effects."""
_COLUMNS = 3


@styled
def honest_effects(differences: pd.DataFrame, *, rate: float) -> Figure:
    """Epsilon squared of the features of largest effect, a panel per lifestage; filled where segments differ.

    ``differences``: the rows of `aisle.evidence.differences` with a column lifestage. A thin dot is the other way of
    halving the baskets, in which the effect is larger.
    """
    tested = differences[differences["untested"] == ""]
    if tested.empty:
        return only_text("No chosen segments could be tested on other baskets: there is no difference to draw.")
    panels = list(tested.groupby("lifestage", sort=True))
    columns = min(_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    lines = min(_MOST, max(len(own) for _, own in panels))
    figure = sheet(max(4.2 * columns, 7.0), (0.2 * lines + 1.0) * rows + 0.9)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for axes, (lifestage, own) in zip(grid.flat, panels, strict=False):
        _effects(axes, own.nlargest(_MOST, "epsilon_squared", keep="first"))
        count = f"{int(own['differs'].sum())} of {len(own)} features differ"
        headed(axes, lifestage_name(str(lifestage)), count)
    most = float(tested[["epsilon_squared_baskets", "epsilon_squared_weeks"]].max().max())
    grid[0, 0].set_xlim(-0.03 * most, 1.05 * most)  # all panels share it
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    figure.supxlabel(
        f"share of the ranks' variance that segments explain (epsilon squared)\n{CAVEAT}", fontsize=SMALL, color=FAINT
    )
    figure.legend(handles=_keys(rate), loc="outside upper left", ncols=3, fontsize=SMALL)
    return figure


def _effects(axes: Axes, shown: pd.DataFrame) -> None:
    heights = np.arange(len(shown), dtype=np.float64)
    effects, differs = shown["epsilon_squared"].to_numpy(), shown["differs"].to_numpy(dtype=bool)
    larger = shown[["epsilon_squared_baskets", "epsilon_squared_weeks"]].max(axis=1).to_numpy()
    axes.hlines(heights, effects, larger, color=GRID, linewidth=2, zorder=1)
    axes.plot(larger, heights, "|", color=FAINT, markersize=5, zorder=2)
    for chosen, face in ((differs, OKABE_ITO[0]), (~differs, "white")):
        axes.plot(
            effects[chosen], heights[chosen], "o", markersize=5, color=face, markeredgecolor=OKABE_ITO[0], zorder=3
        )
    axes.set_yticks(heights, shown["feature"].tolist(), fontsize=SMALL)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(length=0, labelsize=SMALL, labelbottom=True)
    axes.spines[:].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)


def _keys(rate: float) -> list[Line2D]:
    blue = OKABE_ITO[0]
    return [
        Line2D([], [], marker="o", linestyle="", color=blue, label=f"differs (false discovery rate {rate:g})"),
        Line2D([], [], marker="o", linestyle="", color="white", markeredgecolor=blue, label="not told apart"),
        Line2D([], [], marker="|", linestyle="", color=FAINT, label="the other way of halving"),
    ]
