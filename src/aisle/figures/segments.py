"""Profiles of segments: the whole of them as a heatmap, the strongest contrasts as dots."""

import math
import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aisle.figures.canvas import (
    FAINT,
    GRID,
    INK,
    SMALL,
    cells,
    colours,
    headed,
    lifestage_name,
    only_text,
    sheet,
    styled,
)
from aisle.partition import NOISE
from aisle.profiles import SEGMENT

_LIMIT = 2.0
"""Standard deviations at which the colours end."""
_LETTERS = 30
_PANEL_LETTERS = 46
"""Letters a line of a name may have, under a column and above a panel."""


@styled
def profile_heatmap(profiles: pd.DataFrame, sizes: pd.DataFrame) -> Figure:
    """Standardised mean of every feature (rows) in every segment (columns, by lifestage).

    ``sizes`` (see `aisle.profiles`) gives the segments' shares, and their names where it has a column segment_name.
    """
    if profiles.empty:
        return only_text("No lifestage has a segment: there is no profile to draw.")
    wide = profiles.pivot(index="feature", columns=SEGMENT, values="standardised_mean")
    wide = wide.loc[profiles["feature"].unique()]
    shares = sizes.set_index(SEGMENT)["customer_share"]
    counts = wide.columns.to_frame(index=False).groupby("lifestage", sort=False)["segment"].size()
    called = _names(sizes)
    longest = max((len(line) for name in called.values() for line in name.split("\n")), default=0)
    figure = sheet(3.2 + 0.36 * wide.shape[1] + 0.25 * len(counts), 1.6 + 0.06 * longest + 0.19 * len(wide))
    grid = figure.subplots(1, len(counts), sharey=True, squeeze=False, width_ratios=counts.tolist())
    for axes, lifestage in zip(grid.flat, counts.index, strict=True):
        part = wide[lifestage]
        mesh = cells(axes, part.to_numpy(), limit=_LIMIT)
        names = [
            f"{called.get((str(lifestage), int(segment)), '')} {segment}  {shares[lifestage, segment]:.0%}".strip()
            for segment in part.columns
        ]
        axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=90, fontsize=SMALL)
        axes.set_title(lifestage, fontweight="bold", color=INK)
        axes.set_yticks(np.arange(len(part)) + 0.5, part.index.tolist(), fontsize=SMALL)
    bar = figure.colorbar(mesh, ax=grid, extend="both", fraction=0.03, pad=0.01, aspect=40)
    bar.set_label("standard deviations from the lifestage's mean", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    figure.supxlabel("segment and its share of the lifestage's customers", fontsize=SMALL, color=FAINT)
    return figure


@styled
def contrast_dots(profiles: pd.DataFrame, contrasts: pd.DataFrame, sizes: pd.DataFrame | None = None) -> Figure:
    """The features of ``contrasts`` (see `aisle.profiles`), a panel per lifestage, a numbered dot per segment.

    Above a panel stand the names of its segments, where ``sizes`` has a column segment_name.
    """
    if contrasts.empty:
        return only_text("No lifestage has segments that differ: there is no contrast to draw.")
    panels = list(contrasts.groupby("lifestage", sort=True))
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    most = int(profiles["segment"].max()) + 1
    lines = max(len(strongest) for _, strongest in panels)
    called = {} if sizes is None else _names(sizes, width=_PANEL_LETTERS)
    heads = {str(name): [f"{n} {text}" for (own, n), text in called.items() if own == name] for name, _ in panels}
    told = max(sum(line.count("\n") + 1 for line in head) for head in heads.values())
    height = max(0.24, 0.1 + 0.06 * most) * lines + 0.16 * told + 0.7
    figure = sheet(max(4.4 * columns, 5.0), height * rows + 0.4)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    ink = colours([str(segment) for segment in range(most)])
    for axes, (lifestage, strongest) in zip(grid.flat, panels, strict=False):
        own = profiles[profiles["lifestage"] == lifestage]
        wide = own.pivot(index="feature", columns="segment", values="standardised_mean")
        _dots(axes, wide.loc[strongest["feature"].tolist()], ink)
        headed(axes, lifestage_name(str(lifestage)), *"\n".join(heads[str(lifestage)]).splitlines())
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    figure.supxlabel(
        "segment means in standard deviations from the lifestage's mean\n"
        "(the segments were formed on these features: that they differ is no evidence)",
        fontsize=SMALL,
        color=FAINT,
    )
    return figure


def _names(sizes: pd.DataFrame, width: int = _LETTERS) -> dict[tuple[str, int], str]:
    """Names by lifestage and segment, without those in no segment, in lines of at most ``width`` letters."""
    if "segment_name" not in sizes:
        return {}
    inside = sizes[sizes["segment"] != NOISE]
    return {
        (str(lifestage), int(segment)): "\n".join(textwrap.wrap(name, width, max_lines=2, placeholder=" …"))
        for lifestage, segment, name in inside[[*SEGMENT, "segment_name"]].itertuples(index=False)
    }


def _dots(axes: Axes, wide: pd.DataFrame, ink: dict[str, str]) -> None:
    """Features as rows, a dot per segment; dots of a feature stand a little below each other, so that fewer hide."""
    rows = np.arange(len(wide), dtype=np.float64)
    axes.hlines(rows, wide.min(axis=1), wide.max(axis=1), color=GRID, linewidth=2.5, zorder=1)
    axes.axvline(0, color=FAINT, linewidth=0.7, zorder=1)
    for place, segment in zip(np.linspace(-0.3, 0.3, wide.shape[1]), wide.columns, strict=True):
        heights = rows + (place if wide.shape[1] > 2 else 0)
        axes.plot(wide[segment], heights, "o", color=ink[str(segment)], markersize=8, markeredgecolor="white", zorder=3)
        for x, y in zip(wide[segment], heights, strict=True):
            axes.text(x, y, str(segment), color="white", fontsize=6, ha="center", va="center_baseline", zorder=4)
    axes.set_yticks(rows, wide.index.tolist(), fontsize=SMALL)
    axes.set_ylim(len(wide) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.tick_params(length=0, labelsize=SMALL, labelbottom=True)
    axes.spines[:].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
