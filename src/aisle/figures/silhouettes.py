"""The silhouette plot: how much nearer every customer is to the own segment than to the next (Rousseeuw 1987)."""

import textwrap
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aisle.figures.canvas import FAINT, GRID, INK, SMALL, colours, headed, lifestage_name, only_text, sheet, styled
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]

_STEPS = 200
"""Most steps a segment is drawn in: as many as the eye tells apart, whatever the number of customers."""
_BETWEEN = 0.12
"""Between segments, in shares of all customers: as high as the two lines that stand beside each."""
_LINES = 0.31
"""Height of these lines, in inches."""
_LETTERS = 40
_LETTER = 0.058
"""Width of a letter, in inches."""


@styled
def silhouette_plot(
    silhouettes: "pd.Series[float]",
    segments: "pd.Series[int]",
    names: Mapping[int, str],
    *,
    lifestage: str,
    recipe: str,
) -> Figure:
    """Silhouettes of all customers of one lifestage, by segment, the largest first; a dashed line is their mean.

    ``silhouettes`` in [-1, 1], of the reference space, and ``segments`` are by customer; NaN and -1 for those in none.
    A segment is as high as it has customers; of more than 200, every step is the mean of as many neighbours as need be.
    ``names`` by segment stand beside them; ``recipe`` says what made them.
    """
    inside = silhouettes[(segments != NOISE) & silhouettes.notna()]
    if inside.empty:
        return only_text(f"{lifestage_name(lifestage)} has fewer than two segments: no silhouette is defined.")
    groups = [
        (int(segment), np.asarray(own, dtype=np.float64))
        for segment, own in inside.groupby(segments.loc[inside.index], sort=True)
    ]
    mean, total = float(inside.mean()), len(inside)
    palette = colours([str(number) for number in range(groups[-1][0] + 1)])
    lines = {segment: _told(segment, own, names) for segment, own in groups}
    letters = max(len(line) for told in lines.values() for line in told)
    deep = 1 + _BETWEEN * (len(groups) - 1)
    figure = sheet(4.2 + _LETTER * letters, max(_LINES / _BETWEEN * deep, 2.0) + 1.25)
    axes = figure.subplots()
    top = 0.0
    for segment, own in groups:
        share = len(own) / total
        edges, heights = _steps(own)
        axes.stairs(
            heights,
            top + share * edges,
            orientation="horizontal",
            fill=True,
            color=palette[str(segment)],
            linewidth=0,
            zorder=2,
        )
        axes.annotate(
            "\n".join(lines[segment]),
            (1, top + share / 2),
            (5, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            color=INK,
        )
        top += share + _BETWEEN
    axes.axvline(0, color=INK, linewidth=0.7, zorder=3)
    axes.axvline(mean, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=3)
    _frame(axes, np.asarray(inside, dtype=np.float64), deep)
    told = [f"mean {mean:.3f} (dashed), in the space of the standardised features", *_outside(segments)]
    headed(axes, f"{lifestage_name(lifestage)}: silhouettes", *textwrap.wrap(recipe, 60), *told)
    return figure


def _steps(values: Values) -> tuple[Values, Values]:
    """Edges in [0, 1] and heights, from the highest: each the mean of equally many neighbours, or nearly so."""
    ordered = np.sort(values)[::-1]
    count = min(len(ordered), _STEPS)
    bounds = np.linspace(0, len(ordered), count + 1).round().astype(np.int64)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    return bounds / len(ordered), np.diff(sums[bounds]) / np.diff(bounds)


def _told(segment: int, own: Values, names: Mapping[int, str]) -> tuple[str, str]:
    name = textwrap.shorten(f"{segment} {names.get(segment, '')}".strip(), _LETTERS, placeholder=" …")
    return name, f"{len(own):,} customers, mean {own.mean():.2f}, {(own < 0).mean():.0%} below 0"


def _outside(segments: "pd.Series[int]") -> list[str]:
    count = int((segments == NOISE).sum())
    return [f"{count:,} customers in no segment are not shown"] if count else []


def _frame(axes: Axes, values: Values, deep: float) -> None:
    axes.set_xlim(min(-0.1, float(values.min())) - 0.02, max(0.4, float(values.max())) + 0.02)
    axes.set_ylim(deep + 0.01, -0.01)
    axes.set_yticks([])
    axes.tick_params(labelsize=SMALL, color=GRID)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    told = "silhouette: 1 is deep inside the own segment,\n0 between two, below 0 nearer to another"
    axes.set_xlabel(told, fontsize=SMALL, color=FAINT)
