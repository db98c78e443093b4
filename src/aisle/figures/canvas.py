"""What all figures share: type sizes, colours that the colour-blind can tell apart, heatmap cells."""

import textwrap
from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec

import matplotlib
import matplotlib.style
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from aisle.tables import LIFESTAGES

SMALL, NORMAL = 7.5, 9.0
"""Type sizes in points."""
INK, FAINT, GRID = "#222222", "#666666", "#DDDDDD"
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#999999")
"""Eight colours of even weight; after Okabe & Ito 2008, yellow and black replaced."""
_STYLE = {
    "font.size": NORMAL,
    "figure.dpi": 150,
    "axes.titlelocation": "left",
    "axes.titlesize": NORMAL,
    "legend.frameon": False,
}
_P = ParamSpec("_P")


def styled(draw: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Draws with matplotlib's defaults and the house's type, whatever the user's own settings are."""

    @wraps(draw)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        with matplotlib.style.context(["default", _STYLE]):
            return draw(*args, **kwargs)

    return wrapper


def sheet(width: float, height: float) -> Figure:
    """An empty figure, in inches, that makes room for its labels."""
    return Figure(figsize=(width, height), layout="constrained")


def only_text(sentence: str) -> Figure:
    """A figure that says why there is none."""
    figure = sheet(6, 1)
    figure.text(0.5, 0.5, textwrap.fill(sentence, 80), ha="center", va="center", color=FAINT)
    return figure


def lifestage_name(code: str) -> str:
    """The code with its meaning.

    >>> lifestage_name("PE"), lifestage_name("all")
    ('PE pensioners', 'all')
    """
    return f"{code} {LIFESTAGES[code]}" if code in LIFESTAGES else code


def recipe_name(clusterer: str, reducer: str) -> str:
    """What made a partition, in few words.

    >>> recipe_name("kmeans", "pca"), recipe_name("ward", "none")
    ('kmeans after pca', 'ward')
    """
    return clusterer if reducer == "none" else f"{clusterer} after {reducer}"


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name, in the order of the names; beyond eight the colours are steps of one scale."""
    if len(names) <= len(OKABE_ITO):
        return dict(zip(names, OKABE_ITO, strict=False))
    steps = matplotlib.colormaps["viridis"](np.linspace(0, 0.75, len(names)))
    return {name: to_hex(step) for name, step in zip(names, steps, strict=True)}


def headed(axes: Axes, title: str, *lines: str) -> None:
    """A title in bold with small lines under it."""
    axes.set_title(title, fontweight="bold", color=INK, pad=7 + 11 * len(lines))
    axes.annotate(
        "\n".join(lines),
        (0, 1),
        (0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=SMALL,
        color=FAINT,
    )


def two_digits(value: float) -> str:
    """Two decimals without the zero before the point, as a cell is narrow.

    >>> [two_digits(value) for value in (1.0, -0.971, 0.004)]
    ['1', '-.97', '0']
    """
    text = f"{round(value, 2) + 0.0:.2f}"
    return f"{float(text):.0f}" if text.endswith(".00") else text.replace("0.", ".", 1)


def cells(axes: Axes, values: npt.NDArray[np.float64], *, limit: float) -> QuadMesh:
    """A heatmap centred at 0, red above and blue below, first row on top; undefined cells are grey."""
    axes.set_facecolor("#EEEEEE")
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(values), cmap="RdBu_r", vmin=-limit, vmax=limit, edgecolors="white", linewidth=0.4
    )
    axes.set_ylim(len(values), 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return mesh
