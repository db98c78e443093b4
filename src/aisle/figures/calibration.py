"""A calibration: how often data without clusters are rejected, and how often planted segments are found."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aisle.figures.canvas import FAINT, GRID, INK, OKABE_ITO, SMALL, headed, only_text, sheet, styled

Interval = Callable[[int, int], tuple[float, float]]


@styled
def rejection_rates(rejections: pd.DataFrame, *, level: float, interval: Interval) -> Figure:
    """Valley rejections of every population and reduction: a dot and an interval per clusterer and tuning value.

    ``rejections`` has population, reduction, clusterer, tuning_value, draws, valley and counted; ``interval`` gives the
    ends of a rate from the count and the trials; the line is ``level``.
    """
    drawn = rejections[rejections["draws"] > 0]
    if drawn.empty:
        return only_text("No draw is finished: there is nothing to show.")
    groups = list(drawn.groupby(["population", "reduction"], sort=False))
    ink = dict(zip(dict.fromkeys(drawn["clusterer"]), OKABE_ITO, strict=False))
    figure = sheet(6.4, 0.36 * len(groups) + 1.3)
    axes = figure.subplots()
    for place, (_, own) in enumerate(groups):
        for turn, row in enumerate(own.to_dict("records")):
            height = place + 0.7 * ((turn + 0.5) / len(own) - 0.5)
            low, high = interval(row["valley"], row["draws"])
            axes.plot([low, high], [height, height], color=ink[row["clusterer"]], lw=0.9, alpha=0.6)
            axes.plot(row["valley"] / row["draws"], height, "o", color=ink[row["clusterer"]], markersize=2.6)
    axes.axvline(level, color=INK, lw=0.9, linestyle="--")
    for name, colour in ink.items():
        axes.plot([], [], "o-", color=colour, markersize=3, label=name)
    names = [
        f"{population}{'' if reduction == 'none' else f', {reduction}'}{'' if own['counted'].all() else ' *'}"
        for (population, reduction), own in groups
    ]
    axes.set_yticks(range(len(groups)), names, fontsize=SMALL)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.set_xlim(-0.01, 1.01)
    axes.set_xlabel("share of the draws with a valley at every segment", fontsize=SMALL)
    figure.legend(loc="outside lower left", ncols=len(ink), fontsize=SMALL)
    _plain(axes)
    headed(
        axes, "Data without clusters", f"dashed: {level:.0%}; bars: 95 % intervals; *: the stated limit, reported only"
    )
    return figure


@styled
def power_curves(power: pd.DataFrame, *, interval: Interval) -> Figure:
    """Share of the draws in which the planted number of segments is found, against the distance of their centres.

    A panel per shares of the segments, a line per number of customers. ``power`` has shares, apart, customers, draws
    and right, a row per cell.
    """
    if power.empty:
        return only_text("No draw with planted segments is finished: there is nothing to show.")
    panels = list(power.groupby("shares", sort=False))
    figure = sheet(max(2.6 * len(panels), 4.0), 3.2)
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)
    sizes = sorted(power["customers"].unique())
    ink = dict(zip(sizes, OKABE_ITO, strict=False))
    marks: dict[str, Any] = {"marker": "o", "markersize": 3.2, "lw": 1.2, "capsize": 1.5, "elinewidth": 0.7}
    for axes, (shares, own) in zip(grid.flat, panels, strict=True):
        for customers, line in own.sort_values("apart").groupby("customers"):
            rate = line["right"] / line["draws"]
            ends = [interval(int(right), int(draws)) for right, draws in zip(line["right"], line["draws"], strict=True)]
            down = [max(0.0, middle - low) for middle, (low, _) in zip(rate, ends, strict=True)]
            up = [max(0.0, high - middle) for middle, (_, high) in zip(rate, ends, strict=True)]
            axes.errorbar(line["apart"], rate, yerr=[down, up], color=ink[customers], **marks)
        axes.set_xlabel("sd between centres", fontsize=SMALL)
        axes.set_ylim(-0.03, 1.03)
        _plain(axes)
        headed(axes, f"shares {shares}")
    grid.flat[0].set_ylabel("planted number found", fontsize=SMALL)
    for size, colour in ink.items():
        grid.flat[0].plot([], [], "o-", color=colour, markersize=3, label=f"{size:,} customers")
    figure.legend(loc="outside lower left", ncols=min(4, len(ink)), fontsize=SMALL)
    return figure


def _plain(axes: Axes) -> None:
    axes.tick_params(labelsize=SMALL, color=GRID, labelcolor=INK)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
