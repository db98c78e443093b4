"""The tree of an agglomerative clustering, cut at the chosen number of segments."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.cluster.hierarchy import dendrogram

from aisle.figures.canvas import FAINT, GRID, INK, SMALL, colours, headed, lifestage_name, only_text, sheet, styled

Tree = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_LEAVES = 30
"""Branches that are drawn; what is below them is told by its number of customers."""
_KEY_LETTERS = 60


@styled
def cut_dendrogram(
    tree: Tree, segments: Labels, names: Mapping[int, str], *, lifestage: str, recipe: str, height: str
) -> Figure:
    """The upper part of ``tree`` (n - 1, 4; SciPy's format), with the line that cuts it into the segments.

    ``segments`` are those of the rows of the tree: a cut of it, under whatever numbers. Branches below the cut have
    the colour of their segment; below the last merges that are drawn stand the customers of the branch. ``height``
    says what the vertical axis is.

    Raises:
        ValueError: the segments are no cut of the tree.
    """
    found = np.unique(segments)
    if len(tree) < 1 or found.size < 2:
        return only_text(f"{lifestage_name(lifestage)} has one segment: there is no cut to draw.")
    owner = _owners(tree, segments)
    if np.count_nonzero(owner[len(segments) :] < 0) != found.size - 1:
        raise ValueError(f"{lifestage}: the segments must be a cut of the tree; they cross its branches.")
    palette = colours([str(number) for number in range(int(found[-1]) + 1)])
    ink = {-1: FAINT, **{int(segment): palette[str(segment)] for segment in found}}
    drawn = dendrogram(
        tree,
        p=max(_LEAVES, found.size),
        truncate_mode="lastp",
        link_color_func=lambda node: ink[int(owner[node])],
        no_plot=True,
    )
    figure = sheet(7.2, 4.4 + 0.17 * found.size)
    axes = figure.subplots()
    lines = [list(zip(*ends, strict=True)) for ends in zip(drawn["icoord"], drawn["dcoord"], strict=True)]
    axes.add_collection(LineCollection(lines, colors=drawn["color_list"], linewidths=1.1, zorder=2))
    cut = tree[-found.size + 1, 2]
    below = tree[-found.size, 2] if found.size <= len(tree) else 0.0
    axes.axhline((cut + below) / 2, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=3)
    axes.annotate(
        f"cut into {found.size}",
        (1, (cut + below) / 2),
        (3, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=INK,
    )
    counts = np.concatenate([np.ones(len(segments)), tree[:, 3]]).astype(np.int64)
    _frame(axes, counts[drawn["leaves"]].tolist(), float(tree[-1, 2]), height)
    sizes = {int(segment): int((segments == segment).sum()) for segment in found}
    figure.legend(handles=_keys(sizes, names, ink), loc="outside lower left", fontsize=SMALL)
    headed(axes, f"{lifestage_name(lifestage)}: the tree, and where it is cut", *textwrap.wrap(recipe, 90))
    return figure


def _owners(tree: Tree, segments: Labels) -> Labels:
    """The segment that a node lies in, of the n rows and the n - 1 merges; -1 above the cut."""
    n = len(segments)
    owner = np.full(2 * n - 1, -1)
    owner[:n] = segments
    for node, (left, right) in enumerate(tree[:, :2].astype(np.int64), start=n):
        owner[node] = owner[left] if owner[left] == owner[right] else -1
    return owner


def _frame(axes: Axes, counts: Sequence[int], top: float, height: str) -> None:
    places = 5 + 10 * np.arange(len(counts))
    axes.set_xticks(places, [f"{count:,}" for count in counts], rotation=90, fontsize=SMALL)
    axes.set_xlim(0, 10 * len(counts))
    axes.set_ylim(0, 1.03 * top if top > 0 else 1)
    axes.set_xlabel("customers below each branch", fontsize=SMALL)
    axes.set_ylabel(height, fontsize=SMALL)
    axes.tick_params(labelsize=SMALL, color=GRID)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)


def _keys(sizes: Mapping[int, int], names: Mapping[int, str], ink: Mapping[int, str]) -> list[Line2D]:
    keys = []
    for segment, size in sizes.items():
        name = textwrap.shorten(f"{segment} {names.get(segment, '')}".strip(), _KEY_LETTERS, placeholder=" …")
        keys.append(Line2D([], [], color=ink[segment], linewidth=2.5, label=f"{name}: {size:,}"))
    return keys
