"""Methods across lifestages: the critical-difference diagram."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aisle.evidence import MethodRanks
from aisle.figures.canvas import FAINT, INK, OKABE_ITO, SMALL, headed, only_text, sheet, styled

_LETTERS = 26
"""Letters of a method's name that stand in one line."""
_SENTENCE = 105
_WIDTH = 7.2
"""Of the figure, in inches."""


@styled
def critical_difference(ranks: MethodRanks) -> Figure:
    """Mean ranks of the methods on one axis, the best on the left; a bar joins methods that cannot be told apart.

    The bar above the axis is as long as the critical difference (Demsar 2006, figure 1).
    """
    if ranks.undefined:
        return only_text(ranks.undefined)
    names = {name: textwrap.fill(name, _LETTERS) for name in ranks.mean_ranks}
    line = max(name.count("\n") + 1 for name in names.values())
    rows = (len(names) + 1) // 2
    told = [part for sentence in ranks.sentences for part in textwrap.wrap(sentence, _SENTENCE)]
    apart, first = 0.1 + 0.17 * line, 0.4 + 0.2 * len(ranks.groups)  # inches between names, and from the axis to them
    below, above = first + (rows - 1) * apart + 0.1 * line, 0.5
    figure = sheet(_WIDTH, above + below + 0.17 * len(told) + 0.45)
    axes = figure.subplots()
    most = len(names)
    left, right = (_room(list(names.values())[part]) for part in (slice(rows), slice(rows, None)))
    inch = (most - 0.8) / (_WIDTH - 0.3 - left - right)
    axes.set_xlim(0.9 - left * inch, most + 0.1 + right * inch)
    axes.set_ylim(-below, above)
    axes.axis("off")
    _axis(axes, most)
    _difference(axes, ranks.critical_difference, most)
    for place, group in enumerate(ranks.groups):
        ends = [ranks.mean_ranks[name] for name in (group[0], group[-1])]
        depth = -0.2 - 0.2 * place
        axes.plot([ends[0] - 0.03, ends[1] + 0.03], [depth, depth], color=INK, linewidth=3.5, solid_capstyle="butt")
    for place, (name, rank) in enumerate(ranks.mean_ranks.items()):
        better = place < rows
        depth = -first - (place if better else most - 1 - place) * apart
        end = 0.9 if better else most + 0.1
        axes.plot([rank, rank, end], [0, depth, depth], color=OKABE_ITO[0], linewidth=0.9)
        axes.plot([rank], [0], "o", color=OKABE_ITO[0], markersize=4, zorder=3)
        axes.annotate(
            f"{names[name]}  {rank:.2f}" if better else f"{rank:.2f}  {names[name]}",
            (end, depth),
            (-4 if better else 4, 0),
            textcoords="offset points",
            ha="right" if better else "left",
            va="center",
            color=INK,
        )
    headed(axes, "Methods ranked in every lifestage", *told)
    return figure


def _room(names: Sequence[str]) -> float:
    """About how wide names and ranks are, in inches."""
    return 0.6 + 0.08 * max(len(part) for name in names for part in name.split("\n"))


def _axis(axes: Axes, most: int) -> None:
    axes.plot([1, most], [0, 0], color=INK, linewidth=1)
    for rank in range(1, most + 1):
        axes.plot([rank, rank], [0, 0.07], color=INK, linewidth=1)
        axes.text(rank, 0.1, str(rank), ha="center", va="bottom", fontsize=SMALL, color=INK)
    axes.annotate(
        "best", (1, 0.1), (-8, 0), textcoords="offset points", ha="right", va="bottom", fontsize=SMALL, color=FAINT
    )


def _difference(axes: Axes, length: float, most: int) -> None:
    """The critical difference to scale, from the best rank on; what is longer than the axis ends in an arrow."""
    end, height = min(1 + length, most + 0.1), 0.4
    axes.plot([1, end], [height, height], color=OKABE_ITO[1], linewidth=1.4)
    axes.plot([1], [height], "|", color=OKABE_ITO[1], markersize=7)
    axes.plot([end], [height], "|" if end == 1 + length else ">", color=OKABE_ITO[1], markersize=7)
    axes.annotate(
        f"critical difference {length:.2f}",
        (end, height),
        (7, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=OKABE_ITO[1],
    )
