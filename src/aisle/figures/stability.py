"""How well every segment of every partition comes back on resamples."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from aisle.evidence import Thresholds
from aisle.figures.canvas import INK, SMALL, headed, lifestage_name, only_text, recipe_name, sheet, styled, two_digits

_STEPS = ("#E79A6B", "#FBE3CB", "#9CC8E3", "#1F6CAE")
"""From what is not to be trusted to what is highly stable: orange to blue, which the colour-blind tell apart."""
_MEANINGS = ("not to be trusted", "a pattern", "valid", "highly stable")
_LETTERS = 44
"""Letters of the title that fit across the narrowest figure."""
_UNKNOWN = "#EEEEEE"
_DECLARED = Thresholds()


@styled
def stability_heatmap(segments: pd.DataFrame, thresholds: Thresholds = _DECLARED) -> Figure:
    """Mean best Jaccard coefficient of every segment (columns) of one candidate at every tuning value (rows).

    ``segments``: rows of one candidate in the dossier's table of segments, with lifestage, clusterer and reducer.
    Colours change at the thresholds of the verdict. Below each coefficient stand the segment's customers.

    Raises:
        ValueError: there are segments of several candidates.
    """
    if segments.empty:
        return only_text("No partition of this candidate has a segment: there is no stability to draw.")
    one = segments[["lifestage", "candidate_key", "clusterer", "reducer"]].drop_duplicates()
    if len(one) > 1:
        raise ValueError(f"The segments must be those of one candidate; got {one['candidate_key'].tolist()}.")
    jaccards = segments.pivot(index="tuning_value", columns="segment", values="jaccard").sort_index()
    counts = segments.pivot(index="tuning_value", columns="segment", values="customer_count").sort_index()
    rows, columns = jaccards.shape
    row = one.iloc[0]
    title = f"{lifestage_name(row['lifestage'])}: {recipe_name(row['clusterer'], row['reducer'])}"
    lines = textwrap.wrap(title, _LETTERS)
    figure = sheet(max(1.0 + 0.46 * columns, 5.2), 1.6 + 0.16 * len(lines) + 0.36 * rows)
    axes = figure.subplots()
    limits = (thresholds.constructive, thresholds.reproducible, thresholds.separated)
    _squares(axes, jaccards.to_numpy(), counts.to_numpy(), limits)
    axes.set_xticks(np.arange(columns) + 0.5, [str(name) for name in jaccards.columns], fontsize=SMALL)
    found = counts.notna().sum(axis=1)
    counted = bool((found.to_numpy() == jaccards.index.to_numpy()).all())
    names = [f"{value:g}" if counted else f"{value:g} ({k})" for value, k in found.items()]
    axes.set_yticks(np.arange(rows) + 0.5, names, fontsize=SMALL)
    axes.set_xlabel("segment", fontsize=SMALL)
    axes.set_ylabel("segments" if counted else "tuning value (segments)", fontsize=SMALL)
    headed(
        axes,
        "\n".join(lines),
        "mean best Jaccard coefficient on halves of the customers;",
        "below it how many customers the segment has",
    )
    keys = _keys(limits)
    if segments["jaccard"].isna().any():
        keys.append(Patch(facecolor=_UNKNOWN, label="?: no split was finished"))
    figure.legend(handles=keys, loc="outside lower left", ncols=2, fontsize=SMALL)
    return figure


def _squares(
    axes: Axes,
    jaccards: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    counts: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    limits: tuple[float, float, float],
) -> None:
    for row, column in np.argwhere(~np.isnan(counts)):
        value = jaccards[row, column]
        step = None if np.isnan(value) else int(np.searchsorted(limits, value, side="right"))
        face = _UNKNOWN if step is None else _STEPS[step]
        axes.add_patch(_square(column, row, face))
        ink = "white" if step == len(_STEPS) - 1 else INK
        text = "?" if step is None else two_digits(value)
        axes.text(column + 0.5, row + 0.36, text, ha="center", va="center", fontsize=SMALL, color=ink)
        number = f"{int(counts[row, column])}"
        axes.text(column + 0.5, row + 0.74, number, ha="center", va="center", fontsize=5.5, color=ink)
    axes.set_xlim(0, counts.shape[1])
    axes.set_ylim(counts.shape[0], 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _square(column: int, row: int, face: str) -> Rectangle:
    return Rectangle((column, row), 1, 1, facecolor=face, edgecolor="white", linewidth=0.8)


def _keys(limits: tuple[float, float, float]) -> list[Patch]:
    """What the colours mean, the best first; a step between equal thresholds is left out."""
    ends = (0.0, *limits)
    keys = [
        Patch(facecolor=colour, label=f"{f'from {start:g}' if start else f'below {ends[1]:g}'}: {meaning}")
        for colour, meaning, start, end in zip(_STEPS, _MEANINGS, ends, (*limits, np.inf), strict=True)
        if end > start
    ]
    return keys[::-1]
