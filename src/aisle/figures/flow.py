"""Segments across solutions: from which segments of a partition those of the next recruit their customers."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from aisle.evidence import across_solutions
from aisle.evidence.across import recruits
from aisle.evidence.agreement import count
from aisle.figures.bands import OUTSIDE, WIDE, Counts, Values, bands, bar, bottoms, ink_on, outside_key
from aisle.figures.canvas import SMALL, headed, only_text, sheet, styled
from aisle.partition import NOISE

_BETWEEN = 0.02
"""Between the bars of a solution, in shares of all customers."""
_SMALLEST = 0.02
"""Share of the customers from which on a bar has room for its number."""
_UNDEFINED = "#BBBBBB"
_SCALE = matplotlib.colormaps["viridis"]


@styled
def segment_flow(labelings: pd.DataFrame) -> Figure:
    """Segments of every solution as bars, and how many customers went from each to each of the next solution.

    ``labelings`` has a row per customer and a column per tuning value, in order: labels 0..k-1 by size, -1 for noise.
    Colour is the stability of a segment across solutions (SLSA, see `aisle.evidence.across`); grey where there is no
    solution before, or only one segment in it. Segments stand as those they come from do, so that few flows cross.
    """
    if labelings.empty or not (labelings.to_numpy() != NOISE).any():
        return only_text("No partition of this candidate has a segment: there is no flow to draw.")
    solutions = [labelings[value].to_numpy(dtype=np.int64) for value in labelings.columns]
    found = across_solutions(labelings)
    stability = [found.loc[found["tuning_value"] == value, "slsa"].to_numpy() for value in labelings.columns]
    figure = sheet(max(1.9 + 1.15 * len(solutions), 4.4), 4.2)
    axes = figure.subplots()
    order: Counts = np.empty(0, dtype=np.int64)
    for place, labels in enumerate(solutions):
        before = solutions[place - 1] if place else None
        earlier, order = order, _order(labels, before, order)
        ink = _inks(stability[place])
        if before is not None:
            moved = recruits(before, labels)
            leaves, enters = (
                bottoms(moved.sum(axis=axis), stacked, between=_BETWEEN) for axis, stacked in ((1, earlier), (0, order))
            )
            bands(axes, place - 1, moved, leaves, enters, ink)
        _bars(axes, place, labels, order, ink)
    names = [_name(float(value), labels) for value, labels in zip(labelings.columns, solutions, strict=True)]
    axes.set_xticks(np.arange(len(names)), names, fontsize=SMALL)
    axes.set_xlabel("segments" if all("(" not in name for name in names) else "tuning value (segments)", fontsize=SMALL)
    axes.set_yticks([])
    axes.set_xlim(-WIDE, len(names) - 1 + WIDE)
    axes.set_ylim(-0.01, 1 + _BETWEEN * max(count(labels) for labels in solutions) + 0.01)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    headed(axes, "Segments across solutions", "a bar is a segment, a band where its customers come from")
    _keys(figure, axes, noise=any((labels == NOISE).any() for labels in solutions))
    return figure


def _name(value: float, labels: Counts) -> str:
    return f"{value:g}" if value == count(labels) else f"{value:g} ({count(labels)})"


def _order(labels: Counts, before: Counts | None, earlier: Counts) -> Counts:
    """Groups of a solution from the bottom, noise (k) first: by the mean place of those they recruit from."""
    k = count(labels)
    if before is None:
        return np.array([k, *range(k)], dtype=np.int64)
    place = np.empty(len(earlier))
    place[earlier] = np.arange(len(earlier))
    moved = recruits(before, labels)[:, :k]
    means = place @ moved / moved.sum(axis=0)
    return np.array([k, *np.lexsort((np.arange(k), means))], dtype=np.int64)


def _sizes(labels: Counts) -> Counts:
    k = count(labels)
    return np.bincount(np.where(labels == NOISE, k, labels), minlength=k + 1)


def _inks(stability: Values) -> list[str]:
    """Colours of the segments, noise last."""
    return [*(_UNDEFINED if np.isnan(value) else to_hex(_SCALE(value)) for value in stability), OUTSIDE]


def _bars(axes: Axes, place: int, labels: Counts, order: Counts, ink: list[str]) -> None:
    sizes = _sizes(labels)
    shares, low = sizes / sizes.sum(), bottoms(sizes, order, between=_BETWEEN)
    for group, (share, bottom) in enumerate(zip(shares, low, strict=True)):
        if not share:
            continue
        noise = group == count(labels)
        bar(axes, place, bottom, share, ink[group], outside=noise)
        if not noise and share >= _SMALLEST:
            axes.text(
                place,
                bottom + share / 2,
                str(group),
                ha="center",
                va="center_baseline",
                fontsize=SMALL,
                color=ink_on(ink[group]),
                zorder=4,
            )


def _keys(figure: Figure, axes: Axes, *, noise: bool) -> None:
    scale = figure.colorbar(ScalarMappable(Normalize(0, 1), _SCALE), ax=axes, fraction=0.04, pad=0.02, aspect=30)
    scale.set_label("SLSA: 1, all came from one segment; 0, from all alike", fontsize=SMALL)
    scale.ax.tick_params(labelsize=SMALL)
    scale.outline.set_visible(False)
    keys = [Patch(facecolor=_UNDEFINED, label="undefined: nothing to compare with")]
    if noise:
        keys.append(Patch(label="noise", **outside_key()))
    figure.legend(handles=keys, loc="outside lower left", ncols=2, fontsize=SMALL)
