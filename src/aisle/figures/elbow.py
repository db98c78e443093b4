"""The sum of squared distances against the number of clusters, and where it bends."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from aisle.figures.canvas import FAINT, GRID, INK, OKABE_ITO, SMALL, headed, sheet, styled


@styled
def elbow_curve(curve: Mapping[int, float], bend: int, chosen: int) -> Figure:
    """The curve with its chord, the bend ringed; where another number was ``chosen``, it is marked too."""
    numbers = sorted(curve)
    figure = sheet(5.4, 3.4)
    axes = figure.subplots()
    axes.plot([numbers[0], numbers[-1]], [curve[numbers[0]], curve[numbers[-1]]], color=FAINT, ls="--", lw=0.8)
    axes.plot(numbers, [curve[number] for number in numbers], color=OKABE_ITO[0], marker="o", markersize=4)
    axes.plot([bend], [curve[bend]], "o", markersize=11, fillstyle="none", color=INK)
    if chosen != bend:
        axes.annotate(f"used: {chosen}", (chosen, curve[chosen]), (4, 6), textcoords="offset points", fontsize=SMALL)
    axes.set_xlabel("clusters")
    axes.set_ylabel("sum of squared distances")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color=GRID, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    headed(axes, f"The curve bends at {bend} clusters", "ringed: farthest below the chord of its ends (dashed)")
    return figure
