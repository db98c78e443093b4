"""Stores: what every format is like, and when every kind of basket is bought."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from aisle.figures.canvas import (
    FAINT,
    GRID,
    INK,
    SMALL,
    cells,
    colours,
    headed,
    only_text,
    sheet,
    styled,
    two_digits,
)
from aisle.stores import CONTRASTS, EVERY

_MOST = 16
"""Features shown: those of the largest effects."""
_LIMIT = 1.5
_SPREAD = 0.62
"""Height that the dots of one kind of basket take, of the height of a line."""


_TICKS = (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10)


@styled
def format_heatmap(profiles: pd.DataFrame, differences: pd.DataFrame) -> Figure:
    """Mean of every format in standard deviations of the stores, features of largest effect on top.

    Both are of `aisle.stores.formats_compared`.
    """
    if differences.empty:
        return only_text("Fewer than two store formats are known: there is nothing to compare.")
    shown = differences.head(_MOST)
    wide = profiles.pivot(index="feature", columns="format", values="standardised_mean").loc[shown["feature"]]
    counts = profiles.drop_duplicates("format").set_index("format")["store_count"]
    figure = sheet(2.9 + 0.85 * wide.shape[1] + 0.9, 0.24 * len(shown) + 1.3)
    axes = figure.subplots()
    numbers = wide.to_numpy(dtype=np.float64)
    mesh = cells(axes, numbers, limit=_LIMIT)
    for row, column in np.ndindex(*wide.shape):
        value = float(numbers[row, column])
        colour = "white" if abs(value) > 0.7 * _LIMIT else INK
        axes.text(column + 0.5, row + 0.5, two_digits(value), ha="center", va="center", fontsize=SMALL, color=colour)
    told = [
        f"{name}{'' if differs else ' (not told apart)'}  {two_digits(effect)}"
        for name, differs, effect in shown[["feature", "differs", "eta_squared"]].itertuples(index=False)
    ]
    axes.set_yticks(np.arange(len(shown)) + 0.5, told, fontsize=SMALL)
    names = [f"{name}\n{counts[name]:,} stores" for name in wide.columns]
    axes.set_xticks(np.arange(wide.shape[1]) + 0.5, names, fontsize=SMALL)
    headed(axes, "What store formats are like", "after each feature: share of its variance between formats (eta²)")
    bar = figure.colorbar(mesh, ax=axes, shrink=0.6, aspect=30, extend="both")
    bar.set_label("mean, in standard deviations of all stores", fontsize=SMALL, color=FAINT)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, length=0)
    return figure


@styled
def rhythm_dots(rhythm: pd.DataFrame) -> Figure:
    """Ratios of `aisle.stores.rhythm` with their intervals, a panel per contrast, a line per kind of basket."""
    formats = list(rhythm["format"].unique())
    palette = {EVERY: INK, **colours([name for name in formats if name != EVERY])}
    lines = rhythm[["kind", "value"]].drop_duplicates()
    figure = sheet(9.0, 0.42 * len(lines) + 1.5)
    panels = figure.subplots(1, len(CONTRASTS), sharex=True, sharey=True)
    for axes, (contrast, other) in zip(panels, CONTRASTS.items(), strict=True):
        _dots(axes, rhythm[rhythm["contrast"] == contrast], lines, palette)
        headed(axes, f"{contrast} against {other}", "baskets bought in as much time; 1 is as many")
    handles = [panels[0].plot([], [], "o", color=colour, label=_format(name))[0] for name, colour in palette.items()]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=SMALL)
    figure.supxlabel("lines are 95 % intervals, from bootstrap samples of the stores", fontsize=SMALL, color=FAINT)
    return figure


def _format(name: str) -> str:
    return "all stores" if name == EVERY else name


def _dots(axes: Axes, rows: pd.DataFrame, lines: pd.DataFrame, palette: dict[str, str]) -> None:
    place = {key: number for number, key in enumerate(lines.itertuples(index=False, name=None))}
    offsets = np.linspace(-_SPREAD / 2, _SPREAD / 2, len(palette)) if len(palette) > 1 else [0.0]
    axes.axvline(1, color=FAINT, linewidth=0.8, zorder=1)
    for (name, colour), offset in zip(palette.items(), offsets, strict=True):
        own = rows[rows["format"] == name]
        heights = np.array([place[key] for key in own[["kind", "value"]].itertuples(index=False, name=None)]) + offset
        axes.hlines(heights, own["ratio_low"], own["ratio_high"], color=colour, linewidth=1.2, zorder=2)
        axes.plot(own["ratio"], heights, "o", color=colour, markersize=4 if name == EVERY else 3, zorder=3)
    labels = ["all baskets" if kind == EVERY else f"{kind.split('_')[-1]} {value}" for kind, value in place]
    axes.set_yticks(range(len(labels)), labels, fontsize=SMALL)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.hlines(np.arange(len(labels) - 1) + 0.5, 0, 1, transform=axes.get_yaxis_transform(), color=GRID, linewidth=0.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(_TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(length=0, labelsize=SMALL)
    axes.spines[:].set_visible(False)
