"""The leaderboard as curves: ranking score against the number of segments."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from aisle.figures.canvas import FAINT, GRID, INK, NORMAL, SMALL, colours, lifestage_name, only_text, sheet, styled
from aisle.leaderboard import RANKED_BY

_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D")
_RING: dict[str, Any] = {"markersize": 10, "fillstyle": "none", "color": INK, "markeredgewidth": 1.1}
_LETTERS = 50
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
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = sheet(max(3.6 * columns, 5.4), 2.7 * rows + 1.1)
    several = len(drawn["features"].unique()) > 1  # scores of different spaces do not belong on one axis
    grid = figure.subplots(rows, columns, sharex=True, sharey=not several, squeeze=False)
    ink = colours(sorted(drawn["clusterer"].unique()))
    styles = {name: number % len(_DASHES) for number, name in enumerate(sorted(drawn["reducer"].unique()))}
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
    _keys(figure, ink, styles)
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
    lines = textwrap.wrap(told, _LETTERS)
    title = f"{name}, {board['customer_count'].iloc[0]} customers"
    axes.set_title(title, color=INK, fontweight="bold", pad=7 + 11 * len(lines))
    under = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": SMALL, "color": FAINT}
    axes.annotate("\n".join(lines), (0, 1), (0, 5), **under)


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


def _keys(figure: Figure, ink: dict[str, str], styles: dict[str, int]) -> None:
    """Three keys under the panels: clusterers by colour, reducers by dash and marker, what the markers mean."""
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
    widest = int(figure.get_figwidth() / 1.6)
    rows = next(count for count in range(2, 100) if sum(-(-len(group) // count) for group in groups) <= widest)
    handles: list[Line2D] = []
    for group in groups:
        blanks = -len(group) % rows
        handles += [*group, *(Line2D([], [], linestyle="none", label=" ") for _ in range(blanks))]
    figure.legend(handles=handles, loc="outside lower left", ncols=len(handles) // rows, fontsize=SMALL)
