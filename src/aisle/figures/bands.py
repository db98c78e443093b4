"""Groups of customers as bars, and bands between the bars for those who go from one to another."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from aisle.figures.canvas import INK

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

WIDE = 0.16
"""Width of a bar, where bars that bands join are 1 apart."""
OUTSIDE = "#E8E8E8"
"""Of those in no group."""
_HATCH, _EDGE = "////", "#999999"


def bottoms(sizes: Counts, order: Counts, *, between: float) -> Values:
    """Lower ends of the groups' bars, in shares of all, stacked in ``order``, ``between`` apart where not empty."""
    shares = sizes / sizes.sum()
    found, height = np.zeros(len(sizes)), 0.0
    for group in order:
        found[group] = height
        height += shares[group] + (between if shares[group] else 0.0)
    return found


def bar(axes: Axes, place: float, bottom: float, share: float, ink: str, *, outside: bool) -> None:
    """The bar of a group at the height of its share; hatched, of those ``outside`` all groups."""
    axes.add_patch(
        Rectangle(
            (place - WIDE / 2, bottom),
            WIDE,
            share,
            facecolor=ink,
            edgecolor=_EDGE if outside else "white",
            hatch=_HATCH if outside else None,
            linewidth=0.5,
            zorder=3,
        )
    )


def outside_key() -> dict[str, Any]:
    """How a key shows those outside all groups."""
    return {"facecolor": OUTSIDE, "edgecolor": _EDGE, "hatch": _HATCH}


def ink_on(colour: str) -> str:
    """Dark on a light colour, white on a dark one."""
    light = matplotlib.colors.rgb_to_hsv(matplotlib.colors.to_rgb(colour))[2] > 0.62
    return INK if light else "white"


def bands(axes: Axes, place: int, moved: Counts, leaves: Values, enters: Values, ink: Sequence[str]) -> None:
    """A band for every pair of groups, as thick as the customers that it moves, coloured as the group it ends in.

    ``moved`` counts customers by group before (rows) and after (columns); ``leaves`` and ``enters`` are the `bottoms`
    of both. The bars are at ``place`` and ``place`` + 1.
    """
    sources, targets = np.argsort(leaves, kind="stable"), np.argsort(enters, kind="stable")
    leaves, enters = leaves.copy(), enters.copy()
    shares = moved / moved.sum()
    left, right = place + WIDE / 2, place + 1 - WIDE / 2
    middle = (left + right) / 2
    for source in sources:
        for target in targets:
            thick = shares[source, target]
            if not thick:
                continue
            low, high = leaves[source], enters[target]
            corners = [
                (left, low),
                (middle, low),
                (middle, high),
                (right, high),
                (right, high + thick),
                (middle, high + thick),
                (middle, low + thick),
                (left, low + thick),
                (left, low),
            ]
            curve = [Path.CURVE4] * 3
            codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
            axes.add_patch(
                PathPatch(Path(corners, codes), facecolor=ink[target], edgecolor="none", alpha=0.45, zorder=2)
            )
            leaves[source] += thick
            enters[target] += thick
