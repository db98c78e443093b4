"""How much better later outcomes are foreseen from more and more: lifestage, quintiles, segments, everything."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aisle.figures.canvas import FAINT, GRID, INK, OKABE_ITO, SMALL, headed, only_text, sheet, styled
from aisle.promotions.predictors import BASE, BOTH, CEILING, LEVELS, SEGMENTS

_NAMES: Final = {
    "redeemed": "Redeems a coupon of a later campaign",
    "spend": "Spend of the next weeks",
    "lapsed": "Does not come back in the next weeks",
}
_OF_SEGMENTS: Final = (SEGMENTS, BOTH)


@styled
def gains_of_predictors(usefulness: pd.DataFrame) -> Figure:
    """The gain over the base rate of every predictor with its interval, a panel per outcome.

    ``usefulness``: `aisle.promotions.USEFULNESS`. Right of the line is better than the base rate; segments are filled.
    """
    panels = [(name, usefulness[usefulness["outcome"] == name]) for name in _NAMES]
    panels = [(name, own) for name, own in panels if len(own)]
    if not panels:
        return only_text("Nothing could be foreseen: too little was over before any campaign or period.")
    figure = sheet(max(4.0 * len(panels), 7.0), 2.7)
    grid = figure.subplots(1, len(panels), squeeze=False)
    for axes, (name, own) in zip(grid.flat, panels, strict=True):
        _gains(axes, own.set_index("predictor"))
        first = own.iloc[0]
        headed(axes, _NAMES[name], f"{first['row_count']:,} rows of {first['customer_count']:,} customers")
    figure.supxlabel(
        "how much the loss falls below that of the base rate (log loss; of spend: squared error of its logarithm), "
        "95 % intervals over households",
        fontsize=SMALL,
        color=FAINT,
    )
    return figure


def _gains(axes: Axes, own: pd.DataFrame) -> None:
    names = [name for name in (*LEVELS, CEILING) if name in own.index and name != BASE]
    heights = np.arange(len(names), dtype=np.float64)
    gain, low, high = (own.loc[names, f"gain{end}"].to_numpy() for end in ("", "_low", "_high"))
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.hlines(heights, low, high, color=FAINT, linewidth=1.5)
    for height, value, name in zip(heights, gain, names, strict=True):
        face = OKABE_ITO[0] if name in _OF_SEGMENTS else "white"
        axes.plot(value, height, "o", markersize=6, color=face, markeredgecolor=OKABE_ITO[0])
    axes.set_yticks(heights, names, fontsize=SMALL)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(length=0, labelsize=SMALL)
    axes.spines[:].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", nbins=5)
