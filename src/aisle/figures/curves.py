"""The evidence over the number of segments: every measure of the verdict against its threshold."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from aisle.evidence import CLASSES, DO_NOT_SEGMENT, Thresholds
from aisle.figures.canvas import (
    FAINT,
    GRID,
    INK,
    NORMAL,
    SMALL,
    colours,
    headed,
    lifestage_name,
    only_text,
    recipe_name,
    sheet,
    styled,
)

_BAND = 1.96
_NULL = "#BDBDBD"
_PASSES = "#EEF5EE"
_ASIDE = 0.07
_LETTERS, _NAME = 46, 30
"""Letters of small type, and of a title, that fit across a panel."""


@dataclass(frozen=True)
class _Measure:
    """A measure of the verdict, what it is called, and its thresholds with the class that asks for them."""

    column: str
    name: str
    limits: tuple[tuple[float, str], ...]
    below: bool = False


@styled
def evidence_curves(measures: pd.DataFrame, thresholds: Thresholds) -> Figure:
    """What speaks for the examined candidates of one lifestage, over their numbers of segments.

    ``measures``: the rows of one lifestage and feature block in the dossier's table of measures. A panel per candidate
    shows its ranking score with the null band, the mean of the null draws and 1.96 of their standard deviations; a
    panel per measure shows all candidates, the side that passes tinted. At each number of segments a candidate stands
    with its partition of the highest score.

    Raises:
        ValueError: there are rows of several lifestages or feature blocks.
    """
    for name in ("lifestage", "features"):
        found = sorted(set(measures[name]))
        if len(found) > 1:
            raise ValueError(f"The measures must be those of one {name}; got {found}.")
    drawn = measures[(measures["stage"] == "examined") & measures["ranking_score"].notna()]
    if drawn.empty:
        return only_text("No examined candidate has two segments: there is no evidence to draw.")
    best = drawn.sort_values(["n_clusters", "ranking_score"], ascending=[True, False], kind="stable")
    best = best.drop_duplicates(["candidate_key", "n_clusters"])
    lines = _named(best)
    ink = colours(list(lines))
    asked = _asked(thresholds)
    panels = len(lines) + len(asked)
    columns = 3 if panels <= 9 else 5
    rows = math.ceil(panels / columns)
    titles = max(len(textwrap.wrap(name, _NAME)) for name in lines)
    figure = sheet(3.1 * columns, (2.3 + 0.16 * titles) * rows + 0.55 + 0.17 * math.ceil(len(lines) / columns))
    grid = figure.subplots(rows, columns, squeeze=False)
    most = int(best["n_clusters"].max())
    _scores(list(grid.flat)[: len(lines)], lines, ink, thresholds)
    for axes, measure in zip(list(grid.flat)[len(lines) :], asked, strict=False):
        _measure(axes, lines, ink, measure)
    for number, axes in enumerate(grid.flat):
        axes.set_visible(number < panels)
        _frame(axes, most, bottom=number + columns >= panels)
    figure.suptitle(
        f"{lifestage_name(str(best['lifestage'].iloc[0]))}: the evidence over the number of segments",
        x=0.01,
        ha="left",
        color=FAINT,
        fontsize=NORMAL,
    )
    figure.legend(handles=_keys(ink), loc="outside lower left", ncols=columns, fontsize=SMALL)
    return figure


def _named(best: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The candidates by what made them, with the scaler where that alone tells them apart; the best score first."""
    found = []
    for key, own in best.groupby("candidate_key", sort=True):
        first = own.iloc[0]
        name = recipe_name(str(first["clusterer"]), str(first["reducer"]))
        found.append((-float(own["ranking_score"].max()), name, str(first["scaler"]), str(key), own))
    found.sort(key=lambda line: line[:4])
    names = [name for _, name, *_ in found]
    alike = [f"{name}, {scaler}" if names.count(name) > 1 else name for _, name, scaler, *_ in found]
    unique = [
        f"{name}, {key[:6]}" if alike.count(name) > 1 else name for name, (*_, key, _) in zip(alike, found, strict=True)
    ]
    return {name: line[-1] for name, line in zip(unique, found, strict=True)}


def _asked(t: Thresholds) -> tuple[_Measure, ...]:
    return (
        _Measure("valley_p", "Gap at every segment, p-value", ((t.valley_p, "separated"),), below=True),
        _Measure("strength", "Prediction strength", ((t.strength, "separated"),)),
        _Measure(
            "jaccard_worst", "Jaccard, worst segment", ((t.separated, "separated"), (t.reproducible, "reproducible"))
        ),
        _Measure("jaccard_mean", "Jaccard, mean of the segments", ((t.constructive, "constructive"),)),
        _Measure("replication", "Replication, adjusted Rand", ((t.replication, "reproducible"),)),
    )


def _scores(grid: Sequence[Axes], lines: dict[str, pd.DataFrame], ink: dict[str, str], thresholds: Thresholds) -> None:
    """The panels of the candidates' scores, on one scale."""
    reached = [0.0]
    for axes, (name, own) in zip(grid, lines.items(), strict=True):
        k, mean, spread = (own[column].to_numpy(dtype=np.float64) for column in ("n_clusters", "null_mean", "null_sd"))
        known = np.isfinite(mean)
        low, high = mean - _BAND * spread, mean + _BAND * spread
        axes.fill_between(k[known], low[known], high[known], color=_NULL, alpha=0.6, linewidth=0, zorder=1)
        axes.errorbar(
            k[known], mean[known], _BAND * spread[known], color="#8A8A8A", linewidth=0.8, capsize=2, zorder=2, fmt="--"
        )
        _line(axes, k, own["ranking_score"].to_numpy(), ink[name])
        rejected = (own["null_p"] < thresholds.null_p).to_numpy()
        _marks(axes, k, own["ranking_score"].to_numpy(), ink[name], rejected)
        reached += [*own["ranking_score"], *low[known], *high[known]]
        told = _best_class(own) if known.any() else f"{_best_class(own)}; no null draws"
        axes.set_ylabel("ranking score", fontsize=SMALL)
        _title(axes, name, told)
    margin = 0.06 * (max(reached) - min(reached)) or 0.1
    for axes in grid:
        axes.set_ylim(min(reached) - margin, max(reached) + margin)
        axes.axhline(0, color=FAINT, linewidth=0.7)


def _best_class(own: pd.DataFrame) -> str:
    found = min(own["class"], key=CLASSES.index)
    ks = ", ".join(f"{k}" for k in own.loc[own["class"] == found, "n_clusters"])
    return found if found == DO_NOT_SEGMENT else f"{found} with {ks} segments"


def _measure(axes: Axes, lines: dict[str, pd.DataFrame], ink: dict[str, str], measure: _Measure) -> None:
    values = pd.concat([own[measure.column] for own in lines.values()])
    low = min(0.0, float(values.min())) if values.notna().any() else 0.0
    axes.set_ylim(low - 0.04, 1.04)
    least = measure.limits[-1][0]
    axes.axhspan(*((low - 0.04, least) if measure.below else (least, 1.04)), color=_PASSES, zorder=0)
    for limit, name in measure.limits:
        axes.axhline(limit, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=2)
        axes.annotate(
            f"{name} {'below' if measure.below else 'from'} {limit:g}",
            (1, limit),
            (-2, 1.5),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=6,
            color=FAINT,
            zorder=2.5,  # beneath the lines of the candidates
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )
    for place, (name, own) in enumerate(lines.items()):
        aside = _ASIDE * (place - (len(lines) - 1) / 2)  # lines that run alike do not hide each other
        k, found = own["n_clusters"].to_numpy() + aside, own[measure.column].to_numpy()
        _line(axes, k, found, ink[name])
        _marks(axes, k, found, ink[name], np.ones(len(k), dtype=bool))
    _title(axes, measure.name)


def _line(axes: Axes, x: Any, y: Any, colour: str) -> None:
    axes.plot(x, y, color=colour, linewidth=1.1, zorder=3)


def _marks(axes: Axes, x: Any, y: Any, colour: str, filled: Any) -> None:
    """Hollow markers lie on white, so that a line behind them does not fill them."""
    style: dict[str, Any] = {"color": colour, "marker": "o", "markersize": 4, "linestyle": "none", "zorder": 4}
    axes.plot(x[~filled], y[~filled], markerfacecolor="white", markeredgewidth=0.9, **style)
    axes.plot(x[filled], y[filled], markeredgecolor="white", markeredgewidth=0.4, **style)


def _title(axes: Axes, name: str, told: str = "") -> None:
    lines = textwrap.wrap(told, _LETTERS)
    headed(axes, textwrap.fill(name, _NAME), *lines)


def _frame(axes: Axes, most: int, *, bottom: bool) -> None:
    axes.set_xlim(1.6, most + 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.tick_params(labelsize=SMALL, color=GRID)
    if bottom:
        axes.set_xlabel("segments", fontsize=SMALL)
    axes.grid(color=GRID, linewidth=0.5)
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)


def _keys(ink: dict[str, str]) -> list[Any]:
    plain: dict[str, Any] = {"color": FAINT, "linestyle": "none", "marker": "o", "markersize": 4.5}
    return [
        *(Line2D([], [], color=colour, linewidth=2.5, label=name) for name, colour in ink.items()),
        Patch(facecolor=_NULL, label="null: mean and 95 % band"),
        Line2D([], [], label="score: the null is rejected", **plain),
        Line2D([], [], label="score: it is not", markerfacecolor="white", **plain),
        Patch(facecolor=_PASSES, edgecolor=GRID, label="meets a threshold"),
    ]
