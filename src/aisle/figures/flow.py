"""Segments across solutions: from which segments of a partition those of the next recruit their customers."""

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path

from aisle.evidence import across_solutions
from aisle.evidence.across import recruits
from aisle.evidence.agreement import count
from aisle.figures.canvas import INK, SMALL, headed, only_text, sheet, styled
from aisle.partition import NOISE

Values = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_WIDE = 0.16
"""Width of a bar, where solutions are 1 apart."""
_BETWEEN = 0.02
"""Between the bars of a solution, in shares of all customers."""
_SMALLEST = 0.02
"""Share of the customers from which on a bar has room for its number."""
_UNDEFINED, _OUTSIDE = "#BBBBBB", "#E8E8E8"
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
    order: Labels = np.empty(0, dtype=np.int64)
    for place, labels in enumerate(solutions):
        before = solutions[place - 1] if place else None
        earlier, order = order, _order(labels, before, order)
        ink = _inks(stability[place])
        if before is not None:
            _flows(axes, place - 1, recruits(before, labels), earlier, order, ink)
        _bars(axes, place, labels, order, ink)
    names = [_name(float(value), labels) for value, labels in zip(labelings.columns, solutions, strict=True)]
    axes.set_xticks(np.arange(len(names)), names, fontsize=SMALL)
    axes.set_xlabel("segments" if all("(" not in name for name in names) else "tuning value (segments)", fontsize=SMALL)
    axes.set_yticks([])
    axes.set_xlim(-_WIDE, len(names) - 1 + _WIDE)
    axes.set_ylim(-0.01, 1 + _BETWEEN * max(count(labels) for labels in solutions) + 0.01)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    headed(axes, "Segments across solutions", "a bar is a segment, a band where its customers come from")
    _keys(figure, axes, noise=any((labels == NOISE).any() for labels in solutions))
    return figure


def _name(value: float, labels: Labels) -> str:
    return f"{value:g}" if value == count(labels) else f"{value:g} ({count(labels)})"


def _order(labels: Labels, before: Labels | None, earlier: Labels) -> Labels:
    """Groups of a solution from the bottom, noise (k) first: by the mean place of those they recruit from."""
    k = count(labels)
    if before is None:
        return np.array([k, *range(k)], dtype=np.int64)
    place = np.empty(len(earlier))
    place[earlier] = np.arange(len(earlier))
    moved = recruits(before, labels)[:, :k]
    means = place @ moved / moved.sum(axis=0)
    return np.array([k, *np.lexsort((np.arange(k), means))], dtype=np.int64)


def _bottoms(sizes: Labels, order: Labels) -> Values:
    """Lower ends of the groups' bars, in shares, stacked in ``order``, apart where they are not empty."""
    shares = sizes / sizes.sum()
    bottoms, height = np.zeros(len(sizes)), 0.0
    for group in order:
        bottoms[group] = height
        height += shares[group] + (_BETWEEN if shares[group] else 0.0)
    return bottoms


def _sizes(labels: Labels) -> Labels:
    k = count(labels)
    return np.bincount(np.where(labels == NOISE, k, labels), minlength=k + 1)


def _inks(stability: Values) -> list[str]:
    """Colours of the segments, noise last."""
    return [*(_UNDEFINED if np.isnan(value) else to_hex(_SCALE(value)) for value in stability), _OUTSIDE]


def _bars(axes: Axes, place: int, labels: Labels, order: Labels, ink: list[str]) -> None:
    sizes = _sizes(labels)
    shares, bottoms = sizes / sizes.sum(), _bottoms(sizes, order)
    for group, (share, bottom) in enumerate(zip(shares, bottoms, strict=True)):
        if not share:
            continue
        noise = group == count(labels)
        axes.add_patch(
            Rectangle(
                (place - _WIDE / 2, bottom),
                _WIDE,
                share,
                facecolor=ink[group],
                edgecolor="#999999" if noise else "white",
                hatch="////" if noise else None,
                linewidth=0.5,
                zorder=3,
            )
        )
        if not noise and share >= _SMALLEST:
            light = matplotlib.colors.rgb_to_hsv(matplotlib.colors.to_rgb(ink[group]))[2] > 0.62
            axes.text(
                place,
                bottom + share / 2,
                str(group),
                ha="center",
                va="center_baseline",
                fontsize=SMALL,
                color=INK if light else "white",
                zorder=4,
            )


def _flows(axes: Axes, place: int, moved: Labels, earlier: Labels, order: Labels, ink: list[str]) -> None:
    """A band for every pair of groups, as thick as the customers that it moves, coloured as the segment it ends in."""
    leaves, enters = _bottoms(moved.sum(axis=1), earlier), _bottoms(moved.sum(axis=0), order)
    shares = moved / moved.sum()
    left, right = place + _WIDE / 2, place + 1 - _WIDE / 2
    middle = (left + right) / 2
    for source in earlier:
        for target in order:
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


def _keys(figure: Figure, axes: Axes, *, noise: bool) -> None:
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), _SCALE), ax=axes, fraction=0.04, pad=0.02, aspect=30)
    bar.set_label("SLSA: 1, all came from one segment; 0, from all alike", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    keys = [Patch(facecolor=_UNDEFINED, label="undefined: nothing to compare with")]
    if noise:
        keys.append(Patch(facecolor=_OUTSIDE, edgecolor="#999999", hatch="////", label="noise"))
    figure.legend(handles=keys, loc="outside lower left", ncols=2, fontsize=SMALL)
