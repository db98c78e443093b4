"""Is there a gap between a segment and its nearest neighbour? The held-out customers between the two, to look at."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from aisle.evidence import Thresholds
from aisle.evidence.valley import BINS, EDGES
from aisle.figures.canvas import FAINT, GRID, INK, OKABE_ITO, SMALL, headed, only_text, sheet, styled
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]

_PALE = "#ABDAF4"
_SMOOTH = 0.15
"""Standard deviation of the kernel of the line."""
_LONGEST = 14
"""Letters of a segment's name, of which two share the head of a panel."""
_DECLARED = Thresholds()


@styled
def valley_panels(
    gaps: pd.DataFrame, thresholds: Thresholds = _DECLARED, names: Mapping[int, str] | None = None
) -> Figure:
    """A panel per segment of one partition: where held-out customers lie between it (0) and its neighbour (1).

    ``gaps``: segment, neighbour (-1: one that is no segment of the whole), valley_p, position (centre of a bin along
    the line that tells the two apart), share (of these held-out customers in the bin), besides candidate_key and
    tuning_value: rows of one partition in the dossier's table of gaps, which leaves empty bins out. ``names``: what the
    segments are called, where that is not their number.

    Raises:
        ValueError: there are gaps of several partitions.
    """
    if gaps.empty:
        return only_text("No segment of this partition has a neighbour: there is no gap to draw.")
    partitions = gaps[["candidate_key", "tuning_value"]].drop_duplicates()
    if len(partitions) > 1:
        raise ValueError(f"The gaps must be those of one partition; got {len(partitions)} partitions.")
    panels = list(gaps.groupby("segment", sort=True))
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = sheet(max(2.9 * columns, 4.2), 2.1 * rows + 0.75)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    occupied = gaps["position"]
    for axes, (segment, own) in zip(grid.flat, panels, strict=False):
        p, neighbour = float(own["valley_p"].iloc[0]), int(own["neighbour"].iloc[0])
        _customers(axes, own["position"].to_numpy(), own["share"].to_numpy())
        told = f"p = {p:.2g}: {'a gap' if p < thresholds.valley_p else 'no gap is seen'}"
        number = int(str(segment))
        if names is None:
            other = "its neighbour" if neighbour == NOISE else f"segment {neighbour}"
            headed(axes, f"Segment {number} and {other}", told)
        else:
            other = "its neighbour" if neighbour == NOISE else _short(names[neighbour])
            headed(axes, f"{_short(names[number])} and {other}", told)
        _means(axes, number, neighbour, names or {})
    grid.flat[0].set_xlim(min(-0.5, occupied.min()) - 0.1, max(1.5, occupied.max()) + 0.1)
    grid.flat[0].set_ylim(0, 1.12 * grid.flat[0].get_ylim()[1])
    grid.flat[0].xaxis.set_major_locator(MultipleLocator(0.5))
    for number, axes in enumerate(grid.flat):
        axes.set_visible(number < len(panels))
        axes.tick_params(labelsize=SMALL, color=GRID, labelbottom=True, labelleft=False)
        axes.tick_params(axis="y", length=0)
    figure.supxlabel(
        "position of held-out customers: 0 is the mean of the segment, 1 that of its neighbour\n"
        "(customers beyond the ends of the line are in its last bins)",
        fontsize=SMALL,
        color=FAINT,
    )
    return figure


def _customers(axes: Axes, position: Values, share: Values) -> None:
    """Bars of two bins, and the density smoothed, as the share of customers in so wide a bar."""
    heights, ends = np.histogram(position, BINS // 2, EDGES, weights=share)
    wide = ends[1] - ends[0]
    taken = np.flatnonzero(heights)
    axes.bar(ends[taken], heights[taken], width=wide, align="edge", color=_PALE, linewidth=0)
    line = np.arange(EDGES[0] - 4 * _SMOOTH, EDGES[1] + 4 * _SMOOTH, _SMOOTH / 4)
    kernel = np.exp(-0.5 * ((line[:, np.newaxis] - position) / _SMOOTH) ** 2) / (_SMOOTH * math.sqrt(2 * math.pi))
    axes.plot(line, kernel @ share * wide, color=OKABE_ITO[0], linewidth=1.2)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def _means(axes: Axes, segment: int, neighbour: int, names: Mapping[int, str]) -> None:
    for place, name in ((0, segment), (1, neighbour)):
        axes.axvline(place, color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
        if name != NOISE:
            axes.annotate(
                _short(names.get(name, str(name))),
                (place, 1),
                (3, -2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                va="top",
                fontsize=SMALL,
                fontweight="bold",
                color=INK,
            )
