"""The leaderboard as curves: ranking score against the number of segments."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from aisle.figures.canvas import (
    FAINT,
    GRID,
    INK,
    NORMAL,
    SMALL,
    colours,
    headed,
    lifestage_name,
    only_text,
    sheet,
    styled,
)
from aisle.leaderboard import RANKED_BY

_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D")
_RING: dict[str, Any] = {"markersize": 10, "fillstyle": "none", "color": INK, "markeredgewidth": 1.1}
_LETTERS = 54
"""Letters of small type that fit across a panel."""
_MOST = 9
"""Segments up to which the axis always reaches: more are drawn only where they are eligible."""


@styled
def ranking_curves(leaderboard: pd.DataFrame) -> Figure:
    """Ranking score against the number of segments: a panel per lifestage, a line per reducer and clusterer.

    A line follows the best partition of its candidate at each number of segments. Filled markers are eligible, hollow
    ones are not (a segment is below the floor); the best eligible partition is ringed and named.
    """
    drawn = leaderboard[leaderboard[RANKED_BY].notna()]
    if drawn.empty:
        return only_text("No candidate has a ranking score: there is nothing to draw.")
    eligible = drawn["eligible"].astype(bool)
    most = max(_MOST, int(drawn.loc[eligible, "n_clusters"].max())) if eligible.any() else _MOST
    drawn = drawn[drawn["n_clusters"] <= most]
    panels = list(drawn.groupby(["features", "lifestage"], sort=True))
    ink = colours(sorted(drawn["clusterer"].unique()))
    styles = {name: number % len(_DASHES) for number, name in enumerate(sorted(drawn["reducer"].unique()))}
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    width = max(3.6 * columns, 5.4)
    handles, lines = _keys(ink, styles, width)
    several = len(drawn["features"].unique()) > 1  # scores of different spaces do not belong on one axis
    figure = sheet(width, 2.7 * rows + 0.18 * lines + 0.6)
    grid = figure.subplots(rows, columns, sharex=True, sharey=not several, squeeze=False)
    for axes, ((block, lifestage), board) in zip(grid.flat, panels, strict=False):
        for (_, reducer, clusterer), own in board.groupby(["scaler", "reducer", "clusterer"], sort=True):
            _line(axes, own, ink[str(clusterer)], styles[str(reducer)])
        _heading(axes, board, f"{lifestage_name(str(lifestage))}{f' · {block}' if several else ''}")
    _frame(grid, len(panels), most)
    figure.suptitle(
        "Silhouette of every partition in one space, noise counted as 0",
        x=0.01,
        ha="left",
        color=FAINT,
        fontsize=NORMAL,
    )
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles) // lines, fontsize=SMALL)
    return figure


def _line(axes: Axes, board: pd.DataFrame, colour: str, style: int) -> None:
    order = ["n_clusters", "eligible", RANKED_BY]
    best = board.sort_values(order, ascending=[True, False, False], kind="stable").drop_duplicates("n_clusters")
    eligible = best["eligible"].to_numpy(dtype=bool)
    x, y = best["n_clusters"].to_numpy(), best[RANKED_BY].to_numpy()
    axes.plot(x, y, color=colour, linestyle=_DASHES[style], linewidth=0.9, alpha=0.55, zorder=2)
    marks: dict[str, Any] = {"color": colour, "marker": _MARKERS[style], "linestyle": "none", "markersize": 3.6}
    axes.plot(x[~eligible], y[~eligible], markerfacecolor="white", markeredgewidth=0.6, alpha=0.6, zorder=3, **marks)
    axes.plot(x[eligible], y[eligible], markeredgecolor="white", markeredgewidth=0.4, zorder=4, **marks)


def _heading(axes: Axes, board: pd.DataFrame, name: str) -> None:
    """The lifestage, and below it the best eligible partition, which is also ringed."""
    eligible = board[board["eligible"].astype(bool)]
    told = "no partition is eligible"
    if not eligible.empty:
        best = eligible.iloc[int(eligible[RANKED_BY].argmax())]
        axes.plot(best["n_clusters"], best[RANKED_BY], "o", **_RING, zorder=5)
        reduced = "" if best["reducer"] == "none" else f" after {best['reducer']}"
        told = f"best: {best['clusterer']}{reduced}, {best['n_clusters']} segments, {best[RANKED_BY]:.3f}"
    customers = board["customer_count"].iloc[0]
    headed(axes, f"{name}, {customers} customers", *textwrap.wrap(told, _LETTERS))


def _frame(grid: "np.ndarray[Any, Any]", panels: int, most: int) -> None:
    for number, axes in enumerate(grid.flat):
        if number >= panels:
            axes.set_visible(False)
            continue
        axes.set_xlim(1.6, most + 0.4)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.tick_params(labelsize=SMALL, color=GRID, labelbottom=number + grid.shape[1] >= panels)
        axes.grid(color=GRID, linewidth=0.5)
        axes.axhline(0, color=FAINT, linewidth=0.7)
        axes.spines[:].set_visible(False)
        axes.set_axisbelow(True)
        if number + grid.shape[1] >= panels:
            axes.set_xlabel("segments", fontsize=SMALL)
        if number % grid.shape[1] == 0:
            axes.set_ylabel("ranking score", fontsize=SMALL)


def _keys(ink: dict[str, str], styles: dict[str, int], width: float) -> tuple[list[Line2D], int]:
    """Clusterers by colour, reducers by dash and marker, what the markers mean; and in how many lines they fit."""
    plain: dict[str, Any] = {"color": FAINT, "linestyle": "none", "marker": "o", "markersize": 4.5}
    groups = [
        [Line2D([], [], color=colour, linewidth=2.5, label=name) for name, colour in ink.items()],
        [
            Line2D([], [], color=FAINT, linestyle=_DASHES[style], marker=_MARKERS[style], markersize=4, label=name)
            for name, style in styles.items()
        ],
        [
            Line2D([], [], label="eligible", **plain),
            Line2D([], [], label="not eligible", markerfacecolor="white", **plain),
            Line2D([], [], label="best eligible", linestyle="none", marker="o", **_RING),
        ],
    ]
    longest = max(len(group) for group in groups)
    lines = next((count for count in range(3, longest) if _width(groups, count) <= width), longest)
    blank = Line2D([], [], linestyle="none", label=" ")
    return [handle for group in groups for handle in (*group, *[blank] * (-len(group) % lines))], lines


def _width(groups: Sequence[Sequence[Line2D]], rows: int) -> float:
    """About how wide the keys are in inches, as columns of ``rows`` entries: a handle and the longest name each."""
    letters = [max(len(str(handle.get_label())) for handle in group) for group in groups]
    columns = [-(-len(group) // rows) for group in groups]
    return sum(count * (0.6 * SMALL * length + 40) for count, length in zip(columns, letters, strict=True)) / 72
