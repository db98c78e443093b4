"""Customers on a plane, coloured by segment."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from aisle.figures.canvas import FAINT, GRID, SMALL, colours, headed, lifestage_name, only_text, sheet, styled
from aisle.partition import NOISE
from aisle.planes import Plane

_MOST_AS_VECTORS = 1_000
"""Customers up to which a dot is a shape of its own; of more the dots of a picture are one image."""
_NOISE = "#BBBBBB"
_LETTERS = 60
"""Letters of small type that fit across a panel."""
_KEY_LETTERS = 44


@styled
def segment_planes(
    planes: Sequence[Plane], segments: "pd.Series[int]", names: Mapping[int, str], *, lifestage: str, recipe: str
) -> Figure:
    """A panel per plane, a dot per customer, coloured by segment, its number at its middle; grey: in none (-1).

    ``segments`` are by customer; ``names`` by segment are the key's; ``recipe`` says what made the segments.
    """
    if not planes or segments.empty:
        return only_text(f"{lifestage_name(lifestage)} has no customer to be drawn.")
    figure = sheet(4.4 * len(planes) + 0.2, 4.9)
    grid = figure.subplots(1, len(planes), squeeze=False)
    found = sorted(map(int, segments.unique()))
    ink = colours([str(number) for number in range(found[-1] + 1)]) if found[-1] >= 0 else {}
    for axes, plane in zip(grid.flat, planes, strict=True):
        _dots(axes, plane.values, segments.loc[plane.values.index], ink)
        headed(axes, plane.title, *textwrap.wrap(plane.told, _LETTERS))
        _frame(axes, plane)
    figure.suptitle(
        textwrap.fill(f"{lifestage_name(lifestage)}: {recipe}", 58 * len(planes)),
        x=0.01,
        ha="left",
        color=FAINT,
        fontsize=SMALL + 1.5,
    )
    figure.legend(
        handles=_keys(segments, names, ink, found), loc="outside lower left", ncols=len(planes), fontsize=SMALL
    )
    return figure


def _dots(axes: Axes, values: pd.DataFrame, segments: "pd.Series[int]", ink: Mapping[str, str]) -> None:
    """The dots by customer id, so that no segment lies on top of another, those in none beneath."""
    many = len(values) > _MOST_AS_VECTORS
    style: dict[str, Any] = {"s": 5.0 if many else 13.0, "alpha": 0.5 if many else 0.75, "rasterized": many}
    points, labels = values.sort_index(), segments.sort_index()
    none = points[labels == NOISE]
    if not none.empty:
        axes.scatter(none.iloc[:, 0], none.iloc[:, 1], c=_NOISE, marker="x", linewidths=0.6, zorder=1, **style)
    inside = points[labels != NOISE]
    colour = [ink[str(segment)] for segment in labels[labels != NOISE]]
    axes.scatter(inside.iloc[:, 0], inside.iloc[:, 1], c=colour, linewidths=0, zorder=2, **style)
    for segment, own in inside.groupby(labels[labels != NOISE], sort=True):
        x, y = own.median()
        axes.text(
            x,
            y,
            str(segment),
            ha="center",
            va="center",
            fontweight="bold",
            color=ink[str(segment)],
            zorder=3,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )


def _keys(
    segments: "pd.Series[int]", names: Mapping[int, str], ink: Mapping[str, str], found: Sequence[int]
) -> list[Line2D]:
    counts = segments.value_counts()
    keys = []
    for segment in [*(number for number in found if number != NOISE), *([NOISE] if NOISE in found else [])]:
        noise = segment == NOISE
        name = "in no segment" if noise else f"{segment} {names.get(segment, '')}".strip()
        told = f"{textwrap.shorten(name, _KEY_LETTERS, placeholder=' …')}: {counts[segment]:,}"
        style: dict[str, Any] = {"marker": "x" if noise else "o", "color": _NOISE if noise else ink[str(segment)]}
        keys.append(Line2D([], [], linestyle="none", markersize=4.5, label=told, **style))
    return keys


def _frame(axes: Axes, plane: Plane) -> None:
    axes.set_xlabel(plane.axes[0], fontsize=SMALL)
    axes.set_ylabel(plane.axes[1], fontsize=SMALL)
    axes.tick_params(labelsize=SMALL, color=GRID)
    axes.grid(color=GRID, linewidth=0.5)
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)
